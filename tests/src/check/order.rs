//! The order of revisions on a stream.

use std::collections::BTreeSet;

use super::{
    Failure, Outcome,
    reading::{Item, Reading, What},
};

/// Revisions never go back, neither those of events nor those of progress.
pub(super) fn revisions_never_go_back(reading: &Reading<'_>) -> Outcome {
    let mut last = 0;
    for Item { message, what } in &reading.items {
        let revision = match what {
            What::Opened { opened, .. } => opened.revision,
            What::SnapshotEnd { end, .. } => end.revision,
            What::Event { event, .. } => event.revision,
            What::Progress { progress, in_snapshot: false, .. } => progress.revision,
            _ => continue,
        };
        if revision < last {
            return Err(Failure::new(*message, format!("revision {revision} after {last}")));
        }
        last = revision;
    }
    Ok(())
}

/// No (revision, cell) twice, and no cell twice in a snapshot.
pub(super) fn no_cell_twice(reading: &Reading<'_>) -> Outcome {
    let mut seen = BTreeSet::new();
    for Item { message, what } in &reading.items {
        let (twice, cell) = match what {
            What::Change(change) => (!seen.insert((change.revision, change.cell)), change.cell),
            What::Figure { cell, again } => (*again, *cell),
            _ => continue,
        };
        if twice {
            return Err(Failure::new(*message, reading.show(cell)));
        }
    }
    Ok(())
}

/// A commit is never torn, or `more` says so: between its parts nothing else comes, and without `more` it is whole.
pub(super) fn commits_are_whole(reading: &Reading<'_>) -> Outcome {
    // The event that the last message was in, and whether it said that more comes.
    let mut last: Option<(u64, bool)> = None;
    let mut parts = Parts::default();
    for Item { message, what } in &reading.items {
        let failure = |what: String| Failure::new(*message, what);
        let owes = last.filter(|(_, more)| *more).map(|(revision, _)| revision);
        match what {
            What::Event { event, conflated } => {
                match (owes, last) {
                    (Some(owed), _) if owed != event.revision => {
                        return Err(failure(format!("event {} where more of {owed} was to come", event.revision)));
                    }
                    (None, Some((revision, _))) if revision == event.revision => {
                        return Err(failure(format!("event {revision} goes on, which nothing had said")));
                    }
                    _ => {}
                }
                if parts.revision != event.revision {
                    parts.check(reading).map_err(failure)?;
                    parts = Parts { revision: event.revision, conflated: *conflated, ..Parts::default() };
                }
                parts.cells += event.changes.len();
                parts.entries += event.catalog_changes.len();
                last = Some((event.revision, false));
            }
            What::Change(_) => {}
            What::ChangesEnd { changes, differing } => {
                last = Some((changes.last_revision, changes.more));
                if changes.more {
                    continue;
                }
                parts.check(reading).map_err(failure)?;
                if let Some(cell) = differing.filter(|_| parts.conflated) {
                    return Err(failure(format!("event {} is not all: {}", changes.last_revision, reading.show(cell))));
                }
            }
            other => {
                if let Some(owed) = owes {
                    return Err(failure(format!("{other:?} where more of {owed} was to come")));
                }
            }
        }
    }
    Ok(())
}

/// What has come of an event.
#[derive(Debug, Default)]
struct Parts {
    revision: u64,
    conflated: bool,
    cells: usize,
    entries: usize,
}

impl Parts {
    fn check(&self, reading: &Reading<'_>) -> Result<(), String> {
        if self.conflated || self.revision == 0 {
            return Ok(());
        }
        let cells = reading.view.steps(self.revision).len();
        let with_catalog = reading.stream.request.include_catalog;
        let entries = reading.log.commit(self.revision).map_or(0, |c| c.catalog_changes.len());
        let entries = if with_catalog { entries } else { 0 };
        if (self.cells, self.entries) == (cells, entries) {
            return Ok(());
        }
        let Self { revision, cells: came, entries: entries_came, .. } = self;
        Err(format!("of commit {revision} came {came} of {cells} changes and {entries_came} of {entries} entries"))
    }
}

/// After Progress P no event of P or before; nor after a snapshot of P, nor on a stream that goes on after P.
pub(super) fn nothing_behind_progress(reading: &Reading<'_>) -> Outcome {
    let mut floor = 0;
    for Item { message, what } in &reading.items {
        match what {
            What::Opened { opened, .. } => floor = opened.revision,
            What::SnapshotEnd { end, .. } => floor = floor.max(end.revision),
            What::Progress { progress, in_snapshot: false, .. } => floor = floor.max(progress.revision),
            What::Event { event, .. } if event.revision <= floor => {
                return Err(Failure::new(*message, format!("an event of {} after {floor} was passed", event.revision)));
            }
            _ => {}
        }
    }
    Ok(())
}
