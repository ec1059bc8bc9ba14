//! In LATEST mode the application's state is compared with the server's digest.

use indicator_proto::{Digest, cell_hash, v1::ChangeKind};

use super::*;

fn latest(start: Option<Start>) -> Session {
    Session::new(Policy::default(), request(start, false))
}

fn request(start: Option<Start>, preferred: bool) -> WatchRequest {
    WatchRequest { start, mode: WatchMode::Latest.into(), preferred, ..WatchRequest::default() }
}

fn figure(source: &str, value: &str) -> Observation {
    let series = SeriesKey { indicator: "gdp".to_owned(), source: source.to_owned(), ..SeriesKey::default() };
    Observation { series: Some(series), period: "2020".to_owned(), value: value.to_owned(), ..Observation::default() }
}

fn part(observation: Observation) -> WatchResponse {
    let series = observation.series.clone();
    let series = vec![SeriesObservations { series, observations: vec![Observation { series: None, ..observation }] }];
    message(Message::Snapshot(SnapshotChunk { series, entries: Vec::new() }))
}

fn event(revision: u64, kind: ChangeKind, observation: Observation) -> CommitEvents {
    let change = CellChange { kind: kind.into(), observation: Some(observation), previous: None };
    CommitEvents { revision, changes: vec![change], ..CommitEvents::default() }
}

fn digest(state: &[Observation]) -> u64 {
    let mut digest = Digest::default();
    state.iter().for_each(|it| digest.add(cell_hash(it.series.as_ref().unwrap(), it)));
    digest.0
}

fn told(revision: u64, digest: u64) -> WatchResponse {
    let resume_token = revision.to_string();
    message(Message::Progress(Progress { revision, resume_token, head_revision: revision, digest: Some(digest) }))
}

#[test]
fn the_state_that_the_changes_make_is_compared_with_the_servers() {
    let mut session = latest(None);
    receive(&mut session, [opened(7, WatchOutcome::Snapshot), part(figure("a", "1")), snapshot_end(7)]);
    receive(&mut session, [told(7, digest(&[figure("a", "1")]))]);
    receive(&mut session, [changes(vec![event(8, ChangeKind::Revised, figure("a", "2"))], true)]);
    receive(&mut session, [changes(vec![event(8, ChangeKind::Entered, figure("b", "3"))], false)]);
    receive(&mut session, [told(9, digest(&[figure("a", "2"), figure("b", "3")]))]);
    receive(
        &mut session,
        [changes(vec![event(10, ChangeKind::Left, figure("b", ""))], false), told(10, digest(&[figure("a", "2")]))],
    );
    let gone = Observation { deleted: true, ..figure("a", "") };
    receive(&mut session, [changes(vec![event(11, ChangeKind::Deleted, gone)], false), told(11, 0)]);
    assert!(!seen(&mut session).iter().any(|event| event.starts_with("diverged")));
}

#[test]
fn a_state_that_differs_is_told_and_replaced_by_a_snapshot() {
    let mut session = latest(None);
    receive(&mut session, [opened(7, WatchOutcome::Snapshot), part(figure("a", "1")), snapshot_end(7)]);
    receive(&mut session, [changes(vec![event(8, ChangeKind::Revised, figure("a", "2"))], false)]);
    seen(&mut session);
    let right = digest(&[figure("a", "3")]);
    assert!(matches!(session.received(told(8, right), 0.5), Step::Connect { wait: Duration::ZERO }));
    let Some(Ok(WatchEvent::Diverged { revision: 8, expected, actual })) = session.next_event() else { panic!("it is told") };
    assert_eq!((expected, actual), (right, digest(&[figure("a", "2")])));
    assert_eq!(seen(&mut session), ["reset"]);
    assert_eq!(session.request().start, Some(Start::Snapshot(StartSnapshot {})));
    receive(&mut session, [opened(8, WatchOutcome::Snapshot), part(figure("a", "3")), snapshot_end(8), told(8, right)]);
    assert_eq!(seen(&mut session), ["opened 8", "snapshot", "end 8", "live", "progress 8"]);
}

#[test]
fn a_digest_that_is_wrong_again_and_again_does_not_ask_for_snapshots_without_pause() {
    let mut session = latest(None);
    let mut waits = Vec::new();
    for _ in 0..20 {
        receive(&mut session, [opened(7, WatchOutcome::Snapshot), snapshot_end(7)]);
        let Step::Connect { wait } = session.received(told(7, 1), 1.0) else { panic!("it starts again") };
        waits.push(wait.as_millis());
    }
    assert_eq!(waits[..4], [0, 100, 200, 400]);
    assert_eq!(waits.last(), Some(&300_000));
    receive(&mut session, [opened(7, WatchOutcome::Snapshot), snapshot_end(7), told(7, 0)]);
    assert!(matches!(session.received(told(7, 1), 1.0), Step::Connect { wait: Duration::ZERO }), "one was right in between");
}

#[test]
fn a_state_that_is_not_wholly_known_is_not_compared() {
    let mut now = latest(Some(Start::Now(StartNow {})));
    receive(&mut now, [opened(7, WatchOutcome::Replay), told(7, 1)]);
    let position = WatchPosition { epoch: "one".to_owned(), revision: 7, resume_token: None };
    let mut resumed = Session::resumed(Policy::default(), request(None, false), position);
    receive(&mut resumed, [opened(7, WatchOutcome::Replay), told(7, 1)]);
    let mut every = session(None);
    receive(&mut every, [opened(7, WatchOutcome::Snapshot), snapshot_end(7), told(7, 1)]);
    // After a reset it is known, wherever the watch began.
    receive(&mut now, [message(Message::Reset(Reset { reason: "compacted".to_owned() })), snapshot_end(8)]);
    assert!(matches!(now.received(told(8, 1), 0.5), Step::Connect { .. }));
}

#[test]
fn what_is_known_outlives_a_lost_connection_and_repeats() {
    let mut session = latest(None);
    receive(&mut session, [opened(7, WatchOutcome::Snapshot), part(figure("a", "1")), snapshot_end(7)]);
    receive(&mut session, [changes(vec![event(8, ChangeKind::Inserted, figure("b", "2"))], false)]);
    session.failed(answer(Code::Unavailable, None), 0.5);
    assert_eq!(session.request().start, Some(Start::AfterRevision(8)));
    receive(&mut session, [opened(8, WatchOutcome::Delta), changes(vec![event(12, ChangeKind::Left, figure("a", ""))], false)]);
    receive(&mut session, [told(12, digest(&[figure("b", "2")]))]);
    // A snapshot that was cut off leaves nothing behind.
    receive(&mut session, [message(Message::Reset(Reset { reason: "compacted".to_owned() })), part(figure("c", "9"))]);
    session.failed(answer(Code::Unavailable, None), 0.5);
    receive(&mut session, [opened(13, WatchOutcome::Snapshot), part(figure("d", "1")), snapshot_end(13)]);
    receive(&mut session, [told(13, digest(&[figure("d", "1")]))]);
}

#[test]
fn in_the_preferred_picture_the_figure_of_another_source_takes_the_place_of_the_old_one() {
    let mut session = Session::new(Policy::default(), request(None, true));
    receive(&mut session, [opened(7, WatchOutcome::Snapshot), part(figure("a", "1")), snapshot_end(7)]);
    receive(&mut session, [changes(vec![event(8, ChangeKind::Revised, figure("b", "2"))], false)]);
    receive(&mut session, [told(8, digest(&[figure("b", "2")]))]);
}
