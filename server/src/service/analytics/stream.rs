//! Analyses as they change: one stream for each subscriber.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use indicator_proto::v1::{self, ErrorReason, watch_milestones_response, watch_rank_response};
use prost_types::Timestamp;
use tonic::{Request, Response, Status};

use super::{
    super::{
        observation::{Answers, deadline, reach},
        watch::progress_interval,
        wire,
    },
    milestones, rank, selection,
};
use crate::{
    engine::{
        Engine, Error, Violation,
        analysis::{FollowedMilestones, Periods, RankMove, RankQuery},
    },
    watch::{self, Following, Hub, Start, Told},
};

/// Of the reset: there is one reason for it.
const REASON: &str = "what was told before lies before the horizon of replays";

pub(super) async fn rank(
    hub: &Arc<Hub>,
    request: Request<v1::WatchRankRequest>,
) -> Result<Response<Answers<v1::WatchRankResponse>>, Status> {
    use watch_rank_response::Message;
    let deadline = deadline(&request);
    let request = request.into_inner();
    let fixed = v1::WatchRankRequest { resume_token: String::new(), progress_interval: None, ..request.clone() };
    let fingerprint = crate::engine::fingerprint(&fixed);
    let engine = Arc::clone(hub.engine());
    let mut violations = Vec::new();
    let catalog = engine.catalog();
    let selection = selection::check(request.selection, catalog.at(engine.head().revision), &mut violations);
    if matches!(selection.periods, Periods::Within { .. }) {
        let description =
            "is a range, and one ranking is watched; name one `period`, or leave it out for the latest of each region";
        violations.push(Violation::new("selection.start_period", ErrorReason::ConflictingFields, description));
    }
    let interval = progress_interval(request.progress_interval.as_ref(), &mut violations);
    let start = start(&engine, fingerprint, &request.resume_token, violations)?;
    let subscriber = hub.subscriber();
    if let Start::After(revision) = start {
        reach(&engine, revision, deadline).await?;
    }
    let query = RankQuery { selection, least_first: request.least_first };
    let following = Following::new(hub, subscriber, query, start, interval);
    let common = Common { engine, fingerprint };
    let message = move |told: Told<RankQuery>| {
        let message = match told {
            Told::Opened { revision, outcome, head } => Message::Opened(common.opened(revision, outcome, head)),
            Told::Reset => Message::Reset(v1::Reset { reason: REASON.into() }),
            Told::Whole(follower) => Message::Ranking(rank::message(follower.answer(), |_| true, false)),
            Told::Change(followed) => Message::Moves(v1::RankMoves {
                revision: followed.revision,
                recorded_at: Some(Timestamp::from(followed.time)),
                moves: followed.change.moves.iter().map(rank_move).collect(),
                ranked: followed.change.ranked,
            }),
            Told::Progress { revision, head } => Message::Progress(common.progress(revision, head)),
            Told::Closing { revision, retry_after } => Message::Closing(common.closing(revision, retry_after)),
        };
        v1::WatchRankResponse { message: Some(message) }
    };
    Ok(Response::new(Box::pin(following.into_stream().map(move |told| told.map(&message).map_err(Status::from)))))
}

fn rank_move(moved: &RankMove) -> v1::RankMove {
    use v1::RankMoveKind as Kind;
    let (kind, row, previous) = match moved {
        RankMove::Entered(row) => (Kind::Entered, rank::row(row, false), (0, 0)),
        RankMove::Moved(row, previous) => (Kind::Moved, rank::row(row, false), *previous),
        RankMove::Left(region, previous) => {
            (Kind::Left, v1::RankRow { region: region.clone(), ..v1::RankRow::default() }, *previous)
        }
    };
    v1::RankMove { kind: kind.into(), row: Some(row), previous_from: previous.0, previous_to: previous.1 }
}

pub(super) async fn milestones(
    hub: &Arc<Hub>,
    request: Request<v1::WatchMilestonesRequest>,
) -> Result<Response<Answers<v1::WatchMilestonesResponse>>, Status> {
    use watch_milestones_response::Message;
    let deadline = deadline(&request);
    let request = request.into_inner();
    let fixed = v1::WatchMilestonesRequest { resume_token: String::new(), progress_interval: None, ..request.clone() };
    let fingerprint = crate::engine::fingerprint(&fixed);
    let engine = Arc::clone(hub.engine());
    let mut violations = Vec::new();
    let query = milestones::check(request.filter, &request.thresholds, request.crossing, &mut violations);
    violations.extend(query.filter.check(engine.catalog().at(engine.head().revision)));
    let interval = progress_interval(request.progress_interval.as_ref(), &mut violations);
    let start = start(&engine, fingerprint, &request.resume_token, violations)?;
    let subscriber = hub.subscriber();
    if let Start::After(revision) = start {
        reach(&engine, revision, deadline).await?;
    }
    let query = FollowedMilestones { query, most: milestones::MOST };
    let following = Following::new(hub, subscriber, query, start, interval);
    let common = Common { engine, fingerprint };
    let message = move |told: Told<FollowedMilestones>| {
        let message = match told {
            Told::Opened { revision, outcome, head } => Message::Opened(common.opened(revision, outcome, head)),
            Told::Reset => Message::Reset(v1::Reset { reason: REASON.into() }),
            Told::Whole(follower) => {
                Message::Milestones(v1::Milestones { milestones: follower.answer().iter().map(milestones::milestone).collect() })
            }
            Told::Change(followed) => Message::Changes(v1::MilestoneChanges {
                revision: followed.revision,
                recorded_at: Some(Timestamp::from(followed.time)),
                milestones: followed.change.changed.iter().map(milestones::milestone).collect(),
                left: followed.change.left.iter().map(milestones::milestone).collect(),
            }),
            Told::Progress { revision, head } => Message::Progress(common.progress(revision, head)),
            Told::Closing { revision, retry_after } => Message::Closing(common.closing(revision, retry_after)),
        };
        v1::WatchMilestonesResponse { message: Some(message) }
    };
    Ok(Response::new(Box::pin(following.into_stream().map(move |told| told.map(&message).map_err(Status::from)))))
}

/// The messages that every stream has.
struct Common {
    engine: Arc<Engine>,
    /// Of the request: what tokens are bound to.
    fingerprint: u64,
}

impl Common {
    fn opened(&self, revision: u64, outcome: v1::WatchOutcome, head_revision: u64) -> v1::WatchOpened {
        v1::WatchOpened { epoch: wire::epoch(self.engine.epoch()), revision, outcome: outcome.into(), head_revision }
    }

    fn token(&self, revision: u64) -> String {
        watch::seal(&self.engine, self.fingerprint, revision)
    }

    fn progress(&self, revision: u64, head_revision: u64) -> v1::Progress {
        v1::Progress { revision, resume_token: self.token(revision), head_revision, digest: None }
    }

    fn closing(&self, revision: u64, retry_after: Duration) -> v1::Closing {
        let retry_after = prost_types::Duration::try_from(retry_after).ok();
        v1::Closing { resume_token: self.token(revision), retry_after }
    }
}

/// Where a stream starts, if nothing is wrong with the request.
fn start(engine: &Engine, fingerprint: u64, resume_token: &str, violations: Vec<Violation>) -> Result<Start, Error> {
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    match resume_token {
        "" => Ok(Start::Snapshot),
        token => Ok(Start::After(watch::open(engine, fingerprint, token)?)),
    }
}
