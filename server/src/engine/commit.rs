use std::{borrow::Borrow, sync::Arc};

use indicator_proto::{SeriesKey, Time};

use super::{Context, catalog};
use crate::store::{self, Header, Kind, Version};

/// A new version of a cell, and what it replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct CellChange {
    /// The new version.
    pub version: Version,
    /// The cell's current version before, a tombstone left out. Boxed: most changes of a large commit have none.
    pub previous: Option<Box<Version>>,
}

impl Borrow<Version> for CellChange {
    fn borrow(&self) -> &Version {
        &self.version
    }
}

/// What a commit did to one series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesChanges {
    /// Its id.
    pub id: u32,
    /// Its key.
    pub key: Arc<SeriesKey>,
    /// The new versions, by period.
    pub changes: Vec<CellChange>,
}

/// How many cells a commit changed, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The cell had no figure.
    pub inserted: u32,
    /// The cell had a figure.
    pub revised: u32,
    /// The figure was withdrawn.
    pub deleted: u32,
    /// The current version stayed.
    pub backfilled: u32,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, kind: Kind) {
        *match kind {
            Kind::Inserted => &mut self.inserted,
            Kind::Revised => &mut self.revised,
            Kind::Deleted => &mut self.deleted,
            Kind::Backfilled => &mut self.backfilled,
        } += 1;
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.inserted + self.revised + self.deleted + self.backfilled
    }
}

/// One atomic change of the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Its number.
    pub revision: u64,
    /// When it was recorded.
    pub time: Time,
    /// Who and why.
    pub context: Context,
    /// The request id; empty if none.
    pub request_id: String,
    /// Chains the log.
    pub hash: [u8; 32],
    /// By series id.
    pub series: Vec<SeriesChanges>,
    /// Catalog entries.
    pub entries: Vec<catalog::Change>,
    /// How many cells.
    pub counts: Counts,
}

impl Commit {
    /// A commit as the log and the blocks have it.
    pub(super) fn logged(
        revision: u64,
        header: Header,
        series: Vec<SeriesChanges>,
        entries: Vec<catalog::Change>,
    ) -> Result<Self, store::Error> {
        let time = header.time()?;
        let Header { actor, reason, document_uri, client, request_id, hash, inserted, revised, deleted, backfilled, .. } = header;
        Ok(Self {
            revision,
            time,
            context: Context { actor, reason, document_uri, client },
            request_id,
            hash,
            series,
            entries,
            counts: Counts { inserted, revised, deleted, backfilled },
        })
    }
}

/// What a command's caller is told.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The commit's revision, or the head when nothing was committed.
    pub revision: u64,
    /// The commit: what changed. With `validate_only`, what would; without, absent if nothing did.
    pub commit: Option<Arc<Commit>>,
    /// How many cells or entries were as asked already.
    pub unchanged: u32,
    /// The answer is that of an earlier request.
    pub repeated: bool,
}
