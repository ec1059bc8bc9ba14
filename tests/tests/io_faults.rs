//! Writes and syncs of the disk that fail under a running server: no acknowledged write is lost, the server says why it refuses
//! writes and goes on answering reads, and it stops and starts again as if nothing had been.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use fastrand::Rng;
use indicator_proto::v1::{ListCommitsRequest, ListVintagesRequest, ObservationFilter, QueryObservationsRequest};
use indicator_tests::{
    LONG,
    acknowledged::{Attempts, Known, writer},
    client::{Client, at_revision, merge},
    disk::{LoopDisk, MemoryDisk, fill},
    faults::{Call, Fault, Faults},
    figures::{key, stations, value},
    refusal::Refusal,
    server::{Environment, Server, serve},
    setting,
};
use tokio::time::{sleep, timeout};
use tonic::Code;

const WRITERS: u64 = 6;

#[expect(clippy::print_stderr, reason = "to repeat a failure, and to see what a run was made of")]
fn say(text: &str) {
    eprintln!("{text}");
}

fn rng() -> Rng {
    let seed = setting("INDICATOR_SEED", fastrand::u64(..));
    say(&format!("INDICATOR_SEED={seed}"));
    Rng::with_seed(seed)
}

/// Writes, and has `fail` happen meanwhile, until every writer has been refused.
async fn write_until(server: &Server, rng: &mut Rng, name: &str, fail: impl FnOnce()) -> Attempts {
    let writers: Vec<_> = (0..WRITERS).map(|w| writer(server.client(), rng.fork(), format!("{name}-writer-{w}"))).collect();
    sleep(Duration::from_millis(rng.u64(20..150))).await;
    fail();
    let mut attempts = Attempts::new();
    for writer in writers {
        let written = timeout(LONG, writer).await.expect("a writer waits for ever").unwrap();
        attempts.extend(written.into_iter().map(|attempt| (attempt.0.request_id.clone(), attempt)));
    }
    attempts
}

/// Every kind of write is refused and says why.
async fn assert_refuses_writes(client: &Client) {
    for n in 0..3 {
        let refusal = client.try_write(merge(vec![value(&stations(), "2020", &n.to_string())])).await.unwrap_err();
        assert_eq!(refusal.what(), (Code::Internal, "STORAGE_FAILED"), "{refusal:?}");
        let refusal = client.try_apply(indicator_tests::catalog::small()).await.unwrap_err();
        assert_eq!(refusal.what(), (Code::Internal, "STORAGE_FAILED"), "the catalog's too: {refusal:?}");
    }
}

/// Reads in every way; answers how many reads were made, and how many were refused.
async fn read(client: &Client) -> (usize, usize) {
    let head = client.head().await;
    let mut refusals = Vec::new();
    let mut made = 0;
    let mut note = |refusal: Option<Refusal>| {
        made += 1;
        refusals.extend(refusal);
    };
    let commits = ListCommitsRequest { page_size: 1000, include_changes: true, ..Default::default() };
    note(client.observations().list_commits(commits).await.err().map(Refusal::from));
    for as_of in [None, at_revision(head), at_revision(head / 2)] {
        let filter = Some(ObservationFilter { all_sources: true, ..Default::default() });
        note(client.query(QueryObservationsRequest { filter, as_of, ..Default::default() }).await.err());
    }
    for series in ["CN", "CN-SD", "CN-BJ", "CN-SD.3710"].map(|region| key("5g-base-stations", region, "bureau")) {
        for period in ["", "2000", "2005", "2011", "1000", "1599"] {
            let refusal = client.get(&series, period).await.err();
            note(refusal.filter(|refusal| refusal.what().0 != Code::NotFound));
        }
        let vintages = ListVintagesRequest { series: Some(series), ..Default::default() };
        let refusal = client.observations().list_vintages(vintages).await.err().map(Refusal::from);
        note(refusal.filter(|refusal| refusal.what().0 != Code::NotFound));
    }
    for refusal in &refusals {
        assert_eq!(refusal.what(), (Code::Internal, "STORAGE_FAILED"), "{refusal:?}");
    }
    (made, refusals.len())
}

/// A failure of the disk after which the store refuses writes until it is opened again.
///
/// Reads go on where only our own sync failed. Once sled itself has failed it refuses to divide the pages that the failed write
/// was changing, and so refuses reads of them: those must say so.
async fn assert_survives(name: &str, call: Call, fault: Fault, times: u8) {
    let mut rng = rng();
    let faults = Faults::new();
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::try_start_in(&directory.path().join("data"), &[], &faults.environment()).unwrap();
    // Its status tells a horizon, which it looks up in the log at first.
    server.client_with_catalog().await.status().await;
    let (mut known, mut attempts) = (Known::default(), Attempts::new());
    for round in 0..setting("INDICATOR_FAULT_ROUNDS", 3) {
        let name = format!("{name}-{round}");
        attempts.extend(write_until(&server, &mut rng, &name, || faults.set_times(call, fault, times)).await);
        assert_refuses_writes(&server.client()).await;
        let (made, refused) = read(&server.client()).await;
        say(&format!("{refused} of {made} reads refused"));
        assert!(refused == 0 || call != Call::Sync, "{refused} reads refused");
        let told = server.log().iter().filter(|line| line.contains("writes are refused")).count();
        assert!((1..=2).contains(&told), "the log says so once, and not for each write: {told} times");
        server.stop().await;
        server.assert_no_panic();
        faults.set(call, Fault::None);
        server.start_again();
        server.client().status().await;
        known.check(&server.client(), &attempts).await;
    }
    server.stop().await;
    server.assert_no_panic();
}

#[tokio::test]
async fn a_sync_that_fails() {
    assert_survives("sync", Call::Sync, Fault::InputOutput, 0).await;
}

#[tokio::test]
async fn a_sync_that_fails_once_is_not_trusted_the_next_time() {
    assert_survives("sync-once", Call::Sync, Fault::InputOutput, 1).await;
}

#[tokio::test]
async fn a_sync_of_a_range_that_fails() {
    assert_survives("range", Call::RangeSync, Fault::InputOutput, 0).await;
}

#[tokio::test]
async fn a_sync_of_a_range_that_fails_once() {
    assert_survives("range-once", Call::RangeSync, Fault::InputOutput, 1).await;
}

#[tokio::test]
async fn a_write_that_fails() {
    assert_survives("write", Call::Write, Fault::InputOutput, 0).await;
}

#[tokio::test]
async fn a_write_that_fails_once() {
    assert_survives("write-once", Call::Write, Fault::InputOutput, 1).await;
}

#[tokio::test]
async fn a_write_without_space() {
    assert_survives("space", Call::Write, Fault::NoSpace, 0).await;
}

#[tokio::test]
async fn a_write_without_space_once() {
    assert_survives("space-once", Call::Write, Fault::NoSpace, 1).await;
}

#[tokio::test]
async fn writes_that_do_half_are_gone_on_with() {
    let faults = Faults::new();
    let mut server = Server::start_with(&[]);
    server.kill();
    server.start_again_in(faults.environment());
    faults.set(Call::Write, Fault::Half);
    server.client_with_catalog().await;
    let (mut known, mut attempts, mut rng) = (Known::default(), Attempts::new(), rng());
    attempts.extend(write_until(&server, &mut rng, "half", || server.signal("KILL")).await);
    server.wait().await;
    server.start_again_in(Environment::new());
    known.check(&server.client(), &attempts).await;
    assert!(known.head() > WRITERS, "the writers wrote");
}

/// Needs root, to mount the file system.
#[tokio::test]
async fn a_disk_that_turns_read_only() {
    let disk = LoopDisk::new("ext4");
    let mut server = Server::start_in(&disk.path().join("data"), &[]);
    server.client_with_catalog().await;
    let (mut known, mut attempts, mut rng) = (Known::default(), Attempts::new(), rng());
    for round in 0..setting("INDICATOR_FAULT_ROUNDS", 3) {
        attempts.extend(write_until(&server, &mut rng, &format!("read-only-{round}"), || disk.fail()).await);
        assert_refuses_writes(&server.client()).await;
        let (made, refused) = read(&server.client()).await;
        say(&format!("{refused} of {made} reads refused"));
        // What sled was changing when a write failed under it is not read before it is opened again.
        let in_a_write = server.log().iter().any(|line| line.contains("writes are refused since one failed"));
        assert!(refused == 0 || in_a_write, "{refused} reads refused, and no write had failed");
        server.stop().await;
        server.assert_no_panic();
        assert_eq!(serve(&disk.path().join("data")).stderr.lines().count(), 1, "it says in a line that it cannot start");
        disk.mount_again();
        server.start_again();
        known.check(&server.client(), &attempts).await;
    }
}

/// A sync fails, and the system forgets what it could not write; the server is started again, and acknowledges more; then the power
/// goes. Needs root, to mount the file systems.
#[tokio::test]
async fn a_sync_that_failed_is_not_trusted_after_a_restart_either() {
    // The file of the file system is on another one, which is full for a while: what is written to new places fails.
    let below = MemoryDisk::mount("128m");
    let disk = LoopDisk::new_in(below.path(), "ext4");
    let mut server = Server::start_in(&disk.path().join("data"), &[]);
    server.client_with_catalog().await;
    let (mut known, mut attempts, mut rng) = (Known::default(), Attempts::new(), rng());
    for round in 0..setting("INDICATOR_FAULT_ROUNDS", 3) {
        let mut filler = None;
        attempts.extend(write_until(&server, &mut rng, &format!("full-{round}"), || filler = Some(fill(below.path()))).await);
        assert_refuses_writes(&server.client()).await;
        std::fs::remove_file(filler.unwrap()).unwrap();
        server.kill();
        server.start_again();
        attempts.extend(write_until(&server, &mut rng, &format!("room-{round}"), || disk.lose_power()).await);
        server.assert_no_panic();
        server.kill();
        disk.mount_again();
        server.start_again();
        known.check(&server.client(), &attempts).await;
    }
}
