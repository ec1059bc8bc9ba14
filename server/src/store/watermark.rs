use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{Mutex, MutexGuard},
};

/// The newest commit that was acknowledged, in a file beside sled's.
///
/// sled recovers from damage by ending its log before it, without a word: commits would be missing, and their numbers given to
/// others. This file is written after each flush and says where the log must at least reach. It is not flushed itself: written
/// later than the commit it names, it can only be behind.
#[derive(Debug)]
pub(super) struct Watermark(Mutex<File>);

const LENGTH: usize = 40;

impl Watermark {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        Ok(Self(Mutex::new(file)))
    }

    /// Revision and hash of the commit; `None` if there was none yet.
    pub(super) fn read(&self) -> io::Result<Option<(u64, [u8; 32])>> {
        let Some(bytes) = read(&self.file())? else { return Ok(None) };
        let (revision, hash) = bytes.split_first_chunk::<8>().expect("40 bytes begin with 8");
        Ok(hash.try_into().ok().map(|hash| (u64::from_be_bytes(*revision), hash)))
    }

    pub(super) fn write(&self, revision: u64, hash: [u8; 32]) -> io::Result<()> {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&revision.to_be_bytes());
        bytes[8..].copy_from_slice(&hash);
        self.file().write_all_at(&bytes, 0)
    }

    /// Writes what is there again: fails where the file system takes no writes.
    pub(super) fn touch(&self) -> io::Result<()> {
        let file = self.file();
        read(&file)?.map_or(Ok(()), |bytes| file.write_all_at(&bytes, 0))
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.0.lock().expect("nothing panics while it holds this lock")
    }
}

fn read(file: &File) -> io::Result<Option<[u8; LENGTH]>> {
    let mut bytes = [0; LENGTH];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
