//! The log of a store as records.

use super::Record;
use crate::store::{
    Error, Store, block,
    keys::{self, BlockKey, BlockKind, Space},
    log,
};

/// Commits of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Span {
    /// After this one; 0 is the beginning.
    pub(in crate::store) after: u64,
    /// How many series there were then.
    pub(in crate::store) series: u32,
    /// Up to this one.
    pub(in crate::store) last: u64,
}

/// Visits the records of a span, in the order of an archive. What is not there is left out: the checker finds it missing.
pub(in crate::store) fn records(
    store: &Store,
    span: Span,
    mut visit: impl FnMut(Record) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut known = span.series;
    for logged in store.history(span.after) {
        let logged = logged?;
        let revision = logged.revision;
        if revision > span.last {
            break;
        }
        visit(Record::Commit(revision, logged.header))?;
        for series in logged.touched.series {
            while known <= series {
                let Some(key) = store.series_key(known)? else { break };
                visit(Record::Series(known, key))?;
                known += 1;
            }
            store.parts(series, revision, |part, bytes| visit(Record::Block { series, part, bytes }))?;
        }
        for (kind, id) in logged.touched.entries {
            let Some(value) = store.db.get(keys::catalog(kind, &id, revision))? else { continue };
            let entry = match value.split_first() {
                Some((0, [])) => None,
                Some((1, bytes)) => Some(bytes.to_vec()),
                _ => return Err(Error::Corrupt(format!("catalog entry {id} of commit {revision} is malformed"))),
            };
            visit(Record::Entry(kind, id, entry))?;
        }
    }
    for item in store.db.scan_prefix([Space::Request as u8]) {
        let (key, value) = item?;
        let id = key.get(1..).map(<[u8]>::to_vec).map(String::from_utf8);
        let id = id.and_then(Result::ok).ok_or_else(|| Error::Corrupt("a request key is malformed".into()))?;
        let request: crate::store::RequestRecord = log::decode(&value, "a request")?;
        // Those of later commits may be there already.
        if request.revision <= span.last {
            visit(Record::Request(id, request))?;
        }
    }
    Ok(())
}

impl Store {
    /// How many series there were at a revision: they are numbered as they come.
    pub(super) fn series_at(&self, revision: u64) -> Result<u32, Error> {
        let was_there = |id: u32| self.last_revision(id, revision).map(|last| last != 0);
        let last = self.db.scan_prefix([Space::Series as u8]).keys().next_back().transpose()?;
        let last = last.and_then(|key| Some(u32::from_be_bytes(key.get(1..5)?.try_into().ok()?)));
        let (mut low, mut high) = (0, last.map_or(0, |last| last.saturating_add(1)));
        while low < high {
            let middle = low + (high - low) / 2;
            if was_there(middle)? { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// Visits the encoded parts of what a commit did to a series.
    pub(super) fn parts(
        &self,
        series: u32,
        revision: u64,
        mut visit: impl FnMut(u16, Vec<u8>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let key = |part| BlockKey { series, revision, kind: BlockKind::Delta, part }.encode();
        let Some(first) = self.db.get(key(0))? else { return Ok(()) };
        let mut versions = Vec::new();
        // What does not decode has no other parts that could be known.
        let more = block::decode(&first, &mut versions).is_ok() && block::may_have_more_parts(&versions);
        visit(0, first.to_vec())?;
        if more {
            for item in self.db.range(key(1)..=key(u16::MAX)) {
                let (key, value) = item?;
                let key = BlockKey::decode(&key).ok_or_else(|| Error::Corrupt("a block key is malformed".into()))?;
                visit(key.part, value.to_vec())?;
            }
        }
        Ok(())
    }
}
