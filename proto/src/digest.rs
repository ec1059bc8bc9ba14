//! The digest of a state: what `Progress.digest` of the schema says.

use prost::{
    Message as _,
    encoding::{self, WireType},
};

use crate::{Statuses, v1};

/// An order-independent digest of cells: the sum of their hashes modulo 2^64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// A cell has this hash now.
    pub fn add(&mut self, cell_hash: u64) {
        self.0 = self.0.wrapping_add(cell_hash);
    }

    /// A cell has this hash no more.
    pub fn remove(&mut self, cell_hash: u64) {
        self.0 = self.0.wrapping_sub(cell_hash);
    }
}

/// The hash of a cell: of its series key, and of its observation without `series` and the output-only fields.
pub fn cell_hash(series: &v1::SeriesKey, observation: &v1::Observation) -> u64 {
    let mut bytes = Vec::with_capacity(256);
    encode_key(series, &mut bytes);
    bytes.push(0);
    recorded_fields(observation).encode(&mut bytes).expect("a vector grows");
    let hash = blake3::hash(&bytes);
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a BLAKE3 hash has 32 bytes"))
}

/// As protobuf, with the map's entries sorted: the generated encoding has them in no fixed order.
fn encode_key(key: &v1::SeriesKey, out: &mut Vec<u8>) {
    let v1::SeriesKey { indicator, region, source, dimensions } = key;
    for (tag, text) in [(1, indicator), (2, region), (3, source)] {
        encode_text(tag, text, out);
    }
    let mut entries: Vec<_> = dimensions.iter().collect();
    entries.sort_unstable();
    for (dimension, code) in entries {
        let mut entry = Vec::new();
        encode_text(1, dimension, &mut entry);
        encode_text(2, code, &mut entry);
        encoding::encode_key(4, WireType::LengthDelimited, out);
        encoding::encode_varint(entry.len() as u64, out);
        out.extend(entry);
    }
}

fn encode_text(tag: u32, text: &String, out: &mut Vec<u8>) {
    if !text.is_empty() {
        encoding::string::encode(tag, text, out);
    }
}

/// What the writer said, in one form.
fn recorded_fields(observation: &v1::Observation) -> v1::Observation {
    v1::Observation {
        series: None,
        period: observation.period.clone(),
        value: observation.value.clone(),
        bound: observation.bound,
        interval: observation.interval.clone(),
        missing: observation.missing,
        statuses: observation.statuses().collect::<Statuses>().iter().map(i32::from).collect(),
        rounded_to: observation.rounded_to.clone(),
        equivalents: observation.equivalents.clone(),
        original_text: observation.original_text.clone(),
        note: observation.note.clone(),
        document_uri: observation.document_uri.clone(),
        published_at: observation.published_at,
        recorded_at: None,
        revision: 0,
        deleted: false,
        other_sources: 0,
        sources_disagree: false,
    }
}
