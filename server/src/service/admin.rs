//! How the service is.

use std::sync::Arc;

use indicator_proto::{
    Time,
    v1::{self, EntryKind, admin_service_server::AdminService},
};
use prost_types::Timestamp;
use tokio::task;
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
}

impl Admin {
    /// Over an engine that was started at a time, and its watches.
    #[must_use]
    pub fn new(hub: Arc<Hub>, started_at: Time) -> Self {
        Self { hub, started_at }
    }
}

#[tonic::async_trait]
impl AdminService for Admin {
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
