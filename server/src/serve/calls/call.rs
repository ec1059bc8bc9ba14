use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tonic::{Code, Status};
use tracing::{Level, Span, field};

#[cfg(feature = "otlp")]
use super::super::traces;
use super::{CALLS_TARGET, Calls, Method, NAMES};
use crate::serve::{paths::Page, plain};

/// Carries the id of a call, both ways: back if the client gave it, or the call failed. A call of which nobody is told has none, which
/// saves what making one and sending it takes.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An id from a client is no longer than this.
const MOST_ID_BYTES: usize = 128;

/// No more failed calls than this are logged in a second: a client that provokes them shall not fill the disk.
const LOGGED_A_SECOND: u64 = 20;

/// A call that has not ended.
#[derive(Debug)]
pub(super) struct Call {
    method: Arc<Method>,
    /// It speaks HTTP alone, and ends with its body.
    pub(super) is_page: bool,
    peer: Option<SocketAddr>,
    /// Given by the client, or made when somebody is told of it.
    pub(super) id: Option<HeaderValue>,
    begun: Instant,
    pub(super) span: Span,
    ended: bool,
}

impl Call {
    /// Begins the call of a path.
    pub(super) fn begin(calls: &Calls, peer: Option<SocketAddr>, path: &str, headers: &HeaderMap) -> Self {
        let page = Page::of_request(path, headers);
        let method = Arc::clone(calls.method(path, page));
        method.in_flight.inc();
        let mut id = given_id(headers);
        let span = if tracing::span_enabled!(target: CALLS_TARGET, Level::DEBUG) {
            span(&method, peer, id.get_or_insert_with(made_id), headers)
        } else {
            Span::none()
        };
        Self { method, is_page: page.is_some(), peer, id, begun: Instant::now(), span, ended: false }
    }

    /// Ends a page that has an HTTP status of failure, or nothing more to send.
    pub(super) fn end_page(&mut self, status: StatusCode, is_whole: bool) {
        match plain::code(status) {
            Code::Ok if is_whole => self.end(Code::Ok, ""),
            Code::Ok => {}
            code => self.end(code, status.as_str()),
        }
    }

    /// Ends it with the status in headers or trailers; whether there is one.
    pub(super) fn end_with(&mut self, headers: &HeaderMap) -> bool {
        // Most calls succeed, and a status takes some memory.
        if headers.get("grpc-status").is_some_and(|status| status == "0") {
            self.end(Code::Ok, "");
            return true;
        }
        let status = Status::from_header_map(headers);
        status.map(|status| self.end(status.code(), status.message())).is_some()
    }

    pub(super) fn end(&mut self, code: Code, message: &str) {
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
