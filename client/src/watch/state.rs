//! What an application can ask a watch at any time: how it is, and what it has given.

use serde::{Deserialize, Serialize};

/// How a watch is, after the last event that it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchState {
    /// There is no connection: one is being made, or waited for.
    Connecting {
        /// The attempt under way or waited for; the first is 1.
        attempt: u32,
    },
    /// A snapshot is arriving.
    Snapshot {
        /// Observations of it so far.
        observations: u64,
    },
    /// Changes are arriving, and more of them are known to exist.
    CatchingUp {
        /// Revisions that the server has and the application has not. Where a restore has left numbers out, they count too.
        behind: u64,
    },
    /// The application has all that the server was last known to have.
    Live,
    /// The watch has ended with an error.
    Ended,
}

/// What a watch has given to its application: whole commits and complete snapshots.
///
/// Keep it with the state that it belongs to, for example as JSON, and [`Client::watch_from`](crate::Client::watch_from) goes on
/// from there: in another process, after a restart of the server, at another time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchPosition {
    /// The history that the revision counts in.
    pub epoch: String,
    /// Everything up to this revision has been given.
    pub revision: u64,
    /// Resumes after `revision`. `None` if commits have been given since the server last sent a token: the revision then says
    /// where to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_token: Option<String>,
}
