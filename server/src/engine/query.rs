use std::{ops::ControlFlow, sync::Arc};

use indicator_proto::{Period, SeriesKey};
use roaring::RoaringBitmap;

use super::{
    Error, Filter, Moment, Sources,
    catalog::View,
    preferred::{self, by_period, choose, recency, source_rank},
    read::{self, Cells},
    shared::Shared,
};
use crate::store::Version;

/// A row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The version; a tombstone only where changes were asked for.
    pub version: Version,
    /// How many other sources report the cell; 0 unless the preferred source was asked for.
    pub other_sources: u32,
    /// Whether one of them contradicts it.
    pub sources_disagree: bool,
}

/// Rows of one series, by period.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// The series.
    pub key: Arc<SeriesKey>,
    /// At least one.
    pub rows: Vec<Row>,
}

/// The last cell that was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// The series, or the first of its subject.
    pub series: u32,
    /// Number of the period's frequency, and its ordinal.
    pub period: (u8, i32),
}

impl Cursor {
    pub(super) fn new(series: u32, period: Period) -> Self {
        Self { series, period: (period.frequency() as u8, period.ordinal()) }
    }

    /// Before the first cell of a series.
    pub(super) fn before(series: u32) -> Self {
        // No frequency has this number.
        Self { series, period: (0, i32::MIN) }
    }

    /// Whether a cell comes after the cursor.
    pub(super) fn is_before(self, series: u32, period: Period) -> bool {
        (self.series, self.period) < (series, Self::new(series, period).period)
    }
}

/// A query, checked.
#[derive(Debug, Clone)]
pub struct Query {
    /// Which cells.
    pub filter: Filter,
    /// When.
    pub moment: Moment,
    /// Only the latest periods of each series; 0 is all.
    pub latest_n: u32,
    /// Only cells changed after this revision; 0 is all.
    pub updated_after: u64,
    /// At most this many rows; 0 is all.
    pub page_size: u32,
    /// Go on after this cell.
    pub after: Option<Cursor>,
}

/// As much of a chunk as is wanted, at least a row: the answer ends there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enough {
    /// How many rows.
    pub rows: usize,
    /// The period of the last of them.
    pub last: Period,
}

/// How a query ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows delivered.
    pub rows: u64,
    /// Where the next page goes on; `None` if this was the last.
    pub next: Option<Cursor>,
}

/// Delivers the chunks of an answer in order, by series in order of their creation. Stops early when `deliver` says so.
pub(super) fn run(
    shared: &Shared,
    query: &Query,
    mut deliver: impl FnMut(Chunk) -> ControlFlow<Enough>,
) -> Result<Summary, Error> {
    let catalog = shared.catalog.load_full();
    let view = catalog.at(query.moment.revision);
    let mut series = query.filter.series(view, &shared.index());
    if let Some(after) = query.after {
        series.remove_range(..after.series);
    }
    if let Some(changed) = changed_series(shared, query)? {
        series &= changed;
    }
    let mut summary = Summary::default();
    for id in series {
        let (first, chunks) = match query.filter.sources {
            Sources::Preferred => match subject_chunks(shared, view, query, id)? {
                Some(chunks) => (id, chunks),
                None => continue,
            },
            Sources::All | Sources::Named(_) => (id, series_chunk(shared, query, id)?.into_iter().collect()),
        };
        for mut chunk in chunks {
            let mut full = false;
            if query.page_size != 0 {
                let room = u64::from(query.page_size) - summary.rows;
                if room == 0 {
                    return Ok(summary);
                }
                full = chunk.rows.len() as u64 > room;
                chunk.rows.truncate(usize::try_from(room).unwrap_or(usize::MAX));
            }
            let (before, rows) = (summary.rows, chunk.rows.len() as u64);
            summary.next = chunk.rows.last().map(|r| Cursor::new(first, r.version.period));
            if let ControlFlow::Break(Enough { rows, last }) = deliver(chunk) {
                return Ok(Summary { rows: before + rows as u64, next: Some(Cursor::new(first, last)) });
            }
            summary.rows = before + rows;
            if full {
                return Ok(summary);
            }
        }
    }
    // Everything was delivered; if the last row filled the page, nothing is left for another.
    summary.next = None;
    Ok(summary)
}

/// Series that commits after `updated_after` touched, read from the log while that is short.
fn changed_series(shared: &Shared, query: &Query) -> Result<Option<RoaringBitmap>, Error> {
    if query.updated_after == 0 || shared.store.gaps().between(query.updated_after, query.moment.revision) > 10_000 {
        return Ok(None);
    }
    let mut changed = RoaringBitmap::new();
    for logged in shared.store.history(query.updated_after) {
        let logged = logged?;
        if logged.revision > query.moment.revision {
            break;
        }
        changed.extend(logged.touched.series);
    }
    if query.filter.sources == Sources::Preferred {
        // A subject is visited at its first series, whichever of them changed.
        let index = shared.index();
        let firsts: Vec<u32> = changed.iter().filter_map(|id| index.same_subject(index.key(id)).first().copied()).collect();
        changed.extend(firsts);
    }
    Ok(Some(changed))
}

/// The rows of one series.
fn series_chunk(shared: &Shared, query: &Query, id: u32) -> Result<Option<Chunk>, Error> {
    let cells = read::cells_uncached(shared, id, query.moment)?;
    let shown = |v: &&Version| {
        let live = if query.updated_after == 0 { !v.figure.is_withdrawn() } else { v.revision > query.updated_after };
        live && query.filter.takes(v.period)
    };
    let mut rows: Vec<Row> = match cells {
        Cells::Current(state) => state.cells().iter().filter(shown).cloned().map(Row::alone).collect(),
        Cells::Published(versions) => versions.into_iter().filter(|v| shown(&v)).map(Row::alone).collect(),
    };
    latest(&mut rows, query.latest_n);
    rows.retain(|row| query.after.is_none_or(|after| after.is_before(id, row.version.period)));
    let key = Arc::clone(shared.index().key(id));
    Ok((!rows.is_empty()).then_some(Chunk { key, rows }))
}

impl Row {
    /// A row without regard to other sources.
    fn alone(version: Version) -> Self {
        Self { version, other_sources: 0, sources_disagree: false }
    }
}

/// The rows of the preferred source, cell by cell, of all series of the subject of `id`, as chunks of one source each. `None`
/// if the subject was visited at an earlier series.
fn subject_chunks(shared: &Shared, view: View<'_>, query: &Query, id: u32) -> Result<Option<Vec<Chunk>>, Error> {
    let keys: Vec<(u32, Arc<SeriesKey>)> = {
        let index = shared.index();
        let subject = index.same_subject(index.key(id));
        if subject.first() != Some(&id) {
            return Ok(None);
        }
        subject.iter().map(|&id| (id, Arc::clone(index.key(id)))).collect()
    };
    if keys.len() == 1 {
        return Ok(Some(series_chunk(shared, query, id)?.into_iter().collect()));
    }
    let mut rows = preferred_rows(shared, view, query, &keys)?;
    latest_of(&mut rows, query.latest_n, |(_, row)| row.version.period);
    rows.retain(|(_, row)| query.after.is_none_or(|after| after.is_before(id, row.version.period)));
    let mut chunks: Vec<(usize, Chunk)> = Vec::new();
    for (source, row) in rows {
        match chunks.last_mut() {
            Some((last, chunk)) if *last == source => chunk.rows.push(row),
            _ => chunks.push((source, Chunk { key: Arc::clone(&keys[source].1), rows: vec![row] })),
        }
    }
    Ok(Some(chunks.into_iter().map(|(_, chunk)| chunk).collect()))
}

/// The preferred row of each cell with the index of its series, by period.
fn preferred_rows(
    shared: &Shared,
    view: View<'_>,
    query: &Query,
    keys: &[(u32, Arc<SeriesKey>)],
) -> Result<Vec<(usize, Row)>, Error> {
    let cells = keys.iter().map(|(id, _)| read::cells_uncached(shared, *id, query.moment)).collect::<Result<Vec<_>, _>>()?;
    let series: Vec<(preferred::SourceRank, &[Version])> =
        keys.iter().zip(&cells).map(|((_, key), cells)| (source_rank(view, key), &**cells)).collect();
    let mut rows = Vec::new();
    by_period(&series, |period, candidates| {
        let changed = query.updated_after == 0 || candidates.iter().any(|c| c.version.revision > query.updated_after);
        let Some(verdict) = choose(candidates).filter(|_| changed && query.filter.takes(period)) else { return };
        if query.updated_after == 0 && verdict.preferred.version.figure.is_withdrawn() {
            return;
        }
        let row =
            Row { version: verdict.preferred.version.clone(), other_sources: verdict.others, sources_disagree: verdict.disagree };
        rows.push((verdict.preferred.series, row));
    });
    Ok(rows)
}

fn latest(rows: &mut Vec<Row>, n: u32) {
    latest_of(rows, n, |row| row.version.period);
}

/// Keeps the `n` most recent, in their order; all if `n` is 0.
fn latest_of<T>(rows: &mut Vec<T>, n: u32, period: impl Fn(&T) -> Period) {
    let n = n as usize;
    if n == 0 || rows.len() <= n {
        return;
    }
    let mut recencies: Vec<_> = rows.iter().map(|row| recency(period(row))).collect();
    recencies.sort_unstable();
    let least = recencies[recencies.len() - n];
    rows.retain(|row| recency(period(row)) >= least);
}

/// The figure of one cell of a series, or of the preferred source if the key names none; of the latest period if none is named.
pub(super) fn cell(
    shared: &Shared,
    key: &SeriesKey,
    period: Option<Period>,
    moment: Moment,
) -> Result<Option<(Arc<SeriesKey>, Row)>, Error> {
    let pick = |cells: &[Version]| -> Option<Version> {
        let live = |v: &&Version| !v.figure.is_withdrawn();
        match period {
            Some(period) => cells.binary_search_by_key(&period, |v| v.period).ok().map(|i| &cells[i]).filter(live).cloned(),
            None => cells.iter().filter(live).max_by_key(|v| recency(v.period)).cloned(),
        }
    };
    if !key.source.is_empty() {
        let found = {
            let index = shared.index();
            index.id(key).map(|id| (id, Arc::clone(index.key(id))))
        };
        let Some((id, key)) = found else { return Ok(None) };
        return Ok(pick(&read::cells(shared, id, moment)?).map(|version| (key, Row::alone(version))));
    }
    let keys: Vec<(u32, Arc<SeriesKey>)> = {
        let index = shared.index();
        index.same_subject(key).iter().map(|&id| (id, Arc::clone(index.key(id)))).collect()
    };
    if let [(id, key)] = keys.as_slice() {
        return Ok(pick(&read::cells(shared, *id, moment)?).map(|version| (Arc::clone(key), Row::alone(version))));
    }
    let catalog = shared.catalog.load();
    let query = Query { filter: Filter::default(), moment, latest_n: 0, updated_after: 0, page_size: 0, after: None };
    let rows = preferred_rows(shared, catalog.at(moment.revision), &query, &keys)?;
    let chosen = match period {
        Some(period) => rows.into_iter().find(|(_, row)| row.version.period == period),
        None => rows.into_iter().max_by_key(|(_, row)| recency(row.version.period)),
    };
    Ok(chosen.map(|(source, row)| (Arc::clone(&keys[source].1), row)))
}
