//! One recording a guarantee that breaks it.

use std::time::Duration;

use indicator_proto::v1::{
    CellChange, ChangeKind, Changes, Observation, WatchOutcome, WatchRequest, WatchResponse, watch_request::Start,
    watch_response::Message,
};
use tonic::Code;

use super::{
    super::{
        Check,
        recording::{End, Known, Stream, Token},
    },
    failed,
    story::{
        a, after, b, bare, c, change, changes, d, delta, digest, event, every_change, latest, log, opened, preferred, progress,
        refused,
    },
};
use crate::refusal::Refusal;

/// The checks that a stream fails after somebody has tampered with its messages.
fn tampered(mut stream: Stream, tamper: impl FnOnce(&mut Vec<WatchResponse>)) -> std::collections::BTreeSet<Check> {
    tamper(&mut stream.messages);
    failed(&log(), vec![stream])
}

fn changes_in(message: &mut WatchResponse) -> &mut Changes {
    match &mut message.message {
        Some(Message::Changes(changes)) => changes,
        other => panic!("changes, not {other:?}"),
    }
}

/// A change of a message of one event.
fn change_in(message: &mut WatchResponse, at: usize) -> &mut CellChange {
    &mut changes_in(message).events[0].changes[at]
}

#[track_caller]
fn assert_found(found: &std::collections::BTreeSet<Check>, check: Check) {
    assert!(found.contains(&check), "{check} is not among {found:?}");
}

#[test]
fn messages_out_of_their_order_are_found() {
    assert_found(&tampered(every_change(), |m| m.swap(2, 3)), Check::WellFormed);
    assert_found(&tampered(every_change(), |m| drop(m.remove(0))), Check::WellFormed);
    assert_eq!(tampered(every_change(), |m| changes_in(&mut m[8]).first_revision = 5), [Check::WellFormed].into());
    assert_eq!(tampered(every_change(), |m| m[9] = progress(6, digest(&[]))), [Check::WellFormed, Check::DigestAgrees].into());
}

#[test]
fn an_event_outside_the_filter_is_found() {
    let found = tampered(every_change(), |m| {
        m.insert(12, changes(vec![event(10, vec![change(ChangeKind::Deleted, b("", 10), None)])], false))
    });
    assert_found(&found, Check::EventsMatchTheFilter);
}

#[test]
fn a_figure_whose_region_has_not_come_yet_is_found() {
    let found = tampered(latest(), |m| {
        changes_in(&mut m[2]).events[0].changes.insert(1, change(ChangeKind::Entered, b("5", 2), None));
    });
    assert_found(&found, Check::EventsMatchTheFilter);
}

#[test]
fn a_region_that_leaves_without_a_word_is_found() {
    let found = tampered(every_change(), |m| drop(changes_in(&mut m[10]).events.pop()));
    assert_found(&found, Check::StateAtProgress);
}

#[test]
fn a_revision_that_goes_back_is_found() {
    let found = tampered(every_change(), |m| m.swap(10, 11));
    assert_found(&found, Check::RevisionsNeverGoBack);
}

#[test]
fn a_cell_that_comes_twice_is_found() {
    let found = tampered(every_change(), |m| {
        let twice = changes_in(&mut m[11]).events[0].changes[0].clone();
        changes_in(&mut m[11]).events[0].changes.push(twice);
    });
    assert_found(&found, Check::NoCellTwice);
}

#[test]
fn a_commit_that_is_torn_without_a_word_is_found() {
    assert_found(&tampered(every_change(), |m| changes_in(&mut m[4]).more = false), Check::CommitsAreWhole);
    assert_found(&tampered(every_change(), |m| drop(m.remove(5))), Check::CommitsAreWhole);
    assert_found(&tampered(latest(), |m| drop(changes_in(&mut m[2]).events[0].changes.pop())), Check::CommitsAreWhole);
}

#[test]
fn progress_that_overtakes_its_events_is_found() {
    let found = tampered(every_change(), |m| m.swap(8, 9));
    assert_found(&found, Check::NothingBehindProgress);
}

#[test]
fn a_snapshot_that_is_not_the_state_is_found() {
    let found = tampered(every_change(), |m| m[1..3].clone_from_slice(&super::story::snapshot(&[a("2", 3)], 2)));
    assert_found(&found, Check::SnapshotsAreTheState);
}

#[test]
fn a_resumed_stream_that_skips_an_event_is_found() {
    let whole = every_change();
    let mut rest = after(&whole, 0, 7);
    rest.messages.remove(1);
    assert_found(&failed(&log(), vec![whole.clone(), rest]), Check::ResumesAtTheFirstMatching);
    let mut other = after(&whole, 0, 7);
    other.messages[0] = opened(WatchOutcome::Replay, 6);
    assert_found(&failed(&log(), vec![whole, other]), Check::ResumesAtTheFirstMatching);
}

#[test]
fn a_snapshot_from_before_an_acknowledged_write_is_found() {
    let stream = Stream { known: Known { head: 3, ..Known::default() }, ..every_change() };
    assert_found(&failed(&log(), vec![stream]), Check::ResumesAtTheFirstMatching);
}

#[test]
fn an_event_that_the_log_has_not_is_found() {
    let found = tampered(every_change(), |m| change_in(&mut m[8], 0).observation = Some(a("8", 6)));
    assert_found(&found, Check::EventsAreTheLog);
    let found = tampered(every_change(), |m| changes_in(&mut m[8]).events[0].recorded_at = None);
    assert_found(&found, Check::EventsAreTheLog);
}

#[test]
fn a_wrong_previous_is_found() {
    let wrong = |observation: Observation| Some(Observation { series: None, ..observation });
    for previous in [None, wrong(a("1", 2)), wrong(a("8", 3))] {
        let found = tampered(every_change(), |m| change_in(&mut m[8], 0).previous = previous.clone());
        assert_eq!(found, [Check::PreviousIsTheStateBefore].into());
        let found = tampered(latest(), |m| change_in(&mut m[4], 0).previous = previous);
        assert_eq!(found, [Check::PreviousIsTheStateBefore].into());
    }
    let mut unasked = every_change();
    unasked.request.include_previous = false;
    assert_eq!(failed(&log(), vec![unasked]), [Check::PreviousIsTheStateBefore].into());
}

#[test]
fn a_version_that_does_not_come_is_found() {
    let found = tampered(every_change(), |m| drop(changes_in(&mut m[6]).events.remove(0)));
    assert_found(&found, Check::EveryVersionComes);
    let found = tampered(every_change(), |m| change_in(&mut m[6], 0).set_kind(ChangeKind::Revised));
    assert_found(&found, Check::EveryVersionComes);
}

#[test]
fn a_state_that_is_not_the_latest_is_found() {
    let found = tampered(latest(), |m| change_in(&mut m[2], 0).observation = Some(a("1", 2)));
    assert_found(&found, Check::EventsAreTheLatest);
    let found = tampered(latest(), |m| change_in(&mut m[2], 1).set_kind(ChangeKind::Revised));
    assert_eq!(found, [Check::EventsAreTheLatest].into());
    let found = tampered(latest(), |m| change_in(&mut m[2], 0).observation = Some(super::story::old("7", 4)));
    assert_found(&found, Check::EventsAreTheLatest);
}

#[test]
fn a_cell_that_goes_back_is_found() {
    let found = tampered(latest(), |m| change_in(&mut m[2], 0).observation = Some(a("1", 2)));
    assert_found(&found, Check::CellsIncrease);
}

#[test]
fn a_deletion_that_vanishes_is_found() {
    let found = tampered(latest(), |m| drop(changes_in(&mut m[4]).events[0].changes.remove(0)));
    assert_found(&found, Check::DeletionsNeverVanish);
    // Also where the client never had the figure.
    let mut stream = delta();
    stream.request.start = Some(Start::AfterRevision(1));
    stream.messages[0] = opened(WatchOutcome::Delta, 1);
    stream.messages.remove(1);
    assert_eq!(failed(&log(), vec![stream]), [Check::DeletionsNeverVanish].into());
}

#[test]
fn a_state_that_is_not_the_records_is_found() {
    let found = tampered(latest(), |m| drop(changes_in(&mut m[6]).events[0].changes.remove(1)));
    assert_found(&found, Check::StateAtProgress);
}

#[test]
fn a_wrong_digest_is_found() {
    let found = tampered(latest(), |m| m[5] = progress(6, digest(&[a("2", 3), b("5", 2), c("9", 3)])));
    assert_eq!(found, [Check::DigestAgrees].into());
}

#[test]
fn a_withdrawal_that_shows_no_other_source_is_found() {
    let found = tampered(preferred(), |m| {
        *change_in(&mut m[5], 0) = change(ChangeKind::Deleted, a("", 6), Some(a("2", 3)));
    });
    assert_found(&found, Check::PreferredIsTheQuery);
}

#[test]
fn an_old_token_that_is_replayed_or_answered_by_silence_is_found() {
    let mut stream = delta();
    stream.messages = vec![opened(WatchOutcome::Replay, 2), progress(2, None)];
    assert_eq!(failed(&log(), vec![stream.clone()]), [Check::OldTokensAreAnswered].into());
    stream.messages.clear();
    assert_eq!(failed(&log(), vec![Stream { end: End::Silent, ..stream }]), [Check::OldTokensAreAnswered].into());
    let found = tampered(delta(), |m| drop(changes_in(&mut m[2]).events[0].changes.pop()));
    assert_found(&found, Check::OldTokensAreAnswered);
    let early = Stream { known: Known::default(), ..delta() };
    assert_eq!(failed(&log(), vec![early]), [Check::OldTokensAreAnswered].into());
}

#[test]
fn a_snapshot_in_place_of_a_replay_without_a_reset_is_found() {
    let mut stream = every_change();
    stream.request.start = Some(Start::AfterRevision(2));
    stream.known = Known { head: 2, horizon: 3, asked_horizon: 3 };
    assert_eq!(failed(&log(), vec![stream]), [Check::WellFormed, Check::OldTokensAreAnswered].into());
}

fn refusal(code: Code, reason: &str) -> Refusal {
    Refusal { code, reason: reason.into(), message: String::new(), violations: vec![], retry_after: None }
}

#[test]
fn a_future_revision_that_is_refused_at_once_or_by_another_word_is_found() {
    let future = |refusal: Refusal, waited| {
        let mut stream = refused(Token::Genuine, refusal, waited);
        stream.request = WatchRequest { start: Some(Start::AfterRevision(99)), ..stream.request };
        failed(&log(), vec![Stream { deadline: Some(Duration::from_secs(2)), ..stream }])
    };
    let patient = Duration::from_secs(2);
    assert_eq!(future(refusal(Code::Unavailable, "REVISION_NOT_REACHED"), patient), [].into());
    let hasty = future(refusal(Code::Unavailable, "REVISION_NOT_REACHED"), Duration::ZERO);
    assert_eq!(hasty, [Check::FutureTokensWait].into());
    let other = future(refusal(Code::OutOfRange, "FUTURE_REVISION"), patient);
    assert_found(&other, Check::FutureTokensWait);
    let mut taken = after(&every_change(), 0, 7);
    taken.carried = None;
    taken.request.start = Some(Start::AfterRevision(99));
    assert_found(&failed(&log(), vec![taken]), Check::FutureTokensWait);
}

#[test]
fn a_bad_token_that_is_taken_or_refused_by_another_word_is_found() {
    let reasons = [
        (Token::Forged, Code::InvalidArgument, "INVALID_RESUME_TOKEN"),
        (Token::Foreign, Code::FailedPrecondition, "OTHER_EPOCH"),
        (Token::OtherFilter, Code::InvalidArgument, "RESUME_TOKEN_OTHER_FILTER"),
    ];
    for (token, code, reason) in reasons {
        assert_eq!(failed(&log(), vec![refused(token, refusal(code, reason), Duration::ZERO)]), [].into());
        let other = failed(&log(), vec![refused(token, refusal(code, "INVALID_REQUEST"), Duration::ZERO)]);
        assert_eq!(other, [Check::BadTokensAreRefused].into());
        let taken = Stream { token, ..after(&every_change(), 0, 7) };
        assert_eq!(failed(&log(), vec![every_change(), taken]), [Check::BadTokensAreRefused].into());
    }
    let good = refused(Token::Genuine, refusal(Code::FailedPrecondition, "OTHER_EPOCH"), Duration::ZERO);
    assert_eq!(failed(&log(), vec![good]), [Check::BadTokensAreRefused].into());
}

#[test]
fn a_closing_token_that_leaves_out_or_repeats_is_found() {
    let mut short = every_change();
    // It was closed after 8; the token goes on after 9.
    short.messages.truncate(11);
    let closing = every_change().messages.pop().unwrap();
    short.messages.push(closing);
    let mut rest = after(&short, 0, 11);
    assert_found(&failed(&log(), vec![short.clone(), rest.clone()]), Check::ClosingResumesExactly);
    rest.messages = vec![
        opened(WatchOutcome::Replay, 7),
        changes(vec![event(8, vec![change(ChangeKind::Left, bare(&b("", 0)), Some(b("5", 2)))])], false),
        changes(vec![event(9, vec![change(ChangeKind::Inserted, d("4", 9), None)])], false),
        progress(10, None),
    ];
    assert_found(&failed(&log(), vec![short, rest]), Check::ClosingResumesExactly);
}

#[test]
fn a_stream_that_ends_without_a_word_is_found() {
    assert_eq!(tampered(every_change(), |m| drop(m.pop())), [Check::ClosingResumesExactly].into());
}
