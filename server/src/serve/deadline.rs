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

use super::kind::Kind;
use crate::{access::Caller, status};

/// When the caller gives up. The requests of calls that have a deadline carry it as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Instant);

/// When a call ends at the latest, because of its deadline or the server's own limit. The requests of calls that end so carry it as
/// an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LatestEnd(pub Instant);

/// Ends calls, streams included, with DEADLINE_EXCEEDED when their `grpc-timeout` has passed or they have taken longer than the
/// server allows, with UNAUTHENTICATED when the caller's credential has ended, and with UNAVAILABLE when `last_call` is cancelled.
///
/// The time limit of tonic's server answers CANCELLED, and watches a stream no further than its headers.
#[derive(Debug, Clone)]
pub(super) struct Deadlines {
    /// How long a call may take, watches and transfers aside.
    pub(super) most: Duration,
    pub(super) last_call: CancellationToken,
}

impl<S> Layer<S> for Deadlines {
    type Service = Ended<S>;

    fn layer(&self, inner: S) -> Ended<S> {
        Ended { inner, deadlines: self.clone() }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Ended<S> {
    inner: S,
    deadlines: Deadlines,
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
        let timeout = match timeout(request.headers()) {
            Ok(timeout) => timeout,
            Err(status) => return Box::pin(async { Ok(status.into_http()) }),
        };
        let Deadlines { most, last_call } = self.deadlines.clone();
        let now = Instant::now();
        // A time beyond what the clock can count is none.
        let deadline = timeout.and_then(|timeout| now.checked_add(timeout));
        let limit = Kind::of(request.uri().path()).is_timed().then(|| now.checked_add(most)).flatten();
        let timer = match (deadline, limit) {
            (deadline, Some(limit)) if deadline.is_none_or(|deadline| limit < deadline) => {
                Some(Timer { at: limit, limit: Some(most) })
            }
            (Some(deadline), _) => Some(Timer { at: deadline, limit: None }),
            (None, _) => None,
        };
        if let Some(deadline) = deadline {
            request.extensions_mut().insert(Deadline(deadline));
        }
        if let Some(Timer { at, .. }) = timer {
            request.extensions_mut().insert(LatestEnd(at));
        }
        let credential = request.extensions().get::<Caller>().and_then(Caller::ended).cloned();
        let end = End { timer, last_call, credential };
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
    timer: Option<Timer>,
    last_call: CancellationToken,
    /// Cancelled when the caller's credential ends.
    credential: Option<CancellationToken>,
}

#[derive(Debug, Clone, Copy)]
struct Timer {
    at: Instant,
    /// The time that a call may take, if it is this and not the caller that ends it.
    limit: Option<Duration>,
}

impl Timer {
    fn status(self) -> Status {
        self.limit.map_or_else(status::deadline_exceeded, status::call_too_long)
    }
}

impl End {
    async fn reached(self) -> Status {
        let passed = async {
            match self.timer {
                Some(timer) => {
                    sleep_until(timer.at).await;
                    timer.status()
                }
                None => future::pending().await,
            }
        };
        let ended = async {
            match &self.credential {
                Some(credential) => credential.cancelled().await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            biased;
            status = passed => status,
            () = ended => status::credential_ended(),
            () = self.last_call.cancelled() => status::shutting_down(),
        }
    }

    fn timer_passed(&self) -> Option<Status> {
        self.timer.filter(|timer| timer.at <= Instant::now()).map(Timer::status)
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

impl<R> Running<R> {
    /// The status with which the call ends from outside, if it is to end now. A body that `waits` is woken when that changes.
    fn poll_end(&mut self, waits: bool, cx: &mut Context<'_>) -> Poll<Status> {
        if let Some(status) = self.end.timer_passed() {
            return Poll::Ready(status);
        }
        if self.end.credential.as_ref().is_some_and(CancellationToken::is_cancelled) {
            return Poll::Ready(status::credential_ended());
        }
        if !waits {
            return Poll::Pending;
        }
        self.reached.get_or_insert_with(|| Box::pin(self.end.clone().reached())).as_mut().poll(cx)
    }
}

impl<R: Body<Data = Bytes> + Unpin> Body for EndedBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        let Some(running) = &mut self.running else { return Poll::Ready(None) };
        let frame = Pin::new(&mut running.body).poll_frame(cx);
        // The deadline goes before a frame: a body that always has one would never meet it.
        match running.poll_end(frame.is_pending(), cx) {
            Poll::Ready(status) => {
                self.running = None;
                Poll::Ready(Some(Ok(Frame::trailers(trailers(&status)))))
            }
            Poll::Pending => frame,
        }
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

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use tonic::{Code, body::Body};
    use tower::{ServiceBuilder, ServiceExt as _, service_fn};

    use super::*;

    /// What a caller with this timeout is answered by a service that takes `work`.
    async fn code_of(grpc_timeout: &str, work: Duration) -> Code {
        let request = Request::builder().header("grpc-timeout", grpc_timeout).body(()).unwrap();
        answer(request, work, Duration::MAX).await.code()
    }

    /// What a service that takes `work` answers where calls may take no longer than `most`.
    async fn answer(request: Request<()>, work: Duration, most: Duration) -> Status {
        let deadlines = Deadlines { most, last_call: CancellationToken::new() };
        let service = ServiceBuilder::new().layer(deadlines).service(service_fn(move |_: Request<()>| async move {
            tokio::time::sleep(work).await;
            Ok::<_, Status>(Status::ok("").into_http::<Body>())
        }));
        let response = service.oneshot(request).await.unwrap();
        Status::from_header_map(response.headers()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_when_the_server_allows_no_more_unless_its_caller_gives_up_before() {
        let most = Duration::from_secs(300);
        let answer = async |path: &str, timeout: Option<&str>, seconds| {
            let mut request = Request::builder().uri(path);
            if let Some(timeout) = timeout {
                request = request.header("grpc-timeout", timeout);
            }
            answer(request.body(()).unwrap(), Duration::from_secs(seconds), most).await
        };
        let get = "/indicator.v1.ObservationService/GetObservation";
        assert_eq!(answer(get, None, 299).await.code(), Code::Ok);
        for timeout in [None, Some("1H")] {
            let status = answer(get, timeout, 301).await;
            assert_eq!(status.code(), Code::DeadlineExceeded);
            assert!(status.message().contains("300 s that the server allows"), "{status:?}");
        }
        let status = answer(get, Some("10S"), 301).await;
        assert!(status.message().starts_with("the deadline passed"), "{status:?}");
        assert_eq!(answer("/indicator.v1.WatchService/Watch", None, 1_000_000).await.code(), Code::Ok);
        assert_eq!(answer("/indicator.v1.ObservationService/ImportObservations", None, 1_000_000).await.code(), Code::Ok);
    }

    #[tokio::test(start_paused = true)]
    async fn a_unary_call_that_takes_too_long_is_answered_deadline_exceeded() {
        for (timeout, millis) in [("1H", 3_600_000), ("1M", 60_000), ("2S", 2000), ("20m", 20), ("20000u", 20)] {
            assert_eq!(code_of(timeout, Duration::from_millis(millis - 10)).await, Code::Ok, "{timeout}");
            assert_eq!(code_of(timeout, Duration::from_millis(millis + 10)).await, Code::DeadlineExceeded, "{timeout}");
        }
        assert_eq!(code_of("1n", Duration::from_millis(10)).await, Code::DeadlineExceeded);
        assert_eq!(code_of("99999999H", Duration::from_millis(10)).await, Code::Ok);
    }

    #[tokio::test(start_paused = true)]
    async fn a_malformed_timeout_is_an_error_and_not_an_endless_call() {
        for timeout in ["", "S", "5", "5s", "-5S", "123456789S", "1.5S", "5 S", "５S"] {
            assert_eq!(code_of(timeout, Duration::ZERO).await, Code::Internal, "{timeout:?}");
        }
    }

    /// Always has a frame to send.
    struct Endless;

    impl http_body::Body for Endless {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"more")))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_never_waits_meets_its_deadline_too() {
        let timer = Timer { at: Instant::now() + Duration::from_secs(1), limit: None };
        let end = End { timer: Some(timer), last_call: CancellationToken::new(), credential: None };
        let mut body = EndedBody::new(Endless, end);
        let mut next = async || future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        assert!(next().await.unwrap().unwrap().is_data());
        tokio::time::advance(Duration::from_secs(1)).await;
        let trailers = next().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(Status::from_header_map(&trailers).unwrap().code(), Code::DeadlineExceeded);
        assert!(next().await.is_none());
        assert!(body.is_end_stream());
    }
}
