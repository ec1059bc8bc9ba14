//! The server as a process: its directory, its port, its signals.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{ffi::OsStr, fs, net::TcpListener, path::Path, time::Duration};

use indicator_proto::v1::watch_request::Start;
use indicator_tests::{
    LONG,
    client::merge,
    figures::{stations, value},
    server::{Ended, Server, run, serve},
    transcript::{Transcript, everything, resumed},
};
use tonic::Code;

/// A refusal to start: this exit code, and one line on stderr that says all of these.
fn assert_refused(ended: &Ended, code: i32, says: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "one line: {}", ended.stderr);
    for text in says {
        assert!(lines[0].contains(text), "{text:?} is not in {:?}", lines[0]);
    }
    assert!(ended.stdout.is_empty(), "{ended:?}");
}

#[tokio::test]
async fn a_directory_in_use_is_refused_and_stays_as_it_is() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let directory = server.directory().to_str().unwrap();
    assert_refused(&serve(server.directory()), 3, &[directory, "in use"]);
    client.put(vec![value(&stations(), "2020", "1")]).await;
    assert_eq!(client.value(&stations(), "2020").await, "1");
}

#[test]
fn a_directory_of_something_else_is_refused_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let letter = directory.path().join("letter.txt");
    fs::write(&letter, "dear").unwrap();
    assert_refused(&serve(directory.path()), 3, &[directory.path().to_str().unwrap(), "letter.txt"]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    fs::remove_file(&letter).unwrap();
    fs::write(directory.path().join("FORMAT"), "indicatord data directory, format 999\n").unwrap();
    assert_refused(&serve(directory.path()), 3, &["format 999"]);
}

#[test]
fn a_path_that_is_no_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let ended = serve(&file);
    assert_ne!(ended.code, Some(0));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains(file.to_str().unwrap()), "it names the path: {}", ended.stderr);
}

/// A directory with some figures in it.
async fn filled(directory: &Path) {
    let mut server = Server::start_in(directory, &[]);
    let client = server.client_with_catalog().await;
    for n in 0..50 {
        client.put((1900..2000).map(|year| value(&stations(), &year.to_string(), &n.to_string())).collect()).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_damaged_store_is_refused_with_exit_code_3() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    filled(&data).await;
    let file = data.join("sled").join("db");
    let whole = fs::read(&file).unwrap();
    let len = whole.len();
    for (what, damage) in [("overwritten", 0..len), ("with its middle gone", len / 4..len / 2)] {
        let mut bytes = whole.clone();
        bytes[damage].fill(0xA5);
        fs::write(&file, bytes).unwrap();
        let ended = serve(&data);
        assert_eq!(ended.code, Some(3), "{what}: {ended:?}");
        let last = ended.stderr.lines().last().unwrap();
        assert!(last.contains("damaged"), "{what}: {}", ended.stderr);
    }
    fs::write(&file, &whole).unwrap();
    let server = Server::start_in(&data, &[]);
    assert_eq!(server.client().head().await, 51, "and with its file restored it serves again");
}

#[test]
fn a_port_in_use_is_refused_before_the_directory_is_touched() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let ended = run(&[OsStr::new("serve"), OsStr::new("--data"), data.as_os_str(), OsStr::new("--listen"), OsStr::new(&address)]);
    assert_refused(&ended, 1, &[&address, "in use"]);
    assert!(!data.exists());
}

#[tokio::test]
async fn a_stop_closes_open_watches_which_go_on_after_the_restart() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start();
        let client = server.client_with_catalog().await;
        client.put(vec![value(&stations(), "2020", "1")]).await;
        let mut watches = Vec::new();
        for start in [None, Some(Start::AfterRevision(0))] {
            let request = indicator_proto::v1::WatchRequest { start, ..everything() };
            let mut watch = Transcript::open(&server.client(), request.clone()).await.unwrap();
            watch.until(2).await;
            watches.push((request, watch));
        }
        let began = std::time::Instant::now();
        server.signal(signal);
        for (_, watch) in &mut watches {
            watch.to_end().await.unwrap();
            let retry = watch.closing.as_ref().unwrap().retry_after.unwrap();
            assert!(retry.seconds < 60, "{retry:?}");
        }
        let status = server.wait().await;
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(began.elapsed() < Duration::from_secs(5), "{signal}: {:?}", began.elapsed());

        server.start_again();
        let client = server.client();
        client.put(vec![value(&stations(), "2020", "2")]).await;
        for (request, watch) in watches {
            let mut resumed = Transcript::open(&client, resumed(&request, &watch.token())).await.unwrap();
            resumed.until(3).await;
            assert_eq!(resumed.events.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_watcher_that_does_not_read_does_not_hold_up_a_stop() {
    let mut server = Server::start_with(&["--grace", "2"]);
    let client = server.client_with_catalog().await;
    let stalled = server.client();
    let _watch = stalled.watch(everything()).await.unwrap();
    for n in 0..20 {
        let changes = (1000..4000).map(|year| value(&stations(), &year.to_string(), &n.to_string())).collect();
        client.write(indicator_proto::v1::WriteObservationsRequest { omit_changes: true, ..merge(changes) }).await;
    }
    let took = server.stop().await;
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test]
async fn writes_in_flight_at_a_stop_are_answered_or_refused_and_the_answered_ones_stay() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for n in 0_u32.. {
                    let period = format!("{:04}", 1000 + n);
                    let request = tonic::Request::new(merge(vec![value(&stations(), &format!("{period}-0{}", writer + 1), "1")]));
                    match client.observations().write_observations(request).await {
                        Ok(response) => acknowledged.push(response.into_inner().revision),
                        Err(status) => {
                            assert!([Code::Unavailable, Code::Cancelled, Code::Unknown].contains(&status.code()), "{status:?}");
                            return acknowledged;
                        }
                    }
                }
                unreachable!("the server stops before the numbers end")
            })
        })
        .collect();
    indicator_tests::eventually("writes go on", async || client.head().await > 50).await;
    let took = server.stop().await;
    assert!(took < LONG);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    server.start_again();
    let commits: Vec<u64> = server.client().commits(0).await.iter().map(|c| c.revision).collect();
    assert!(acknowledged.iter().all(|revision| commits.contains(revision)));
    assert!(commits.windows(2).all(|w| w[0] + 1 == w[1]), "no gap");
}

#[tokio::test]
async fn a_clean_stop_logs_no_error() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "1")]).await;
    client.get(&stations(), "1999").await.unwrap_err();
    server.stop().await;
    let log = server.log();
    assert!(!log.iter().any(|line| line.contains("\"ERROR\"") || line.contains("\"WARN\"")), "{log:#?}");
}
