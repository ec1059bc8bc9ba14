//! What clients saw: every message of every stream, and what they knew when they opened it.

use std::time::Duration;

use indicator_proto::v1::{WatchRequest, WatchResponse, watch_request::Start, watch_response::Message};

use crate::refusal::Refusal;

/// One client and its streams, one after the other.
#[derive(Debug, Clone, Default)]
pub struct Subscriber {
    /// For people.
    pub name: String,
    /// In the order in which they were opened.
    pub streams: Vec<Stream>,
}

/// One stream, or the attempt to open one.
#[derive(Debug, Clone)]
pub struct Stream {
    /// As it was sent.
    pub request: WatchRequest,
    /// Whose the resume token is, if the stream starts with one.
    pub token: Token,
    /// Where the client stopped applying an earlier stream of its own, if it goes on with the state that it had there.
    pub carried: Option<Point>,
    /// What was known of the record and of its horizon.
    pub known: Known,
    /// In the order in which they came.
    pub messages: Vec<WatchResponse>,
    /// How it ended.
    pub end: End,
    /// From sending the request to the first answer.
    pub waited: Duration,
    /// The deadline of the call, if it had one.
    pub deadline: Option<Duration>,
}

/// A message of an earlier stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Which of the subscriber's streams.
    pub stream: usize,
    /// Which of its messages.
    pub message: usize,
}

/// Whose a resume token is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Token {
    /// The start has none, or one that the service gave to a stream of this subscriber.
    #[default]
    Genuine,
    /// Somebody altered it.
    Forged,
    /// Another store gave it.
    Foreign,
    /// This store gave it to a watch of something else.
    OtherFilter,
}

/// What was known of the record while a stream was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// The newest commit of which somebody had been told before the call.
    pub head: u64,
    /// The horizon as it had been told before the call.
    pub horizon: u64,
    /// The latest that the horizon can have been at by the time of the answer.
    pub asked_horizon: u64,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The client went away.
    Cut,
    /// The connection broke, or the server was killed.
    Broken,
    /// The server ended it without an error.
    Ended,
    /// The server answered with an error.
    Refused(Refusal),
    /// Nothing came for a long time, not even progress.
    Silent,
}

impl Stream {
    /// A stream that has not begun.
    #[must_use]
    pub fn new(request: WatchRequest) -> Self {
        Self {
            request,
            token: Token::Genuine,
            carried: None,
            known: Known { asked_horizon: u64::MAX, ..Known::default() },
            messages: Vec::new(),
            end: End::Cut,
            waited: Duration::ZERO,
            deadline: None,
        }
    }

    /// Whether the client asked to go on from what it has.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        matches!(self.request.start, Some(Start::ResumeToken(_) | Start::AfterRevision(_)))
    }
}

/// The revision after which a client goes on from a message: that of its progress. `None` if it does not tell.
#[must_use]
pub fn position(message: &WatchResponse) -> Option<u64> {
    match &message.message {
        Some(Message::Progress(progress)) => Some(progress.revision),
        _ => None,
    }
}

/// The token in a message.
#[must_use]
pub fn token(message: &WatchResponse) -> Option<&str> {
    match &message.message {
        Some(Message::Progress(progress)) => Some(&progress.resume_token),
        Some(Message::Closing(closing)) => Some(&closing.resume_token),
        _ => None,
    }
}
