//! Observations: figures in, figures out, and their history.

mod commits;
mod get;
mod import;
mod query;
mod vintages;
mod write;

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::Stream;
use indicator_proto::v1::{self, observation_service_server::ObservationService};
use tonic::{Request, Response, Status, Streaming};

use crate::engine::{Engine, Error};

/// Serves `indicator.v1.ObservationService`.
#[derive(Clone)]
pub struct Observations {
    engine: Arc<Engine>,
}

impl Observations {
    /// Over an engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }
}

/// A stream of answers.
pub(super) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A read with `min_revision` waits no longer than this, so that a caller without a deadline is not held for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Waits until the record has a revision.
pub(super) async fn reach(engine: &Engine, revision: u64) -> Result<(), Error> {
    if engine.head().revision >= revision {
        return Ok(());
    }
    let reached = tokio::time::timeout(LONGEST_WAIT, engine.reach(revision)).await;
    reached.map_err(|_| Error::RevisionNotReached { asked: revision, head: engine.head().revision })
}

#[tonic::async_trait]
impl ObservationService for Observations {
    type ImportObservationsStream = Answers<v1::ImportObservationsResponse>;
    type QueryObservationsStream = Answers<v1::QueryObservationsResponse>;

    async fn write_observations(
        &self,
        request: Request<v1::WriteObservationsRequest>,
    ) -> Result<Response<v1::WriteObservationsResponse>, Status> {
        Ok(Response::new(write::write(&self.engine, request.into_inner()).await?))
    }

    async fn import_observations(
        &self,
        request: Request<Streaming<v1::ImportObservationsRequest>>,
    ) -> Result<Response<Self::ImportObservationsStream>, Status> {
        Ok(Response::new(import::import(Arc::clone(&self.engine), request.into_inner())))
    }

    async fn get_observation(
        &self,
        request: Request<v1::GetObservationRequest>,
    ) -> Result<Response<v1::GetObservationResponse>, Status> {
        Ok(Response::new(get::get(&self.engine, request.into_inner()).await?))
    }

    async fn query_observations(
        &self,
        request: Request<v1::QueryObservationsRequest>,
    ) -> Result<Response<Self::QueryObservationsStream>, Status> {
        Ok(Response::new(query::query(Arc::clone(&self.engine), request.into_inner()).await?))
    }

    async fn list_vintages(
        &self,
        request: Request<v1::ListVintagesRequest>,
    ) -> Result<Response<v1::ListVintagesResponse>, Status> {
        Ok(Response::new(vintages::list(&self.engine, request.into_inner())?))
    }

    async fn list_commits(&self, request: Request<v1::ListCommitsRequest>) -> Result<Response<v1::ListCommitsResponse>, Status> {
        Ok(Response::new(commits::list(&self.engine, request.into_inner())?))
    }
}
