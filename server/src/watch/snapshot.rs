use std::ops::ControlFlow;

use bytes::Bytes;
use indicator_proto::v1::{self, EntryKind, watch_response::Message};

use super::{
    Selection,
    frames::{frame, put_frame},
};
use crate::{
    engine::{Engine, Error, Filter, Moment, Query, Sources},
    service::{encoded::PutField as _, encoder::ObservationEncoder},
};

/// Observations in one message.
const ROWS_PER_CHUNK: u32 = 1_000;

/// Entries in one message.
const ENTRIES_PER_CHUNK: usize = 1_000;

/// A snapshot that is being sent: each message is read when the reader asks for it.
pub(super) struct Snapshot {
    query: Query,
    entries: Vec<v1::CatalogEntry>,
    encoder: ObservationEncoder,
    /// Observations sent.
    observations: u64,
    complete: bool,
}

impl Snapshot {
    /// The state at a revision. Blocks.
    pub(super) fn new(engine: &Engine, selection: &Selection, revision: u64) -> Self {
        let sources = match &selection.filter.sources {
            Sources::Preferred if !selection.preferred => Sources::All,
            sources => sources.clone(),
        };
        let query = Query {
            filter: Filter { sources, ..selection.filter.clone() },
            moment: Moment { revision, published_at: None },
            latest_n: 0,
            updated_after: 0,
            page_size: ROWS_PER_CHUNK,
            after: None,
        };
        let entries = if selection.include_catalog { entries(engine, revision) } else { Vec::new() };
        Self { query, entries, encoder: ObservationEncoder::default(), observations: 0, complete: false }
    }

    /// What comes after the last part.
    pub(super) fn end(&self) -> v1::SnapshotEnd {
        v1::SnapshotEnd { revision: self.query.moment.revision, observations: self.observations }
    }

    /// The next part; `None` when there are no more. Blocks.
    pub(super) fn next(&mut self, engine: &Engine) -> Result<Option<Bytes>, Error> {
        if !self.entries.is_empty() {
            let rest = self.entries.split_off(self.entries.len().min(ENTRIES_PER_CHUNK));
            let entries = std::mem::replace(&mut self.entries, rest);
            return Ok(Some(frame(Message::Snapshot(v1::SnapshotChunk { series: Vec::new(), entries }))));
        }
        // SnapshotChunk: series = 1; WatchResponse: snapshot = 2.
        let mut chunk = Vec::new();
        while chunk.is_empty() && !self.complete {
            let encoder = &mut self.encoder;
            let summary = engine.query(&self.query, |rows| {
                let versions = rows.rows.iter().map(|row| (&row.version, 0, false));
                chunk.put_bytes(1, &encoder.series_observations(&rows.key, versions));
                ControlFlow::Continue(())
            })?;
            self.observations += summary.rows;
            self.query.after = summary.next;
            self.complete = summary.next.is_none();
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

/// Every entry, in an order in which each comes after those it refers to.
fn entries(engine: &Engine, revision: u64) -> Vec<v1::CatalogEntry> {
    let catalog = engine.catalog();
    let view = catalog.at(revision);
    let kinds = [EntryKind::Unit, EntryKind::Dimension, EntryKind::Region, EntryKind::Source, EntryKind::Indicator];
    kinds.into_iter().flat_map(|kind| view.entries(kind)).map(|entry| entry.clone().into()).collect()
}
