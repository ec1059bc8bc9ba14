use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::future::{self, BoxFuture};
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tower::{Layer, Service};

use crate::status;

/// When the caller gives up. The requests of calls that have a deadline carry it as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Instant);

/// Ends calls, streams included, with DEADLINE_EXCEEDED when their `grpc-timeout` has passed, and with UNAVAILABLE when
/// `last_call` is cancelled.
///
/// The time limit of tonic's server answers CANCELLED, and watches a stream no further than its headers.
#[derive(Debug, Clone)]
pub(super) struct Deadlines {
    pub(super) last_call: CancellationToken,
}

impl<S> Layer<S> for Deadlines {
    type Service = Ended<S>;

    fn layer(&self, inner: S) -> Ended<S> {
        Ended { inner, last_call: self.last_call.clone() }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Ended<S> {
    inner: S,
    last_call: CancellationToken,
}

impl<S, B, R> Service<Request<B>> for Ended<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send + 'static>,
    R: Body<Data = Bytes>,
{
    type Response = Response<EndedBody<R>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let deadline = match timeout(request.headers()) {
            // A timeout beyond what the clock can count is none.
            Ok(timeout) => timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            Err(status) => return Box::pin(async { Ok(status.into_http()) }),
        };
        if let Some(deadline) = deadline {
            request.extensions_mut().insert(Deadline(deadline));
        }
        let end = End { deadline, last_call: self.last_call.clone() };
        let call = self.inner.call(request);
        Box::pin(async move {
            tokio::select! {
                biased;
                response = call => Ok(response?.map(|body| EndedBody::new(body, end))),
                status = end.clone().reached() => Ok(status.into_http()),
            }
        })
    }
}

/// What ends a call from outside.
#[derive(Debug, Clone)]
struct End {
    deadline: Option<Instant>,
    last_call: CancellationToken,
}

impl End {
    async fn reached(self) -> Status {
        let passed = async {
            match self.deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = passed => status::deadline_exceeded(),
            () = self.last_call.cancelled() => status::shutting_down(),
        }
    }

    fn deadline_passed(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }
}

/// A response body that ends, with a status, when its call does. Empty by default.
pub(super) struct EndedBody<R> {
    running: Option<Running<R>>,
}

struct Running<R> {
    body: R,
    end: End,
    /// Made when the body first has nothing to send: most calls never wait, and pay for no timer.
    reached: Option<BoxFuture<'static, Status>>,
}

impl<R> EndedBody<R> {
    fn new(body: R, end: End) -> Self {
        Self { running: Some(Running { body, end, reached: None }) }
    }
}

impl<R> Default for EndedBody<R> {
    fn default() -> Self {
        Self { running: None }
    }
}

impl<R: Body<Data = Bytes> + Unpin> Running<R> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Result<Frame<Bytes>, R::Error>>, Status>> {
        // A body that always has something to send never gets to the timer below.
        if self.end.deadline_passed() {
            return Poll::Ready(Err(status::deadline_exceeded()));
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(Ok(frame));
        }
        let reached = self.reached.get_or_insert_with(|| Box::pin(self.end.clone().reached()));
        reached.as_mut().poll(cx).map(Err)
    }
}

impl<R: Body<Data = Bytes> + Unpin> Body for EndedBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        let Some(running) = &mut self.running else { return Poll::Ready(None) };
        running.poll_frame(cx).map(|frame| {
            frame.unwrap_or_else(|status| {
                self.running = None;
                Some(Ok(Frame::trailers(trailers(&status))))
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.running.as_ref().is_none_or(|running| running.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.running.as_ref().map_or(SizeHint::with_exact(0), |running| running.body.size_hint())
    }
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers).expect("percent-encoded and base64 texts are header values");
    trailers
}

/// The `grpc-timeout` of a request: at most eight digits and a unit.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get("grpc-timeout") else { return Ok(None) };
    let malformed = || Status::internal("malformed grpc-timeout: expected up to eight digits and one of H, M, S, m, u, n");
    let text = value.to_str().map_err(|_| malformed())?;
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(malformed)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed());
    }
    let count: u64 = digits.parse().map_err(|_| malformed())?;
    let timeout = match unit {
        "H" => Duration::from_secs(count * 60 * 60),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return Err(malformed()),
    };
    Ok(Some(timeout))
}
