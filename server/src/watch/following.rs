//! The stream of one subscriber to an analysis: its answer, and then what each commit changes in it.

use std::{sync::Arc, time::Duration};

use futures::Stream;
use indicator_proto::v1::WatchOutcome;
use tokio::{sync::watch, time::Instant};

use super::{
    Hub, Start, Subscriber,
    feed::{RETRY_SPREAD, random_part},
};
use crate::engine::{
    Error, Head,
    analysis::{Analysis, Followed, Follower},
};

/// As many commits are gone through before the reader is told how far it is, or found to be gone.
const COMMITS_AT_ONCE: u64 = 10_000;

/// As many commits are passed by on an async thread, each in less than a microsecond.
const PASSED_AT_ONCE: u64 = 1_000;

/// What a subscriber is told.
pub enum Told<A: Analysis> {
    /// How the stream begins.
    Opened {
        /// Changes after this revision follow.
        revision: u64,
        /// With the whole answer, or with the changes.
        outcome: WatchOutcome,
        /// The newest commit.
        head: u64,
    },
    /// What the reader has is of no use: the whole answer follows.
    Reset,
    /// The whole answer.
    Whole(Arc<Follower<A>>),
    /// What a commit changed.
    Change(Followed<A::Change>),
    /// Everything up to a revision has been told.
    Progress {
        /// That revision.
        revision: u64,
        /// The newest commit.
        head: u64,
    },
    /// The server stops.
    Closing {
        /// Everything up to it has been told.
        revision: u64,
        /// To wait before coming back.
        retry_after: Duration,
    },
}

/// A subscriber to an analysis: a position in the log, and the answer there. It reads when its reader asks for more.
pub struct Following<A: Analysis> {
    hub: Arc<Hub>,
    /// Counts as long as it lives.
    subscriber: Subscriber,
    analysis: Arc<A>,
    start: Start,
    progress_interval: Duration,
    head: watch::Receiver<Head>,
    follower: Option<Arc<Follower<A>>>,
    phase: Phase,
    next_progress: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Begin,
    Reset,
    Whole,
    /// Told of what has happened up to its position, but not that this was all.
    Behind,
    /// Told that there is nothing more.
    Live,
    Ended,
}

impl<A: Analysis> Following<A> {
    /// A subscriber; a start after a revision must not lie beyond the head.
    #[must_use]
    pub fn new(hub: &Arc<Hub>, subscriber: Subscriber, analysis: A, start: Start, progress_interval: Duration) -> Self {
        Self {
            hub: Arc::clone(hub),
            subscriber,
            analysis: Arc::new(analysis),
            start,
            progress_interval,
            // Before anything is read: what comes after is not missed.
            head: hub.engine().follow(),
            follower: None,
            phase: Phase::Begin,
            next_progress: Instant::now() + progress_interval,
        }
    }

    /// What it is told.
    pub fn into_stream(self) -> impl Stream<Item = Result<Told<A>, Error>> + Send {
        futures::stream::unfold(self, |mut this| async {
            if this.phase == Phase::Ended {
                return None;
            }
            let told = this.next().await;
            if told.is_err() {
                this.phase = Phase::Ended;
            }
            Some((told, this))
        })
    }

    async fn next(&mut self) -> Result<Told<A>, Error> {
        if let Some(follower) = &self.follower {
            self.subscriber.stands_at(follower.revision());
        }
        match self.phase {
            Phase::Begin => self.begin().await,
            Phase::Reset => {
                self.phase = Phase::Whole;
                Ok(Told::Reset)
            }
            Phase::Whole => {
                self.phase = Phase::Behind;
                Ok(Told::Whole(self.follower()))
            }
            Phase::Behind | Phase::Live | Phase::Ended => self.go_on().await,
        }
    }

    fn follower(&self) -> Arc<Follower<A>> {
        Arc::clone(self.follower.as_ref().expect("it is made before anything is told of it"))
    }

    async fn begin(&mut self) -> Result<Told<A>, Error> {
        let head = self.head.borrow_and_update().revision;
        let horizon = self.hub.blocking(|engine| engine.horizon()).await?;
        let (revision, outcome, phase) = match self.start {
            Start::After(revision) if revision >= horizon => (revision, WatchOutcome::Replay, Phase::Behind),
            Start::After(_) => (head, WatchOutcome::Snapshot, Phase::Reset),
            Start::Snapshot | Start::Now => (head, WatchOutcome::Snapshot, Phase::Whole),
        };
        self.begin_at(revision).await?;
        self.phase = phase;
        Ok(Told::Opened { revision, outcome, head })
    }

    async fn begin_at(&mut self, revision: u64) -> Result<(), Error> {
        let analysis = Arc::clone(&self.analysis);
        let follower = self.hub.blocking(move |engine| engine.analysis_at(analysis, revision)).await?;
        self.follower = Some(Arc::new(follower));
        Ok(())
    }

    async fn go_on(&mut self) -> Result<Told<A>, Error> {
        loop {
            let position = self.follower().revision();
            if self.hub.stopping().is_cancelled() {
                self.phase = Phase::Ended;
                return Ok(Told::Closing { revision: position, retry_after: random_part(RETRY_SPREAD) });
            }
            let head = self.head.borrow_and_update().revision;
            let position = self.pass(head);
            if position < head {
                if let Some(change) = self.advance(position, head).await? {
                    self.phase = Phase::Behind;
                    return Ok(Told::Change(change));
                }
                if self.phase == Phase::Whole {
                    return Ok(Told::Reset);
                }
                let due = Instant::now() >= self.next_progress;
                if !due && (self.follower().revision() < head || self.phase == Phase::Live) {
                    continue;
                }
                return Ok(self.progress());
            }
            // The timer is not enough: where commits keep coming, nobody waits for it.
            if self.phase == Phase::Behind || Instant::now() >= self.next_progress {
                return Ok(self.progress());
            }
            self.subscriber.waits();
            tokio::select! {
                biased;
                () = self.hub.stopping().cancelled() => {}
                changed = self.head.changed() => changed.map_err(|_| Error::ShuttingDown)?,
                () = tokio::time::sleep_until(self.next_progress) => return Ok(self.progress()),
            }
        }
    }

    /// Passes by what does not concern it and lies in memory: most commits for most subscribers, who need no other thread for them.
    /// Answers where it is.
    fn pass(&mut self, head: u64) -> u64 {
        if let Some(follower) = self.follower.as_mut().and_then(Arc::get_mut) {
            self.hub.engine().pass_analysis(follower, head, PASSED_AT_ONCE);
        }
        self.follower().revision()
    }

    /// Goes on to the next change. One that stood still while replays began to begin later starts anew.
    async fn advance(&mut self, position: u64, head: u64) -> Result<Option<Followed<A::Change>>, Error> {
        let behind = self.hub.engine().commits_between(position, head);
        if behind > COMMITS_AT_ONCE && self.hub.blocking(|engine| engine.horizon()).await? > position {
            self.begin_at(head).await?;
            self.phase = Phase::Whole;
            return Ok(None);
        }
        // The reader has been given what it needs of the answer.
        let follower = Arc::try_unwrap(self.follower.take().expect("it is put back")).ok();
        let analysis = Arc::clone(&self.analysis);
        let next = move |engine: &crate::engine::Engine| {
            let mut follower = match follower {
                Some(follower) => follower,
                None => engine.analysis_at(analysis, position)?,
            };
            let change = engine.follow_analysis(&mut follower, head, COMMITS_AT_ONCE)?;
            Ok((follower, change))
        };
        let (follower, change) = self.hub.blocking(next).await?;
        self.follower = Some(Arc::new(follower));
        Ok(change)
    }

    fn progress(&mut self) -> Told<A> {
        self.next_progress = Instant::now() + self.progress_interval;
        let (revision, head) = (self.follower().revision(), self.head.borrow().revision);
        if revision >= head {
            self.phase = Phase::Live;
        }
        Told::Progress { revision, head }
    }
}
