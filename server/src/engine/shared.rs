use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, RwLock, RwLockReadGuard},
};

use arc_swap::ArcSwap;
use indicator_proto::Time;
use quick_cache::{Weighter, sync::Cache};
use tokio::sync::watch;

use super::{Commit, Error, Meter, SeriesIndex, alarm::Alarms, catalog::Catalog, picture::Numbers};
use crate::store::{self, SeriesState, Store};

/// Memory for decoded states of series, in bytes.
const CACHE_BYTES: u64 = 128 << 20;

/// As many recent changed cells are kept decoded, for watches and repeated requests.
const RECENT_CELLS: usize = 50_000;

/// The newest commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 before the first.
    pub revision: u64,
    /// When it was recorded; `None` before the first.
    pub time: Option<Time>,
    /// Its hash; zeros before the first.
    pub hash: [u8; 32],
}

#[derive(Debug, Clone)]
struct StateWeight;

impl Weighter<u32, Arc<SeriesState>> for StateWeight {
    fn weight(&self, _: &u32, state: &Arc<SeriesState>) -> u64 {
        (64 + std::mem::size_of_val(state.cells())) as u64
    }
}

/// The newest commits, decoded.
#[derive(Default)]
struct Recent {
    commits: VecDeque<Arc<Commit>>,
    /// Changed cells in all of them, and one for each commit itself.
    cells: usize,
}

impl Recent {
    fn push(&mut self, commit: Arc<Commit>) {
        self.cells += weight(&commit);
        self.commits.push_back(commit);
        while self.cells > RECENT_CELLS && self.commits.len() > 1 {
            self.cells -= self.commits.pop_front().map_or(0, |c| weight(&c));
        }
    }

    fn get(&self, revision: u64) -> Option<Arc<Commit>> {
        let found = self.commits.binary_search_by_key(&revision, |c| c.revision);
        found.ok().map(|index| Arc::clone(&self.commits[index]))
    }
}

fn weight(commit: &Commit) -> usize {
    commit.counts.total() as usize + 1
}

/// What the writer and the readers share. The writer publishes a commit by first filling everything here and then advancing
/// the head; a reader fixes the head first and ignores what is newer.
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) catalog: ArcSwap<Catalog>,
    pub(super) alarms: Alarms,
    pub(super) meter: Meter,
    index: RwLock<SeriesIndex>,
    /// Lines of derived indicators that are watched.
    numbers: Mutex<Numbers>,
    cache: Cache<u32, Arc<SeriesState>, StateWeight>,
    recent: RwLock<Recent>,
    head: watch::Sender<Head>,
}

impl Shared {
    pub(super) fn new(store: Store, catalog: Catalog, index: SeriesIndex, head: Head, clock: fn() -> Time) -> Self {
        Self {
            store,
            catalog: ArcSwap::from_pointee(catalog),
            alarms: Alarms::new(clock),
            meter: Meter::default(),
            index: RwLock::new(index),
            numbers: Mutex::default(),
            cache: Cache::with_weighter(100_000, CACHE_BYTES, StateWeight),
            recent: RwLock::default(),
            head: watch::Sender::new(head),
        }
    }

    pub(super) fn head(&self) -> Head {
        *self.head.borrow()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, SeriesIndex> {
        self.index.read().expect("the writer does not panic while it adds series")
    }

    pub(super) fn change_index<T>(&self, change: impl FnOnce(&mut SeriesIndex) -> T) -> T {
        change(&mut self.index.write().expect("the writer does not panic while it adds series"))
    }

    /// Numbers lines of derived indicators, or tells their numbers.
    pub(super) fn number<T>(&self, number: impl FnOnce(&mut Numbers) -> T) -> T {
        number(&mut self.numbers.lock().expect("nothing panics while it holds this lock"))
    }

    /// The current state of a series at a revision.
    ///
    /// The cache holds the newest state of a series; it answers for every revision from that state's own on, as long as the
    /// index knows of no later commit to the series.
    pub(super) fn state(&self, series: u32, revision: u64) -> Result<Arc<SeriesState>, Error> {
        let last = self.index().last_revision(series);
        if last.is_some_and(|last| last <= revision)
            && let Some(state) = self.cache.get(&series)
            && Some(state.revision) == last
        {
            return Ok(state);
        }
        let at_head = revision == self.head().revision;
        let state = Arc::new(self.store.state(series, revision)?);
        if last.is_none() && at_head && state.revision != 0 {
            self.index().found(series, state.revision);
        }
        if self.index().last_revision(series) == Some(state.revision) {
            self.cache.insert(series, Arc::clone(&state));
        }
        Ok(state)
    }

    /// As [`Shared::state`], for reads of many series, which would only push the hot ones out of the cache.
    pub(super) fn state_uncached(&self, series: u32, revision: u64) -> Result<Arc<SeriesState>, Error> {
        let last = self.index().last_revision(series);
        if last.is_some_and(|last| last <= revision)
            && let Some(state) = self.cache.peek(&series)
            && Some(state.revision) == last
        {
            return Ok(state);
        }
        Ok(Arc::new(self.store.state(series, revision)?))
    }

    /// Takes the newest state out of the cache, so that the writer can change it in place.
    pub(super) fn take_state(&self, series: u32, head: u64) -> Result<SeriesState, Error> {
        let last = self.index().last_revision(series);
        match self.cache.remove(&series) {
            Some((_, state)) if last == Some(state.revision) => Ok(Arc::unwrap_or_clone(state)),
            _ => Ok(self.store.state(series, head)?),
        }
    }

    /// Gives a state to the readers; the head does not show it yet.
    pub(super) fn give_state(&self, series: u32, state: SeriesState) {
        let revision = state.revision;
        self.cache.insert(series, Arc::new(state));
        self.index().touched(series, revision);
    }

    /// Whether writes are possible now. Whoever follows the alarms learns of it too.
    pub(super) fn check_writable(&self) -> Result<(), store::Error> {
        let obstacles = self.store.obstacles();
        self.alarms.note(&obstacles);
        obstacles.into_iter().next().map_or(Ok(()), Err)
    }

    /// Advances the head over these commits, all of which are on disk.
    pub(super) fn publish(&self, commits: Vec<Arc<Commit>>) {
        let Some(last) = commits.last() else { return };
        let head = Head { revision: last.revision, time: Some(last.time), hash: last.hash };
        commits.iter().for_each(|commit| self.meter.committed(commit.counts));
        {
            let mut recent = self.recent.write().expect("nothing panics while it holds this lock");
            commits.into_iter().for_each(|commit| recent.push(commit));
        }
        self.head.send_replace(head);
    }

    /// Changed cells of the recent commits after a revision, and one for each commit; not counted far beyond `enough`.
    pub(super) fn recent_changes_after(&self, revision: u64, enough: u64) -> u64 {
        let recent = self.recent.read().expect("nothing panics while it holds this lock");
        let from = recent.commits.partition_point(|commit| commit.revision <= revision);
        let mut changes = 0;
        for commit in recent.commits.range(from..) {
            changes += weight(commit) as u64;
            if changes > enough {
                break;
            }
        }
        changes
    }

    /// A commit, if it is among the recent ones.
    pub(super) fn recent(&self, revision: u64) -> Option<Arc<Commit>> {
        self.recent.read().expect("nothing panics while it holds this lock").get(revision)
    }
}
