//! Rankings and milestones as they change: what is told leads from one answer to the next.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, time::Duration};

use futures::StreamExt as _;
use indicator_client::retry::Policy;
use indicator_proto::v1::{
    Bound, ListMilestonesRequest, Milestone, MilestoneState, ObservationFilter, RankMoveKind, RankMoves, RankRequest, Ranking,
    RegionSelection, WatchMilestonesRequest, WatchMilestonesResponse, WatchOutcome, WatchRankRequest, WatchRankResponse,
    watch_milestones_response, watch_rank_response,
};
use indicator_tests::{
    LONG,
    catalog::{region, source, upsert},
    client::{Client, at_revision, withdraw},
    figures::{bounded, key, value},
    proxy::{Cut, Proxy},
    refusal::Refusal,
    server::Server,
};
use tonic::{Code, Streaming};

const REGIONS: [&str; 5] = ["CN-A", "CN-B", "CN-C", "CN-D", "CN-E"];

fn brief() -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 })
}

async fn with_provinces(server: &Server) -> Client {
    let client = server.client_with_catalog().await;
    client.apply(upsert(REGIONS.map(|id| region(id, "CN", "province", id, id)).into())).await;
    client
}

fn selection() -> Option<RegionSelection> {
    Some(RegionSelection { indicator: "output".into(), level: "province".into(), under: "CN".into(), ..Default::default() })
}

/// Writes of every kind, to the figures that are followed and to others; regions that come and go; sources that change places.
async fn churn(client: &Client, from: u32, rounds: u32) {
    for n in from..from + rounds {
        let series = key("output", REGIONS[n as usize % 5], ["bureau", "media"][n as usize / 5 % 2]);
        let (year, number) = ((2018 + n % 3).to_string(), (n * 7919 % 60).to_string());
        match n % 13 {
            3 => drop(client.put(vec![value(&key("5g-base-stations", "CN-A", "bureau"), &year, &number)]).await),
            5 => drop(client.write(withdraw(&series, &[&year])).await),
            7 => drop(client.put(vec![bounded(&series, &year, Bound::GreaterThan, &number)]).await),
            9 => {
                let parent = ["CN", ""][n as usize / 13 % 2];
                client.apply(upsert(vec![region("CN-E", parent, "province", "E", "E")])).await;
            }
            11 => {
                let (bureau, media) = if n % 2 == 0 { (1, 3) } else { (3, 1) };
                client.apply(upsert(vec![source("bureau", bureau), source("media", media)])).await;
            }
            _ => drop(client.put(vec![value(&series, &year, &number)]).await),
        }
    }
}

type Ranks = BTreeMap<String, (u32, u32)>;

fn ranks(ranking: &Ranking) -> Ranks {
    ranking.rows.iter().map(|row| (row.region.clone(), (row.rank_from, row.rank_to))).collect()
}

/// One who reads the moves.
struct Follower {
    stream: Streaming<WatchRankResponse>,
    ranks: Ranks,
    revision: u64,
    token: String,
    moves: usize,
}

impl Follower {
    async fn open(client: &Client, resume_token: &str, ranks: Ranks) -> Self {
        let request = WatchRankRequest {
            selection: selection(),
            resume_token: resume_token.into(),
            progress_interval: brief(),
            ..WatchRankRequest::default()
        };
        let stream = client.analytics().watch_rank(request).await.unwrap().into_inner();
        Self { stream, ranks, revision: 0, token: String::new(), moves: 0 }
    }

    async fn message(&mut self) -> watch_rank_response::Message {
        let message = tokio::time::timeout(LONG, self.stream.message()).await.expect("in time").unwrap();
        message.expect("the stream goes on").message.unwrap()
    }

    /// Reads until everything up to a revision has come; compares before and after the moves of each commit, and at each progress.
    async fn until(&mut self, client: &Client, revision: u64) {
        use watch_rank_response::Message;
        while self.revision < revision {
            match self.message().await {
                Message::Opened(_) => {}
                Message::Ranking(ranking) => self.ranks = ranks(&ranking),
                Message::Moves(moves) => {
                    assert!(moves.revision > self.revision, "after a progress nothing of before follows");
                    self.moves += moves.moves.len();
                    assert_eq!(self.ranks, asked(client, moves.revision - 1).await, "before {}", moves.revision);
                    apply(&mut self.ranks, &moves);
                    assert_eq!(self.ranks, asked(client, moves.revision).await, "after {}", moves.revision);
                }
                Message::Progress(progress) => {
                    (self.revision, self.token) = (progress.revision, progress.resume_token);
                    assert_eq!(self.ranks, asked(client, self.revision).await, "at {}", self.revision);
                }
                other => panic!("not expected: {other:?}"),
            }
        }
    }
}

/// Makes the moves of a commit, each of which must fit what was told before.
fn apply(ranks: &mut Ranks, moves: &RankMoves) {
    assert!(!moves.moves.is_empty());
    for moved in &moves.moves {
        let row = moved.row.clone().unwrap();
        let before = ranks.get(&row.region).copied();
        let previous = (moved.previous_from, moved.previous_to);
        match moved.kind() {
            RankMoveKind::Entered => assert_eq!((before, previous), (None, (0, 0))),
            _ => assert_eq!(before, Some(previous), "{moved:?}"),
        }
        match moved.kind() {
            RankMoveKind::Left => drop(ranks.remove(&row.region)),
            _ => drop(ranks.insert(row.region, (row.rank_from, row.rank_to))),
        }
    }
    assert_eq!(ranks.len() as u32, moves.ranked);
}

async fn asked(client: &Client, revision: u64) -> Ranks {
    let request = RankRequest { selection: selection(), as_of: at_revision(revision), ..RankRequest::default() };
    ranks(&client.analytics().rank(request).await.unwrap().into_inner().rankings[0])
}

#[tokio::test]
async fn moves_lead_from_one_ranking_to_the_next_and_a_token_goes_on_where_it_was() {
    let mut server = Server::start();
    let client = with_provinces(&server).await;
    churn(&client, 0, 30).await;
    let mut follower = Follower::open(&client, "", Ranks::new()).await;
    follower.until(&client, client.head().await).await;
    let mut n = 30;
    for round in 0..4 {
        churn(&client, n, 40).await;
        n += 40;
        if round % 2 == 1 {
            // Resumed by another reader, who has what the first one had.
            follower = Follower::open(&client, &follower.token, follower.ranks).await;
            let opened = follower.message().await;
            let watch_rank_response::Message::Opened(opened) = opened else { panic!("first comes Opened: {opened:?}") };
            assert_eq!(opened.outcome(), WatchOutcome::Replay);
        }
        follower.until(&client, client.head().await).await;
    }
    assert!(follower.moves > 20, "something happened: {}", follower.moves);
    // And by a server that was started again, which has what happened before only in its log.
    let (token, ranks) = (follower.token, follower.ranks);
    churn(&client, n, 40).await;
    n += 40;
    server.restart().await;
    let client = server.client();
    churn(&client, n, 40).await;
    let mut follower = Follower::open(&client, &token, ranks).await;
    follower.until(&client, client.head().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_gives_each_move_once_across_thirty_cuts() {
    let server = Server::start();
    let direct = with_provinces(&server).await;
    let proxy = Proxy::start(server.address()).await;
    let policy = Policy { base: Duration::from_millis(1), cap: Duration::from_millis(20), ..Policy::default() };
    let through = indicator_client::Client::builder().server(&proxy.address().to_string()).retry(policy).connect_lazy().unwrap();
    let request = WatchRankRequest { selection: selection(), progress_interval: brief(), ..WatchRankRequest::default() };
    let mut stream = through.watch_rank(request);
    let storm = direct.clone();
    let storm = tokio::spawn(async move {
        for round in 0..30 {
            churn(&storm, round * 20, 20).await;
            while proxy.cut(if round % 2 == 0 { Cut::Fin } else { Cut::Rst }) == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        proxy
    });
    let (mut ranks, mut last, mut moved, mut compared) = (Ranks::new(), 0, 0, 0);
    loop {
        let message = tokio::time::timeout(LONG, stream.next()).await.expect("in time").expect("it goes on").unwrap();
        match message.message.unwrap() {
            watch_rank_response::Message::Ranking(ranking) => {
                assert_eq!(compared, 0, "once there is a token, what was cut is gone on with, not begun again");
                (ranks, last) = (self::ranks(&ranking), 0);
            }
            watch_rank_response::Message::Moves(moves) => {
                assert!(moves.revision > last, "{} after {last}", moves.revision);
                (last, moved) = (moves.revision, moved + 1);
                apply(&mut ranks, &moves);
            }
            watch_rank_response::Message::Progress(progress) => {
                assert!(progress.revision >= last);
                compared += 1;
                assert_eq!(ranks, asked(&direct, progress.revision).await, "at {}", progress.revision);
                if storm.is_finished() && progress.revision == direct.head().await {
                    break;
                }
            }
            other => panic!("not for the application: {other:?}"),
        }
    }
    assert!(moved > 50 && compared > 10, "{moved} {compared}");
    assert!(storm.await.unwrap().accepted() > 30, "it was cut and came back so often");
}

#[tokio::test]
async fn a_token_before_the_horizon_gets_a_reset_and_a_whole_ranking() {
    let server = Server::start();
    let client = with_provinces(&server).await;
    churn(&client, 0, 30).await;
    let mut follower = Follower::open(&client, "", Ranks::new()).await;
    follower.until(&client, client.head().await).await;
    churn(&client, 30, 30).await;
    let head = client.head().await;
    client.admin().compact(indicator_proto::v1::CompactRequest { revision: head }).await.unwrap();
    let mut follower = Follower::open(&client, &follower.token, follower.ranks).await;
    use watch_rank_response::Message;
    let (opened, reset, ranking) = (follower.message().await, follower.message().await, follower.message().await);
    let Message::Opened(opened) = opened else { panic!("{opened:?}") };
    assert_eq!((opened.outcome(), opened.revision), (WatchOutcome::Snapshot, head));
    assert!(matches!(reset, Message::Reset(reset) if !reset.reason.is_empty()));
    let Message::Ranking(ranking) = ranking else { panic!("{ranking:?}") };
    assert_eq!(ranks(&ranking), asked(&client, head).await);
}

#[tokio::test]
async fn a_server_that_stops_tells_where_to_go_on() {
    let mut server = Server::start();
    let client = with_provinces(&server).await;
    churn(&client, 0, 20).await;
    let mut follower = Follower::open(&client, "", Ranks::new()).await;
    let head = client.head().await;
    follower.until(&client, head).await;
    let stopping = tokio::spawn(async move {
        server.stop().await;
    });
    loop {
        match follower.message().await {
            watch_rank_response::Message::Closing(closing) => {
                assert!(!closing.resume_token.is_empty() && closing.retry_after.is_some());
                break;
            }
            watch_rank_response::Message::Progress(_) => {}
            other => panic!("not expected: {other:?}"),
        }
    }
    assert!(follower.stream.message().await.unwrap().is_none(), "nothing follows");
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_range_of_periods_and_a_token_of_another_ranking_are_refused() {
    let server = Server::start();
    let client = with_provinces(&server).await;
    churn(&client, 0, 20).await;
    let range = RegionSelection { start_period: "2018".into(), ..selection().unwrap() };
    let request = WatchRankRequest { selection: Some(range), ..WatchRankRequest::default() };
    let refusal = Refusal::from(client.analytics().watch_rank(request).await.unwrap_err());
    assert_eq!(refusal.listed(), [("selection.start_period", "CONFLICTING_FIELDS")]);
    let mut follower = Follower::open(&client, "", Ranks::new()).await;
    follower.until(&client, client.head().await).await;
    let request = WatchRankRequest {
        selection: selection(),
        least_first: true,
        resume_token: follower.token.clone(),
        ..WatchRankRequest::default()
    };
    let refusal = Refusal::from(client.analytics().watch_rank(request).await.unwrap_err());
    assert_eq!(refusal.what(), (Code::InvalidArgument, "RESUME_TOKEN_OTHER_FILTER"));
}

fn filter() -> Option<ObservationFilter> {
    Some(ObservationFilter {
        indicators: vec!["output".into()],
        regions: vec!["CN".into()],
        include_subregions: true,
        ..ObservationFilter::default()
    })
}

/// What a follower of milestones is told: state, and the periods of the first and of the possible crossing.
type Reached = BTreeMap<(String, String), (i32, String, String)>;

fn reached<'m>(milestones: impl IntoIterator<Item = &'m Milestone>) -> Reached {
    let period = |o: &Option<indicator_proto::v1::Observation>| o.as_ref().map(|o| o.period.clone()).unwrap_or_default();
    let name = |m: &Milestone| (m.series.clone().unwrap().region, m.threshold.clone());
    milestones.into_iter().map(|m| (name(m), (m.state, period(&m.first), period(&m.possible)))).collect()
}

async fn milestones(client: &Client, revision: u64) -> Reached {
    let thresholds = ["20", "40"].map(str::to_owned).into();
    let as_of = at_revision(revision);
    let request = ListMilestonesRequest { filter: filter(), thresholds, as_of, ..ListMilestonesRequest::default() };
    reached(&client.analytics().list_milestones(request).await.unwrap().into_inner().milestones)
}

#[tokio::test]
async fn milestones_are_told_as_they_are_reached_and_taken_back() {
    use watch_milestones_response::Message;
    let server = Server::start();
    let client = with_provinces(&server).await;
    churn(&client, 0, 20).await;
    let thresholds = ["20", "40"].map(str::to_owned).into();
    let request =
        WatchMilestonesRequest { filter: filter(), thresholds, progress_interval: brief(), ..WatchMilestonesRequest::default() };
    let mut stream: Streaming<WatchMilestonesResponse> = client.analytics().watch_milestones(request).await.unwrap().into_inner();
    let writer = tokio::spawn({
        let client = client.clone();
        async move { churn(&client, 20, 200).await }
    });
    let (mut known, mut changes, mut taken_back) = (Reached::new(), 0, 0);
    loop {
        let message = tokio::time::timeout(LONG, stream.message()).await.expect("in time").unwrap().unwrap();
        match message.message.unwrap() {
            Message::Opened(_) => {}
            Message::Milestones(all) => known = reached(&all.milestones),
            Message::Changes(change) => {
                changes += 1;
                for (name, now) in reached(&change.milestones) {
                    let before = known.insert(name, now.clone());
                    let proven = MilestoneState::Proven as i32;
                    taken_back += usize::from(before.is_some_and(|before| before.0 == proven && now.0 != proven));
                }
                for name in reached(&change.left).keys() {
                    assert!(known.remove(name).is_some());
                }
            }
            Message::Progress(progress) => {
                assert_eq!(known, milestones(&client, progress.revision).await, "at {}", progress.revision);
                if writer.is_finished() && progress.revision == client.head().await {
                    break;
                }
            }
            other => panic!("not expected: {other:?}"),
        }
    }
    assert!(changes > 10 && taken_back > 0, "{changes} {taken_back}");
}
