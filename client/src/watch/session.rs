//! What a message or a failure means for a watch. No I/O and no clock: chance comes from outside.

use std::{collections::VecDeque, time::Duration};

use indicator_proto::v1::{
    Changes, Closing, CommitEvents, ErrorReason, Progress, SnapshotChunk, SnapshotEnd, StartSnapshot, WatchOpened, WatchOutcome,
    WatchRequest, WatchResponse, watch_request::Start, watch_response::Message,
};

use super::WatchEvent;
use crate::{
    Error,
    retry::{self, Policy},
};

const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// What to do next.
#[derive(Debug)]
pub(super) enum Step {
    /// Read the next message of this connection.
    Read,
    /// Give this connection up, and open another one with [`Session::request`] after a wait.
    Connect { wait: Duration },
    /// Nothing: the last event says why.
    End,
}

/// The state of a watch across its connections.
#[derive(Debug)]
pub(super) struct Session {
    policy: Policy,
    asked: WatchRequest,
    position: Position,
    phase: Phase,
    epoch: Option<String>,
    /// A commit of which more is to come.
    torn: Option<CommitEvents>,
    /// Connections lost or not made since the last message that brought the watch forward.
    failures: u32,
    events: VecDeque<Result<WatchEvent, Error>>,
}

/// What the application has, and so where the next connection starts.
#[derive(Debug, Clone, PartialEq)]
enum Position {
    /// What the application had before this watch: it starts as it was asked to.
    Asked,
    /// Nothing: it starts with a snapshot.
    Nothing,
    /// Part of a snapshot.
    PartOfSnapshot,
    /// Everything up to `revision`. The token, if there is one, may be older.
    At { revision: u64, token: Option<String> },
}

/// Where the current connection is.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Opening,
    /// In a snapshot, which makes the application's state void; `reset` until it has been told so.
    Snapshot {
        reset: bool,
    },
    Live,
}

impl Session {
    pub(super) fn new(policy: Policy, asked: WatchRequest) -> Self {
        Self {
            policy,
            asked,
            position: Position::Asked,
            phase: Phase::Opening,
            epoch: None,
            torn: None,
            failures: 0,
            events: VecDeque::new(),
        }
    }

    /// The request for the next connection.
    pub(super) fn request(&self) -> WatchRequest {
        let start = match &self.position {
            Position::Asked => self.asked.start.clone(),
            Position::Nothing | Position::PartOfSnapshot => Some(Start::Snapshot(StartSnapshot {})),
            Position::At { token: Some(token), .. } => Some(Start::ResumeToken(token.clone())),
            Position::At { revision, token: None } => Some(Start::AfterRevision(*revision)),
        };
        WatchRequest { start, ..self.asked.clone() }
    }

    /// How long the next message may take. A server sends Progress when it has nothing else to send; one that misses three has fallen silent.
    pub(super) fn patience(&self) -> Duration {
        let asked = self.asked.progress_interval.and_then(|interval| Duration::try_from(interval).ok());
        asked.unwrap_or(PROGRESS_INTERVAL) * 3 + Duration::from_secs(5)
    }

    pub(super) fn next_event(&mut self) -> Option<Result<WatchEvent, Error>> {
        self.events.pop_front()
    }

    /// A message arrived. `chance` is uniform in `0.0..1.0`.
    pub(super) fn received(&mut self, response: WatchResponse, chance: f64) -> Step {
        let Some(message) = response.message else {
            return self.end(Error::Protocol { what: "an unknown kind of watch message" });
        };
        match (message, self.phase.clone()) {
            (Message::Closing(closing), _) => return self.closing(closing, chance),
            (Message::Opened(opened), Phase::Opening) => return self.opened(opened),
            (Message::Reset(reset), Phase::Snapshot { .. } | Phase::Live) => self.reset(reset.reason),
            (Message::Snapshot(chunk), Phase::Snapshot { reset }) => self.snapshot(chunk, reset),
            (Message::SnapshotEnd(end), Phase::Snapshot { reset }) => self.snapshot_end(&end, reset),
            (Message::Changes(changes), Phase::Live) => self.changes(changes),
            (Message::Progress(progress), Phase::Live) => return self.progress(progress),
            // A sign of life while the snapshot is long; it says nothing about what the application has.
            (Message::Progress(_), Phase::Snapshot { .. }) => {}
            _ => return self.end(Error::Protocol { what: "watch messages out of their order" }),
        }
        self.failures = 0;
        Step::Read
    }

    /// The connection could not be made, or broke. `chance` is uniform in `0.0..1.0`.
    pub(super) fn failed(&mut self, error: Error, chance: f64) -> Step {
        match error.reason() {
            Some(ErrorReason::OtherEpoch | ErrorReason::InvalidResumeToken) if self.resumes() => self.lose(error.to_string()),
            // A revision that this watch has seen cannot lie in the future of the same history.
            Some(ErrorReason::FutureRevision) if matches!(self.position, Position::At { .. }) => self.lose(error.to_string()),
            _ if retry::is_transient(&error) => {
                let asked = error.retry_after();
                self.interrupted(Some(error), asked, chance)
            }
            _ => self.end(error),
        }
    }

    /// Whether the application has something that the next connection is to go on from.
    fn resumes(&self) -> bool {
        match &self.position {
            Position::Asked => matches!(self.asked.start, Some(Start::ResumeToken(_) | Start::AfterRevision(_))),
            Position::Nothing | Position::PartOfSnapshot => false,
            Position::At { .. } => true,
        }
    }

    fn opened(&mut self, opened: WatchOpened) -> Step {
        let outcome = opened.outcome();
        let (known, epoch) = (self.epoch.take(), opened.epoch.clone());
        self.epoch = Some(opened.epoch.clone());
        let position = match (outcome, &self.position) {
            (WatchOutcome::Unspecified, _) => return self.end(Error::Protocol { what: "an unknown start of a watch" }),
            (WatchOutcome::Snapshot, _) => {
                self.phase = Phase::Snapshot { reset: self.resumes() };
                self.position.clone()
            }
            (WatchOutcome::Replay | WatchOutcome::Delta, Position::Asked) if !self.asks_for_snapshot() => {
                let token = match &self.asked.start {
                    Some(Start::ResumeToken(token)) => Some(token.clone()),
                    _ => None,
                };
                self.phase = Phase::Live;
                Position::At { revision: opened.revision, token }
            }
            (WatchOutcome::Replay | WatchOutcome::Delta, Position::At { revision, .. }) => {
                if known.is_some_and(|known| known != epoch) {
                    return self.lose("the store has another history than before".to_owned());
                }
                if opened.revision > *revision {
                    return self.lose(format!("the server left out what follows revision {revision}"));
                }
                self.phase = Phase::Live;
                self.position.clone()
            }
            _ => return self.end(Error::Protocol { what: "changes where a snapshot was asked for" }),
        };
        self.position = position;
        self.events.push_back(Ok(WatchEvent::Opened { epoch, revision: opened.revision, outcome }));
        if self.phase == Phase::Live {
            self.events.push_back(Ok(WatchEvent::Live));
        }
        Step::Read
    }

    fn asks_for_snapshot(&self) -> bool {
        matches!(self.asked.start, None | Some(Start::Snapshot(_)))
    }

    fn reset(&mut self, reason: String) {
        self.events.push_back(Ok(WatchEvent::Reset { reason }));
        self.torn = None;
        self.position = Position::Nothing;
        self.phase = Phase::Snapshot { reset: false };
    }

    fn snapshot(&mut self, chunk: SnapshotChunk, reset: bool) {
        self.owed_reset(reset);
        self.position = Position::PartOfSnapshot;
        self.events.extend(chunk.entries.into_iter().map(|entry| Ok(WatchEvent::SnapshotEntry(entry))));
        self.events.extend(chunk.series.into_iter().map(|series| Ok(WatchEvent::Snapshot(series))));
    }

    fn snapshot_end(&mut self, end: &SnapshotEnd, reset: bool) {
        self.owed_reset(reset);
        self.position = Position::At { revision: end.revision, token: None };
        self.phase = Phase::Live;
        self.events.push_back(Ok(WatchEvent::SnapshotEnd { revision: end.revision, observations: end.observations }));
        self.events.push_back(Ok(WatchEvent::Live));
    }

    /// The server answered a resumption by a snapshot, and sent no Reset of its own before it.
    fn owed_reset(&mut self, owed: bool) {
        if owed {
            self.reset("the server sends a snapshot, as it cannot resume".to_owned());
        }
    }

    fn changes(&mut self, changes: Changes) {
        for event in changes.events {
            match &mut self.torn {
                Some(torn) if torn.revision == event.revision => {
                    torn.changes.extend(event.changes);
                    torn.catalog_changes.extend(event.catalog_changes);
                }
                _ => {
                    self.deliver_torn();
                    self.torn = Some(event);
                }
            }
        }
        if !changes.more {
            self.deliver_torn();
        }
    }

    fn deliver_torn(&mut self) {
        let (Some(commit), Position::At { revision, .. }) = (self.torn.take(), &mut self.position) else { return };
        // A resumption goes back to the token, and repeats what came after it.
        if commit.revision > *revision {
            *revision = commit.revision;
            self.events.push_back(Ok(WatchEvent::Commit(commit)));
        }
    }

    fn progress(&mut self, progress: Progress) -> Step {
        if self.torn.as_ref().is_some_and(|torn| torn.revision <= progress.revision) {
            return self.end(Error::Protocol { what: "progress beyond a commit in the middle of it" });
        }
        if let Position::At { revision, token } = &mut self.position {
            *revision = progress.revision.max(*revision);
            *token = Some(progress.resume_token.clone());
        }
        self.failures = 0;
        self.events.push_back(Ok(WatchEvent::Progress {
            revision: progress.revision,
            head_revision: progress.head_revision,
            resume_token: progress.resume_token,
            digest: progress.digest,
        }));
        Step::Read
    }

    fn closing(&mut self, closing: Closing, chance: f64) -> Step {
        // In a snapshot the application has no state that a token could go on from.
        if let (Phase::Live, Position::At { token, .. }) = (&self.phase, &mut self.position)
            && !closing.resume_token.is_empty()
        {
            *token = Some(closing.resume_token);
        }
        let wait = closing.retry_after.and_then(|wait| Duration::try_from(wait).ok());
        self.interrupted(None, wait, chance)
    }

    fn interrupted(&mut self, error: Option<Error>, asked: Option<Duration>, chance: f64) -> Step {
        self.failures = self.failures.saturating_add(1);
        let wait = self.policy.wait(self.failures, asked, chance);
        self.events.push_back(Ok(WatchEvent::Connecting { attempt: self.failures, error, wait }));
        if self.position == Position::PartOfSnapshot {
            self.reset("the connection was lost in the middle of the snapshot".to_owned());
        }
        self.torn = None;
        self.phase = Phase::Opening;
        Step::Connect { wait }
    }

    /// The server cannot go on from what the application has: start again, at once, with a snapshot.
    fn lose(&mut self, reason: String) -> Step {
        self.reset(reason);
        self.phase = Phase::Opening;
        Step::Connect { wait: Duration::ZERO }
    }

    fn end(&mut self, error: Error) -> Step {
        self.events.push_back(Err(error));
        Step::End
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
