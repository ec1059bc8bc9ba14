use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicator_proto::Time;

use super::{Error, read, shared::Shared};

/// How far back watches are replayed change by change. It limits replays alone: the record keeps everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// As many of the newest commits.
    pub commits: u64,
    /// Commits that are no older.
    pub age: Duration,
}

impl Retention {
    /// From the first commit on.
    pub const EVERYTHING: Self = Self { commits: u64::MAX, age: Duration::MAX };
}

/// How long the revision that an age comes down to is used before it is looked up again.
const LOOKED_UP: Duration = Duration::from_secs(10);

/// The oldest revision after which watches are replayed: the latest of what was compacted, and what the retention allows.
pub(super) struct Horizon {
    retention: Retention,
    clock: fn() -> Time,
    compacted: AtomicU64,
    /// What the age came down to, and when that was looked up.
    aged: Mutex<Option<(Instant, u64)>>,
}

impl Horizon {
    pub(super) fn new(retention: Retention, clock: fn() -> Time, compacted: u64) -> Self {
        Self { retention, clock, compacted: AtomicU64::new(compacted), aged: Mutex::new(None) }
    }

    pub(super) fn revision(&self, shared: &Shared) -> Result<u64, Error> {
        let gaps = shared.store.gaps();
        let counted = gaps.nth(gaps.count(shared.head().revision).saturating_sub(self.retention.commits));
        Ok(self.compacted.load(Ordering::Acquire).max(counted).max(self.aged(shared)?))
    }

    /// The last commit that is too old.
    fn aged(&self, shared: &Shared) -> Result<u64, Error> {
        let mut aged = self.aged.lock().expect("nothing panics while it holds this lock");
        if let Some((_, revision)) = aged.filter(|(when, _)| when.elapsed() < LOOKED_UP) {
            return Ok(revision);
        }
        let micros = i64::try_from(self.retention.age.as_micros()).unwrap_or(i64::MAX);
        let oldest = Time::from_micros((self.clock)().micros().saturating_sub(micros));
        let found = oldest.map_or(Ok(0), |oldest| read::revision_at(shared, oldest));
        let revision = match (found, *aged) {
            // A store that fails must still tell how it is, and a horizon that lags only makes replays longer.
            (Err(_), Some((_, known))) => known,
            (found, _) => found?,
        };
        *aged = Some((Instant::now(), revision));
        Ok(revision)
    }

    /// Moves it forward, durably. Answers where it is.
    pub(super) fn compact(&self, shared: &Shared, revision: u64) -> Result<u64, Error> {
        let head = shared.head().revision;
        if revision > head {
            return Err(Error::FutureRevision { asked: revision, head });
        }
        if revision > self.compacted.load(Ordering::Acquire) {
            shared.store.set_horizon(revision)?;
            self.compacted.fetch_max(revision, Ordering::AcqRel);
        }
        self.revision(shared)
    }
}
