mod cuts;
mod latest;
mod positions;

use indicator_proto::v1::{CellChange, Observation, Reset, SeriesKey, SeriesObservations};
use tonic::Code;

use super::*;
use crate::WatchState;

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
    std::iter::from_fn(|| session.next_event()).map(|event| word(&event)).collect()
}

fn word(event: &Result<WatchEvent, Error>) -> String {
    match event {
        Ok(WatchEvent::Connecting { attempt, .. }) => format!("connecting {attempt}"),
        Ok(WatchEvent::Opened { revision, .. }) => format!("opened {revision}"),
        Ok(WatchEvent::Reset { .. }) => "reset".to_owned(),
        Ok(WatchEvent::Snapshot(_) | WatchEvent::SnapshotEntry(_)) => "snapshot".to_owned(),
        Ok(WatchEvent::SnapshotEnd { revision, .. }) => format!("end {revision}"),
        Ok(WatchEvent::Live) => "live".to_owned(),
        Ok(WatchEvent::Commit(commit)) => format!("commit {} of {}", commit.revision, commit.changes.len()),
        Ok(WatchEvent::Progress { revision, .. }) => format!("progress {revision}"),
        Ok(WatchEvent::Diverged { revision, .. }) => format!("diverged {revision}"),
        Err(error) => format!("error {error}"),
    }
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
fn a_token_resumes_the_revision_it_came_with_and_no_later_one() {
    let mut session = session(Some(Start::Now(StartNow {})));
    receive(&mut session, [opened(7, WatchOutcome::Replay), progress(7)]);
    assert_eq!(session.request().start, Some(Start::ResumeToken("7".to_owned())));
    receive(&mut session, [changes(vec![commit(8), commit(9)], false)]);
    assert_eq!(session.request().start, Some(Start::AfterRevision(9)));
    receive(&mut session, [progress(9)]);
    assert_eq!(session.request().start, Some(Start::ResumeToken("9".to_owned())));
}

#[test]
fn what_a_resumption_repeats_is_left_out() {
    let position = WatchPosition { epoch: "one".to_owned(), revision: 9, resume_token: Some("7".to_owned()) };
    let mut session = Session::resumed(Policy::default(), WatchRequest::default(), position);
    assert_eq!(session.request().start, Some(Start::ResumeToken("7".to_owned())));
    receive(&mut session, [opened(7, WatchOutcome::Replay), changes(vec![commit(8), commit(9)], false), progress(8)]);
    receive(&mut session, [changes(vec![commit(10)], false)]);
    assert_eq!(seen(&mut session), ["opened 7", "live", "progress 8", "commit 10 of 1"]);
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
    for reason in [ErrorReason::OtherEpoch, ErrorReason::RevisionNotOfThisHistory, ErrorReason::InvalidResumeToken] {
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

#[test]
fn revisions_that_go_back_end_the_watch() {
    let late = [
        vec![changes(vec![commit(9)], false), changes(vec![commit(8)], false)],
        vec![changes(vec![commit(9)], false), changes(vec![commit(9)], false)],
        vec![changes(vec![commit(9), commit(8)], false)],
        vec![progress(9), changes(vec![commit(9)], false)],
        vec![changes(vec![commit(7)], false)],
    ];
    for messages in late {
        let mut session = session(Some(Start::Now(StartNow {})));
        receive(&mut session, [opened(7, WatchOutcome::Replay)]);
        let steps: Vec<_> = messages.into_iter().map(|message| session.received(message, 0.5)).collect();
        assert!(matches!(steps.last(), Some(Step::End)), "what comes too late is not left out in silence");
    }
}

#[test]
fn a_delta_is_one_commit_however_many_messages_it_takes() {
    let mut session = session(Some(Start::ResumeToken("3".to_owned())));
    receive(&mut session, [opened(3, WatchOutcome::Delta), changes(vec![commit(9)], true), changes(vec![commit(9)], false)]);
    receive(&mut session, [progress(9), changes(vec![commit(10)], false)]);
    let (replay, delta) = (["opened 3", "live", "commit 9 of 2"], ["progress 9", "commit 10 of 1"]);
    assert_eq!(seen(&mut session), [&replay[..], &delta].concat());
}

#[test]
fn a_delta_that_is_cut_is_asked_for_again_from_where_it_began() {
    let mut session = session(Some(Start::ResumeToken("3".to_owned())));
    receive(&mut session, [opened(3, WatchOutcome::Delta), changes(vec![commit(9)], true)]);
    session.failed(answer(Code::Unavailable, None), 0.5);
    assert_eq!(seen(&mut session), ["opened 3", "live", "connecting 1"]);
    assert_eq!(session.request().start, Some(Start::ResumeToken("3".to_owned())));
    receive(&mut session, [opened(3, WatchOutcome::Delta), changes(vec![commit(11)], false)]);
    assert_eq!(seen(&mut session), ["opened 3", "live", "commit 11 of 1"]);
}

#[test]
fn a_reset_in_the_middle_of_a_stream_is_followed_by_a_snapshot_and_the_stream_goes_on() {
    let mut session = session(Some(Start::Now(StartNow {})));
    receive(&mut session, [opened(7, WatchOutcome::Replay), changes(vec![commit(8), commit(9)], true)]);
    assert_eq!(seen(&mut session), ["opened 7", "live", "commit 8 of 1"]);
    let reset = message(Message::Reset(Reset { reason: "compacted".to_owned() }));
    receive(&mut session, [reset, chunk(), snapshot_end(20), progress(20), changes(vec![commit(21)], false)]);
    let expected = ["reset", "snapshot", "end 20", "live", "progress 20", "commit 21 of 1"];
    assert_eq!(seen(&mut session), expected, "the half of commit 9 is gone, and not put together with anything");
}

#[test]
fn a_reset_of_which_the_snapshot_is_cut_off_starts_with_a_snapshot() {
    let reset = || message(Message::Reset(Reset { reason: "compacted".to_owned() }));
    for part in [vec![reset()], vec![reset(), chunk()]] {
        let mut session = session(Some(Start::Now(StartNow {})));
        receive(&mut session, [opened(7, WatchOutcome::Replay), progress(7)].into_iter().chain(part));
        session.failed(answer(Code::Unavailable, None), 0.5);
        assert_eq!(session.request().start, Some(Start::Snapshot(StartSnapshot {})));
        seen(&mut session);
        receive(&mut session, [opened(20, WatchOutcome::Snapshot), chunk(), snapshot_end(20)]);
        assert_eq!(seen(&mut session), ["opened 20", "snapshot", "end 20", "live"], "it has been reset already");
    }
}

#[test]
fn the_token_of_a_server_that_stops_may_lie_further_on_than_the_last_commit() {
    let mut session = session(Some(Start::Now(StartNow {})));
    receive(&mut session, [opened(7, WatchOutcome::Replay), changes(vec![commit(8)], false)]);
    // Commits 9 to 12 had nothing for this watch.
    let closing = Closing { resume_token: "12".to_owned(), retry_after: None };
    session.received(message(Message::Closing(closing)), 0.5);
    assert_eq!(session.request().start, Some(Start::ResumeToken("12".to_owned())));
    seen(&mut session);
    receive(&mut session, [opened(12, WatchOutcome::Replay), changes(vec![commit(13)], false)]);
    assert_eq!(seen(&mut session), ["opened 12", "live", "commit 13 of 1"], "there was no gap");
    // In the middle of a commit the stream has no place to go on from.
    receive(&mut session, [changes(vec![commit(14)], true)]);
    let closing = Closing { resume_token: "14".to_owned(), retry_after: None };
    session.received(message(Message::Closing(closing)), 0.5);
    assert_eq!(session.request().start, Some(Start::AfterRevision(13)));
}
