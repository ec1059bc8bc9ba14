//! What a message or a failure means for a watch. No I/O and no clock: chance comes from outside.

use std::{collections::VecDeque, time::Duration};

use indicator_proto::v1::{
    Changes, Closing, CommitEvents, ErrorReason, Progress, SnapshotChunk, SnapshotEnd, StartNow, StartSnapshot, WatchMode,
    WatchOpened, WatchOutcome, WatchRequest, WatchResponse, watch_request::Start, watch_response::Message,
};

use super::{WatchEvent, WatchPosition, cells::Cells, given::Given};
use crate::{
    Error,
    retry::{self, Policy},
};

const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// A snapshot that turns out wrong again and again is not asked for more often than this.
const LONGEST_WAIT_AFTER_DIVERGENCE: Duration = Duration::from_secs(300);

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
    held: Held,
    phase: Phase,
    epoch: Option<String>,
    /// The next connection only asks for the epoch.
    probing: bool,
    /// This connection has told everything up to here.
    told: u64,
    /// A commit of which more is to come.
    torn: Option<CommitEvents>,
    /// In LATEST mode, if all that the application has is known.
    cells: Option<Cells>,
    /// Digests that differed since one was right.
    divergences: u32,
    /// Connections lost or not made since the last message that brought the watch forward.
    failures: u32,
    events: VecDeque<Result<WatchEvent, Error>>,
    given: Given,
}

/// What the application has once the events on their way are given, and so where the next connection starts.
#[derive(Debug, Clone, PartialEq)]
enum Held {
    /// What the application had before this watch: it starts as it was asked to.
    Asked,
    /// Nothing: it starts with a snapshot.
    Nothing,
    /// Part of a snapshot.
    PartOfSnapshot,
    /// Everything up to a revision.
    UpTo { revision: u64, resume: Resume },
}

/// How to go on after a revision.
///
/// A token of an earlier revision would do where every change is sent again. In LATEST mode it would not: what came into the
/// selection after the token and has left it by now is nothing that this server would tell, and the application would keep it.
#[derive(Debug, Clone, PartialEq)]
enum Resume {
    /// By the revision itself: there is no token of it.
    Revision,
    /// By the token that came with it.
    Token(String),
    /// By the token of a server that stopped. It may lie further on: what is between is nothing for this watch.
    Closing(String),
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
            held: Held::Asked,
            phase: Phase::Opening,
            epoch: None,
            probing: false,
            told: 0,
            torn: None,
            cells: None,
            divergences: 0,
            failures: 0,
            events: VecDeque::new(),
            given: Given::default(),
        }
    }

    /// A watch that goes on from what an earlier one has given.
    pub(super) fn resumed(policy: Policy, asked: WatchRequest, position: WatchPosition) -> Self {
        let resume = position.resume_token.clone().map_or(Resume::Revision, Resume::Token);
        Self {
            held: Held::UpTo { revision: position.revision, resume },
            epoch: Some(position.epoch.clone()),
            given: Given::from(position),
            ..Self::new(policy, asked)
        }
    }

    /// The request for the next connection.
    pub(super) fn request(&self) -> WatchRequest {
        let start = match &self.held {
            Held::Asked => self.asked.start.clone(),
            Held::Nothing | Held::PartOfSnapshot => Some(Start::Snapshot(StartSnapshot {})),
            Held::UpTo { .. } if self.probing => Some(Start::Now(StartNow {})),
            Held::UpTo { resume: Resume::Token(token) | Resume::Closing(token), .. } => Some(Start::ResumeToken(token.clone())),
            Held::UpTo { revision, resume: Resume::Revision } => Some(Start::AfterRevision(*revision)),
        };
        WatchRequest { start, ..self.asked.clone() }
    }

    /// How long the next message may take. A server sends Progress when it has nothing else to send; one that misses three has fallen silent.
    pub(super) fn patience(&self) -> Duration {
        let asked = self.asked.progress_interval.and_then(|interval| Duration::try_from(interval).ok());
        asked.unwrap_or(PROGRESS_INTERVAL) * 3 + Duration::from_secs(5)
    }

    pub(super) fn next_event(&mut self) -> Option<Result<WatchEvent, Error>> {
        if let Some(live) = self.given.live() {
            return Some(Ok(live));
        }
        let event = self.events.pop_front()?;
        self.given.give(&event, self.phase == Phase::Opening);
        Some(event)
    }

    /// What the application has been given.
    pub(super) fn given(&self) -> &Given {
        &self.given
    }

    /// A message arrived. `chance` is uniform in `0.0..1.0`.
    pub(super) fn received(&mut self, response: WatchResponse, chance: f64) -> Step {
        let Some(message) = response.message else {
            return self.end(Error::Protocol { what: "an unknown kind of watch message" });
        };
        match (message, self.phase.clone()) {
            (Message::Closing(closing), _) => return self.closing(closing, chance),
            (Message::Opened(opened), Phase::Opening) => return self.opened(opened, chance),
            (Message::Reset(reset), Phase::Snapshot { .. } | Phase::Live) => self.reset(reset.reason),
            (Message::Snapshot(chunk), Phase::Snapshot { reset }) => self.snapshot(chunk, reset),
            (Message::SnapshotEnd(end), Phase::Snapshot { reset }) => self.snapshot_end(&end, reset),
            (Message::Changes(changes), Phase::Live) => return self.changes(changes),
            (Message::Progress(progress), Phase::Live) => return self.progress(progress, chance),
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
            Some(ErrorReason::OtherEpoch | ErrorReason::RevisionNotOfThisHistory | ErrorReason::InvalidResumeToken)
                if self.resumes() =>
            {
                self.lose(error.to_string(), Duration::ZERO)
            }
            // A revision that this watch has seen cannot lie in the future of the same history.
            Some(ErrorReason::FutureRevision) if matches!(self.held, Held::UpTo { .. }) => {
                self.lose(error.to_string(), Duration::ZERO)
            }
            _ if retry::is_transient(&error) => {
                // A server that is behind, or one of another history: its epoch will tell, and a bare revision does not ask for it.
                self.probing = error.reason() == Some(ErrorReason::RevisionNotReached)
                    && matches!(self.held, Held::UpTo { resume: Resume::Revision, .. });
                let asked = error.retry_after();
                self.interrupted(Some(error), asked, chance)
            }
            _ => self.end(error),
        }
    }

    /// Whether the application has something that the next connection is to go on from.
    fn resumes(&self) -> bool {
        match &self.held {
            Held::Asked => matches!(self.asked.start, Some(Start::ResumeToken(_) | Start::AfterRevision(_))),
            Held::Nothing | Held::PartOfSnapshot => false,
            Held::UpTo { .. } => true,
        }
    }

    fn opened(&mut self, opened: WatchOpened, chance: f64) -> Step {
        let outcome = opened.outcome();
        let (known, epoch) = (self.epoch.replace(opened.epoch.clone()), opened.epoch);
        let probing = std::mem::take(&mut self.probing);
        match (outcome, &mut self.held) {
            (WatchOutcome::Unspecified, _) => return self.end(Error::Protocol { what: "an unknown start of a watch" }),
            (WatchOutcome::Replay | WatchOutcome::Delta, Held::UpTo { .. })
                if known.as_ref().is_some_and(|known| *known != epoch) =>
            {
                return self.lose("the store has another history than before".to_owned(), Duration::ZERO);
            }
            // The same history: the server will come to it.
            (_, Held::UpTo { .. }) if probing => return Step::Connect { wait: self.policy.wait(self.failures, None, chance) },
            (WatchOutcome::Snapshot, _) => self.begin_snapshot(self.resumes()),
            (WatchOutcome::Replay | WatchOutcome::Delta, Held::UpTo { revision, resume }) => {
                if let Resume::Closing(_) = resume {
                    *revision = opened.revision.max(*revision);
                } else if opened.revision > *revision {
                    let reason = format!("the server left out what follows revision {revision}");
                    return self.lose(reason, Duration::ZERO);
                }
                self.phase = Phase::Live;
            }
            (WatchOutcome::Replay | WatchOutcome::Delta, Held::Asked) if !asks_for_snapshot(&self.asked) => {
                let resume = match &self.asked.start {
                    Some(Start::ResumeToken(token)) => Resume::Token(token.clone()),
                    _ => Resume::Revision,
                };
                self.held = Held::UpTo { revision: opened.revision, resume };
                self.phase = Phase::Live;
            }
            _ => return self.end(Error::Protocol { what: "changes where a snapshot was asked for" }),
        }
        self.told = opened.revision;
        let (revision, head_revision) = (opened.revision, opened.head_revision);
        self.events.push_back(Ok(WatchEvent::Opened { epoch, revision, head_revision, outcome }));
        Step::Read
    }

    fn begin_snapshot(&mut self, reset: bool) {
        self.phase = Phase::Snapshot { reset };
        self.cells = (self.asked.mode() == WatchMode::Latest).then(|| Cells::new(self.asked.preferred));
    }

    fn reset(&mut self, reason: String) {
        self.events.push_back(Ok(WatchEvent::Reset { reason }));
        self.torn = None;
        self.held = Held::Nothing;
        self.begin_snapshot(false);
    }

    fn snapshot(&mut self, chunk: SnapshotChunk, reset: bool) {
        self.owed_reset(reset);
        self.held = Held::PartOfSnapshot;
        if let Some(cells) = &mut self.cells {
            chunk.series.iter().for_each(|series| cells.add(series));
        }
        self.events.extend(chunk.entries.into_iter().map(|entry| Ok(WatchEvent::SnapshotEntry(entry))));
        self.events.extend(chunk.series.into_iter().map(|series| Ok(WatchEvent::Snapshot(series))));
    }

    fn snapshot_end(&mut self, end: &SnapshotEnd, reset: bool) {
        self.owed_reset(reset);
        self.held = Held::UpTo { revision: end.revision, resume: Resume::Revision };
        self.told = end.revision;
        self.phase = Phase::Live;
        self.events.push_back(Ok(WatchEvent::SnapshotEnd { revision: end.revision, observations: end.observations }));
    }

    /// The server answered a resumption by a snapshot, and sent no Reset of its own before it.
    fn owed_reset(&mut self, owed: bool) {
        if owed {
            self.reset("the server sends a snapshot, as it cannot resume".to_owned());
        }
    }

    fn changes(&mut self, changes: Changes) -> Step {
        for event in changes.events {
            match &mut self.torn {
                Some(torn) if torn.revision == event.revision => {
                    torn.changes.extend(event.changes);
                    torn.catalog_changes.extend(event.catalog_changes);
                    continue;
                }
                _ => self.deliver_torn(),
            }
            if event.revision <= self.told {
                return self.end(Error::Protocol { what: "a commit after what follows it" });
            }
            self.told = event.revision;
            self.torn = Some(event);
        }
        if !changes.more {
            self.deliver_torn();
        }
        self.failures = 0;
        Step::Read
    }

    fn deliver_torn(&mut self) {
        let (Some(commit), Held::UpTo { revision, resume }) = (self.torn.take(), &mut self.held) else { return };
        // A token may be older than what the application has, and then what came after it is repeated.
        if commit.revision > *revision {
            (*revision, *resume) = (commit.revision, Resume::Revision);
            if let Some(cells) = &mut self.cells {
                commit.changes.iter().for_each(|change| cells.apply(change));
            }
            self.events.push_back(Ok(WatchEvent::Commit(commit)));
        }
    }

    fn progress(&mut self, progress: Progress, chance: f64) -> Step {
        if self.torn.as_ref().is_some_and(|torn| torn.revision <= progress.revision) {
            return self.end(Error::Protocol { what: "progress beyond a commit in the middle of it" });
        }
        self.told = self.told.max(progress.revision);
        self.failures = 0;
        if let Held::UpTo { revision, resume } = &mut self.held
            && *revision <= progress.revision
        {
            (*revision, *resume) = (progress.revision, Resume::Token(progress.resume_token.clone()));
            if let (Some(cells), Some(expected)) = (&self.cells, progress.digest) {
                let actual = cells.digest();
                if actual != expected {
                    return self.diverged(progress.revision, expected, actual, chance);
                }
                self.divergences = 0;
            }
        }
        self.events.push_back(Ok(WatchEvent::Progress {
            revision: progress.revision,
            head_revision: progress.head_revision,
            resume_token: progress.resume_token,
            digest: progress.digest,
        }));
        Step::Read
    }

    /// The application does not have what the server has. That is a fault of one of the programs: it is told loudly, and mended.
    fn diverged(&mut self, revision: u64, expected: u64, actual: u64, chance: f64) -> Step {
        tracing::error!(
            revision,
            expected = format_args!("{expected:016x}"),
            actual = format_args!("{actual:016x}"),
            "the watched state differs from the server's; starting again with a snapshot"
        );
        self.events.push_back(Ok(WatchEvent::Diverged { revision, expected, actual }));
        // At once for the first time. Should the snapshot differ too, a repetition may help no more, and snapshots are dear.
        let policy = Policy { cap: LONGEST_WAIT_AFTER_DIVERGENCE, ..self.policy };
        let wait = if self.divergences == 0 { Duration::ZERO } else { policy.wait(self.divergences, None, chance) };
        self.divergences = self.divergences.saturating_add(1);
        self.lose(format!("the state at revision {revision} differs from the server's"), wait)
    }

    fn closing(&mut self, closing: Closing, chance: f64) -> Step {
        // In a snapshot, or a commit, the application has no state that a token could go on from.
        if let (Phase::Live, None, Held::UpTo { resume, .. }) = (&self.phase, &self.torn, &mut self.held)
            && !closing.resume_token.is_empty()
        {
            *resume = Resume::Closing(closing.resume_token);
        }
        let wait = closing.retry_after.and_then(|wait| Duration::try_from(wait).ok());
        self.interrupted(None, wait, chance)
    }

    fn interrupted(&mut self, error: Option<Error>, asked: Option<Duration>, chance: f64) -> Step {
        self.failures = self.failures.saturating_add(1);
        let wait = self.policy.wait(self.failures, asked, chance);
        self.events.push_back(Ok(WatchEvent::Connecting { attempt: self.failures, error, wait }));
        if self.held == Held::PartOfSnapshot {
            self.reset("the connection was lost in the middle of the snapshot".to_owned());
        }
        self.torn = None;
        self.phase = Phase::Opening;
        Step::Connect { wait }
    }

    /// The server cannot go on from what the application has: start again with a snapshot.
    fn lose(&mut self, reason: String, wait: Duration) -> Step {
        self.reset(reason);
        self.phase = Phase::Opening;
        Step::Connect { wait }
    }

    fn end(&mut self, error: Error) -> Step {
        self.events.push_back(Err(error));
        Step::End
    }
}

fn asks_for_snapshot(request: &WatchRequest) -> bool {
    matches!(request.start, None | Some(Start::Snapshot(_)))
}

#[cfg(test)]
mod tests;
