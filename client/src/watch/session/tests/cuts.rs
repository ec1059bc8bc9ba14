//! However a watch is cut.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A server with a log of commits, each of some cells, which tells them in messages cut at random.
#[derive(Debug, Clone)]
struct Script {
    /// Cells of each commit; the first has revision 1.
    log: Vec<usize>,
    start: u8,
    connections: Vec<Connection>,
}

#[derive(Debug, Clone)]
struct Connection {
    /// Commits of the log that exist when it begins.
    head: usize,
    /// Cells a message.
    grain: usize,
    /// Progress after every so many messages.
    every: usize,
    /// Messages until it is cut.
    messages: usize,
    ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Ending {
    Cut,
    Closing,
    Forgotten,
}

fn connection() -> impl Strategy<Value = Connection> {
    let ending = prop_oneof![4 => Just(Ending::Cut), 2 => Just(Ending::Closing), 1 => Just(Ending::Forgotten)];
    (0_usize..20, 1_usize..6, 1_usize..5, 0_usize..12, ending).prop_map(|(head, grain, every, messages, ending)| Connection {
        head,
        grain,
        every,
        messages,
        ending,
    })
}

fn script() -> impl Strategy<Value = Script> {
    let log = prop::collection::vec(1_usize..9, 1..20);
    (log, 0_u8..4, prop::collection::vec(connection(), 0..8)).prop_map(|(log, start, connections)| Script {
        log,
        start,
        connections,
    })
}

impl Script {
    /// Messages that answer a request, the store being at `head`, as a server with the whole log would send them.
    fn answer(&self, start: Option<Start>, head: u64, connection: &Connection) -> Vec<WatchResponse> {
        let (mut messages, from) = match start {
            None | Some(Start::Snapshot(_)) => {
                (vec![opened(head, WatchOutcome::Snapshot), chunk(), chunk(), snapshot_end(head)], head)
            }
            Some(Start::Now(_)) => (vec![opened(head, WatchOutcome::Replay)], head),
            Some(Start::AfterRevision(after)) => (vec![opened(after, WatchOutcome::Replay)], after),
            Some(Start::ResumeToken(token)) => {
                let after = token.parse().unwrap();
                (vec![opened(after, WatchOutcome::Replay)], after)
            }
        };
        for revision in from + 1..=self.log.len() as u64 {
            let cells: Vec<_> = (0..self.cells(revision)).map(|cell| change(cell, revision)).collect();
            let parts = cells.chunks(connection.grain);
            let last = parts.len() - 1;
            for (part, cells) in parts.enumerate() {
                let event = CommitEvents { revision, changes: cells.to_vec(), ..CommitEvents::default() };
                messages.push(changes(vec![event], part < last));
            }
            if messages.len() % connection.every == 0 {
                messages.push(progress(revision));
            }
        }
        messages
    }

    fn cells(&self, revision: u64) -> u64 {
        self.log[revision as usize - 1] as u64
    }
}

/// What an application makes of the events: the commits since the state it began with.
#[derive(Debug, Default)]
struct Application {
    began_at: Option<u64>,
    commits: BTreeMap<u64, usize>,
    last: u64,
    in_snapshot: bool,
}

impl Application {
    fn take(&mut self, event: WatchEvent) {
        match event {
            WatchEvent::Opened { revision, outcome: WatchOutcome::Replay, .. } if self.began_at.is_none() => {
                self.began_at = Some(revision);
                self.last = revision;
            }
            WatchEvent::Reset { .. } => *self = Self::default(),
            WatchEvent::Snapshot(_) => {
                assert!(self.began_at.is_none(), "a snapshot in the middle of changes, without a reset");
                self.in_snapshot = true;
            }
            WatchEvent::SnapshotEnd { revision, .. } => {
                *self = Self { began_at: Some(revision), last: revision, ..Self::default() };
            }
            WatchEvent::Commit(commit) => {
                assert!(!self.in_snapshot && commit.revision > self.last, "{} after {}", commit.revision, self.last);
                self.last = commit.revision;
                self.commits.insert(commit.revision, commit.changes.len());
            }
            WatchEvent::Progress { revision, .. } => self.last = self.last.max(revision),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn however_a_watch_is_cut_each_commit_arrives_once_whole_and_in_order(script in script()) {
        let start = match script.start {
            0 => Start::Snapshot(StartSnapshot {}),
            1 => Start::Now(StartNow {}),
            2 => Start::AfterRevision(0),
            _ => Start::ResumeToken("0".to_owned()),
        };
        let (mut session, mut application, mut head) = (session(Some(start)), Application::default(), 0);
        let whole = Connection { head: 0, grain: 3, every: 2, messages: usize::MAX, ending: Ending::Cut };
        for connection in script.connections.iter().chain([&whole]) {
            head = head.max(connection.head.min(script.log.len()) as u64);
            let messages = script.answer(session.request().start, head, connection);
            let complete = messages.len() <= connection.messages;
            for message in messages.into_iter().take(connection.messages) {
                assert!(matches!(session.received(message, 0.5), Step::Read));
                std::iter::from_fn(|| session.next_event()).for_each(|event| application.take(event.unwrap()));
            }
            let step = match connection.ending {
                Ending::Cut => session.failed(Error::Cut { what: "the watch", cause: None }, 0.5),
                Ending::Closing if connection.messages > 0 => {
                    let token = if complete { script.log.len() as u64 } else { application.last };
                    session.received(message(Message::Closing(Closing { resume_token: token.to_string(), retry_after: None })), 0.5)
                },
                Ending::Closing => session.failed(answer(Code::Unavailable, Some(ErrorReason::ShuttingDown)), 0.5),
                Ending::Forgotten if session.resumes() => {
                    session.failed(answer(Code::FailedPrecondition, Some(ErrorReason::OtherEpoch)), 0.5)
                },
                Ending::Forgotten => session.failed(answer(Code::Unavailable, None), 0.5),
            };
            assert!(matches!(step, Step::Connect { .. }));
            std::iter::from_fn(|| session.next_event()).for_each(|event| application.take(event.unwrap()));
        }
        let began_at = application.began_at.expect("the last connection is not cut");
        let expected: BTreeMap<u64, usize> =
            (began_at + 1..=script.log.len() as u64).map(|revision| (revision, script.cells(revision) as usize)).collect();
        prop_assert_eq!(application.commits, expected);
    }
}
