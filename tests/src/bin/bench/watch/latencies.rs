//! Times in buckets: as many as there are, in the same memory.

use std::time::Duration;

/// Buckets to each doubling: a time is told to within 3 %.
const STEPS: u64 = 32;

/// Counts of times.
#[derive(Clone)]
pub(super) struct Latencies {
    buckets: Vec<u64>,
    count: u64,
}

impl Latencies {
    pub(super) fn new() -> Self {
        Self { buckets: vec![0; bucket(u64::MAX) + 1], count: 0 }
    }

    pub(super) fn add(&mut self, nanos: u64) {
        self.buckets[bucket(nanos)] += 1;
        self.count += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(mine, others)| *mine += others);
        self.count += other.count;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The time that this share of them does not exceed.
    pub(super) fn at(&self, share: f64) -> Duration {
        let rank = (self.count as f64 * share) as u64;
        let mut below = 0;
        let reached = self.buckets.iter().position(|&count| {
            below += count;
            below > rank
        });
        Duration::from_nanos(reached.map_or(0, start))
    }
}

/// Up to twice [`STEPS`] a bucket each; above, [`STEPS`] to each power of two.
fn bucket(nanos: u64) -> usize {
    let doublings = (nanos | STEPS).ilog2() - STEPS.ilog2();
    (u64::from(doublings) * STEPS + (nanos >> doublings)) as usize
}

/// The least time of a bucket.
fn start(bucket: usize) -> u64 {
    let (row, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    let doublings = row.saturating_sub(1);
    (STEPS * (row - doublings) + step) << doublings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_starts_at_most_a_step_below_its_times() {
        for nanos in (0..64).flat_map(|shift| [1_u64 << shift, (1 << shift) + (1 << shift) / 3, u64::MAX >> shift]) {
            let start = start(bucket(nanos));
            assert!(start <= nanos && nanos - start <= nanos / STEPS, "{nanos} is in the bucket of {start}");
        }
    }
}
