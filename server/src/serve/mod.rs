//! Listening and stopping.
//!
//! - [`config`] gathers the settings from flags, environment and file;
//! - [`run`] serves a set of [`routes`] on a listener until it is told to stop;
//! - [`tls`] and [`Access`] say who comes in;
//! - every call passes [`Deadline`]s and the limit on message sizes before it reaches a service;
//! - [`routes`] holds what every server offers, health and reflection; the services of `indicator.v1` are added to it.

mod auth;
pub mod config;
mod deadline;
mod gather;
mod health;
mod listener;
mod message_limit;
mod peer;
mod preface;
mod reflection;
mod signals;
pub mod tls;

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, service::Routes};

use crate::status;

pub use auth::Access;
pub use deadline::Deadline;
pub use listener::{Door, Options, bind, run};
pub use peer::Peer;
pub use signals::cancel_on_signal;

/// What every server offers: health, whose watches end when `stop` is cancelled, and reflection.
///
/// Services added to it set their `max_decoding_message_size` to `usize::MAX`: [`Options::max_message_bytes`] is checked before,
/// with the right status.
pub fn routes(stop: CancellationToken) -> Routes {
    Routes::from(axum::Router::new().fallback(unknown))
        .add_service(health::service(stop))
        .add_service(reflection::v1())
        .add_service(reflection::v1alpha())
}

/// Answers a call of no service, and whoever came with a browser.
async fn unknown(request: Request<axum::body::Body>) -> Response<Body> {
    if is_grpc(request.headers()) {
        return status::unknown_service(request.uri().path()).into_http();
    }
    let mut response = Response::new(Body::new("This is a gRPC server; see its reflection service.\n".to_owned()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.starts_with(b"application/grpc"))
}
