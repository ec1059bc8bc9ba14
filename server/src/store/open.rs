//! Making a directory ours, and opening sled in it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use super::{Error, keys};

/// The file that says what a directory is. Written before anything else.
const MARK: &str = "FORMAT";
const MARK_TEXT: &str = "indicatord data directory, format 1\n";

/// What it says until a store that was begun is complete.
const BEGUN_TEXT: &str = "indicatord data directory, not complete: a restore was interrupted; run it again\n";

/// How long a store that was closed a moment ago is waited for.
const RETRIES: u32 = 100;
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// What a directory is, as its mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Nothing: there is no mark, and nothing else.
    Absent,
    /// A store that was begun and not completed.
    Begun,
    /// A store.
    Whole,
}

/// Makes the directory ours: it is empty or has been ours before, and no other process has it.
pub(super) fn claim(directory: &Path) -> Result<File, Error> {
    mark_as_ours(directory)?;
    lock(directory)
}

fn mark_as_ours(directory: &Path) -> Result<(), Error> {
    fs::create_dir_all(directory)?;
    match mark(directory)? {
        Mark::Whole => Ok(()),
        Mark::Absent => Ok(write_mark(directory, MARK_TEXT)?),
        Mark::Begun => Err(begun(directory)),
    }
}

/// Makes a directory ours that has nothing of value: it is absent or empty, or was begun and not completed.
pub(super) fn begin(directory: &Path) -> Result<File, Error> {
    fs::create_dir_all(directory)?;
    if mark(directory)? == Mark::Whole {
        return Err(foreign(directory, "it holds a store already".to_owned()));
    }
    let lock = lock(directory)?;
    write_mark(directory, BEGUN_TEXT)?;
    remove_content(directory)?;
    Ok(lock)
}

/// Makes the directory ours without opening what is in it.
///
/// # Errors
///
/// [`Error::Directory`], [`Error::Foreign`].
pub fn prepare(directory: &Path) -> Result<(), Error> {
    mark_as_ours(directory).map_err(|error| in_directory(directory, error))
}

/// An error of the file system while a directory is made ours.
pub(super) fn in_directory(directory: &Path, error: Error) -> Error {
    match error {
        Error::Io(source) => Error::Directory { path: directory.to_owned(), source },
        other => other,
    }
}

fn remove_content(directory: &Path) -> io::Result<()> {
    for left in [directory.join("sled"), directory.join("WATERMARK")] {
        let removed = if left.is_dir() { fs::remove_dir_all(&left) } else { fs::remove_file(&left) };
        removed.or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
    }
    Ok(())
}

/// Removes what was begun and not completed; the mark last, so that a second try knows what is left.
pub(super) fn abandon(directory: &Path, made: bool) -> io::Result<()> {
    if fs::read_to_string(directory.join(MARK))? == BEGUN_TEXT {
        remove_content(directory)?;
        fs::remove_file(directory.join(MARK))?;
        fs::remove_file(directory.join("lock"))?;
        if made {
            fs::remove_dir(directory)?;
        }
    }
    Ok(())
}

/// A store that was begun is complete: from now on it opens.
pub(super) fn complete(directory: &Path) -> io::Result<()> {
    for made in [directory.join("sled"), directory.join("..")] {
        File::open(made)?.sync_all()?;
    }
    write_mark(directory, MARK_TEXT)
}

/// Takes a store that is there, and makes none.
pub(super) fn reclaim(directory: &Path) -> Result<File, Error> {
    match mark(directory)? {
        Mark::Whole => lock(directory),
        Mark::Absent => Err(foreign(directory, format!("it has no {MARK} file"))),
        Mark::Begun => Err(begun(directory)),
    }
}

fn foreign(directory: &Path, why: String) -> Error {
    Error::Foreign { path: directory.to_owned(), why }
}

fn begun(directory: &Path) -> Error {
    foreign(directory, format!("its {MARK} file says {:?}", BEGUN_TEXT.trim()))
}

fn mark(directory: &Path) -> Result<Mark, Error> {
    match fs::read_to_string(directory.join(MARK)) {
        Ok(text) if text == MARK_TEXT => Ok(Mark::Whole),
        Ok(text) if text == BEGUN_TEXT => Ok(Mark::Begun),
        Ok(text) => {
            let beginning: String = text.trim().chars().take(60).collect();
            Err(foreign(directory, format!("its {MARK} file says {beginning:?}")))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound && !directory.exists() => Ok(Mark::Absent),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            // A new file system has a lost+found; a start that was cut short leaves the lock.
            let known = |name: &std::ffi::OsStr| name == "lost+found" || name == "lock" || name == "FORMAT.new";
            let stranger = fs::read_dir(directory)?.filter_map(Result::ok).find(|entry| !known(&entry.file_name()));
            let strange = |entry: fs::DirEntry| foreign(directory, format!("it has no {MARK} file, but {:?}", entry.file_name()));
            stranger.map_or(Ok(Mark::Absent), |entry| Err(strange(entry)))
        }
        Err(e) if e.kind() == io::ErrorKind::InvalidData => Err(foreign(directory, format!("its {MARK} file is not text"))),
        Err(e) => Err(e.into()),
    }
}

fn write_mark(directory: &Path, text: &str) -> io::Result<()> {
    let new = directory.join(format!("{MARK}.new"));
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, directory.join(MARK))?;
    File::open(directory)?.sync_all()
}

fn lock(directory: &Path) -> Result<File, Error> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Error::InUse(directory.to_owned())),
        Err(fs::TryLockError::Error(e)) => Err(e.into()),
    }
}

pub(super) fn open_sled(path: &Path) -> Result<sled::Db, Error> {
    // No background flusher: the writer decides when, and acknowledges after. A million small blocks fit the cache; where they do not,
    // a replay reads and decodes each page again and again.
    let config = sled::Config::new().path(path).flush_every_ms(None).cache_capacity(256 << 20);
    for _ in 0..RETRIES {
        // sled panics on some damage instead of saying so.
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| config.open()));
        match opened {
            Ok(Ok(db)) => return Ok(db),
            // The directory's lock is ours, so this is sled itself: it lets its file go a moment after its last handle.
            Ok(Err(sled::Error::Io(error))) if error.to_string().contains("WouldBlock") => std::thread::sleep(RETRY_PAUSE),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(Error::Corrupt("sled could not read its files".into())),
        }
    }
    Err(Error::InUse(path.to_owned()))
}

/// Epoch and token key; made when the store is new.
pub(super) fn identity(db: &sled::Db, used: bool) -> Result<([u8; 16], [u8; 32]), Error> {
    let stored = |name: &str| db.get(keys::meta(name));
    if let (Some(epoch), Some(key)) = (stored("epoch")?, stored("token-key")?) {
        let epoch = epoch.as_ref().try_into().map_err(|_| Error::Corrupt("the epoch is malformed".into()))?;
        let key = key.as_ref().try_into().map_err(|_| Error::Corrupt("the token key is malformed".into()))?;
        return Ok((epoch, key));
    }
    if used {
        return Err(Error::Corrupt("commits were acknowledged, and the store is empty".into()));
    }
    let (mut epoch, mut key) = ([0; 16], [0; 32]);
    getrandom::fill(&mut epoch).map_err(io::Error::other)?;
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let mut batch = sled::Batch::default();
    batch.insert(keys::meta("epoch"), &epoch);
    batch.insert(keys::meta("token-key"), &key);
    db.apply_batch(batch)?;
    Ok((epoch, key))
}
