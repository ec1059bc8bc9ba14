//! The power goes while writers write, on ext4 and xfs: every acknowledged write is there after the boot, none is torn, and the log
//! is whole. And without the sync before an acknowledgement, writes are lost: so the test can tell.
//!
//! A file system on a loop device is shut down by FS_IOC_SHUTDOWN, which loses what it has not written yet, and its journal's tail.
//! What a drive has in a cache of its own is not lost by it. Needs root; `tests/run` leaves it out where that is impossible, and
//! says so. `INDICATOR_POWER_ROUNDS` sets how often on each (20), `INDICATOR_SEED` repeats the writers' choices.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use fastrand::Rng;
use indicator_tests::{
    acknowledged::{Attempts, Known, writer},
    disk::LoopDisk,
    faults::{Call, Fault, Faults},
    server::{Environment, Server},
    setting,
};

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

/// Writes until the power goes, at a random moment, and boots: the disk is mounted again, the server is not started yet.
async fn lose_power(disk: &LoopDisk, server: &mut Server, rng: &mut Rng, round: u64) -> Attempts {
    let writers: Vec<_> =
        (0..WRITERS).map(|w| writer(server.client(), rng.fork(), format!("round-{round}-writer-{w}"))).collect();
    tokio::time::sleep(Duration::from_millis(rng.u64(1..150))).await;
    disk.lose_power();
    let mut attempts = Attempts::new();
    for writer in writers {
        attempts.extend(writer.await.unwrap().into_iter().map(|attempt| (attempt.0.request_id.clone(), attempt)));
    }
    server.assert_no_panic();
    server.kill();
    disk.mount_again();
    attempts
}

async fn assert_nothing_is_lost(kind: &str) {
    let rounds = setting("INDICATOR_POWER_ROUNDS", 20);
    let mut rng = rng();
    let disk = LoopDisk::new(kind);
    let mut server = Server::start_in(&disk.path().join("data"), &[]);
    server.client_with_catalog().await;
    let (mut known, mut attempts) = (Known::default(), Attempts::new());
    for round in 0..rounds {
        attempts.extend(lose_power(&disk, &mut server, &mut rng, round).await);
        // It refuses to start over a log that does not chain, or that ends before the last acknowledged commit it noted.
        server.start_again();
        known.check(&server.client(), &attempts).await;
    }
    server.kill();
    let acknowledged = attempts.values().filter(|(_, revision)| revision.is_some()).count();
    say(&format!("{kind}: {acknowledged} acknowledged writes in {rounds} rounds, {} commits", known.head()));
    assert!(known.head() > rounds, "the writers wrote");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_with_the_power_on_ext4() {
    assert_nothing_is_lost("ext4").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_with_the_power_on_xfs() {
    assert_nothing_is_lost("xfs").await;
}

/// How many rounds it takes until the power takes acknowledged writes with it, where these calls only pretend; `None` if none does.
async fn rounds_until_a_loss(kind: &str, pretending: &[Call]) -> Option<u64> {
    const MOST: u64 = 20;
    let mut rng = rng();
    for round in 1..=MOST {
        let disk = LoopDisk::new(kind);
        let data = disk.path().join("data");
        let faults = Faults::new();
        let mut server = Server::try_start_in(&data, &[], &faults.environment()).unwrap();
        server.client_with_catalog().await;
        for &call in pretending {
            faults.set(call, Fault::Pretended);
        }
        let attempts = lose_power(&disk, &mut server, &mut rng, round).await;
        let acknowledged = attempts.values().filter_map(|(_, revision)| *revision).max().unwrap_or(0);
        let lost = match Server::try_start_in(&data, &[], &Environment::new()) {
            Ok(server) => server.client().head().await < acknowledged,
            Err(refusal) => {
                assert!(refusal.contains("the store is damaged"), "{refusal}");
                true
            }
        };
        if lost {
            return Some(round);
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_sync_acknowledged_writes_are_lost_on_ext4_and_xfs() {
    for kind in ["ext4", "xfs"] {
        let round = rounds_until_a_loss(kind, &[Call::Sync, Call::RangeSync]).await;
        say(&format!("{kind}: without any sync, writes are lost in round {round:?}"));
        assert!(round.is_some(), "{kind}: nothing is lost without a sync, so this shows nothing");
        let round = rounds_until_a_loss(kind, &[Call::Sync]).await;
        say(&format!("{kind}: with sync_file_range alone, writes are lost in round {round:?}"));
    }
}
