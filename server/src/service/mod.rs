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
    status, store,
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
        // It panicked, which the log tells.
        Err(error) if error.is_panic() => Err(store::Error::Io(error.into()).into()),
        Err(_) => Err(Error::ShuttingDown),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use indicator_proto::SeriesKey;
    use tokio::time::timeout;

    use super::*;
    use crate::engine::{Moment, Retention};

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_ends() {
        let directory = tempfile::tempdir().unwrap();
        let clock = || Time::from_micros(1).unwrap();
        let retention = Retention { commits: 1, age: Duration::ZERO };
        let options = engine::Options { write_queue: 1, clock, retention };
        let engine = Arc::new(Engine::open(directory.path(), options).unwrap());
        let (ended, has_ended) = tokio::sync::oneshot::channel();
        let endless = blocking(&engine, move |engine| -> Result<(), Error> {
            let moment = Moment { revision: 0, published_at: None };
            let key = SeriesKey::default();
            loop {
                if let Err(Error::Unwanted) =
                    engine.history(&key, moment).map(drop).or_else(|_| engine.commit(0, false).map(drop))
                {
                    let _ = ended.send(());
                    return Err(Error::Unwanted);
                }
            }
        });
        assert!(timeout(Duration::from_millis(100), endless).await.is_err());
        timeout(Duration::from_secs(20), has_ended).await.expect("it ends").unwrap();
    }
}
