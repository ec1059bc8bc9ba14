//! Archives: the log as a stream of records, for backups and for moving a history elsewhere. `archive.proto` describes their form.
//!
//! ```text
//! store → records → checker → frames → file → frames → records → checker → store
//! ```
//!
//! What is written is checked as what is read is: a store that is damaged makes no backup.

mod check;
mod form;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod read;
mod records;
mod restore;
#[cfg(test)]
mod tests;
mod write;

pub use check::Contents;
pub use read::{Archive, Checked};
pub use restore::Restoring;
pub use write::{Backup, Since};

pub(super) use check::Checker;
pub(super) use records::{Span, records};

use indicator_proto::SeriesKey;

use super::{Header, RequestRecord};

/// A part of the history; see `ArchiveRecord`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Record {
    /// A commit begins.
    Commit(u64, Header),
    /// A series that the commit is the first to touch.
    Series(u32, SeriesKey),
    /// A part of the versions that the commit made in a series, encoded.
    Block {
        /// The series.
        series: u32,
        /// Which part.
        part: u16,
        /// A value of `block`.
        bytes: Vec<u8>,
    },
    /// A version of a catalog entry; no bytes is its removal.
    Entry(u8, String, Option<Vec<u8>>),
    /// What is kept of a request.
    Request(String, RequestRecord),
}
