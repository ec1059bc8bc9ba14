use indicator_proto::{Decimal, v1};

use crate::{
    engine::{
        Engine, Error, Filter,
        analysis::{self, RevisedCell, RevisionStatistics},
    },
    service::{filter, moment, observation::named_series, wire},
};

pub(super) fn get(
    engine: &Engine,
    request: v1::GetRevisionStatisticsRequest,
) -> Result<v1::GetRevisionStatisticsResponse, Error> {
    let mut violations = Vec::new();
    let key = named_series(request.series, &mut violations);
    let (start, end) = filter::days(&request.start_period, &request.end_period, "", &mut violations);
    let frequency = filter::frequency(request.frequency, "frequency", &mut violations);
    let axis = moment::axis(request.axis, &mut violations);
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let moment = moment::resolve(engine, as_of)?;
    let key = engine.series(&key, None)?;
    let periods = Filter { start, end, frequency, ..Filter::default() };
    let revisions = analysis::revisions(&engine.history(&key, moment)?, axis, |period| periods.takes(period));
    let series = v1::SeriesKey::from(&*key);
    Ok(v1::GetRevisionStatisticsResponse {
        statistics: revisions.statistics.map(statistics),
        most_revised: revisions.most_revised.into_iter().map(|cell| revised(cell, &series)).collect(),
        series: Some(series),
        revision: moment.revision,
    })
}

fn statistics(statistics: RevisionStatistics) -> v1::RevisionStatistics {
    v1::RevisionStatistics {
        cells: count(statistics.cells),
        excluded: count(statistics.excluded),
        share_revised: decimal(statistics.share_revised),
        mean_revision: decimal(statistics.mean),
        mean_absolute_revision: decimal(statistics.mean_absolute),
        relative_mean_absolute_revision: decimal(statistics.relative_mean_absolute),
        standard_deviation: decimal(statistics.standard_deviation),
        least_revision: decimal(statistics.least),
        greatest_revision: decimal(statistics.greatest),
        share_upward: decimal(statistics.share_upward),
        median_days_to_latest: decimal(statistics.median_days_to_latest),
    }
}

fn revised(cell: RevisedCell, series: &v1::SeriesKey) -> v1::RevisedCell {
    let observation = |vintage: &crate::engine::Vintage| Some(wire::observation(&vintage.version, Some(series.clone())));
    v1::RevisedCell {
        first: observation(&cell.first),
        latest: observation(&cell.latest),
        revision: decimal(cell.revision),
        revision_percent: decimal(cell.percent),
        versions: count(cell.versions),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// What is not defined is an empty text.
fn decimal(decimal: Option<Decimal>) -> String {
    decimal.map_or_else(String::new, |decimal| decimal.to_string())
}
