//! What is told of each call: how many there were and how they ended, and one line with its id.

use std::{
    collections::HashMap,
    fmt::Write as _,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, LazyLock, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use tonic::{Code, Status};
use tonic_reflection::pb;
use tower::{Layer, Service};
use tracing::{Level, Span, field};

#[cfg(feature = "otlp")]
use super::traces;
use super::{paths::Page, plain};

/// The target of the spans of calls.
pub(super) const CALLS_TARGET: &str = "indicator_server::serve::calls";

/// Carries the id of a call, both ways: back if the client gave it, or the call failed. A call of which nobody is told has none, which
/// saves what making one and sending it takes.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An id from a client is no longer than this.
const MOST_ID_BYTES: usize = 128;

/// No more failed calls than this are logged in a second: a client that provokes them shall not fill the disk.
const LOGGED_A_SECOND: u64 = 20;

const NO_STATUS: &str = "the answer ended without a status";

/// gRPC's codes are below this.
const CODES: usize = 17;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    service: &'static str,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: &'static str,
    method: &'static str,
    code: &'static str,
}

type Histograms = Family<MethodLabels, Histogram, fn() -> Histogram>;

fn seconds() -> Histogram {
    // From 0.1 ms to a minute and a half.
    Histogram::new(exponential_buckets(0.000_1, 2.5, 15))
}

/// Counts calls and connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Calls(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    /// By path. There is no other for a path that a client made up, so that there are only so many labels.
    methods: HashMap<String, Arc<Method>>,
    unknown: Arc<Method>,
    pages: [Arc<Method>; 3],
    requests: Family<CallLabels, Counter>,
    seconds: Histograms,
    in_flight: Family<MethodLabels, Gauge>,
    connections: Gauge,
}

/// What is counted of a method. Looked up once for each code, then at hand.
#[derive(Debug)]
struct Method {
    service: &'static str,
    name: &'static str,
    requests: Family<CallLabels, Counter>,
    codes: [OnceLock<Counter>; CODES],
    seconds: OnceLock<Histogram>,
    all_seconds: Histograms,
    in_flight: Gauge,
}

impl Default for Calls {
    fn default() -> Self {
        let requests = Family::default();
        let histograms = Histograms::new_with_constructor(seconds);
        let in_flight = Family::default();
        let method = |service, name| {
            Arc::new(Method {
                service,
                name,
                requests: Family::clone(&requests),
                codes: [const { OnceLock::new() }; CODES],
                seconds: OnceLock::new(),
                all_seconds: histograms.clone(),
                in_flight: Family::get_or_create_owned(&in_flight, &MethodLabels { service, method: name }),
            })
        };
        let methods = METHODS.iter().map(|&(service, name)| (format!("/{service}/{name}"), method(service, name))).collect();
        let unknown = method("unknown", "unknown");
        let pages = ["page", "stream", "open"].map(|name| method("display", name));
        Self(Arc::new(Counted {
            methods,
            unknown,
            pages,
            requests,
            seconds: histograms,
            in_flight,
            connections: Gauge::default(),
        }))
    }
}

/// Every method that is served, by service.
static METHODS: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
    let described = indicator_proto::pool().services().flat_map(|service| {
        let name: &'static str = service.full_name().to_owned().leak();
        service.methods().map(|method| (name, &*method.name().to_owned().leak())).collect::<Vec<_>>()
    });
    let reflection = [pb::v1::server_reflection_server::SERVICE_NAME, pb::v1alpha::server_reflection_server::SERVICE_NAME];
    described.chain(reflection.map(|service| (service, "ServerReflectionInfo"))).collect()
});

impl Calls {
    /// Makes them known.
    pub(super) fn register(&self, registry: &mut Registry) {
        let counted = &self.0;
        registry.register("requests", "Calls that have ended, streams included, by gRPC status code", counted.requests.clone());
        registry.register(
            "request_duration_seconds",
            "From the headers of a call to its status; a stream counts when it has ended",
            counted.seconds.clone(),
        );
        registry.register("requests_in_flight", "Calls that have not ended, streams included", counted.in_flight.clone());
        registry.register("connections", "Open connections on the public port", counted.connections.clone());
    }

    /// Counts a connection as long as it lives.
    pub(super) fn connection(&self) -> Connection {
        self.0.connections.inc();
        Connection(self.0.connections.clone())
    }

    /// Around the services of a connection.
    pub(super) fn of(&self, peer: Option<SocketAddr>) -> CallsOf {
        CallsOf { calls: self.clone(), peer }
    }
}

/// See [`Calls::connection`].
#[derive(Debug)]
pub(super) struct Connection(Gauge);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The calls of one connection.
#[derive(Debug, Clone)]
pub(super) struct CallsOf {
    calls: Calls,
    peer: Option<SocketAddr>,
}

impl<S> Layer<S> for CallsOf {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, of: self.clone() }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Observed<S> {
    inner: S,
    of: CallsOf,
}

impl<S, B, R> Service<Request<B>> for Observed<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<ObservedBody<R>>;
    type Error = S::Error;
    type Future = ObservedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let call = Call::begin(&self.of, request.uri().path(), request.headers());
        let inner = call.span.in_scope(|| self.inner.call(request));
        ObservedFuture { inner, call: Some(call) }
    }
}

/// A call that has not ended.
#[derive(Debug)]
struct Call {
    method: Arc<Method>,
    /// It speaks HTTP alone, and ends with its body.
    is_page: bool,
    peer: Option<SocketAddr>,
    /// Given by the client, or made when somebody is told of it.
    id: Option<HeaderValue>,
    begun: Instant,
    span: Span,
    ended: bool,
}

impl Call {
    fn begin(of: &CallsOf, path: &str, headers: &HeaderMap) -> Self {
        let counted = &of.calls.0;
        let page = Page::of_request(path, headers);
        let method = match page {
            Some(page) => &counted.pages[page as usize],
            None => counted.methods.get(path).unwrap_or(&counted.unknown),
        };
        let method = Arc::clone(method);
        method.in_flight.inc();
        let mut id = given_id(headers);
        let span = if tracing::span_enabled!(target: CALLS_TARGET, Level::DEBUG) {
            span(&method, of.peer, id.get_or_insert_with(made_id), headers)
        } else {
            Span::none()
        };
        Self { method, is_page: page.is_some(), peer: of.peer, id, begun: Instant::now(), span, ended: false }
    }

    /// Ends a page that has an HTTP status of failure, or nothing more to send.
    fn end_page(&mut self, status: StatusCode, is_whole: bool) {
        match plain::code(status) {
            Code::Ok if is_whole => self.end(Code::Ok, ""),
            Code::Ok => {}
            code => self.end(code, status.as_str()),
        }
    }

    /// Ends it with the status in headers or trailers; whether there is one.
    fn end_with(&mut self, headers: &HeaderMap) -> bool {
        // Most calls succeed, and a status takes some memory.
        if headers.get("grpc-status").is_some_and(|status| status == "0") {
            self.end(Code::Ok, "");
            return true;
        }
        let status = Status::from_header_map(headers);
        status.map(|status| self.end(status.code(), status.message())).is_some()
    }

    fn end(&mut self, code: Code, message: &str) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if code != Code::Ok {
            self.id.get_or_insert_with(made_id);
        }
        let took = self.begun.elapsed();
        self.method.in_flight.dec();
        self.method.count(code);
        self.method.seconds().observe(took.as_secs_f64());
        if !self.span.is_disabled() {
            self.span.record("rpc.grpc.status_code", code as i32);
            self.span.record("otel.status_code", if is_ours(code) { "ERROR" } else { "OK" });
        }
        self.log(code, message, took.as_secs_f64() * 1000.0);
    }

    fn log(&self, code: Code, message: &str, ms: f64) {
        let Method { service, name, .. } = &*self.method;
        let id = self.id.as_ref().and_then(|id| id.to_str().ok());
        let peer = self.peer.map(field::display);
        let code_name = NAMES[code as usize];
        let _entered = self.span.enter();
        if !is_ours(code) {
            tracing::debug!(service, method = name, peer, id, code = code_name, ms, message, "call");
        } else if may_log() {
            if code == Code::Unavailable {
                tracing::info!(service, method = name, peer, id, code = code_name, ms, reason = message, "a call failed");
            } else {
                tracing::warn!(service, method = name, peer, id, code = code_name, ms, reason = message, "a call failed");
            }
        }
    }
}

impl Drop for Call {
    /// Nobody waits for the rest of it.
    fn drop(&mut self) {
        self.end(Code::Cancelled, "the client gave up");
    }
}

/// Whether it is the server that failed.
fn is_ours(code: Code) -> bool {
    matches!(code, Code::Unknown | Code::Internal | Code::DataLoss | Code::Unavailable)
}

/// Whether another failed call may be logged in this second.
fn may_log() -> bool {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    /// The second, and how many were logged in it.
    static LOGGED: AtomicU64 = AtomicU64::new(0);
    let second = BEGUN.get_or_init(Instant::now).elapsed().as_secs();
    let next = |logged: u64| {
        let count = if logged >> 16 == second { logged & 0xffff } else { 0 };
        (count < LOGGED_A_SECOND).then_some(second << 16 | (count + 1))
    };
    LOGGED.fetch_update(Relaxed, Relaxed, next).is_ok()
}

impl Method {
    fn count(&self, code: Code) {
        let counter = self.codes[code as usize].get_or_init(|| {
            let labels = CallLabels { service: self.service, method: self.name, code: NAMES[code as usize] };
            self.requests.get_or_create_owned(&labels)
        });
        counter.inc();
    }

    fn seconds(&self) -> &Histogram {
        self.seconds
            .get_or_init(|| self.all_seconds.get_or_create_owned(&MethodLabels { service: self.service, method: self.name }))
    }
}

/// The codes as gRPC writes them, by number.
const NAMES: [&str; CODES] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The id that the client gave its call, if it can stand in a log.
fn given_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(&REQUEST_ID)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=~".contains(byte);
    let sane = (1..=MOST_ID_BYTES).contains(&id.len()) && id.as_bytes().iter().all(plain);
    sane.then(|| sensitive(id.clone()))
}

fn made_id() -> HeaderValue {
    let mut id = String::with_capacity(16);
    let _ = write!(id, "{:016x}", fastrand::u64(..));
    sensitive(HeaderValue::try_from(id).expect("hexadecimal digits are a header value"))
}

/// Not to be remembered in the connection's table of headers: each is of one call.
fn sensitive(mut id: HeaderValue) -> HeaderValue {
    id.set_sensitive(true);
    id
}

/// At the level of debugging alone: making a span for each call would cost more than the rest of what is here. Lines of failed calls say
/// themselves what is in it.
fn span(method: &Method, peer: Option<SocketAddr>, id: &HeaderValue, headers: &HeaderMap) -> Span {
    let span = tracing::debug_span!(
        target: CALLS_TARGET,
        "call",
        id = id.to_str().unwrap_or_default(),
        otel.name = field::Empty,
        otel.kind = field::Empty,
        rpc.system = field::Empty,
        rpc.service = method.service,
        rpc.method = method.name,
        client.address = peer.map(field::display),
        rpc.grpc.status_code = field::Empty,
        otel.status_code = field::Empty,
    );
    #[cfg(feature = "otlp")]
    if !span.is_disabled() {
        traces::describe(&span, method.service, method.name, headers);
    }
    #[cfg(not(feature = "otlp"))]
    let _ = headers;
    span
}

pin_project! {
    /// The answer of a call, to come.
    pub(super) struct ObservedFuture<F> {
        #[pin]
        inner: F,
        call: Option<Call>,
    }
}

impl<F, R, E> Future for ObservedFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<ObservedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = this.call.as_ref().map(|call| call.span.enter());
        let response = ready!(this.inner.poll(cx));
        drop(entered);
        let mut call = this.call.take();
        Poll::Ready(response.map(|mut response| {
            if let Some(call) = call.as_mut().filter(|call| call.is_page) {
                call.end_page(response.status(), response.body().is_end_stream());
            } else if let Some(call) = &mut call {
                let has_ended = call.end_with(response.headers());
                match response.status() {
                    // The rest is on its way.
                    StatusCode::OK => {}
                    _ if has_ended => {}
                    // As gRPC reads the answers of HTTP servers that know nothing of it.
                    StatusCode::NOT_FOUND => call.end(Code::Unimplemented, "HTTP 404"),
                    status => call.end(Code::Unknown, status.as_str()),
                }
                if let Some(id) = &call.id {
                    response.headers_mut().insert(REQUEST_ID, id.clone());
                }
            }
            response.map(|inner| ObservedBody { inner, call })
        }))
    }
}

pin_project! {
    /// The body of an answer; the call ends with its trailers.
    pub(super) struct ObservedBody<R> {
        #[pin]
        inner: R,
        call: Option<Call>,
    }
}

impl<R: Default> Default for ObservedBody<R> {
    fn default() -> Self {
        Self { inner: R::default(), call: None }
    }
}

impl<R: Body<Data = Bytes>> Body for ObservedBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        let mut this = self.project();
        let entered = this.call.as_ref().map(|call| call.span.enter());
        let mut frame = ready!(this.inner.as_mut().poll_frame(cx));
        drop(entered);
        if let Some(call) = this.call.as_mut().filter(|call| call.is_page) {
            match &frame {
                Some(Err(_)) => call.end(Code::Internal, "the answer broke off"),
                // The rest of it is not asked for.
                Some(Ok(_)) if this.inner.is_end_stream() => call.end(Code::Ok, ""),
                Some(Ok(_)) => {}
                None => call.end(Code::Ok, ""),
            }
        } else if let Some(call) = this.call {
            let is_told = call.id.is_some();
            match &mut frame {
                Some(Ok(frame)) => {
                    if let Some(trailers) = frame.trailers_mut() {
                        if !call.end_with(trailers) {
                            call.end(Code::Unknown, NO_STATUS);
                        }
                        if let Some(id) = call.id.as_ref().filter(|_| !is_told) {
                            trailers.insert(REQUEST_ID, id.clone());
                        }
                    }
                }
                Some(Err(_)) => call.end(Code::Internal, "the answer broke off"),
                None => call.end(Code::Unknown, NO_STATUS),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
