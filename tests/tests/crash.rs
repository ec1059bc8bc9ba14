//! The server killed at random moments while writers write: every acknowledged write is there, none is torn, and the log is whole.
//!
//! `INDICATOR_CRASH_ROUNDS` sets how often (20), `INDICATOR_SEED` repeats the writers' choices.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use fastrand::Rng;
use indicator_server::store::Store;
use indicator_tests::{
    acknowledged::{Attempt, Attempts, Known, writer},
    client::Client,
    server::Server,
    setting,
};

const WRITERS: u64 = 6;

/// An acknowledged write that is sent again gets the same answer: the client that saw the crash may repeat it.
async fn repeat(client: &Client, rng: &mut Rng, attempts: &Attempts) {
    let acknowledged: Vec<&Attempt> = attempts.values().filter(|(_, revision)| revision.is_some()).collect();
    for (request, revision) in (0..5).filter_map(|_| rng.choice(acknowledged.iter())) {
        let again = client.write(request.clone()).await;
        assert!(again.repeated_request);
        assert_eq!(Some(again.revision), *revision);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_random_moments_loses_no_acknowledged_write_and_tears_none() {
    let rounds = setting("INDICATOR_CRASH_ROUNDS", 20);
    let seed = setting("INDICATOR_SEED", fastrand::u64(..));
    #[expect(clippy::print_stderr, reason = "to repeat a failure")]
    {
        eprintln!("{rounds} rounds; INDICATOR_SEED={seed}");
    }
    let mut rng = Rng::with_seed(seed);
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut server = Server::start_in(&data, &[]);
    server.client_with_catalog().await;
    let (mut known, mut attempts) = (Known::default(), Attempts::new());
    for round in 0..rounds {
        let writers: Vec<_> =
            (0..WRITERS).map(|w| writer(server.client(), rng.fork(), format!("round-{round}-writer-{w}"))).collect();
        tokio::time::sleep(Duration::from_millis(rng.u64(1..150))).await;
        server.kill();
        for writer in writers {
            attempts.extend(writer.await.unwrap().into_iter().map(|a| (a.0.request_id.clone(), a)));
        }
        if rng.u8(..4) == 0 {
            Server::start_and_kill(&data, Duration::from_millis(rng.u64(..30)));
        }
        server.start_again();
        let client = server.client();
        known.check(&client, &attempts).await;
        repeat(&client, &mut rng, &attempts).await;
    }
    assert!(known.head() > rounds, "the writers wrote");
    server.kill();
    assert_chain(&data, &known);
}

/// The headers on disk: each has the hash of the one before it.
fn assert_chain(data: &std::path::Path, known: &Known) {
    let store = Store::open(data).unwrap();
    let mut previous = [0; 32];
    for (index, hash) in known.hashes().iter().enumerate() {
        let header = store.header(index as u64 + 1).unwrap().expect("a header");
        assert_eq!((header.previous_hash, header.hash.as_slice()), (previous, hash.as_slice()), "revision {}", index + 1);
        previous = header.hash;
    }
    assert_eq!(store.newest().unwrap().map(|(revision, _)| revision), Some(known.head()));
}
