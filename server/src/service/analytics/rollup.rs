use indicator_proto::v1::{self, EntryKind, ErrorReason};

use super::{
    super::{computed, moment},
    selection,
};
use crate::engine::{
    Engine, Error, Violation,
    analysis::{Combination, RolledUp, RollupQuery},
};

pub(super) fn roll_up(engine: &Engine, request: v1::RollupRequest) -> Result<v1::RollupResponse, Error> {
    let mut violations = Vec::new();
    let catalog = engine.catalog();
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    let catalog = catalog.at(moment::of_catalog(engine, as_of));
    let selection = selection::check(request.selection, catalog, &mut violations);
    if selection.regions.under.is_empty() {
        let description = "is empty; name the region that the figures are to be of";
        violations.push(Violation::new("selection.under", ErrorReason::Required, description));
    }
    let combination = combination(request.method, &mut violations);
    if !request.weight.is_empty() && catalog.indicator(&request.weight).is_none() {
        violations.push(Violation::unknown("weight", EntryKind::Indicator, &request.weight));
    }
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let moment = moment::resolve(engine, as_of)?;
    let query = RollupQuery { selection, combination, weight: request.weight };
    let rollup = engine.reading(moment).explaining(request.explain).rollup(&query)?;
    Ok(v1::RollupResponse {
        figures: rollup.figures.iter().map(|figure| rolled_up(figure, request.explain)).collect(),
        unit: rollup.unit.to_string(),
        revision: moment.revision,
    })
}

/// The method, if one is named.
fn combination(number: i32, violations: &mut Vec<Violation>) -> Option<Combination> {
    match v1::RegionAggregation::try_from(number) {
        Ok(v1::RegionAggregation::Unspecified) => None,
        Ok(v1::RegionAggregation::Sum) => Some(Combination::Sum),
        Ok(v1::RegionAggregation::Weighted) => Some(Combination::WeightedMean),
        Ok(v1::RegionAggregation::None) => {
            let description =
                "is REGION_AGGREGATION_NONE, which makes nothing; use REGION_AGGREGATION_SUM or REGION_AGGREGATION_WEIGHTED";
            violations.push(Violation::new("method", ErrorReason::ConflictingFields, description));
            None
        }
        Err(_) => {
            let description = format!("{number} is not a RegionAggregation");
            violations.push(Violation::new("method", ErrorReason::InvalidEnum, description));
            None
        }
    }
}

fn rolled_up(made: &RolledUp, explain: bool) -> v1::RolledUp {
    let told = |point| computed::observation(point, true, explain);
    let mixed = made.periods.len() > 1;
    v1::RolledUp {
        observation: Some(told(&made.figure)),
        missing_regions: made.missing.clone(),
        periods: if mixed { made.periods.iter().map(ToString::to_string).collect() } else { Vec::new() },
        sources: made.sources.iter().cloned().collect(),
        reported: made.reported.as_deref().map(told),
        difference: made.difference.as_ref().map(|difference| told(&difference.absolute)),
        difference_percent: made.difference.as_ref().map(|difference| told(&difference.percent)),
    }
}
