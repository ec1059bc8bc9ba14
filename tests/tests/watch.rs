//! Watches of every change: the guarantees of the stream. What holds on every stream is checked by [`Transcript`] as it reads.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use indicator_proto::v1::{
    CellChange, ChangeKind, Observation, ObservationFilter, StartNow, WatchRequest, WriteObservationsRequest,
    watch_request::Start,
};
use indicator_tests::{
    catalog::{region, upsert},
    client::{Client, at_revision, merge, replace, withdraw},
    figures::{key, published, stations, value, values},
    server::Server,
    transcript::{Transcript, after, everything, resumed},
};
use tonic::Code;

/// Writes of every kind.
async fn churn(client: &Client, rounds: u32) {
    for n in 0..rounds {
        let series = key("5g-base-stations", ["CN", "CN-SD", "CN-BJ"][n as usize % 3], ["bureau", "media"][n as usize % 2]);
        let year = (2000 + n % 5).to_string();
        let figure = n.to_string();
        match n % 7 {
            3 => client.write(withdraw(&series, &[&year, "1999"])).await,
            4 => client.put(vec![published("2001-01-01", value(&series, &year, &figure))]).await,
            5 => client.write(replace(vec![value(&series, "2003", &figure), value(&series, "2004", &figure)])).await,
            _ => client.put(vec![value(&series, &year, &figure), value(&stations(), "2020-12", &figure)]).await,
        };
    }
}

#[tokio::test]
async fn a_snapshot_and_its_changes_are_the_state_and_the_log() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    churn(&client, 20).await;
    let mut early = Transcript::open(&server.client(), after(0)).await.unwrap();
    let mut middle = Transcript::open(&server.client(), everything()).await.unwrap();
    let writer = tokio::spawn({
        let client = client.clone();
        async move { churn(&client, 100).await }
    });
    let mut late = Vec::new();
    while !writer.is_finished() {
        late.push(Transcript::open(&server.client(), everything()).await.unwrap());
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    let head = client.head().await;
    let (commits, state) = (client.commits(0).await, client.everything(None).await.observations);
    for transcript in [&mut early, &mut middle].into_iter().chain(&mut late) {
        transcript.until(head).await;
        transcript.assert_state(&state);
        transcript.assert_replays(&commits, |_| true);
    }
    assert!(early.events.iter().any(|(_, c)| c.kind() == ChangeKind::Backfilled), "backfilled ones are delivered, and marked");
    assert!(early.events.iter().any(|(_, c)| c.kind() == ChangeKind::Deleted));
}

#[tokio::test]
async fn a_resumed_watch_goes_on_without_a_gap_or_a_repeat_across_restarts() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    let request = everything();
    let mut whole = Transcript::open(&client, request.clone()).await.unwrap();
    whole.until(1).await;
    let (mut token, mut events) = (whole.token(), Vec::new());
    drop(whole);
    for round in 0..4 {
        churn(&server.client(), 15).await;
        if round == 1 {
            server.restart().await;
        } else if round == 2 {
            server.kill();
            server.start_again();
        }
        let client = server.client();
        let mut part = Transcript::open(&client, resumed(&request, &token)).await.unwrap();
        // Stopped somewhere in the middle; what it had not acknowledged by progress comes again.
        let somewhere = part.opened.revision + 7;
        part.until(somewhere).await;
        token = part.token();
        let taken = part.position();
        events.extend(part.events.into_iter().filter(|(revision, _)| *revision <= taken));
    }
    let client = server.client();
    let mut rest = Transcript::open(&client, resumed(&request, &token)).await.unwrap();
    rest.until(client.head().await).await;
    events.extend(rest.events);
    let commits = client.commits(1).await;
    let expected: Vec<_> = commits.iter().flat_map(|c| c.changes.iter().map(|change| (c.revision, change.clone()))).collect();
    indicator_tests::assert_same(&events, &expected, "the parts together");
}

#[tokio::test]
async fn a_subtree_includes_regions_and_series_that_are_created_later() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "1"), value(&key("5g-base-stations", "CN", "bureau"), "2020", "9")]).await;
    let filter = ObservationFilter { regions: vec!["CN-SD".into()], include_subregions: true, ..Default::default() };
    let request = WatchRequest { filter: Some(filter), include_catalog: true, ..everything() };
    let mut watch = Transcript::open(&client, request.clone()).await.unwrap();
    assert_eq!(watch.state.len(), 1);
    client.put(vec![value(&key("output", "CN-SD.3710", "media"), "2020", "2")]).await;
    client.apply(upsert(vec![region("CN-SD.9999", "CN-SD", "prefecture", "New", "新")])).await;
    let new = key("5g-base-stations", "CN-SD.9999", "bureau");
    client.put(vec![value(&new, "2020", "3"), value(&key("5g-base-stations", "CN-BJ", "bureau"), "2020", "4")]).await;
    // Moved out of the subtree: its figures leave, and what follows is no longer of it. Moved back, they enter.
    client.apply(upsert(vec![region("CN-SD.9999", "CN", "prefecture", "New", "新")])).await;
    client.put(vec![value(&new, "2021", "5")]).await;
    client.apply(upsert(vec![region("CN-SD.9999", "CN-SD", "prefecture", "New", "新")])).await;
    let head = client.head().await;
    watch.until(head).await;
    let told = |(revision, change): &(u64, CellChange)| {
        let observation = change.observation.as_ref().unwrap();
        (*revision, change.kind(), observation.value.clone(), observation.revision)
    };
    let told: Vec<_> = watch.events.iter().map(told).collect();
    let expected = [
        (3, ChangeKind::Inserted, "2", 3),
        (5, ChangeKind::Inserted, "3", 5),
        (6, ChangeKind::Left, "", 0),
        (8, ChangeKind::Entered, "3", 5),
        (8, ChangeKind::Entered, "5", 7),
    ];
    assert_eq!(told, expected.map(|(revision, kind, value, recorded)| (revision, kind, value.to_owned(), recorded)));
    assert_eq!(watch.catalog_changes.iter().map(|(revision, _)| *revision).collect::<Vec<_>>(), [4, 6, 8]);

    let mut replayed = Transcript::open(&client, WatchRequest { start: Some(Start::AfterRevision(2)), ..request }).await.unwrap();
    replayed.until(head).await;
    assert_eq!(replayed.events, watch.events, "a replay answers as the live stream did");
    assert_eq!(replayed.catalog_changes, watch.catalog_changes);
}

#[tokio::test]
async fn every_event_matches_the_filter() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let filter = ObservationFilter {
        indicators: vec!["5g-base-stations".into()],
        regions: vec!["CN-SD".into(), "CN".into()],
        sources: vec!["bureau".into()],
        start_period: "2001".into(),
        end_period: "2003".into(),
        ..Default::default()
    };
    let request = WatchRequest { filter: Some(filter), ..after(0) };
    let mut watch = Transcript::open(&client, request).await.unwrap();
    churn(&client, 60).await;
    watch.until(client.head().await).await;
    assert!(!watch.events.is_empty());
    watch.assert_replays(&client.commits(0).await, |o| {
        let series = o.series.as_ref().unwrap();
        ["CN", "CN-SD"].contains(&series.region.as_str())
            && series.source == "bureau"
            && ["2001", "2002", "2003"].contains(&o.period.as_str())
    });
}

#[tokio::test]
async fn a_commit_larger_than_a_message_says_that_more_comes() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let mut live = Transcript::open(&client, everything()).await.unwrap();
    let cells = |value_: &str| (1000..6000).map(|year| value(&stations(), &year.to_string(), value_)).collect::<Vec<_>>();
    client.put(vec![value(&stations(), "0001", "1")]).await;
    for n in ["1", "2"] {
        client.write(WriteObservationsRequest { omit_changes: true, ..merge(cells(n)) }).await;
        client.put(vec![value(&stations(), "0002", n)]).await;
    }
    let head = client.head().await;
    live.until(head).await;
    assert!(live.torn >= 2, "a commit of 5,000 cells comes in parts");
    assert_eq!(live.events.len(), 10_003);
    let mut replayed = Transcript::open(&client, after(1)).await.unwrap();
    replayed.until(head).await;
    indicator_tests::assert_same(&replayed.events, &live.events, "replayed");
    live.assert_state(&client.everything(None).await.observations);
    let snapshot = Transcript::open(&client, everything()).await.unwrap();
    snapshot.assert_state(&client.everything(None).await.observations);
}

#[tokio::test]
async fn a_watch_from_now_has_no_past() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "1")]).await;
    let request = WatchRequest { start: Some(Start::Now(StartNow {})), ..everything() };
    let mut watch = Transcript::open(&client, request.clone()).await.unwrap();
    watch.until(2).await;
    client.put(vec![value(&stations(), "2020", "2")]).await;
    watch.until(3).await;
    assert_eq!(watch.events.len(), 1);
    assert_eq!(watch.events[0].1.previous.as_ref().unwrap().value, "1");
    let bare = WatchRequest { include_previous: false, ..after(2) };
    let mut watch = Transcript::open(&client, bare).await.unwrap();
    watch.until(3).await;
    assert_eq!(watch.events[0].1.previous, None, "previous values only where they were asked for");
    assert!(watch.catalog_changes.is_empty(), "the catalog's too");
}

#[tokio::test]
async fn a_quiet_watch_tells_its_progress() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let filter = ObservationFilter { regions: vec!["CN-BJ".into()], ..Default::default() };
    let mut watch = Transcript::open(&client, WatchRequest { filter: Some(filter), ..everything() }).await.unwrap();
    client.put(vec![value(&stations(), "2020", "1")]).await;
    // Progress moves on although nothing matches, so that the token does not grow old.
    watch.until(2).await;
    assert!(watch.events.is_empty());
    let before = Instant::now();
    for _ in 0..5 {
        watch.step().await.unwrap();
    }
    assert!(before.elapsed() < Duration::from_secs(5), "ten times a second");
    assert!(watch.is_quiet_for(Duration::from_millis(250)).await);
}

#[tokio::test]
async fn a_token_that_is_foreign_or_altered_or_of_another_watch_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let request = everything();
    let mut watch = Transcript::open(&client, request.clone()).await.unwrap();
    watch.until(1).await;
    let token = watch.token();
    let refused = async |client: &Client, request: &WatchRequest, token: &str| {
        Transcript::open(client, resumed(request, token)).await.unwrap_err()
    };
    let mut altered = token.clone().into_bytes();
    let middle = token.len() / 2;
    altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };
    for forged in ["", "x", "nonsense and more", &token[1..], &format!("{token}AAAA"), std::str::from_utf8(&altered).unwrap()] {
        let refusal = refused(&client, &request, forged).await;
        assert!(
            [(Code::InvalidArgument, "INVALID_RESUME_TOKEN"), (Code::FailedPrecondition, "OTHER_EPOCH")]
                .contains(&refusal.what()),
            "{forged:?}: {refusal:?}"
        );
    }
    let filter = ObservationFilter { regions: vec!["CN".into()], ..Default::default() };
    for other in [
        WatchRequest { filter: Some(filter), ..request.clone() },
        WatchRequest { include_previous: false, ..request.clone() },
        WatchRequest { include_catalog: true, ..request.clone() },
    ] {
        let refusal = refused(&client, &other, &token).await;
        assert_eq!(refusal.what(), (Code::InvalidArgument, "RESUME_TOKEN_OTHER_FILTER"));
    }
    let same = WatchRequest { progress_interval: None, mode: 1, filter: None, ..request.clone() };
    Transcript::open(&client, resumed(&same, &token)).await.unwrap();
    let empty = WatchRequest { filter: Some(ObservationFilter::default()), ..request.clone() };
    Transcript::open(&client, resumed(&empty, &token)).await.expect("an empty filter is no filter");

    let elsewhere = Server::start();
    let other = elsewhere.client_with_catalog().await;
    assert_eq!(refused(&other, &request, &token).await.what(), (Code::FailedPrecondition, "OTHER_EPOCH"));
    let page = client.query(indicator_proto::v1::QueryObservationsRequest::default()).await.unwrap().next_page_token;
    assert!(page.is_empty());
}

#[tokio::test]
async fn a_watch_of_what_is_not_there_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let filter = ObservationFilter { regions: vec!["CN-XX".into()], indicators: vec!["6g".into()], ..Default::default() };
    let refusal = client.watch(WatchRequest { filter: Some(filter), ..everything() }).await.unwrap_err();
    assert_eq!((refusal.what(), refusal.violations.len()), ((Code::InvalidArgument, "INVALID_REQUEST"), 2));
    let hasty = prost_types::Duration { seconds: 0, nanos: 1_000_000 };
    let refusal = client.watch(WatchRequest { progress_interval: Some(hasty), ..everything() }).await.unwrap_err();
    assert_eq!(refusal.code, Code::InvalidArgument);
}

#[tokio::test]
async fn a_reader_that_stalls_delays_nobody_and_misses_nothing() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let cells =
        |n: u32| -> Vec<Observation> { (1000..2000).map(|year| value(&stations(), &year.to_string(), &n.to_string())).collect() };
    client.write(merge(cells(0))).await;
    // Each over its own connection, so that its window is its own.
    let mut stalled = Vec::new();
    for _ in 0..3 {
        stalled.push(Transcript::open(&server.client(), after(1)).await.unwrap());
    }
    let mut healthy = Transcript::open(&server.client(), after(1)).await.unwrap();
    for n in 1..=15 {
        let began = Instant::now();
        let revision = client.write(WriteObservationsRequest { omit_changes: true, ..merge(cells(n)) }).await.revision;
        healthy.until(revision).await;
        assert!(began.elapsed() < Duration::from_secs(5), "a stalled reader delayed a commit by {:?}", began.elapsed());
    }
    for transcript in &mut stalled {
        transcript.until(healthy.position()).await;
        assert_eq!(transcript.events.len(), 16 * 1000);
        indicator_tests::assert_same(&transcript.events, &healthy.events, "what the stalled reader got");
    }
}

#[tokio::test]
async fn a_snapshot_shows_one_state_while_writes_go_on() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let cells = |n: u32| merge((1000..9000).map(|year| value(&stations(), &year.to_string(), &n.to_string())).collect());
    client.write(WriteObservationsRequest { omit_changes: true, ..cells(0) }).await;
    let writer = tokio::spawn({
        let client = client.clone();
        async move {
            for n in 1..5 {
                client.write(WriteObservationsRequest { omit_changes: true, ..cells(n) }).await;
            }
        }
    });
    while !writer.is_finished() {
        let watch = Transcript::open(&server.client(), everything()).await.unwrap();
        let told: Vec<Observation> = watch.state.values().cloned().collect();
        assert_eq!(told.len(), 8000);
        let first = &told[0].value;
        assert!(values(&told).iter().all(|(_, value)| value == first), "one state");
        let then = client.everything(at_revision(watch.opened.revision)).await.observations;
        watch.assert_state(&then);
    }
    writer.await.unwrap();
}

#[tokio::test]
async fn a_watch_after_a_revision_of_the_future_waits_for_it() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let opening = tokio::spawn({
        let client = server.client();
        async move { Transcript::open(&client, after(3)).await }
    });
    indicator_tests::eventually("it waits", async || client.status().await.subscribers > 0).await;
    for n in 1..=3 {
        client.put(vec![value(&stations(), "2020", &n.to_string())]).await;
    }
    let mut watch = opening.await.unwrap().unwrap();
    watch.until(4).await;
    let told: Vec<_> = watch.events.iter().map(|(_, c)| c.observation.as_ref().unwrap().value.as_str()).collect();
    assert_eq!(told, ["3"], "what it skips is not sent");
}

#[tokio::test]
async fn a_watcher_that_goes_away_is_forgotten() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let mut watches = Vec::new();
    for _ in 0..10 {
        watches.push(Transcript::open(&server.client(), everything()).await.unwrap());
    }
    assert_eq!(client.status().await.subscribers, 10);
    watches.truncate(3);
    client.put(vec![value(&stations(), "2020", "1")]).await;
    indicator_tests::eventually("seven are gone", async || client.status().await.subscribers == 3).await;
}
