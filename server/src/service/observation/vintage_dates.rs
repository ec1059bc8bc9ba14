use indicator_proto::{Time, v1};

use super::{
    super::{moment, page, wire},
    get::named_series,
};
use crate::engine::{self, Engine, Error};

/// Dates in a page.
const MOST: u32 = 10_000;
const DEFAULT: u32 = 1_000;

pub(super) fn list(engine: &Engine, request: v1::ListVintageDatesRequest) -> Result<v1::ListVintageDatesResponse, Error> {
    let fixed = v1::ListVintageDatesRequest { page_token: String::new(), page_size: 0, ..request.clone() };
    let fingerprint = engine::fingerprint(&fixed);
    let mut violations = Vec::new();
    let mut key = named_series(request.series, &mut violations);
    let axis = moment::axis(request.axis, &mut violations);
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let mut moment = moment::resolve(engine, as_of)?;
    let mut after = None;
    if let Some((revision, (source, date))) = page::open::<(String, i64)>(engine, &request.page_token, fingerprint)? {
        moment.revision = revision;
        key.source = source;
        after = Some(date);
    }
    let key = engine.series(&key, None)?;
    let mut dates = engine.history(&key, moment)?.dates(axis);
    dates.retain(|date| after.is_none_or(|after| date.date.micros() > after));
    let size = page::size(request.page_size, DEFAULT, MOST);
    let more = dates.len() > size;
    dates.truncate(size);
    let last = dates.last().filter(|_| more).map(|date| Time::micros(date.date));
    let next = last.map(|last| page::seal(engine, fingerprint, moment.revision, (&key.source, last)));
    Ok(v1::ListVintageDatesResponse {
        dates: dates.iter().map(wire::vintage_date).collect(),
        next_page_token: next.unwrap_or_default(),
        series: Some(v1::SeriesKey::from(&*key)),
        revision: moment.revision,
    })
}
