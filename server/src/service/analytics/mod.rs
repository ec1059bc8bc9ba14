//! What the record answers beyond the figures themselves.

mod compare;
mod discrepancies;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod milestones;
mod rank;
mod revisions;
mod rollup;
mod selection;
mod stream;

use std::sync::Arc;

use indicator_proto::v1::{self, analytics_service_server::AnalyticsService};
use tonic::{Request, Response, Status};

use super::{
    blocking,
    observation::{Answers, deadline, reach},
};
use crate::{
    engine::{Engine, Error},
    watch::Hub,
};

/// Serves `indicator.v1.AnalyticsService`.
#[derive(Clone)]
pub struct Analytics {
    engine: Arc<Engine>,
    hub: Arc<Hub>,
}

impl Analytics {
    /// Over an engine and those who watch it.
    #[must_use]
    pub fn new(hub: Arc<Hub>) -> Self {
        Self { engine: Arc::clone(hub.engine()), hub }
    }

    /// Computes an answer, when the record has the revision that the request waits for. Reads block on the disk and computing takes
    /// its time: not on an async thread.
    async fn answer<Q: Send + 'static, S: Send + 'static>(
        &self,
        request: Request<Q>,
        min_revision: u64,
        compute: fn(&Engine, Q) -> Result<S, Error>,
    ) -> Result<Response<S>, Status> {
        reach(&self.engine, min_revision, deadline(&request)).await?;
        Ok(Response::new(blocking(&self.engine, move |engine| compute(engine, request.into_inner())).await?))
    }
}

#[tonic::async_trait]
impl AnalyticsService for Analytics {
    type WatchRankStream = Answers<v1::WatchRankResponse>;
    type WatchMilestonesStream = Answers<v1::WatchMilestonesResponse>;

    async fn rank(&self, request: Request<v1::RankRequest>) -> Result<Response<v1::RankResponse>, Status> {
        let min_revision = request.get_ref().min_revision;
        self.answer(request, min_revision, rank::rank).await
    }

    async fn watch_rank(&self, request: Request<v1::WatchRankRequest>) -> Result<Response<Self::WatchRankStream>, Status> {
        stream::rank(&self.hub, request).await
    }

    async fn rollup(&self, request: Request<v1::RollupRequest>) -> Result<Response<v1::RollupResponse>, Status> {
        let min_revision = request.get_ref().min_revision;
        self.answer(request, min_revision, rollup::roll_up).await
    }

    async fn compare(&self, request: Request<v1::CompareRequest>) -> Result<Response<v1::CompareResponse>, Status> {
        let min_revision = request.get_ref().min_revision;
        self.answer(request, min_revision, compare::compare).await
    }

    async fn list_discrepancies(
        &self,
        request: Request<v1::ListDiscrepanciesRequest>,
    ) -> Result<Response<v1::ListDiscrepanciesResponse>, Status> {
        let min_revision = request.get_ref().min_revision;
        self.answer(request, min_revision, discrepancies::list).await
    }

    async fn list_milestones(
        &self,
        request: Request<v1::ListMilestonesRequest>,
    ) -> Result<Response<v1::ListMilestonesResponse>, Status> {
        let min_revision = request.get_ref().min_revision;
        self.answer(request, min_revision, milestones::list).await
    }

    async fn watch_milestones(
        &self,
        request: Request<v1::WatchMilestonesRequest>,
    ) -> Result<Response<Self::WatchMilestonesStream>, Status> {
        stream::milestones(&self.hub, request).await
    }

    async fn get_revision_statistics(
        &self,
        request: Request<v1::GetRevisionStatisticsRequest>,
    ) -> Result<Response<v1::GetRevisionStatisticsResponse>, Status> {
        self.answer(request, 0, revisions::get).await
    }
}
