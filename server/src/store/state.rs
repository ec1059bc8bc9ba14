use std::{borrow::Borrow, cmp::Reverse};

use indicator_proto::{Period, Time};

use super::Version;

/// The current version of every cell of a series at one revision, tombstones included: a later backfill must not bring back
/// a figure that was withdrawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesState {
    /// The last commit that touched the series; 0 if none has.
    pub revision: u64,
    /// Sorted by period, each once.
    cells: Vec<Version>,
    /// Delta blocks since the last base block.
    pub(super) deltas: u32,
    /// Cells in them.
    pub(super) delta_cells: u32,
}

impl SeriesState {
    /// From all versions read, in any order.
    pub(super) fn new(revision: u64, versions: Vec<Version>, deltas: u32, delta_cells: u32) -> Self {
        Self { revision, cells: current(versions), deltas, delta_cells }
    }

    /// The cells, tombstones included, sorted by period.
    #[must_use]
    pub fn cells(&self) -> &[Version] {
        &self.cells
    }

    /// The current version of a cell, a tombstone too.
    #[must_use]
    pub fn cell(&self, period: Period) -> Option<&Version> {
        self.cells.binary_search_by_key(&period, |v| v.period).ok().map(|index| &self.cells[index])
    }

    /// Takes in the versions of a new commit, sorted by period.
    pub fn record<V: Borrow<Version>>(&mut self, revision: u64, versions: &[V]) {
        self.revision = revision;
        self.deltas += 1;
        self.delta_cells += versions.len() as u32;
        let mut inserted = false;
        let old = self.cells.len();
        for version in versions.iter().map(Borrow::borrow) {
            match self.cells[..old].binary_search_by_key(&version.period, |v| v.period) {
                Ok(index) if version.rank() > self.cells[index].rank() => self.cells[index] = version.clone(),
                Ok(_) => {}
                Err(_) => {
                    self.cells.push(version.clone());
                    inserted = true;
                }
            }
        }
        if inserted {
            // Appending at the end is the common case, and a sort of sorted runs is a merge.
            self.cells.sort_by_key(|v| v.period);
        }
    }

    /// Whether reading has become so much longer than writing a base block that one is due.
    pub(super) fn wants_base(&self) -> bool {
        self.deltas >= 64 || (self.deltas >= 16 && self.delta_cells as usize * 4 >= self.cells.len())
    }

    pub(super) fn based(&mut self) {
        self.deltas = 0;
        self.delta_cells = 0;
    }
}

/// The greatest version of each period, sorted by period.
pub(super) fn current(mut versions: Vec<Version>) -> Vec<Version> {
    if !versions.is_sorted_by(|a, b| a.period < b.period) {
        versions.sort_by_key(|v| (v.period, Reverse(v.rank())));
        versions.dedup_by_key(|v| v.period);
    }
    versions
}

/// The greatest version of each period among those published by `until`.
pub(super) fn published(mut versions: Vec<Version>, until: Time) -> Vec<Version> {
    versions.retain(|v| v.published_at <= until);
    current(versions)
}
