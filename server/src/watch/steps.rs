//! The newest changes of a selection, for readers who want the latest state: each gets what its position lacks, conflated.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use indicator_proto::{Digest, SeriesKey, Time, cell_hash, v1};
use prometheus_client::metrics::counter::Counter;

use super::{conflate::conflate, frames::Event, frames::Frames, ring::Take};
use crate::{
    engine::{Commit, Context, Engine, PictureChange, catalog},
    service::wire,
    store::Version,
};

/// As many conflated frames are kept: readers who keep up are at the same place.
const SHARED_FRAMES: usize = 8;

/// What one commit changed.
#[derive(Debug)]
struct Step {
    revision: u64,
    time: Time,
    context: Context,
    changes: Vec<PictureChange>,
    entries: Vec<catalog::Change>,
    /// Sum of all changes of the digest up to this step.
    shift: Digest,
}

/// The changes of the commits after `start`, up to `end`.
#[derive(Debug)]
pub(super) struct Steps {
    start: u64,
    end: u64,
    steps: VecDeque<Step>,
    /// Changes in all of them.
    size: usize,
    /// The shift of the digest at `start`, and at `end`.
    first_shift: Digest,
    last_shift: Digest,
    /// The shift of the digest where the state is being summed up.
    summed_shift: Digest,
    /// What must be added to a shift for the digest; `None` until the state has been summed up.
    base: Option<Digest>,
    /// Frames by the revisions that they lead from and to.
    shared: VecDeque<((u64, u64), Bytes)>,
}

impl Steps {
    /// Empty, from a revision on.
    pub(super) fn new(start: u64) -> Self {
        Self {
            start,
            end: start,
            steps: VecDeque::new(),
            size: 0,
            first_shift: Digest::default(),
            last_shift: Digest::default(),
            summed_shift: Digest::default(),
            base: None,
            shared: VecDeque::new(),
        }
    }

    /// The revision that it reaches.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Adds what a commit changed, which may be nothing; whether it was something. Forgets the oldest beyond `capacity` changes.
    pub(super) fn push(&mut self, commit: &Commit, changes: Vec<PictureChange>, with_catalog: bool, capacity: usize) -> bool {
        for change in &changes {
            if let Some((key, version)) = &change.previous {
                self.last_shift.remove(hash(key, version));
            }
            if let Some((key, version)) = change.after() {
                self.last_shift.add(hash(key, version));
            }
        }
        let entries = if with_catalog { commit.entries.clone() } else { Vec::new() };
        self.end = commit.revision;
        if changes.is_empty() && entries.is_empty() {
            return false;
        }
        self.size += changes.len() + 1;
        let (revision, time, context, shift) = (commit.revision, commit.time, commit.context.clone(), self.last_shift);
        self.steps.push_back(Step { revision, time, context, changes, entries, shift });
        while self.size > capacity && self.steps.len() > 1 {
            let Some(oldest) = self.steps.pop_front() else { break };
            self.size -= oldest.changes.len() + 1;
            (self.start, self.first_shift) = (oldest.revision, oldest.shift);
        }
        true
    }

    /// The state at the end is going to be summed up. Answers the revision there.
    pub(super) fn begin_summing_up(&mut self) -> u64 {
        self.summed_shift = self.last_shift;
        self.end
    }

    /// The digest of the state where it was to be summed up.
    pub(super) fn summed_up(&mut self, mut digest: Digest) {
        digest.remove(self.summed_shift.0);
        self.base = Some(digest);
    }

    /// The digest of the state at a revision, if it is known.
    pub(super) fn digest(&self, revision: u64) -> Option<u64> {
        if revision < self.start || revision > self.end {
            return None;
        }
        let at = self.steps.partition_point(|step| step.revision <= revision);
        let shift = at.checked_sub(1).map_or(self.first_shift, |before| self.steps[before].shift);
        self.base.map(|base| {
            let mut digest = base;
            digest.add(shift.0);
            digest.0
        })
    }

    /// What a reader gets that has the state at `position`.
    pub(super) fn take(&mut self, engine: &Engine, position: u64, with_previous: bool, encoded: &Counter) -> Take {
        if position < self.start {
            return Take::Behind(self.end);
        }
        let at = self.steps.partition_point(|step| step.revision <= position);
        let Some((first, last)) = self.steps.get(at).zip(self.steps.back()) else {
            return Take::Frames(Bytes::new(), self.end.max(position));
        };
        let span = (first.revision, last.revision);
        if let Some((_, bytes)) = self.shared.iter().find(|(of, _)| *of == span) {
            return Take::Frames(bytes.clone(), self.end);
        }
        let bytes = self.encode(engine, at, with_previous);
        encoded.inc_by(bytes.len() as u64);
        self.shared.push_back((span, bytes.clone()));
        if self.shared.len() > SHARED_FRAMES {
            self.shared.pop_front();
        }
        Take::Frames(bytes, self.end)
    }

    /// The steps from `at` on as one event.
    fn encode(&self, engine: &Engine, at: usize, with_previous: bool) -> Bytes {
        let steps = || self.steps.range(at..);
        let (first, last) = (&self.steps[at], &self.steps[self.steps.len() - 1]);
        let entries = match steps().filter(|step| !step.entries.is_empty()).count() {
            0 => Vec::new(),
            // Between the commits before the first and the last one.
            _ => engine.catalog().changes_between(first.revision - 1, last.revision),
        };
        let changes = conflate(steps().flat_map(|step| &step.changes));
        let mut frames = Frames::new(with_previous);
        let context = (first.revision == last.revision).then_some(&last.context);
        let (revision, time) = (last.revision, last.time);
        frames.push(Event { revision, time, context, changes: &changes, entries: &entries, more: false });
        frames.take()
    }
}

/// The hash of a cell.
pub(super) fn hash(key: &Arc<SeriesKey>, version: &Version) -> u64 {
    cell_hash(&v1::SeriesKey::from(&**key), &wire::observation(version, None))
}
