//! What a cell said from when on.

use indicator_proto::Time;

use super::{Axis, Vintage};

/// What a version did to its cell on the date from which it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The cell had no figure.
    Inserted,
    /// The cell had another figure.
    Revised,
    /// The cell had a figure, and has none any more.
    Withdrawn,
}

/// From a date on, a cell had this version.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Event<'a> {
    /// When, on the axis.
    pub(in crate::engine) date: Time,
    /// The version.
    pub(in crate::engine) vintage: &'a Vintage,
    /// What it did then. `None` if it says what had been said.
    pub(in crate::engine) effect: Option<Effect>,
}

/// The versions that a cell had along an axis, oldest first, at most one a date: what another one of the same date replaced was
/// never the last word of that date.
///
/// At any date, the last of those up to it is the version that a read as of that date gives.
pub(in crate::engine) fn timeline(cell: &[Vintage], axis: Axis) -> Vec<Event<'_>> {
    let mut events: Vec<Event<'_>> = Vec::new();
    for vintage in on_axis(cell, axis) {
        let date = date(vintage, axis);
        if events.last().is_some_and(|last| last.date == date) {
            events.pop();
        }
        let effect = effect(events.last().map(|last| last.vintage), vintage);
        events.push(Event { date, vintage, effect });
    }
    events
}

/// The versions of a cell that were the word on an axis, in that order.
///
/// On that of publication all were. What users of the service knew goes from one current version to the next: one that was filled in
/// behind a later one was never current.
pub(super) fn on_axis(cell: &[Vintage], axis: Axis) -> Vec<&Vintage> {
    let mut versions: Vec<&Vintage> = cell.iter().collect();
    if axis == Axis::Recorded {
        versions.sort_by_key(|v| v.version.revision);
        let mut current = None;
        versions.retain(|v| {
            let later = current.is_none_or(|rank| v.version.rank() > rank);
            if later {
                current = Some(v.version.rank());
            }
            later
        });
    }
    versions
}

fn date(vintage: &Vintage, axis: Axis) -> Time {
    match axis {
        Axis::Published => vintage.version.published_at,
        Axis::Recorded => vintage.version.recorded_at,
    }
}

fn effect(before: Option<&Vintage>, after: &Vintage) -> Option<Effect> {
    let after = &after.version.figure;
    match before.map(|v| &v.version.figure).filter(|figure| !figure.is_withdrawn()) {
        None => (!after.is_withdrawn()).then_some(Effect::Inserted),
        Some(_) if after.is_withdrawn() => Some(Effect::Withdrawn),
        Some(before) => (before != after).then_some(Effect::Revised),
    }
}
