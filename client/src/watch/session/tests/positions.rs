//! What an application can ask, and where a later watch goes on.

use super::*;

fn position(revision: u64, token: Option<&str>) -> WatchPosition {
    WatchPosition { epoch: "one".to_owned(), revision, resume_token: token.map(str::to_owned) }
}

fn resumed(position: WatchPosition) -> Session {
    Session::resumed(Policy::default(), WatchRequest::default(), position)
}

/// Each event, and what the application has then.
fn given(session: &mut Session) -> Vec<(String, Option<WatchPosition>)> {
    let mut given = Vec::new();
    while let Some(event) = session.next_event() {
        given.push((word(&event), session.given().position().cloned()));
    }
    given
}

fn states(session: &mut Session) -> Vec<(String, WatchState)> {
    let mut states = Vec::new();
    while let Some(event) = session.next_event() {
        states.push((word(&event), session.given().state()));
    }
    states
}

fn opened_behind(revision: u64, head_revision: u64) -> WatchResponse {
    let outcome = WatchOutcome::Replay.into();
    message(Message::Opened(WatchOpened { epoch: "one".to_owned(), revision, outcome, head_revision }))
}

fn progress_behind(revision: u64, head_revision: u64) -> WatchResponse {
    message(Message::Progress(Progress { revision, resume_token: revision.to_string(), head_revision, digest: None }))
}

#[test]
fn only_whole_commits_and_complete_snapshots_count_into_a_position() {
    let mut session = session(None);
    let messages = [opened(7, WatchOutcome::Snapshot), chunk(), snapshot_end(7), changes(vec![commit(8), commit(9)], true)];
    receive(&mut session, messages);
    let at = |revision| Some(position(revision, None));
    let expected = [("opened 7", None), ("snapshot", None), ("end 7", at(7)), ("live", at(7)), ("commit 8 of 1", at(8))];
    assert_eq!(given(&mut session), expected.map(|(event, position)| (event.to_owned(), position)));
    receive(&mut session, [changes(vec![commit(9)], false), progress(11)]);
    let expected = [("commit 9 of 2", at(9)), ("progress 11", Some(position(11, Some("11"))))];
    assert_eq!(given(&mut session), expected.map(|(event, position)| (event.to_owned(), position)));
}

#[test]
fn a_position_never_runs_ahead_of_what_has_been_given() {
    let mut session = session(Some(Start::Now(StartNow {})));
    receive(&mut session, [opened(7, WatchOutcome::Replay), changes(vec![commit(8), commit(9)], false)]);
    assert_eq!(session.given().position(), None, "the message has arrived, and nothing has been given");
    session.next_event();
    assert_eq!(session.given().position(), Some(&position(7, None)), "from now on is a position too");
    seen(&mut session);
    assert_eq!(session.given().position(), Some(&position(9, None)));
}

#[test]
fn a_reset_takes_the_position_back_until_the_snapshot_is_complete() {
    let mut session = session(Some(Start::Now(StartNow {})));
    receive(&mut session, [opened(7, WatchOutcome::Replay), progress(7)]);
    seen(&mut session);
    receive(&mut session, [message(Message::Reset(Reset { reason: "compacted".to_owned() })), chunk()]);
    seen(&mut session);
    assert_eq!(session.given().position(), None);
    receive(&mut session, [snapshot_end(20)]);
    seen(&mut session);
    assert_eq!(session.given().position(), Some(&position(20, None)));
}

#[test]
fn a_position_is_resumed_by_its_token_or_else_by_its_revision() {
    assert_eq!(resumed(position(9, Some("t"))).request().start, Some(Start::ResumeToken("t".to_owned())));
    let mut session = resumed(position(9, None));
    assert_eq!(session.request().start, Some(Start::AfterRevision(9)));
    assert_eq!(session.given().position(), Some(&position(9, None)), "nothing has been lost yet");
    receive(&mut session, [opened(9, WatchOutcome::Replay), changes(vec![commit(10)], false)]);
    assert_eq!(seen(&mut session), ["opened 9", "live", "commit 10 of 1"]);
}

#[test]
fn a_position_goes_through_json_and_back() {
    for position in [position(9, None), position(9, Some("t"))] {
        let json = serde_json::to_string(&position).expect("JSON");
        assert_eq!(serde_json::from_str::<WatchPosition>(&json).expect("a position"), position);
    }
    assert_eq!(serde_json::to_string(&position(9, None)).expect("JSON"), r#"{"epoch":"one","revision":9}"#);
}

#[test]
fn a_position_of_another_history_is_lost_visibly() {
    let other = || WatchPosition { epoch: "two".to_owned(), ..position(9, None) };
    // The new history has that revision too: its epoch tells them apart.
    let mut replayed = resumed(other());
    assert!(matches!(replayed.received(opened(9, WatchOutcome::Replay), 0.5), Step::Connect { .. }));
    assert_eq!(given(&mut replayed), [("reset".to_owned(), None)]);
    assert_eq!(replayed.request().start, Some(Start::Snapshot(StartSnapshot {})));
    // Its token is refused.
    let mut refused = resumed(WatchPosition { resume_token: Some("t".to_owned()), ..other() });
    let error = answer(Code::FailedPrecondition, Some(ErrorReason::OtherEpoch));
    assert!(matches!(refused.failed(error, 0.5), Step::Connect { .. }));
    assert_eq!(seen(&mut refused), ["reset"]);
    // The server sends a snapshot by itself.
    let mut snapshot = resumed(other());
    receive(&mut snapshot, [opened(9, WatchOutcome::Snapshot), chunk(), snapshot_end(9)]);
    assert_eq!(seen(&mut snapshot), ["opened 9", "reset", "snapshot", "end 9", "live"]);
}

#[test]
fn a_revision_that_the_server_does_not_reach_is_asked_for_its_history() {
    let behind = || answer(Code::Unavailable, Some(ErrorReason::RevisionNotReached));
    for (epoch, expected) in [("one", vec![]), ("two", vec!["reset"])] {
        let mut session = resumed(position(9, None));
        session.failed(behind(), 0.5);
        assert_eq!(seen(&mut session), ["connecting 1"]);
        assert_eq!(session.request().start, Some(Start::Now(StartNow {})), "whatever revision it has, it tells its epoch");
        let answer = WatchOpened { epoch: epoch.to_owned(), revision: 4, outcome: WatchOutcome::Replay.into(), head_revision: 4 };
        assert!(matches!(session.received(message(Message::Opened(answer)), 0.5), Step::Connect { .. }));
        assert_eq!(seen(&mut session), expected);
        let same = epoch == "one";
        let start = if same { Start::AfterRevision(9) } else { Start::Snapshot(StartSnapshot {}) };
        assert_eq!(session.request().start, Some(start));
    }
    // A token asks for its history itself.
    let mut session = resumed(position(9, Some("t")));
    session.failed(behind(), 0.5);
    assert_eq!(session.request().start, Some(Start::ResumeToken("t".to_owned())));
}

#[test]
fn the_state_says_how_far_behind_a_watch_is_and_that_it_has_caught_up_once() {
    let mut session = session(Some(Start::AfterRevision(7)));
    assert_eq!(session.given().state(), WatchState::Connecting { attempt: 1 });
    receive(&mut session, [opened_behind(7, 20), changes(vec![commit(8), commit(12)], false), progress_behind(20, 20)]);
    receive(&mut session, [changes(vec![commit(21)], false), progress_behind(21, 24), changes(vec![commit(24)], false)]);
    let behind = |behind| WatchState::CatchingUp { behind };
    let live = WatchState::Live;
    let expected = [
        ("opened 7", behind(13)),
        ("commit 8 of 1", behind(12)),
        ("commit 12 of 1", behind(8)),
        ("progress 20", live),
        ("live", live),
        ("commit 21 of 1", live),
        ("progress 21", behind(3)),
        ("commit 24 of 1", live),
        ("live", live),
    ];
    assert_eq!(states(&mut session), expected.map(|(event, state)| (event.to_owned(), state)));
}

#[test]
fn the_state_tells_connecting_from_a_snapshot_from_the_end() {
    let mut session = session(None);
    let series = SeriesObservations { observations: vec![Observation::default(); 3], ..SeriesObservations::default() };
    let part = || message(Message::Snapshot(SnapshotChunk { series: vec![series.clone()], entries: Vec::new() }));
    receive(&mut session, [opened(7, WatchOutcome::Snapshot), part(), part()]);
    session.failed(answer(Code::Unavailable, None), 0.5);
    session.failed(answer(Code::Unavailable, None), 0.5);
    session.failed(answer(Code::InvalidArgument, None), 0.5);
    let snapshot = |observations| WatchState::Snapshot { observations };
    let connecting = |attempt| WatchState::Connecting { attempt };
    let expected = [
        ("opened 7", snapshot(0)),
        ("snapshot", snapshot(3)),
        ("snapshot", snapshot(6)),
        ("connecting 1", connecting(2)),
        ("reset", connecting(2)),
        ("connecting 2", connecting(3)),
        ("error no (INVALID_ARGUMENT)", WatchState::Ended),
    ];
    assert_eq!(states(&mut session), expected.map(|(event, state)| (event.to_owned(), state)));
}
