//! What the log keeps of a commit: who, when, why, and what it touched. The data themselves are in the blocks.
//!
//! Commits that reach the disk together lie in one value, under the number of the last: an own key for each would double what
//! sled has to do for a small commit.

use indicator_proto::Time;
use serde::{Deserialize, Serialize};

use super::Error;

const FORMAT: u8 = 1;

/// Values of the log where each record is followed by the address of its client.
const FORMAT_WITH_CLIENTS: u8 = 2;

/// As many ids go into one part of the list of what a commit touched; keeps values small.
const IDS_PER_PART: usize = 5_000;

/// A commit that touched no more than this keeps the list beside its header.
const IDS_BESIDE_HEADER: usize = 50;

/// What is kept of one commit.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) revision: u64,
    pub(super) header: Header,
    /// What it touched; absent if that is in values of its own.
    touched: Option<Touched>,
}

impl Record {
    /// The record, and the values that lie behind it if the commit touched much.
    pub(super) fn new(revision: u64, header: Header, touched: &Touched) -> (Self, Vec<Vec<u8>>) {
        let small = touched.series.len() + touched.entries.len() <= IDS_BESIDE_HEADER;
        let beside = small.then(|| Touched { series: touched.distances(), entries: touched.entries.clone() });
        let behind = if small { Vec::new() } else { touched.encode() };
        (Self { revision, header, touched: beside }, behind)
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let Header { actor, reason, document_uri, request_id, client, .. } = &self.header;
        let texts = [actor, reason, document_uri, request_id, client];
        let entries = self.touched.iter().flat_map(|t| &t.entries).map(|(_, id)| id.len() + 2).sum::<usize>();
        120 + texts.iter().map(|t| t.len()).sum::<usize>() + entries + 5 * IDS_BESIDE_HEADER
    }

    /// Revision, header, and what the commit touched if that lies beside it.
    pub(super) fn into_parts(self) -> (u64, Header, Option<Touched>) {
        (self.revision, self.header, self.touched)
    }
}

/// The header of a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// When it was recorded, in microseconds of the Unix epoch. Never before that of the commit before it.
    pub micros: i64,
    /// Who; empty if unknown.
    pub actor: String,
    /// Why; empty if not stated.
    pub reason: String,
    /// The document it rests on; empty if not stated.
    pub document_uri: String,
    /// The request id; empty if none.
    pub request_id: String,
    /// Cells inserted.
    pub inserted: u32,
    /// Cells revised.
    pub revised: u32,
    /// Figures withdrawn.
    pub deleted: u32,
    /// Versions added behind a current figure.
    pub backfilled: u32,
    /// Series touched.
    pub series: u32,
    /// Catalog entries touched.
    pub entries: u32,
    /// Hash of the commit before; zeros before the first.
    pub previous_hash: [u8; 32],
    /// Hash of this commit.
    pub hash: [u8; 32],
    /// Address of the client; empty if unknown. It lies beside the record: the first format had none.
    #[serde(skip)]
    pub client: String,
}

impl Header {
    /// When it was recorded.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] if the stored time is not one.
    pub fn time(&self) -> Result<Time, Error> {
        Time::from_micros(self.micros).ok_or_else(|| Error::Corrupt("a commit's time is out of range".into()))
    }

    /// The hash of this commit: over its number, this header with the hash before it, and the hash of its content.
    #[must_use]
    pub fn chain(&self, revision: u64, content: [u8; 32]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&revision.to_be_bytes());
        hasher.update(&encode(&Self { hash: [0; 32], ..self.clone() }));
        if !self.client.is_empty() {
            hasher.update(&encode(&self.client));
        }
        hasher.update(&content);
        *hasher.finalize().as_bytes()
    }
}

/// The series and catalog entries that a commit touched, each sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// Series ids.
    pub series: Vec<u32>,
    /// Kind (as in `v1::EntryKind`) and id of entries.
    pub entries: Vec<(u8, String)>,
}

impl Touched {
    /// As values of up to [`IDS_PER_PART`] ids. Series ids as distances, which are mostly one byte.
    fn encode(&self) -> Vec<Vec<u8>> {
        let distances = self.distances();
        let series = distances.chunks(IDS_PER_PART).map(|chunk| Self { series: chunk.to_vec(), entries: Vec::new() });
        let entries = self.entries.chunks(IDS_PER_PART / 10).map(|c| Self { series: Vec::new(), entries: c.to_vec() });
        series.chain(entries).map(|part| encode(&part)).collect()
    }

    /// Each series id as its distance from the one before.
    fn distances(&self) -> Vec<u32> {
        let mut before = 0;
        self.series.iter().map(|&id| id - std::mem::replace(&mut before, id)).collect()
    }

    /// From what lies beside a header, or the values behind it.
    pub(super) fn read<'a>(beside: Option<Self>, behind: impl Iterator<Item = &'a [u8]>) -> Result<Self, Error> {
        let behind = behind.map(|bytes| decode(bytes, "the list of what a commit touched"));
        Self::join(beside.into_iter().map(Ok).chain(behind))
    }

    /// From all parts, in order.
    fn join(parts: impl Iterator<Item = Result<Self, Error>>) -> Result<Self, Error> {
        let mut whole = Self::default();
        let mut id = 0_u32;
        for part in parts {
            let part = part?;
            for distance in part.series {
                id = id.checked_add(distance).ok_or_else(|| Error::Corrupt("a series id is out of range".into()))?;
                whole.series.push(id);
            }
            whole.entries.extend(part.entries);
        }
        Ok(whole)
    }
}

/// A value of the log.
pub(super) fn encode_records(records: Vec<Record>) -> Vec<u8> {
    let with_clients = records.into_iter().map(|mut record| {
        let client = std::mem::take(&mut record.header.client);
        (record, client)
    });
    let with_clients: Vec<(Record, String)> = with_clients.collect();
    postcard::to_extend(&with_clients, vec![FORMAT_WITH_CLIENTS]).expect("records serialise into memory")
}

/// The records in a value of the log.
pub(super) fn decode_records(bytes: &[u8]) -> Result<Vec<Record>, Error> {
    const WHAT: &str = "a value of the log";
    let Some((&FORMAT_WITH_CLIENTS, rest)) = bytes.split_first() else { return decode(bytes, WHAT) };
    let with_clients: Vec<(Record, String)> = from_postcard(rest, WHAT)?;
    let records = with_clients.into_iter().map(|(mut record, client)| {
        record.header.client = client;
        record
    });
    Ok(records.collect())
}

pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Serialising plain structures into memory has no way to fail.
    postcard::to_extend(value, vec![FORMAT]).expect("records serialise into memory")
}

pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &str) -> Result<T, Error> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => from_postcard(rest, what),
        _ => Err(Error::Corrupt(format!("{what} has a format that this version does not know"))),
    }
}

fn from_postcard<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &str) -> Result<T, Error> {
    postcard::from_bytes(bytes).map_err(|e| Error::Corrupt(format!("{what} does not decode: {e}")))
}
