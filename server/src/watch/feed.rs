use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, stream};
use indicator_proto::v1::{self, watch_response::Message};
use tokio::{
    sync::watch,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Hub, Mode, Start, Subscriber, Subscription,
    catch_up::{CatchUp, Delta},
    frames::frame,
    lane::{Lane, Tip},
    ring::Take,
    snapshot::Snapshot,
};
use crate::{
    engine::{Engine, Error},
    service::wire,
};

/// Bytes that are handed to the connection at once.
const PIECE: usize = 64 << 10;

/// Clients come back within this time after a stop, each at a random moment of it.
pub(super) const RETRY_SPREAD: Duration = Duration::from_secs(2);

/// One subscriber's stream: a position in the log, and what is on its way from there.
pub struct Feed {
    hub: Arc<Hub>,
    lane: Arc<Lane>,
    tip: watch::Receiver<Tip>,
    start: Start,
    progress_interval: Duration,
    min_interval: Duration,
    /// Everything up to this revision is sent or queued.
    position: u64,
    phase: Phase,
    /// Frames that are sent one after the other, in pieces.
    queue: VecDeque<Bytes>,
    next_progress: Instant,
    next_delivery: Instant,
    timer: Pin<Box<Sleep>>,
    subscriber: Subscriber,
}

enum Phase {
    Opening,
    Snapshot(Box<Snapshot>),
    Delta(Box<Delta>),
    /// Takes what is shared; while that is ahead, reads the log.
    Live(Option<Box<CatchUp>>),
    Ended,
}

impl Feed {
    /// A stream that starts where the subscription says.
    #[must_use]
    pub fn new(hub: &Arc<Hub>, subscription: &Subscription, subscriber: Subscriber) -> Self {
        let lane = hub.lane(&subscription.selection);
        // Subscribe before reading the head: a commit in between is then seen as a move of the tip.
        let tip = lane.follow();
        let position = match subscription.start {
            Start::Snapshot | Start::Now => hub.engine().head().revision,
            Start::After(after) => after,
        };
        let now = Instant::now();
        Self {
            lane,
            tip,
            start: subscription.start,
            progress_interval: subscription.progress_interval,
            min_interval: subscription.min_interval,
            position,
            phase: Phase::Opening,
            queue: VecDeque::new(),
            next_progress: now + subscription.progress_interval,
            // Else all who came together would be sent to in the same instant, again and again.
            next_delivery: now + random_part(subscription.min_interval),
            timer: Box::pin(sleep_until(now)),
            subscriber,
            hub: Arc::clone(hub),
        }
    }

    /// The frames, each made when it is asked for; it asks for nothing while nobody reads.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send {
        stream::unfold(self, |mut feed| async {
            let frames = feed.next().await?;
            if frames.is_err() {
                feed.phase = Phase::Ended;
            }
            Some((frames, feed))
        })
    }

    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        loop {
            if let Some(mut frames) = self.queue.pop_front() {
                if frames.len() > PIECE {
                    self.queue.push_front(frames.split_off(PIECE));
                }
                self.subscriber.stands_at(self.position);
                return Some(Ok(frames));
            }
            let step = match std::mem::replace(&mut self.phase, Phase::Ended) {
                Phase::Ended => return None,
                Phase::Opening => self.open().await,
                Phase::Snapshot(snapshot) => self.send_snapshot(snapshot).await,
                Phase::Delta(delta) => self.send_delta(delta).await,
                Phase::Live(catch_up) => self.live(catch_up).await,
            };
            match step {
                Ok(phase) => self.phase = phase,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn send(&mut self, message: Message) {
        self.queue.push_back(frame(message));
    }

    async fn open(&mut self) -> Result<Phase, Error> {
        let Start::After(after) = self.start else {
            let snapshot = self.start == Start::Snapshot;
            self.send_opened(if snapshot { v1::WatchOutcome::Snapshot } else { v1::WatchOutcome::Replay });
            if snapshot {
                return self.snapshot().await;
            }
            // So that a client has a token from the first moment.
            self.send_progress();
            return Ok(Phase::Live(None));
        };
        let horizon = self.hub.engine().horizon()?;
        if after >= horizon || after >= self.hub.engine().head().revision {
            self.send_opened(v1::WatchOutcome::Replay);
            self.send_progress();
            return Ok(Phase::Live(None));
        }
        if self.blocking(move |engine, lane| Delta::outweighs_snapshot(engine, &lane.selection, after)).await? {
            self.position = self.hub.engine().head().revision;
            self.send_opened(v1::WatchOutcome::Snapshot);
            let reason = format!(
                "the start, revision {after}, lies before the horizon of replays, revision {horizon}, and as much has changed since \
                 as there is"
            );
            return self.reset(reason).await;
        }
        self.send_opened(v1::WatchOutcome::Delta);
        self.delta().await
    }

    fn send_opened(&mut self, outcome: v1::WatchOutcome) {
        let engine = self.hub.engine();
        let (epoch, head_revision) = (wire::epoch(engine.epoch()), engine.head().revision);
        let revision = self.position;
        self.send(Message::Opened(v1::WatchOpened { epoch, revision, outcome: outcome.into(), head_revision }));
    }

    /// Tells the reader to forget what it has, and begins again with a snapshot at the position.
    async fn reset(&mut self, reason: String) -> Result<Phase, Error> {
        self.send(Message::Reset(v1::Reset { reason }));
        self.snapshot().await
    }

    async fn snapshot(&mut self) -> Result<Phase, Error> {
        Ok(Phase::Snapshot(Box::new(self.lane.snapshot(&self.hub, self.position).await?)))
    }

    async fn send_snapshot(&mut self, mut snapshot: Box<Snapshot>) -> Result<Phase, Error> {
        self.check_running()?;
        let (part, snapshot) = match snapshot.ahead() {
            Some(part) => (Some(part), snapshot),
            None if snapshot.is_read() => (None, snapshot),
            None => self.blocking(move |engine, _| Ok((snapshot.read(engine)?, snapshot))).await?,
        };
        if let Some(part) = part {
            self.queue.push_back(part);
            return Ok(Phase::Snapshot(snapshot));
        }
        self.send(Message::SnapshotEnd(snapshot.end()));
        self.send_progress();
        Ok(Phase::Live(None))
    }

    /// What is half sent when the server stops is of no use: the client starts again where it started, elsewhere or later.
    fn check_running(&self) -> Result<(), Error> {
        if self.hub.stopping().is_cancelled() { Err(Error::ShuttingDown) } else { Ok(()) }
    }

    async fn delta(&mut self) -> Result<Phase, Error> {
        let position = self.position;
        let delta = self.blocking(move |engine, lane| Delta::after(engine, &lane.selection, position)).await?;
        Ok(Phase::Delta(Box::new(delta)))
    }

    async fn send_delta(&mut self, mut delta: Box<Delta>) -> Result<Phase, Error> {
        self.check_running()?;
        let ((frames, last), delta) = self.blocking(move |engine, _| Ok((delta.read(engine)?, delta))).await?;
        self.queue.push_back(frames);
        if !last {
            return Ok(Phase::Delta(delta));
        }
        self.position = delta.revision();
        self.next_delivery = Instant::now() + self.min_interval;
        self.send_progress();
        Ok(Phase::Live(None))
    }

    /// Queues what is next on a live stream; waits for it if there is nothing.
    async fn live(&mut self, catch_up: Option<Box<CatchUp>>) -> Result<Phase, Error> {
        let tip = *self.tip.borrow_and_update();
        if tip.closing || self.hub.stopping().is_cancelled() {
            self.close();
            return Ok(Phase::Ended);
        }
        let now = Instant::now();
        if now < self.next_delivery {
            self.rest(now).await;
            return Ok(Phase::Live(catch_up));
        }
        match self.lane.take(self.hub.engine(), self.position) {
            Take::Behind(until) if self.lane.selection.mode == Mode::EveryChange => return self.catch_up(catch_up, until).await,
            Take::Behind(_) => return self.delta().await,
            Take::Frames(frames, position) => {
                self.position = position;
                if !frames.is_empty() {
                    self.queue.push_back(frames);
                    if !self.min_interval.is_zero() {
                        self.next_delivery = now + self.min_interval;
                    }
                }
            }
        }
        if now >= self.next_progress {
            self.send_progress();
        }
        if self.queue.is_empty() {
            self.wait().await;
        }
        Ok(Phase::Live(None))
    }

    /// Reads the log as far as what is shared does not reach back.
    async fn catch_up(&mut self, catch_up: Option<Box<CatchUp>>, until: u64) -> Result<Phase, Error> {
        let position = self.position;
        let window = if catch_up.is_none() { self.hub.window() } else { None };
        let read = self.blocking(move |engine, lane| {
            let horizon = engine.horizon()?;
            if position < horizon {
                return Ok(Err(horizon));
            }
            let mut catch_up = catch_up.filter(|c| c.position() == position);
            let reading = catch_up.get_or_insert_with(|| Box::new(CatchUp::after(engine, &lane.selection, position, window)));
            let read = reading.read(engine, &lane.selection, until)?;
            Ok(Ok((read, catch_up)))
        });
        match read.await? {
            Ok(((frames, position), catch_up)) => {
                self.position = position;
                if !frames.is_empty() {
                    self.queue.push_back(frames);
                }
                if Instant::now() >= self.next_progress {
                    self.send_progress();
                }
                Ok(Phase::Live(catch_up))
            }
            Err(horizon) => {
                let reason = format!("compaction up to revision {horizon} has passed this stream, which stood at {position}");
                self.position = self.hub.engine().head().revision;
                self.reset(reason).await
            }
        }
    }

    /// Waits until there is something to take, it is time for progress, or the server stops.
    async fn wait(&mut self) {
        let _waiting = self.lane.wait();
        // Whoever takes lanes further may have passed this one while nobody waited for it.
        if self.lane.tip().revision < self.hub.engine().head().revision {
            self.hub.poke();
        }
        set(&mut self.timer, self.next_progress);
        self.subscriber.waits();
        tokio::select! {
            // The lane outlives the wait.
            _ = self.tip.changed() => {}
            () = &mut self.timer => {}
        }
    }

    /// Waits until the next delivery is due, whatever happens meanwhile.
    async fn rest(&mut self, now: Instant) {
        if now >= self.next_progress {
            return self.send_progress();
        }
        set(&mut self.timer, self.next_delivery.min(self.next_progress));
        tokio::select! {
            () = &mut self.timer => {}
            () = self.hub.stopping().cancelled() => {}
        }
    }

    fn send_progress(&mut self) {
        self.queue.push_back(self.lane.progress(self.hub.engine(), self.position));
        self.next_progress = Instant::now() + self.progress_interval;
    }

    fn close(&mut self) {
        let wait = random_part(RETRY_SPREAD);
        let resume_token = self.lane.selection.token(self.hub.engine(), self.position);
        let retry_after = prost_types::Duration::try_from(wait).ok();
        self.send(Message::Closing(v1::Closing { resume_token, retry_after }));
    }

    /// Runs what blocks on the disk, off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine, &Lane) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let lane = Arc::clone(&self.lane);
        self.hub.blocking(move |engine| work(engine, &lane)).await
    }
}

/// Some time below a duration.
pub(super) fn random_part(duration: Duration) -> Duration {
    duration.mul_f64(f64::from(getrandom::u32().unwrap_or_default()) / (f64::from(u32::MAX) + 1.0))
}

/// Sets a timer, if it is not set so already.
fn set(timer: &mut Pin<Box<Sleep>>, deadline: Instant) {
    if timer.deadline() != deadline {
        timer.as_mut().reset(deadline);
    }
}
