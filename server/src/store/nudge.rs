//! What wakes a flush that waits for ever.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::keys;

/// How long a flush may take before it is nudged.
const PATIENCE: Duration = Duration::from_secs(1);

/// Name of what a nudge writes, among what is kept of the store itself.
const NUDGE: &str = "nudge";

/// Nudges flushes that take long.
///
/// When sled fails to write the first buffer of a batch it notes the error, and does not wake the flush that waits for that buffer.
/// Whoever starts to write after the error does wake it, so a small write is made while a flush does not end.
#[derive(Debug)]
pub(super) struct Nudge {
    /// How many flushes began and ended: odd while one is under way.
    flushes: Arc<AtomicU64>,
    /// Dropped to end the thread.
    alive: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Nudge {
    pub(super) fn new(db: &sled::Db) -> io::Result<Self> {
        let flushes = Arc::new(AtomicU64::new(0));
        let (alive, ended) = sync_channel(0);
        let thread = thread::Builder::new().name("nudge".into()).spawn({
            let (db, flushes) = (db.clone(), Arc::clone(&flushes));
            move || watch(&db, &flushes, &ended)
        })?;
        Ok(Self { flushes, alive: Some(alive), thread: Some(thread) })
    }

    /// Does a flush.
    pub(super) fn watch<T>(&self, flush: impl FnOnce() -> T) -> T {
        self.flushes.fetch_add(1, Ordering::Relaxed);
        let flushed = flush();
        self.flushes.fetch_add(1, Ordering::Relaxed);
        flushed
    }
}

impl Drop for Nudge {
    fn drop(&mut self) {
        self.alive = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

fn watch(db: &sled::Db, flushes: &AtomicU64, ended: &Receiver<()>) {
    let (mut before, mut nudges) = (0, 0_u64);
    while ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        let now = flushes.load(Ordering::Relaxed);
        if now % 2 == 1 && now == before {
            tracing::warn!("the disk has not taken a flush for more than {} s", PATIENCE.as_secs());
            // Each differs from the last, or sled would have nothing to write. An error reaches the flush itself.
            nudges += 1;
            let _ = db.insert(keys::meta(NUDGE), &[now, nudges].map(u64::to_be_bytes).concat()[..]);
        }
        before = now;
    }
}
