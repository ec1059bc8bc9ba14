//! How the service is, and backups.

mod backup;

use std::sync::Arc;

use indicator_proto::{
    Time,
    v1::{self, EntryKind, admin_service_server::AdminService},
};
use prost_types::Timestamp;
use tokio::{sync::Semaphore, task};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::wire;
use crate::{
    engine::{Alarm, Error},
    watch::Hub,
};

/// Serves `indicator.v1.AdminService`.
#[derive(Clone)]
pub struct Admin {
    hub: Arc<Hub>,
    started_at: Time,
    whole_reads: Arc<Semaphore>,
}

/// As many read the whole store at once; more wait. What they leave alone are the threads for everybody else.
const WHOLE_READS: usize = 4;

impl Admin {
    /// Over an engine that was started at a time, and its watches.
    #[must_use]
    pub fn new(hub: Arc<Hub>, started_at: Time) -> Self {
        Self { hub, started_at, whole_reads: Arc::new(Semaphore::new(WHOLE_READS)) }
    }
}

#[tonic::async_trait]
impl AdminService for Admin {
    type BackupStream = ReceiverStream<Result<v1::BackupResponse, Status>>;

    async fn backup(&self, request: Request<v1::BackupRequest>) -> Result<Response<Self::BackupStream>, Status> {
        let permit = Arc::clone(&self.whole_reads).acquire_owned().await.map_err(|_| Error::ShuttingDown)?;
        Ok(Response::new(backup::send(&self.hub, request.into_inner(), permit)?))
    }

    async fn verify(&self, _: Request<v1::VerifyRequest>) -> Result<Response<v1::VerifyResponse>, Status> {
        let permit = Arc::clone(&self.whole_reads).acquire_owned().await.map_err(|_| Error::ShuttingDown)?;
        let engine = Arc::clone(self.hub.engine());
        let verified = task::spawn_blocking(move || {
            let _permit = permit;
            engine.verify()
        });
        let (head_revision, found) = verified.await.map_err(|_| Error::ShuttingDown)??;
        if found.problems.count() > 0 {
            tracing::error!(problems = found.problems.count(), first = found.problems.listed()[0], "the store is damaged");
        }
        Ok(Response::new(v1::VerifyResponse {
            head_revision,
            commits: found.contents.commits,
            versions: found.contents.versions,
            entries: found.contents.entries,
            series: found.contents.series,
            states: found.bases,
            problems: found.problems.listed().to_vec(),
            problem_count: found.problems.count(),
        }))
    }

    async fn get_status(&self, _: Request<v1::GetStatusRequest>) -> Result<Response<v1::GetStatusResponse>, Status> {
        let engine = self.hub.engine();
        let head = engine.head();
        let catalog = engine.catalog();
        let view = catalog.at(head.revision);
        let count = |kind| view.count(kind) as u64;
        let limits = engine.disk_limits();
        let alarms = engine.alarms().borrow().iter().map(alarm).collect();
        Ok(Response::new(v1::GetStatusResponse {
            version: env!("CARGO_PKG_VERSION").into(),
            epoch: wire::epoch(engine.epoch()),
            head_revision: head.revision,
            head_recorded_at: head.time.map(Timestamp::from),
            head_hash: head.hash.to_vec(),
            series: u64::from(engine.series_count()),
            regions: count(EntryKind::Region),
            sources: count(EntryKind::Source),
            units: count(EntryKind::Unit),
            dimensions: count(EntryKind::Dimension),
            indicators: count(EntryKind::Indicator),
            store_bytes: engine.size_on_disk()?,
            subscribers: self.hub.subscribers(),
            queued_writes: engine.queued_writes(),
            started_at: Some(self.started_at.into()),
            horizon_revision: engine.horizon()?,
            disk_free_bytes: engine.free_bytes()?,
            min_free_bytes: limits.min_free,
            quota_bytes: limits.quota,
            alarms,
        }))
    }

    async fn compact(&self, request: Request<v1::CompactRequest>) -> Result<Response<v1::CompactResponse>, Status> {
        let v1::CompactRequest { revision } = request.into_inner();
        let engine = Arc::clone(self.hub.engine());
        let revision = if revision == 0 { engine.head().revision } else { revision };
        let compacted = task::spawn_blocking(move || engine.compact(revision)).await;
        let horizon_revision = compacted.map_err(|_| Error::ShuttingDown)??;
        Ok(Response::new(v1::CompactResponse { horizon_revision }))
    }
}

fn alarm(alarm: &Alarm) -> v1::Alarm {
    v1::Alarm { kind: alarm.kind.into(), since: Some(alarm.since.into()), message: alarm.message.clone() }
}
