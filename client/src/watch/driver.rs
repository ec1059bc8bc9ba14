//! Connects, waits and reads as the session decides.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{Stream, StreamExt as _, future::BoxFuture, stream};
use indicator_proto::v1::WatchRequest;
use tokio::time::{sleep, timeout};

use super::{
    Messages, WatchEvent,
    session::{Session, Step},
};
use crate::Error;

/// A session that the application may ask while the driver waits.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<Mutex<Session>>);

impl Shared {
    pub(super) fn new(session: Session) -> Self {
        Self(Arc::new(Mutex::new(session)))
    }

    /// Never across a wait.
    pub(super) fn lock(&self) -> MutexGuard<'_, Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Driver<F> {
    session: Shared,
    open: F,
    connection: Connection,
}

enum Connection {
    /// To be opened after this time.
    Closed {
        wait: Duration,
    },
    Open(Messages),
    /// The watch has failed for good.
    Ended,
}

impl<F> Driver<F>
where
    F: Fn(WatchRequest) -> BoxFuture<'static, Result<Messages, Error>> + Send + Sync + 'static,
{
    pub(super) fn new(session: Shared, open: F) -> Self {
        Self { session, open, connection: Connection::Closed { wait: Duration::ZERO } }
    }

    pub(super) fn into_events(self) -> impl Stream<Item = Result<WatchEvent, Error>> + Send {
        stream::unfold(self, |mut driver| async move { driver.next().await.map(|event| (event, driver)) })
    }

    async fn next(&mut self) -> Option<Result<WatchEvent, Error>> {
        loop {
            // All that a message brought is given out before the next one is read: the position never runs ahead of the application.
            let event = self.session.lock().next_event();
            if event.is_some() {
                return event;
            }
            let step = match &mut self.connection {
                Connection::Ended => return None,
                Connection::Closed { wait } => {
                    sleep(*wait).await;
                    let request = self.session.lock().request();
                    match (self.open)(request).await {
                        Ok(messages) => {
                            self.connection = Connection::Open(messages);
                            Step::Read
                        }
                        Err(error) => self.session.lock().failed(error, fastrand::f64()),
                    }
                }
                Connection::Open(messages) => {
                    let patience = self.session.lock().patience();
                    let next = timeout(patience, messages.next()).await;
                    let mut session = self.session.lock();
                    match next {
                        Ok(Some(Ok(message))) => session.received(message, fastrand::f64()),
                        Ok(Some(Err(error))) => session.failed(error, fastrand::f64()),
                        Ok(None) => session.failed(cut(None), fastrand::f64()),
                        Err(_) => session.failed(cut(Some("the server has fallen silent")), fastrand::f64()),
                    }
                }
            };
            match step {
                Step::Read => {}
                Step::Connect { wait } => self.connection = Connection::Closed { wait },
                Step::End => self.connection = Connection::Ended,
            }
        }
    }
}

fn cut(cause: Option<&str>) -> Error {
    Error::Cut { what: "the watch", cause: cause.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicator_proto::v1::{
        Changes, CommitEvents, StartNow, WatchOpened, WatchOutcome, WatchResponse, watch_request::Start, watch_response::Message,
    };
    use tokio::time::Instant;

    use super::*;
    use crate::{retry::Policy, watch::Watch};

    type Connections = Vec<Vec<WatchResponse>>;

    fn message(message: Message) -> WatchResponse {
        WatchResponse { message: Some(message) }
    }

    fn opened() -> WatchResponse {
        let outcome = WatchOutcome::Replay.into();
        message(Message::Opened(WatchOpened { epoch: "e".to_owned(), revision: 0, outcome, head_revision: 0 }))
    }

    fn commit(revision: u64) -> WatchResponse {
        let events = vec![CommitEvents { revision, ..CommitEvents::default() }];
        message(Message::Changes(Changes { first_revision: revision, last_revision: revision, events, more: false }))
    }

    /// A watch of connections that fall silent after these messages, one connection after the other.
    fn watch(connections: Connections) -> (Watch, Arc<Mutex<Vec<Instant>>>) {
        let opened_at: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let (times, connections) = (opened_at.clone(), Arc::new(Mutex::new(connections.into_iter())));
        let request = WatchRequest { start: Some(Start::Now(StartNow {})), ..WatchRequest::default() };
        let session = Session::new(Policy::default(), request);
        let watch = Watch::new(session, move |_| {
            times.lock().unwrap().push(Instant::now());
            let messages = connections.lock().unwrap().next();
            Box::pin(async move {
                let messages = messages.ok_or(Error::Protocol { what: "the end of the test" })?;
                Ok(stream::iter(messages.into_iter().map(Ok)).chain(stream::pending()).boxed())
            })
        });
        (watch, opened_at)
    }

    async fn commits(watch: &mut Watch) -> Vec<u64> {
        let mut revisions = Vec::new();
        while let Some(Ok(event)) = watch.next().await {
            if let WatchEvent::Commit(commit) = event {
                revisions.push(commit.revision);
            }
        }
        revisions
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_falls_silent_is_left_after_three_missed_signs_of_life() {
        let (mut watch, opened_at) = watch(vec![vec![opened(), commit(1)], vec![opened(), commit(1), commit(2)]]);
        assert_eq!(commits(&mut watch).await, [1, 2]);
        let times = opened_at.lock().unwrap().clone();
        let silence = times[1] - times[0];
        assert!(silence >= Duration::from_secs(35) && silence < Duration::from_millis(35_200), "{silence:?}");
        assert!(watch.next().await.is_none(), "it has ended with its error");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_lost_when_an_event_is_not_waited_for() {
        let (mut watch, _) = watch(vec![vec![opened(), commit(1)], vec![opened(), commit(1), commit(2)]]);
        let mut seen = Vec::new();
        loop {
            // Most of these give up in the middle of a wait of the watch.
            match timeout(Duration::from_millis(10), watch.next()).await {
                Ok(Some(Ok(WatchEvent::Commit(commit)))) => seen.push(commit.revision),
                Ok(None) => break,
                Ok(Some(_)) | Err(_) => {}
            }
        }
        assert_eq!(seen, [1, 2]);
    }
}
