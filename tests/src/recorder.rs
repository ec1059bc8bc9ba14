//! Records what a client sees of its watches, for [`crate::check`].

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use indicator_proto::v1::{WatchRequest, WatchResponse};
use tokio::time::timeout;
use tonic::{Request, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::{
    LONG,
    check::recording::{End, Known, Point, Stream, Subscriber, Token},
    client::Client,
    refusal::Refusal,
};

/// What all clients together have been told of a record that others write.
#[derive(Debug, Default)]
pub struct Common {
    head: AtomicU64,
    horizon: AtomicU64,
    asked_horizon: AtomicU64,
}

impl Common {
    /// Somebody was told of a commit.
    pub fn told_head(&self, revision: u64) {
        self.head.fetch_max(revision, Ordering::SeqCst);
    }

    /// The one who moves the horizon begins to, so that nobody knows where it is.
    pub fn moves_horizon(&self) {
        self.asked_horizon.store(u64::MAX, Ordering::SeqCst);
    }

    /// The one who moves the horizon was told where it is.
    pub fn told_horizon(&self, revision: u64) {
        self.horizon.store(revision, Ordering::SeqCst);
        self.asked_horizon.store(revision, Ordering::SeqCst);
    }

    /// The newest commit that somebody was told of.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head.load(Ordering::SeqCst)
    }

    fn known(&self) -> Known {
        let asked_horizon = self.asked_horizon.load(Ordering::SeqCst);
        Known { head: self.head(), horizon: self.horizon.load(Ordering::SeqCst), asked_horizon }
    }
}

/// How a stream is to be opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// To send.
    pub request: WatchRequest,
    /// Whose its token is.
    pub token: Token,
    /// From where the client goes on with its state.
    pub carried: Option<Point>,
    /// Of the call.
    pub deadline: Option<Duration>,
}

impl Opening {
    /// An opening that carries nothing over.
    #[must_use]
    pub fn new(request: WatchRequest) -> Self {
        Self { request, token: Token::Genuine, carried: None, deadline: None }
    }
}

/// Records the streams of one client.
#[derive(Debug)]
pub struct Recorder<'a> {
    common: &'a Common,
    /// What it has recorded.
    pub subscriber: Subscriber,
}

impl<'a> Recorder<'a> {
    /// A recorder of a client that knows what `common` knows.
    #[must_use]
    pub fn new(name: String, common: &'a Common) -> Self {
        Self { common, subscriber: Subscriber { name, streams: Vec::new() } }
    }

    /// Opens a stream, and records its first message; `None` if there was none.
    pub async fn open(&mut self, client: &Client, opening: &Opening) -> Option<Streaming<WatchResponse>> {
        let Opening { request, token, carried, deadline } = opening.clone();
        let known = self.common.known();
        self.subscriber.streams.push(Stream { token, carried, deadline, known, ..Stream::new(request.clone()) });
        let mut call = Request::new(request);
        if let Some(deadline) = deadline {
            call.set_timeout(deadline);
        }
        let start = Instant::now();
        let opened = timeout(LONG, client.watches().watch(call)).await;
        let streaming = match opened {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(end(status)),
            Err(_) => Err(End::Silent),
        };
        let opened = match streaming {
            Ok(mut streaming) => self.next(&mut streaming).await.then_some(streaming),
            Err(end) => {
                self.stream().end = end;
                None
            }
        };
        let asked_horizon = self.common.known().asked_horizon;
        let stream = self.stream();
        stream.waited = start.elapsed();
        stream.known.asked_horizon = asked_horizon;
        opened
    }

    /// Records the next message; `false` at the end of the stream.
    pub async fn next(&mut self, streaming: &mut Streaming<WatchResponse>) -> bool {
        let ended = match timeout(LONG, streaming.message()).await {
            Ok(Ok(Some(message))) => {
                self.stream().messages.push(message);
                return true;
            }
            Ok(Ok(None)) => End::Ended,
            Ok(Err(status)) => end(status),
            Err(_) => End::Silent,
        };
        self.stream().end = ended;
        false
    }

    /// The last message of the newest stream, and where it is.
    #[must_use]
    pub fn last(&self) -> Option<(Point, &WatchResponse)> {
        let stream = self.subscriber.streams.len().checked_sub(1)?;
        let message = self.subscriber.streams[stream].messages.len().checked_sub(1)?;
        Some((Point { stream, message }, &self.subscriber.streams[stream].messages[message]))
    }

    fn stream(&mut self) -> &mut Stream {
        self.subscriber.streams.last_mut().expect("a stream is recorded after it is opened")
    }
}

/// An answer of the service says so in its details; any other error is of the connection.
fn end(status: Status) -> End {
    if status.get_error_details().error_info().is_some() { End::Refused(Refusal::from(status)) } else { End::Broken }
}
