//! Streams of the latest state, and the state that a client has at each progress.

use indicator_proto::v1::{ChangeKind, WatchMode};

use super::{
    Failure, Outcome,
    reading::{Delivered, Item, Reading, What},
    replay::is_bare,
    view::Cell,
};

/// Each event shows the latest state as of its revision, and says rightly what that is to what the subscriber had.
pub(super) fn events_are_the_latest(reading: &Reading<'_>) -> Outcome {
    for Item { message, what } in &reading.items {
        match what {
            What::Change(told) if told.conflated => latest(reading, told).map_err(|what| Failure::new(*message, what))?,
            What::Event { event, conflated: true } => {
                let commit = reading.log.commit(event.revision);
                let context = event.context.as_ref();
                if commit.is_none_or(|c| context.is_some() && context != c.context.as_ref() || event.recorded_at != c.recorded_at)
                {
                    return Err(Failure::new(*message, format!("event {} is not of its commit", event.revision)));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn latest(reading: &Reading<'_>, told: &Delivered<'_>) -> Result<(), String> {
    let Delivered { change, got, held, stored, revision, cell, since, .. } = *told;
    let shows = stored.is_some_and(|version| got.is(version));
    let entered = |revision| reading.view.step(revision, cell).is_some_and(|step| step.kind == ChangeKind::Entered);
    let right = match change.kind() {
        ChangeKind::Inserted => held.is_none() && shows,
        ChangeKind::Revised => held.is_some_and(|held| stored.is_some_and(|v| !held.is(v))) && shows,
        ChangeKind::Deleted => stored.is_none() && is_withdrawn(reading, told),
        ChangeKind::Entered => held.is_none() && shows && (since + 1..=revision).any(entered),
        ChangeKind::Left => held.is_some() && stored.is_none() && is_bare(got.observation),
        ChangeKind::Backfilled | ChangeKind::Unspecified => false,
    };
    if right {
        return Ok(());
    }
    let kind = change.kind();
    Err(format!("event {revision} after {since}: {kind:?} of {}: {got:?}; held {held:?}, latest {stored:?}", reading.show(cell)))
}

/// Whether it is the withdrawal that the cell has come to, in the preferred picture that of any source; or the last that the view
/// saw, before the region left and was written of elsewhere.
fn is_withdrawn(reading: &Reading<'_>, told: &Delivered<'_>) -> bool {
    let current = reading.log.current(told.got.place, told.cell.1, told.revision);
    let mut seen = (told.since + 1..=told.revision).rev().filter_map(|r| reading.view.step(r, told.cell)?.version);
    current.is_some_and(|version| version.is_withdrawal() && told.got.is(version))
        || (told.got.observation.deleted && seen.any(|version| told.got.is(version)))
}

/// LATEST: per cell increasing.
pub(super) fn cells_increase(reading: &Reading<'_>) -> Outcome {
    // The preferred figure may be an older one, of another source.
    if reading.stream.request.mode() != WatchMode::Latest || reading.stream.request.preferred {
        return Ok(());
    }
    for Item { message, what } in &reading.items {
        let What::Change(told) = what else { continue };
        let (new, old) = (told.got.observation.revision, told.held.map(|h| h.observation.revision));
        let increases = old.is_none_or(|old| new > old) && new <= told.revision;
        if told.change.kind() != ChangeKind::Left && !increases {
            return Err(Failure::new(*message, format!("revision {new} after {old:?} of {}", reading.show(told.cell))));
        }
    }
    Ok(())
}

/// LATEST, and a difference: a withdrawal that is the latest of its cell is told.
pub(super) fn deletions_never_vanish(reading: &Reading<'_>) -> Outcome {
    for Item { message, what } in &reading.items {
        if let What::Progress { vanished: Some(cell), progress, .. } = what {
            let what = format!("{} is passed without the withdrawal of {}", progress.revision, reading.show(*cell));
            return Err(Failure::new(*message, what));
        }
    }
    Ok(())
}

/// At each Progress the client's state equals the record's.
pub(super) fn state_at_progress(reading: &Reading<'_>) -> Outcome {
    if reading.stream.request.preferred { Ok(()) } else { no_difference(reading) }
}

/// At each Progress the client's state is what a query without sources answers.
pub(super) fn preferred_is_the_query(reading: &Reading<'_>) -> Outcome {
    if reading.stream.request.preferred { no_difference(reading) } else { Ok(()) }
}

fn no_difference(reading: &Reading<'_>) -> Outcome {
    for Item { message, what } in &reading.items {
        if let What::Progress { differing: Some(cell), in_snapshot: false, progress, .. } = what {
            return Err(Failure::new(*message, different(reading, progress.revision, *cell)));
        }
    }
    Ok(())
}

fn different(reading: &Reading<'_>, revision: u64, cell: Cell) -> String {
    format!(
        "at {revision} the client has another figure of {} than {:?}",
        reading.show(cell),
        reading.view.state(revision).get(&cell)
    )
}

/// The digest is that of the state.
pub(super) fn digest_agrees(reading: &Reading<'_>) -> Outcome {
    for Item { message, what } in &reading.items {
        if let What::Progress { progress, digest, in_snapshot: false, .. } = what
            && progress.digest.is_some_and(|told| told != digest.0)
        {
            return Err(Failure::new(*message, format!("{progress:?} where the state has {}", digest.0)));
        }
    }
    Ok(())
}
