//! Changes as they happen.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use indicator_proto::v1::{self, ErrorReason, watch_request, watch_service_server::WatchService};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{
    filter,
    observation::{Answers, deadline, reach},
};
use crate::{
    engine::{Engine, Error, Violation},
    watch::{Feed, Start, Subscription, open_token},
};

const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);
const LEAST_PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Serves `indicator.v1.WatchService`.
#[derive(Clone)]
pub struct Watches {
    engine: Arc<Engine>,
    stopping: CancellationToken,
}

impl Watches {
    /// Over an engine; cancelling `stopping` ends every stream.
    #[must_use]
    pub fn new(engine: Arc<Engine>, stopping: CancellationToken) -> Self {
        Self { engine, stopping }
    }
}

#[tonic::async_trait]
impl WatchService for Watches {
    type WatchStream = Answers<v1::WatchResponse>;

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let deadline = deadline(&request);
        let subscription = check(&self.engine, request.into_inner())?;
        if let Start::After(revision) = subscription.start {
            // A token of a server that was ahead of this one: wait for its revision.
            reach(&self.engine, revision, deadline).await?;
        }
        let feed = Feed::new(Arc::clone(&self.engine), subscription, self.stopping.clone());
        Ok(Response::new(Box::pin(feed.into_stream().map(|message| message.map_err(Status::from)))))
    }
}

fn check(engine: &Engine, request: v1::WatchRequest) -> Result<Subscription, Error> {
    let fingerprint = fingerprint(&request);
    let mut violations = Vec::new();
    let filter = filter::check(request.filter, &mut violations);
    let catalog = engine.catalog();
    violations.extend(filter.check(catalog.at(engine.head().revision)));
    let progress_interval = progress_interval(request.progress_interval.as_ref(), &mut violations);
    check_mode(request.mode, &mut violations);
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let start = match request.start {
        None | Some(watch_request::Start::Snapshot(_)) => Start::Snapshot,
        Some(watch_request::Start::Now(_)) => Start::Now,
        Some(watch_request::Start::AfterRevision(revision)) => Start::After(revision),
        Some(watch_request::Start::ResumeToken(token)) => Start::After(open_token(engine, &token, fingerprint)?),
    };
    let (include_previous, include_catalog) = (request.include_previous, request.include_catalog);
    Ok(Subscription { filter, start, progress_interval, include_previous, include_catalog, fingerprint })
}

/// What a token is bound to: everything but where to start and how often to tell.
fn fingerprint(request: &v1::WatchRequest) -> u64 {
    let mut fixed = v1::WatchRequest { start: None, progress_interval: None, min_interval: None, ..request.clone() };
    // An absent filter is an empty one.
    fixed.filter.get_or_insert_default();
    if fixed.mode() == v1::WatchMode::Unspecified {
        fixed.set_mode(v1::WatchMode::EveryChange);
    }
    crate::engine::fingerprint(&fixed)
}

fn progress_interval(interval: Option<&prost_types::Duration>, violations: &mut Vec<Violation>) -> Duration {
    let Some(interval) = interval else { return PROGRESS_INTERVAL };
    match Duration::try_from(*interval) {
        Ok(interval) if interval >= LEAST_PROGRESS_INTERVAL => interval,
        _ => {
            let description = "is below 100 ms; leave it out for 10 s";
            violations.push(Violation::new("progress_interval", ErrorReason::InvalidTime, description));
            PROGRESS_INTERVAL
        }
    }
}

fn check_mode(mode: i32, violations: &mut Vec<Violation>) {
    match v1::WatchMode::try_from(mode) {
        Ok(v1::WatchMode::Unspecified | v1::WatchMode::EveryChange) => {}
        Ok(v1::WatchMode::Latest) => {
            let description = "this version serves WATCH_MODE_EVERY_CHANGE only";
            violations.push(Violation::new("mode", ErrorReason::InvalidEnum, description));
        }
        Err(_) => violations.push(Violation::new("mode", ErrorReason::InvalidEnum, format!("{mode} is not a WatchMode"))),
    }
}
