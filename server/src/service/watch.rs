//! Changes as they happen.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, future::BoxFuture};
use indicator_proto::v1::{self, ErrorReason, watch_request};
use prost::Message as _;
use tonic::{Request, Response, Status, server::ServerStreamingService};

use super::{
    filter,
    observation::{deadline, reach},
    ready_frames::ReadyFrames,
};
use crate::{
    engine::{Engine, Error, Sources, Violation},
    watch::{Feed, Hub, Mode, Selection, Start, Subscription},
};

const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);
const LEAST_PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
const MOST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Serves `indicator.v1.WatchService`, whose one method it is.
#[derive(Clone)]
pub(super) struct Watches {
    hub: Arc<Hub>,
}

impl Watches {
    pub(super) const PATH: &str = "/indicator.v1.WatchService/Watch";

    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }
}

impl ServerStreamingService<v1::WatchRequest> for Watches {
    type Response = Bytes;
    type ResponseStream = futures::stream::Empty<Result<Bytes, Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<v1::WatchRequest>) -> Self::Future {
        let hub = Arc::clone(&self.hub);
        Box::pin(async move {
            // From now on: one who waits for a revision of the future is one who watches.
            let subscriber = hub.subscriber();
            let deadline = deadline(&request);
            let engine = hub.engine();
            let subscription = check(engine, request.into_inner())?;
            if let Start::After(revision) = subscription.start {
                // A token of a server that was ahead of this one: wait for its revision.
                reach(engine, revision, deadline).await?;
            }
            let feed = Feed::new(&hub, &subscription, subscriber);
            Ok(ReadyFrames::response(feed.into_stream().map(|frames| frames.map_err(Status::from))))
        })
    }
}

fn check(engine: &Engine, request: v1::WatchRequest) -> Result<Subscription, Error> {
    let mut violations = Vec::new();
    let (identity, fingerprint) = identity(&request);
    let filter = filter::check(request.filter, &mut violations);
    let catalog = engine.catalog();
    violations.extend(filter.check(catalog.at(engine.head().revision)));
    let progress_interval = progress_interval(request.progress_interval.as_ref(), &mut violations);
    let mode = mode(request.mode, &mut violations);
    let min_interval = min_interval(request.min_interval.as_ref(), mode, &mut violations);
    if request.preferred && filter.sources != Sources::Preferred {
        let description = "excludes `filter.sources` and `filter.all_sources`; leave it out to watch the sources each by itself";
        violations.push(Violation::new("preferred", ErrorReason::ConflictingFields, description));
    }
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let selection = Selection {
        filter,
        mode,
        preferred: request.preferred,
        include_previous: request.include_previous,
        include_catalog: request.include_catalog,
        identity,
        fingerprint,
    };
    let start = match request.start {
        None | Some(watch_request::Start::Snapshot(_)) => Start::Snapshot,
        Some(watch_request::Start::Now(_)) => Start::Now,
        Some(watch_request::Start::AfterRevision(revision)) => Start::After(revision),
        Some(watch_request::Start::ResumeToken(token)) => Start::After(selection.open_token(engine, &token)?),
    };
    Ok(Subscription { selection, start, progress_interval, min_interval })
}

/// What makes a selection, in one form, and what a token is bound to: everything but where to start and how often to tell.
pub(super) fn identity(request: &v1::WatchRequest) -> (Arc<[u8]>, u64) {
    let mut fixed = v1::WatchRequest { start: None, progress_interval: None, min_interval: None, ..request.clone() };
    // An absent filter is an empty one, and lists are sets.
    let filter = fixed.filter.get_or_insert_default();
    for list in [&mut filter.indicators, &mut filter.regions, &mut filter.sources] {
        list.sort_unstable();
        list.dedup();
    }
    if fixed.mode() == v1::WatchMode::Unspecified {
        fixed.set_mode(v1::WatchMode::EveryChange);
    }
    (fixed.encode_to_vec().into(), crate::engine::fingerprint(&fixed))
}

pub(super) fn progress_interval(interval: Option<&prost_types::Duration>, violations: &mut Vec<Violation>) -> Duration {
    let Some(interval) = interval else { return PROGRESS_INTERVAL };
    match Duration::try_from(*interval) {
        Ok(interval) if (LEAST_PROGRESS_INTERVAL..=MOST_INTERVAL).contains(&interval) => interval,
        _ => {
            let description = "must be from 100 ms to a day; leave it out for 10 s";
            violations.push(Violation::new("progress_interval", ErrorReason::InvalidTime, description));
            PROGRESS_INTERVAL
        }
    }
}

pub(super) fn min_interval(interval: Option<&prost_types::Duration>, mode: Mode, violations: &mut Vec<Violation>) -> Duration {
    let Some(interval) = interval else { return Duration::ZERO };
    let interval = Duration::try_from(*interval).ok().filter(|interval| *interval <= MOST_INTERVAL);
    if mode == Mode::EveryChange && interval != Some(Duration::ZERO) {
        let description = "goes with WATCH_MODE_LATEST alone, since other modes leave nothing out";
        violations.push(Violation::new("min_interval", ErrorReason::ConflictingFields, description));
    }
    interval.unwrap_or_else(|| {
        let description = "must be from 0 to a day; leave it out for no limit";
        violations.push(Violation::new("min_interval", ErrorReason::InvalidTime, description));
        Duration::ZERO
    })
}

pub(super) fn mode(mode: i32, violations: &mut Vec<Violation>) -> Mode {
    match v1::WatchMode::try_from(mode) {
        Ok(v1::WatchMode::Unspecified | v1::WatchMode::EveryChange) => Mode::EveryChange,
        Ok(v1::WatchMode::Latest) => Mode::Latest,
        Err(_) => {
            violations.push(Violation::new("mode", ErrorReason::InvalidEnum, format!("{mode} is not a WatchMode")));
            Mode::EveryChange
        }
    }
}
