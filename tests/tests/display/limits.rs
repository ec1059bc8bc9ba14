//! Pages that ask for more than there is room for, and readers who stand still.

use indicator_tests::{
    client::merge,
    eventually,
    figures::{stations, value},
    http::{self, Events},
    server::Server,
};

const STREAM: &str = "/live/regions/CN-SD?lang=en";

#[tokio::test]
async fn more_streams_than_may_be_are_refused_in_words_of_http_and_pages_go_on() {
    // Half of them from one address.
    let server = Server::start_with(&["--max-subscribers", "4"]);
    let client = server.client_with_catalog().await;
    client.write(merge(vec![value(&stations(), "2020", "1")])).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut events = Events::open(server.address(), STREAM, &[]).await.unwrap();
        events.find("picture").await;
        held.push(events);
    }
    assert_eq!(Events::open(server.address(), STREAM, &[]).await.err(), Some(429));
    let refused = http::get(server.address(), STREAM).await;
    assert_eq!((refused.status, refused.header("retry-after"), refused.header("grpc-status")), (429, Some("1"), None));
    assert_eq!(http::get(server.address(), "/regions/CN-SD").await.status, 200);
    drop(held);
    eventually("there is room again", async || Events::open(server.address(), STREAM, &[]).await.is_ok()).await;
}

/// They hold what fits into their sockets, and one picture: not what they missed.
#[tokio::test]
async fn readers_who_stand_still_take_no_memory_and_are_told_the_latest_when_they_read_again() {
    let server = Server::start_with(&["--max-connections-per-peer", "1000"]);
    let client = server.client_with_catalog().await;
    client.write(merge(vec![value(&stations(), "2020", "1")])).await;
    let mut standing = Vec::new();
    for _ in 0..50 {
        standing.push(Events::open(server.address(), "/live/changes", &[]).await.unwrap());
    }
    let note = "x".repeat(3_000);
    let write = async |number: u32| {
        let mut figure = value(&stations(), "2020", &number.to_string());
        figure.original_text.clone_from(&note);
        client.write(merge(vec![figure])).await.revision
    };
    for number in 2..100 {
        write(number).await;
    }
    let (middle, _) = server.memory();
    for number in 100..1_000 {
        write(number).await;
    }
    let last = write(1_000).await;
    let (end, _) = server.memory();
    // Nine times as many commits; each picture of the log has 40 of them.
    assert!(end < middle + (100 << 20), "{middle} bytes, then {end}");
    let shown = format!("commit-{last}");
    let told = async |mut events: Events| while !events.find("picture").await.data.contains(&shown) {};
    futures::future::join_all(standing.into_iter().map(told)).await;
}
