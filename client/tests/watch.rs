//! `indicator watch` as a process, against a server in this process that keeps hanging up.
#![cfg(feature = "cli")]
// Everything here is test code, the fake server too.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "other tests ask the fake for more")]
mod fake;

use std::{fs, path::Path, process::Stdio};

use tokio::process::Command;

use crate::fake::Fake;

/// How a run ended: exit code, standard output, standard error.
type Ended = (Option<i32>, String, String);

async fn watch(server: &str, arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_indicator"));
    command.arg("watch").args(arguments).args(["--server", server]).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    let output = command.output().await.expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

const REVISION: &str = "echo $INDICATOR_EVENT $INDICATOR_REVISION";

fn commits(revisions: impl IntoIterator<Item = u64>) -> String {
    revisions.into_iter().map(|revision| format!("commit {revision}\n")).collect()
}

#[tokio::test]
async fn each_commit_up_to_the_end_is_run_for_once_however_often_the_server_hangs_up() {
    let (server, _) = fake::start(Fake::default()).await;
    let (exit, out, err) = watch(&server, &["--since", "0", "--until", "8", "--exec", REVISION]).await;
    assert_eq!((exit, out), (Some(0), commits(1..=8)), "{err}");
    assert!(err.starts_with("watching: changes after revision 0\n"), "{err}");
    assert!(err.contains("lost the connection") && err.contains("watching again, without a gap"), "{err}");
}

#[tokio::test]
async fn the_next_run_goes_on_where_the_last_one_stopped() {
    let (server, _) = fake::start(Fake::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.json");
    let run = |until| watch_kept(&server, &path, until, REVISION);
    assert_eq!(run("4").await.1, commits(1..=4));
    assert_eq!(run("4").await.1, "", "there is nothing more");
    assert_eq!(run("9").await.1, commits(5..=9));
}

async fn watch_kept(server: &str, path: &Path, until: &str, command: &str) -> Ended {
    watch(server, &["--since", "0", "--until", until, "--resume-file", text(path), "--exec", command]).await
}

#[tokio::test]
async fn a_command_that_fails_ends_the_watch_and_is_run_again_by_the_next_one() {
    let (server, _) = fake::start(Fake::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.json");
    let (exit, out, err) = watch_kept(&server, &path, "9", &format!("{REVISION}; test $INDICATOR_REVISION -ne 5")).await;
    assert_eq!((exit, out), (Some(1), commits(1..=5)));
    assert!(err.contains("error: the command for the commit of revision 5 failed (exit status: 1)"), "{err}");
    assert_eq!(watch_kept(&server, &path, "7", REVISION).await.1, commits(5..=7));
}

#[tokio::test]
async fn another_history_is_told_and_begins_with_a_snapshot() {
    let (server, _) = fake::start(Fake::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.json");
    watch_kept(&server, &path, "4", REVISION).await;
    let of_another = fs::read_to_string(&path).unwrap().replace(r#""epoch":"e""#, r#""epoch":"f""#);
    fs::write(&path, of_another).unwrap();
    let (exit, out, err) = watch_kept(&server, &path, "11", REVISION).await;
    assert_eq!((exit, out.as_str()), (Some(0), "reset\nsnapshot\nsnapshot-end 10\ncommit 11\n"), "{err}");
    assert!(err.contains("what came before is void: the store has another history"), "{err}");
    assert!(fs::read_to_string(&path).unwrap().contains(r#""epoch":"e","revision":11"#));
}

#[tokio::test]
async fn a_file_that_does_not_fit_is_refused_before_anything_is_watched() {
    let (server, seen) = fake::start(Fake::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.json");
    watch_kept(&server, &path, "4", REVISION).await;
    let asked = seen.starts().len();
    let other = watch(&server, &["--resume-file", text(&path), "--mode", "latest"]).await;
    assert_eq!((other.0, other.1.as_str()), (Some(2), ""));
    assert!(other.2.contains("seen.json belongs to a watch of another selection"), "{}", other.2);
    fs::write(&path, "{").unwrap();
    let damaged = watch(&server, &["--resume-file", text(&path)]).await;
    assert_eq!((damaged.0, damaged.1.as_str()), (Some(1), ""));
    assert!(damaged.2.contains("seen.json is damaged"), "{}", damaged.2);
    assert_eq!(seen.starts().len(), asked);
}

#[tokio::test]
async fn a_reader_who_leaves_ends_the_watch_although_there_is_nothing_to_write() {
    let (server, _) = fake::start(Fake::default()).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_indicator"));
    command.args(["watch", "--server", &server]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // The fake's commits have no figures: no line is ever written.
    let mut child = command.spawn().expect("the command runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
}

#[tokio::test]
async fn an_interrupted_watch_finishes_the_event_in_hand_and_keeps_it() {
    let (server, _) = fake::start(Fake::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.json");
    // The command for the second commit has its watch stopped, and goes on for a while.
    let command = format!("{REVISION}; if [ $INDICATOR_REVISION = 2 ]; then kill -TERM $PPID; sleep 0.2; echo done; fi");
    let (exit, out, err) = watch_kept(&server, &path, "9", &command).await;
    assert_eq!((exit, out.as_str()), (Some(143), "commit 1\ncommit 2\ndone\n"), "{err}");
    assert_eq!(watch_kept(&server, &path, "4", REVISION).await.1, commits(3..=4));
}
