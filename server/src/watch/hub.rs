//! Follows the head of the log for all subscribers, and takes further the lanes of those who wait.

use std::{
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use prometheus_client::metrics::counter::Counter;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    task,
};
use tokio_util::sync::CancellationToken;

use super::{
    Selection,
    lane::{Capacity, Lane},
};
use crate::{
    engine::{Engine, Error},
    service,
};

/// What all lanes together may keep, and what one lane may in any case.
const BYTES: usize = 64 << 20;
const LEAST_BYTES: usize = 256 << 10;
const MOST_BYTES: usize = 16 << 20;
const CHANGES: usize = 200_000;
const LEAST_CHANGES: usize = 1_000;
const MOST_CHANGES: usize = 50_000;

/// As many read much of the log at once, however many are behind and perhaps stand still: that much memory they may take.
const WINDOWS: usize = 8;

/// Commits with more changed cells than this in all are encoded where blocking is allowed.
const ENCODED_IN_PLACE: u64 = 2_000;

/// Serves all watches. A subscriber costs a cursor; what subscribers have in common is in lanes, one for each selection.
pub struct Hub {
    engine: Arc<Engine>,
    lanes: Mutex<HashMap<Arc<[u8]>, Weak<Lane>>>,
    poke: Notify,
    subscribers: Mutex<HashSet<Subscribed>>,
    meter: Arc<Meter>,
    stopping: CancellationToken,
    windows: Arc<Semaphore>,
}

impl Hub {
    /// Follows an engine until `stopping` is cancelled, which ends every stream. Within a tokio runtime only.
    #[must_use]
    pub fn new(engine: Arc<Engine>, stopping: CancellationToken) -> Arc<Self> {
        let hub = Arc::new(Self {
            engine,
            lanes: Mutex::default(),
            poke: Notify::new(),
            subscribers: Mutex::default(),
            meter: Arc::default(),
            stopping,
            windows: Arc::new(Semaphore::new(WINDOWS)),
        });
        tokio::spawn(Arc::clone(&hub).follow());
        hub
    }

    /// What it follows.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Cancelled when the server stops.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// A place among those who read much of the log at once, while there are some.
    pub(super) fn window(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.windows).try_acquire_owned().ok()
    }

    /// Runs what blocks on the disk, off the async threads.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        service::blocking(&self.engine, work).await
    }

    /// How many watch, or wait to.
    #[must_use]
    pub fn subscribers(&self) -> u64 {
        self.subscribed().len() as u64
    }

    /// How many commits each of those who watch has still to be sent, at this head.
    #[must_use]
    pub fn lags(&self, head: u64) -> Vec<u64> {
        let lag = |place: &Place| self.engine.commits_between(place.revision(), head);
        self.subscribed().iter().map(|subscribed| lag(&subscribed.0)).collect()
    }

    /// What has been encoded and sent.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    fn subscribed(&self) -> MutexGuard<'_, HashSet<Subscribed>> {
        self.subscribers.lock().expect("nothing panics while it holds this lock")
    }

    /// Counts as a subscriber as long as it lives.
    #[must_use]
    pub fn subscriber(self: &Arc<Self>) -> Subscriber {
        let place = Arc::new(Place::default());
        self.subscribed().insert(Subscribed(Arc::clone(&place)));
        Subscriber { hub: Arc::clone(self), place }
    }

    /// The lane of a selection.
    pub(super) fn lane(&self, selection: &Selection) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().expect("nothing panics while it holds this lock");
        if let Some(lane) = lanes.get(&selection.identity).and_then(Weak::upgrade) {
            return lane;
        }
        let lane = Arc::new(Lane::new(&self.engine, selection.clone(), Arc::clone(&self.meter)));
        lanes.insert(Arc::clone(&selection.identity), Arc::downgrade(&lane));
        drop(lanes);
        self.poke();
        lane
    }

    /// Somebody waits for a lane that is behind the head.
    pub(super) fn poke(&self) {
        self.poke.notify_one();
    }

    /// The lanes that somebody uses, and what each may keep.
    fn lanes(&self) -> (Vec<Arc<Lane>>, Capacity) {
        let mut lanes = self.lanes.lock().expect("nothing panics while it holds this lock");
        let mut used = Vec::with_capacity(lanes.len());
        lanes.retain(|_, lane| lane.upgrade().map(|lane| used.push(lane)).is_some());
        let share = |all: usize, least, most| (all / used.len().max(1)).clamp(least, most);
        let capacity =
            Capacity { bytes: share(BYTES, LEAST_BYTES, MOST_BYTES), changes: share(CHANGES, LEAST_CHANGES, MOST_CHANGES) };
        (used, capacity)
    }

    async fn follow(self: Arc<Self>) {
        let mut head = self.engine.follow();
        loop {
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => break,
                changed = head.changed() => if changed.is_err() { break },
                () = self.poke.notified() => {}
            }
            head.mark_unchanged();
            self.advance().await;
        }
        self.lanes().0.iter().for_each(|lane| lane.close());
    }

    async fn advance(&self) {
        let head = self.engine.head().revision;
        let (lanes, capacity) = self.lanes();
        for lane in lanes {
            if lane.wants(head) {
                self.take_further(Arc::clone(&lane), head, capacity).await;
            }
            if let Some(revision) = lane.begin_summing_up() {
                self.sum_up(lane, revision);
            }
        }
    }

    async fn take_further(&self, lane: Arc<Lane>, head: u64, capacity: Capacity) {
        if self.engine.changes_after(lane.tip().revision, ENCODED_IN_PLACE) <= ENCODED_IN_PLACE {
            return lane.advance(&self.engine, head, capacity);
        }
        let advance = move |engine: &Engine| {
            lane.advance(engine, head, capacity);
            Ok(())
        };
        if let Err(error) = self.blocking(advance).await {
            tracing::debug!(%error, "a lane was not taken further");
        }
    }

    fn sum_up(&self, lane: Arc<Lane>, revision: u64) {
        let engine = Arc::clone(&self.engine);
        task::spawn_blocking(move || match lane.sum_up(&engine, revision) {
            Ok(digest) => lane.summed_up(revision, digest),
            Err(error) => tracing::error!(%error, "cannot sum up the state for its digest"),
        });
    }
}

/// See [`Hub::subscriber`].
pub struct Subscriber {
    hub: Arc<Hub>,
    place: Arc<Place>,
}

impl Subscriber {
    /// What it has still to be sent comes after this revision.
    pub(crate) fn stands_at(&self, revision: u64) {
        self.place.0.store(revision, Ordering::Relaxed);
    }

    /// It has been sent all there is, and waits for more.
    pub(crate) fn waits(&self) {
        self.stands_at(u64::MAX);
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.hub.subscribed().remove(&Subscribed(Arc::clone(&self.place)));
    }
}

/// Where a subscriber stands.
struct Place(AtomicU64);

impl Default for Place {
    /// Of one who has not begun.
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Place {
    fn revision(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One of those who watch, whatever the place.
struct Subscribed(Arc<Place>);

impl PartialEq for Subscribed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Subscribed {}

impl Hash for Subscribed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// What has been encoded once for all who see the same, and what they took of it.
#[derive(Debug, Default)]
pub struct Meter {
    /// Bytes that were encoded.
    pub encoded: Counter,
    /// Bytes that were taken.
    pub shared: Counter,
}
