//! Reading the log for one subscriber who is behind what is shared, or whose start lies before the horizon.

use bytes::Bytes;
use indicator_proto::Time;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Selection,
    frames::{Event, Frames},
};
use crate::engine::{Difference, Engine, Error, Picture, PictureChange, Replay, catalog};

/// Changed cells that are read at once, some megabytes, by those who have a place for it; and by those who have none.
const CELLS_AT_ONCE: usize = 20_000;
const FEW_CELLS_AT_ONCE: usize = 1_500;

/// Changes that are told at once where pictures are compared.
const CHANGES_AT_ONCE: usize = 1_000;

/// Goes through the log, change by change.
pub(super) struct CatchUp {
    replay: Replay,
    picture: Picture,
    frames: Frames,
    /// A place among those who read much at once, which is faster.
    window: Option<OwnedSemaphorePermit>,
}

impl CatchUp {
    /// After a revision. Blocks.
    pub(super) fn after(engine: &Engine, selection: &Selection, revision: u64, window: Option<OwnedSemaphorePermit>) -> Self {
        let with_previous = selection.include_previous || selection.preferred;
        Self {
            replay: Replay::after(revision, with_previous),
            picture: engine.picture(selection.filter.clone(), selection.preferred, revision),
            frames: Frames::new(selection.include_previous),
            window,
        }
    }

    /// The revision that it has come to.
    pub(super) fn position(&self) -> u64 {
        self.replay.position()
    }

    /// The next frames, up to `to`, and the revision that they bring a reader to. There may be none. Blocks.
    pub(super) fn read(&mut self, engine: &Engine, selection: &Selection, to: u64) -> Result<(Bytes, u64), Error> {
        let Self { replay, picture, frames, window } = self;
        let enough = if window.is_some() { CELLS_AT_ONCE } else { FEW_CELLS_AT_ONCE };
        engine.replay(replay, to, enough, |commit| {
            let changes = engine.advance(picture, commit)?;
            let entries = if selection.include_catalog { &*commit.entries } else { &[] };
            let (revision, time, context) = (commit.revision, commit.time, Some(&commit.context));
            frames.push(Event { revision, time, context, changes: &changes, entries, more: false });
            Ok(())
        })?;
        if window.is_none() {
            replay.rest();
        }
        Ok((frames.take(), replay.position()))
    }
}

/// Tells what changed between two revisions as one event.
pub(super) struct Delta {
    difference: Difference,
    time: Time,
    entries: Vec<catalog::Change>,
    /// Read ahead, so that the last part is known as such.
    next: Vec<PictureChange>,
    frames: Frames,
}

impl Delta {
    /// From a revision to the head. Blocks.
    pub(super) fn after(engine: &Engine, selection: &Selection, revision: u64) -> Result<Self, Error> {
        let head = engine.head();
        let picture = engine.picture(selection.filter.clone(), selection.preferred, head.revision);
        let mut difference = engine.difference(&picture, revision);
        let entries = match selection.include_catalog {
            true => engine.catalog().changes_between(revision, head.revision),
            false => Vec::new(),
        };
        let next = engine.next_differences(&mut difference, CHANGES_AT_ONCE)?;
        let time = head.time.expect("a commit comes after the start of a delta");
        Ok(Self { difference, time, entries, next, frames: Frames::new(selection.include_previous) })
    }

    /// The revision that it leads to.
    pub(super) fn revision(&self) -> u64 {
        self.difference.revision()
    }

    /// Whether it has at least as much to tell as a snapshot. Blocks.
    pub(super) fn outweighs_snapshot(engine: &Engine, selection: &Selection, after: u64) -> Result<bool, Error> {
        let picture = engine.picture(selection.filter.clone(), selection.preferred, engine.head().revision);
        let (different, all) = engine.weigh(&engine.difference(&picture, after))?;
        Ok(different > 0 && different >= all)
    }

    /// The next frames; whether they are the last. Blocks.
    pub(super) fn read(&mut self, engine: &Engine) -> Result<(Bytes, bool), Error> {
        let changes = std::mem::replace(&mut self.next, engine.next_differences(&mut self.difference, CHANGES_AT_ONCE)?);
        let entries = std::mem::take(&mut self.entries);
        let more = !self.next.is_empty();
        let (revision, time) = (self.revision(), self.time);
        self.frames.push(Event { revision, time, context: None, changes: &changes, entries: &entries, more });
        Ok((self.frames.take(), !more))
    }
}
