use std::collections::BTreeMap;

use indicator_proto::v1::{CellChange, Observation, Reset, SeriesKey, SeriesObservations, StartNow};
use proptest::prelude::*;
use tonic::Code;

use super::*;

fn session(start: Option<Start>) -> Session {
    Session::new(Policy::default(), WatchRequest { start, ..WatchRequest::default() })
}

fn message(message: Message) -> WatchResponse {
    WatchResponse { message: Some(message) }
}

fn opened(revision: u64, outcome: WatchOutcome) -> WatchResponse {
    message(Message::Opened(WatchOpened { epoch: "one".to_owned(), revision, outcome: outcome.into(), head_revision: revision }))
}

fn change(series: u64, revision: u64) -> CellChange {
    let key = SeriesKey { indicator: format!("series-{series}"), ..SeriesKey::default() };
    let observation = Observation { series: Some(key), period: "2020".to_owned(), revision, ..Observation::default() };
    CellChange { observation: Some(observation), ..CellChange::default() }
}

fn changes(events: Vec<CommitEvents>, more: bool) -> WatchResponse {
    let (first_revision, last_revision) = (events[0].revision, events[events.len() - 1].revision);
    message(Message::Changes(Changes { first_revision, last_revision, events, more }))
}

fn commit(revision: u64) -> CommitEvents {
    CommitEvents { revision, changes: vec![change(0, revision)], ..CommitEvents::default() }
}

fn progress(revision: u64) -> WatchResponse {
    let resume_token = revision.to_string();
    message(Message::Progress(Progress { revision, resume_token, head_revision: revision, digest: None }))
}

fn snapshot_end(revision: u64) -> WatchResponse {
    message(Message::SnapshotEnd(SnapshotEnd { revision, observations: 0 }))
}

fn chunk() -> WatchResponse {
    let series = vec![SeriesObservations::default()];
    message(Message::Snapshot(SnapshotChunk { series, entries: Vec::new() }))
}

fn answer(code: Code, reason: Option<ErrorReason>) -> Error {
    Error::Rpc { code, reason, message: "no".to_owned(), violations: Vec::new(), retry_after: None }
}

/// What the application has seen, a word an event.
fn seen(session: &mut Session) -> Vec<String> {
    std::iter::from_fn(|| session.next_event())
        .map(|event| match event {
            Ok(WatchEvent::Connecting { attempt, .. }) => format!("connecting {attempt}"),
            Ok(WatchEvent::Opened { revision, .. }) => format!("opened {revision}"),
            Ok(WatchEvent::Reset { .. }) => "reset".to_owned(),
            Ok(WatchEvent::Snapshot(_) | WatchEvent::SnapshotEntry(_)) => "snapshot".to_owned(),
            Ok(WatchEvent::SnapshotEnd { revision, .. }) => format!("end {revision}"),
            Ok(WatchEvent::Live) => "live".to_owned(),
            Ok(WatchEvent::Commit(commit)) => format!("commit {} of {}", commit.revision, commit.changes.len()),
            Ok(WatchEvent::Progress { revision, .. }) => format!("progress {revision}"),
            Err(error) => format!("error {error}"),
        })
        .collect()
}

fn receive(session: &mut Session, messages: impl IntoIterator<Item = WatchResponse>) {
    for message in messages {
        assert!(matches!(session.received(message, 0.5), Step::Read));
    }
}

#[test]
fn a_watch_gives_a_snapshot_and_then_commits() {
    let mut session = session(None);
    receive(&mut session, [opened(7, WatchOutcome::Snapshot), chunk(), snapshot_end(7), changes(vec![commit(8)], false)]);
    assert_eq!(seen(&mut session), ["opened 7", "snapshot", "end 7", "live", "commit 8 of 1"]);
}

#[test]
fn before_the_first_token_a_watch_resumes_after_what_it_has() {
    let mut session = session(Some(Start::Now(StartNow {})));
    receive(&mut session, [opened(7, WatchOutcome::Replay), changes(vec![commit(9)], false)]);
    session.failed(Error::Cut { what: "the watch", cause: None }, 0.5);
    assert_eq!(session.request().start, Some(Start::AfterRevision(9)));
}

#[test]
fn what_a_resumption_repeats_is_left_out() {
    let mut session = session(Some(Start::Now(StartNow {})));
    receive(&mut session, [opened(7, WatchOutcome::Replay), progress(7), changes(vec![commit(8), commit(9)], false)]);
    session.failed(answer(Code::Unavailable, None), 0.5);
    assert_eq!(session.request().start, Some(Start::ResumeToken("7".to_owned())));
    seen(&mut session);
    receive(&mut session, [opened(7, WatchOutcome::Replay), changes(vec![commit(8), commit(9), commit(10)], false)]);
    assert_eq!(seen(&mut session), ["opened 7", "live", "commit 10 of 1"]);
}

#[test]
fn a_commit_in_parts_is_given_whole_or_not_at_all() {
    let mut session = session(Some(Start::Now(StartNow {})));
    receive(&mut session, [opened(0, WatchOutcome::Replay), changes(vec![commit(1), commit(2)], true)]);
    assert_eq!(seen(&mut session), ["opened 0", "live", "commit 1 of 1"]);
    session.failed(answer(Code::Unavailable, None), 0.5);
    seen(&mut session);
    receive(&mut session, [opened(1, WatchOutcome::Replay), changes(vec![commit(2)], true), changes(vec![commit(2)], true)]);
    assert_eq!(seen(&mut session), ["opened 1", "live"]);
    receive(&mut session, [changes(vec![commit(2), commit(3)], false)]);
    assert_eq!(seen(&mut session), ["commit 2 of 3", "commit 3 of 1"]);
}

#[test]
fn a_snapshot_that_is_cut_off_is_reset_and_sent_again() {
    let mut session = session(None);
    receive(&mut session, [opened(7, WatchOutcome::Snapshot), chunk()]);
    session.failed(Error::Cut { what: "the watch", cause: None }, 0.5);
    assert_eq!(seen(&mut session), ["opened 7", "snapshot", "connecting 1", "reset"]);
    assert_eq!(session.request().start, Some(Start::Snapshot(StartSnapshot {})));
    receive(&mut session, [opened(8, WatchOutcome::Snapshot), chunk(), snapshot_end(8)]);
    assert_eq!(seen(&mut session), ["opened 8", "snapshot", "end 8", "live"]);
}

#[test]
fn another_history_resets_visibly_and_starts_with_a_snapshot() {
    for reason in [ErrorReason::OtherEpoch, ErrorReason::InvalidResumeToken] {
        let mut session = session(Some(Start::ResumeToken("old".to_owned())));
        assert!(matches!(session.failed(answer(Code::FailedPrecondition, Some(reason)), 0.5), Step::Connect { .. }));
        assert_eq!(seen(&mut session), ["reset"]);
        assert_eq!(session.request().start, Some(Start::Snapshot(StartSnapshot {})));
        // A server that refuses even that is not asked for ever.
        assert!(matches!(session.failed(answer(Code::FailedPrecondition, Some(reason)), 0.5), Step::End));
    }
}

#[test]
fn another_history_behind_a_bare_revision_is_noticed_by_its_epoch() {
    let mut session = session(None);
    receive(&mut session, [opened(3, WatchOutcome::Snapshot), snapshot_end(3)]);
    session.failed(answer(Code::Unavailable, None), 0.5);
    seen(&mut session);
    let restored = WatchOpened { epoch: "two".to_owned(), revision: 3, outcome: WatchOutcome::Replay.into(), head_revision: 3 };
    assert!(matches!(session.received(message(Message::Opened(restored)), 0.5), Step::Connect { .. }));
    assert_eq!(seen(&mut session), ["reset"]);
}

#[test]
fn a_server_that_would_leave_a_gap_is_not_followed() {
    let mut session = session(None);
    receive(&mut session, [opened(3, WatchOutcome::Snapshot), snapshot_end(3)]);
    session.failed(answer(Code::Unavailable, None), 0.5);
    seen(&mut session);
    assert!(matches!(session.received(opened(5, WatchOutcome::Replay), 0.5), Step::Connect { .. }));
    assert_eq!(seen(&mut session), ["reset"]);
    assert_eq!(session.request().start, Some(Start::Snapshot(StartSnapshot {})));
}

#[test]
fn a_snapshot_in_place_of_a_resumption_resets_once() {
    for own_reset in [false, true] {
        let mut session = session(Some(Start::ResumeToken("3".to_owned())));
        receive(&mut session, [opened(9, WatchOutcome::Snapshot)]);
        if own_reset {
            receive(&mut session, [message(Message::Reset(Reset { reason: "too old".to_owned() }))]);
        }
        receive(&mut session, [chunk(), snapshot_end(9)]);
        assert_eq!(seen(&mut session), ["opened 9", "reset", "snapshot", "end 9", "live"], "with a reset: {own_reset}");
    }
}

#[test]
fn a_closing_server_is_given_the_time_it_asks_for_and_its_token() {
    let mut session = session(Some(Start::Now(StartNow {})));
    receive(&mut session, [opened(7, WatchOutcome::Replay)]);
    let retry_after = Some(prost_types::Duration { seconds: 2, nanos: 0 });
    let closing = Closing { resume_token: "8".to_owned(), retry_after };
    let Step::Connect { wait } = session.received(message(Message::Closing(closing)), 0.5) else {
        panic!("a closing server is left")
    };
    assert_eq!(wait, Duration::from_millis(2_050));
    assert_eq!(session.request().start, Some(Start::ResumeToken("8".to_owned())));
}

#[test]
fn waits_grow_until_something_arrives() {
    let mut session = session(Some(Start::Now(StartNow {})));
    let mut waits = Vec::new();
    for _ in 0..4 {
        let Step::Connect { wait } = session.failed(answer(Code::Unavailable, None), 1.0) else { panic!("it goes on") };
        waits.push(wait.as_millis());
        // Being let in alone is no success: a server may accept and drop for ever.
        receive(&mut session, [opened(0, WatchOutcome::Replay)]);
        session.phase = Phase::Opening;
    }
    assert_eq!(waits, [100, 200, 400, 800]);
    receive(&mut session, [opened(0, WatchOutcome::Replay), progress(1)]);
    assert!(matches!(session.failed(answer(Code::Unavailable, None), 1.0), Step::Connect { wait } if wait.as_millis() == 100));
}

#[test]
fn an_error_that_no_repetition_mends_ends_the_watch() {
    let mut session = session(None);
    let refused = answer(Code::InvalidArgument, Some(ErrorReason::UnknownRegion));
    assert!(matches!(session.failed(refused, 0.5), Step::End));
    assert_eq!(seen(&mut session), ["error no (UNKNOWN_REGION)"]);
}

#[test]
fn messages_out_of_order_end_the_watch() {
    for early in [progress(1), chunk(), snapshot_end(1), changes(vec![commit(1)], false)] {
        assert!(matches!(session(None).received(early, 0.5), Step::End));
    }
    let mut torn = session(Some(Start::Now(StartNow {})));
    receive(&mut torn, [opened(0, WatchOutcome::Replay), changes(vec![commit(1)], true)]);
    assert!(matches!(torn.received(progress(1), 0.5), Step::End));
}

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
