//! Reads a watch, and checks on the way what holds on every stream.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use indicator_proto::{
    Period, SeriesKey,
    v1::{
        CatalogChange, CellChange, ChangeKind, Changes, Closing, Commit, Observation, Progress, SnapshotChunk, WatchOpened,
        WatchOutcome, WatchRequest, WatchResponse, watch_request::Start, watch_response::Message,
    },
};
use tokio::time::timeout;
use tonic::Streaming;

use crate::{LONG, assert_same, client::Client, figures::content, refusal::Refusal};

type Cell = (SeriesKey, Period);

/// A watch and everything it has said.
#[derive(Debug)]
pub struct Transcript {
    stream: Streaming<WatchResponse>,
    /// First message.
    pub opened: WatchOpened,
    /// What the client holds: the snapshot with the changes applied.
    pub state: BTreeMap<Cell, Observation>,
    /// Every change, with its commit.
    pub events: Vec<(u64, CellChange)>,
    /// Every change of the catalog, with its commit.
    pub catalog_changes: Vec<(u64, CatalogChange)>,
    /// How many messages said that their commit goes on in the next.
    pub torn: u32,
    /// The last progress.
    pub progress: Option<Progress>,
    /// The last message, if the server ended the stream.
    pub closing: Option<Closing>,
    /// Whether the whole state is known, so that each change must fit it.
    complete: bool,
    /// The commit that the last message left unfinished.
    unfinished: Option<u64>,
    /// No event of this revision or before may follow.
    floor: u64,
    seen: BTreeSet<(u64, Cell)>,
}

/// A request that watches everything from its snapshot on, with progress ten times a second and previous versions.
#[must_use]
pub fn everything() -> WatchRequest {
    WatchRequest {
        progress_interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
        include_previous: true,
        ..WatchRequest::default()
    }
}

/// [`everything`], after a revision.
#[must_use]
pub fn after(revision: u64) -> WatchRequest {
    WatchRequest { start: Some(Start::AfterRevision(revision)), ..everything() }
}

/// The same watch, after a token.
#[must_use]
pub fn resumed(request: &WatchRequest, token: &str) -> WatchRequest {
    WatchRequest { start: Some(Start::ResumeToken(token.to_owned())), ..request.clone() }
}

impl Transcript {
    /// Opens a watch and reads its snapshot, if it has one.
    pub async fn open(client: &Client, request: WatchRequest) -> Result<Self, Refusal> {
        let from_snapshot = matches!(request.start, None | Some(Start::Snapshot(_)));
        let from_the_beginning = matches!(request.start, Some(Start::AfterRevision(0)));
        let mut stream = client.watch(request).await?;
        let opened = match timeout(LONG, stream.message()).await.expect("the stream opens")? {
            Some(WatchResponse { message: Some(Message::Opened(opened)) }) => opened,
            other => panic!("Opened comes first, not {other:?}"),
        };
        let snapshot = opened.outcome() == WatchOutcome::Snapshot;
        assert_eq!(snapshot, from_snapshot, "{opened:?}");
        let mut transcript = Self {
            stream,
            floor: opened.revision,
            opened,
            state: BTreeMap::new(),
            events: Vec::new(),
            catalog_changes: Vec::new(),
            torn: 0,
            progress: None,
            closing: None,
            complete: from_snapshot || from_the_beginning,
            unfinished: None,
            seen: BTreeSet::new(),
        };
        if snapshot {
            transcript.read_snapshot().await?;
        }
        Ok(transcript)
    }

    async fn read_snapshot(&mut self) -> Result<(), Refusal> {
        loop {
            match self.receive().await?.expect("a snapshot has an end") {
                Message::Snapshot(chunk) => self.take_snapshot(chunk),
                Message::SnapshotEnd(end) => {
                    assert_eq!(end.revision, self.opened.revision);
                    assert_eq!(end.observations, self.state.len() as u64, "observations of the snapshot");
                    return Ok(());
                }
                other => panic!("within a snapshot: {other:?}"),
            }
        }
    }

    fn take_snapshot(&mut self, chunk: SnapshotChunk) {
        for series in chunk.series {
            let key = series.series.unwrap();
            for observation in series.observations {
                assert!(!observation.deleted && observation.revision <= self.opened.revision, "{observation:?}");
                let cell = (SeriesKey::from(&key), observation.period.parse().unwrap());
                assert!(self.state.insert(cell, observation).is_none(), "twice in a snapshot");
            }
        }
    }

    async fn receive(&mut self) -> Result<Option<Message>, Refusal> {
        let message = timeout(LONG, self.stream.message()).await.expect("a message within the limit of time")?;
        Ok(message.map(|m| m.message.expect("a message carries something")))
    }

    /// Reads and checks one message; `false` at the end of the stream.
    pub async fn step(&mut self) -> Result<bool, Refusal> {
        let Some(message) = self.receive().await? else {
            assert!(self.closing.is_some(), "the stream ended without Closing");
            return Ok(false);
        };
        assert!(self.closing.is_none(), "after Closing: {message:?}");
        match message {
            Message::Changes(changes) => self.take_changes(changes),
            Message::Progress(progress) => self.take_progress(progress),
            Message::Closing(closing) => {
                assert_eq!(self.unfinished, None, "Closing within a commit");
                self.closing = Some(closing);
            }
            other => panic!("on a live stream: {other:?}"),
        }
        Ok(true)
    }

    /// Reads until everything up to a revision has come.
    pub async fn until(&mut self, revision: u64) {
        while self.position() < revision {
            assert!(self.step().await.unwrap(), "the stream ended before revision {revision}");
        }
    }

    /// Reads to the end of the stream.
    pub async fn to_end(&mut self) -> Result<(), Refusal> {
        while self.step().await? {}
        Ok(())
    }

    /// Whether nothing but progress comes for a while.
    pub async fn is_quiet_for(&mut self, time: Duration) -> bool {
        let events = self.events.len();
        let read = async { while self.step().await.unwrap() {} };
        let ended = timeout(time, read).await.is_ok();
        !ended && self.events.len() == events
    }

    /// The revision up to which the stream says that everything has come.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.progress.as_ref().map_or(0, |p| p.revision)
    }

    /// The newest token.
    ///
    /// # Panics
    ///
    /// If there is none yet.
    #[must_use]
    pub fn token(&self) -> String {
        let closing = self.closing.as_ref().map(|c| c.resume_token.clone());
        closing.unwrap_or_else(|| self.progress.as_ref().expect("progress").resume_token.clone())
    }

    fn take_progress(&mut self, progress: Progress) {
        assert_eq!(self.unfinished, None, "progress within a commit");
        assert!(progress.revision >= self.floor, "{progress:?} after {}", self.floor);
        assert!(progress.head_revision >= progress.revision, "{progress:?}");
        assert_eq!(progress.digest, None, "a digest is for LATEST");
        assert!(!progress.resume_token.is_empty());
        self.floor = progress.revision;
        self.progress = Some(progress);
    }

    fn take_changes(&mut self, changes: Changes) {
        let revisions: Vec<u64> = changes.events.iter().map(|e| e.revision).collect();
        assert!(revisions.is_sorted_by(|a, b| a < b), "{revisions:?}");
        assert_eq!(revisions.first(), Some(&changes.first_revision));
        assert_eq!(revisions.last(), Some(&changes.last_revision));
        match self.unfinished {
            Some(revision) => assert_eq!(revisions[0], revision, "a commit goes on before another begins"),
            None => assert!(revisions[0] > self.floor, "revision {} after {}", revisions[0], self.floor),
        }
        for event in changes.events {
            assert!(event.recorded_at.is_some());
            assert!(!(event.changes.is_empty() && event.catalog_changes.is_empty()), "an empty event");
            for change in event.changes {
                self.take_change(event.revision, change);
            }
            self.catalog_changes.extend(event.catalog_changes.into_iter().map(|c| (event.revision, c)));
        }
        self.floor = changes.last_revision;
        self.unfinished = changes.more.then_some(changes.last_revision);
        self.torn += u32::from(changes.more);
    }

    fn take_change(&mut self, revision: u64, change: CellChange) {
        let observation = change.observation.clone().unwrap();
        match change.kind() {
            // It was recorded before; of one that left nothing more is told.
            ChangeKind::Entered | ChangeKind::Left => assert!(observation.revision < revision),
            _ => assert_eq!(observation.revision, revision),
        }
        let cell: Cell = (observation.series.clone().unwrap().into(), observation.period.parse().unwrap());
        assert!(self.seen.insert((revision, cell.clone())), "twice: revision {revision}, {cell:?}");
        if self.complete {
            self.check_fit(&cell, &change);
        }
        match change.kind() {
            ChangeKind::Inserted | ChangeKind::Revised | ChangeKind::Entered => drop(self.state.insert(cell, observation)),
            ChangeKind::Deleted | ChangeKind::Left => drop(self.state.remove(&cell)),
            ChangeKind::Backfilled => {}
            ChangeKind::Unspecified => panic!("a change says what it did"),
        }
        self.events.push((revision, change));
    }

    /// What a change says it did, and replaced, must agree with what came before it.
    fn check_fit(&self, cell: &Cell, change: &CellChange) {
        let before = self.state.get(cell);
        match change.kind() {
            ChangeKind::Inserted | ChangeKind::Entered => assert!(before.is_none(), "inserted over {before:?}"),
            ChangeKind::Revised => assert!(before.is_some(), "revised, but there was nothing: {change:?}"),
            ChangeKind::Deleted | ChangeKind::Left => assert!(before.is_some(), "gone, but there was nothing: {change:?}"),
            ChangeKind::Backfilled | ChangeKind::Unspecified => {}
        }
        let told = change.previous.as_ref().map(|p| (p.revision, Observation { series: None, ..content(p) }));
        let known = before.map(|b| (b.revision, Observation { series: None, ..content(b) }));
        assert_eq!(told, known, "previous of {change:?}");
    }

    /// What the client holds must be what a query answers.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub fn assert_state(&self, observations: &[Observation]) {
        let cell = |o: &Observation| (SeriesKey::from(o.series.clone().unwrap()), o.period.parse::<Period>().unwrap());
        let bare = |o: &Observation| (o.revision, Observation { series: None, ..content(o) });
        let mut asked: Vec<_> = observations.iter().map(|o| (cell(o), bare(o))).collect();
        asked.sort_by(|a, b| a.0.cmp(&b.0));
        let held: Vec<_> = self.state.iter().map(|(cell, o)| (cell.clone(), bare(o))).collect();
        assert_same(&held, &asked, "what the watcher holds");
    }

    /// The events must be the part of the log that a filter takes, after the revision that the stream began at.
    ///
    /// # Panics
    ///
    /// If they are not.
    pub fn assert_replays(&self, commits: &[Commit], takes: impl Fn(&Observation) -> bool) {
        let changes = commits.iter().filter(|c| c.revision > self.opened.revision && c.revision <= self.position());
        let changes = changes.flat_map(|c| c.changes.iter().map(|change| (c.revision, change.clone())));
        let expected: Vec<_> = changes.filter(|(_, c)| takes(c.observation.as_ref().unwrap())).collect();
        assert_same(&self.events, &expected, "events");
    }
}
