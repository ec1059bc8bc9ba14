use indicator_proto::v1::{self, EntryKind, ErrorReason};

use super::{
    super::{computed, moment},
    selection,
};
use crate::engine::{
    Engine, Error, Violation,
    analysis::{RankQuery, RankRow, Ranking},
};

pub(super) fn rank(engine: &Engine, request: v1::RankRequest) -> Result<v1::RankResponse, Error> {
    let mut violations = Vec::new();
    let catalog = engine.catalog();
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    let view = catalog.at(moment::of_catalog(engine, as_of));
    let selection = selection::check(request.selection, view, &mut violations);
    // Of a selection that is wrong, no region is one.
    let sound = violations.is_empty();
    for region in &request.regions {
        let field = format!("regions[{region:?}]");
        if view.region(region).is_none() {
            violations.push(Violation::unknown(field, EntryKind::Region, region));
        } else if sound && !selection.regions.has(view, region) {
            let description = "is not one of the regions that the selection ranks; leave it out, or select its level";
            violations.push(Violation::new(field, ErrorReason::ConflictingFields, description));
        }
    }
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let moment = moment::resolve(engine, as_of)?;
    let query = RankQuery { selection, least_first: request.least_first };
    let rankings = engine.reading(moment).explaining(request.explain).rank(&query)?;
    let told = |region: &str| request.regions.is_empty() || request.regions.iter().any(|id| id == region);
    Ok(v1::RankResponse {
        rankings: rankings.iter().map(|ranking| message(ranking, told, request.explain)).collect(),
        revision: moment.revision,
    })
}

/// A ranking, with the rows of the regions that are asked for.
pub(super) fn message(ranking: &Ranking, told: impl Fn(&str) -> bool, explain: bool) -> v1::Ranking {
    v1::Ranking {
        period: ranking.period.map(|period| period.to_string()).unwrap_or_default(),
        rows: ranking.rows.iter().filter(|row| told(row.region())).map(|row| self::row(row, explain)).collect(),
        ranked: ranking.rows.len() as u32,
        unranked_regions: ranking.unranked.clone(),
        mixed_periods: ranking.periods.len() > 1,
        mixed_sources: ranking.sources.len() > 1,
        unit: ranking.unit.to_string(),
    }
}

/// The place of a region.
pub(super) fn row(row: &RankRow, explain: bool) -> v1::RankRow {
    v1::RankRow {
        region: row.region().to_owned(),
        rank_from: row.rank.0,
        rank_to: row.rank.1,
        tied: row.tied,
        percentile_from: row.percentile.0.to_string(),
        percentile_to: row.percentile.1.to_string(),
        observation: Some(computed::observation(&row.point, true, explain)),
    }
}
