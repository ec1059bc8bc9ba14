//! One file an RPC: convert, call, reply.

pub mod admin;
pub mod catalog;
mod encoded;
mod filter;
mod gate;
mod moment;
pub mod observation;
mod page;
mod rows;
pub mod watch;
pub(crate) mod wire;

use std::sync::Arc;

use indicator_proto::{
    Time,
    v1::{
        admin_service_server::AdminServiceServer, catalog_service_server::CatalogServiceServer,
        observation_service_server::ObservationServiceServer, watch_service_server::WatchServiceServer,
    },
};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::engine::Engine;

/// Adds the services of `indicator.v1` to the routes. `stop` ends the streams that would not end by themselves.
#[must_use]
pub fn add(routes: Routes, engine: &Arc<Engine>, started_at: Time, stop: &CancellationToken) -> Routes {
    // The size of messages is limited before they come here, with the right status.
    let queries = observation::Queries::new(Arc::clone(engine));
    encoded::route(routes, observation::Queries::PATH, queries)
        .add_service(
            CatalogServiceServer::new(catalog::CatalogApi::new(Arc::clone(engine))).max_decoding_message_size(usize::MAX),
        )
        .add_service(
            ObservationServiceServer::new(observation::Observations::new(Arc::clone(engine)))
                .max_decoding_message_size(usize::MAX),
        )
        .add_service(
            WatchServiceServer::new(watch::Watches::new(Arc::clone(engine), stop.clone())).max_decoding_message_size(usize::MAX),
        )
        .add_service(
            AdminServiceServer::new(admin::Admin::new(Arc::clone(engine), started_at)).max_decoding_message_size(usize::MAX),
        )
}
