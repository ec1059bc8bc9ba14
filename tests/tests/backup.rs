//! Backups of a server that goes on writing, and what a store that was restored says of the past.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use indicator_client::archive::{self, ArchiveFile};
use indicator_proto::v1::{
    self, AsOf, BackupRequest, CompactRequest, GetObservationRequest, ListCommitsRequest, ListVintagesRequest,
    QueryObservationsRequest, RegionSelection, SeriesExpectation, VerifyRequest, WatchMode, WatchRequest,
    WriteObservationsRequest, watch_response::Message,
};
use indicator_tests::{
    assert_same,
    client::{Client, at_revision, merge, withdraw},
    copy, eventually,
    figures::{key, published, stations, value},
    refusal::Refusal,
    server::{Ended, Server, binary, run, serve},
    transcript::{Transcript, after, everything, resumed},
};
use tempfile::TempDir;
use tonic::Code;

/// What the command line says.
fn indicator(server: &Server, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary().with_file_name("indicator"));
    command.args(arguments).env("INDICATOR_SERVER", format!("http://{}", server.address())).env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn ended(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    &ended.stdout
}

/// The value of a line of what `indicatord` printed.
fn told<'a>(printed: &'a str, name: &str) -> &'a str {
    let line = printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in\n{printed}")).trim()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Names in a directory.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn churn(client: &Client, rounds: u32) {
    for n in 0..rounds {
        let region = ["CN", "CN-SD", "CN-BJ", "CN-SD.3710"][n as usize % 4];
        let series = key("5g-base-stations", region, "bureau");
        let figure = value(&series, &(2000 + n % 12).to_string(), &(n * 7).to_string());
        match n % 9 {
            7 => drop(client.write(withdraw(&series, &["2003", "2004"])).await),
            5 => drop(client.put(vec![published("2010-01-01", figure)]).await),
            _ => {
                let request_id = format!("{}-{n}", client.head().await);
                drop(client.write(WriteObservationsRequest { request_id, ..merge(vec![figure]) }).await);
            }
        }
    }
}

/// A server restored from backups, with further arguments of `restore`.
struct Restored {
    server: Server,
    printed: String,
    _directory: TempDir,
}

fn restore(files: &[&Path], arguments: &[&str], flags: &[&str]) -> Restored {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let files = files.iter().map(|file| text(file));
    let all: Vec<&str> = ["restore", "--data", text(&data)].into_iter().chain(files).chain(arguments.iter().copied()).collect();
    let printed = ended(&run(&all)).to_owned();
    assert!(ended(&run(&["verify", "--data", text(&data)])).contains("checked:"));
    Restored { server: Server::start_in(&data, flags), printed, _directory: directory }
}

/// The digest that a watch of everything tells of the newest state.
async fn digest(client: &Client) -> u64 {
    let request = WatchRequest { mode: WatchMode::Latest.into(), include_previous: false, ..everything() };
    let mut watch = client.watch(request).await.unwrap();
    loop {
        if let Some(Message::Progress(progress)) = watch.message().await.unwrap().unwrap().message
            && let Some(digest) = progress.digest
        {
            return digest;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_has_every_commit_up_to_its_beginning_while_writers_go_on() {
    let files = tempfile::tempdir().unwrap();
    let server = Server::start();
    let client = server.client_with_catalog().await;
    churn(&client, 60).await;
    let writers: Vec<_> = (0..3)
        .map(|_| {
            tokio::spawn({
                let client = server.client();
                async move { churn(&client, 150).await }
            })
        })
        .collect();
    let (full, one, two) = (files.path().join("full"), files.path().join("one"), files.path().join("two"));
    let before = client.head().await;
    let said = done(&indicator(&server, &["backup", text(&full)]));
    let first = archive::check(&full).unwrap().header;
    assert!(first.last_revision >= before && first.after_revision == 0);
    assert!(said.contains("up to revision") && said.contains(text(&full)), "{said}");
    assert_eq!(fs::metadata(&full).unwrap().permissions().mode() & 0o777, 0o600);
    eventually("writers go on", async || client.head().await > first.last_revision + 20).await;
    done(&indicator(&server, &["backup", text(&one), "--since-backup", text(&full)]));
    eventually("writers go on", async || client.head().await > first.last_revision + 60).await;
    let middle = archive::check(&one).unwrap().header;
    assert_eq!((middle.after_revision, &middle.after_hash), (first.last_revision, &first.last_hash));
    done(&indicator(&server, &["backup", text(&two), "--after", &middle.last_revision.to_string()]));
    for writer in writers {
        writer.await.unwrap();
    }
    let last = archive::check(&two).unwrap().header.last_revision;
    assert_eq!(names(files.path()), ["full", "one", "two"], "nothing else is left");
    ended(&run(&["verify", text(&full), text(&one), text(&two)]));
    ended(&run(&["verify", text(&two)]));

    for (archives, last) in [(vec![&*full], first.last_revision), (vec![&*full, &one, &two], last)] {
        let restored = restore(&archives, &[], &[]);
        let again = restored.server.client();
        let revision = last + 1_000_000_000;
        assert_eq!(told(&restored.printed, "revision"), revision.to_string());
        let status = again.status().await;
        assert_eq!(status.head_revision, revision);
        assert!(told(&restored.printed, "epoch").starts_with(&status.epoch) && status.epoch != client.status().await.epoch);
        assert_eq!(told(&restored.printed, "digest"), digest(&again).await.to_string());
        let commits = again.commits(0).await;
        let (restore, commits) = commits.split_last().unwrap();
        let mut expected = client.commits(0).await;
        expected.truncate(last as usize);
        assert_same(commits, &expected, "commits");
        let context = restore.context.as_ref().unwrap();
        assert_eq!((restore.revision, context.actor.as_str()), (revision, "indicatord restore"));
        assert_eq!(context.reason, format!("restored from a backup of {} at revision {last}", client.status().await.epoch));
        assert_same(
            &again.everything(None).await.observations,
            &client.everything(at_revision(last)).await.observations,
            "figures",
        );
        // What was asked before is answered as then.
        let repeated = merge(vec![value(&key("5g-base-stations", "CN", "bureau"), "2000", "0")]);
        let first_write = expected.iter().find(|c| !c.request_id.is_empty() && c.entries == 0).unwrap();
        let repeated = again.write(WriteObservationsRequest { request_id: first_write.request_id.clone(), ..repeated }).await;
        assert_eq!((repeated.revision, repeated.repeated_request), (first_write.revision, true));
        assert!(restored.server.client().admin().verify(VerifyRequest {}).await.unwrap().into_inner().problems.is_empty());
    }
    let verified = indicator(&server, &["verify"]);
    done(&verified);
    assert!(String::from_utf8(verified.stdout).unwrap().starts_with("checked "));
}

#[tokio::test]
async fn revisions_and_tokens_of_the_lost_history_are_refused_after_a_restore() {
    let files = tempfile::tempdir().unwrap();
    let server = Server::start();
    let client = server.client_with_catalog().await;
    churn(&client, 20).await;
    let backup = files.path().join("backup");
    done(&indicator(&server, &["backup", text(&backup)]));
    let last = client.head().await;
    // The history goes on, and is lost.
    churn(&client, 10).await;
    let lost = client.head().await;
    let page = QueryObservationsRequest { page_size: 1, ..Default::default() };
    let page_token = client.query(page.clone()).await.unwrap().next_page_token;
    let commits = ListCommitsRequest { page_size: 1, ..Default::default() };
    let commits_token = client.observations().list_commits(commits.clone()).await.unwrap().into_inner().next_page_token;
    let mut watch = Transcript::open(&client, everything()).await.unwrap();
    watch.until(lost).await;
    let resume_token = watch.token();

    let restored = restore(&[&backup], &["--revision-gap", "1000"], &["--replay-commits", "4"]);
    let client = restored.server.client();
    let head = last + 1000;
    assert_eq!(client.head().await, head);
    let other_epoch = (Code::FailedPrecondition, "OTHER_EPOCH");
    let refusal = client.query(QueryObservationsRequest { page_token, ..page }).await.unwrap_err();
    assert_eq!(refusal.what(), other_epoch);
    let refused = client.observations().list_commits(ListCommitsRequest { page_token: commits_token, ..commits }).await;
    assert_eq!(Refusal::from(refused.unwrap_err()).what(), other_epoch);
    let refused = Transcript::open(&client, resumed(&everything(), &resume_token)).await;
    assert_eq!(refused.map(drop).unwrap_err().what(), other_epoch);

    for revision in [last + 1, lost, head - 1] {
        let as_of = at_revision(revision);
        let mut refusals: Vec<(&str, Result<(), Refusal>)> = Vec::new();
        let mut observations = client.observations();
        refusals.push(("get as of", client.get_as_of(&stations(), "", as_of).await.map(drop)));
        let get = GetObservationRequest { series: Some(stations()), min_revision: revision, ..Default::default() };
        refusals.push(("get from", observations.get_observation(get).await.map(drop).map_err(Refusal::from)));
        for (what, request) in [
            ("query as of", QueryObservationsRequest { as_of, ..Default::default() }),
            ("query updated after", QueryObservationsRequest { updated_after: revision, ..Default::default() }),
            ("query from", QueryObservationsRequest { min_revision: revision, ..Default::default() }),
        ] {
            refusals.push((what, client.query(request).await.map(drop)));
        }
        let vintages = ListVintagesRequest { series: Some(stations()), as_of, ..Default::default() };
        refusals.push(("vintages", observations.list_vintages(vintages).await.map(drop).map_err(Refusal::from)));
        for (what, request) in [
            ("commits after", ListCommitsRequest { after_revision: revision, ..Default::default() }),
            ("commits until", ListCommitsRequest { until_revision: revision, ..Default::default() }),
        ] {
            refusals.push((what, observations.list_commits(request).await.map(drop).map_err(Refusal::from)));
        }
        refusals.push(("watch", Transcript::open(&client, after(revision)).await.map(drop)));
        let selection = Some(RegionSelection {
            indicator: "5g-base-stations".into(),
            level: "province".into(),
            ..RegionSelection::default()
        });
        for (what, request) in [
            ("rank as of", v1::RankRequest { selection: selection.clone(), as_of, ..Default::default() }),
            ("rank from", v1::RankRequest { selection: selection.clone(), min_revision: revision, ..Default::default() }),
        ] {
            refusals.push((what, client.analytics().rank(request).await.map(drop).map_err(Refusal::from)));
        }
        let mut admin = client.admin();
        refusals.push(("compact", admin.compact(CompactRequest { revision }).await.map(drop).map_err(Refusal::from)));
        let request = BackupRequest { after_revision: revision, ..BackupRequest::default() };
        refusals.push(("backup", admin.backup(request).await.map(drop).map_err(Refusal::from)));
        for (what, refusal) in refusals {
            let refusal = refusal.expect_err(what);
            assert_eq!(refusal.what(), (Code::FailedPrecondition, "REVISION_NOT_OF_THIS_HISTORY"), "{what}");
            assert!(refusal.message.contains(&last.to_string()) && refusal.message.contains(&head.to_string()), "{refusal:?}");
        }
        let expectation = SeriesExpectation { series: Some(stations()), revision };
        let write =
            WriteObservationsRequest { expected_revisions: vec![expectation], ..merge(vec![value(&stations(), "2020", "5")]) };
        assert_eq!(client.try_write(write).await.unwrap_err().what(), (Code::Aborted, "SERIES_CHANGED"));
    }
    // An increment of before is none of this history.
    let refused = indicator(&restored.server, &["backup", text(&files.path().join("more")), "--since-backup", text(&backup)]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("make a full backup"), "{refused:?}");
    assert_eq!(names(files.path()), ["backup"]);
    // What was restored, and the restore itself, are of this history.
    for revision in [1, last, head] {
        client
            .query(QueryObservationsRequest { as_of: at_revision(revision), min_revision: revision, ..Default::default() })
            .await
            .unwrap();
    }
    // The horizon is counted in commits.
    assert_eq!(client.status().await.horizon_revision, last - 3);
}

#[tokio::test]
async fn what_goes_through_the_log_goes_over_the_numbers_that_were_left_out() {
    let files = tempfile::tempdir().unwrap();
    let server = Server::start();
    let client = server.client_with_catalog().await;
    churn(&client, 12).await;
    let backup = files.path().join("backup");
    done(&indicator(&server, &["backup", text(&backup)]));
    let last = client.head().await;
    let mut restored = restore(&[&backup], &[], &[]);
    let head = last + 1_000_000_000;
    // From memory, and after a restart from the log.
    for round in 0_u64..2 {
        let client = restored.server.client();
        let mut live = Transcript::open(&client, everything()).await.unwrap();
        let replaying = [0, last - 3, last, head];
        let mut replays = Vec::new();
        for from in replaying {
            replays.push(Transcript::open(&client, after(from)).await.unwrap());
        }
        churn(&client, 8).await;
        let (newest, commits) = (client.head().await, client.commits(0).await);
        let numbers: Vec<u64> = commits.iter().map(|commit| commit.revision).collect();
        let expected: Vec<u64> = (1..=last).chain(head..=newest).collect();
        assert_eq!(numbers, expected, "round {round}");
        for (from, mut replay) in replaying.into_iter().zip(replays) {
            replay.until(newest).await;
            let after: Vec<_> = commits.iter().filter(|commit| commit.revision > from).cloned().collect();
            replay.assert_replays(&after, |_| true);
        }
        live.until(newest).await;
        live.assert_state(&client.everything(None).await.observations);
        // Pages of commits, both ways round.
        for newest_first in [false, true] {
            let (mut told, mut page_token) = (Vec::new(), String::new());
            loop {
                let request = ListCommitsRequest {
                    after_revision: last - 2,
                    until_revision: newest - 1,
                    newest_first,
                    page_size: 2,
                    page_token,
                    ..Default::default()
                };
                let page = client.observations().list_commits(request).await.unwrap().into_inner();
                told.extend(page.commits.into_iter().map(|c| c.revision));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            let mut expected: Vec<u64> = numbers.iter().copied().filter(|n| *n > last - 2 && *n < newest).collect();
            if newest_first {
                expected.reverse();
            }
            assert_eq!(told, expected);
        }
        // Cells that were updated since a revision on either side, and moments between commits.
        for since in [last - 4, last, head, head + 1] {
            let request = QueryObservationsRequest { updated_after: since, ..Default::default() };
            let told = client.query(request).await.unwrap().observations;
            assert!(told.iter().all(|o| o.revision > since), "{since}");
            let cells = |commit: &v1::Commit| commit.changes.iter().filter(|c| c.kind() != v1::ChangeKind::Backfilled).count();
            assert_eq!(told.is_empty(), commits.iter().filter(|c| c.revision > since).all(|c| cells(c) == 0), "{since}");
        }
        for commit in &commits[commits.len() - 12..] {
            let as_of = Some(AsOf { recorded_at: commit.recorded_at, ..AsOf::default() });
            let answer = client.everything(as_of).await;
            assert_eq!(answer.revision, commits.iter().filter(|c| time(c) <= time(commit)).map(|c| c.revision).max().unwrap());
        }
        let printed = String::from_utf8(indicator(&restored.server, &["log", "--limit", "0"]).stdout).unwrap();
        assert!(printed.contains("indicatord restore") && printed.contains("restored from a backup of"), "{printed}");
        restored.server.restart().await;
    }
}

fn time(commit: &v1::Commit) -> (i64, i32) {
    let time = commit.recorded_at.as_ref().unwrap();
    (time.seconds, time.nanos)
}

#[tokio::test]
async fn a_history_moves_with_the_same_head_and_the_same_digest() {
    let files = tempfile::tempdir().unwrap();
    let (data, new, file) = (files.path().join("data"), files.path().join("new"), files.path().join("history"));
    let mut server = Server::start_in(&data, &[]);
    let client = server.client_with_catalog().await;
    churn(&client, 40).await;
    let status = client.status().await;
    let (digest_before, commits) = (digest(&client).await, client.commits(0).await);
    let in_use = run(&["export-log", "--data", text(&data), text(&file)]);
    assert_eq!(in_use.code, Some(3), "{in_use:?}");
    server.stop().await;
    let exported = run(&["export-log", "--data", text(&data), text(&file)]);
    let exported = ended(&exported);
    let imported = run(&["import-log", "--data", text(&new), text(&file)]);
    let imported = ended(&imported);
    let verified = run(&["verify", "--data", text(&new)]);
    for name in ["revision", "hash", "digest"] {
        assert_eq!(told(exported, name), told(imported, name), "{name}");
    }
    assert_eq!(told(exported, "digest"), digest_before.to_string());
    assert_eq!(told(ended(&verified), "digest"), digest_before.to_string());
    assert_eq!(told(exported, "revision"), status.head_revision.to_string());
    let moved = Server::start_in(&new, &[]);
    let client = moved.client();
    let now = client.status().await;
    assert_eq!((now.head_revision, &now.head_hash), (status.head_revision, &status.head_hash));
    assert_ne!(now.epoch, status.epoch);
    assert_eq!(digest(&client).await, digest_before);
    assert_same(&client.commits(0).await, &commits, "commits");
    // It stays the same file of a history that stays the same.
    assert_eq!(run(&["export-log", "--data", text(&data), text(&file)]).code, Some(1), "it is there");
    ended(&run(&["export-log", "--force", "--data", text(&data), text(&file)]));
    assert_eq!(names(files.path()), ["data", "history", "new"]);
}

#[test]
fn the_store_of_an_earlier_release_and_an_empty_one_are_moved() {
    let files = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/store-1");
    let (data, file, new) = (files.path().join("data"), files.path().join("file"), files.path().join("new"));
    copy(&fixture, &data);
    let exported = run(&["export-log", "--data", text(&data), text(&file)]);
    assert_eq!(told(ended(&exported), "hash"), "6a4007cc81e6982851253813df49d866795ab7e72b80e3a89d2bc59e7f55eab2");
    let imported = run(&["import-log", "--data", text(&new), text(&file)]);
    assert_eq!(told(ended(&imported), "digest"), told(ended(&exported), "digest"));
    let verified = run(&["verify", "--data", text(&new)]);
    assert!(ended(&verified).contains("25 commits") && ended(&verified).contains("1 kept state"), "{}", verified.stdout);

    let (empty, nothing, none) = (files.path().join("empty"), files.path().join("nothing"), files.path().join("none"));
    ended(&run(&["import-log", "--data", text(&empty), text(&export_of_nothing(files.path()))]));
    ended(&run(&["export-log", "--data", text(&empty), text(&nothing)]));
    let restored = run(&["restore", "--data", text(&none), text(&nothing)]);
    assert_eq!(told(ended(&restored), "revision"), "1000000000");
}

/// The archive of a history without commits.
fn export_of_nothing(directory: &Path) -> PathBuf {
    let (data, file) = (directory.join("fresh"), directory.join("of-nothing"));
    drop(Server::start_in(&data, &[]));
    ended(&run(&["export-log", "--data", text(&data), text(&file)]));
    file
}

#[track_caller]
fn refused(ended: &Ended, code: i32, says: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(ended.stderr.contains(says), "{says:?} is not in {}", ended.stderr);
}

#[tokio::test]
async fn a_restore_that_fails_or_is_killed_leaves_no_store() {
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name);
    let server = Server::start();
    let client = server.client_with_catalog().await;
    churn(&client, 30).await;
    let (full, increment, data) = (path("full"), path("increment"), path("data"));
    done(&indicator(&server, &["backup", text(&full)]));
    churn(&client, 5).await;
    done(&indicator(&server, &["backup", text(&increment), "--since-backup", text(&full)]));

    // What is wrong is named, and nothing is left.
    let bytes = fs::read(&full).unwrap();
    fs::write(path("cut"), &bytes[..bytes.len() - 20]).unwrap();
    let mut altered = bytes.clone();
    altered[bytes.len() / 2] ^= 4;
    fs::write(path("altered"), altered).unwrap();
    fs::write(path("letter"), "dear").unwrap();
    for (archives, code, says) in [
        (vec!["cut"], 3, "cut: the archive is cut off"),
        (vec!["altered"], 3, "altered: the archive is damaged"),
        (vec!["letter"], 3, "letter: this is not an archive"),
        (vec!["increment"], 3, "increment: the archive is an increment"),
        (vec!["full", "increment", "increment"], 3, "increment: the archive does not follow: it goes on after commit"),
        (vec!["full", "full"], 3, "full: the archive does not follow"),
        (vec!["full", "missing"], 1, "missing"),
        (vec!["."], 1, "this is a directory"),
    ] {
        let archives: Vec<PathBuf> = archives.iter().map(|name| path(name)).collect();
        let archives: Vec<&str> = archives.iter().map(|path| text(path)).collect();
        refused(&run(&[&["restore", "--data", text(&data)], &archives[..]].concat()), code, says);
        assert!(!data.exists(), "{says}");
    }
    // A directory that was there stays, and is as it was.
    fs::create_dir(&data).unwrap();
    refused(&run(&["restore", "--data", text(&data), text(&path("cut"))]), 3, "cut off");
    assert_eq!(names(&data), [""; 0]);
    fs::write(data.join("letter.txt"), "dear").unwrap();
    refused(&run(&["restore", "--data", text(&data), text(&full)]), 3, "letter.txt");
    assert_eq!(names(&data), ["letter.txt"]);
    fs::remove_file(data.join("letter.txt")).unwrap();
    refused(&run(&["restore", "--data", text(&path("letter")), text(&full)]), 3, "letter");
    assert_eq!(fs::read(path("letter")).unwrap(), b"dear");

    // Killed in the middle.
    let mut restore = Command::new(binary());
    let mut killed =
        restore.args(["restore", "--data", text(&data), "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    killed.stdin.as_mut().unwrap().write_all(&bytes[..bytes.len() * 3 / 4]).unwrap();
    eventually("it has begun", async || data.join("sled").exists()).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    refused(&serve(&data), 3, "a restore was interrupted");
    refused(&run(&["verify", "--data", text(&data)]), 3, "a restore was interrupted");
    refused(&run(&["export-log", "--data", text(&data), text(&path("none"))]), 3, "a restore was interrupted");
    // Again, from standard input.
    let mut again = Command::new(binary()).args(["restore", "--data", text(&data), "-"]).stdin(Stdio::piped()).spawn().unwrap();
    again.stdin.take().unwrap().write_all(&bytes).unwrap();
    assert!(again.wait().unwrap().success());
    refused(&run(&["restore", "--data", text(&data), text(&full)]), 3, "it holds a store already");
    let restored = Server::start_in(&data, &[]);
    refused(&run(&["restore", "--data", text(&data), text(&full)]), 3, "it holds a store already");
    assert_eq!(restored.client().head().await, 1_000_000_000 + archive::check(&full).unwrap().header.last_revision);
}

#[tokio::test]
async fn a_backup_takes_its_name_when_it_is_whole_and_no_other() {
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name);
    let mut server = Server::start();
    server.client_with_catalog().await;
    fs::write(path("there"), "dear").unwrap();
    fs::create_dir(path("directory")).unwrap();
    symlink(path("there"), path("link")).unwrap();
    symlink(path("nowhere"), path("dangling")).unwrap();
    assert!(Command::new("mkfifo").arg(path("fifo")).status().unwrap().success());
    let before = names(files.path());
    for (name, force, says) in [
        ("there", false, "it is there already"),
        ("directory", false, "is a directory"),
        ("directory", true, "is a directory"),
        ("link", false, "no file of data"),
        ("link", true, "no file of data"),
        ("dangling", true, "no file of data"),
        ("fifo", false, "no file of data"),
        ("fifo", true, "no file of data"),
        ("directory/..", true, "does not end in the name of a file"),
        ("", true, "directory"),
    ] {
        let file = path(name);
        let arguments: Vec<&str> = ["backup", text(&file)].into_iter().chain(force.then_some("--force")).collect();
        let output = indicator(&server, &arguments);
        assert_eq!(output.status.code(), Some(2), "{name}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(says), "{name}: {output:?}");
        assert_eq!(names(files.path()), before, "{name}");
    }
    assert_eq!(fs::read(path("there")).unwrap(), b"dear");
    let nul = ArchiveFile::create(Path::new("a\0b"), true);
    assert!(nul.is_err(), "{nul:?}");
    let output = indicator(&server, &["backup", text(&path("missing/backup"))]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    // A path that leads through other directories is the caller's own business: it is a file on this machine.
    done(&indicator(&server, &["backup", text(&path("directory/../plain"))]));
    done(&indicator(&server, &["backup", text(&path("there")), "--force"]));
    ended(&run(&["verify", text(&path("there"))]));
    let piped = indicator(&server, &["backup", "-"]);
    done(&piped);
    let mut check = archive::Check::default();
    check.push(&piped.stdout).unwrap();
    assert_eq!(check.finish().unwrap().header.last_revision, 1);

    // Killed while it waits for the server: what is left has no name of a backup.
    server.signal("STOP");
    let mut command = Command::new(binary().with_file_name("indicator"));
    let command = command.args(["backup", text(&path("killed"))]).env("INDICATOR_SERVER", format!("http://{}", server.address()));
    let mut killed = command.stderr(Stdio::null()).spawn().unwrap();
    eventually("it has begun", async || names(files.path()).iter().any(|name| name.ends_with(".partial"))).await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!path("killed").exists());
    server.signal("CONT");
    done(&indicator(&server, &["backup", text(&path("killed"))]));
    // A server that goes away leaves nothing.
    server.kill();
    let output = indicator(&server, &["backup", text(&path("gone"))]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(!names(files.path()).iter().any(|name| name.starts_with("gone")));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_before_the_first_byte() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let status = client.status().await;
    let request = |after_revision, after_hash: &[u8], epoch: &str| BackupRequest {
        after_revision,
        after_hash: after_hash.to_vec(),
        epoch: epoch.to_owned(),
    };
    for (request, code, reason) in [
        (request(9, &[], ""), Code::OutOfRange, "FUTURE_REVISION"),
        (request(1, &[7; 32], ""), Code::FailedPrecondition, "REVISION_NOT_OF_THIS_HISTORY"),
        (request(1, &[7; 31], ""), Code::InvalidArgument, "INVALID_REQUEST"),
        (request(0, &[], "ffff"), Code::FailedPrecondition, "REVISION_NOT_OF_THIS_HISTORY"),
    ] {
        let refusal = client.admin().backup(request.clone()).await.map(drop).map_err(Refusal::from).unwrap_err();
        assert_eq!(refusal.what(), (code, reason), "{request:?}");
    }
    let right = request(1, &status.head_hash, &status.epoch);
    let mut stream = client.admin().backup(right).await.unwrap().into_inner();
    let mut check = archive::Check::default();
    while let Some(response) = stream.message().await.unwrap() {
        assert!(!response.chunk.is_empty());
        check.push(&response.chunk).unwrap();
    }
    assert_eq!(check.finish().unwrap().end.commits, 0);
}

#[tokio::test]
async fn a_damaged_store_is_told_and_ends_with_3() {
    let files = tempfile::tempdir().unwrap();
    let data = files.path().join("data");
    let mut server = Server::start_in(&data, &[]);
    churn(&server.client_with_catalog().await, 3).await;
    server.stop().await;
    // The last commit that was acknowledged is another.
    let watermark = data.join("WATERMARK");
    let mut bytes = fs::read(&watermark).unwrap();
    bytes[20] ^= 1;
    fs::write(&watermark, bytes).unwrap();
    let found = run(&["verify", "--data", text(&data)]);
    assert_eq!(found.code, Some(3));
    assert!(found.stdout.contains("was acknowledged") && found.stdout.contains("checked:"), "{found:?}");
    assert!(found.stderr.contains("1 problem"), "{found:?}");
    for arguments in [&["verify"][..], &["verify", "--data", "a", "b"]] {
        assert_eq!(run(arguments).code, Some(2), "{arguments:?}");
    }
    refused(&run(&["verify", "--data", text(&files.path().join("nowhere"))]), 3, "FORMAT");
    assert!(!files.path().join("nowhere").exists());
}
