use indicator_proto::v1::{self, ErrorReason};

use super::super::{computed, gate, moment};
use crate::engine::{
    Engine, Error, Sources, Violation,
    analysis::{CompareColumn, CompareQuery, CompareRow, Regions, Rows},
};

/// Columns of one table.
const MOST_COLUMNS: usize = 100;

/// Cells of one table.
const MOST_CELLS: usize = 100_000;

pub(super) fn compare(engine: &Engine, request: v1::CompareRequest) -> Result<v1::CompareResponse, Error> {
    let mut violations = Vec::new();
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    let explain = request.explain;
    let query = check(request, &mut violations);
    violations.extend(query.check(engine.catalog().at(moment::of_catalog(engine, as_of))));
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let moment = moment::resolve(engine, as_of)?;
    let table = engine.reading(moment).explaining(explain).compare(&query, MOST_CELLS)?;
    Ok(v1::CompareResponse {
        columns: table.columns.iter().map(column).collect(),
        rows: table.rows.iter().map(|it| row(it, explain)).collect(),
        revision: moment.revision,
    })
}

pub(super) fn check(request: v1::CompareRequest, violations: &mut Vec<Violation>) -> CompareQuery {
    let mut refuse = |field, reason, description: String| violations.push(Violation::new(field, reason, description));
    match request.indicators.len() {
        0 => refuse("indicators", ErrorReason::Required, "is empty; name at least one".to_owned()),
        1..=MOST_COLUMNS => {}
        many => {
            let description = format!("has {many} columns, {MOST_COLUMNS} are allowed; ask in parts");
            refuse("indicators", ErrorReason::RequestTooLarge, description);
        }
    }
    let regions = Regions { level: request.level, under: request.under };
    if !request.regions.is_empty() && regions != Regions::default() {
        let description = "names the rows, which excludes `level` and `under`; leave out one or the other".to_owned();
        refuse("regions", ErrorReason::ConflictingFields, description);
    }
    CompareQuery {
        rows: if request.regions.is_empty() { Rows::Selected(regions) } else { Rows::Named(request.regions) },
        indicators: request.indicators,
        dimensions: request.dimensions,
        sources: match request.sources.is_empty() {
            true => Sources::Preferred,
            false => Sources::Named(request.sources.into_iter().collect()),
        },
        period: gate::optional_period(&request.period, "period", violations),
    }
}

fn column(column: &CompareColumn) -> v1::CompareColumn {
    v1::CompareColumn {
        indicator: column.indicator.clone(),
        unit: column.unit.clone(),
        periods: column.periods.iter().map(ToString::to_string).collect(),
        sources: column.sources.iter().cloned().collect(),
        coverage: Some(computed::coverage(column.coverage)),
    }
}

fn row(row: &CompareRow, explain: bool) -> v1::CompareRow {
    let cell = |point: &Option<_>| v1::CompareCell {
        observation: point.as_deref().map(|point| computed::observation(point, true, explain)),
    };
    v1::CompareRow { region: row.region.clone(), cells: row.cells.iter().map(cell).collect() }
}
