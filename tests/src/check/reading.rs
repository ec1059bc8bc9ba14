//! A recorded stream, read beside the log: what the client holds after each message, and what it should hold.

use std::collections::{BTreeMap, BTreeSet};

use indicator_proto::{
    Digest,
    v1::{
        CatalogEntry, CellChange, ChangeKind, Changes, Closing, CommitEvents, Observation, Progress, Reset, SnapshotEnd,
        WatchOpened,
    },
};

use super::{
    Failure,
    follower::Follower,
    log::{Log, Version},
    recording::Stream,
    view::{Cell, Step, View},
};

/// A figure as a client got it.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// Its series, by order of creation.
    pub place: usize,
    /// The figure; its series is elsewhere.
    pub observation: &'a Observation,
}

impl Held<'_> {
    /// Whether it is a version of the log, in all that a watch tells.
    #[must_use]
    pub fn is(&self, version: &Version) -> bool {
        self.place == version.place && same_figure(self.observation, &version.observation)
    }
}

/// What a client holds.
pub type Holdings<'a> = BTreeMap<Cell, Held<'a>>;

/// Equal in all but the series, and what only queries for the preferred source tell.
#[must_use]
pub fn same_figure(a: &Observation, b: &Observation) -> bool {
    (a.revision, &a.value, &a.period) == (b.revision, &b.value, &b.period)
        && (a.bound, &a.interval, a.missing, a.deleted) == (b.bound, &b.interval, b.missing, b.deleted)
        && (&a.statuses, &a.rounded_to, &a.equivalents) == (&b.statuses, &b.rounded_to, &b.equivalents)
        && (&a.original_text, &a.note, &a.document_uri) == (&b.original_text, &b.note, &b.document_uri)
        && (a.published_at, a.recorded_at) == (b.published_at, b.recorded_at)
}

/// A part of a recorded stream.
#[derive(Debug)]
pub struct Item<'a> {
    /// Which message it is of.
    pub message: usize,
    /// What it is.
    pub what: What<'a>,
}

/// What a part of a stream is.
#[derive(Debug)]
pub enum What<'a> {
    /// The first message.
    Opened {
        /// It.
        opened: &'a WatchOpened,
        /// A cell of which the client goes on with another figure than the record had at that revision.
        differing: Option<Cell>,
    },
    /// The client forgets all.
    Reset(&'a Reset),
    /// An entry of a snapshot.
    Entry(&'a CatalogEntry),
    /// A figure of a snapshot.
    Figure {
        /// Its cell.
        cell: Cell,
        /// Whether the snapshot had it already.
        again: bool,
    },
    /// A snapshot is complete.
    SnapshotEnd {
        /// It.
        end: &'a SnapshotEnd,
        /// How many figures came.
        observations: u64,
        /// A cell of which it shows another figure than the record had.
        differing: Option<Cell>,
    },
    /// The changes of a commit begin, or those of several together.
    Event {
        /// They.
        event: &'a CommitEvents,
        /// Whether it may stand for several commits.
        conflated: bool,
    },
    /// A change.
    Change(Delivered<'a>),
    /// The end of a message of changes.
    ChangesEnd {
        /// It.
        changes: &'a Changes,
        /// A cell of which the client holds another figure than the record had at the last revision.
        differing: Option<Cell>,
    },
    /// How far the stream is.
    Progress {
        /// It.
        progress: &'a Progress,
        /// Whether a snapshot is incomplete, so that it says nothing of the state.
        in_snapshot: bool,
        /// A cell of which the client holds another figure than the record had.
        differing: Option<Cell>,
        /// The digest of what the record had.
        digest: Digest,
        /// A cell whose withdrawal the client was not told.
        vanished: Option<Cell>,
    },
    /// The server ends the stream.
    Closing(&'a Closing),
}

/// A change as it came, and what it meant.
#[derive(Debug, Clone, Copy)]
pub struct Delivered<'a> {
    /// The revision of its event.
    pub revision: u64,
    /// Whether the event may stand for several commits.
    pub conflated: bool,
    /// Its cell.
    pub cell: Cell,
    /// As it came.
    pub change: &'a CellChange,
    /// Its version.
    pub got: Held<'a>,
    /// What the client held.
    pub held: Option<Held<'a>>,
    /// What the record shows at the event's revision.
    pub stored: Option<&'a Version>,
    /// What that commit does to the cell.
    pub step: Option<Step<'a>>,
    /// Up to where the client had everything before the event.
    pub since: u64,
}

impl Delivered<'_> {
    /// Whether the view selects it at the event's revision, or not any more if it left. Where an event stands for several commits, also
    /// a withdrawal before the region left, and a departure after which the region came back without the figure.
    #[must_use]
    pub fn matches(&self, view: &View<'_>) -> bool {
        let kind = self.change.kind();
        let did = |revision| view.step(revision, self.cell).is_some_and(|step| step.kind == kind);
        let earlier = || self.conflated && (self.since + 1..self.revision).any(did);
        match kind {
            ChangeKind::Left => !view.selects(self.revision, self.cell) || earlier(),
            ChangeKind::Deleted => view.selects(self.revision, self.cell) || earlier(),
            _ => view.selects(self.revision, self.cell),
        }
    }
}

/// A recorded stream, read.
#[derive(Debug)]
pub struct Reading<'a> {
    /// The log.
    pub log: &'a Log,
    /// What the stream should show.
    pub view: &'a View<'a>,
    /// As it was recorded.
    pub stream: &'a Stream,
    /// The earlier stream that it goes on from.
    pub before: Option<&'a Stream>,
    /// Its parts.
    pub items: Vec<Item<'a>>,
    /// What the client held after those messages that a later stream goes on from.
    pub holdings: BTreeMap<usize, Holdings<'a>>,
}

impl<'a> Reading<'a> {
    /// Reads a stream. The client begins with what it carries over; without that, with what it would have.
    ///
    /// # Errors
    ///
    /// Where a message cannot be understood at all.
    pub fn new(
        log: &'a Log,
        view: &'a View<'a>,
        stream: &'a Stream,
        carried: Option<(&'a Stream, Holdings<'a>)>,
        wanted: &BTreeSet<usize>,
    ) -> Result<Self, Failure> {
        let (before, carried) = carried.unzip();
        let mut follower = Follower::new(log, view, stream, carried);
        let mut holdings = BTreeMap::new();
        for (number, message) in stream.messages.iter().enumerate() {
            follower.message = number;
            let message = message.message.as_ref().ok_or_else(|| Failure::new(number, "a message carries nothing"))?;
            follower.take(message)?;
            if wanted.contains(&number) {
                holdings.insert(number, follower.client.clone());
            }
        }
        Ok(Self { log, view, stream, before, items: follower.items, holdings })
    }

    /// A cell, for people.
    #[must_use]
    pub fn show(&self, (place, period): Cell) -> String {
        format!("{} in {period}", self.log.series()[place])
    }
}
