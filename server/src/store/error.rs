use std::path::PathBuf;

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk is full: nothing was written; reads go on.
    #[error("the disk is full: {free} bytes are free, {needed} are needed; nothing was written; make room and write again")]
    Full {
        /// Bytes free on the file system.
        free: u64,
        /// Bytes that must be free for this write.
        needed: u64,
    },
    /// The store takes more than it may: nothing was written; reads go on.
    #[error(
        "the store takes {size} bytes, and its quota is {quota}; nothing was written; raise quota-bytes to {enough} or more: what is \
         recorded is kept, so the store does not shrink"
    )]
    OverQuota {
        /// Bytes that it takes.
        size: u64,
        /// Bytes that it may take.
        quota: u64,
        /// The quota with which writes go on.
        enough: u64,
    },
    /// The file system takes no writes now: it is read-only, or fails.
    #[error("the disk takes no writes: {0}; nothing was written, and reads go on; writes do too when the cause is mended")]
    Refused(String),
    /// A write failed before, so what is on disk is unknown until the store is opened again.
    #[error(
        "writes are refused since one failed: {0}; reads go on, but for what it was changing; restart the server when the cause is mended"
    )]
    Failed(String),
    /// The data directory cannot be used.
    #[error("{path} cannot be the data directory: {source}; name a directory that this user may write in")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The disk or sled failed.
    #[error("the store failed: {0}")]
    Io(#[from] std::io::Error),
    /// Bytes in the store are not what was written.
    #[error("the store is damaged: {0}; restore a backup")]
    Corrupt(String),
    /// An archive cannot be restored: it is damaged, or does not follow.
    #[error("{0}")]
    Archive(String),
    /// Another process has the directory open.
    #[error("{0} is in use by another process; stop it first, or use another directory")]
    InUse(PathBuf),
    /// The directory holds something else.
    #[error("{path} is not a data directory of this service: {why}; name an empty or a new directory")]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    /// The same error for another caller of the same group.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Full { free, needed } => Self::Full { free: *free, needed: *needed },
            Self::OverQuota { size, quota, enough } => Self::OverQuota { size: *size, quota: *quota, enough: *enough },
            Self::Refused(why) => Self::Refused(why.clone()),
            Self::Failed(why) => Self::Failed(why.clone()),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<sled::Error> for Error {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(e) => Self::Io(e),
            sled::Error::Corruption { at, .. } => {
                Self::Corrupt(format!("sled found bytes that do not match their checksum at {at:?}"))
            }
            other => Self::Io(std::io::Error::other(other)),
        }
    }
}
