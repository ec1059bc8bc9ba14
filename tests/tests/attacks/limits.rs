//! Each limit on calls, met by somebody who asks for more.

use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use indicator_proto::v1::{
    GetObservationRequest, ImportBatch, ImportObservationsRequest, ImportOptions, SeriesObservations, WatchMilestonesRequest,
    WatchRankRequest, WatchRequest, import_observations_request::Message,
};
use indicator_tests::{
    LONG,
    client::{Client, merge},
    eventually,
    figures::{stations, value},
    refusal::Refusal,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status};

use crate::bystander::{Attacked, BytesCodec, ELSEWHERE, health};

const GET: &str = "/indicator.v1.ObservationService/GetObservation";

/// Opens a call that sends nothing, and keeps it open.
async fn silent(client: &Client, path: &'static str) -> tokio::task::JoinHandle<Result<(), Status>> {
    let mut grpc = tonic::client::Grpc::new(client.channel());
    grpc.ready().await.unwrap();
    tokio::spawn(async move {
        let request = tonic::Request::new(stream::pending::<Bytes>());
        let answers = grpc.streaming(request, path.parse().unwrap(), BytesCodec).await?;
        let mut answers = answers.into_inner();
        while answers.message().await?.is_some() {}
        Ok(())
    })
}

#[tokio::test]
async fn more_calls_than_may_be_are_refused_with_a_time_to_retry_and_health_is_answered() {
    let attacked = Attacked::start(&["--max-requests", "4"]).await;
    let client = attacked.client();
    let mut held = Vec::new();
    for _ in 0..2 {
        // Answered when it begins, and under way until its client ends it.
        let (says_nothing, nothing) = mpsc::channel::<ImportObservationsRequest>(1);
        let answers = client.observations().import_observations(ReceiverStream::new(nothing)).await.unwrap();
        held.push((says_nothing, answers));
    }
    let refusal = async || client.get(&stations(), "2020").await.err();
    for _ in 0..1100 {
        // More than a thousand on one connection, which goes on.
        let refusal = refusal().await.unwrap();
        assert_eq!(refusal.what(), (Code::ResourceExhausted, "TOO_MANY_REQUESTS"));
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(1)));
    }
    assert_eq!(health(&client).await.unwrap(), 1);
    drop(held);
    eventually("there is room again", async || refusal().await.is_none()).await;
    drop(client);
    attacked.survived().await;
}

#[tokio::test]
async fn more_watches_than_may_be_are_refused_whatever_they_watch() {
    let attacked = Attacked::start(&["--max-subscribers", "4", "--max-requests", "6"]).await;
    let client = attacked.client();
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut watch = client.watch(WatchRequest::default()).await.unwrap();
        watch.message().await.unwrap().unwrap();
        held.push(watch);
    }
    let refused = async || client.watch(WatchRequest::default()).await.err();
    let refusals: [Refusal; 5] = [
        refused().await.unwrap(),
        // One that would never say what to watch.
        timeout(LONG, silent(&client, "/indicator.v1.WatchService/Watch").await).await.unwrap().unwrap().unwrap_err().into(),
        client.analytics().watch_rank(WatchRankRequest::default()).await.unwrap_err().into(),
        client.analytics().watch_milestones(WatchMilestonesRequest::default()).await.unwrap_err().into(),
        crate::bystander::call(&client.channel(), "/grpc.health.v1.Health/Watch", Bytes::new()).await.unwrap_err().into(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.what(), (Code::ResourceExhausted, "TOO_MANY_WATCHES"));
        assert!(refusal.retry_after.is_some());
    }
    assert_eq!(client.value(&stations(), "2020").await, "1", "watches are no requests");
    let other = Client::from_address(attacked.server.address(), ELSEWHERE);
    other.watch(WatchRequest::default()).await.unwrap();
    drop(held);
    eventually("there is room again", async || refused().await.is_none()).await;
    drop((client, other));
    attacked.survived().await;
}

#[tokio::test]
async fn a_write_or_a_batch_of_more_changes_than_may_be_is_refused() {
    let attacked = Attacked::start(&["--max-changes", "3"]).await;
    let client = attacked.client();
    let changes = |count: u32| (0..count).map(|n| value(&stations(), &(1950 + n).to_string(), "1")).collect::<Vec<_>>();
    let import = async |count| {
        let options = Message::Options(ImportOptions::default());
        let series = SeriesObservations { series: Some(stations()), observations: changes(count) };
        let batch = Message::Batch(ImportBatch { series: vec![series] });
        let messages = [options, batch].map(|message| ImportObservationsRequest { message: Some(message) });
        let mut answers = client.observations().import_observations(stream::iter(messages)).await?.into_inner();
        answers.message().await.map(|answer| answer.unwrap().inserted)
    };
    client.put(changes(3)).await;
    assert_eq!(import(3).await.unwrap(), 0);
    let written = client.try_write(merge(changes(4))).await.unwrap_err();
    let imported = Refusal::from(import(4).await.unwrap_err());
    for refusal in [written, imported] {
        assert_eq!(refusal.what(), (Code::InvalidArgument, "REQUEST_TOO_LARGE"));
        assert!(refusal.message.contains('3'), "{refusal:?}");
    }
    drop(client);
    attacked.survived().await;
}

#[tokio::test]
async fn a_call_that_takes_longer_than_may_be_is_ended_and_watches_and_imports_go_on() {
    let attacked = Attacked::start(&["--max-call-seconds", "1"]).await;
    let client = attacked.client();
    let mut watch = client.watch(WatchRequest::default()).await.unwrap();
    let (batches, imported) = mpsc::channel(1);
    let observations = client.observations();
    let import = tokio::spawn(async move {
        let answers = { observations }.import_observations(ReceiverStream::new(imported)).await.unwrap().into_inner();
        answers.map(|answer| answer.unwrap().inserted).collect::<Vec<_>>().await
    });
    let send = async |message| batches.send(ImportObservationsRequest { message: Some(message) }).await.unwrap();
    send(Message::Options(ImportOptions::default())).await;
    // A body that never comes, and a wait for a revision that never comes: whatever the caller gives himself.
    let silent = [silent(&client, GET).await, silent(&client, "/indicator.v1.ObservationService/QueryObservations").await];
    let waiting = GetObservationRequest { series: Some(stations()), min_revision: 1 << 40, ..Default::default() };
    let mut request = tonic::Request::new(waiting);
    request.set_timeout(LONG);
    let mut refusals = vec![Refusal::from(client.observations().get_observation(request).await.unwrap_err())];
    for call in silent {
        refusals.push(timeout(LONG, call).await.unwrap().unwrap().unwrap_err().into());
    }
    for refusal in refusals {
        assert_eq!(refusal.what(), (Code::DeadlineExceeded, "CALL_TOO_LONG"));
        assert!(refusal.message.contains("1 s") && refusal.message.contains("page"), "{refusal:?}");
    }
    let series = SeriesObservations { series: Some(stations()), observations: vec![value(&stations(), "2021", "2")] };
    send(Message::Batch(ImportBatch { series: vec![series] })).await;
    drop(batches);
    assert_eq!(timeout(LONG, import).await.unwrap().unwrap(), [1]);
    let told = async {
        while !matches!(
            watch.message().await.unwrap().unwrap().message,
            Some(indicator_proto::v1::watch_response::Message::Changes(_))
        ) {}
    };
    timeout(LONG, told).await.expect("the watch goes on");
    drop((client, watch));
    attacked.survived().await;
}
