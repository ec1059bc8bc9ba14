use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::{Stream, stream};
use indicator_proto::v1::{self, watch_response::Message};
use tokio::{
    sync::watch,
    task,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{Start, Subscription, snapshot::Snapshot};
use crate::{
    engine::{Commit, Engine, Error, Head},
    service::wire,
};

/// Changes in one message, about: commits are put together up to this, and a larger one is split.
const CHANGES_PER_MESSAGE: usize = 1_000;

/// Commits that are put together.
const COMMITS_PER_MESSAGE: usize = 256;

/// A commit with fewer changes than this is read where the reader asks; a larger one, or an old one, where blocking is allowed.
const READ_IN_PLACE: u64 = 64;

/// Clients come back within this time after a stop, each at a random moment of it.
const RETRY_SPREAD: Duration = Duration::from_secs(2);

/// One subscriber's stream.
pub struct Feed {
    engine: Arc<Engine>,
    subscription: Arc<Subscription>,
    head: watch::Receiver<Head>,
    stopping: CancellationToken,
    /// Everything up to this revision is sent or queued.
    position: u64,
    phase: Phase,
    /// Messages that belong together and are sent one by one.
    queue: VecDeque<Message>,
    next_progress: Instant,
}

enum Phase {
    Opening,
    Snapshot(Box<Snapshot>),
    Live,
    Ended,
}

impl Feed {
    /// A stream that starts where the subscription says, and ends when `stopping` is cancelled.
    #[must_use]
    pub fn new(engine: Arc<Engine>, subscription: Subscription, stopping: CancellationToken) -> Self {
        // Subscribe before reading the head: a commit in between is then seen as a move of the head.
        let mut head = engine.follow();
        let revision = head.borrow_and_update().revision;
        let position = match subscription.start {
            Start::Snapshot | Start::Now => revision,
            Start::After(after) => after,
        };
        let next_progress = Instant::now() + subscription.progress_interval;
        Self {
            engine,
            subscription: Arc::new(subscription),
            head,
            stopping,
            position,
            phase: Phase::Opening,
            queue: VecDeque::new(),
            next_progress,
        }
    }

    /// The messages, each made when it is asked for.
    pub fn into_stream(self) -> impl Stream<Item = Result<v1::WatchResponse, Error>> + Send {
        stream::unfold(self, |mut feed| async {
            let message = feed.next().await?;
            if message.is_err() {
                feed.phase = Phase::Ended;
            }
            Some((message.map(|message| v1::WatchResponse { message: Some(message) }), feed))
        })
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        loop {
            if let Some(message) = self.queue.pop_front() {
                return Some(Ok(message));
            }
            let step = match std::mem::replace(&mut self.phase, Phase::Ended) {
                Phase::Ended => return None,
                Phase::Opening => {
                    self.open();
                    Ok(())
                }
                Phase::Snapshot(snapshot) => self.send_snapshot(snapshot).await,
                Phase::Live => {
                    self.phase = Phase::Live;
                    self.live().await
                }
            };
            if let Err(error) = step {
                return Some(Err(error));
            }
        }
    }

    fn open(&mut self) {
        let outcome = match self.subscription.start {
            Start::Snapshot => v1::WatchOutcome::Snapshot,
            Start::After(_) | Start::Now => v1::WatchOutcome::Replay,
        };
        self.queue.push_back(Message::Opened(v1::WatchOpened {
            epoch: wire::epoch(self.engine.epoch()),
            revision: self.position,
            outcome: outcome.into(),
            head_revision: self.engine.head().revision,
        }));
        self.phase = match self.subscription.start {
            Start::Snapshot => Phase::Snapshot(Box::new(Snapshot::new(&self.engine, &self.subscription, self.position))),
            Start::After(_) | Start::Now => {
                // So that a client has a token from the first moment.
                self.queue_progress();
                Phase::Live
            }
        };
    }

    async fn send_snapshot(&mut self, mut snapshot: Box<Snapshot>) -> Result<(), Error> {
        if self.stopping.is_cancelled() {
            // Half a snapshot is of no use: the client starts again, elsewhere or later.
            return Err(Error::ShuttingDown);
        }
        let engine = Arc::clone(&self.engine);
        let read = task::spawn_blocking(move || snapshot.next(&engine).map(|chunk| (chunk, snapshot)));
        let (chunk, snapshot) = read.await.map_err(|_| Error::ShuttingDown)??;
        if let Some(chunk) = chunk {
            self.queue.push_back(Message::Snapshot(chunk));
            self.phase = Phase::Snapshot(snapshot);
            return Ok(());
        }
        let (revision, observations) = (snapshot.revision(), snapshot.observations);
        self.queue.push_back(Message::SnapshotEnd(v1::SnapshotEnd { revision, observations }));
        self.queue_progress();
        self.phase = Phase::Live;
        Ok(())
    }

    /// Queues what is next on a live stream; waits for it if there is nothing.
    async fn live(&mut self) -> Result<(), Error> {
        if self.stopping.is_cancelled() {
            self.close();
            return Ok(());
        }
        let now = Instant::now();
        let head = self.head.borrow_and_update().revision;
        if self.position < head {
            return self.queue_changes(head, now >= self.next_progress).await;
        }
        if now >= self.next_progress {
            self.queue_progress();
            return Ok(());
        }
        tokio::select! {
            // The engine outlives the wait, or the stream ends with it.
            moved = self.head.changed() => if moved.is_err() { self.close() },
            () = self.stopping.cancelled() => self.close(),
            () = sleep_until(self.next_progress) => {}
        }
        Ok(())
    }

    /// Queues the matching changes of the next commits, up to a message's worth, or of one large commit, split.
    async fn queue_changes(&mut self, head: u64, with_progress: bool) -> Result<(), Error> {
        let (engine, subscription, after) = (Arc::clone(&self.engine), Arc::clone(&self.subscription), self.position);
        let read = move || read_changes(&engine, &subscription, after, head);
        let (messages, position) = if head - after <= READ_IN_PLACE {
            read()?
        } else {
            task::spawn_blocking(read).await.map_err(|_| Error::ShuttingDown)??
        };
        self.queue.extend(messages.into_iter().map(Message::Changes));
        self.position = position;
        if with_progress {
            self.queue_progress();
        }
        Ok(())
    }

    fn queue_progress(&mut self) {
        self.queue.push_back(Message::Progress(v1::Progress {
            revision: self.position,
            resume_token: self.subscription.token(&self.engine, self.position),
            head_revision: self.engine.head().revision,
            digest: None,
        }));
        self.next_progress = Instant::now() + self.subscription.progress_interval;
    }

    fn close(&mut self) {
        let spread = u64::try_from(RETRY_SPREAD.as_millis()).unwrap_or(u64::MAX);
        let wait = Duration::from_millis(u64::from(getrandom::u32().unwrap_or_default()) % spread);
        self.queue.push_back(Message::Closing(v1::Closing {
            resume_token: self.subscription.token(&self.engine, self.position),
            retry_after: prost_types::Duration::try_from(wait).ok(),
        }));
        self.phase = Phase::Ended;
    }
}

/// The messages for the commits after `after`, and the revision that they reach.
fn read_changes(engine: &Engine, subscription: &Subscription, after: u64, head: u64) -> Result<(Vec<v1::Changes>, u64), Error> {
    let mut events: Vec<v1::CommitEvents> = Vec::new();
    let (mut changes, mut position) = (0, after);
    for revision in after + 1..=head {
        let commit = engine.commit(revision, subscription.include_previous)?;
        position = revision;
        let Some(event) = matching(engine, subscription, &commit) else { continue };
        let size = event.changes.len() + event.catalog_changes.len();
        if size > CHANGES_PER_MESSAGE {
            // What was gathered goes first, then the large commit in messages of its own.
            let mut messages = gather(events).into_iter().collect::<Vec<_>>();
            messages.extend(split(event));
            return Ok((messages, position));
        }
        changes += size;
        events.push(event);
        if changes >= CHANGES_PER_MESSAGE || events.len() >= COMMITS_PER_MESSAGE {
            break;
        }
    }
    Ok((gather(events).into_iter().collect(), position))
}

fn gather(events: Vec<v1::CommitEvents>) -> Option<v1::Changes> {
    let (first_revision, last_revision) = (events.first()?.revision, events.last()?.revision);
    Some(v1::Changes { first_revision, last_revision, events, more: false })
}

/// A commit's changes in several messages, all but the last with `more`.
fn split(event: v1::CommitEvents) -> Vec<v1::Changes> {
    let revision = event.revision;
    let mut parts: Vec<v1::CommitEvents> = Vec::new();
    let head = v1::CommitEvents { changes: Vec::new(), catalog_changes: Vec::new(), ..event.clone() };
    for changes in event.catalog_changes.chunks(CHANGES_PER_MESSAGE) {
        parts.push(v1::CommitEvents { catalog_changes: changes.to_vec(), ..head.clone() });
    }
    for changes in event.changes.chunks(CHANGES_PER_MESSAGE) {
        parts.push(v1::CommitEvents { changes: changes.to_vec(), ..head.clone() });
    }
    let last = parts.len() - 1;
    let message = |(number, event)| v1::Changes {
        first_revision: revision,
        last_revision: revision,
        events: vec![event],
        more: number < last,
    };
    parts.into_iter().enumerate().map(message).collect()
}

/// What of a commit the subscription takes; `None` if nothing.
fn matching(engine: &Engine, subscription: &Subscription, commit: &Commit) -> Option<v1::CommitEvents> {
    let catalog = engine.catalog();
    // As the catalog was then: a replay answers as the live stream did.
    let view = catalog.at(commit.revision);
    let filter = &subscription.filter;
    let mut changes = Vec::new();
    for series in commit.series.iter().filter(|s| filter.matches(view, &s.key)) {
        let taken = series.changes.iter().filter(|c| filter.takes(c.version.period));
        changes.extend(taken.map(|c| wire::change(&series.key, c, subscription.include_previous)));
    }
    let entries: &[_] = if subscription.include_catalog { &commit.entries } else { &[] };
    let catalog_changes: Vec<v1::CatalogChange> = entries.iter().map(wire::entry_change).collect();
    if changes.is_empty() && catalog_changes.is_empty() {
        return None;
    }
    Some(v1::CommitEvents {
        revision: commit.revision,
        recorded_at: Some(commit.time.into()),
        context: Some(wire::context(&commit.context)),
        changes,
        catalog_changes,
    })
}
