//! Connects, waits and reads as the session decides.

use std::time::Duration;

use futures::{Stream, StreamExt as _, future::BoxFuture, stream};
use indicator_proto::v1::WatchRequest;
use tokio::time::{sleep, timeout};

use super::{
    Messages, WatchEvent,
    session::{Session, Step},
};
use crate::Error;

pub(super) struct Driver<F> {
    session: Session,
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
    pub(super) fn new(session: Session, open: F) -> Self {
        Self { session, open, connection: Connection::Closed { wait: Duration::ZERO } }
    }

    pub(super) fn into_events(self) -> impl Stream<Item = Result<WatchEvent, Error>> + Send {
        stream::unfold(self, |mut driver| async move { driver.next().await.map(|event| (event, driver)) })
    }

    async fn next(&mut self) -> Option<Result<WatchEvent, Error>> {
        loop {
            // All that a message brought is given out before the next one is read: the position never runs ahead of the application.
            if let Some(event) = self.session.next_event() {
                return Some(event);
            }
            let step = match &mut self.connection {
                Connection::Ended => return None,
                Connection::Closed { wait } => {
                    sleep(*wait).await;
                    match (self.open)(self.session.request()).await {
                        Ok(messages) => {
                            self.connection = Connection::Open(messages);
                            Step::Read
                        }
                        Err(error) => self.session.failed(error, fastrand::f64()),
                    }
                }
                Connection::Open(messages) => match timeout(self.session.patience(), messages.next()).await {
                    Ok(Some(Ok(message))) => self.session.received(message, fastrand::f64()),
                    Ok(Some(Err(error))) => self.session.failed(error, fastrand::f64()),
                    Ok(None) => self.session.failed(cut(None), fastrand::f64()),
                    Err(_) => self.session.failed(cut(Some("the server has fallen silent")), fastrand::f64()),
                },
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
