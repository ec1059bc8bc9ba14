//! `ObservationFilter`, checked.

use indicator_proto::{
    Frequency, check_slug,
    v1::{self, ErrorReason},
};
use jiff::civil::Date;

use super::gate;
use crate::engine::{Filter, Sources, Violation};

/// The filter of a query or a watch. An absent one selects everything.
pub(super) fn check(filter: Option<v1::ObservationFilter>, violations: &mut Vec<Violation>) -> Filter {
    let filter = filter.unwrap_or_default();
    let sources = match (filter.sources.is_empty(), filter.all_sources) {
        (true, false) => Sources::Preferred,
        (true, true) => Sources::All,
        (false, all) => {
            if all {
                let description = "excludes `sources`; name sources, or ask for all";
                violations.push(Violation::new("filter.all_sources", ErrorReason::ConflictingFields, description));
            }
            Sources::Named(filter.sources.into_iter().collect())
        }
    };
    let (start, end) = days(&filter.start_period, &filter.end_period, "filter.", violations);
    check_level(&filter.region_level, "filter.region_level", violations);
    Filter {
        indicators: filter.indicators.into_iter().collect(),
        regions: filter.regions.into_iter().collect(),
        include_subregions: filter.include_subregions,
        region_level: filter.region_level,
        sources,
        dimensions: filter.dimensions,
        start,
        end,
        frequency: frequency(filter.frequency, "filter.frequency", violations),
    }
}

/// A level of regions; none is any. A watch keeps it, so it is no longer than one can be.
pub(super) fn check_level(level: &str, field: &str, violations: &mut Vec<Violation>) {
    if !level.is_empty()
        && let Err(error) = check_slug(level)
    {
        let description = format!("is no level that a region can have: {error}");
        violations.push(Violation::new(field, ErrorReason::InvalidId, description));
    }
}

/// The first and the last day that periods may have. `path` stands before the names of the fields.
pub(super) fn days(
    start_period: &str,
    end_period: &str,
    path: &str,
    violations: &mut Vec<Violation>,
) -> (Option<Date>, Option<Date>) {
    let field = format!("{path}start_period");
    let start = gate::optional_period(start_period, &field, violations).map(|p| p.start());
    let end = gate::optional_period(end_period, &format!("{path}end_period"), violations).map(|p| p.end());
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        let description = "begins after `end_period` ends, so that nothing can match; exchange them";
        violations.push(Violation::new(field, ErrorReason::ConflictingFields, description));
    }
    (start, end)
}

/// A frequency; none is any.
pub(super) fn frequency(number: i32, field: &str, violations: &mut Vec<Violation>) -> Option<Frequency> {
    match v1::Frequency::try_from(number) {
        Ok(v1::Frequency::Unspecified) => None,
        Ok(frequency) => Frequency::try_from(frequency).ok(),
        Err(_) => {
            let description = format!("{number} is not a Frequency");
            violations.push(Violation::new(field, ErrorReason::InvalidEnum, description));
            None
        }
    }
}
