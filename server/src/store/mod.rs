//! The store: series blocks, the catalog and the log of commits, in sled. Nothing else in the crate knows sled.

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk is full: nothing was written; reads go on.
    #[error("the disk is full: nothing was written; make room and write again")]
    Full,
    /// The disk or sled failed.
    #[error("the store failed: {0}")]
    Io(#[from] std::io::Error),
    /// Bytes in the store are not what was written.
    #[error("the store is damaged: {0}; restore a backup")]
    Corrupt(String),
    /// Another process has the directory open.
    #[error("{0} is in use by another process; stop it first, or use another directory")]
    InUse(std::path::PathBuf),
    /// The directory holds something else.
    #[error("{path} is not a data directory of this service: {why}")]
    Foreign {
        /// The directory.
        path: std::path::PathBuf,
        /// What is wrong with it.
        why: String,
    },
}
