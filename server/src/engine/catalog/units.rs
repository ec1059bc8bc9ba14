//! Units that are defined by others: whether the definitions hold.

use indicator_proto::v1::{EntryKind, ErrorReason, Unit, UnitKind};

use super::{EntryMessage as _, references::After, validate::Step};
use crate::engine::Violation;

/// Finds the units of a request whose definition does not hold, and those that would spoil the definition of another.
pub(super) fn check<'a>(after: &After<'a>, steps: &'a [Step], problems: &mut Vec<Violation>) {
    let units = || steps.iter().filter_map(|step| Some((step, Unit::of(step.entry.as_ref()?)?)));
    for (step, unit) in units() {
        for (field, description) in contradictions(after, unit) {
            problems.push(Violation::new(format!("{}.{field}", step.path), ErrorReason::InvalidEntry, description));
        }
    }
    // A unit that was not there defines no other; one that is as it was spoils nothing.
    let changed: Vec<_> =
        units().filter_map(|(step, unit)| Some((step, changed_field(after.before::<Unit>(&unit.id)?, unit)?))).collect();
    if changed.is_empty() {
        return;
    }
    for other in after.view.all::<Unit>().filter(|other| !after.changed.contains_key(&(EntryKind::Unit, other.id.as_str()))) {
        for (step, field) in &changed {
            if [&other.base_unit, &other.numerator, &other.denominator].contains(&&step.id)
                && let Some((_, description)) = contradictions(after, other).first()
            {
                let description = format!("the unit {:?} is defined by it: {description}; or change both together", other.id);
                problems.push(Violation::new(format!("{}.{field}", step.path), ErrorReason::InvalidEntry, description));
            }
        }
    }
}

/// The first field of a unit on which the definitions of others rest, and which differs.
pub(super) fn changed_field(before: &Unit, after: &Unit) -> Option<&'static str> {
    let fields = [
        ("kind", before.kind != after.kind),
        ("base_unit", before.base_unit != after.base_unit),
        ("factor", before.factor != after.factor),
        ("numerator", before.numerator != after.numerator),
        ("denominator", before.denominator != after.denominator),
    ];
    fields.into_iter().find(|(_, differs)| *differs).map(|(field, _)| field)
}

/// What contradicts the units by which a unit is defined, with the field. Those that are not there are told elsewhere.
fn contradictions(after: &After<'_>, unit: &Unit) -> Vec<(&'static str, String)> {
    let get = |id: &str| after.get::<Unit>(id);
    let mut found = Vec::new();
    if unit.base_unit == unit.id {
        found.push((
            "base_unit",
            "a unit is not defined by itself; name another one, or leave base_unit and factor out".to_owned(),
        ));
    } else if let Some(base) = get(&unit.base_unit) {
        if base.kind != unit.kind {
            let (kind, other) = (word(unit.kind()), word(base.kind()));
            found.push((
                "base_unit",
                format!("{:?} measures {other}, and this unit {kind}; name a unit of the same kind", base.id),
            ));
        }
        if !base.base_unit.is_empty() {
            let description =
                format!("{:?} is itself defined by {:?}; name that, with the factor to it", base.id, base.base_unit);
            found.push(("base_unit", description));
        }
    }
    for (field, id) in [("numerator", &unit.numerator), ("denominator", &unit.denominator)] {
        if let Some(part) = get(id)
            && matches!(part.kind(), UnitKind::Ratio | UnitKind::Rank)
        {
            let kind = word(part.kind());
            found.push((field, format!("{id:?} measures {kind}, of which no ratio is made; name a unit of another kind")));
        }
    }
    found
}

fn word(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Unspecified => "nothing that is known",
        UnitKind::Count => "a count",
        UnitKind::Currency => "money",
        UnitKind::Share => "a share",
        UnitKind::Index => "an index",
        UnitKind::Rank => "a rank",
        UnitKind::Physical => "a physical quantity",
        UnitKind::Ratio => "a ratio",
    }
}
