use indicator_proto::{
    Decimal,
    v1::{self, ErrorReason},
};

use super::super::{filter, moment, page, wire};
use crate::engine::{
    Cursor, Engine, Error, Violation,
    analysis::{Discrepancy, DiscrepancyQuery, Tolerance},
};

pub(super) fn list(engine: &Engine, request: v1::ListDiscrepanciesRequest) -> Result<v1::ListDiscrepanciesResponse, Error> {
    let fixed = v1::ListDiscrepanciesRequest { page_token: String::new(), page_size: 0, min_revision: 0, ..request.clone() };
    let fingerprint = crate::engine::fingerprint(&fixed);
    let mut violations = Vec::new();
    let tolerance = Tolerance {
        absolute: tolerance(&request.tolerance, "tolerance", &mut violations),
        percent: tolerance(&request.tolerance_percent, "tolerance_percent", &mut violations),
    };
    let filter = filter::check(request.filter, &mut violations);
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    violations.extend(filter.check(engine.catalog().at(engine.head().revision)));
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let mut moment = moment::resolve(engine, as_of)?;
    let mut after = None;
    if let Some((revision, cursor)) = page::open::<Cursor>(engine, &request.page_token, fingerprint)? {
        moment.revision = revision;
        after = Some(cursor);
    }
    let page_size = page::size(request.page_size, 100, 1_000);
    let query = DiscrepancyQuery { filter, tolerance, page_size, after };
    let (discrepancies, next) = engine.reading(moment).discrepancies(&query)?;
    let next_page_token = next.map(|cursor| page::seal(engine, fingerprint, moment.revision, cursor)).unwrap_or_default();
    let discrepancies = discrepancies.iter().map(discrepancy).collect();
    Ok(v1::ListDiscrepanciesResponse { discrepancies, next_page_token, revision: moment.revision })
}

fn tolerance(text: &str, field: &str, violations: &mut Vec<Violation>) -> Decimal {
    let zero = Decimal::from(0);
    match text.parse::<Decimal>() {
        _ if text.is_empty() => zero,
        Ok(tolerance) if !tolerance.is_negative() => tolerance,
        Ok(_) => {
            violations.push(Violation::new(field, ErrorReason::InvalidDecimal, "is below zero; nothing is closer than that"));
            zero
        }
        Err(error) => {
            violations.push(Violation::new(field, ErrorReason::InvalidDecimal, error.to_string()));
            zero
        }
    }
}

fn discrepancy(discrepancy: &Discrepancy) -> v1::Discrepancy {
    v1::Discrepancy {
        series: Some((&*discrepancy.key).into()),
        period: discrepancy.period.to_string(),
        sides: discrepancy.sides.iter().map(|(key, version)| wire::observation(version, Some((&**key).into()))).collect(),
        gap: discrepancy.gap.absolute.to_string(),
        gap_percent: discrepancy.gap.percent.to_string(),
    }
}
