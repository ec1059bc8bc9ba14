use std::pin::Pin;

use futures::{Stream, StreamExt as _, stream};
use indicator_proto::v1;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{self, HealthServer},
};

use crate::status;

/// The services that have a health; the empty name is the server as a whole.
const SERVICES: [&str; 6] = [
    "",
    v1::admin_service_server::SERVICE_NAME,
    v1::analytics_service_server::SERVICE_NAME,
    v1::catalog_service_server::SERVICE_NAME,
    v1::observation_service_server::SERVICE_NAME,
    v1::watch_service_server::SERVICE_NAME,
];

/// `grpc.health.v1.Health`: everything serves until `stop` is cancelled, then nothing does.
pub(super) fn service(stop: CancellationToken) -> HealthServer<impl health_server::Health> {
    HealthServer::new(Health { stop }).max_decoding_message_size(usize::MAX)
}

/// The library's own service answers NOT_FOUND to the watch of an unknown service, where the protocol asks for a stream.
#[derive(Debug)]
struct Health {
    stop: CancellationToken,
}

#[tonic::async_trait]
impl health_server::Health for Health {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let HealthCheckRequest { service } = request.into_inner();
        if !SERVICES.contains(&service.as_str()) {
            return Err(Status::not_found("there is no service of that name here"));
        }
        let stopping = self.stop.is_cancelled();
        Ok(Response::new(response(if stopping { ServingStatus::NotServing } else { ServingStatus::Serving })))
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let HealthCheckRequest { service } = request.into_inner();
        let (now, at_stop) = if SERVICES.contains(&service.as_str()) {
            (ServingStatus::Serving, Some(ServingStatus::NotServing))
        } else {
            (ServingStatus::ServiceUnknown, None)
        };
        let stop = self.stop.clone().cancelled_owned();
        // The last word is an error: it says why the stream ends, and when to come back.
        let ending = at_stop.map(|status| Ok(response(status))).into_iter().chain([Err(status::shutting_down())]);
        let changes = stream::once(stop).flat_map(move |()| stream::iter(ending.clone()));
        Ok(Response::new(Box::pin(stream::once(async move { Ok(response(now)) }).chain(changes))))
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}
