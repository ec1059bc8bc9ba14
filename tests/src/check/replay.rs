//! Streams of every change against the log.

use std::collections::BTreeSet;

use indicator_proto::v1::{CatalogChange, CellChange, ChangeKind, CommitEvents, Observation, WatchMode, WatchOutcome};

use super::{
    Failure, Outcome,
    reading::{Delivered, Held, Item, Reading, What},
    resume::asked,
};

/// Every event matches the filter, evaluated as the catalog was at that commit. What leaves does not any more.
pub(super) fn events_match_the_filter(reading: &Reading<'_>) -> Outcome {
    let mut figures = Vec::new();
    for Item { message, what } in &reading.items {
        match what {
            What::Figure { cell, .. } => figures.push(*cell),
            What::SnapshotEnd { end, .. } => {
                let stranger = figures.drain(..).find(|cell| !reading.view.selects(end.revision, *cell));
                if let Some(cell) = stranger {
                    return Err(Failure::new(*message, format!("in the snapshot: {}", reading.show(cell))));
                }
            }
            What::Change(told) if !told.matches(reading.view) => {
                let what = format!("{:?} at {}: {}", told.change.kind(), told.revision, reading.show(told.cell));
                return Err(Failure::new(*message, what));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The first event after a resume is the first matching one after the token; a snapshot and a start from now miss nothing that
/// had been acknowledged.
pub(super) fn resumes_at_the_first_matching(reading: &Reading<'_>) -> Outcome {
    let Some(Item { what: What::Opened { opened, .. }, .. }) = reading.items.first() else { return Ok(()) };
    let known = reading.stream.known.head;
    let fits = match asked(reading) {
        Some(asked) => opened.outcome() == WatchOutcome::Snapshot || opened.revision == asked,
        None => reading.stream.goes_on() || opened.revision >= known,
    };
    if !fits {
        return Err(Failure::new(
            0,
            format!("{opened:?} where {:?} was asked for, at head {known}", reading.stream.request.start),
        ));
    }
    if opened.outcome() != WatchOutcome::Replay {
        return Ok(());
    }
    let conflates = reading.stream.request.mode() == WatchMode::Latest;
    let first_after = |until| reading.view.first_after(opened.revision, until, reading.stream.request.include_catalog);
    for Item { message, what } in &reading.items {
        match what {
            What::Event { event, .. } => {
                let first = first_after(event.revision);
                // The withdrawal of a figure that was elsewhere when it was withdrawn may be told, though the view never saw it.
                let withdraws = || event.changes.iter().all(|c| c.kind() == ChangeKind::Deleted);
                let fits = if conflates { first.is_some() || withdraws() } else { first == Some(event.revision) };
                let what = format!("event {} comes first after {}, not {first:?}", event.revision, opened.revision);
                return if fits { Ok(()) } else { Err(Failure::new(*message, what)) };
            }
            What::Progress { progress, .. } => {
                if let Some(first) = first_after(progress.revision).filter(|_| !conflates) {
                    return Err(Failure::new(*message, format!("{progress:?}, and no event {first}")));
                }
            }
            // Compaction has passed it: it begins again, with a snapshot.
            What::Reset(_) => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}

/// Where a stream of every change is in the log.
#[derive(Debug, Default)]
struct Cursor {
    /// The commit that is being told, or the last that was.
    revision: u64,
    cells: usize,
    entries: usize,
}

impl Cursor {
    fn after(revision: u64) -> Self {
        Self { revision, cells: usize::MAX, entries: usize::MAX }
    }

    fn event(&mut self, reading: &Reading<'_>, event: &CommitEvents) -> Result<(), String> {
        let with_catalog = reading.stream.request.include_catalog;
        if self.revision != event.revision {
            let first = reading.view.first_after(self.revision, event.revision, with_catalog);
            if first != Some(event.revision) {
                return Err(format!("event {} after {}, where the log has {first:?}", event.revision, self.revision));
            }
            *self = Self { revision: event.revision, ..Self::default() };
        }
        let commit = reading.log.commit(event.revision).ok_or("an event of no commit")?;
        if (&event.recorded_at, &event.context) != (&commit.recorded_at, &commit.context) {
            return Err(format!("event {} has not the time and context of its commit", event.revision));
        }
        let entries: &[CatalogChange] = if with_catalog { &commit.catalog_changes } else { &[] };
        let end = self.entries.saturating_add(event.catalog_changes.len());
        if entries.get(self.entries.min(entries.len())..end.min(entries.len())) != Some(&event.catalog_changes[..]) {
            return Err(format!("event {} has not the catalog changes of its commit", event.revision));
        }
        self.entries = end;
        Ok(())
    }

    fn change(&mut self, reading: &Reading<'_>, told: &Delivered<'_>) -> Result<(), String> {
        let steps = reading.view.steps(self.revision);
        let expected = steps.get(self.cells);
        self.cells = self.cells.saturating_add(1);
        let Some(step) = expected else {
            return Err(format!("more than commit {} did: {}", self.revision, reading.show(told.cell)));
        };
        let same = step.cell == told.cell
            && step.kind == told.change.kind()
            && match (step.kind, step.version) {
                (ChangeKind::Left, _) => is_bare(told.got.observation),
                // In the preferred picture, whichever source's withdrawal it was.
                (ChangeKind::Deleted, version) => {
                    told.got.observation.deleted && (reading.stream.request.preferred || version.is_some_and(|v| told.got.is(v)))
                }
                (_, version) => version.is_some_and(|v| told.got.is(v)),
            };
        if same { Ok(()) } else { Err(format!("commit {} has {step:?}, not {:?}", self.revision, told.change)) }
    }

    /// Whether everything up to a revision has been told.
    fn passes(&self, reading: &Reading<'_>, revision: u64) -> Result<(), String> {
        let missing = reading.view.first_after(self.revision, revision, reading.stream.request.include_catalog);
        if let Some(missing) = missing {
            return Err(format!("{revision} is passed without event {missing}"));
        }
        Ok(())
    }
}

/// Series and period, and nothing else.
pub(super) fn is_bare(observation: &Observation) -> bool {
    let Observation { series, period, .. } = observation.clone();
    *observation == Observation { series, period, ..Observation::default() }
}

/// Events received equal the replayed slice of the log: the same commits, changes and order, whole commits of the catalog too.
pub(super) fn events_are_the_log(reading: &Reading<'_>) -> Outcome {
    if reading.stream.request.mode() == WatchMode::Latest {
        return Ok(());
    }
    let mut cursor = Cursor::default();
    // What a difference tells is told, though it is not the log's events.
    let mut delta = false;
    for Item { message, what } in &reading.items {
        let told = match what {
            What::Opened { opened, .. } => {
                cursor = Cursor::after(opened.revision);
                delta = opened.outcome() == WatchOutcome::Delta;
                Ok(())
            }
            What::SnapshotEnd { end, .. } => {
                cursor = Cursor::after(end.revision);
                Ok(())
            }
            What::Event { event, conflated: false } => cursor.event(reading, event),
            What::Change(change) if !change.conflated => cursor.change(reading, change),
            What::Progress { progress, .. } if delta => {
                cursor = Cursor::after(progress.revision);
                delta = false;
                Ok(())
            }
            What::Progress { progress, in_snapshot: false, .. } => cursor.passes(reading, progress.revision),
            _ => Ok(()),
        };
        told.map_err(|what| Failure::new(*message, what))?;
    }
    Ok(())
}

/// `previous` is the state at revision - 1; where an event stands for several commits, at the subscriber's position.
pub(super) fn previous_is_the_state_before(reading: &Reading<'_>) -> Outcome {
    for Item { message, what } in &reading.items {
        let What::Change(told) = what else { continue };
        let CellChange { previous, .. } = told.change;
        if !reading.stream.request.include_previous {
            if previous.is_some() {
                return Err(Failure::new(*message, format!("nobody asked for it: {previous:?}")));
            }
            continue;
        }
        let same = match (previous, told.conflated, told.step) {
            (told_previous, true, _) => fits(reading, told, told_previous.as_ref(), told.held),
            (told_previous, false, Some(step)) => {
                let before = step.before.map(|v| Held { place: v.place, observation: &v.observation });
                fits(reading, told, told_previous.as_ref(), before)
            }
            // A change that the commit does not make is found elsewhere.
            (_, false, None) => true,
        };
        if !same {
            let what = format!("event {} of {}: {previous:?}", told.revision, reading.show(told.cell));
            return Err(Failure::new(*message, what));
        }
    }
    Ok(())
}

/// Whether a previous version is told as it was; its series is absent where it is that of the new version.
fn fits(reading: &Reading<'_>, told: &Delivered<'_>, previous: Option<&Observation>, before: Option<Held<'_>>) -> bool {
    match (previous, before) {
        (None, None) => true,
        (Some(previous), Some(before)) => {
            let key = previous.series.as_ref().map(indicator_proto::SeriesKey::from);
            let place = key.map_or(Some(told.got.place), |key| reading.log.place(&key));
            place == Some(before.place) && super::reading::same_figure(previous, before.observation)
        }
        _ => false,
    }
}

/// EVERY_CHANGE delivers every version that the filter selects, backfilled ones marked.
pub(super) fn every_version_comes(reading: &Reading<'_>) -> Outcome {
    if reading.stream.request.mode() == WatchMode::Latest {
        return Ok(());
    }
    let mut came = BTreeSet::new();
    // Everything after this must come.
    let mut since = None;
    for Item { message, what } in &reading.items {
        match what {
            What::Opened { opened, .. } => since = (opened.outcome() == WatchOutcome::Replay).then_some(opened.revision),
            What::Reset(_) => since = None,
            What::SnapshotEnd { end, .. } => since = Some(end.revision),
            What::Change(told) if !told.conflated => {
                let backfilled = |kind: ChangeKind| kind == ChangeKind::Backfilled;
                if told.step.is_some_and(|step| backfilled(step.kind) != backfilled(told.change.kind())) {
                    let what = format!("{:?} is not what {} was", told.change.kind(), reading.show(told.cell));
                    return Err(Failure::new(*message, what));
                }
                came.insert((told.revision, told.cell));
            }
            What::Progress { progress, in_snapshot: false, .. } => {
                let passed = since.map_or(0..0, |since| since + 1..progress.revision + 1);
                let mut versions = passed.flat_map(|r| reading.view.steps(r).iter().map(move |step| (r, step.cell)));
                if let Some((revision, cell)) = versions.find(|version| !came.contains(version)) {
                    let what = format!("{} is passed without {revision} of {}", progress.revision, reading.show(cell));
                    return Err(Failure::new(*message, what));
                }
                since = Some(progress.revision);
            }
            _ => {}
        }
    }
    Ok(())
}
