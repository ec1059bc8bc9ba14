//! Archives as files: backups, and exported histories.
//!
//! What is written is checked on its way, and read again, before it gets its name: a file of that name is whole, or is what was there
//! before.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use indicator_proto::{
    archive::{ArchiveError, Frame, Frames},
    v1::{ArchiveEnd, ArchiveHeader},
};
use tempfile::NamedTempFile;

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be written under this name.
    #[error("{path} cannot be written: {problem}")]
    Name {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        problem: &'static str,
    },
    /// The disk, or the other end.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The bytes are no archive, or not all of one.
    #[error("{path}: {source}")]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        source: ArchiveError,
    },
}

/// What an archive said at its beginning and at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// At its beginning.
    pub header: ArchiveHeader,
    /// At its end.
    pub end: ArchiveEnd,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Goes along with the bytes of an archive.
#[derive(Debug, Default)]
pub struct Check {
    frames: Frames,
    header: Option<ArchiveHeader>,
    end: Option<ArchiveEnd>,
    bytes: u64,
}

impl Check {
    /// Takes the next bytes in.
    ///
    /// # Errors
    ///
    /// [`ArchiveError`] if they are no archive's.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.bytes += bytes.len() as u64;
        self.frames.push(bytes);
        while let Some(frame) = self.frames.take()? {
            match frame {
                Frame::Header(header) => self.header = Some(header),
                Frame::Records { .. } => {}
                Frame::End(end) => self.end = Some(end),
            }
        }
        Ok(())
    }

    /// There are no more.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Cut`] if the end has not come.
    pub fn finish(self) -> Result<Summary, ArchiveError> {
        self.frames.finish()?;
        // Frames come in their order, or not at all.
        match (self.header, self.end) {
            (Some(header), Some(end)) => Ok(Summary { header, end, bytes: self.bytes }),
            _ => Err(ArchiveError::Cut(0)),
        }
    }
}

/// Reads a file through, and answers what it said.
///
/// # Errors
///
/// [`Error::Archive`] if it is not a whole archive.
pub fn check(path: &Path) -> Result<Summary, Error> {
    let file = File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    read_through(file, path)
}

fn read_through(mut file: impl Read, path: &Path) -> Result<Summary, Error> {
    let (mut check, mut piece) = (Check::default(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => check.push(&piece[..read]).map_err(|source| Error::Archive { path: path.to_owned(), source })?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::Io { path: path.to_owned(), source }),
        }
    }
    check.finish().map_err(|source| Error::Archive { path: path.to_owned(), source })
}

/// An archive that is being written. Dropped before its end, it leaves nothing.
#[derive(Debug)]
pub struct ArchiveFile {
    path: PathBuf,
    replace: bool,
    file: NamedTempFile,
    check: Check,
}

impl ArchiveFile {
    /// Begins a file, which only its owner may read. Its bytes go into another beside it, whose name ends in `.partial`. `replace` takes the
    /// place of a file that is there.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] if something is there already, or cannot be replaced; [`Error::Io`].
    pub fn create(path: &Path, replace: bool) -> Result<Self, Error> {
        let name = |problem| Error::Name { path: path.to_owned(), problem };
        let file_name = path.file_name().ok_or_else(|| name("it does not end in the name of a file"))?;
        match fs::symlink_metadata(path) {
            Ok(there) if there.is_dir() => return Err(name("it is a directory; name a file in it")),
            Ok(there) if !there.is_file() => return Err(name("what is there is no file of data; name another")),
            Ok(_) if !replace => return Err(name("it is there already; name another, or replace it with --force")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Io { path: path.to_owned(), source }),
        }
        let mut prefix = file_name.to_owned();
        prefix.push(".");
        // Nobody else can have put it there, and nobody else may read it.
        let file = tempfile::Builder::new().prefix(&prefix).suffix(".partial").tempfile_in(directory(path));
        let file = file.map_err(|source| Error::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), replace, file, check: Check::default() })
    }

    /// Brings it to the disk, reads it again, and gives it its name.
    ///
    /// # Errors
    ///
    /// [`Error::Archive`] if it is not whole; [`Error::Name`] if something has come there meanwhile; [`Error::Io`].
    pub fn finish(self) -> Result<Summary, Error> {
        let Self { path, replace, file, check } = self;
        let io = |source| Error::Io { path: path.clone(), source };
        let written = check.finish().map_err(|source| Error::Archive { path: path.clone(), source })?;
        file.as_file().sync_all().map_err(io)?;
        let again = read_through(file.reopen().map_err(io)?, file.path())?;
        if again != written {
            return Err(io(io::Error::other("what was written is not what is read again")));
        }
        let persisted = if replace { file.persist(&path) } else { file.persist_noclobber(&path) };
        persisted.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => Error::Name { path: path.clone(), problem: "it has come to be there meanwhile" },
            _ => io(error.error),
        })?;
        File::open(directory(&path)).and_then(|directory| directory.sync_all()).map_err(io)?;
        Ok(written)
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Write for ArchiveFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.check.push(&bytes[..written]).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
