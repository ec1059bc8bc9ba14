//! Watching: every change exactly once and in order, however often the connection breaks.
//!
//! `session` decides, without any I/O, what a message or a failure means: what the application gets, where to resume, how long to
//! wait. `driver` does what it says: connects, waits, reads.

mod driver;
mod event;
mod session;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt as _, future::BoxFuture, stream::BoxStream};
use indicator_proto::v1::{WatchRequest, WatchResponse};

pub use self::event::WatchEvent;
use self::{driver::Driver, session::Session};
use crate::{Error, retry::Policy};

/// The messages of one connection.
pub(crate) type Messages = BoxStream<'static, Result<WatchResponse, Error>>;

/// A watch that resumes by itself. Also a [`Stream`].
///
/// It reconnects for as long as it is read, and tells of it by [`WatchEvent::Connecting`]; whoever wants to give up stops
/// reading. It ends after the first error it yields: one that no repetition mends. Dropping it ends the call.
pub struct Watch {
    events: BoxStream<'static, Result<WatchEvent, Error>>,
}

impl Watch {
    pub(crate) fn new<F>(policy: Policy, request: WatchRequest, open: F) -> Self
    where
        F: Fn(WatchRequest) -> BoxFuture<'static, Result<Messages, Error>> + Send + Sync + 'static,
    {
        Self { events: Driver::new(Session::new(policy, request), open).into_events().boxed() }
    }

    /// The next event. `None` after an error. Nothing is lost when the returned future is dropped half way.
    pub async fn next(&mut self) -> Option<Result<WatchEvent, Error>> {
        self.events.next().await
    }
}

impl Stream for Watch {
    type Item = Result<WatchEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(context)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}
