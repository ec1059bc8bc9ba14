//! From the bytes of an archive to its records.

use std::io::Read;

use indicator_proto::{
    archive::{ArchiveError, Frame, Frames},
    v1::{ArchiveEnd, ArchiveHeader, ArchiveRecord},
};
use prost::Message as _;

use super::{Checker, Contents, Record, form::hash};
use crate::store::Error;

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;

impl From<ArchiveError> for Error {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error.to_string())
    }
}

/// An archive that is being read. It holds one frame in memory.
pub struct Archive<R> {
    reader: R,
    frames: Frames,
    header: ArchiveHeader,
    decompressor: zstd::bulk::Decompressor<'static>,
    records: Vec<u8>,
    /// As many of their bytes are read.
    read: usize,
    end: Option<ArchiveEnd>,
}

/// An archive that was read to its end, and is right.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it said at its beginning.
    pub header: ArchiveHeader,
    /// What it had.
    pub contents: Contents,
}

impl<R: Read> Archive<R> {
    /// Reads what it says that it holds.
    ///
    /// # Errors
    ///
    /// [`Error::Archive`], [`Error::Io`].
    pub fn open(reader: R) -> Result<Self, Error> {
        let mut archive = Self {
            reader,
            frames: Frames::default(),
            header: ArchiveHeader::default(),
            decompressor: zstd::bulk::Decompressor::new()?,
            records: Vec::new(),
            read: 0,
            end: None,
        };
        match archive.frame()? {
            Some(Frame::Header(header)) => archive.header = header,
            // Frames come in their order, or not at all.
            Some(_) | None => return Err(malformed()),
        }
        let ArchiveHeader { after_revision, after_hash, last_revision, last_hash, .. } = &archive.header;
        if after_revision > last_revision || hash(after_hash).is_none() || hash(last_hash).is_none() {
            return Err(malformed());
        }
        Ok(archive)
    }

    /// What it says that it holds.
    #[must_use]
    pub fn header(&self) -> &ArchiveHeader {
        &self.header
    }

    fn frame(&mut self) -> Result<Option<Frame>, Error> {
        let mut piece = [0; PIECE];
        loop {
            if let Some(frame) = self.frames.take()? {
                return Ok(Some(frame));
            }
            match self.reader.read(&mut piece) {
                Ok(0) => return Ok(self.frames.finish().map(|()| None)?),
                Ok(read) => self.frames.push(&piece[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next record; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Error> {
        while self.read == self.records.len() {
            match self.frame()? {
                Some(Frame::Records { size, compressed }) => {
                    self.records = self.decompressor.decompress(&compressed, size).map_err(|_| malformed())?;
                    self.read = 0;
                    if self.records.len() != size {
                        return Err(malformed());
                    }
                }
                Some(Frame::End(end)) => self.end = Some(end),
                Some(Frame::Header(_)) => return Err(malformed()),
                None => return Ok(None),
            }
        }
        let mut rest = &self.records[self.read..];
        let message = ArchiveRecord::decode_length_delimited(&mut rest).map_err(|_| malformed())?;
        self.read = self.records.len() - rest.len();
        Record::of(message).ok_or_else(malformed).map(Some)
    }

    /// Goes through the records. Each is checked before it is visited, and each commit when it is whole.
    pub(super) fn read(
        mut self,
        checker: &mut Checker,
        mut visit: impl FnMut(Record, Option<super::check::Whole>) -> Result<(), Error>,
    ) -> Result<(Checked, Option<super::check::Whole>, ArchiveEnd), Error> {
        let wrong = |why: String| Error::Archive(format!("the archive cannot be used: {why}"));
        checker.go_on();
        while let Some(record) = self.next()? {
            let whole = checker.take(&record);
            checker.problems.check().map_err(wrong)?;
            visit(record, whole)?;
        }
        let last = checker.close();
        checker.problems.check().map_err(wrong)?;
        let (end, contents) = (self.end.ok_or_else(malformed)?, checker.contents);
        let Contents { commits, versions, entries, series, requests, blocks: _ } = contents;
        let told = ArchiveEnd { commits, versions, entries, series, requests, ..end };
        let (revision, hash, ..) = checker.head();
        let header = self.header;
        if told != end || end.horizon_revision > revision || (revision, &hash[..]) != (header.last_revision, &header.last_hash) {
            return Err(wrong("it does not have what it says".into()));
        }
        Ok((Checked { header, contents }, last, end))
    }
}

pub(super) fn malformed() -> Error {
    Error::Archive("the archive is malformed; use another copy".into())
}
