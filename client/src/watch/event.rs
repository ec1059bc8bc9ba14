//! What an application sees of a watch.

use std::time::Duration;

use indicator_proto::v1::{CatalogEntry, CommitEvents, SeriesObservations, WatchOutcome};

use crate::Error;

/// An event of a watch.
#[derive(Debug, Clone)]
pub enum WatchEvent {
    /// The connection is gone or could not be made; the watch goes on by itself.
    Connecting {
        /// Attempts that failed since the last message, this one included.
        attempt: u32,
        /// Why. `None` if the server asked for it, because it stops.
        error: Option<Error>,
        /// How long the watch waits before it tries again.
        wait: Duration,
    },
    /// The server answers, for the first time or again.
    Opened {
        /// The store's history.
        epoch: String,
        /// Changes after this revision follow. After a reconnect it may lie before the last commit seen: what is repeated is left out.
        revision: u64,
        /// The newest commit of the server: how much there is to catch up.
        head_revision: u64,
        /// Whether they come one by one, as a difference, or after a snapshot.
        outcome: WatchOutcome,
    },
    /// What the application has is of no use any more: forget it. A snapshot follows.
    Reset {
        /// Why, for people.
        reason: String,
    },
    /// A part of the snapshot. A long series comes in several parts.
    Snapshot(SeriesObservations),
    /// A catalog entry of the snapshot; only if the catalog is watched.
    SnapshotEntry(CatalogEntry),
    /// The snapshot is complete.
    SnapshotEnd {
        /// The state it showed.
        revision: u64,
        /// Observations it had.
        observations: u64,
    },
    /// The application has all that the server has, for the first time on this connection or after it had fallen behind: changes
    /// arrive as they happen.
    Live,
    /// A whole commit, as far as it matches the filter.
    Commit(CommitEvents),
    /// Everything up to `revision` has been delivered.
    Progress {
        /// No event of this revision or before follows.
        revision: u64,
        /// The newest commit of the server.
        head_revision: u64,
        /// Keep it with the state it belongs to, and a later watch resumes here.
        resume_token: String,
        /// In LATEST mode, the hash of the state at `revision`.
        digest: Option<u64>,
    },
    /// The state that the events made is not that of the server: one of the programs is at fault. A [`WatchEvent::Reset`] follows,
    /// and then a snapshot.
    Diverged {
        /// The state that was compared.
        revision: u64,
        /// The server's digest of it.
        expected: u64,
        /// The digest of what the application was given.
        actual: u64,
    },
}
