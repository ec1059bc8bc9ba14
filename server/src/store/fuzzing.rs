//! What must hold for any bytes that are read from the disk: nothing panics, and what decodes is encoded to what decodes to the same.

use super::{
    Batch, Error, Gaps, Header, RequestRecord, Touched, Version,
    block::{self, MOST_TEXT},
    keys, log, state,
};

/// The first byte says what the others are taken for.
pub(crate) fn store(bytes: &[u8]) {
    let Some((what, bytes)) = bytes.split_first() else { return };
    match what % 6 {
        0 => versions(bytes),
        1 => commits(bytes),
        2 => touched(bytes),
        3 => gaps(bytes),
        4 => request(bytes),
        _ => key(bytes),
    }
}

/// A value that was read; errors are told.
fn read<T>(read: Result<T, Error>) -> Option<T> {
    read.inspect_err(|error| assert!(matches!(error, Error::Corrupt(why) if !why.is_empty()))).ok()
}

/// The versions in bytes, and that they are no more than the bytes can say.
fn versions_of(bytes: &[u8]) -> Option<Vec<Version>> {
    let mut versions = Vec::new();
    read(block::decode(bytes, &mut versions))?;
    assert!(versions.len() <= bytes.len());
    let details = || versions.iter().filter_map(|version| version.figure.details.as_deref());
    let text = details().map(|details| details.original_text.len() + details.note.len() + details.document_uri.len());
    let units = details().flat_map(|details| &details.equivalents).map(|equivalent| equivalent.unit.len());
    assert!(text.chain(units).sum::<usize>() <= MOST_TEXT);
    Some(versions)
}

fn versions(bytes: &[u8]) {
    let Some(versions) = versions_of(bytes) else { return };
    let mut again = Vec::new();
    for part in block::encode(&versions) {
        block::decode(&part, &mut again).expect("what was encoded decodes");
    }
    assert_eq!(again, versions);
    let current = state::current(versions);
    assert!(current.is_sorted_by(|a, b| a.period < b.period));
}

fn commits(bytes: &[u8]) {
    let Some(records) = read(log::decode_records(bytes)) else { return };
    let encoded = log::encode_records(records);
    let again = log::decode_records(&encoded).expect("what was encoded decodes");
    let mut batch = Batch::default();
    for record in log::decode_records(&encoded).expect("what was encoded decodes") {
        let (revision, header, touched) = record.into_parts();
        assert_ne!(header.chain(revision, [1; 32]), header.chain(revision, [2; 32]));
        read(header.time());
        if let Some(touched) = read(Touched::read(touched, std::iter::empty())) {
            batch.header(revision, &header, &touched);
        }
    }
    assert_eq!(log::encode_records(again), encoded);
    batch.close();
}

/// What one commit touched, in as many values as there are pieces, each after its length.
fn touched(mut bytes: &[u8]) {
    let mut behind = Vec::new();
    while let Some((&length, rest)) = bytes.split_first() {
        let (value, rest) = rest.split_at(rest.len().min(length.into()));
        behind.push(value);
        bytes = rest;
    }
    let Some(touched) = read(Touched::read(None, behind.into_iter())) else { return };
    assert!(touched.series.is_sorted());
    let (record, behind) = log::Record::new(1, Header::default(), &touched);
    let (_, _, beside) = record.into_parts();
    let again = Touched::read(beside, behind.iter().map(|value| &value[..]));
    assert_eq!(again.expect("what was encoded decodes"), touched);
}

fn gaps(bytes: &[u8]) {
    let Some(gaps) = Gaps::decode(bytes) else { return };
    assert_eq!(gaps.encode(), bytes);
    for number in bytes.as_chunks::<8>().0.iter().copied().map(u64::from_be_bytes) {
        for revision in [number.saturating_sub(1), number, number.saturating_add(1)] {
            assert!(gaps.count(revision) <= revision);
            assert!(gaps.next(revision) >= revision && gaps.previous(revision) <= revision);
            assert!(gaps.around(revision).is_none_or(|gap| gap.before < revision && revision < gap.after));
            let commit = gaps.nth(gaps.count(revision));
            assert!(commit <= revision && gaps.count(commit) == gaps.count(revision));
        }
    }
}

fn request(bytes: &[u8]) {
    let Some(record) = read(log::decode::<RequestRecord>(bytes, "a request")) else { return };
    assert_eq!(log::decode::<RequestRecord>(&log::encode(&record), "a request").ok(), Some(record));
}

fn key(bytes: &[u8]) {
    if let Some(key) = keys::BlockKey::decode(bytes) {
        assert_eq!(key.encode(), bytes);
    }
    if let Some((revision, part)) = keys::decode_log(bytes) {
        assert_eq!(keys::log(revision, part), bytes);
    }
    if let Some((kind, id, revision)) = keys::decode_catalog(bytes) {
        assert_eq!(keys::catalog(kind, id, revision), bytes);
    }
    if let Some((micros, id)) = keys::decode_request_time(bytes) {
        assert_eq!(keys::request_time(micros, id)[1..], bytes[1..]);
    }
}
