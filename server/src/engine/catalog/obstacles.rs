//! What the record holds against a change: figures and other entries that rest on an entry.

use std::collections::BTreeMap;

use indicator_proto::v1::{Dimension, EntryKind, ErrorReason, Indicator};

use super::{
    Entry,
    references::{After, references},
    validate::Step,
};
use crate::engine::Violation;

/// What the recorded series use. A series counts as long as it has versions, and those are never removed.
pub trait Usage {
    /// Series of this region, source or indicator, broken down by this dimension, or with figures in this unit.
    fn series_of(&self, kind: EntryKind, id: &str) -> u64;
    /// Series with this code in this dimension.
    fn series_with_code(&self, dimension: &str, code: &str) -> u64;
    /// Series of this indicator that are broken down by this dimension.
    fn series_broken_down(&self, indicator: &str, dimension: &str) -> u64;
}

/// Finds what in the new version of an entry contradicts the recorded figures.
pub(super) fn check_revision(path: &str, before: &Entry, after: &Entry, usage: &dyn Usage, problems: &mut Vec<Violation>) {
    match (before, after) {
        (Entry::Indicator(before), Entry::Indicator(after)) => check_indicator(path, before, after, usage, problems),
        (Entry::Dimension(before), Entry::Dimension(after)) => check_dimension(path, before, after, usage, problems),
        _ => {}
    }
}

fn check_indicator(path: &str, before: &Indicator, after: &Indicator, usage: &dyn Usage, problems: &mut Vec<Violation>) {
    let series = usage.series_of(EntryKind::Indicator, &after.id);
    if series == 0 {
        return;
    }
    let mut fail = |field, description| {
        problems.push(Violation::new(format!("{path}.{field}"), ErrorReason::InvalidEntry, description));
    };
    if !after.formula.is_empty() {
        let remedy = "add another indicator with this formula";
        fail("formula", format!("{series} series have recorded figures, which one that is computed cannot have; {remedy}"));
    }
    if before.unit != after.unit {
        let (from, to) = (&before.unit, &after.unit);
        fail(
            "unit",
            format!("{series} series have figures in {from:?}, which {to:?} would turn into others; add another indicator"),
        );
    }
    for dimension in &after.dimensions {
        let without = series - usage.series_broken_down(&after.id, dimension).min(series);
        if !before.dimensions.contains(dimension) && without > 0 {
            let remedy = "make it optional, or add another indicator";
            fail("dimensions", format!("{without} series are not broken down by {dimension:?}; {remedy}"));
        }
    }
    for (field, list) in [("dimensions", &before.dimensions), ("optional_dimensions", &before.optional_dimensions)] {
        for dimension in list {
            let gone = !after.dimensions.contains(dimension) && !after.optional_dimensions.contains(dimension);
            let with = if gone { usage.series_broken_down(&after.id, dimension) } else { 0 };
            if with > 0 {
                fail(field, format!("{with} series are broken down by {dimension:?}; keep it, or add another indicator"));
            }
        }
    }
}

fn check_dimension(path: &str, before: &Dimension, after: &Dimension, usage: &dyn Usage, problems: &mut Vec<Violation>) {
    let gone = before.codes.iter().filter(|code| after.codes.iter().all(|kept| kept.id != code.id));
    for code in gone {
        let series = usage.series_with_code(&after.id, &code.id);
        if series > 0 {
            let description = format!("the code {:?} is in use by {series} series; keep it", code.id);
            problems.push(Violation::new(format!("{path}.codes"), ErrorReason::InvalidEntry, description));
        }
    }
}

/// Finds what stands against a request's deletes: figures, and entries that would be left without what they refer to.
pub(super) fn check_deletes<'a>(after: &After<'a>, deletes: &[&'a Step], usage: &dyn Usage) -> Vec<Violation> {
    let users = users(after, deletes);
    let mut obstacles = Vec::new();
    for Step { path, kind, id, .. } in deletes {
        let mut fail = |by: String| {
            let description = format!("the {} {id:?} is in use by {by}", kind.noun());
            obstacles.push(Violation::new(format!("{path}.id"), ErrorReason::EntryInUse, description));
        };
        let series = usage.series_of(*kind, id);
        if series > 0 {
            fail(format!("{series} series, whose history is kept; it stays"));
        }
        for (user, ids) in users.get(&(*kind, id.as_str())).into_iter().flatten() {
            fail(format!("{} {}; delete or change them too", user.noun(), excerpt(ids)));
        }
    }
    obstacles
}

/// Kind and ids of the entries that refer to an entry.
type Users<'a> = BTreeMap<EntryKind, Vec<&'a str>>;

/// The users of the entries to be deleted. Entries that the request changes are left out: their references are checked as such.
fn users<'a>(after: &After<'a>, deletes: &[&'a Step]) -> BTreeMap<(EntryKind, &'a str), Users<'a>> {
    let mut users: BTreeMap<_, Users<'_>> = deletes.iter().map(|step| ((step.kind, step.id.as_str()), Users::new())).collect();
    if users.is_empty() {
        return users;
    }
    for kind in [EntryKind::Region, EntryKind::Source, EntryKind::Unit, EntryKind::Indicator] {
        for entry in after.view.entries(kind).filter(|entry| !after.changed.contains_key(&(kind, entry.id()))) {
            for reference in references(entry) {
                if let Some(users) = users.get_mut(&(reference.kind, reference.id)) {
                    users.entry(kind).or_default().push(entry.id());
                }
            }
        }
    }
    users
}

/// The first of some ids, and how many more there are.
fn excerpt(ids: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = ids[..ids.len().min(SHOWN)].join(", ");
    if ids.len() > SHOWN { format!("{shown} and {} more", ids.len() - SHOWN) } else { shown }
}
