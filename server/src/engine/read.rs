//! Reads that need no filter: the state of a series, and commits.

use std::sync::Arc;

use indicator_proto::{Time, v1::EntryKind};

use super::{CellChange, Commit, Error, SeriesChanges, catalog, shared::Shared, wanted};
use crate::store::{self, Header, Version};

/// A moment of the record, resolved: versions up to a revision, and perhaps only those published by a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The newest commit that counts.
    pub revision: u64,
    /// Only versions published by then.
    pub published_at: Option<Time>,
}

/// The current version of each cell of a series at a moment, by period; tombstones included.
pub(super) fn cells(shared: &Shared, series: u32, moment: Moment) -> Result<Cells, Error> {
    wanted::check()?;
    match moment.published_at {
        None => Ok(Cells::Current(shared.state(series, moment.revision)?)),
        Some(until) => Ok(Cells::Published(shared.store.published_state(series, moment.revision, until)?)),
    }
}

/// As [`cells`], for reads of many series.
pub(super) fn cells_uncached(shared: &Shared, series: u32, moment: Moment) -> Result<Cells, Error> {
    wanted::check()?;
    match moment.published_at {
        None => Ok(Cells::Current(shared.state_uncached(series, moment.revision)?)),
        Some(until) => Ok(Cells::Published(shared.store.published_state(series, moment.revision, until)?)),
    }
}

/// The cells of a series, shared with the cache or made for the occasion.
#[derive(Debug)]
pub(super) enum Cells {
    Current(Arc<store::SeriesState>),
    Published(Vec<Version>),
}

impl std::ops::Deref for Cells {
    type Target = [Version];

    fn deref(&self) -> &[Version] {
        match self {
            Self::Current(state) => state.cells(),
            Self::Published(versions) => versions,
        }
    }
}

/// The last commit recorded by a time; 0 if there is none.
pub(super) fn revision_at(shared: &Shared, time: Time) -> Result<u64, Error> {
    let gaps = shared.store.gaps();
    // Counted, since not every number has a commit.
    let (mut low, mut high) = (0, gaps.count(shared.head().revision));
    // Times never go back, so the log is sorted by them.
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if header(shared, gaps.nth(middle))?.time()? <= time { low = middle } else { high = middle - 1 }
    }
    Ok(gaps.nth(low))
}

pub(super) fn header(shared: &Shared, revision: u64) -> Result<Header, Error> {
    let header = shared.store.header(revision)?;
    header.ok_or_else(|| store::Error::Corrupt(format!("commit {revision} is missing from the log")).into())
}

/// A commit as it was made: from memory if it is recent, else from the store.
pub(super) fn commit(shared: &Shared, revision: u64, with_previous: bool) -> Result<Arc<Commit>, Error> {
    wanted::check()?;
    if let Some(commit) = shared.recent(revision) {
        return Ok(commit);
    }
    let header = header(shared, revision)?;
    let touched = shared.store.touched(revision)?;
    let mut series = Vec::with_capacity(touched.series.len());
    for id in touched.series {
        let key = Arc::clone(shared.index().key(id));
        series.push(SeriesChanges { id, key, changes: changes(shared, id, revision, with_previous)? });
    }
    Ok(Arc::new(Commit::logged(revision, header, series, entry_changes(shared, revision, &touched.entries))?))
}

fn changes(shared: &Shared, series: u32, revision: u64, with_previous: bool) -> Result<Vec<CellChange>, Error> {
    let versions = shared.store.delta(series, revision)?;
    if !with_previous {
        return Ok(versions.into_iter().map(|version| CellChange { version, previous: None }).collect());
    }
    let before = shared.store.state(series, revision - 1)?;
    let change = |version: Version| {
        let previous = before.cell(version.period).filter(|v| !v.figure.is_withdrawn()).cloned().map(Box::new);
        CellChange { version, previous }
    };
    Ok(versions.into_iter().map(change).collect())
}

pub(super) fn entry_changes(shared: &Shared, revision: u64, touched: &[(u8, String)]) -> Vec<catalog::Change> {
    let versions = shared.catalog.load();
    let (before, after) = (versions.at(revision - 1), versions.at(revision));
    let change = |(kind, id): &(u8, String)| {
        let kind = EntryKind::try_from(i32::from(*kind)).ok()?;
        let at = |view: catalog::View<'_>| view.entry(kind, id).map(|(_, entry)| entry.clone());
        match (at(before), at(after)) {
            (None, None) => None,
            (None, Some(after)) => Some(catalog::Change::Inserted(after)),
            (Some(before), Some(after)) => Some(catalog::Change::Revised(before, after)),
            (Some(before), None) => Some(catalog::Change::Deleted(before)),
        }
    };
    touched.iter().filter_map(change).collect()
}
