//! Many pages on one server.
#![allow(clippy::print_stdout, reason = "what it takes is told to whoever asks")]

use std::time::Instant;

use futures::future::join_all;
use indicator_tests::{
    client::merge,
    figures::{stations, value},
    http::{self, Events},
    server::Server,
    setting,
};

/// `INDICATOR_PAGES` of them, 500 where it does not say. What it takes is printed: `--nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_figure_is_told_to_all_of_many_pages() {
    let pages = usize::try_from(setting("INDICATOR_PAGES", 500)).unwrap();
    let server = Server::start_with(&["--max-connections-per-peer", "5000"]);
    let client = server.client_with_catalog().await;
    client.write(merge(vec![value(&stations(), "2020", "1")])).await;
    http::get(server.address(), "/regions/CN-SD").await;
    let (before, _) = server.memory();
    let open = async |i: usize| {
        // Not all show the same.
        let path = [
            "/live/regions/CN-SD?lang=en",
            "/live/regions/CN-SD?lang=zh",
            "/live/changes",
            "/live/regions/CN-SD/5g-base-stations",
        ];
        let mut events = Events::open(server.address(), path[i % path.len()], &[]).await.unwrap();
        events.find("picture").await;
        events
    };
    let mut all = join_all((0..pages).map(open)).await;
    let (after, _) = server.memory();
    println!("{pages} pages: {:.1} kB each", after.saturating_sub(before) as f64 / pages as f64 / 1e3);
    for round in 0..5 {
        let figure = format!("7{round}77");
        let written = Instant::now();
        client.write(merge(vec![value(&stations(), "2020", &figure)])).await;
        let acknowledged = written.elapsed();
        let shown = format!("7,{round}77");
        let told = join_all(all.iter_mut().map(async |events| {
            let event = events.find("picture").await;
            assert!(event.data.contains(&shown), "{}", event.data);
            written.elapsed()
        }));
        let mut times = told.await;
        times.sort();
        println!("written in {acknowledged:?}, told to half in {:?}, to all in {:?}", times[pages / 2], times[pages - 1]);
    }
}
