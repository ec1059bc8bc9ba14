//! The form of a stream, and its snapshots.

use std::collections::BTreeMap;

use indicator_proto::v1::{Changes, Closing, Progress, WatchMode, WatchOpened, WatchOutcome};

use super::{
    Failure, Outcome,
    log::entry_key,
    reading::{Item, Reading, What},
};

/// Where a stream is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Opening,
    /// A snapshot comes, after a Reset if `reset`.
    Snapshot {
        reset: bool,
        figures: bool,
    },
    Live,
    Closed,
}

/// Messages come in the order and with the parts that the schema says.
pub(super) fn well_formed(reading: &Reading<'_>) -> Outcome {
    let mut phase = Phase::Opening;
    for Item { message, what } in &reading.items {
        let failure = |what: String| Failure::new(*message, what);
        phase = match (phase, what) {
            (Phase::Opening, What::Opened { opened, .. }) => after_opened(reading, opened).map_err(failure)?,
            (Phase::Snapshot { reset: true, .. } | Phase::Live, What::Reset(reset)) if !reset.reason.is_empty() => {
                Phase::Snapshot { reset: false, figures: false }
            }
            (Phase::Snapshot { reset: false, figures: false }, What::Entry(_)) if reading.stream.request.include_catalog => phase,
            (Phase::Snapshot { reset: false, .. }, What::Figure { .. }) => Phase::Snapshot { reset: false, figures: true },
            (Phase::Snapshot { reset: false, .. }, What::SnapshotEnd { .. }) => Phase::Live,
            (Phase::Live, What::Event { event, .. }) => {
                if event.recorded_at.is_none() || (event.changes.is_empty() && event.catalog_changes.is_empty()) {
                    return Err(failure(format!("an empty event, or one without its time: {event:?}")));
                }
                phase
            }
            (Phase::Live, What::Change(_)) => phase,
            (Phase::Live, What::ChangesEnd { changes, .. }) => changes_agree(changes).map_err(failure).map(|()| phase)?,
            (Phase::Live, What::Progress { progress, .. }) => {
                progress_agrees(reading, progress).map_err(failure).map(|()| phase)?
            }
            (_, What::Closing(Closing { resume_token, retry_after: Some(_) })) if !resume_token.is_empty() => Phase::Closed,
            (phase, what) => return Err(failure(format!("{what:?} where the stream is {phase:?}"))),
        };
    }
    Ok(())
}

fn after_opened(reading: &Reading<'_>, opened: &WatchOpened) -> Result<Phase, String> {
    if opened.epoch.is_empty() || opened.head_revision < opened.revision {
        return Err(format!("{opened:?}"));
    }
    match opened.outcome() {
        WatchOutcome::Snapshot => Ok(Phase::Snapshot { reset: reading.stream.goes_on(), figures: false }),
        WatchOutcome::Replay | WatchOutcome::Delta => Ok(Phase::Live),
        WatchOutcome::Unspecified => Err(format!("{opened:?}")),
    }
}

fn changes_agree(changes: &Changes) -> Result<(), String> {
    let revisions = [changes.events.first(), changes.events.last()].map(|e| e.map(|e| e.revision));
    if revisions == [Some(changes.first_revision), Some(changes.last_revision)] {
        return Ok(());
    }
    let (first, last) = (changes.first_revision, changes.last_revision);
    Err(format!("changes of {first} to {last} have events of {revisions:?}"))
}

fn progress_agrees(reading: &Reading<'_>, progress: &Progress) -> Result<(), String> {
    let latest = reading.stream.request.mode() == WatchMode::Latest;
    let fits = progress.head_revision >= progress.revision
        && !progress.resume_token.is_empty()
        && (latest || progress.digest.is_none())
        && progress.head_revision <= reading.log.head();
    if fits { Ok(()) } else { Err(format!("{progress:?}")) }
}

/// A snapshot is the state of the record at its revision: every figure that the filter selects, and every entry.
pub(super) fn snapshots_are_the_state(reading: &Reading<'_>) -> Outcome {
    let mut entries = BTreeMap::new();
    for Item { message, what } in &reading.items {
        match what {
            What::Reset(_) => entries.clear(),
            What::Entry(entry) if entries.insert(entry_key(entry), (*entry).clone()).is_some() => {
                return Err(Failure::new(*message, format!("an entry twice: {entry:?}")));
            }
            What::SnapshotEnd { end, observations, differing } => {
                if let Some(cell) = differing {
                    let what = format!("not the state at {}: {}", end.revision, reading.show(*cell));
                    return Err(Failure::new(*message, what));
                }
                if end.observations != *observations {
                    return Err(Failure::new(*message, format!("{end:?} after {observations} figures")));
                }
                let catalog = &reading.log.catalog(end.revision).entries;
                if reading.stream.request.include_catalog && entries != *catalog {
                    let what = format!("{} entries are not the catalog's {} at {}", entries.len(), catalog.len(), end.revision);
                    return Err(Failure::new(*message, what));
                }
                entries.clear();
            }
            _ => {}
        }
    }
    Ok(())
}
