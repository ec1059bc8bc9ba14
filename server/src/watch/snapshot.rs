use std::ops::ControlFlow;

use indicator_proto::v1::{self, EntryKind};

use super::Subscription;
use crate::{
    engine::{Engine, Error, Filter, Moment, Query, Sources},
    service::wire,
};

/// Observations in one message.
const ROWS_PER_CHUNK: u32 = 1_000;

/// Entries in one message.
const ENTRIES_PER_CHUNK: usize = 1_000;

/// A snapshot that is being sent: each message is read when the reader asks for it.
pub(super) struct Snapshot {
    query: Query,
    entries: Vec<v1::CatalogEntry>,
    /// Observations sent.
    pub(super) observations: u64,
    complete: bool,
}

impl Snapshot {
    /// The state at a revision.
    pub(super) fn new(engine: &Engine, subscription: &Subscription, revision: u64) -> Self {
        let sources = match &subscription.filter.sources {
            Sources::Preferred => Sources::All,
            named => named.clone(),
        };
        let query = Query {
            filter: Filter { sources, ..subscription.filter.clone() },
            moment: Moment { revision, published_at: None },
            latest_n: 0,
            updated_after: 0,
            page_size: ROWS_PER_CHUNK,
            after: None,
        };
        let entries = if subscription.include_catalog { entries(engine, revision) } else { Vec::new() };
        Self { query, entries, observations: 0, complete: false }
    }

    pub(super) fn revision(&self) -> u64 {
        self.query.moment.revision
    }

    /// The next part; `None` when there are no more. Blocks.
    pub(super) fn next(&mut self, engine: &Engine) -> Result<Option<v1::SnapshotChunk>, Error> {
        if !self.entries.is_empty() {
            let rest = self.entries.split_off(self.entries.len().min(ENTRIES_PER_CHUNK));
            let entries = std::mem::replace(&mut self.entries, rest);
            return Ok(Some(v1::SnapshotChunk { series: Vec::new(), entries }));
        }
        if self.complete {
            return Ok(None);
        }
        let mut series = Vec::new();
        let summary = engine.query(&self.query, |chunk| {
            series.push(wire::chunk(&chunk, &chunk.rows));
            ControlFlow::Continue(())
        })?;
        self.observations += summary.rows;
        self.query.after = summary.next;
        self.complete = summary.next.is_none();
        Ok((!series.is_empty()).then_some(v1::SnapshotChunk { series, entries: Vec::new() }))
    }
}

/// Every entry, in an order in which each comes after those it refers to.
fn entries(engine: &Engine, revision: u64) -> Vec<v1::CatalogEntry> {
    let catalog = engine.catalog();
    let view = catalog.at(revision);
    let kinds = [EntryKind::Unit, EntryKind::Dimension, EntryKind::Region, EntryKind::Source, EntryKind::Indicator];
    kinds.into_iter().flat_map(|kind| view.entries(kind)).map(|entry| entry.clone().into()).collect()
}
