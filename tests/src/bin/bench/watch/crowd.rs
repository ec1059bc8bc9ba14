//! Subscribers, each with a stream of its own, on a few connections.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{
    http2::{Connection, DEFAULT_WINDOW, Reader},
    latencies::Latencies,
    side::{Listener, Side, Wanted},
};
use crate::process::Server;

/// What the server may send ahead to a subscriber.
const STREAM_WINDOW: u32 = 1 << 20;
/// How often a crowd is asked how far it is.
const TICK: Duration = Duration::from_millis(1);
/// Without an event for so long, what is missing is taken for lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// Nanoseconds since this program began to count, from 1.
pub(super) fn now() -> u64 {
    static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    ORIGIN.elapsed().as_nanos() as u64 + 1
}

/// The number to write last where not every change is told.
pub(super) const LAST: u64 = u64::MAX;

/// Numbers that were written or seen: two of these are equal only if it was the same numbers, each as often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) count: u64,
    mixed: u64,
}

impl Numbers {
    pub(super) fn add(&mut self, number: u64) {
        // Mixed, so that one lost and another seen twice do not make up for each other.
        let mixed = (number ^ number >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.join(Self { count: 1, mixed: (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) });
    }

    pub(super) fn join(&mut self, other: Self) {
        self.count += other.count;
        self.mixed = self.mixed.wrapping_add(other.mixed);
    }
}

/// What subscribers do with what they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stance {
    /// Read it.
    Reads,
    /// Leave it on their streams. Their windows, which are small, soon are full.
    LeavesStreams,
    /// Leave it in their sockets. Their windows, which are large, are not what stops the server.
    LeavesSockets,
}

/// Subscribers of everything.
pub(super) struct Crowd {
    shared: Arc<Shared>,
    connections: JoinSet<Result<Audience>>,
    closing: watch::Sender<bool>,
    pub(super) subscribers: u64,
}

#[derive(Default)]
struct Shared {
    /// Subscribers whose watch is open.
    open: AtomicU64,
    /// Events that were seen, by all together.
    events: AtomicU64,
    /// Subscribers who have seen [`LAST`].
    finished: AtomicU64,
    /// What was sent before this is not measured; at first, nothing is.
    measured_from: AtomicU64,
}

/// What a crowd measured.
pub(super) struct Measured {
    pub(super) latencies: Latencies,
    /// When the first event was seen.
    pub(super) since: u64,
    /// When the last event was seen.
    pub(super) until: u64,
}

impl Measured {
    fn nothing() -> Self {
        Self { latencies: Latencies::new(), since: u64::MAX, until: 0 }
    }

    fn join(&mut self, other: &Self) {
        self.latencies.merge(&other.latencies);
        self.since = self.since.min(other.since);
        self.until = self.until.max(other.until);
    }
}

impl Crowd {
    /// Opens the subscribers' streams, and waits until all are open.
    pub(super) async fn open(
        (side, server): (Side, &Server),
        (connections, subscribers): (usize, usize),
        wanted: Wanted,
        stance: Stance,
    ) -> Result<Self> {
        let (closing, closed) = watch::channel(false);
        let shared = Arc::new(Shared { measured_from: AtomicU64::new(u64::MAX), ..Shared::default() });
        let mut tasks = JoinSet::new();
        for number in 0..connections {
            let mut connection = match stance {
                Stance::LeavesStreams => Connection::open(&server.address, DEFAULT_WINDOW, false).await?,
                Stance::Reads | Stance::LeavesSockets => Connection::open(&server.address, STREAM_WINDOW, true).await?,
            };
            // As equal parts as there can be.
            let here = (number + 1) * subscribers / connections - number * subscribers / connections;
            for _ in 0..here {
                connection.call(&server.address, side.watch_path(), &side.watch(wanted), side.ends_request());
            }
            let audience = Audience::new(side, here, Arc::clone(&shared));
            tasks.spawn(attend(connection, audience, stance, closed.clone()));
        }
        let mut crowd = Self { shared, connections: tasks, closing, subscribers: subscribers as u64 };
        crowd.wait_for(|shared| &shared.open, subscribers as u64).await.context("not every watch was opened")?;
        Ok(crowd)
    }

    /// From now on it is measured. Answers the moment.
    pub(super) fn measure(&self) -> u64 {
        let now = now();
        self.shared.measured_from.store(now, Relaxed);
        now
    }

    /// Waits until every subscriber has seen so many events.
    pub(super) async fn wait(&mut self, events: u64) -> Result<()> {
        self.wait_for(|shared| &shared.events, events * self.subscribers).await.context("events are lost")
    }

    /// Waits until every subscriber has seen [`LAST`].
    pub(super) async fn wait_for_last(&mut self) -> Result<()> {
        self.wait_for(|shared| &shared.finished, self.subscribers).await.context("the last change is lost")
    }

    /// Waits until every subscriber has seen so many events, but no longer than a time. Answers how many all have seen together.
    pub(super) async fn wait_at_most(&mut self, events: u64, longest: Duration) -> Result<u64> {
        // Not to be in time is no failure.
        let _ = tokio::time::timeout(longest, self.wait(events)).await.unwrap_or(Ok(()));
        Ok(self.shared.events.load(Relaxed))
    }

    async fn wait_for(&mut self, what: impl Fn(&Shared) -> &AtomicU64, wanted: u64) -> Result<()> {
        let (mut moved, mut last) = (Instant::now(), 0);
        loop {
            let reached = what(&self.shared).load(Relaxed);
            if reached >= wanted {
                return Ok(());
            }
            if let Some(ended) = self.connections.try_join_next() {
                ended??;
                bail!("a connection ended");
            }
            if reached > last {
                (moved, last) = (Instant::now(), reached);
            }
            ensure!(moved.elapsed() < PATIENCE, "{reached} of {wanted}");
            sleep(TICK).await;
        }
    }

    /// Takes the subscribers away. Each must have seen these numbers, each once and in the order of the log.
    pub(super) async fn close(self, expected: Numbers) -> Result<Measured> {
        let mut measured = Measured::nothing();
        for audience in self.leave().await? {
            for subscriber in &audience.subscribers {
                let seen = subscriber.seen;
                ensure!(seen == expected, "a subscriber saw {} of {} events, or not those", seen.count, expected.count);
            }
            measured.join(&audience.measured);
        }
        Ok(measured)
    }

    /// Takes the subscribers away, whatever they saw.
    pub(super) async fn dismiss(self) -> Result<Measured> {
        let mut measured = Measured::nothing();
        self.leave().await?.iter().for_each(|audience| measured.join(&audience.measured));
        Ok(measured)
    }

    async fn leave(mut self) -> Result<Vec<Audience>> {
        // Connections that have ended do not hear it, and say why below.
        let _ = self.closing.send(true);
        let mut audiences = Vec::new();
        while let Some(audience) = self.connections.join_next().await {
            audiences.push(audience??);
        }
        Ok(audiences)
    }
}

async fn attend(
    mut connection: Connection,
    mut audience: Audience,
    stance: Stance,
    mut closing: watch::Receiver<bool>,
) -> Result<Audience> {
    connection.flush().await?;
    loop {
        if stance == Stance::LeavesSockets && audience.is_open() {
            // Its sender is gone only when the crowd is.
            let _ = closing.changed().await;
            return Ok(audience);
        }
        tokio::select! {
            _ = closing.changed() => return Ok(audience),
            filled = connection.fill() => filled?,
        }
        audience.begin();
        connection.take(&mut audience)?;
        audience.end();
        connection.flush().await?;
    }
}

/// The subscribers on one connection.
struct Audience {
    side: Side,
    subscribers: Vec<Subscriber>,
    measured: Measured,
    measured_from: u64,
    shared: Arc<Shared>,
    /// Of what was read at once: what goes to `shared` after it.
    news: News,
}

#[derive(Default)]
struct News {
    open: u64,
    events: u64,
    finished: u64,
}

#[derive(Clone, Copy, Default)]
struct Subscriber {
    open: bool,
    revision: u64,
    seen: Numbers,
}

impl Audience {
    fn new(side: Side, subscribers: usize, shared: Arc<Shared>) -> Self {
        let subscribers = vec![Subscriber::default(); subscribers];
        Self { side, subscribers, measured: Measured::nothing(), measured_from: u64::MAX, shared, news: News::default() }
    }

    fn is_open(&self) -> bool {
        self.subscribers.iter().all(|subscriber| subscriber.open)
    }

    fn begin(&mut self) {
        self.measured_from = self.shared.measured_from.load(Relaxed);
    }

    fn end(&mut self) {
        let News { open, events, finished } = std::mem::take(&mut self.news);
        self.shared.open.fetch_add(open, Relaxed);
        self.shared.events.fetch_add(events, Relaxed);
        self.shared.finished.fetch_add(finished, Relaxed);
    }
}

impl Reader for Audience {
    fn message(&mut self, stream: usize, message: &[u8]) -> Result<()> {
        let subscriber = self.subscribers.get_mut(stream).context("no such stream")?;
        let Self { measured, measured_from, news, .. } = self;
        self.side.read(message, &mut Visit { subscriber, measured, news, now: now(), measured_from: *measured_from })
    }
}

/// A subscriber while it reads a message.
struct Visit<'a> {
    subscriber: &'a mut Subscriber,
    measured: &'a mut Measured,
    news: &'a mut News,
    now: u64,
    measured_from: u64,
}

impl Listener for Visit<'_> {
    fn opened(&mut self) {
        self.subscriber.open = true;
        self.news.open += 1;
    }

    fn event(&mut self, revision: u64, number: u64) -> Result<()> {
        ensure!(revision >= self.subscriber.revision, "revision {revision} after {}", self.subscriber.revision);
        self.subscriber.revision = revision;
        self.subscriber.seen.add(number);
        self.news.events += 1;
        self.news.finished += u64::from(number == LAST);
        self.measured.since = self.measured.since.min(self.now);
        self.measured.until = self.now;
        if number >= self.measured_from && number != LAST {
            self.measured.latencies.add(self.now.saturating_sub(number));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(numbers: impl IntoIterator<Item = u64>) -> Numbers {
        let mut sum = Numbers::default();
        numbers.into_iter().for_each(|number| sum.add(number));
        sum
    }

    #[test]
    fn a_number_lost_is_not_made_up_for_by_another_seen_twice() {
        assert_eq!(sum([3, 1, 2, 4]), sum(1..=4));
        assert_ne!(sum([1, 2, 3]), sum(1..=4));
        for other in [1, 2, 4] {
            assert_ne!(sum([1, 2, other, 4]), sum(1..=4), "3 is lost, {other} seen twice");
        }
        // Their plain sums are alike.
        assert_ne!(sum([1, 1, 4, 4]), sum(1..=4));
    }
}
