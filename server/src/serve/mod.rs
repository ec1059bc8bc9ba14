//! Listening and stopping.
//!
//! - [`config`] gathers the settings from flags, environment and file;
//! - [`run`] serves a set of [`routes`] on a listener until it is told to stop;
//! - every call passes [`Deadline`]s and the limit on message sizes before it reaches a service;
//! - [`routes`] holds what every server offers, health and reflection; the services of `indicator.v1` are added to it.

pub mod config;
mod deadline;
mod health;
mod listener;
mod message_limit;
mod preface;
mod reflection;

use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use deadline::Deadline;
pub use listener::{Options, run};

/// What every server offers: health, whose watches end when `stop` is cancelled, and reflection.
pub fn routes(stop: CancellationToken) -> Routes {
    Routes::new(health::service(stop)).add_service(reflection::v1()).add_service(reflection::v1alpha())
}
