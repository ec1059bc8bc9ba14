//! What all subscribers of one selection share: how far it has been followed, and the bytes to send.

use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use indicator_proto::{
    Digest,
    v1::{self, watch_response::Message},
};
use tokio::sync::watch;

use super::{
    Hub, Meter, Mode, Selection,
    frames::{Event, Frames, frame},
    ring::{Ring, Take},
    snapshot::Snapshot,
    steps::{Steps, hash},
};
use crate::engine::{Engine, Error, Filter, Picture, PictureChange};

/// A run of commits is closed at about this many bytes, so that none keeps the others waiting.
const RUN_BYTES: usize = 256 << 10;

/// No larger snapshot is kept.
const KEPT_BYTES: usize = 256 << 10;

/// Cells that are read at once where all of them are summed up.
const CELLS_AT_ONCE: usize = 10_000;

/// Where a lane has come to. Subscribers wait for it to change; it changes for those who have something to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) revision: u64,
    /// The server is stopping.
    pub(super) closing: bool,
}

/// How much lanes may keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    /// Bytes of frames.
    pub(super) bytes: usize,
    /// Changes, where they are kept to be conflated.
    pub(super) changes: usize,
}

/// A selection that somebody watches.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) selection: Selection,
    /// Held by whoever takes the lane further: one at a time. Taking from it goes on meanwhile.
    picture: Mutex<Picture>,
    content: Mutex<Content>,
    tip: watch::Sender<Tip>,
    waiting: AtomicUsize,
    meter: Arc<Meter>,
    kept: tokio::sync::Mutex<Kept>,
    /// The last progress that was encoded.
    progress: Mutex<Option<(v1::Progress, Bytes)>>,
}

/// The last snapshot, for the many who come at once when a server is back.
#[derive(Debug, Default)]
enum Kept {
    #[default]
    Nothing,
    Whole(Box<Snapshot>),
    /// There is too much to keep: each reads for itself.
    TooMuch,
}

#[derive(Debug)]
enum Content {
    Every(Ring),
    Latest { steps: Steps, summing: Summing },
}

/// The state is summed up once for each time that the lane begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Summing {
    Wanted,
    /// At this revision.
    Begun(u64),
    Done,
}

impl Lane {
    pub(super) fn new(engine: &Engine, selection: Selection, meter: Arc<Meter>) -> Self {
        let revision = engine.head().revision;
        let picture = engine.picture(selection.filter.clone(), selection.preferred, revision);
        Self {
            picture: Mutex::new(picture),
            content: Mutex::new(Content::new(selection.mode, revision)),
            tip: watch::Sender::new(Tip { revision, closing: false }),
            waiting: AtomicUsize::new(0),
            meter,
            kept: tokio::sync::Mutex::default(),
            progress: Mutex::new(None),
            selection,
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().expect("nothing panics while it holds this lock")
    }

    /// Follows where it has come to.
    pub(super) fn follow(&self) -> watch::Receiver<Tip> {
        self.tip.subscribe()
    }

    pub(super) fn tip(&self) -> Tip {
        *self.tip.borrow()
    }

    /// As long as the guard lives, somebody waits for this lane to be taken further.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        Waiting(self)
    }

    /// Whether somebody waits for what happened up to `head`.
    pub(super) fn wants(&self, head: u64) -> bool {
        self.waiting.load(Ordering::Acquire) > 0 && self.tip().revision < head
    }

    /// Tells all subscribers that the server stops.
    pub(super) fn close(&self) {
        self.tip.send_modify(|tip| tip.closing = true);
    }

    /// Takes it further, up to `head`, and wakes those who have something to take. What cannot be read is left to them: whoever
    /// reads the log meets the error and can be told.
    pub(super) fn advance(&self, engine: &Engine, head: u64, capacity: Capacity) {
        let mut picture = self.picture.lock().expect("nothing panics while it holds this lock");
        if picture.revision() >= head {
            return;
        }
        self.forget_snapshot();
        let near = engine.remembers_after(picture.revision());
        let news = if near { self.follow_commits(engine, &mut picture, head, capacity) } else { Ok(true) };
        let news = match news {
            Ok(news) if near => news,
            outcome => {
                if let Err(error) = outcome {
                    tracing::error!(%error, "cannot follow the log; the subscribers are left to read it");
                }
                *picture = engine.picture(self.selection.filter.clone(), self.selection.preferred, head);
                *self.content() = Content::new(self.selection.mode, head);
                true
            }
        };
        self.tip.send_if_modified(|tip| {
            tip.revision = head;
            news
        });
    }

    /// The snapshot at a revision, whole or with its first parts.
    pub(super) async fn snapshot(self: &Arc<Self>, hub: &Hub, revision: u64) -> Result<Snapshot, Error> {
        let lane = Arc::clone(self);
        // Who comes while it is read waits for it, and has it for nothing.
        let mut kept = self.kept.lock().await;
        match &*kept {
            Kept::Whole(snapshot) if snapshot.revision() == revision => return Ok(Snapshot::clone(snapshot)),
            Kept::TooMuch => drop(kept),
            Kept::Whole(_) | Kept::Nothing => {
                let read = move |engine: &Engine| {
                    let mut snapshot = Snapshot::new(engine, &lane.selection, revision);
                    Ok((snapshot.read_ahead(engine, KEPT_BYTES)?, snapshot))
                };
                let (whole, snapshot) = hub.blocking(read).await?;
                *kept = if whole { Kept::Whole(Box::new(snapshot.clone())) } else { Kept::TooMuch };
                return Ok(snapshot);
            }
        }
        hub.blocking(move |engine| Ok(Snapshot::new(engine, &lane.selection, revision))).await
    }

    /// A snapshot of the past is of no use to those who come.
    fn forget_snapshot(&self) {
        if let Ok(mut kept) = self.kept.try_lock()
            && matches!(*kept, Kept::Whole(_))
        {
            *kept = Kept::Nothing;
        }
    }

    fn follow_commits(&self, engine: &Engine, picture: &mut Picture, head: u64, capacity: Capacity) -> Result<bool, Error> {
        let mut news = false;
        let mut frames = Frames::new(self.selection.include_previous);
        let every = self.selection.mode == Mode::EveryChange;
        while picture.revision() < head {
            let revision = engine.next_revision(picture.revision());
            let commit = engine.commit(revision, true)?;
            let changes = engine.advance(picture, &commit)?;
            if every {
                let entries = if self.selection.include_catalog { &*commit.entries } else { &[] };
                let (time, context) = (commit.time, Some(&commit.context));
                frames.push(Event { revision, time, context, changes: &changes, entries, more: false });
                if revision == head || frames.len() > RUN_BYTES {
                    let bytes = frames.take();
                    news |= !bytes.is_empty();
                    self.meter.encoded.inc_by(bytes.len() as u64);
                    if let Content::Every(ring) = &mut *self.content() {
                        ring.push(revision, bytes, capacity.bytes);
                    }
                }
            } else if let Content::Latest { steps, .. } = &mut *self.content() {
                news |= steps.push(&commit, changes, self.selection.include_catalog, capacity.changes);
            }
        }
        Ok(news)
    }

    /// What a reader gets that has everything up to `position`.
    pub(super) fn take(&self, engine: &Engine, position: u64) -> Take {
        let take = match &mut *self.content() {
            Content::Every(ring) => ring.take(position),
            Content::Latest { steps, .. } => steps.take(engine, position, self.selection.include_previous, &self.meter.encoded),
        };
        if let Take::Frames(frames, _) = &take {
            self.meter.shared.inc_by(frames.len() as u64);
        }
        take
    }

    /// Progress of a reader at `position`, encoded once for all that are there.
    pub(super) fn progress(&self, engine: &Engine, position: u64) -> Bytes {
        let digest = match &*self.content() {
            Content::Every(_) => None,
            Content::Latest { steps, .. } => steps.digest(position),
        };
        let head_revision = engine.head().revision;
        let mut last = self.progress.lock().expect("nothing panics while it holds this lock");
        if let Some((progress, bytes)) = &*last
            && (progress.revision, progress.head_revision, progress.digest) == (position, head_revision, digest)
        {
            return bytes.clone();
        }
        let resume_token = self.selection.token(engine, position);
        let progress = v1::Progress { revision: position, resume_token, head_revision, digest };
        let bytes = frame(Message::Progress(progress.clone()));
        *last = Some((progress, bytes.clone()));
        bytes
    }

    /// The revision at which the state is to be summed up for the digest; `None` if it is, or somebody is at it.
    pub(super) fn begin_summing_up(&self) -> Option<u64> {
        match &mut *self.content() {
            Content::Latest { steps, summing: summing @ Summing::Wanted } => {
                *summing = Summing::Begun(steps.begin_summing_up());
                Some(steps.end())
            }
            Content::Latest { .. } | Content::Every(_) => None,
        }
    }

    /// The state at a revision has this digest; of no use any more if the lane has begun anew meanwhile.
    pub(super) fn summed_up(&self, revision: u64, digest: Digest) {
        if let Content::Latest { steps, summing } = &mut *self.content()
            && *summing == Summing::Begun(revision)
        {
            steps.summed_up(digest);
            *summing = Summing::Done;
        }
    }

    /// The sum of the hashes of everything that is selected at a revision. Blocks.
    pub(super) fn sum_up(&self, engine: &Engine, revision: u64) -> Result<Digest, Error> {
        sum_up(engine, engine.picture(self.selection.filter.clone(), self.selection.preferred, revision))
    }
}

/// The digest of all figures at the head, as a watch of everything tells it. Blocks.
///
/// # Errors
///
/// [`Error::Store`].
pub fn digest(engine: &Engine) -> Result<Digest, Error> {
    sum_up(engine, engine.picture(Filter::default(), false, engine.head().revision))
}

fn sum_up(engine: &Engine, picture: Picture) -> Result<Digest, Error> {
    let mut digest = Digest::default();
    let mut everything = engine.difference(&picture, 0);
    loop {
        let cells = engine.next_differences(&mut everything, CELLS_AT_ONCE)?;
        if cells.is_empty() {
            return Ok(digest);
        }
        cells.iter().filter_map(PictureChange::after).for_each(|(key, version)| digest.add(hash(key, version)));
    }
}

impl Content {
    fn new(mode: Mode, revision: u64) -> Self {
        match mode {
            Mode::EveryChange => Self::Every(Ring::new(revision)),
            Mode::Latest => Self::Latest { steps: Steps::new(revision), summing: Summing::Wanted },
        }
    }
}

/// See [`Lane::wait`].
pub(super) struct Waiting<'a>(&'a Lane);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}
