//! The clock jumps back an hour, forward a year, and back again, under a running server and while it is away.
//!
//! Needs libfaketime (Debian `faketime`); `tests/run` leaves it out where that cannot be had, and says so. The monotonic clock is left
//! alone, as a real jump leaves it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use indicator_proto::{
    Time,
    v1::{
        AsOf, Commit, GetObservationRequest, GetStatusRequest, StartNow, WatchRequest, WriteObservationsRequest,
        watch_request::Start,
    },
};
use indicator_tests::{
    LONG,
    client::{Client, merge},
    eventually,
    figures::{stations, value},
    server::{Environment, Server, run},
    transcript::{Transcript, everything},
};
use tempfile::TempDir;
use tonic::{Code, Request};

/// What the log says of the clock.
const BEHIND: &str = "the clock is behind the record";
const AHEAD: &str = "the clock jumped forward";

const HOUR: i64 = 3600 * 1_000_000;

/// The clock of a server.
struct FakeClock(TempDir);

impl FakeClock {
    /// A right one.
    fn new() -> Self {
        let clock = Self(tempfile::tempdir().unwrap());
        clock.set("+0");
        clock
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("offset")
    }

    /// Sets it so far from the real time: "-1h", "+1y".
    fn set(&self, offset: &str) {
        // At once: libfaketime reads the file at every look at the clock.
        let next = self.0.path().join("next");
        fs::write(&next, format!("{offset}\n")).unwrap();
        fs::rename(next, self.file()).unwrap();
    }

    fn environment(&self) -> Environment {
        vec![
            ("LD_PRELOAD".into(), library().into_os_string()),
            ("FAKETIME_TIMESTAMP_FILE".into(), self.file().into_os_string()),
            ("FAKETIME_NO_CACHE".into(), "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
            ("FAKETIME_DONT_RESET".into(), "1".into()),
        ]
    }
}

/// libfaketime for several threads, below the directory of the machine's kind.
fn library() -> PathBuf {
    let directories = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut libraries = directories.map(|directory| directory.join("faketime/libfaketimeMT.so.1"));
    libraries.find(|library| library.exists()).expect("this test needs libfaketime; install faketime")
}

fn recorded_at(commit: &Commit) -> i64 {
    Time::try_from(commit.recorded_at.as_ref().unwrap()).unwrap().micros()
}

fn now() -> i64 {
    i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap()
}

fn request(text: &str) -> WriteObservationsRequest {
    WriteObservationsRequest { request_id: "the first".into(), ..merge(vec![value(&stations(), "2020", text)]) }
}

/// Writes that have a request id, so that old ids are forgotten if any is old.
async fn write(client: &Client, count: u32) {
    for n in 0..count {
        let head = client.head().await;
        let name = format!("after {head}, number {n}");
        let write = WriteObservationsRequest { request_id: name, ..merge(vec![value(&stations(), "2021", &head.to_string())]) };
        assert_eq!(client.write(write).await.revision, head + 1);
    }
}

/// At the time of each commit the record is as the last commit of that time left it.
async fn assert_as_of_recorded_at(client: &Client, commits: &[Commit]) {
    for commit in commits {
        let until = recorded_at(commit);
        let last = commits.iter().rfind(|c| recorded_at(c) <= until).unwrap();
        let as_of = Some(AsOf { recorded_at: commit.recorded_at, ..AsOf::default() });
        assert_eq!(client.everything(as_of).await.revision, last.revision, "at {until}");
        let before = commits.iter().rfind(|c| recorded_at(c) < until).map_or(0, |c| c.revision);
        let as_of = Some(AsOf { recorded_at: Time::from_micros(until - 1).map(Into::into), ..AsOf::default() });
        assert_eq!(client.everything(as_of).await.revision, before, "before {until}");
    }
}

/// A call that waits for a revision is not ended by a jump, but by its revision.
async fn assert_deadlines_stand(client: &Client, jump: impl FnOnce()) {
    let min_revision = client.head().await + 1;
    let mut request = Request::new(GetObservationRequest { series: Some(stations()), min_revision, ..Default::default() });
    request.set_timeout(LONG);
    let waiting = tokio::spawn({
        let mut client = client.observations();
        async move { client.get_observation(request).await }
    });
    // Until the call is on its way; a jump before would show nothing.
    tokio::time::sleep(Duration::from_millis(100)).await;
    jump();
    write(client, 1).await;
    waiting.await.unwrap().expect("a jump of the clock ended a call");
}

fn warnings(server: &Server, what: &str) -> usize {
    server.log().iter().filter(|line| line.contains(what)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_at_never_goes_back_and_nothing_else_is_upset() {
    let clock = FakeClock::new();
    let directory = tempfile::tempdir().unwrap();
    let data: &Path = &directory.path().join("data");
    let mut server = Server::try_start_in(data, &[], &clock.environment()).unwrap();
    let client = server.client_with_catalog().await;
    let first = client.write(request("1")).await;
    let mut watch = Transcript::open(&client, everything()).await.unwrap();

    for (offset, jumped) in [("-1h", BEHIND), ("+1y", AHEAD), ("+0", BEHIND)] {
        let before = warnings(&server, jumped);
        assert_deadlines_stand(&client, || clock.set(offset)).await;
        write(&client, 5).await;
        assert_eq!(warnings(&server, jumped), before + 1, "{offset}: {:?}", server.log());
        let again = client.write(request("1")).await;
        assert!(again.repeated_request && again.revision == first.revision, "{offset}: {again:?}");
        watch.until(client.head().await).await;
    }

    // While it is away, too.
    clock.set("-1h");
    server.restart().await;
    let client = server.client();
    write(&client, 2).await;
    assert_eq!(warnings(&server, BEHIND), 1, "{:?}", server.log());

    let commits = client.commits(0).await;
    assert!(commits.windows(2).all(|pair| pair[0].revision + 1 == pair[1].revision));
    assert!(commits.windows(2).all(|pair| recorded_at(&pair[0]) <= recorded_at(&pair[1])), "recorded_at goes back");
    assert_as_of_recorded_at(&client, &commits).await;
    // It was an hour behind for a while, and stayed; then it went a year ahead, and stayed.
    let (first, last) = (recorded_at(&commits[0]), recorded_at(commits.last().unwrap()));
    assert!(commits[..8].iter().all(|commit| recorded_at(commit) - first < HOUR), "the hour back was not heeded");
    assert!(last > now() + 300 * 24 * HOUR, "the year forward was not seen");
    // What is published without a date is published when it is recorded, so the newest figure is the current one.
    assert_eq!(client.value(&stations(), "2021").await, (client.head().await - 1).to_string());
    // Nothing is forgotten for watches by a clock that is behind the record.
    let request = indicator_proto::v1::WatchRequest { start: Some(Start::AfterRevision(1)), ..everything() };
    Transcript::open(&client, request).await.unwrap().until(client.head().await).await;
}

#[tokio::test]
async fn a_credential_is_good_until_its_time_whatever_the_clock_did_before() {
    let clock = FakeClock::new();
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let created = run(&["token", "create", "--data", data.to_str().unwrap(), "--role", "admin", "--expires", "1h"]);
    assert_eq!(created.code, Some(0), "{}", created.stderr);
    let server = Server::try_start_in(&data, &["--auth"], &clock.environment()).unwrap();
    let client = Client::with_token(server.address(), created.stdout.trim());
    let code = async || client.admin().get_status(GetStatusRequest {}).await.err().map(|status| status.code());
    let start = Some(Start::Now(StartNow {}));
    for (offset, good) in [("+0", true), ("+2h", false), ("-1y", true), ("+1y", false), ("+0", true)] {
        clock.set("+0");
        eventually("the clock is right and the credential good", async || code().await.is_none()).await;
        let request = WatchRequest { start: start.clone(), ..WatchRequest::default() };
        let mut watch = client.watches().watch(request).await.unwrap().into_inner();
        clock.set(offset);
        assert_eq!(code().await, (!good).then_some(Code::Unauthenticated), "{offset}");
        if !good {
            let end = async { while watch.message().await.is_ok_and(|message| message.is_some()) {} };
            tokio::time::timeout(LONG, end).await.expect("the stream of an expired credential ends");
        }
    }
}
