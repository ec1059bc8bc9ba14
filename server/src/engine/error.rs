use indicator_proto::v1::{EntryKind, ErrorReason};

use super::catalog;
use crate::store;

/// One thing wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field, with the index of the change: `changes[3].period`.
    pub field: String,
    /// The stable reason.
    pub reason: ErrorReason,
    /// What is wrong, and what to do about it.
    pub description: String,
    /// Index of the series in its batch, and of the observation in its series: where a batch is at fault.
    pub place: Option<(u32, Option<u32>)>,
}

impl Violation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, reason: ErrorReason, description: impl Into<String>) -> Self {
        Self { field: field.into(), reason, description: description.into(), place: None }
    }

    /// `field` of a read names what the catalog does not have.
    pub fn unknown(field: impl Into<String>, kind: EntryKind, id: &str) -> Self {
        let noun = kind.noun();
        let description = format!("{noun} {id:?} is not in the catalog; check the spelling, or search for it with SearchCatalog");
        Self::new(field, catalog::unknown(kind), description)
    }
}

/// A series that is not at the revision its writer expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesChanged {
    /// The series, as text.
    pub series: String,
    /// The revision the writer expected.
    pub expected: u64,
    /// The last commit that changed it; 0 if none has.
    pub actual: u64,
}

/// Why the engine did not do what was asked. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is wrong; every problem is listed.
    #[error("{}", list(.0))]
    Invalid(Vec<Violation>),
    /// The request is right, but the state forbids it; every obstacle is listed.
    #[error("{}", list(.0))]
    Forbidden(Vec<Violation>),
    /// The caller may not do that; everything that it may not is listed.
    #[error("{}", list(.0))]
    Denied(Vec<Violation>),
    /// There is no such thing at that moment.
    #[error("{kind} {name} not found")]
    NotFound {
        /// The stable reason.
        reason: ErrorReason,
        /// What was looked for: "region", "observation", ...
        kind: &'static str,
        /// Its id, as text.
        name: String,
    },
    /// The request id was used with other content.
    #[error("request id {0} was already used with other content; use a new one for a new request")]
    RequestIdReused(String),
    /// Series have changed since the writer read them.
    #[error("{} series changed since they were read; read them again and decide again", .0.len())]
    SeriesChanged(Vec<SeriesChanged>),
    /// The token belongs to another history.
    #[error("the token belongs to another history: the store was restored or replaced; start again without it")]
    OtherEpoch,
    /// The moment lies in the future of the record.
    #[error("revision {asked} does not exist yet; the newest is {head}")]
    FutureRevision {
        /// What was asked for.
        asked: u64,
        /// The newest commit.
        head: u64,
    },
    /// The revision lies between the end of a restored backup and where the restore went on: only a history that is lost had it.
    #[error(
        "revision {asked} is of a history that was lost: the store was restored from a backup that ends at {before}, and goes on at \
         {after}; read again what it was learned from"
    )]
    NotOfThisHistory {
        /// What was asked for.
        asked: u64,
        /// The newest commit of the backup.
        before: u64,
        /// The commit that the restore made.
        after: u64,
    },
    /// The backup that an increment was to follow is not of this history.
    #[error(
        "the backup that this one was to follow is of another history: the store was restored or replaced; make a full backup"
    )]
    OtherBackup,
    /// The service did not reach `min_revision` in time.
    #[error("revision {asked} was not reached in time; the newest is {head}")]
    RevisionNotReached {
        /// What was asked for.
        asked: u64,
        /// The newest commit.
        head: u64,
    },
    /// The write queue is full.
    #[error("too many writes are waiting; retry with backoff")]
    QueueFull,
    /// Nobody waits for the answer any more.
    #[error("nobody waits for the answer any more")]
    Unwanted,
    /// The server is stopping.
    #[error("the server is stopping; retry")]
    ShuttingDown,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Invalid(vec![violation])
    }
}

fn list(violations: &[Violation]) -> String {
    violations.iter().map(|v| format!("{}: {}", v.field, v.description)).collect::<Vec<_>>().join("; ")
}
