//! The watch checker: compares what clients recorded with the log, guarantee by guarantee. Pure: no I/O and no clock.
//!
//! - [`recording`]: what clients saw.
//! - [`log`] and [`view`]: what was committed, and what of it a subscriber should see.
//! - [`reading`]: a recorded stream beside the log: what the client holds after each message, and what it should hold, as
//!   `follower` finds.
//! - `form`, `order`, `replay`, `latest`, `resume`: the checks, each of one guarantee, by name.

mod follower;
mod form;
mod latest;
pub mod log;
mod order;
pub mod reading;
pub mod recording;
mod replay;
mod resume;
#[cfg(test)]
mod tests;
pub mod view;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use self::{
    log::Log,
    reading::{Holdings, Reading},
    recording::{Stream, Subscriber},
    view::View,
};

/// What is checked of every stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Messages come in the order and with the parts that the schema says.
    WellFormed,
    /// Every event matches the filter, evaluated as the catalog was at that commit.
    EventsMatchTheFilter,
    /// Revisions never go back.
    RevisionsNeverGoBack,
    /// No (revision, cell) twice.
    NoCellTwice,
    /// A commit is never torn, or `more` says so.
    CommitsAreWhole,
    /// After Progress P no event of P or before.
    NothingBehindProgress,
    /// A snapshot is the state of the record at its revision.
    SnapshotsAreTheState,
    /// The first event after a resume is the first matching one after the token.
    ResumesAtTheFirstMatching,
    /// Events received equal the replayed slice of the log.
    EventsAreTheLog,
    /// `previous` is the state at revision - 1; in LATEST mode, at the subscriber's position.
    PreviousIsTheStateBefore,
    /// EVERY_CHANGE delivers every version, backfilled ones marked.
    EveryVersionComes,
    /// LATEST: each event shows the latest state, and says rightly what it is to what the subscriber had.
    EventsAreTheLatest,
    /// LATEST: per cell increasing.
    CellsIncrease,
    /// LATEST: deletions never vanish.
    DeletionsNeverVanish,
    /// At each Progress the client's state equals the record's.
    StateAtProgress,
    /// The digest of a Progress is that of the record's state.
    DigestAgrees,
    /// The preferred picture at each Progress is that of a query without sources.
    PreferredIsTheQuery,
    /// A token too old gets DELTA or Reset and a snapshot, never silence; and one that is not is replayed.
    OldTokensAreAnswered,
    /// A token of the future waits, then UNAVAILABLE.
    FutureTokensWait,
    /// Forged, foreign and other-filter tokens are refused with their own reasons, and no others are.
    BadTokensAreRefused,
    /// Closing carries a token that resumes exactly where the stream ended.
    ClosingResumesExactly,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What is wrong, and at which message of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    message: usize,
    what: String,
}

impl Failure {
    /// At a message.
    pub fn new(message: usize, what: impl Into<String>) -> Self {
        Self { message, what: what.into() }
    }
}

/// A guarantee that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {subscriber}, stream {stream}, message {message}: {what}")]
pub struct Violation {
    /// Which one.
    pub check: Check,
    /// Whose stream.
    pub subscriber: String,
    /// Which of its streams.
    pub stream: usize,
    /// Which message.
    pub message: usize,
    /// What is wrong with it.
    pub what: String,
}

type Outcome = Result<(), Failure>;

/// Whether a guarantee holds on a stream.
type Holds = fn(&Reading<'_>) -> Outcome;

const CHECKS: [(Check, Holds); 21] = [
    (Check::WellFormed, form::well_formed),
    (Check::EventsMatchTheFilter, replay::events_match_the_filter),
    (Check::RevisionsNeverGoBack, order::revisions_never_go_back),
    (Check::NoCellTwice, order::no_cell_twice),
    (Check::CommitsAreWhole, order::commits_are_whole),
    (Check::NothingBehindProgress, order::nothing_behind_progress),
    (Check::SnapshotsAreTheState, form::snapshots_are_the_state),
    (Check::ResumesAtTheFirstMatching, replay::resumes_at_the_first_matching),
    (Check::EventsAreTheLog, replay::events_are_the_log),
    (Check::PreviousIsTheStateBefore, replay::previous_is_the_state_before),
    (Check::EveryVersionComes, replay::every_version_comes),
    (Check::EventsAreTheLatest, latest::events_are_the_latest),
    (Check::CellsIncrease, latest::cells_increase),
    (Check::DeletionsNeverVanish, latest::deletions_never_vanish),
    (Check::StateAtProgress, latest::state_at_progress),
    (Check::DigestAgrees, latest::digest_agrees),
    (Check::PreferredIsTheQuery, latest::preferred_is_the_query),
    (Check::OldTokensAreAnswered, resume::old_tokens_are_answered),
    (Check::FutureTokensWait, resume::future_tokens_wait),
    (Check::BadTokensAreRefused, resume::bad_tokens_are_refused),
    (Check::ClosingResumesExactly, resume::closing_resumes_exactly),
];

/// Compares what a subscriber saw with a view of the log: the first violation of each guarantee on each stream.
#[must_use]
pub fn check(log: &Log, view: &View<'_>, subscriber: &Subscriber) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut holdings: BTreeMap<(usize, usize), Holdings<'_>> = BTreeMap::new();
    for (number, stream) in subscriber.streams.iter().enumerate() {
        let violation = |check: Check, failure: Failure| {
            let (subscriber, Failure { message, what }) = (subscriber.name.clone(), failure);
            Violation { check, subscriber, stream: number, message, what }
        };
        let carried = stream.carried.map(|point| {
            let held = holdings.get(&(point.stream, point.message)).cloned().unwrap_or_default();
            (&subscriber.streams[point.stream], held)
        });
        match Reading::new(log, view, stream, carried, &wanted(&subscriber.streams, number)) {
            Ok(mut reading) => {
                let kept = std::mem::take(&mut reading.holdings);
                holdings.extend(kept.into_iter().map(|(message, held)| ((number, message), held)));
                for (check, holds) in CHECKS {
                    violations.extend(holds(&reading).err().map(|failure| violation(check, failure)));
                }
            }
            Err(failure) => {
                violations.push(violation(Check::EventsMatchTheFilter, failure));
                break;
            }
        }
    }
    violations
}

/// The messages of a stream after which later streams go on.
fn wanted(streams: &[Stream], number: usize) -> BTreeSet<usize> {
    streams.iter().filter_map(|s| s.carried).filter(|p| p.stream == number).map(|p| p.message).collect()
}
