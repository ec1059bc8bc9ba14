//! Imports: batches, each a commit, acknowledged in order.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{
    ImportBatch, ImportObservationsRequest, ImportObservationsResponse, ImportOptions, Observation, SeriesKey,
    SeriesObservations, WriteMode, import_observations_request::Message,
};
use indicator_tests::{
    client::Client,
    figures::{at, key, stations, value},
    refusal::Refusal,
    server::Server,
};
use tonic::Code;

/// Sends messages and gathers the acknowledgements.
async fn send(client: &Client, messages: Vec<Message>) -> Result<Vec<ImportObservationsResponse>, Refusal> {
    let messages: Vec<_> = messages.into_iter().map(|m| ImportObservationsRequest { message: Some(m) }).collect();
    let mut answers = client.observations().import_observations(futures::stream::iter(messages)).await?.into_inner();
    let mut acknowledged = Vec::new();
    while let Some(answer) = answers.message().await? {
        assert_eq!(answer.batch, acknowledged.len() as u64);
        acknowledged.push(answer);
    }
    Ok(acknowledged)
}

async fn import(
    client: &Client,
    options: ImportOptions,
    batches: Vec<ImportBatch>,
) -> Result<Vec<ImportObservationsResponse>, Refusal> {
    let batches = batches.into_iter().map(Message::Batch);
    send(client, [Message::Options(options)].into_iter().chain(batches).collect()).await
}

/// A batch of one series.
fn batch(series: &SeriesKey, cells: &[(&str, &str)]) -> ImportBatch {
    let observations = cells.iter().map(|(p, v)| Observation { series: None, ..value(series, p, v) }).collect();
    ImportBatch { series: vec![SeriesObservations { series: Some(series.clone()), observations }] }
}

#[tokio::test]
async fn an_import_stops_before_a_bad_batch_or_leaves_out_what_is_bad() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let good = batch(&stations(), &[("2019", "1"), ("2020", "2")]);
    let bad = batch(&stations(), &[("2021", "3"), ("2021-Q5", "4"), ("2022", "NaN")]);
    let unknown = batch(&key("6g", "CN-SD", "bureau"), &[("2021", "3")]);
    let refusal = import(&client, ImportOptions::default(), vec![good.clone(), bad.clone()]).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "INVALID_REQUEST"));
    let answer = client.everything(None).await.observations;
    assert_eq!(answer.len(), 2, "the batch before it is written, of the bad one nothing");
    let options = ImportOptions { skip_rejected: true, mode: WriteMode::Merge.into(), ..Default::default() };
    let acknowledged = import(&client, options, vec![good, bad, unknown]).await.unwrap();
    let told: Vec<_> = acknowledged.iter().map(|a| (a.inserted, a.rejects.len())).collect();
    assert_eq!(told, [(0, 0), (1, 2), (0, 1)]);
    let rejects: Vec<_> =
        acknowledged[1].rejects.iter().map(|r| (r.series_index, r.observation_index, r.reason.as_str())).collect();
    assert_eq!(rejects, [(0, Some(1), "INVALID_PERIOD"), (0, Some(2), "INVALID_DECIMAL")]);
    let reject = &acknowledged[2].rejects[0];
    assert_eq!((reject.series_index, reject.observation_index, reject.reason.as_str()), (0, None, "UNKNOWN_INDICATOR"));
}

#[tokio::test]
async fn an_import_sent_again_finishes_the_rest_and_changes_nothing_else() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let batches: Vec<_> = ["2017", "2018", "2019", "2020", "2021"]
        .iter()
        .map(|year| batch(&stations(), &[(year, "1"), (&format!("{year}-Q1"), "2")]))
        .collect();
    let options = ImportOptions { published_at: Some(at("2022-01-01")), ..Default::default() };
    let first = import(&client, options.clone(), batches[..2].to_vec()).await.unwrap();
    assert_eq!(first.iter().map(|a| (a.revision, a.inserted)).collect::<Vec<_>>(), [(2, 2), (3, 2)]);
    let again = import(&client, options.clone(), batches.clone()).await.unwrap();
    let told: Vec<_> = again.iter().map(|a| (a.revision, a.inserted, a.unchanged)).collect();
    assert_eq!(told, [(3, 0, 2), (3, 0, 2), (4, 2, 0), (5, 2, 0), (6, 2, 0)]);
    assert_eq!(client.everything(None).await.observations.len(), 10);
    import(&client, options, batches).await.unwrap();
    assert_eq!(client.head().await, 6);
}

#[tokio::test]
async fn an_import_replaces_and_withdraws_whole_series_and_says_what_it_would_do() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2019", "1"), value(&stations(), "2020", "2")]).await;
    let new = batch(&stations(), &[("2020", "2"), ("2021", "3")]);
    let options = |mode: WriteMode, validate_only| ImportOptions {
        mode: mode.into(),
        validate_only,
        include_changes: true,
        ..Default::default()
    };
    for validate_only in [true, false] {
        let told = import(&client, options(WriteMode::Replace, validate_only), vec![new.clone()]).await.unwrap();
        assert_eq!((told[0].inserted, told[0].deleted, told[0].unchanged, told[0].changes.len()), (1, 1, 1, 2));
        assert_eq!(told[0].revision, if validate_only { 2 } else { 3 });
    }
    let told = import(&client, options(WriteMode::Delete, false), vec![batch(&stations(), &[])]).await.unwrap();
    assert_eq!(told[0].deleted, 2);
    assert!(client.everything(None).await.observations.is_empty());
}

#[tokio::test]
async fn an_import_begins_with_its_options_and_has_each_series_once_in_a_batch() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let good = batch(&stations(), &[("2020", "1")]);
    let refusal = send(&client, vec![Message::Batch(good.clone())]).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "REQUIRED"));
    let options = Message::Options(ImportOptions::default());
    let refusal = send(&client, vec![options.clone(), options]).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "REQUIRED"));
    let twice = ImportBatch { series: [good.series.clone(), good.series].concat() };
    let refusal = import(&client, ImportOptions::default(), vec![twice]).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "DUPLICATE_CELL"));
    assert_eq!(client.head().await, 1);
}
