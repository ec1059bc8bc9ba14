//! Listening and stopping.
//!
//! - [`config`] gathers the settings from flags, environment and file;
//! - [`run`] serves a set of [`routes`] on a listener until it is told to stop;
//! - [`tls`] and [`Access`] say who comes in;
//! - what is not HTTP in time, floods of frames, and more connections or calls than there is room for are refused before they cost
//!   much;
//! - every call passes [`Deadline`]s and the limit on message sizes before it reaches a service;
//! - every call is counted ([`Calls`]), and told of on the private port ([`Private`]) with how the server is;
//! - [`Readiness`] is where the server is between its start and its end, which [`systemd`] is told too;
//! - [`routes`] holds what every server offers, health and reflection; the services of `indicator.v1` are added to it.

mod admission;
mod auth;
mod calls;
mod calm;
pub mod config;
mod deadline;
mod files;
mod gather;
mod health;
mod kind;
mod listener;
mod message_limit;
mod metrics;
pub(crate) mod paths;
mod peer;
mod peers;
mod plain;
mod preface;
mod private;
mod readiness;
mod reflection;
mod signals;
pub mod systemd;
pub mod tls;
pub mod traces;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, body::Body, service::Routes};

use self::readiness::Standing;
use crate::{engine::Alarm, status};

#[cfg(any(test, fuzzing))]
pub(crate) use calm::fuzzing;

pub use auth::Access;
pub(crate) use auth::{COOKIE, Recognise};
pub use calls::Calls;
pub use deadline::{Deadline, LatestEnd};
pub use listener::{Door, Options, bind, run};
pub use peer::Peer;
pub use private::Private;
pub use readiness::{Phase, Readiness};
pub use signals::cancel_on_signal;

/// What every server offers: health, by its readiness and what stops writes, whose watches end when `stop` is cancelled; and
/// reflection.
///
/// Services added to it set their `max_decoding_message_size` to `usize::MAX`: [`Options::max_message_bytes`] is checked before,
/// with the right status.
pub fn routes(readiness: &Readiness, alarms: watch::Receiver<Arc<[Alarm]>>, stop: CancellationToken) -> Routes {
    Routes::from(axum::Router::new().fallback(unknown))
        .add_service(health::service(Standing::new(readiness, alarms), stop))
        .add_service(reflection::v1())
        .add_service(reflection::v1alpha())
}

/// Gives an answer that is an error from the start, and that the library made, the code and the details that this service gives.
fn explained<B: Default>(response: Response<B>) -> Response<B> {
    match Status::from_header_map(response.headers()) {
        Some(error) if error.code() == Code::Internal && error.details().is_empty() => status::of_message(error).into_http(),
        _ => response,
    }
}

/// Answers a call of no service, and whoever came with a browser.
async fn unknown(request: Request<axum::body::Body>) -> Response<Body> {
    if is_grpc(request.headers()) {
        return status::unknown_service(request.uri().path()).into_http();
    }
    let mut response =
        Response::new(Body::new("There is nothing here. Pages begin at /; for gRPC, see the reflection service.\n".to_owned()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.starts_with(b"application/grpc"))
}
