use std::{collections::BTreeMap, pin::Pin};

use futures::{Stream, stream};
use indicator_proto::{
    health::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
        health_check_response::ServingStatus,
        health_server::{self, HealthServer},
    },
    v1,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::readiness::Standing;
use crate::status;

/// What has a health: the server as a whole, which has the empty name, and each of its services.
const SERVICES: [&str; 6] = [
    "",
    v1::admin_service_server::SERVICE_NAME,
    v1::analytics_service_server::SERVICE_NAME,
    v1::catalog_service_server::SERVICE_NAME,
    v1::observation_service_server::SERVICE_NAME,
    v1::watch_service_server::SERVICE_NAME,
];

/// What else has: not serving while an alarm stops writes. The services serve on, since reads do.
const WRITES: &str = "writes";

/// `grpc.health.v1.Health`. Watches end when `stop` is cancelled.
pub(super) fn service(standing: Standing, stop: CancellationToken) -> HealthServer<impl health_server::Health> {
    HealthServer::new(Health { standing, stop }).max_decoding_message_size(usize::MAX)
}

#[derive(Debug)]
struct Health {
    standing: Standing,
    stop: CancellationToken,
}

#[tonic::async_trait]
impl health_server::Health for Health {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        match status_of(&request.get_ref().service, &self.standing) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("there is no service of that name here")),
            status => Ok(Response::new(response(status))),
        }
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        let health = |name: &str| (name.to_owned(), response(status_of(name, &self.standing)));
        let statuses: BTreeMap<_, _> = SERVICES.into_iter().chain([WRITES]).map(health).collect();
        Ok(Response::new(HealthListResponse { statuses }))
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let watch = Watch { service: request.into_inner().service, standing: self.standing.clone(), stop: self.stop.clone() };
        let statuses = stream::unfold(Some((watch, None)), |state| async {
            let (mut watch, told) = state?;
            Some(match watch.next(told).await {
                // The last word is an error: it says why the stream ends, and when to come back.
                None => (Err(status::shutting_down()), None),
                Some(status) => (Ok(response(status)), Some((watch, Some(status)))),
            })
        });
        Ok(Response::new(Box::pin(statuses)))
    }
}

struct Watch {
    service: String,
    standing: Standing,
    stop: CancellationToken,
}

impl Watch {
    /// The next status that is not the one `told` last; none when the server stops, of which the client has been told then.
    async fn next(&mut self, told: Option<ServingStatus>) -> Option<ServingStatus> {
        loop {
            let status = status_of(&self.service, &self.standing);
            if told != Some(status) {
                return Some(status);
            }
            tokio::select! {
                biased;
                () = self.standing.changed() => {}
                () = self.stop.cancelled() => return None,
            }
        }
    }
}

fn status_of(service: &str, standing: &Standing) -> ServingStatus {
    let serving = match service {
        WRITES => standing.takes_writes(),
        service if SERVICES.contains(&service) => standing.serves(),
        _ => return ServingStatus::ServiceUnknown,
    };
    if serving { ServingStatus::Serving } else { ServingStatus::NotServing }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}
