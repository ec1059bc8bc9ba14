use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::Credential;

const NAME: &str = "credentials.json";
const LOCK: &str = "credentials.lock";

/// The credentials of a data directory. Hashes only; readable by its owner only.
#[derive(Debug, Clone)]
pub struct CredentialFile {
    directory: PathBuf,
}

/// Why credentials cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The disk, or the rights on it.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// Something else wrote it.
    #[error("{path} is not a list of credentials: {source}; restore it from a copy, or move it away and make new tokens", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    credentials: Vec<Credential>,
}

impl CredentialFile {
    /// That of a data directory.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(NAME)
    }

    /// What is in it; nothing if it is not there.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    pub fn read(&self) -> Result<Vec<Credential>, FileError> {
        let text = match fs::read(self.path()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(FileError::Io { path: self.path(), source }),
        };
        let content: Content =
            serde_json::from_slice(&text).map_err(|source| FileError::Malformed { path: self.path(), source })?;
        Ok(content.credentials)
    }

    /// Changes what is in it, all or nothing, while nobody else does.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    pub fn change<T>(&self, change: impl FnOnce(&mut Vec<Credential>) -> T) -> Result<T, FileError> {
        let io = |path: PathBuf| move |source| FileError::Io { path, source };
        let lock = self.directory.join(LOCK);
        let lock_file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock).map_err(io(lock.clone()))?;
        lock_file.lock().map_err(io(lock))?;
        let mut credentials = self.read()?;
        let result = change(&mut credentials);
        self.write(&Content { credentials }).map_err(io(self.path()))?;
        Ok(result)
    }

    fn write(&self, content: &Content) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(content)?;
        text.push(b'\n');
        let mut file = tempfile::Builder::new()
            .prefix(".credentials-")
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(&self.directory)?;
        file.write_all(&text)?;
        // Whoever runs the server owns its directory, and must be able to read what an administrator made.
        let owner = fs::metadata(&self.directory)?;
        if file.as_file().metadata()?.uid() != owner.uid() {
            chown(file.path(), Some(owner.uid()), Some(owner.gid()))?;
        }
        file.as_file().sync_all()?;
        file.persist(self.path())?;
        File::open(&self.directory)?.sync_all()
    }
}
