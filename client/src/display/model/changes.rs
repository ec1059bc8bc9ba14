//! What has changed since the display was opened, and who did it and why.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use indicator_client::view::{Cell, ViewChange};
use indicator_proto::{
    Time,
    v1::{ChangeKind, Commit, Observation},
};

/// As many are kept.
const KEPT: usize = 500;

/// Changes, newest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    entries: VecDeque<Entry>,
    commits: BTreeMap<u64, Commit>,
    /// Changes that came too fast to be listed one by one.
    pub(crate) unlisted: u64,
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// The commit that made the figure what it is.
    pub(crate) revision: u64,
    /// Where.
    pub(crate) cell: Cell,
    /// The figure before.
    pub(crate) old: Option<Arc<Observation>>,
    /// The figure now.
    pub(crate) new: Option<Arc<Observation>>,
    /// When it was recorded, or heard of where that is not known.
    pub(crate) at: Time,
}

impl Entry {
    /// What happened to the cell.
    pub(crate) fn kind(&self) -> ChangeKind {
        match (&self.old, &self.new) {
            (None, _) => ChangeKind::Inserted,
            (_, Some(_)) => ChangeKind::Revised,
            (_, None) => ChangeKind::Deleted,
        }
    }
}

impl Changes {
    /// Adds one.
    pub(crate) fn add(&mut self, change: ViewChange, now: Time) {
        let recorded = change.new.as_ref().and_then(|new| Time::try_from(new.recorded_at.as_ref()?).ok());
        // A delivery may stand for several commits; the figure says which one was its own.
        let revision = change.new.as_ref().map_or(change.revision, |new| new.revision);
        let ViewChange { cell, old, new, .. } = change;
        self.entries.push_front(Entry { revision, cell, old, new, at: recorded.unwrap_or(now) });
        self.entries.truncate(KEPT);
        // Of commits, only those that something is shown of.
        if let Some(oldest) = self.entries.iter().map(|entry| entry.revision).min() {
            self.commits = self.commits.split_off(&oldest);
        }
    }

    /// All of them, newest first.
    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Learns who made commits, and why.
    pub(crate) fn learn(&mut self, commits: Vec<Commit>) {
        self.commits.extend(commits.into_iter().map(|commit| (commit.revision, commit)));
    }

    /// Who made a commit, and why.
    pub(crate) fn commit(&self, revision: u64) -> Option<&Commit> {
        self.commits.get(&revision)
    }

    /// The newest commit of which that is not known yet.
    pub(crate) fn unknown(&self) -> Option<u64> {
        self.entries.iter().map(|entry| entry.revision).find(|revision| !self.commits.contains_key(revision))
    }
}
