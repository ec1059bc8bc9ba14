use indicator_proto::{
    Time,
    v1::{self, ErrorReason},
};

use super::{
    super::{gate, moment, page, wire},
    get::named_series,
};
use crate::engine::{self, Engine, Error, VintagePlace, VintageQuery, VintageView, Violation};

/// Versions in a page.
const MOST: u32 = 10_000;
const DEFAULT: u32 = 1_000;

pub(super) fn list(engine: &Engine, request: v1::ListVintagesRequest) -> Result<v1::ListVintagesResponse, Error> {
    let fixed = v1::ListVintagesRequest { page_token: String::new(), page_size: 0, ..request.clone() };
    let fingerprint = engine::fingerprint(&fixed);
    let mut violations = Vec::new();
    let mut key = named_series(request.series.clone(), &mut violations);
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    let mut query = query(&request, &mut violations);
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let mut moment = moment::resolve(engine, as_of)?;
    // The pages are of one state and of one source, whichever is preferred by the time of the last.
    if let Some((revision, (source, after))) = page::open::<(String, VintagePlace)>(engine, &request.page_token, fingerprint)? {
        moment.revision = revision;
        key.source = source;
        query.after = Some(after);
    }
    let key = engine.series(&key, query.period)?;
    let page = engine.history(&key, moment)?.page(&query);
    let next = page.next.map(|next| page::seal(engine, fingerprint, moment.revision, (&key.source, next)));
    Ok(v1::ListVintagesResponse {
        vintages: page.shown.iter().map(|shown| wire::vintage(shown, &key)).collect(),
        next_page_token: next.unwrap_or_default(),
        revision: moment.revision,
    })
}

fn query(request: &v1::ListVintagesRequest, violations: &mut Vec<Violation>) -> VintageQuery {
    let query = VintageQuery {
        period: gate::optional_period(&request.period, "period", violations),
        view: view(request.view, violations),
        axis: moment::axis(request.axis, violations),
        from: gate::time(request.start_date.as_ref(), || "start_date".into(), violations),
        to: gate::time(request.end_date.as_ref(), || "end_date".into(), violations),
        after: None,
        limit: page::size(request.page_size, DEFAULT, MOST),
    };
    if !query.view.is_by_date() {
        for (field, _) in [("start_date", query.from), ("end_date", query.to)].into_iter().filter(|(_, date)| date.is_some()) {
            let description = "limits vintage dates, by which this view does not go; leave it out, or ask for \
                VINTAGE_VIEW_ALL_BY_VINTAGE or VINTAGE_VIEW_NEW_OR_REVISED";
            violations.push(Violation::new(field, ErrorReason::ConflictingFields, description));
        }
    }
    if let (Some(from), Some(to)) = (query.from, query.to)
        && from > to
    {
        violations.push(never(from, to));
    }
    query
}

fn never(from: Time, to: Time) -> Violation {
    let description = format!("{from} is after `end_date`, {to}, so that no vintage date lies between them; exchange them");
    Violation::new("start_date", ErrorReason::ConflictingFields, description)
}

fn view(number: i32, violations: &mut Vec<Violation>) -> VintageView {
    match v1::VintageView::try_from(number) {
        Ok(v1::VintageView::Unspecified | v1::VintageView::RealTimePeriods) => VintageView::RealTimePeriods,
        Ok(v1::VintageView::AllByVintage) => VintageView::AllByVintage,
        Ok(v1::VintageView::NewOrRevised) => VintageView::NewOrRevised,
        Ok(v1::VintageView::InitialRelease) => VintageView::InitialRelease,
        Err(_) => {
            let description = format!(
                "{number} is not a VintageView; use VINTAGE_VIEW_REAL_TIME_PERIODS, VINTAGE_VIEW_ALL_BY_VINTAGE, \
                VINTAGE_VIEW_NEW_OR_REVISED or VINTAGE_VIEW_INITIAL_RELEASE"
            );
            violations.push(Violation::new("view", ErrorReason::InvalidEnum, description));
            VintageView::default()
        }
    }
}
