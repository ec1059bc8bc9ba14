//! One file an RPC: convert, call, reply.

pub mod admin;
pub mod analytics;
pub mod catalog;
mod computed;
pub(crate) mod encoded;
pub(crate) mod encoder;
mod filter;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gate;
mod moment;
pub mod observation;
mod page;
mod ready_frames;
mod transform;
mod watch;
pub(crate) mod wire;

use std::sync::Arc;

use indicator_proto::{
    Time,
    v1::{
        admin_service_server::AdminServiceServer, analytics_service_server::AnalyticsServiceServer,
        catalog_service_server::CatalogServiceServer, observation_service_server::ObservationServiceServer,
    },
};
use tokio::task;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status, service::Routes};

use crate::{
    access::Caller,
    engine::{self, Engine, Error},
    status,
    watch::Hub,
};

/// Who makes a request.
fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    request.extensions().get().cloned().ok_or_else(status::unannounced)
}

/// Reads from the disk or computes, off the async threads. Stops when nobody waits for it any more.
pub(crate) async fn blocking<T: Send + 'static>(
    engine: &Arc<Engine>,
    work: impl FnOnce(&Engine) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let engine = Arc::clone(engine);
    let unwanted = CancellationToken::new();
    let _wanted = unwanted.clone().drop_guard();
    let work = task::spawn_blocking(move || engine::while_wanted(unwanted, || work(&engine)));
    match work.await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            // Each call is a task of its own: it ends alone.
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::ShuttingDown),
        },
    }
}

/// Adds the services of `indicator.v1` to the routes, over the engine that the hub follows. `max_changes` is the most observations in one
/// write.
#[must_use]
pub fn add(routes: Routes, hub: &Arc<Hub>, max_changes: usize, started_at: Time) -> Routes {
    // The size of messages is limited before they come here, with the right status.
    let engine = hub.engine();
    let queries = observation::Queries::new(Arc::clone(engine));
    let routes = encoded::route(routes, observation::Queries::PATH, queries);
    encoded::route(routes, watch::Watches::PATH, watch::Watches::new(Arc::clone(hub)))
        .add_service(
            CatalogServiceServer::new(catalog::CatalogApi::new(Arc::clone(engine))).max_decoding_message_size(usize::MAX),
        )
        .add_service(
            ObservationServiceServer::new(observation::Observations::new(Arc::clone(engine), max_changes))
                .max_decoding_message_size(usize::MAX),
        )
        .add_service(
            AnalyticsServiceServer::new(analytics::Analytics::new(Arc::clone(hub))).max_decoding_message_size(usize::MAX),
        )
        .add_service(
            AdminServiceServer::new(admin::Admin::new(Arc::clone(hub), started_at)).max_decoding_message_size(usize::MAX),
        )
}
