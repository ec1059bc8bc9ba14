//! What outlives a process whose store failed.
//!
//! When a sync fails, the system forgets that what it has in memory of a file is not on the disk: the next process reads it, and no sync
//! brings it there. Commits would be built on it that the next loss of power takes away. So a file says that a write failed, and
//! who opens the store then has the system read it from the disk.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use rustix::fs::{Advice, fadvise};

use super::Error;

const MARK: &str = "FAILED";

/// Notes that a write failed, if the disk takes that much.
pub(super) fn mark(directory: &Path, why: &Error) {
    if let Err(error) = fs::write(directory.join(MARK), format!("{why}\n")) {
        tracing::warn!(%error, "cannot note in the data directory that a write failed; unmount the disk before the next start");
    }
}

/// After a write that failed, has the system forget what it keeps in memory of the store's files.
pub(super) fn forget_cached(directory: &Path, store: &Path) -> io::Result<()> {
    let why = match fs::read_to_string(directory.join(MARK)) {
        Ok(why) => why,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    tracing::warn!(why = why.trim_end(), "a write failed when the store was last open; it is read from the disk");
    forget(store)
}

fn forget(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        let file = File::open(path)?;
        // What is still to be written cannot be forgotten.
        file.sync_all()?;
        return Ok(fadvise(&file, 0, None, Advice::DontNeed)?);
    }
    fs::read_dir(path)?.try_for_each(|entry| forget(&entry?.path()))
}

/// The store was opened and brought to the disk.
pub(super) fn unmark(directory: &Path) -> io::Result<()> {
    fs::remove_file(directory.join(MARK))
        .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
