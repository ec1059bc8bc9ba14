//! How much room the store takes, and leaves.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::Error;

/// When writes are stopped for want of room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskLimits {
    /// Bytes of the file system that stay free: sled cannot go on after a failed write, and must never meet a full disk.
    pub min_free: u64,
    /// Bytes that the store may take; 0 is no limit.
    pub quota: u64,
}

impl Default for DiskLimits {
    /// Room for a group of commits, and for sled to move segments.
    fn default() -> Self {
        Self { min_free: 64 << 20, quota: 0 }
    }
}

/// Writes that were stopped go on only when this much more is free: a tenth of the floor, and no less than this.
const LEAST_MORE_FREE: u64 = 16 << 20;

/// Writes that were stopped go on only when the store takes no more than this of its quota, in per cent.
const RESUMED: u64 = 95;

/// The limits, and whether they stop writes now. A limit that was passed is left behind by a margin, or writes would stop and go on
/// with every group.
#[derive(Debug)]
pub(super) struct Room {
    min_free: AtomicU64,
    quota: AtomicU64,
    is_low: AtomicBool,
    is_over: AtomicBool,
}

impl Room {
    pub(super) fn new(limits: DiskLimits) -> Self {
        let DiskLimits { min_free, quota } = limits;
        Self {
            min_free: AtomicU64::new(min_free),
            quota: AtomicU64::new(quota),
            is_low: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        }
    }

    pub(super) fn set_limits(&self, limits: DiskLimits) {
        self.min_free.store(limits.min_free, Relaxed);
        self.quota.store(limits.quota, Relaxed);
    }

    pub(super) fn limits(&self) -> DiskLimits {
        DiskLimits { min_free: self.min_free.load(Relaxed), quota: self.quota.load(Relaxed) }
    }

    /// Whether the file system has room, with as many bytes free.
    pub(super) fn check_free(&self, free: u64) -> Result<(), Error> {
        let min_free = self.min_free.load(Relaxed);
        let needed = min_free.saturating_add((min_free / 10).max(LEAST_MORE_FREE));
        let low = free < if self.is_low.load(Relaxed) { needed } else { min_free };
        self.is_low.store(low, Relaxed);
        if low { Err(Error::Full { free, needed }) } else { Ok(()) }
    }

    /// Whether the store is within its quota; it is asked for its size if there is one.
    pub(super) fn check_quota(&self, size: impl FnOnce() -> Result<u64, Error>) -> Result<(), Error> {
        let quota = self.quota.load(Relaxed);
        if quota == 0 {
            self.is_over.store(false, Relaxed);
            return Ok(());
        }
        let size = size()?;
        let enough = size.saturating_mul(100).div_ceil(RESUMED);
        let over = if self.is_over.load(Relaxed) { quota < enough } else { quota < size };
        self.is_over.store(over, Relaxed);
        if over { Err(Error::OverQuota { size, quota, enough }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn writes_stop_below_the_floor_and_go_on_above_it_by_a_margin() {
        for (min_free, resumed) in [(64 * MIB, 80 * MIB), (1000 * MIB, 1100 * MIB)] {
            let room = Room::new(DiskLimits { min_free, quota: 0 });
            assert!(room.check_free(min_free).is_ok());
            let Err(Error::Full { needed, .. }) = room.check_free(min_free - 1) else { panic!("below {min_free}") };
            assert_eq!(needed, resumed, "what the error asks for is enough");
            assert!(room.check_free(resumed - 1).is_err());
            assert!(room.check_free(resumed).is_ok());
            assert!(room.check_free(min_free).is_ok(), "and it takes a fall below the floor to stop again");
        }
    }

    #[test]
    fn writes_stop_above_the_quota_and_go_on_with_the_quota_that_the_error_asks_for() {
        let room = Room::new(DiskLimits { min_free: 0, quota: 1000 });
        assert!(room.check_quota(|| Ok(1000)).is_ok());
        let Err(Error::OverQuota { enough, .. }) = room.check_quota(|| Ok(1001)) else { panic!("above the quota") };
        room.set_limits(DiskLimits { min_free: 0, quota: enough - 1 });
        assert!(room.check_quota(|| Ok(1001)).is_err());
        room.set_limits(DiskLimits { min_free: 0, quota: enough });
        assert!(room.check_quota(|| Ok(1001)).is_ok());
        assert!(room.check_quota(|| Ok(enough)).is_ok());
    }

    #[test]
    fn a_quota_that_is_taken_away_stops_nothing_and_needs_no_size() {
        let room = Room::new(DiskLimits { min_free: 0, quota: 10 });
        assert!(room.check_quota(|| Ok(11)).is_err());
        room.set_limits(DiskLimits { min_free: 0, quota: 0 });
        assert!(room.check_quota(|| panic!("nobody asks")).is_ok());
        room.set_limits(DiskLimits { min_free: 0, quota: 11 });
        assert!(room.check_quota(|| Ok(11)).is_ok());
    }
}
