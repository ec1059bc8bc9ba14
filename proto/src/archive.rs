//! The outer form of archives: frames, each with a hash that also covers those before it. `archive.proto` describes it.

use prost::Message as _;

use crate::v1::{ArchiveEnd, ArchiveHeader};

const MAGIC: [u8; 7] = *b"INDARCH";
const VERSION: u8 = 1;

const HEADER: u8 = 1;
const RECORDS: u8 = 2;
const END: u8 = 3;

/// Kind, and two lengths.
const HEAD: usize = 9;
const HASH: usize = 32;

/// A payload is never larger than this, compressed or not.
pub const MAX_FRAME: usize = 32 << 20;

/// Headers and ends are small.
const MAX_PLAIN: usize = 64 << 10;

/// Why bytes are not an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It begins as no archive does.
    #[error("this is not an archive of indicator data")]
    Foreign,
    /// It was made by a later release.
    #[error("the archive has format {0}, which this version does not know; use a newer release")]
    Version(u8),
    /// A frame is not as it was written, or not where it was written.
    #[error("the archive is damaged: frame {0} does not match its checksum; use another copy")]
    Checksum(u64),
    /// A frame is not what may come there.
    #[error("the archive is damaged: frame {0} is malformed; use another copy")]
    Malformed(u64),
    /// It ends before its end.
    #[error("the archive is cut off after {0} frames; use another copy")]
    Cut(u64),
    /// It goes on after its end.
    #[error("the archive goes on after its end; use another copy")]
    Trailing,
}

/// A frame that was checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// What the archive holds.
    Header(ArchiveHeader),
    /// Records.
    Records {
        /// Their length when they are decompressed.
        size: usize,
        /// They themselves.
        compressed: Vec<u8>,
    },
    /// Its end.
    End(ArchiveEnd),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Start,
    Header,
    RecordsOrEnd,
    Nothing,
}

/// Takes an archive apart into frames, however its bytes come. No bytes make it panic, or keep more than one frame.
#[derive(Debug)]
pub struct Frames {
    bytes: Vec<u8>,
    /// As many of them are taken.
    taken: usize,
    expected: Expected,
    count: u64,
    chain: [u8; HASH],
}

impl Default for Frames {
    fn default() -> Self {
        Self { bytes: Vec::new(), taken: 0, expected: Expected::Start, count: 0, chain: [0; HASH] }
    }
}

impl Frames {
    /// Adds bytes. [`Frames::take`] is to be called until it has no more, before the next.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, if all of it is there.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`]; it stays so.
    pub fn take(&mut self) -> Result<Option<Frame>, ArchiveError> {
        if self.expected == Expected::Start && !self.start()? {
            return Ok(None);
        }
        let rest = &self.bytes[self.taken..];
        if self.expected == Expected::Nothing {
            return if rest.is_empty() { Ok(None) } else { Err(ArchiveError::Trailing) };
        }
        let Some((&[kind, s0, s1, s2, s3, l0, l1, l2, l3], body)) = rest.split_first_chunk::<HEAD>() else { return Ok(None) };
        let (stored, size) = (u32::from_le_bytes([s0, s1, s2, s3]) as usize, u32::from_le_bytes([l0, l1, l2, l3]) as usize);
        let malformed = ArchiveError::Malformed(self.count);
        let most = match (kind, self.expected) {
            (HEADER, Expected::Header) | (END, Expected::RecordsOrEnd) if stored == size => MAX_PLAIN,
            (RECORDS, Expected::RecordsOrEnd) => MAX_FRAME,
            _ => return Err(malformed),
        };
        if stored > most || size > most {
            return Err(malformed);
        }
        let Some(((payload, hash), head)) = body.split_at_checked(stored).zip(rest.get(..HEAD)) else { return Ok(None) };
        let Some(hash) = hash.first_chunk::<HASH>() else { return Ok(None) };
        let chain = link(self.chain, head, payload);
        if chain != *hash {
            return Err(ArchiveError::Checksum(self.count));
        }
        let frame = match kind {
            HEADER => Frame::Header(ArchiveHeader::decode(payload).map_err(|_| malformed)?),
            RECORDS => Frame::Records { size, compressed: payload.to_vec() },
            _ => Frame::End(ArchiveEnd::decode(payload).map_err(|_| malformed)?),
        };
        self.expected = if kind == END { Expected::Nothing } else { Expected::RecordsOrEnd };
        self.taken += HEAD + stored + HASH;
        self.count += 1;
        self.chain = chain;
        Ok(Some(frame))
    }

    fn start(&mut self) -> Result<bool, ArchiveError> {
        let known = self.bytes.len().min(MAGIC.len());
        if self.bytes[..known] != MAGIC[..known] {
            return Err(ArchiveError::Foreign);
        }
        let Some(start) = self.bytes.first_chunk::<8>() else { return Ok(false) };
        if start[7] != VERSION {
            return Err(ArchiveError::Version(start[7]));
        }
        self.chain = *blake3::hash(start).as_bytes();
        (self.taken, self.expected) = (8, Expected::Header);
        Ok(true)
    }

    /// There are no more bytes.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Cut`] if the end has not come.
    pub fn finish(&self) -> Result<(), ArchiveError> {
        match self.expected {
            Expected::Nothing => Ok(()),
            // Nothing at all is no archive, rather than one that was cut off.
            Expected::Start if self.bytes.is_empty() => Err(ArchiveError::Foreign),
            _ => Err(ArchiveError::Cut(self.count)),
        }
    }
}

/// Makes frames.
#[derive(Debug)]
pub struct FrameWriter {
    chain: [u8; HASH],
}

impl FrameWriter {
    /// A new archive, and the bytes that it begins with.
    pub fn begin(header: &ArchiveHeader) -> (Self, Vec<u8>) {
        let mut start = MAGIC.to_vec();
        start.push(VERSION);
        let mut writer = Self { chain: *blake3::hash(&start).as_bytes() };
        let payload = header.encode_to_vec();
        writer.frame(HEADER, payload.len(), &payload, &mut start);
        (writer, start)
    }

    /// A frame of records that had a size before they were compressed.
    pub fn records(&mut self, size: usize, compressed: &[u8]) -> Vec<u8> {
        let mut frame = Vec::with_capacity(HEAD + compressed.len() + HASH);
        self.frame(RECORDS, size, compressed, &mut frame);
        frame
    }

    /// The last frame.
    pub fn end(mut self, end: &ArchiveEnd) -> Vec<u8> {
        let (mut frame, payload) = (Vec::new(), end.encode_to_vec());
        self.frame(END, payload.len(), &payload, &mut frame);
        frame
    }

    fn frame(&mut self, kind: u8, size: usize, payload: &[u8], into: &mut Vec<u8>) {
        let at = into.len();
        into.push(kind);
        into.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        into.extend_from_slice(&(size as u32).to_le_bytes());
        self.chain = link(self.chain, &into[at..], payload);
        into.extend_from_slice(payload);
        into.extend_from_slice(&self.chain);
    }
}

fn link(chain: [u8; HASH], head: &[u8], payload: &[u8]) -> [u8; HASH] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&chain).update(head).update(payload);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn archive(payloads: &[Vec<u8>]) -> (Vec<u8>, Vec<Frame>) {
        let header = ArchiveHeader { epoch: "e".into(), last_revision: 7, ..ArchiveHeader::default() };
        let (mut writer, mut bytes) = FrameWriter::begin(&header);
        let mut frames = vec![Frame::Header(header)];
        for payload in payloads {
            bytes.extend(writer.records(payload.len() * 3, payload));
            frames.push(Frame::Records { size: payload.len() * 3, compressed: payload.clone() });
        }
        let end = ArchiveEnd { commits: 7, ..ArchiveEnd::default() };
        bytes.extend(writer.end(&end));
        frames.push(Frame::End(end));
        (bytes, frames)
    }

    fn read(bytes: &[u8], piece: usize) -> Result<Vec<Frame>, ArchiveError> {
        let (mut frames, mut all) = (Frames::default(), Vec::new());
        for piece in bytes.chunks(piece) {
            frames.push(piece);
            while let Some(frame) = frames.take()? {
                all.push(frame);
            }
        }
        frames.finish().map(|()| all)
    }

    proptest! {
        #[test]
        fn frames_are_read_back_however_they_come(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5), piece in 1_usize..100,
        ) {
            let (bytes, frames) = archive(&payloads);
            prop_assert_eq!(read(&bytes, piece), Ok(frames));
        }

        #[test]
        fn no_bytes_make_it_panic(start in 0_usize..100, bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1_usize..50) {
            let (whole, _) = archive(&[vec![1, 2, 3]]);
            let hostile = [&whole[..start.min(whole.len())], &bytes].concat();
            prop_assert!(read(&hostile, piece).is_err() || hostile == whole);
        }
    }

    #[test]
    fn every_altered_byte_every_cut_and_every_addition_is_found() {
        let (bytes, _) = archive(&[vec![1, 2, 3], vec![4; 20]]);
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut altered = bytes.clone();
                altered[at] ^= flip;
                assert!(read(&altered, 1000).is_err(), "byte {at} ^ {flip:#x}");
            }
            assert!(read(&bytes[..at], 1000).is_err(), "cut at {at}");
        }
        assert_eq!(read(&[&bytes[..], &[0]].concat(), 1000), Err(ArchiveError::Trailing));
        assert_eq!(read(&[&bytes[..], &bytes[..]].concat(), 7), Err(ArchiveError::Trailing));
        assert_eq!(read(b"PK\x03\x04 not this", 3), Err(ArchiveError::Foreign));
        assert_eq!(read(b"INDARCH\x02", 3), Err(ArchiveError::Version(2)));
        assert_eq!(read(b"", 3), Err(ArchiveError::Foreign));
    }

    #[test]
    fn frames_out_of_order_are_found() {
        let (bytes, frames) = archive(&[vec![1; 10], vec![2; 10]]);
        let Frame::Header(header) = &frames[0] else { panic!("a header comes first") };
        let start = FrameWriter::begin(header).1.len();
        let (first, second) = (start..start + 51, start + 51..start + 102);
        let swapped = [&bytes[..start], &bytes[second.clone()], &bytes[first.clone()], &bytes[second.end..]].concat();
        assert_eq!(read(&swapped, 1000), Err(ArchiveError::Checksum(1)));
        let missing = [&bytes[..start], &bytes[second.start..]].concat();
        assert_eq!(read(&missing, 1000), Err(ArchiveError::Checksum(1)));
        let twice = [&bytes[..first.end], &bytes[first.start..]].concat();
        assert_eq!(read(&twice, 1000), Err(ArchiveError::Checksum(2)));
        // What says that it is huge is not waited for.
        let huge = [&bytes[..start], &[RECORDS, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]].concat();
        assert_eq!(read(&huge, 1000), Err(ArchiveError::Malformed(1)));
    }
}
