use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use prometheus_client::metrics::{
    counter::Counter,
    histogram::{Histogram, exponential_buckets},
};

use super::Counts;

/// What the writer has done since the start.
#[derive(Debug)]
pub struct Meter {
    /// Commands in a group that shared one flush.
    pub group_size: Histogram,
    /// Seconds that a flush took.
    pub flush_seconds: Histogram,
    /// Commits.
    pub commits: Counter,
    /// Cells that had no figure before.
    pub inserted: Counter,
    /// Cells whose figure was replaced.
    pub revised: Counter,
    /// Cells whose figure was withdrawn.
    pub deleted: Counter,
    /// Versions behind the current one.
    pub backfilled: Counter,
    /// Counted on while the writer is not stuck.
    pulse: AtomicU64,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            group_size: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            flush_seconds: Histogram::new(exponential_buckets(0.000_1, 2.0, 18)),
            commits: Counter::default(),
            inserted: Counter::default(),
            revised: Counter::default(),
            deleted: Counter::default(),
            backfilled: Counter::default(),
            pulse: AtomicU64::new(0),
        }
    }
}

impl Meter {
    pub(super) fn beat(&self) {
        self.pulse.fetch_add(1, Relaxed);
    }

    /// Differs from what it was a few seconds ago, unless the writer is stuck.
    #[must_use]
    pub fn pulse(&self) -> u64 {
        self.pulse.load(Relaxed)
    }

    pub(super) fn flushed(&self, took: Duration) {
        self.flush_seconds.observe(took.as_secs_f64());
    }

    pub(super) fn committed(&self, counts: Counts) {
        self.commits.inc();
        for (counter, count) in [
            (&self.inserted, counts.inserted),
            (&self.revised, counts.revised),
            (&self.deleted, counts.deleted),
            (&self.backfilled, counts.backfilled),
        ] {
            counter.inc_by(count.into());
        }
    }
}
