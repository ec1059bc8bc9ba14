//! Events into states, and what the states differ in.

use std::{cmp::Ordering, sync::Arc};

use indicator_proto::{
    SeriesKey, cell_hash,
    v1::{CellChange, ChangeKind, CommitEvents, Observation, SeriesObservations},
};

use super::{Cell, Figures};
use crate::WatchEvent;

/// A figure that is another one now.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewChange {
    /// The state that the change led to.
    pub revision: u64,
    /// Which cell.
    pub cell: Cell,
    /// The figure before. `None` if there was none.
    pub old: Option<Arc<Observation>>,
    /// The figure now. `None` if it was withdrawn, or has left what the filter selects.
    pub new: Option<Arc<Observation>>,
}

/// Gathers snapshots, and says what each event means for the figures that are seen.
#[derive(Debug)]
pub(super) struct Reader {
    preferred: bool,
    epoch: String,
    /// A snapshot that is not complete.
    coming: Option<Figures>,
}

/// What to do with the figures that are seen.
#[derive(Debug)]
pub(super) enum Update {
    /// Nothing.
    Keep,
    /// They are void: others are on their way.
    Void,
    /// They are the state of a later revision too.
    Reach(u64),
    /// They change.
    Commit(CommitEvents),
    /// Others take their place; that is what they differ in.
    Swap(Figures, Vec<ViewChange>),
}

impl Reader {
    pub(super) fn new(preferred: bool) -> Self {
        Self { preferred, epoch: String::new(), coming: None }
    }

    /// What an event means. `seen` are the figures that are seen.
    pub(super) fn read(&mut self, event: WatchEvent, seen: impl FnOnce() -> Option<Figures>) -> Update {
        match event {
            WatchEvent::Opened { epoch, .. } => self.epoch = epoch,
            WatchEvent::Reset { .. } => {
                self.coming = None;
                return Update::Void;
            }
            WatchEvent::Snapshot(series) => self.add(series),
            WatchEvent::SnapshotEnd { revision, .. } => {
                let mut new = self.coming.take().unwrap_or_else(|| Figures::new(&self.epoch));
                new.reach(revision);
                let changes = differences(&seen().unwrap_or_default(), &new);
                return Update::Swap(new, changes);
            }
            WatchEvent::Commit(commit) => return Update::Commit(commit),
            WatchEvent::Progress { revision, .. } => return Update::Reach(revision),
            WatchEvent::Connecting { .. } | WatchEvent::SnapshotEntry(_) | WatchEvent::Live | WatchEvent::Diverged { .. } => {}
        }
        Update::Keep
    }

    fn add(&mut self, chunk: SeriesObservations) {
        let coming = self.coming.get_or_insert_with(|| Figures::new(&self.epoch));
        let Some(key) = chunk.series else { return };
        let series = cell_series(&key, self.preferred);
        for mut observation in chunk.observations {
            observation.series = Some(key.clone());
            coming.put(series.clone(), observation.period.clone(), Arc::new(observation));
        }
    }

    /// Applies a commit, and says what it has changed.
    pub(super) fn follow(&self, seen: &mut Figures, commit: CommitEvents) -> Vec<ViewChange> {
        let revision = commit.revision;
        seen.reach(revision);
        let changes = commit.changes.into_iter();
        changes.filter_map(|change| self.follow_one(seen, change, revision)).collect()
    }

    fn follow_one(&self, seen: &mut Figures, change: CellChange, revision: u64) -> Option<ViewChange> {
        let kind = change.kind();
        let observation = change.observation?;
        let series = cell_series(observation.series.as_ref()?, self.preferred);
        let period = observation.period.clone();
        let (old, new) = match kind {
            // The current figure stays.
            ChangeKind::Backfilled => return None,
            _ if observation.deleted => (seen.take(&series, &period), None),
            ChangeKind::Deleted | ChangeKind::Left => (seen.take(&series, &period), None),
            // Also a kind of tomorrow that carries a figure.
            ChangeKind::Unspecified | ChangeKind::Inserted | ChangeKind::Revised | ChangeKind::Entered => {
                let new = Arc::new(observation);
                (seen.put(series.clone(), period.clone(), new.clone()), Some(new))
            }
        };
        differ(old.as_ref(), new.as_ref()).then_some(ViewChange { revision, cell: Cell { series, period }, old, new })
    }
}

/// The series of a cell: where one source is preferred, whichever it is.
fn cell_series(key: &indicator_proto::v1::SeriesKey, preferred: bool) -> SeriesKey {
    let series = SeriesKey::from(key);
    if preferred { SeriesKey { source: String::new(), ..series } } else { series }
}

/// Whether somebody who looks at the figure sees another one. When it was recorded, and under which revision, is no difference.
fn differ(old: Option<&Arc<Observation>>, new: Option<&Arc<Observation>>) -> bool {
    let hash = |figure: &Observation| cell_hash(figure.series.as_ref().unwrap_or(&Default::default()), figure);
    match (old, new) {
        (None, None) => false,
        (Some(old), Some(new)) => old != new && hash(old) != hash(new),
        _ => true,
    }
}

/// What leads from one state to another.
fn differences(old: &Figures, new: &Figures) -> Vec<ViewChange> {
    let revision = new.revision();
    let (mut before, mut after) = (old.iter().peekable(), new.iter().peekable());
    let mut changes = Vec::new();
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return changes,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((old_series, old_period, _)), Some((series, period, _))) => (old_series, old_period).cmp(&(series, period)),
        };
        let was = if order.is_le() { before.next() } else { None };
        let is = if order.is_ge() { after.next() } else { None };
        let (old, new) = (was.map(|(.., figure)| figure), is.map(|(.., figure)| figure));
        if let Some((series, period, _)) = was.or(is)
            && differ(old, new)
        {
            let cell = Cell { series: series.clone(), period: period.to_owned() };
            changes.push(ViewChange { revision, cell, old: old.cloned(), new: new.cloned() });
        }
    }
}
