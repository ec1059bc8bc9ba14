//! Replays of data files by the command line: what the record says afterwards, and in which order.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, process::Stdio};

use indicator_proto::v1::Commit;
use indicator_tests::{
    client::Client,
    eventually,
    figures::stations,
    server::{Server, binary},
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A directory with these files, each with the columns region, period, value and published_at.
fn files(files: &[(&str, &[&str])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, rows) in files {
        let rows: String = rows.iter().map(|row| format!("5g-base-stations,bureau,{row}\n")).collect();
        let content = format!("indicator,source,region,period,value,published_at\n{rows}");
        fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

/// A replay of files in a directory.
fn replay(server: &Server, directory: &Path, arguments: &[&str]) -> Child {
    Command::new(binary().with_file_name("indicator"))
        .args(["replay", "-o", "ndjson", "--server", &format!("http://{}", server.address())])
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// A run of the command.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    /// What it printed of each step.
    steps: Vec<serde_json::Value>,
    stderr: String,
}

async fn end(replay: Child) -> Ended {
    let output = replay.wait_with_output().await.unwrap();
    let steps = String::from_utf8(output.stdout).unwrap();
    let steps = steps.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Ended { code: output.status.code(), steps, stderr: String::from_utf8(output.stderr).unwrap() }
}

/// What each commit after the catalog's changed, as "region period value".
async fn log(client: &Client) -> (Vec<Commit>, Vec<Vec<String>>) {
    let commits = client.commits(1).await;
    let change = |it: &indicator_proto::v1::CellChange| {
        let new = it.observation.as_ref().unwrap();
        format!("{} {} {}", new.series.as_ref().unwrap().region, new.period, new.value)
    };
    let changes = commits.iter().map(|commit| commit.changes.iter().map(change).collect()).collect();
    (commits, changes)
}

#[tokio::test]
async fn a_replay_commits_one_period_after_the_other_whatever_the_order_of_the_file() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let rows: &[&str] =
        &["CN-SD,2021,5,", "CN-SD,2020-02,3,", "CN-SD,2020,4,", "山东,2020-01,1,", "CN-BJ,2021,6,", "CN-BJ,2020-01,2,"];
    let data = files(&[("a.csv", rows)]);
    let ended = end(replay(&server, data.path(), &["a.csv", "--speed", "max", "--reason", "a test"])).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (commits, changes) = log(&client).await;
    assert_eq!(
        changes,
        [
            vec!["CN-SD 2020-01 1", "CN-BJ 2020-01 2"],
            vec!["CN-SD 2020-02 3"],
            vec!["CN-SD 2020 4"],
            vec!["CN-SD 2021 5", "CN-BJ 2021 6"]
        ]
    );
    assert!(commits.iter().all(|commit| commit.context.as_ref().unwrap().reason == "a test"));
    let mut ids: Vec<_> = commits.iter().map(|commit| &commit.request_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), ids.iter().any(|id| id.is_empty())), (4, false), "each step can be repeated by itself");
    let told: Vec<_> =
        ended.steps.iter().map(|it| (it["step"].as_u64(), it["period"].as_str(), it["revision"].as_str())).collect();
    let expected = [(1, "2020-01", "2"), (2, "2020-02", "3"), (3, "2020", "4"), (4, "2021", "5")];
    assert_eq!(told, expected.map(|(step, period, revision)| (Some(step), Some(period), Some(revision))));

    let again = end(replay(&server, data.path(), &["a.csv", "--speed", "0.001"])).await;
    assert_eq!(again.code, Some(0), "what is there already takes no time: {again:?}");
    assert_eq!(again.steps.iter().map(|step| step["unchanged"].as_u64()).collect::<Vec<_>>(), [2, 1, 1, 2].map(Some));
    assert_eq!(client.head().await, 5);
}

#[tokio::test]
async fn a_replay_by_vintage_commits_one_edition_after_the_other() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let newer: &[&str] = &["CN-SD,2019,10,2021-03-01", "CN-SD,2020,21,2021-03-01", "CN-SD,2021,30,2022-03-01"];
    let older: &[&str] = &["CN-SD,2020,20,2020-03-01", "CN-SD,2019,10,2020-03-01"];
    let data = files(&[("newer.csv", newer), ("older.csv", older)]);
    let arguments = ["newer.csv", "older.csv", "--by", "vintage", "--speed", "max"];
    let ended = end(replay(&server, data.path(), &arguments)).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (_, changes) = log(&client).await;
    assert_eq!(changes, [vec!["CN-SD 2019 10", "CN-SD 2020 20"], vec!["CN-SD 2020 21"], vec!["CN-SD 2021 30"]]);
    let told: Vec<_> = ended.steps.iter().map(|it| (it["file"].as_str(), it["publishedAt"].as_str())).collect();
    let expected = [("older.csv", "2020-03-01"), ("newer.csv", "2021-03-01"), ("newer.csv", "2022-03-01")];
    for (told, (file, day)) in told.iter().zip(expected) {
        assert_eq!((told.0, told.1.map(|it| &it[..10])), (Some(file), Some(day)));
    }
    assert_eq!((told.len(), &*client.value(&stations(), "2020").await), (3, "21"));
}

#[tokio::test]
async fn a_file_with_a_bad_row_is_not_begun() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let data =
        files(&[("good.csv", &["CN-SD,2019,1,"]), ("bad.csv", &["CN-SD,2020,2,", "CN-SD,2021-Q5,3,", "Atlantis,2021,3,"])]);
    let ended = end(replay(&server, data.path(), &["good.csv", "bad.csv", "--speed", "max"])).await;
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.stderr.contains("bad.csv line 3: period: ") && ended.stderr.contains("bad.csv line 4: region: "), "{ended:?}");
    assert_eq!((client.head().await, ended.steps.len()), (1, 0));
}

#[tokio::test]
async fn a_replay_that_was_stopped_is_taken_up_where_it_was() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let data = files(&[("a.csv", &["CN-SD,2019,1,", "CN-SD,2020,2,", "CN-SD,2021,3,"])]);
    let stopped = replay(&server, data.path(), &["a.csv", "--speed", "0.001"]);
    eventually("the first step is written", async || client.head().await == 2).await;
    let sent = Command::new("kill").args(["-s", "INT", &stopped.id().unwrap().to_string()]).status().await.unwrap();
    assert!(sent.success());
    let ended = end(stopped).await;
    assert_eq!((ended.code, ended.steps.len()), (Some(1), 1), "{ended:?}");
    assert!(ended.stderr.contains("stopped after 1 of 3 steps (1 new; revision 2)"), "{ended:?}");
    let ended = end(replay(&server, data.path(), &["a.csv", "--speed", "max"])).await;
    assert_eq!((ended.code, ended.steps.len()), (Some(0), 3), "{ended:?}");
    let (_, changes) = log(&client).await;
    assert_eq!(changes, [["CN-SD 2019 1"], ["CN-SD 2020 2"], ["CN-SD 2021 3"]]);
}
