//! A store that an earlier release wrote opens for ever.
//!
//! Each was written by hand, by the first release that wrote so, and is never written again. `fixtures/store-1`: block format 1, log format
//! 1; a small catalog, twenty editions of four figures (enough for a base block), an interval, a rounded figure with an equivalent, a
//! missing one, and a withdrawal. `fixtures/store-2`: log format 2, where commits have the addresses of their clients; the built-in data
//! set, and one recount.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use indicator_proto::v1::{GetStatusRequest, ListCommitsRequest, ListVintagesRequest, QueryObservationsRequest, SeriesKey};
use indicator_tests::{
    copy,
    server::{Server, run},
};

#[tokio::test]
async fn a_store_of_format_1_opens_and_says_what_it_said() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/store-1"), &data);
    let server = Server::start_in(&data, &[]);
    let client = indicator_client::Client::connect_lazy(&format!("http://{}", server.address())).unwrap();

    let status = client.get_status(GetStatusRequest {}).await.unwrap();
    let hash: String = status.head_hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(status.head_revision, 25);
    assert_eq!(hash, "6a4007cc81e6982851253813df49d866795ab7e72b80e3a89d2bc59e7f55eab2");
    assert_eq!(status.epoch, "7dd138076b7e65f4ccea8d28e5f3c1b6");

    let mut query = client.query_observations(QueryObservationsRequest::default()).await.unwrap();
    let mut figures = Vec::new();
    while let Some(chunk) = query.next_chunk().await.unwrap() {
        figures.extend(chunk.observations);
    }
    let periods: Vec<&str> = figures.iter().map(|f| f.period.as_str()).collect();
    assert_eq!(periods, ["2010", "2012", "2013", "2014", "2015", "2016"]);
    assert_eq!(figures[0].value, "20000");
    assert_eq!(figures[3].interval.as_ref().unwrap().upper, "5");
    assert_eq!(figures[3].original_text, "one to five");
    assert_eq!((figures[4].rounded_to.as_str(), figures[4].equivalents[0].value.as_str()), ("10000", "12"));

    let series =
        SeriesKey { indicator: "stations".into(), region: "CN-SD".into(), source: "media".into(), ..SeriesKey::default() };
    let all = ListVintagesRequest { series: Some(series), ..ListVintagesRequest::default() };
    let vintages = client.list_vintages(all).await.unwrap().vintages;
    assert_eq!(vintages.len(), 24);
    assert_eq!(vintages.iter().filter(|v| v.current).count(), 7);
}

#[tokio::test]
async fn a_store_with_the_addresses_of_clients_opens_and_says_what_it_said() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/store-2"), &data);
    let mut server = Server::start_in(&data, &[]);
    let client = indicator_client::Client::connect_lazy(&format!("http://{}", server.address())).unwrap();
    let status = client.get_status(GetStatusRequest {}).await.unwrap();
    let hash: String = status.head_hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(status.head_revision, 3);
    assert_eq!(hash, "3a359c9f0b11b3872dd41d9aeee61df0006f109ab880ee8dd9b3bfd6a676c644");
    let commits = client.list_commits(ListCommitsRequest::default()).await.unwrap().commits;
    let told: Vec<_> = commits
        .iter()
        .map(|commit| (commit.context.as_ref().unwrap().actor.as_str(), commit.client_address.as_str(), commit.cells))
        .collect();
    assert_eq!(told, [("Gu", "127.0.0.1", 0), ("Gu", "127.0.0.1", 10), ("Zhou", "127.0.0.1", 1)]);
    server.stop().await;
    let verified = run(&["verify", "--data", data.to_str().unwrap()]);
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
}
