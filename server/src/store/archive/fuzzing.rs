//! What must hold for any bytes that are taken for an archive: nothing panics, memory is bounded, and what is right is read alike
//! however it comes.

use indicator_proto::{
    archive::{ArchiveError, Frame, FrameWriter, Frames},
    v1::{ArchiveEnd, ArchiveHeader, ArchiveRecord},
};
use prost::Message as _;

use super::{Checked, Checker, Record, Restoring, write::Output};
use crate::store::Error;

/// The first byte says what the others are taken for.
pub(crate) fn archive(bytes: &[u8]) {
    let Some((&what, bytes)) = bytes.split_first() else { return };
    match what % 3 {
        0 => file(bytes, 1 + usize::from(what)),
        1 => contents(bytes),
        _ => records(bytes),
    }
}

fn restored(file: &[u8]) -> Result<Checked, String> {
    match Restoring::nowhere().add(file) {
        Ok(checked) => Ok(checked),
        Err(Error::Archive(why)) => Err(why),
        Err(error) => panic!("{error}"),
    }
}

fn file(bytes: &[u8], piece: usize) {
    let whole = frames(bytes, bytes.len().max(1));
    assert_eq!(frames(bytes, piece), whole);
    if let Ok(checked) = restored(bytes) {
        assert_eq!(whole.1, Ok(()));
        assert_eq!(whole.0.first(), Some(&Frame::Header(checked.header)));
    }
}

/// The frames of bytes that come in pieces, and what ended them.
fn frames(bytes: &[u8], piece: usize) -> (Vec<Frame>, Result<(), ArchiveError>) {
    let (mut frames, mut taken) = (Frames::default(), Vec::new());
    for piece in bytes.chunks(piece) {
        frames.push(piece);
        loop {
            match frames.take() {
                Ok(Some(frame)) => taken.push(frame),
                Ok(None) => break,
                Err(error) => return (taken, Err(error)),
            }
        }
    }
    (taken, frames.finish())
}

/// A header, an end, and records, in frames whose checksums are right: each of the first two after its length.
fn contents(bytes: &[u8]) {
    let part = |bytes: &mut &[u8]| {
        let (length, rest) = bytes.split_first()?;
        let (part, rest) = rest.split_at_checked((*length).into())?;
        *bytes = rest;
        Some(part.to_vec())
    };
    let mut rest = bytes;
    let (Some(header), Some(end)) = (part(&mut rest), part(&mut rest)) else { return };
    let (Ok(header), Ok(end)) = (ArchiveHeader::decode(&header[..]), ArchiveEnd::decode(&end[..])) else { return };
    let (mut writer, mut file) = FrameWriter::begin(&header);
    let compressed = zstd::bulk::compress(rest, 1).expect("it compresses into memory");
    file.extend(writer.records(rest.len(), &compressed));
    file.extend(writer.end(&end));
    if let Ok(checked) = restored(&file) {
        assert_eq!(checked.header, header);
        assert_eq!(checked.contents.commits, end.commits);
    }
}

/// Records, whatever is wrong with those before. If nothing is, they make an archive that is right.
fn records(mut bytes: &[u8]) {
    let (mut checker, mut records) = (Checker::after(0, [0; 32], 0), Vec::new());
    while !bytes.is_empty() {
        let Ok(message) = ArchiveRecord::decode_length_delimited(&mut bytes) else { break };
        let Some(record) = Record::of(message) else { break };
        assert_eq!(Record::of(record.clone().into()).as_ref(), Some(&record));
        checker.take(&record);
        records.push(record);
    }
    checker.close();
    if checker.problems.count() == 0 {
        let (revision, hash, ..) = checker.head();
        let zeros = vec![0; 32];
        let header =
            ArchiveHeader { last_revision: revision, last_hash: hash.into(), after_hash: zeros, ..ArchiveHeader::default() };
        let mut file = Vec::new();
        let mut output = Output::begin(&header, &mut file).expect("memory takes it");
        for record in records {
            output.record(record).expect("memory takes it");
        }
        output.end(&checker.contents, 0).expect("memory takes it");
        assert_eq!(restored(&file).map(|checked| checked.contents), Ok(checker.contents));
    }
}
