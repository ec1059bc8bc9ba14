//! The client's view and its positions, against the real server: what it shows is what a query answers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use indicator_client::{Client, View, WatchEvent, WatchState};
use indicator_proto::v1::{
    Observation, ObservationFilter, QueryObservationsRequest, StartNow, WatchMode, WatchRequest, watch_request::Start,
};
use indicator_tests::{
    catalog::{region, source, upsert},
    client::{Client as Writer, replace, withdraw},
    figures::{content, key, published, value},
    server::Server,
};

type State = BTreeMap<(String, String), Observation>;

fn client(server: &Server) -> Client {
    Client::connect_lazy(&format!("http://{}", server.address())).unwrap()
}

fn subtree() -> ObservationFilter {
    ObservationFilter { regions: vec!["CN-SD".into()], include_subregions: true, ..ObservationFilter::default() }
}

fn everything() -> ObservationFilter {
    ObservationFilter { all_sources: true, ..ObservationFilter::default() }
}

fn name(observation: &Observation) -> (String, String) {
    let series = observation.series.clone().unwrap();
    (format!("{} {} {}", series.indicator, series.region, series.source), observation.period.clone())
}

fn shown(view: &View) -> State {
    let figures = view.figures().unwrap();
    let state: State = figures.iter().map(|(.., figure)| (name(figure), content(figure))).collect();
    assert_eq!(state.len(), figures.len());
    state
}

async fn asked(writer: &Writer, filter: ObservationFilter) -> State {
    let request = QueryObservationsRequest { filter: Some(filter), ..QueryObservationsRequest::default() };
    writer.query(request).await.unwrap().observations.iter().map(|it| (name(it), content(it))).collect()
}

/// Writes of every kind, moves of a region in and out of its province, and sources that change places.
async fn churn(writer: &Writer, from: u32, rounds: u32) {
    for n in from..from + rounds {
        let series = key("5g-base-stations", ["CN", "CN-SD", "CN-SD.3710"][n as usize % 3], ["bureau", "media"][n as usize % 2]);
        let (year, figure) = ((2000 + n % 5).to_string(), n.to_string());
        match n % 9 {
            2 => {
                let parent = ["CN", "CN-SD"][(n as usize / 9) % 2];
                writer.apply(upsert(vec![region("CN-SD.3710", parent, "prefecture", "Weihai", "威海")])).await;
            }
            5 => {
                let (bureau, media) = if n % 2 == 0 { (1, 3) } else { (3, 1) };
                writer.apply(upsert(vec![source("bureau", bureau), source("media", media)])).await;
            }
            3 => drop(writer.write(withdraw(&series, &[&year, "1999"])).await),
            4 => drop(writer.put(vec![published("2001-01-01", value(&series, &year, &figure))]).await),
            6 => drop(writer.write(replace(vec![value(&series, "2003", &figure), value(&series, "2004", &figure)])).await),
            _ => drop(writer.put(vec![value(&series, &year, &figure)]).await),
        }
    }
}

#[tokio::test]
async fn a_view_shows_what_a_query_answers_and_its_callback_tells_how_it_came_to_that() {
    let server = Server::start();
    let writer = server.client_with_catalog().await;
    churn(&writer, 0, 20).await;
    let told: Arc<Mutex<State>> = Arc::default();
    let tell = told.clone();
    let views = [
        client(&server).view(everything()).on_change(move |change| {
            let mut told = tell.lock().unwrap();
            let old = change.old.as_ref().and_then(|old| told.remove(&name(old)));
            assert_eq!(old, change.old.as_deref().map(content), "the figure before is the one that was told before");
            told.extend(change.new.as_deref().map(|new| (name(new), content(new))));
        }),
        client(&server).view(subtree()),
        client(&server).view(ObservationFilter::default()).preferred(),
        client(&server).view(subtree()).preferred(),
    ]
    .map(|builder| builder.open());
    for view in &views {
        view.ready().await.unwrap();
    }
    for round in 0..8 {
        churn(&writer, 20 + 30 * round, 30).await;
        let head = writer.head().await;
        for view in &views {
            view.reached(head).await.unwrap();
        }
        let (all, preferred) = (ObservationFilter { all_sources: true, ..subtree() }, ObservationFilter::default());
        assert_eq!(shown(&views[0]), asked(&writer, everything()).await);
        assert_eq!(shown(&views[1]), asked(&writer, all).await);
        assert_eq!(shown(&views[2]), asked(&writer, preferred).await);
        assert_eq!(shown(&views[3]), asked(&writer, subtree()).await);
        assert!(views.iter().all(|view| view.state() == WatchState::Live), "{views:?}");
    }
    assert_eq!(*told.lock().unwrap(), shown(&views[0]));
}

#[tokio::test]
async fn the_client_finds_the_digest_of_every_kind_of_selection_right() {
    let server = Server::start();
    let writer = server.client_with_catalog().await;
    churn(&writer, 0, 20).await;
    for (filter, preferred) in
        [(everything(), false), (subtree(), false), (ObservationFilter::default(), true), (subtree(), true)]
    {
        let request = WatchRequest {
            filter: Some(filter.clone()),
            mode: WatchMode::Latest.into(),
            preferred,
            progress_interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
            ..WatchRequest::default()
        };
        let mut watch = client(&server).watch(request);
        let (mut compared, mut target) = (0, 0);
        while compared < 5 {
            match watch.next().await.unwrap().unwrap() {
                WatchEvent::Progress { revision, digest: Some(_), .. } if revision >= target => {
                    compared += 1;
                    churn(&writer, 20 + 30 * compared, 30).await;
                    target = writer.head().await;
                }
                WatchEvent::Diverged { revision, .. } => panic!("{filter:?}, preferred {preferred}, at {revision}"),
                WatchEvent::Reset { reason } => panic!("nothing was lost: {reason}"),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_watch_goes_on_from_the_position_of_another_one_without_a_gap_or_a_repeat() {
    let server = Server::start();
    let writer = server.client_with_catalog().await;
    let request = || WatchRequest { start: Some(Start::Now(StartNow {})), ..WatchRequest::default() };
    let (mut position, mut seen, mut n) = (None::<String>, Vec::new(), 0);
    for _ in 0..6 {
        let client = client(&server);
        let mut watch = match position.take() {
            Some(json) => client.watch_from(request(), serde_json::from_str(&json).unwrap()),
            None => client.watch(request()),
        };
        if seen.is_empty() {
            // From now on.
            watch.next().await.unwrap().unwrap();
        }
        churn(&writer, n, 13).await;
        n += 13;
        // Stopped somewhere in the middle.
        let until = writer.head().await - 3;
        while watch.position().is_none_or(|at| at.revision < until) {
            match watch.next().await.unwrap().unwrap() {
                WatchEvent::Commit(commit) => seen.extend(commit.changes.into_iter().map(|change| (commit.revision, change))),
                WatchEvent::Reset { reason } => panic!("nothing was lost: {reason}"),
                _ => {}
            }
        }
        position = Some(serde_json::to_string(&watch.position()).unwrap());
    }
    let last = seen.last().unwrap().0;
    let commits = writer.commits(1).await;
    let all = commits.iter().flat_map(|c| c.changes.iter().map(|change| (c.revision, change.clone())));
    let expected: Vec<_> = all.filter(|(revision, _)| *revision <= last).collect();
    let bare = |(revision, change): &(u64, indicator_proto::v1::CellChange)| {
        (*revision, change.kind(), content(change.observation.as_ref().unwrap()))
    };
    assert_eq!(seen.iter().map(bare).collect::<Vec<_>>(), expected.iter().map(bare).collect::<Vec<_>>());
}
