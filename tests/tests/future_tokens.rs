//! A server whose store is an older copy of another's: the tokens that its clients have are of its future.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use indicator_proto::v1::WatchRequest;
use indicator_tests::{
    check::{
        Check, check,
        log::Log,
        recording::{End, Point, Subscriber, position, token},
        view::View,
    },
    client::Client,
    copy, eventually,
    figures::{stations, value},
    recorder::{Common, Opening, Recorder},
    server::Server,
    transcript::{everything, resumed},
};

async fn write(client: &Client, commits: u64) {
    for n in 0..commits {
        client.put(vec![value(&stations(), "2020", &format!("{}{n}", client.head().await))]).await;
    }
}

/// Watches until everything up to a revision has come; where that was told.
async fn record(recorder: &mut Recorder<'_>, client: &Client, opening: &Opening, revision: u64) -> Option<Point> {
    let mut streaming = recorder.open(client, opening).await?;
    loop {
        let (point, message) = recorder.last()?;
        if position(message).is_some_and(|told| told >= revision) {
            return Some(point);
        }
        recorder.next(&mut streaming).await.then_some(())?;
    }
}

#[tokio::test]
async fn a_token_of_the_future_waits_for_its_revision_and_is_then_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let (ahead, behind) = (directory.path().join("ahead"), directory.path().join("behind"));
    let mut server = Server::start_in(&ahead, &[]);
    write(&server.client_with_catalog().await, 5).await;
    server.stop().await;
    copy(&ahead, &behind);
    server.start_again();
    write(&server.client(), 5).await;
    let head = server.client().head().await;

    let common = Common::default();
    let mut recorder = Recorder::new("a client of both".into(), &common);
    let request = WatchRequest { include_previous: false, ..everything() };
    let point = record(&mut recorder, &server.client(), &Opening::new(request.clone()), head).await.unwrap();
    let token = token(&recorder.subscriber.streams[point.stream].messages[point.message]).unwrap().to_owned();

    let restored = Server::start_in(&behind, &[]);
    common.told_head(restored.client().head().await);
    let opening = Opening { carried: Some(point), ..Opening::new(resumed(&request, &token)) };
    let hasty = Opening { deadline: Some(Duration::from_secs(2)), ..opening.clone() };
    // The answer comes shortly before the deadline: on a busy machine the client may give up first.
    eventually("the server says that it has not come so far", async || {
        assert_eq!(record(&mut recorder, &restored.client(), &hasty, head).await, None);
        let end = &recorder.subscriber.streams.last().unwrap().end;
        assert_ne!(*end, End::Silent);
        matches!(end, End::Refused(refusal) if refusal.reason == "REVISION_NOT_REACHED")
    })
    .await;

    // Without a deadline it waits, and opens when the server has come to its revision.
    let (client, commits) = (restored.client(), head - restored.client().head().await);
    let writer = tokio::spawn(async move { write(&client, commits).await });
    assert!(record(&mut recorder, &restored.client(), &opening, head).await.is_some());
    writer.await.unwrap();

    // The two histories go apart after the copy, so that only what concerns the tokens can be checked.
    let log = Log::new(server.client().commits(0).await);
    let subscriber: &Subscriber = &recorder.subscriber;
    let violations = check(&log, &View::new(&log, None, false), subscriber);
    let of_tokens = [Check::FutureTokensWait, Check::BadTokensAreRefused, Check::OldTokensAreAnswered];
    assert!(violations.iter().all(|v| !of_tokens.contains(&v.check)), "{violations:?}");
}
