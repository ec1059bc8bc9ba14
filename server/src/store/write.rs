use std::borrow::Borrow;

use indicator_proto::{SeriesKey, Time, v1};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use sled::IVec;

use super::{Header, SeriesState, Touched, Version, block, keys, keys::BlockKey, keys::BlockKind, log};

/// What is kept of a request, so that its repetition gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// Hash of the request's content.
    pub fingerprint: [u8; 32],
    /// When it was made, in microseconds of the Unix epoch.
    pub micros: i64,
    /// The revision it answered.
    pub revision: u64,
    /// Whether it made a commit of that revision.
    pub committed: bool,
    /// How many cells or entries were as asked already.
    pub unchanged: u32,
}

/// Writes that reach the disk together or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    writes: sled::Batch,
    /// Of everything written and removed.
    keys: Vec<IVec>,
    bytes: usize,
    /// Commits whose value is not closed yet.
    log: Vec<log::Record>,
    log_bytes: usize,
}

/// A value of the log is closed at about this size; a reader of one commit decodes all that lie with it.
const LOG_VALUE_BYTES: usize = 16 * 1024;

/// Key and value of a version of a catalog entry.
pub(super) fn entry(kind: u8, id: &str, revision: u64, bytes: Option<&[u8]>) -> (Vec<u8>, Vec<u8>) {
    // A first byte tells an entry from its removal: an encoded entry may be empty.
    let value = bytes.map_or_else(|| vec![0], |bytes| [&[1], bytes].concat());
    (keys::catalog(kind, id, revision), value)
}

impl Batch {
    /// About how many bytes it will take on disk.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.bytes += key.len() + value.len();
        let key = IVec::from(key);
        self.keys.push(key.clone());
        self.writes.insert(key, value);
    }

    fn remove(&mut self, key: &[u8]) {
        let key = IVec::from(key);
        self.keys.push(key.clone());
        self.writes.remove(key);
    }

    /// A new series.
    pub fn series(&mut self, id: u32, key: &SeriesKey) {
        self.put(&keys::series(id), v1::SeriesKey::from(key).encode_to_vec());
    }

    /// A unit that published equivalents are in.
    pub fn equivalent_unit(&mut self, unit: &str) {
        self.put(&keys::equivalent_unit(unit), Vec::new());
    }

    /// The versions that a commit made in a series, sorted by period; `hasher` takes in what is written.
    pub fn delta<V: Borrow<Version>>(&mut self, series: u32, revision: u64, versions: &[V], hasher: &mut blake3::Hasher) {
        self.block(series, revision, BlockKind::Delta, versions, |key, value| {
            hasher.update(key);
            hasher.update(value);
        });
    }

    /// A base block, if one is due. It can be rebuilt from the deltas, so the log's hash leaves it out.
    pub fn base_if_due(&mut self, series: u32, state: &mut SeriesState) {
        if state.wants_base() {
            self.block(series, state.revision, BlockKind::Base, state.cells(), |_, _| {});
            state.based();
        }
    }

    fn block<V: Borrow<Version>>(
        &mut self,
        series: u32,
        revision: u64,
        kind: BlockKind,
        versions: &[V],
        mut written: impl FnMut(&[u8], &[u8]),
    ) {
        for (part, value) in block::encode(versions).into_iter().enumerate() {
            let key = BlockKey { series, revision, kind, part: part as u16 }.encode();
            written(&key, &value);
            self.put(&key, value);
        }
    }

    /// A version of a catalog entry; no bytes is its removal.
    pub fn entry(&mut self, kind: u8, id: &str, revision: u64, bytes: Option<&[u8]>, hasher: &mut blake3::Hasher) {
        let (key, value) = entry(kind, id, revision, bytes);
        hasher.update(&key);
        hasher.update(&value);
        self.put(&key, value);
    }

    /// A part of a delta block, as it was encoded.
    pub(super) fn encoded_part(&mut self, key: BlockKey, value: Vec<u8>) {
        self.put(&key.encode(), value);
    }

    /// A version of a catalog entry whose hash is taken elsewhere.
    pub(super) fn encoded_entry(&mut self, kind: u8, id: &str, revision: u64, bytes: Option<&[u8]>) {
        let (key, value) = entry(kind, id, revision, bytes);
        self.put(&key, value);
    }

    /// The header of a commit, and what it touched.
    pub fn header(&mut self, revision: u64, header: &Header, touched: &Touched) {
        let (record, behind) = log::Record::new(revision, header.clone(), touched);
        self.bytes += record.size();
        self.log_bytes += record.size();
        self.log.push(record);
        if !behind.is_empty() || self.log_bytes > LOG_VALUE_BYTES {
            // What lies behind a record is found under the number of its value, so the commit is the last in it.
            self.close_log();
        }
        for (part, value) in behind.into_iter().enumerate() {
            self.put(&keys::log(revision, part as u16 + 1), value);
        }
    }

    fn close_log(&mut self) {
        self.log_bytes = 0;
        let records = std::mem::take(&mut self.log);
        if let Some(last) = records.last().map(|record| record.revision) {
            self.put(&keys::log(last, 0), log::encode_records(records));
        }
    }

    /// Everything, for sled, and the keys of it.
    pub(super) fn close(mut self) -> (sled::Batch, Vec<IVec>) {
        self.close_log();
        (self.writes, self.keys)
    }

    /// What is kept of a request.
    pub fn request(&mut self, id: &str, record: &RequestRecord) {
        self.put(&keys::request(id), log::encode(record));
        self.put(&keys::request_time(record.micros, id), Vec::new());
    }

    /// Forgets a request.
    pub fn forget_request(&mut self, time: Time, id: &str) {
        self.remove(&keys::request(id));
        self.remove(&keys::request_time(time.micros(), id));
    }
}
