use indicator_proto::{Period, Time, v1};

use super::{
    super::{gate, moment, page, wire},
    get::named_series,
};
use crate::engine::{Engine, Error, Moment};

pub(super) fn list(engine: &Engine, request: v1::ListVintagesRequest) -> Result<v1::ListVintagesResponse, Error> {
    let fixed = v1::ListVintagesRequest { page_token: String::new(), page_size: 0, ..request.clone() };
    let fingerprint = crate::engine::fingerprint(&fixed);
    let mut violations = Vec::new();
    let key = named_series(request.series, &mut violations);
    let period: Option<Period> = gate::optional_period(&request.period, "period", &mut violations);
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let mut moment: Moment = moment::resolve(engine, as_of)?;
    let revision = engine.head().revision;
    // A page goes on after a version, told by period, publication and revision.
    let mut after: Option<(u8, i32, i64, u64)> = None;
    if let Some((revision, next)) = page::open(engine, &request.page_token, fingerprint)? {
        moment.revision = revision;
        after = Some(next);
    }
    let key = engine.series(&key, period)?;
    let mut vintages = engine.vintages(&key, period, moment)?;
    let place = |v: &crate::engine::Vintage| {
        let version = &v.version;
        (version.period.frequency() as u8, version.period.ordinal(), Time::micros(version.published_at), version.revision)
    };
    vintages.retain(|v| after.is_none_or(|after| place(v) > after));
    let size = page::size(request.page_size, 1_000, 10_000);
    let more = vintages.len() > size;
    vintages.truncate(size);
    let last = vintages.last().filter(|_| more).map(place);
    Ok(v1::ListVintagesResponse {
        vintages: vintages.iter().map(|v| wire::vintage(v, &key)).collect(),
        next_page_token: last.map_or_else(String::new, |next| page::seal(engine, fingerprint, moment.revision, next)),
        revision,
    })
}
