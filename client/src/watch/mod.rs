//! Watching: every change exactly once and in order, however often the connection breaks.
//!
//! `session` decides, without any I/O, what a message or a failure means: what the application gets, where to resume, how long to
//! wait. `given` follows what the application has got of it, `cells` sums it up. `driver` does what the session says: connects,
//! waits, reads. Whoever wants the state instead of its changes takes a [`View`](crate::View).

mod cells;
mod driver;
mod event;
mod given;
mod session;
mod state;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt as _, future::BoxFuture, stream::BoxStream};
use indicator_proto::v1::{WatchRequest, WatchResponse};

use self::{
    driver::{Driver, Shared},
    session::Session,
};
pub use self::{
    event::WatchEvent,
    state::{WatchPosition, WatchState},
};
use crate::{Error, retry::Policy};

/// The messages of one connection.
pub(crate) type Messages = BoxStream<'static, Result<WatchResponse, Error>>;

/// A watch that resumes by itself. Also a [`Stream`].
///
/// It reconnects for as long as it is read, and tells of it by [`WatchEvent::Connecting`]; whoever wants to give up stops
/// reading. It ends after the first error it yields: one that no repetition mends. Dropping it ends the call.
///
/// ```no_run
/// # async fn watch(client: indicator_client::Client, kept: Option<String>) -> Result<(), Box<dyn std::error::Error>> {
/// use indicator_client::WatchEvent;
/// use indicator_proto::v1::WatchRequest;
///
/// // What an earlier run has kept.
/// let mut watch = match kept {
///     Some(kept) => client.watch_from(WatchRequest::default(), serde_json::from_str(&kept)?),
///     None => client.watch(WatchRequest::default()),
/// };
/// while let Some(event) = watch.next().await {
///     if let WatchEvent::Commit(commit) = event? {
///         println!("{} figures have changed; {:?}", commit.changes.len(), watch.state());
///         // Together with what the commit has changed.
///         let keep = serde_json::to_string(&watch.position())?;
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Watch {
    session: Shared,
    events: BoxStream<'static, Result<WatchEvent, Error>>,
}

impl Watch {
    pub(crate) fn from_start<F>(policy: Policy, request: WatchRequest, open: F) -> Self
    where
        F: Fn(WatchRequest) -> BoxFuture<'static, Result<Messages, Error>> + Send + Sync + 'static,
    {
        Self::new(Session::new(policy, request), open)
    }

    pub(crate) fn from_position<F>(policy: Policy, request: WatchRequest, position: WatchPosition, open: F) -> Self
    where
        F: Fn(WatchRequest) -> BoxFuture<'static, Result<Messages, Error>> + Send + Sync + 'static,
    {
        Self::new(Session::resumed(policy, request, position), open)
    }

    fn new<F>(session: Session, open: F) -> Self
    where
        F: Fn(WatchRequest) -> BoxFuture<'static, Result<Messages, Error>> + Send + Sync + 'static,
    {
        let session = Shared::new(session);
        Self { events: Driver::new(session.clone(), open).into_events().boxed(), session }
    }

    /// How the watch is, after the last event that it gave.
    pub fn state(&self) -> WatchState {
        self.session.lock().given().state()
    }

    /// What the watch has given so far: whole commits and complete snapshots. `None` before that, and from a
    /// [`WatchEvent::Reset`] until the snapshot after it is complete.
    pub fn position(&self) -> Option<WatchPosition> {
        self.session.lock().given().position().cloned()
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
        f.debug_struct("Watch").field("state", &self.state()).finish_non_exhaustive()
    }
}
