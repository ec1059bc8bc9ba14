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

/// Whether the cell shows what it showed before: a figure that left came back as it was.
fn is_nothing(change: &PictureChange) -> bool {
    let same = |(key, version): (&std::sync::Arc<_>, &crate::store::Version)| {
        change.previous.as_ref().is_some_and(|(k, v)| k == key && v.revision == version.revision)
    };
    change.after().is_some_and(same)
}
