//! The seam between the order of commands and their application.
//!
//! One process orders commands by a queue, which is all that is here. Several would read them from a replicated log, whose
//! sequence is the revision; the state machine behind this trait would be the same.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    time::Duration,
};

use indicator_proto::Time;
use tokio::sync::oneshot;

use super::{Command, Error, Receipt, clock::Clock, shared::Head};
use crate::store;

/// The writer has ended although it was not told to.
pub(super) fn writer_ended() -> Error {
    store::Error::Failed("the writer has ended by itself; the log says how".to_owned()).into()
}

/// Where the outcome of a command goes.
pub(super) type Reply = oneshot::Sender<Result<Receipt, Error>>;

/// A command with its place in the order.
pub(super) struct Sequenced {
    pub(super) revision: u64,
    pub(super) time: Time,
    /// Requests that were made before may be forgotten.
    pub(super) forget_before: Time,
    pub(super) command: Command,
    pub(super) reply: Reply,
}

/// There will be no more commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended;

/// Commands in their order.
pub(super) trait ChangeLog {
    /// The next command, after `head`; waits for one as long as this.
    fn next(&mut self, head: Head, patience: Duration) -> Result<Option<Sequenced>, Ended>;

    /// The next command, if one is there already.
    fn next_waiting(&mut self, head: Head) -> Option<Sequenced>;
}

/// Orders the commands of this process.
pub(super) struct LocalLog {
    queue: Receiver<(Command, Reply)>,
    waiting: Arc<AtomicU64>,
    clock: Clock,
}

/// Appends to a [`LocalLog`].
#[derive(Clone)]
pub(super) struct LocalAppender {
    queue: SyncSender<(Command, Reply)>,
    waiting: Arc<AtomicU64>,
}

impl LocalLog {
    /// A queue of bounded length. `clock` is the only clock of the record.
    pub(super) fn new(capacity: usize, clock: fn() -> Time) -> (LocalAppender, Self) {
        let (sender, receiver) = sync_channel(capacity);
        let waiting = Arc::new(AtomicU64::new(0));
        (
            LocalAppender { queue: sender, waiting: Arc::clone(&waiting) },
            Self { queue: receiver, waiting, clock: Clock::new(clock) },
        )
    }

    fn sequence(&mut self, head: Head, (command, reply): (Command, Reply)) -> Sequenced {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let (time, forget_before) = self.clock.next(head.time);
        Sequenced { revision: head.revision + 1, time, forget_before, command, reply }
    }
}

impl ChangeLog for LocalLog {
    fn next(&mut self, head: Head, patience: Duration) -> Result<Option<Sequenced>, Ended> {
        match self.queue.recv_timeout(patience) {
            Ok(waiting) => Ok(Some(self.sequence(head, waiting))),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Ended),
        }
    }

    fn next_waiting(&mut self, head: Head) -> Option<Sequenced> {
        match self.queue.try_recv() {
            Ok(waiting) => Some(self.sequence(head, waiting)),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }
}

impl LocalAppender {
    /// Puts a command into the queue; where its outcome will come.
    ///
    /// # Errors
    ///
    /// [`Error::QueueFull`]; [`Error::Store`] when the writer has ended by itself.
    pub(super) fn append(&self, command: Command) -> Result<oneshot::Receiver<Result<Receipt, Error>>, Error> {
        let (reply, outcome) = oneshot::channel();
        // Counted first: the writer may take it before this goes on.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send((command, reply)).map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => Error::QueueFull,
                TrySendError::Disconnected(_) => writer_ended(),
            }
        })?;
        Ok(outcome)
    }

    /// How many commands wait.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }
}
