//! A recorded stream, read beside the log: what the client holds after each message, and what it should hold.

use std::collections::{BTreeMap, BTreeSet};

use indicator_proto::{
    Digest, Period, SeriesKey,
    v1::{
        self, CatalogEntry, CellChange, ChangeKind, Changes, Closing, CommitEvents, Observation, Progress, Reset, SnapshotChunk,
        SnapshotEnd, WatchMode, WatchOpened, WatchOutcome, watch_response::Message,
    },
};

use super::{
    Failure,
    log::{Log, Version},
    recording::Stream,
    view::{Cell, State, Step, View},
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

struct Follower<'a> {
    log: &'a Log,
    view: &'a View<'a>,
    mode: WatchMode,
    carried: Option<Holdings<'a>>,
    message: usize,
    items: Vec<Item<'a>>,
    client: Holdings<'a>,
    record: State<'a>,
    /// The revision of `record`.
    at: u64,
    digest: Digest,
    differing: BTreeSet<Cell>,
    /// Withdrawals that the client must be told of.
    owed: BTreeSet<Cell>,
    in_snapshot: bool,
    /// Whether a difference comes first.
    delta: bool,
    observations: u64,
    /// Up to where the client has everything.
    since: u64,
    /// The last series that was looked up.
    last: Option<(&'a v1::SeriesKey, usize)>,
}

impl<'a> Follower<'a> {
    fn new(log: &'a Log, view: &'a View<'a>, stream: &'a Stream, carried: Option<Holdings<'a>>) -> Self {
        Self {
            log,
            view,
            mode: stream.request.mode(),
            carried,
            message: 0,
            items: Vec::new(),
            client: Holdings::new(),
            record: State::new(),
            at: 0,
            digest: Digest::default(),
            differing: BTreeSet::new(),
            owed: BTreeSet::new(),
            in_snapshot: false,
            delta: false,
            observations: 0,
            since: 0,
            last: None,
        }
    }

    fn push(&mut self, what: What<'a>) {
        self.items.push(Item { message: self.message, what });
    }

    fn take(&mut self, message: &'a Message) -> Result<(), Failure> {
        match message {
            Message::Opened(opened) => self.opened(opened),
            Message::Reset(reset) => {
                self.forget();
                self.push(What::Reset(reset));
            }
            Message::Snapshot(chunk) => self.snapshot(chunk)?,
            Message::SnapshotEnd(end) => {
                self.jump(end.revision);
                self.in_snapshot = false;
                self.since = end.revision;
                self.push(What::SnapshotEnd { end, observations: self.observations, differing: self.differing.first().copied() });
            }
            Message::Changes(changes) => {
                for event in &changes.events {
                    self.event(event)?;
                }
                if !changes.more {
                    self.since = changes.last_revision;
                }
                self.push(What::ChangesEnd { changes, differing: self.differing.first().copied() });
            }
            Message::Progress(progress) => self.progress(progress),
            Message::Closing(closing) => self.push(What::Closing(closing)),
        }
        Ok(())
    }

    fn opened(&mut self, opened: &'a WatchOpened) {
        self.since = opened.revision;
        self.delta = opened.outcome() == WatchOutcome::Delta;
        if opened.outcome() == WatchOutcome::Snapshot {
            self.forget();
        } else {
            let whole = |(cell, version): (&Cell, &&'a Version)| {
                (*cell, Held { place: version.place, observation: &version.observation })
            };
            let carried = self.carried.take();
            self.client = carried.unwrap_or_else(|| self.view.state(opened.revision).iter().map(whole).collect());
            self.jump(opened.revision);
        }
        self.push(What::Opened { opened, differing: self.differing.first().copied() });
    }

    fn forget(&mut self) {
        self.client.clear();
        self.differing.clear();
        self.owed.clear();
        self.in_snapshot = true;
        self.delta = false;
        self.observations = 0;
    }

    fn snapshot(&mut self, chunk: &'a SnapshotChunk) -> Result<(), Failure> {
        for entry in &chunk.entries {
            self.push(What::Entry(entry));
        }
        for series in &chunk.series {
            for observation in &series.observations {
                let (cell, held) = self.resolve(series.series.as_ref(), observation)?;
                let again = self.client.insert(cell, held).is_some();
                self.observations += 1;
                self.push(What::Figure { cell, again });
            }
        }
        Ok(())
    }

    fn resolve(&mut self, key: Option<&'a v1::SeriesKey>, observation: &'a Observation) -> Result<(Cell, Held<'a>), Failure> {
        let key = key.ok_or_else(|| Failure::new(self.message, format!("no series: {observation:?}")))?;
        let period: Period = observation.period.parse().map_err(|_| Failure::new(self.message, format!("{observation:?}")))?;
        let place = match self.last {
            Some((last, place)) if last == key => place,
            _ => {
                let place = self.log.place(&SeriesKey::from(key));
                place.ok_or_else(|| Failure::new(self.message, format!("a series that the log does not have: {key:?}")))?
            }
        };
        self.last = Some((key, place));
        Ok((self.view.cell(place, period), Held { place, observation }))
    }

    fn event(&mut self, event: &'a CommitEvents) -> Result<(), Failure> {
        let conflated = self.delta || self.mode == WatchMode::Latest;
        self.advance(event.revision, conflated);
        self.push(What::Event { event, conflated });
        for change in &event.changes {
            let observation = change.observation.as_ref();
            let observation = observation.ok_or_else(|| Failure::new(self.message, "a change without its observation"))?;
            let (cell, got) = self.resolve(observation.series.as_ref(), observation)?;
            let held = self.client.get(&cell).copied();
            self.push(What::Change(Delivered {
                revision: event.revision,
                conflated,
                cell,
                change,
                got,
                held,
                stored: self.record.get(&cell).copied(),
                step: self.view.step(event.revision, cell).copied(),
                since: self.since,
            }));
            match change.kind() {
                ChangeKind::Backfilled | ChangeKind::Unspecified => {}
                ChangeKind::Deleted | ChangeKind::Left => {
                    self.client.remove(&cell);
                    self.owed.remove(&cell);
                }
                ChangeKind::Inserted | ChangeKind::Revised | ChangeKind::Entered => drop(self.client.insert(cell, got)),
            }
            self.compare(cell);
        }
        Ok(())
    }

    fn progress(&mut self, progress: &'a Progress) {
        let in_snapshot = self.in_snapshot;
        if !in_snapshot {
            self.advance(progress.revision, self.delta || self.mode == WatchMode::Latest);
            self.delta = false;
            self.since = progress.revision;
        }
        let vanished = self.owed.iter().find(|cell| self.view.selects(progress.revision, **cell)).copied();
        self.owed.clear();
        let differing = self.differing.first().copied();
        self.push(What::Progress { progress, in_snapshot, differing, digest: self.digest, vanished });
    }

    /// The record moves on to a revision.
    fn advance(&mut self, revision: u64, conflated: bool) {
        // A stream that goes back is found elsewhere.
        while self.at < revision.min(self.log.head()) {
            self.at += 1;
            for step in self.view.steps(self.at) {
                match step.kind {
                    ChangeKind::Backfilled => continue,
                    ChangeKind::Deleted if conflated => drop(self.owed.insert(step.cell)),
                    _ => drop(self.owed.remove(&step.cell)),
                }
                if let Some(before) = self.record.get(&step.cell) {
                    self.digest.remove(before.hash);
                }
                step.apply(&mut self.record);
                if let Some(after) = self.record.get(&step.cell) {
                    self.digest.add(after.hash);
                }
                self.compare(step.cell);
            }
        }
    }

    /// The record is looked at as it was at a revision.
    fn jump(&mut self, revision: u64) {
        self.record = self.view.state(revision);
        self.at = revision;
        self.digest = Digest::default();
        self.record.values().for_each(|version| self.digest.add(version.hash));
        let cells: BTreeSet<Cell> = self.record.keys().chain(self.client.keys()).copied().collect();
        self.differing.clear();
        cells.into_iter().for_each(|cell| self.compare(cell));
    }

    fn compare(&mut self, cell: Cell) {
        let same = match (self.client.get(&cell), self.record.get(&cell)) {
            (Some(held), Some(version)) => held.is(version),
            (None, None) => true,
            _ => false,
        };
        if same {
            self.differing.remove(&cell)
        } else {
            self.differing.insert(cell)
        };
    }
}
