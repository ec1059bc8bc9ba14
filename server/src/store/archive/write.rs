//! From a store into an archive.

use std::io::{self, Write};

use indicator_proto::{
    Time,
    archive::{FrameWriter, MAX_FRAME},
    v1::{ArchiveEnd, ArchiveHeader, ArchiveRecord},
};
use prost::Message as _;

use super::{Checker, Contents, Record, Span, records};
use crate::store::{Error, Store};

/// Records are compressed when there are so many bytes of them.
const FRAME: usize = 1 << 20;

/// Where a backup begins: after a commit of the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Since {
    /// The commit; 0 for a full backup.
    pub revision: u64,
    /// Its hash; zeros for 0.
    pub hash: [u8; 32],
}

/// A backup that is about to be written.
#[derive(Debug)]
pub struct Backup<'a> {
    store: &'a Store,
    header: ArchiveHeader,
    since: Since,
    span: Span,
}

impl Store {
    /// A backup of the commits after one, up to another; it does not matter what is written meanwhile. `epoch` is the store's, as it is
    /// told to clients.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Corrupt`].
    pub fn backup(&self, since: Since, last: (u64, [u8; 32]), epoch: String, made_at: Time) -> Result<Backup<'_>, Error> {
        let series = self.series_at(since.revision)?;
        let header = ArchiveHeader {
            epoch,
            after_revision: since.revision,
            after_hash: since.hash.to_vec(),
            after_series: series,
            last_revision: last.0,
            last_hash: last.1.to_vec(),
            made_at: Some(made_at.into()),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Ok(Backup { store: self, header, since, span: Span { after: since.revision, series, last: last.0 } })
    }
}

impl Backup<'_> {
    /// Writes it, piece by piece; reads the store meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] where the store is not what it must be; [`Error::Io`], also of `out`.
    pub fn write(self, out: impl Write) -> Result<Contents, Error> {
        let Self { store, header, since, span } = self;
        let mut checker = Checker::after(since.revision, since.hash, span.series);
        let mut archive = Output::begin(&header, out)?;
        records(store, span, |record| {
            checker.take(&record);
            checker.problems.check().map_err(Error::Corrupt)?;
            Ok(archive.record(record)?)
        })?;
        checker.close();
        checker.problems.check().map_err(Error::Corrupt)?;
        let (revision, hash, ..) = checker.head();
        if (revision, &hash[..]) != (header.last_revision, &header.last_hash) {
            let expected = header.last_revision;
            return Err(Error::Corrupt(format!("the log ends at commit {revision}, and commit {expected} was seen")));
        }
        let contents = checker.contents;
        archive.end(&contents, store.horizon()?.min(span.last))?;
        Ok(contents)
    }
}

/// An archive on its way out.
pub(super) struct Output<W> {
    out: W,
    frames: FrameWriter,
    compressor: zstd::bulk::Compressor<'static>,
    raw: Vec<u8>,
}

impl<W: Write> Output<W> {
    pub(super) fn begin(header: &ArchiveHeader, mut out: W) -> io::Result<Self> {
        let (frames, start) = FrameWriter::begin(header);
        out.write_all(&start)?;
        Ok(Self { out, frames, compressor: zstd::bulk::Compressor::new(zstd::DEFAULT_COMPRESSION_LEVEL)?, raw: Vec::new() })
    }

    pub(super) fn record(&mut self, record: Record) -> io::Result<()> {
        let message = ArchiveRecord::from(record);
        let length = message.encoded_len() + 10;
        if length > MAX_FRAME {
            return Err(io::Error::other("a record is too large for an archive"));
        }
        if self.raw.len() + length > FRAME {
            self.flush()?;
        }
        message.encode_length_delimited(&mut self.raw).map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.raw.is_empty() {
            return Ok(());
        }
        let compressed = self.compressor.compress(&self.raw)?;
        let frame = self.frames.records(self.raw.len(), &compressed);
        self.raw.clear();
        self.out.write_all(&frame)
    }

    pub(super) fn end(mut self, contents: &Contents, horizon_revision: u64) -> io::Result<()> {
        self.flush()?;
        let Contents { commits, versions, entries, series, requests, blocks: _ } = *contents;
        let end = ArchiveEnd { commits, versions, entries, series, requests, horizon_revision };
        self.out.write_all(&self.frames.end(&end))?;
        self.out.flush()
    }
}
