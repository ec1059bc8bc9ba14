//! Several commits as one: per cell, what was before the first and what is after the last.

use std::collections::BTreeMap;

use crate::{
    engine::{PictureChange, Shift},
    store::Kind,
};

/// The changes of successive commits together, by place. Backfilled versions change no figure and are left out; a withdrawal is
/// told even where the figure came after the first commit.
pub(super) fn conflate<'a>(changes: impl IntoIterator<Item = &'a PictureChange>) -> Vec<PictureChange> {
    let mut cells: BTreeMap<_, PictureChange> = BTreeMap::new();
    for change in changes.into_iter().filter(|c| c.shift != Shift::Recorded(Kind::Backfilled)) {
        match cells.get_mut(&change.place) {
            None => drop(cells.insert(change.place, change.clone())),
            Some(first) => *first = together(first, change),
        }
    }
    cells.into_values().filter(|change| !is_nothing(change)).collect()
}

fn together(first: &PictureChange, last: &PictureChange) -> PictureChange {
    let shift = match (&first.previous, last.shift) {
        (_, gone @ (Shift::Left | Shift::Recorded(Kind::Deleted))) => gone,
        (Some(_), _) => Shift::Recorded(Kind::Revised),
        (None, _) if first.shift == Shift::Entered => Shift::Entered,
        (None, _) => Shift::Recorded(Kind::Inserted),
    };
    PictureChange { shift, previous: first.previous.clone(), ..last.clone() }
}

/// Whether the cell shows what it showed before: a figure that left came back as it was, or one that came left again.
fn is_nothing(change: &PictureChange) -> bool {
    if change.shift == Shift::Left {
        return change.previous.is_none();
    }
    let same = |(key, version): (&std::sync::Arc<_>, &crate::store::Version)| {
        // Whole: another formula makes another figure of the same versions.
        change.previous.as_ref().is_some_and(|(k, v)| k == key && **v == *version)
    };
    change.after().is_some_and(same)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use indicator_proto::{Bound, Period, SeriesKey, Statuses, Time};
    use proptest::prelude::*;

    use super::*;
    use crate::store::{Datum, Figure, Version};

    fn version(revision: u64, withdrawn: bool) -> Version {
        let datum = if withdrawn { Datum::Withdrawn } else { Datum::Value("1".parse().unwrap(), Bound::Exact) };
        let time = Time::from_micros(0).unwrap();
        Version {
            period: "2020".parse::<Period>().unwrap(),
            kind: Kind::Inserted,
            published_at: time,
            recorded_at: time,
            revision,
            figure: Figure { datum, statuses: Statuses::default(), details: None },
        }
    }

    /// What may happen next in cells that show these versions.
    fn changes(choices: &[(u32, u8)]) -> Vec<PictureChange> {
        let key = Arc::new(SeriesKey::default());
        let mut cells: BTreeMap<u32, (Option<Version>, Option<Version>)> = BTreeMap::new();
        let mut changes = Vec::new();
        for (revision, (place, choice)) in (1_u64..).zip(choices) {
            // What is shown, and what is recorded outside of the selection.
            let (shown, outside) = cells.entry(*place).or_default();
            let previous = shown.clone().map(|version| (Arc::clone(&key), Box::new(version)));
            let (shift, version) = match (choice % 5, shown.clone(), outside.clone()) {
                (0, Some(_), _) => (Shift::Recorded(Kind::Deleted), version(revision, true)),
                (1, Some(version), _) => (Shift::Left, version),
                (2, _, _) => (Shift::Recorded(Kind::Backfilled), version(revision, false)),
                (_, Some(_), _) => (Shift::Recorded(Kind::Revised), version(revision, false)),
                (_, None, Some(version)) => (Shift::Entered, version),
                (_, None, None) => (Shift::Recorded(Kind::Inserted), version(revision, false)),
            };
            let change = PictureChange { place: (*place, version.period), shift, key: Arc::clone(&key), version, previous };
            *outside = (shift == Shift::Left).then(|| change.version.clone());
            *shown = change.after().map(|(_, version)| version.clone());
            changes.push(change);
        }
        changes
    }

    fn applied<'a>(changes: impl IntoIterator<Item = &'a PictureChange>) -> BTreeMap<u32, u64> {
        let mut state = BTreeMap::new();
        for change in changes {
            match change.after() {
                Some((_, version)) => drop(state.insert(change.place.0, version.revision)),
                None => drop(state.remove(&change.place.0)),
            }
        }
        state
    }

    proptest! {
        #[test]
        fn together_they_lead_where_they_lead_one_by_one(
            choices in prop::collection::vec((0_u32..3, any::<u8>()), 0..30),
            from in any::<prop::sample::Index>(),
        ) {
            let all = changes(&choices);
            let (before, after) = all.split_at(if all.is_empty() { 0 } else { from.index(all.len()) });
            let together = conflate(after);
            prop_assert_eq!(applied(before.iter().chain(&together)), applied(&all));
            let state = applied(before);
            for change in &together {
                let previous = change.previous.as_ref().map(|(_, version)| version.revision);
                prop_assert_eq!(state.get(&change.place.0).copied(), previous, "what it replaced");
                prop_assert_ne!(change.shift, Shift::Recorded(Kind::Backfilled));
                prop_assert!(together.iter().filter(|c| c.place == change.place).count() == 1, "a cell comes once");
            }
            // Where the last thing that happened to a cell was a withdrawal, that is told, whatever was before.
            let mut last = BTreeMap::new();
            last.extend(after.iter().filter(|c| c.shift != Shift::Recorded(Kind::Backfilled)).map(|c| (c.place, c)));
            for withdrawn in last.into_values().filter(|c| c.shift == Shift::Recorded(Kind::Deleted)) {
                prop_assert!(together.iter().any(|c| c.place == withdrawn.place && c.shift == withdrawn.shift));
            }
        }
    }
}
