use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::FileExt as _,
    path::Path,
};

/// The newest commit that was acknowledged, in a file beside sled's.
///
/// sled recovers from damage by ending its log before it, without a word: commits would be missing, and their numbers given to
/// others. This file is written after each flush and says where the log must at least reach. It is not flushed itself: written
/// later than the commit it names, it can only be behind.
#[derive(Debug)]
pub(super) struct Watermark(File);

const LENGTH: usize = 40;

impl Watermark {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?))
    }

    /// Revision and hash of the commit; `None` if there was none yet.
    pub(super) fn read(&mut self) -> io::Result<Option<(u64, [u8; 32])>> {
        let mut bytes = Vec::with_capacity(LENGTH);
        self.0.read_to_end(&mut bytes)?;
        let Ok(bytes) = <[u8; LENGTH]>::try_from(bytes) else { return Ok(None) };
        let (revision, hash) = bytes.split_first_chunk::<8>().expect("40 bytes begin with 8");
        Ok(hash.try_into().ok().map(|hash| (u64::from_be_bytes(*revision), hash)))
    }

    pub(super) fn write(&self, revision: u64, hash: [u8; 32]) -> io::Result<()> {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&revision.to_be_bytes());
        bytes[8..].copy_from_slice(&hash);
        self.0.write_all_at(&bytes, 0)
    }
}
