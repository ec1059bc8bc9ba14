use std::{collections::VecDeque, ops::ControlFlow};

use bytes::Bytes;
use indicator_proto::v1::{self, EntryKind, watch_response::Message};

use super::{
    Selection,
    frames::{frame, put_frame},
};
use crate::{
    engine::{Engine, Error, Filter, Moment, Query, Sources, analysis::Computation},
    service::{encoded::PutField as _, encoder::ObservationEncoder},
};

/// Observations in one message.
const ROWS_PER_CHUNK: u32 = 1_000;

/// Entries in one message.
const ENTRIES_PER_CHUNK: usize = 1_000;

/// A snapshot that is being sent: each message is read when the reader asks for it, but for those that were read ahead.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    ahead: VecDeque<Bytes>,
    query: Query,
    /// What of the filter is derived comes after what is recorded.
    derived: Option<Computation>,
    entries: Vec<v1::CatalogEntry>,
    /// Observations sent.
    observations: u64,
    /// All recorded figures are read.
    recorded: bool,
    complete: bool,
}

impl Snapshot {
    /// The state at a revision. Blocks.
    pub(super) fn new(engine: &Engine, selection: &Selection, revision: u64) -> Self {
        let sources = match &selection.filter.sources {
            Sources::Preferred if !selection.preferred => Sources::All,
            sources => sources.clone(),
        };
        let moment = Moment { revision, published_at: None };
        let derived = engine.reading(moment).derived_part(&selection.filter).map(|filter| Computation {
            filter,
            steps: Vec::new(),
            latest_n: 0,
            page_size: ROWS_PER_CHUNK,
            after: None,
        });
        let query = Query {
            filter: Filter { sources, ..selection.filter.clone() },
            moment,
            latest_n: 0,
            updated_after: 0,
            page_size: ROWS_PER_CHUNK,
            after: None,
        };
        let entries = if selection.include_catalog { entries(engine, revision) } else { Vec::new() };
        Self { ahead: VecDeque::new(), query, derived, entries, observations: 0, recorded: false, complete: false }
    }

    /// What comes after the last part.
    pub(super) fn end(&self) -> v1::SnapshotEnd {
        v1::SnapshotEnd { revision: self.revision(), observations: self.observations }
    }

    /// The state that it shows.
    pub(super) fn revision(&self) -> u64 {
        self.query.moment.revision
    }

    /// Reads ahead; whether that was all, in no more than about `most` bytes. Blocks.
    pub(super) fn read_ahead(&mut self, engine: &Engine, most: usize) -> Result<bool, Error> {
        let mut size = 0;
        while size <= most {
            let Some(part) = self.read(engine)? else { return Ok(true) };
            size += part.len();
            self.ahead.push_back(part);
        }
        Ok(false)
    }

    /// Whether nothing more is to be read.
    pub(super) fn is_read(&self) -> bool {
        self.complete && self.entries.is_empty()
    }

    /// The next part that was read ahead.
    pub(super) fn ahead(&mut self) -> Option<Bytes> {
        self.ahead.pop_front()
    }

    /// The next part; `None` when there are no more. Blocks.
    pub(super) fn read(&mut self, engine: &Engine) -> Result<Option<Bytes>, Error> {
        if !self.entries.is_empty() {
            let rest = self.entries.split_off(self.entries.len().min(ENTRIES_PER_CHUNK));
            let entries = std::mem::replace(&mut self.entries, rest);
            return Ok(Some(frame(Message::Snapshot(v1::SnapshotChunk { series: Vec::new(), entries }))));
        }
        // SnapshotChunk: series = 1; WatchResponse: snapshot = 2.
        let mut chunk = Vec::new();
        while chunk.is_empty() && !self.complete {
            self.observations +=
                if self.recorded { self.read_derived(engine, &mut chunk)? } else { self.read_recorded(engine, &mut chunk)? };
            self.complete = self.recorded && self.derived.is_none();
        }
        if chunk.is_empty() {
            return Ok(None);
        }
        let (mut message, mut out) = (Vec::with_capacity(chunk.len() + 8), Vec::new());
        message.put_bytes(2, &chunk);
        put_frame(&message, &mut out);
        Ok(Some(out.into()))
    }
}

impl Snapshot {
    /// Appends the next recorded figures. Answers how many.
    fn read_recorded(&mut self, engine: &Engine, chunk: &mut Vec<u8>) -> Result<u64, Error> {
        let mut encoder = ObservationEncoder::default();
        let summary = engine.query(&self.query, |rows| {
            let versions = rows.rows.iter().map(|row| (&row.version, 0, false));
            chunk.put_bytes(1, &encoder.series_observations(&rows.key, versions));
            ControlFlow::Continue(())
        })?;
        self.query.after = summary.next;
        self.recorded = summary.next.is_none();
        Ok(summary.rows)
    }

    /// Appends the next derived figures. Answers how many.
    fn read_derived(&mut self, engine: &Engine, chunk: &mut Vec<u8>) -> Result<u64, Error> {
        let Some(computation) = &mut self.derived else { return Ok(0) };
        let mut encoder = ObservationEncoder::default();
        let summary = engine.reading(self.query.moment).compute(computation, |line| {
            let versions = line.points.iter().map(|point| (&point.version, 0, false));
            chunk.put_bytes(1, &encoder.series_observations(&line.key, versions));
            ControlFlow::Continue(())
        })?;
        computation.after = summary.next;
        if summary.next.is_none() {
            self.derived = None;
        }
        Ok(summary.rows)
    }
}

/// Every entry, in an order in which each comes after those it refers to.
fn entries(engine: &Engine, revision: u64) -> Vec<v1::CatalogEntry> {
    let catalog = engine.catalog();
    let view = catalog.at(revision);
    let kinds = [EntryKind::Unit, EntryKind::Dimension, EntryKind::Region, EntryKind::Source, EntryKind::Indicator];
    kinds.into_iter().flat_map(|kind| view.entries(kind)).map(|entry| entry.clone().into()).collect()
}
