//! `RegionSelection`, checked.

use indicator_proto::v1::{self, ErrorReason};

use super::super::{filter, gate, transform};
use crate::engine::{
    Sources, Violation,
    analysis::{Periods, RegionSelection, Regions},
    catalog::View,
};

/// The selection of a request.
pub(super) fn check(
    selection: Option<v1::RegionSelection>,
    catalog: View<'_>,
    violations: &mut Vec<Violation>,
) -> RegionSelection {
    let Some(selection) = selection else {
        let description = "is absent; say which figures of which regions";
        violations.push(Violation::new("selection", ErrorReason::Required, description));
        return RegionSelection::default();
    };
    let periods = periods(&selection, violations);
    let before = violations.len();
    let steps = transform::check(&selection.transforms, "selection.transforms", violations);
    // Steps are named by their place: without one that is wrong, the others would be called by the names of their neighbours.
    let steps = if violations.len() == before { steps } else { Vec::new() };
    let sources = match selection.sources.is_empty() {
        true => Sources::Preferred,
        false => Sources::Named(selection.sources.into_iter().collect()),
    };
    filter::check_level(&selection.level, "selection.level", violations);
    let selection = RegionSelection {
        indicator: selection.indicator,
        regions: Regions { level: selection.level, under: selection.under },
        dimensions: selection.dimensions,
        sources,
        periods,
        steps,
    };
    violations.extend(selection.check(catalog));
    selection
}

fn periods(selection: &v1::RegionSelection, violations: &mut Vec<Violation>) -> Periods {
    let period = gate::optional_period(&selection.period, "selection.period", violations);
    let start = gate::optional_period(&selection.start_period, "selection.start_period", violations).map(|p| p.start());
    let end = gate::optional_period(&selection.end_period, "selection.end_period", violations).map(|p| p.end());
    let frequency = filter::frequency(selection.frequency, "selection.frequency", violations);
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        let description = "begins after `end_period` ends, so that nothing can match; exchange them";
        violations.push(Violation::new("selection.start_period", ErrorReason::ConflictingFields, description));
    }
    let limits = [
        ("start_period", !selection.start_period.is_empty()),
        ("end_period", !selection.end_period.is_empty()),
        ("frequency", selection.frequency != 0),
    ];
    let limits: Vec<&str> = limits.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect();
    if !selection.period.is_empty() && !limits.is_empty() {
        let description = format!("is one period, which excludes `{}`; leave out one or the other", limits.join("`, `"));
        violations.push(Violation::new("selection.period", ErrorReason::ConflictingFields, description));
    }
    match period {
        Some(period) => Periods::One(period),
        None if limits.is_empty() => Periods::Latest,
        None => Periods::Within { start, end, frequency },
    }
}
