//! What a write changes in a series: pure, so that every replica and every replay decides alike.

use indicator_proto::{Period, Time};

use super::{CellChange, CellWrite, SeriesWrite};
use crate::store::{Figure, Kind, SeriesState, Version};

/// What a series write needs to know of the past.
pub(super) struct Past<'a> {
    /// The current state.
    pub(super) state: &'a SeriesState,
    /// The state of versions published by a time; asked only for times before a cell's current publication.
    pub(super) published: &'a mut dyn FnMut(Time) -> Result<Vec<Version>, crate::store::Error>,
}

/// When a commit is made.
#[derive(Clone, Copy)]
pub(super) struct Stamp {
    pub(super) revision: u64,
    pub(super) time: Time,
    /// `published_at` of cells that state none.
    pub(super) published_at: Time,
}

/// The new versions that `write` makes, by period, and how many cells were as asked already.
pub(super) fn plan(
    write: &SeriesWrite,
    stamp: Stamp,
    past: &mut Past<'_>,
) -> Result<(Vec<CellChange>, u32), crate::store::Error> {
    let mut history = History { asked: None };
    let mut changes = Vec::with_capacity(write.cells.len());
    let mut unchanged = 0;
    for cell in &write.cells {
        let published_at = cell.published_at.unwrap_or(stamp.published_at);
        match change(cell.period, &cell.figure, published_at, stamp, past, &mut history)? {
            Some(change) => changes.push(change),
            None => unchanged += 1,
        }
    }
    if write.withdraw_rest {
        let published_at = write.withdrawn_at.unwrap_or(stamp.published_at);
        for period in rest(&write.cells, past.state) {
            changes.extend(change(period, &Figure::withdrawn(), published_at, stamp, past, &mut history)?);
        }
        changes.sort_by_key(|c| c.version.period);
    }
    Ok((changes, unchanged))
}

/// Periods that the series has and the write does not name.
fn rest(cells: &[CellWrite], state: &SeriesState) -> Vec<Period> {
    let named = |period| cells.binary_search_by_key(&period, |c| c.period).is_ok();
    state.cells().iter().map(|v| v.period).filter(|period| !named(*period)).collect()
}

/// The last published state that was asked for: an edition has one date, so one is enough.
struct History {
    asked: Option<(Time, Vec<Version>)>,
}

impl History {
    fn at(&mut self, time: Time, past: &mut Past<'_>) -> Result<&[Version], crate::store::Error> {
        if self.asked.as_ref().is_none_or(|(asked, _)| *asked != time) {
            self.asked = Some((time, (past.published)(time)?));
        }
        Ok(self.asked.as_ref().map_or(&[], |(_, versions)| versions.as_slice()))
    }
}

/// The version that the figure makes; `None` if it says what the record said already at that publication.
fn change(
    period: Period,
    figure: &Figure,
    published_at: Time,
    stamp: Stamp,
    past: &mut Past<'_>,
    history: &mut History,
) -> Result<Option<CellChange>, crate::store::Error> {
    let state = past.state;
    let current = state.cell(period);
    let backfill = current.is_some_and(|c| c.published_at > published_at);
    let before = if backfill {
        let versions = history.at(published_at, past)?;
        versions.binary_search_by_key(&period, |v| v.period).ok().map(|index| &versions[index])
    } else {
        current
    };
    let same = match before {
        Some(before) => before.figure == *figure,
        // Nothing to withdraw.
        None => figure.is_withdrawn(),
    };
    if same {
        return Ok(None);
    }
    let previous = current.filter(|c| !c.figure.is_withdrawn());
    let kind = match (backfill, figure.is_withdrawn(), previous) {
        (true, _, _) => Kind::Backfilled,
        (_, true, _) => Kind::Deleted,
        (_, _, None) => Kind::Inserted,
        (_, _, Some(_)) => Kind::Revised,
    };
    let version =
        Version { period, kind, published_at, recorded_at: stamp.time, revision: stamp.revision, figure: figure.clone() };
    Ok(Some(CellChange { version, previous: previous.cloned().map(Box::new) }))
}
