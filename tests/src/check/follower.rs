//! A client, simulated beside the record: what it holds and what it should hold.

use std::collections::BTreeSet;

use indicator_proto::{
    Digest, Period, SeriesKey,
    v1::{
        self, ChangeKind, CommitEvents, Observation, Progress, SnapshotChunk, WatchMode, WatchOpened, WatchOutcome,
        watch_response::Message,
    },
};

use super::{
    Failure,
    log::{Log, Version},
    reading::{Delivered, Held, Holdings, Item, What},
    recording::Stream,
    view::{Cell, State, View},
};

/// A client that takes one message after the other, and the record beside it.
pub(super) struct Follower<'a> {
    log: &'a Log,
    view: &'a View<'a>,
    mode: WatchMode,
    carried: Option<Holdings<'a>>,
    /// Which message comes next.
    pub(super) message: usize,
    /// What came so far.
    pub(super) items: Vec<Item<'a>>,
    /// What the client holds.
    pub(super) client: Holdings<'a>,
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
    /// A client that begins with what it carries over; without that, with what it would have.
    pub(super) fn new(log: &'a Log, view: &'a View<'a>, stream: &'a Stream, carried: Option<Holdings<'a>>) -> Self {
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

    /// Takes the next message.
    pub(super) fn take(&mut self, message: &'a Message) -> Result<(), Failure> {
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
