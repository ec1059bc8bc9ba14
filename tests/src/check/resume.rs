//! How streams start where others ended, or are refused.

use std::time::Duration;

use indicator_proto::v1::{WatchOutcome, watch_request::Start, watch_response::Message};
use tonic::Code;

use super::{
    Failure, Outcome,
    reading::{Item, Reading, What},
    recording::{End, Token, position},
};
use crate::refusal::Refusal;

/// The longest that the service waits for a revision.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The revision that a stream was asked to go on after. `None` if it was not, or if only the service knows.
pub(super) fn asked(reading: &Reading<'_>) -> Option<u64> {
    match reading.stream.request.start {
        Some(Start::AfterRevision(revision)) => Some(revision),
        Some(Start::ResumeToken(_)) => {
            let point = reading.stream.carried?;
            position(reading.before?.messages.get(point.message)?)
        }
        _ => None,
    }
}

/// A token too old gets DELTA or Reset and a snapshot, never silence, and a DELTA brings the client's state to the record's. One
/// that is not too old is replayed.
pub(super) fn old_tokens_are_answered(reading: &Reading<'_>) -> Outcome {
    if reading.stream.end == End::Silent {
        return Err(Failure::new(reading.stream.messages.len(), "nothing comes any more"));
    }
    let Some(Item { what: What::Opened { opened, .. }, .. }) = reading.items.first() else { return Ok(()) };
    let outcome = opened.outcome();
    let known = reading.stream.known;
    let fits = match (asked(reading), &reading.stream.request.start) {
        (Some(asked), _) if asked < known.horizon => outcome != WatchOutcome::Replay,
        (Some(asked), _) if asked >= known.asked_horizon => outcome == WatchOutcome::Replay,
        (_, Some(Start::Now(_))) => outcome == WatchOutcome::Replay,
        (_, None | Some(Start::Snapshot(_))) => outcome == WatchOutcome::Snapshot,
        _ => true,
    };
    if !fits {
        return Err(Failure::new(0, format!("{opened:?} where the horizon was {known:?}")));
    }
    let reset = matches!(reading.items.get(1), Some(Item { what: What::Reset(_), .. }) | None);
    match outcome {
        WatchOutcome::Snapshot if reading.stream.goes_on() && !reset => {
            Err(Failure::new(1, "a snapshot to a client that goes on, without Reset"))
        }
        WatchOutcome::Delta => delta(reading),
        _ => Ok(()),
    }
}

/// A difference is one event, with the revision of the progress after it, and brings all.
fn delta(reading: &Reading<'_>) -> Outcome {
    let mut told = None;
    for Item { message, what } in &reading.items {
        match what {
            What::Event { event, .. } => {
                if told.is_some_and(|told| told != event.revision) {
                    return Err(Failure::new(*message, format!("event {} where {told:?} was the difference", event.revision)));
                }
                told = Some(event.revision);
            }
            What::Progress { progress, differing, .. } => {
                if told.is_some_and(|told| told != progress.revision) {
                    return Err(Failure::new(*message, format!("{progress:?} after a difference of {told:?}")));
                }
                return match differing {
                    Some(cell) => Err(Failure::new(*message, format!("the difference is not all: {}", reading.show(*cell)))),
                    None => Ok(()),
                };
            }
            _ => {}
        }
    }
    Ok(())
}

fn refusal<'a>(reading: &Reading<'a>) -> Option<&'a Refusal> {
    match &reading.stream.end {
        End::Refused(refusal) if reading.items.is_empty() => Some(refusal),
        _ => None,
    }
}

/// A token of the future waits, then UNAVAILABLE.
pub(super) fn future_tokens_wait(reading: &Reading<'_>) -> Outcome {
    let (Some(asked), stream) = (asked(reading), reading.stream) else { return Ok(()) };
    if let Some(Item { what: What::Opened { opened, .. }, .. }) = reading.items.first() {
        let here = opened.head_revision >= asked;
        return if here { Ok(()) } else { Err(Failure::new(0, format!("{opened:?}, which is before {asked}"))) };
    }
    let Some(refusal) = refusal(reading).filter(|r| r.reason != "SHUTTING_DOWN") else { return Ok(()) };
    let future = asked > stream.known.head;
    let patient = stream.waited >= stream.deadline.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT) / 2;
    let right = future && patient && refusal.what() == (Code::Unavailable, "REVISION_NOT_REACHED");
    let what = || format!("{refusal:?} for {asked} at head {} after {:?}", stream.known.head, stream.waited);
    if right || stream.token != Token::Genuine { Ok(()) } else { Err(Failure::new(0, what())) }
}

/// Forged, foreign and other-filter tokens are refused with their own reasons, and no others are.
pub(super) fn bad_tokens_are_refused(reading: &Reading<'_>) -> Outcome {
    let reason = match reading.stream.token {
        Token::Genuine => {
            let refusal = refusal(reading).filter(|r| r.code != Code::Unavailable);
            return refusal.map_or(Ok(()), |refusal| Err(Failure::new(0, format!("a token of this service: {refusal:?}"))));
        }
        Token::Forged => (Code::InvalidArgument, "INVALID_RESUME_TOKEN"),
        Token::Foreign => (Code::FailedPrecondition, "OTHER_EPOCH"),
        Token::OtherFilter => (Code::InvalidArgument, "RESUME_TOKEN_OTHER_FILTER"),
    };
    match &reading.stream.end {
        End::Refused(refusal) if reading.items.is_empty() => {
            let stopping = refusal.code == Code::Unavailable;
            let what = format!("a token that is {:?}: {refusal:?}", reading.stream.token);
            if refusal.what() == reason || stopping { Ok(()) } else { Err(Failure::new(0, what)) }
        }
        End::Broken if reading.items.is_empty() => Ok(()),
        _ => Err(Failure::new(0, format!("a token that is {:?} was taken", reading.stream.token))),
    }
}

/// A stream that the server ends, ends with Closing; and its token resumes exactly where the stream ended: with nothing left out,
/// and nothing again.
pub(super) fn closing_resumes_exactly(reading: &Reading<'_>) -> Outcome {
    let closed = matches!(reading.items.last(), Some(Item { what: What::Closing(_), .. }));
    if reading.stream.end == End::Ended && !closed {
        return Err(Failure::new(reading.stream.messages.len(), "it ended without Closing"));
    }
    let (Some(before), Some(point)) = (reading.before, reading.stream.carried) else { return Ok(()) };
    let Some(Message::Closing(_)) = before.messages.get(point.message).and_then(|m| m.message.as_ref()) else { return Ok(()) };
    let Some(Item { what: What::Opened { opened, differing }, .. }) = reading.items.first() else { return Ok(()) };
    if opened.outcome() == WatchOutcome::Snapshot {
        return Ok(());
    }
    let ended = before.messages[..point.message].iter().rev().find_map(|m| match &m.message {
        Some(Message::Opened(opened)) => Some(opened.revision),
        Some(Message::SnapshotEnd(end)) => Some(end.revision),
        Some(Message::Changes(changes)) => Some(changes.last_revision),
        Some(Message::Progress(progress)) => Some(progress.revision),
        _ => None,
    });
    let ended = ended.unwrap_or(0);
    let skipped = reading.view.first_after(ended, opened.revision, reading.stream.request.include_catalog);
    if opened.revision < ended || skipped.is_some() || differing.is_some() {
        return Err(Failure::new(0, format!("{opened:?} after a stream that ended at {ended}; the log has {skipped:?}")));
    }
    Ok(())
}
