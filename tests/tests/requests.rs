//! Requests that are repeated, conditional, only validated, or sent at once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{SeriesExpectation, SeriesKey, WriteMode, WriteObservationsRequest};
use indicator_tests::{
    client::merge,
    figures::{key, published, stations, value},
    server::Server,
};
use tonic::Code;

#[tokio::test]
async fn a_repeated_request_gets_its_first_answer_even_after_a_restart() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    let request = WriteObservationsRequest { request_id: "4f6c".into(), ..merge(vec![value(&series, "2020", "5")]) };
    let first = client.write(request.clone()).await;
    assert!(!first.repeated_request);
    client.put(vec![value(&series, "2020", "6")]).await;
    let again = client.write(request.clone()).await;
    assert!(again.repeated_request);
    assert_eq!((again.revision, again.recorded_at, &again.changes), (first.revision, first.recorded_at, &first.changes));
    server.restart().await;
    let client = server.client();
    let again = client.write(request.clone()).await;
    assert_eq!((again.revision, again.recorded_at, &again.changes), (first.revision, first.recorded_at, &first.changes));
    assert_eq!(client.value(&series, "2020").await, "6", "nothing was written twice");

    let other = WriteObservationsRequest { changes: vec![value(&series, "2020", "7")], ..request };
    let refusal = client.try_write(other).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    assert_eq!(client.head().await, 3);
}

#[tokio::test]
async fn a_refused_request_does_not_use_up_its_id() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    let with_id = |changes| WriteObservationsRequest { request_id: "4f6c".into(), ..merge(changes) };
    client.try_write(with_id(vec![value(&series, "2020-Q5", "5")])).await.unwrap_err();
    assert_eq!(client.write(with_id(vec![value(&series, "2020-Q4", "5")])).await.inserted, 1);
}

#[tokio::test]
async fn a_series_that_changed_since_it_was_read_is_not_written() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let (series, other) = (stations(), key("5g-base-stations", "CN-BJ", "bureau"));
    let expect = |series: &SeriesKey, revision| SeriesExpectation { series: Some(series.clone()), revision };
    let write = |figure: &str, expected_revisions| WriteObservationsRequest {
        expected_revisions,
        ..merge(vec![value(&stations(), "2020", figure)])
    };
    let first = client.write(write("1", vec![expect(&series, 0)])).await;
    let refusal = client.try_write(write("2", vec![expect(&series, 0), expect(&other, 5)])).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::Aborted, "SERIES_CHANGED"));
    assert_eq!(refusal.violations.len(), 2, "{refusal:?}");
    assert_eq!(client.head().await, first.revision);
    let second = client.write(write("2", vec![expect(&series, first.revision), expect(&other, 0)])).await;
    assert_eq!(second.revised, 1);
}

#[tokio::test]
async fn of_writers_that_expect_the_same_revision_one_wins() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let writes = (0..20).map(|n| {
        let client = client.clone();
        async move {
            let expected_revisions = vec![SeriesExpectation { series: Some(stations()), revision: 0 }];
            let request =
                WriteObservationsRequest { expected_revisions, ..merge(vec![value(&stations(), "2020", &n.to_string())]) };
            client.try_write(request).await
        }
    });
    let results = futures::future::join_all(writes).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    assert!(results.iter().filter_map(|r| r.as_ref().err()).all(|e| e.what() == (Code::Aborted, "SERIES_CHANGED")));
}

#[tokio::test]
async fn validate_only_says_what_would_change_and_changes_nothing() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    client
        .put(vec![published("2021-01-01", value(&series, "2020", "5")), published("2021-01-01", value(&series, "2021", "1"))])
        .await;
    let changes = vec![published("2022-01-01", value(&series, "2020", "6")), value(&series, "2022", "7")];
    for mode in [WriteMode::Merge, WriteMode::Replace] {
        let request = WriteObservationsRequest {
            validate_only: true,
            request_id: "4f6c".into(),
            mode: mode.into(),
            ..merge(changes.clone())
        };
        let would = client.write(request).await;
        assert_eq!((would.revision, would.recorded_at, would.revised, would.inserted), (2, None, 1, 1));
        assert_eq!(would.deleted, u32::from(mode == WriteMode::Replace));
        assert_eq!(would.changes[0].previous.as_ref().unwrap().value, "5");
    }
    assert_eq!((client.head().await, client.status().await.series), (2, 1));
    assert_eq!(client.value(&series, "2020").await, "5");
    let new = value(&key("output", "CN-SD", "media"), "2020", "1");
    client.write(WriteObservationsRequest { validate_only: true, ..merge(vec![new]) }).await;
    assert_eq!(client.status().await.series, 1, "no series either");
    let done = client.write(WriteObservationsRequest { request_id: "4f6c".into(), ..merge(changes) }).await;
    assert!(!done.repeated_request, "a validation does not use up a request id");
}

#[tokio::test]
async fn a_request_sent_many_times_at_once_is_one_commit() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let request = WriteObservationsRequest { request_id: "4f6c".into(), ..merge(vec![value(&stations(), "2020", "5")]) };
    let answers = futures::future::join_all((0..20).map(|_| client.write(request.clone()))).await;
    assert_eq!(answers.iter().filter(|a| !a.repeated_request).count(), 1);
    assert!(answers.iter().all(|a| a.revision == 2 && a.inserted == 1 && a.changes == answers[0].changes));
    assert_eq!(client.head().await, 2);
}

#[tokio::test]
async fn writes_at_once_get_revisions_of_their_own_and_times_in_their_order() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let writes = (0..200).map(|n| {
        let client = client.clone();
        async move { client.put(vec![value(&stations(), &(1500 + n).to_string(), "1")]).await }
    });
    let mut revisions: Vec<u64> = futures::future::join_all(writes).await.iter().map(|r| r.revision).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (2..=201).collect::<Vec<_>>());
    let commits = client.commits(0).await;
    let time = |c: &indicator_proto::v1::Commit| c.recorded_at.map(|t| (t.seconds, t.nanos));
    assert!(commits.is_sorted_by(|a, b| a.revision < b.revision && time(a) <= time(b)));
}
