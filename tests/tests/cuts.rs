//! The client library's watches across a network that cuts, stalls and delays: every change exactly once and in order.
//!
//! What `Watch` gives its application must look like one stream that was never cut, and is checked as that.
//!
//! `INDICATOR_CUTS` sets how often each watch is cut (50), `INDICATOR_SEED` repeats a run's choices.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use indicator_client::{WatchEvent, retry::Policy};
use indicator_proto::v1::{
    Changes, ObservationFilter, Progress, Reset, SnapshotChunk, SnapshotEnd, WatchMode, WatchOpened, WatchRequest, WatchResponse,
    WriteObservationsRequest, watch_request::Start, watch_response::Message,
};
use indicator_tests::{
    LONG,
    check::{
        Check, check,
        log::Log,
        recording::{Stream, Subscriber},
        view::View,
    },
    client::{Client, merge, replace, withdraw},
    figures::{key, published, value},
    proxy::{Cut, Proxy},
    server::Server,
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

/// Writes of every kind, until it is told to stop.
async fn churn(client: Client, mut rng: Rng, writing: Arc<AtomicBool>) {
    while writing.load(Ordering::SeqCst) {
        let region = ["CN", "CN-SD", "CN-BJ", "CN-SD.3710"][rng.usize(..4)];
        let series = key("5g-base-stations", region, ["bureau", "media"][rng.usize(..2)]);
        let (year, figure) = ((2000 + rng.u32(..6)).to_string(), rng.u32(..1000).to_string());
        let request = match rng.u8(..40) {
            // Longer than a message, so that it is cut in the middle.
            0 => merge((1000..2500).map(|year| value(&series, &year.to_string(), &figure)).collect()),
            1..6 => withdraw(&series, &[&year]),
            6..10 => merge(vec![published("2001-01-01", value(&series, &year, &figure))]),
            10..14 => replace(vec![value(&series, &year, &figure), value(&series, "2012", &figure)]),
            _ => merge(vec![value(&series, &year, &figure), value(&series, "2020-12", &figure)]),
        };
        client.write(WriteObservationsRequest { omit_changes: true, ..request }).await;
        sleep(Duration::from_millis(rng.u64(..12))).await;
    }
}

/// Cuts the connection so often, stalls and delays it in between, and leaves it in peace after that.
async fn storm(proxy: &Proxy, mut rng: Rng, cuts: u64) {
    let mut done = 0;
    while done < cuts {
        match rng.u8(..8) {
            0 => {
                proxy.stall(true);
                sleep(Duration::from_millis(rng.u64(10..200))).await;
                proxy.stall(false);
            }
            1 => proxy.delay(Duration::from_millis(rng.u64(..5))),
            2 => proxy.delay(Duration::ZERO),
            // Also within the first few bytes of a connection.
            _ => sleep(Duration::from_millis(rng.u64(..90))).await,
        }
        done += proxy.cut(if rng.bool() { Cut::Fin } else { Cut::Rst }) as u64;
    }
    proxy.delay(Duration::ZERO);
}

/// Reads a watch until it has everything up to where `end` says, as if it were one stream.
async fn record(
    client: indicator_client::Client,
    request: WatchRequest,
    end: tokio::sync::watch::Receiver<Option<u64>>,
) -> Stream {
    let mut watch = client.watch(request.clone());
    let mut stream = Stream::new(request);
    loop {
        let event = timeout(LONG, watch.next()).await.expect("an event within the limit of time").expect("no end").unwrap();
        let opened = !stream.messages.is_empty();
        let Some(message) = message(event, opened) else { continue };
        let reached = match &message {
            Message::Progress(progress) => end.borrow().is_some_and(|end| progress.revision >= end),
            _ => false,
        };
        stream.messages.push(WatchResponse { message: Some(message) });
        if reached {
            return stream;
        }
    }
}

/// The message that a stream would have had. Of reconnects it has nothing.
fn message(event: WatchEvent, opened: bool) -> Option<Message> {
    let message = match event {
        WatchEvent::Opened { epoch, revision, head_revision, outcome } if !opened => {
            Message::Opened(WatchOpened { epoch, revision, outcome: outcome.into(), head_revision })
        }
        WatchEvent::Opened { .. } | WatchEvent::Connecting { .. } | WatchEvent::Live => return None,
        WatchEvent::Reset { reason } => Message::Reset(Reset { reason }),
        WatchEvent::Snapshot(series) => Message::Snapshot(SnapshotChunk { series: vec![series], entries: vec![] }),
        WatchEvent::SnapshotEntry(entry) => Message::Snapshot(SnapshotChunk { series: vec![], entries: vec![entry] }),
        WatchEvent::SnapshotEnd { revision, observations } => Message::SnapshotEnd(SnapshotEnd { revision, observations }),
        WatchEvent::Commit(commit) => {
            let (first_revision, last_revision) = (commit.revision, commit.revision);
            Message::Changes(Changes { first_revision, last_revision, events: vec![commit], more: false })
        }
        WatchEvent::Progress { revision, head_revision, resume_token, digest } => {
            Message::Progress(Progress { revision, resume_token, head_revision, digest })
        }
        diverged @ WatchEvent::Diverged { .. } => panic!("the state is not the server's: {diverged:?}"),
    };
    Some(message)
}

fn requests() -> Vec<WatchRequest> {
    let filter = ObservationFilter { regions: vec!["CN-SD".into()], include_subregions: true, ..ObservationFilter::default() };
    let request = WatchRequest {
        progress_interval: prost_types::Duration::try_from(Duration::from_millis(100)).ok(),
        include_previous: true,
        ..WatchRequest::default()
    };
    let latest = WatchRequest { mode: WatchMode::Latest.into(), ..request.clone() };
    vec![
        request.clone(),
        WatchRequest { start: Some(Start::AfterRevision(0)), ..request.clone() },
        WatchRequest { filter: Some(filter.clone()), ..request },
        latest.clone(),
        WatchRequest { filter: Some(filter), ..latest.clone() },
        WatchRequest { preferred: true, ..latest },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_gives_every_change_exactly_once_and_in_order_across_fifty_cuts() {
    let (cuts, seed) = (setting("INDICATOR_CUTS", 50), setting("INDICATOR_SEED", fastrand::u64(..)));
    #[expect(clippy::print_stderr, reason = "to repeat a failure")]
    {
        eprintln!("{cuts} cuts; INDICATOR_SEED={seed}");
    }
    let mut rng = Rng::with_seed(seed);
    let server = Server::start();
    let direct = server.client_with_catalog().await;
    let writing = Arc::new(AtomicBool::new(true));
    let writer = tokio::spawn(churn(direct.clone(), rng.fork(), Arc::clone(&writing)));
    let end = tokio::sync::watch::Sender::new(None);
    let policy = Policy { base: Duration::from_millis(1), cap: Duration::from_millis(20), ..Policy::default() };
    let mut watches: Vec<JoinHandle<Stream>> = Vec::new();
    let mut storms: Vec<JoinHandle<Proxy>> = Vec::new();
    for request in requests() {
        let (proxy, rng) = (Proxy::start(server.address()).await, rng.fork());
        let through = indicator_client::Client::builder().server(&proxy.address().to_string()).retry(policy);
        watches.push(tokio::spawn(record(through.connect_lazy().unwrap(), request, end.subscribe())));
        storms.push(tokio::spawn(async move {
            storm(&proxy, rng, cuts).await;
            proxy
        }));
    }
    let mut proxies = Vec::new();
    for storm in storms {
        proxies.push(storm.await.unwrap());
    }
    writing.store(false, Ordering::SeqCst);
    writer.await.unwrap();
    end.send_replace(Some(direct.head().await));
    let log = Log::new(direct.commits(0).await);
    let mut violations = Vec::new();
    for (number, watch) in watches.into_iter().enumerate() {
        let stream = watch.await.unwrap();
        let view = View::new(&log, stream.request.filter.as_ref(), stream.request.preferred);
        let subscriber = Subscriber { name: format!("watch {number}"), streams: vec![stream] };
        violations.extend(check(&log, &view, &subscriber));
    }
    let names: BTreeSet<Check> = violations.iter().map(|v| v.check).collect();
    assert!(violations.is_empty(), "{names:?}: {violations:#?}");
    assert!(proxies.iter().all(|proxy| proxy.accepted() > cuts), "each was cut and came back so often");
}
