//! Observations: figures in, figures out, and their history.

mod commits;
mod get;
mod import;
mod query;
mod vintage_dates;
mod vintages;
mod write;

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, future::BoxFuture};
use indicator_proto::v1::{self, observation_service_server::ObservationService};
use prost::Message as _;
use tokio::time::Instant;
use tonic::{Request, Response, Status, Streaming, server::ServerStreamingService};

pub(super) use self::get::named_series;
use super::{blocking, caller};
use crate::{
    engine::{Engine, Error},
    serve::{Deadline, LatestEnd},
};

/// Serves `indicator.v1.ObservationService`.
#[derive(Clone)]
pub struct Observations {
    engine: Arc<Engine>,
    max_changes: usize,
}

impl Observations {
    /// Over an engine, with the most observations in one write.
    #[must_use]
    pub fn new(engine: Arc<Engine>, max_changes: usize) -> Self {
        Self { engine, max_changes }
    }

    /// Answers with all that a series ever was: read from the disk, not on an async thread.
    async fn blocking<Q: Send + 'static, S: Send + 'static>(
        &self,
        request: Request<Q>,
        answer: fn(&Engine, Q) -> Result<S, Error>,
    ) -> Result<Response<S>, Status> {
        Ok(Response::new(blocking(&self.engine, move |engine| answer(engine, request.into_inner())).await?))
    }
}

/// A stream of answers.
pub(super) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A read with `min_revision` and without a deadline waits no longer than this, so that its caller is not held for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The answer that a revision was not reached leaves a tenth of the time before the caller's deadline, but no longer than
/// this, so that it arrives.
const BEFORE_DEADLINE: Duration = Duration::from_millis(200);

/// Waits until the record has a revision, within the caller's deadline.
pub(super) async fn reach(engine: &Engine, revision: u64, deadline: Option<Deadline>) -> Result<(), Error> {
    engine.check_revision(revision)?;
    if engine.head().revision >= revision {
        return Ok(());
    }
    let wait = deadline.map_or(LONGEST_WAIT, |deadline| {
        let left = deadline.0.saturating_duration_since(Instant::now());
        left - (left / 10).min(BEFORE_DEADLINE)
    });
    let reached = tokio::time::timeout(wait, engine.reach(revision)).await;
    reached.map_err(|_| Error::RevisionNotReached { asked: revision, head: engine.head().revision })
}

/// When the caller stops waiting.
pub(super) fn deadline<T>(request: &Request<T>) -> Option<Deadline> {
    request.extensions().get().copied()
}

/// When the caller stops waiting, and when the call ends in any case.
fn times<T>(request: &Request<T>) -> (Option<Deadline>, Option<LatestEnd>) {
    (deadline(request), request.extensions().get().copied())
}

/// Answers `QueryObservations` in bytes.
#[derive(Clone)]
pub(super) struct Queries {
    engine: Arc<Engine>,
}

impl Queries {
    pub(super) const PATH: &str = "/indicator.v1.ObservationService/QueryObservations";

    pub(super) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }
}

impl ServerStreamingService<v1::QueryObservationsRequest> for Queries {
    type Response = Bytes;
    type ResponseStream = Answers<Bytes>;
    type Future = BoxFuture<'static, Result<Response<Answers<Bytes>>, Status>>;

    fn call(&mut self, request: Request<v1::QueryObservationsRequest>) -> Self::Future {
        let engine = Arc::clone(&self.engine);
        Box::pin(async move { Ok(Response::new(query::query(engine, times(&request), request.into_inner()).await?)) })
    }
}

#[tonic::async_trait]
impl ObservationService for Observations {
    type ImportObservationsStream = Answers<v1::ImportObservationsResponse>;
    type QueryObservationsStream = Answers<v1::QueryObservationsResponse>;

    async fn write_observations(
        &self,
        request: Request<v1::WriteObservationsRequest>,
    ) -> Result<Response<v1::WriteObservationsResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(write::write(&self.engine, &caller, request.into_inner(), self.max_changes).await?))
    }

    async fn import_observations(
        &self,
        request: Request<Streaming<v1::ImportObservationsRequest>>,
    ) -> Result<Response<Self::ImportObservationsStream>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(import::import(Arc::clone(&self.engine), caller, self.max_changes, request.into_inner())))
    }

    async fn get_observation(
        &self,
        request: Request<v1::GetObservationRequest>,
    ) -> Result<Response<v1::GetObservationResponse>, Status> {
        Ok(Response::new(get::get(&self.engine, deadline(&request), request.into_inner()).await?))
    }

    async fn query_observations(
        &self,
        request: Request<v1::QueryObservationsRequest>,
    ) -> Result<Response<Self::QueryObservationsStream>, Status> {
        // Calls from outside are answered by `Queries`, with the same bytes undecoded.
        let answer = query::query(Arc::clone(&self.engine), times(&request), request.into_inner()).await?;
        let decode = |bytes: Bytes| v1::QueryObservationsResponse::decode(bytes).map_err(|e| Status::internal(e.to_string()));
        Ok(Response::new(Box::pin(answer.map(move |bytes| decode(bytes?)))))
    }

    async fn list_vintages(
        &self,
        request: Request<v1::ListVintagesRequest>,
    ) -> Result<Response<v1::ListVintagesResponse>, Status> {
        self.blocking(request, vintages::list).await
    }

    async fn list_vintage_dates(
        &self,
        request: Request<v1::ListVintageDatesRequest>,
    ) -> Result<Response<v1::ListVintageDatesResponse>, Status> {
        self.blocking(request, vintage_dates::list).await
    }

    async fn list_commits(&self, request: Request<v1::ListCommitsRequest>) -> Result<Response<v1::ListCommitsResponse>, Status> {
        self.blocking(request, commits::list).await
    }
}
