//! What the application has been given so far, event by event.

use indicator_proto::v1::WatchOutcome;

use super::{WatchEvent, WatchPosition, WatchState};
use crate::Error;

/// Follows the events as they are given: never ahead of the application.
#[derive(Debug)]
pub(super) struct Given {
    state: WatchState,
    position: Option<WatchPosition>,
    /// The newest commit of the server that is known of.
    head: u64,
    /// The epoch of the connection.
    epoch: String,
    /// The application is to be told that it has caught up.
    owes_live: bool,
}

impl Default for Given {
    fn default() -> Self {
        let state = WatchState::Connecting { attempt: 1 };
        Self { state, position: None, head: 0, epoch: String::new(), owes_live: false }
    }
}

impl From<WatchPosition> for Given {
    fn from(position: WatchPosition) -> Self {
        Self { position: Some(position), ..Self::default() }
    }
}

impl Given {
    /// How the watch is.
    pub(super) fn state(&self) -> WatchState {
        self.state
    }

    /// Whole commits and complete snapshots that the application has. `None` if it has none.
    pub(super) fn position(&self) -> Option<&WatchPosition> {
        self.position.as_ref()
    }

    /// The event that says that the application has caught up, once.
    pub(super) fn live(&mut self) -> Option<WatchEvent> {
        std::mem::take(&mut self.owes_live).then_some(WatchEvent::Live)
    }

    /// An event is given. `connecting` if there is no connection after it.
    pub(super) fn give(&mut self, event: &Result<WatchEvent, Error>, connecting: bool) {
        let Ok(event) = event else {
            self.state = WatchState::Ended;
            return;
        };
        match event {
            WatchEvent::Connecting { attempt, .. } => self.state = WatchState::Connecting { attempt: attempt.saturating_add(1) },
            WatchEvent::Opened { epoch, revision, head_revision, outcome } => {
                self.epoch.clone_from(epoch);
                self.head = *head_revision;
                if *outcome == WatchOutcome::Snapshot {
                    self.state = WatchState::Snapshot { observations: 0 };
                } else {
                    self.reach(*revision, None);
                }
            }
            WatchEvent::Reset { .. } => {
                self.position = None;
                self.state = match self.state {
                    WatchState::Connecting { .. } => self.state,
                    _ if connecting => WatchState::Connecting { attempt: 1 },
                    _ => WatchState::Snapshot { observations: 0 },
                };
            }
            WatchEvent::Snapshot(series) => {
                if let WatchState::Snapshot { observations } = &mut self.state {
                    *observations += series.observations.len() as u64;
                }
            }
            WatchEvent::SnapshotEnd { revision, .. } => self.reach(*revision, None),
            WatchEvent::Commit(commit) => self.reach(commit.revision, None),
            WatchEvent::Progress { revision, head_revision, resume_token, .. } => {
                self.head = self.head.max(*head_revision);
                self.reach(*revision, Some(resume_token));
            }
            WatchEvent::SnapshotEntry(_) | WatchEvent::Live | WatchEvent::Diverged { .. } => {}
        }
    }

    /// The application has everything up to a revision.
    fn reach(&mut self, revision: u64, token: Option<&String>) {
        let position =
            self.position.get_or_insert_with(|| WatchPosition { epoch: self.epoch.clone(), revision, resume_token: None });
        if revision > position.revision {
            (position.revision, position.resume_token) = (revision, None);
        }
        if let Some(token) = token.filter(|_| revision == position.revision) {
            position.resume_token = Some(token.clone());
        }
        self.head = self.head.max(position.revision);
        self.state = match self.head - position.revision {
            0 => {
                self.owes_live |= self.state != WatchState::Live;
                WatchState::Live
            }
            behind => WatchState::CatchingUp { behind },
        };
    }
}
