//! A command for each event.

use std::{io, mem, process::Stdio};

use anyhow::{Context as _, bail};
use indicator_client::WatchEvent;
use indicator_proto::{
    to_json,
    v1::{Reset, SnapshotChunk, SnapshotEnd},
};
use prost::{Message, Name};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Observations of a snapshot for one command: a command for each would take ages, and one for all any amount of memory.
const PART: usize = 1_000;

/// Runs a shell command for each event, one after the other.
#[derive(Debug)]
pub(super) struct Exec {
    command: String,
    server: String,
    epoch: String,
    /// The part of a snapshot that the next command gets.
    part: SnapshotChunk,
    size: usize,
}

impl Exec {
    pub(super) fn new(command: String, server: &str) -> Self {
        Self { command, server: server.to_owned(), epoch: String::new(), part: SnapshotChunk::default(), size: 0 }
    }

    /// Runs the command, and fails as it fails.
    pub(super) async fn take(&mut self, event: WatchEvent) -> anyhow::Result<()> {
        match event {
            WatchEvent::Opened { epoch, .. } => self.epoch = epoch,
            WatchEvent::Reset { reason } => {
                (self.part, self.size) = (SnapshotChunk::default(), 0);
                self.run("reset", None, 0, &Reset { reason }).await?;
            }
            WatchEvent::Snapshot(series) => {
                self.size += series.observations.len();
                self.part.series.push(series);
                self.run_part(PART).await?;
            }
            WatchEvent::SnapshotEntry(entry) => {
                self.size += 1;
                self.part.entries.push(entry);
                self.run_part(PART).await?;
            }
            WatchEvent::SnapshotEnd { revision, observations } => {
                self.run_part(1).await?;
                self.run("snapshot-end", Some(revision), 0, &SnapshotEnd { revision, observations }).await?;
            }
            WatchEvent::Commit(commit) => {
                let changes = commit.changes.len() + commit.catalog_changes.len();
                self.run("commit", Some(commit.revision), changes, &commit).await?;
            }
            WatchEvent::Connecting { .. } | WatchEvent::Live | WatchEvent::Progress { .. } | WatchEvent::Diverged { .. } => {}
        }
        Ok(())
    }

    async fn run_part(&mut self, at_least: usize) -> anyhow::Result<()> {
        if self.size < at_least {
            return Ok(());
        }
        let (part, size) = (mem::take(&mut self.part), mem::take(&mut self.size));
        self.run("snapshot", None, size, &part).await
    }

    async fn run<M: Message + Name>(
        &self,
        event: &str,
        revision: Option<u64>,
        changes: usize,
        message: &M,
    ) -> anyhow::Result<()> {
        let mut line = to_json(message).to_string();
        line.push('\n');
        let revision = revision.map(|revision| revision.to_string()).unwrap_or_default();
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(&self.command)
            .env("INDICATOR_EVENT", event)
            .env("INDICATOR_REVISION", &revision)
            .env("INDICATOR_CHANGES", changes.to_string())
            .env("INDICATOR_EPOCH", &self.epoch)
            .env("INDICATOR_SERVER", &self.server)
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot run sh")?;
        if let Some(mut stdin) = child.stdin.take() {
            // Closed at the end of this block; a command need not read it.
            match stdin.write_all(line.as_bytes()).await {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    return Err(error).context("cannot write to the command");
                }
                _ => {}
            }
        }
        let status = child.wait().await.context("cannot wait for the command")?;
        if status.success() {
            return Ok(());
        }
        let of = if revision.is_empty() { String::new() } else { format!(" of revision {revision}") };
        bail!("the command for the {event}{of} failed ({status}); the watch stops before it")
    }
}

#[cfg(test)]
mod tests {
    use indicator_proto::v1::{CellChange, CommitEvents, Observation, SeriesObservations};

    use super::*;

    fn commit(revision: u64) -> WatchEvent {
        WatchEvent::Commit(CommitEvents { revision, changes: vec![CellChange::default(); 2], ..CommitEvents::default() })
    }

    fn opened() -> WatchEvent {
        let outcome = indicator_proto::v1::WatchOutcome::Replay;
        WatchEvent::Opened { epoch: "e".to_owned(), revision: 0, head_revision: 0, outcome }
    }

    /// What the command writes into the file of its first argument for these events.
    async fn written(command: &str, events: Vec<WatchEvent>) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let command = format!("({command}) >> '{}'", file.path().display());
        let mut exec = Exec::new(command, "http://h:1");
        for event in events {
            exec.take(event).await.unwrap();
        }
        std::fs::read_to_string(file.path()).unwrap()
    }

    #[tokio::test]
    async fn a_command_gets_the_commit_as_a_line_and_the_rest_in_its_environment() {
        let environment =
            r#"echo "$INDICATOR_EVENT $INDICATOR_REVISION $INDICATOR_CHANGES $INDICATOR_EPOCH $INDICATOR_SERVER"; cat"#;
        let text = written(environment, vec![opened(), commit(7)]).await;
        let (first, line) = text.split_once('\n').unwrap();
        assert_eq!(first, "commit 7 2 e http://h:1");
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&json["revision"], line.lines().count()), (&serde_json::Value::from("7"), 1));
    }

    #[tokio::test]
    async fn commands_run_one_after_the_other() {
        let events = (1..=5).map(commit).collect();
        assert_eq!(written("sleep 0.0$((6 - INDICATOR_REVISION)); echo $INDICATOR_REVISION", events).await, "1\n2\n3\n4\n5\n");
    }

    #[tokio::test]
    async fn a_snapshot_comes_in_parts_between_a_reset_and_its_end() {
        let series = |count| {
            let observations = vec![Observation::default(); count];
            WatchEvent::Snapshot(SeriesObservations { series: None, observations })
        };
        let reset = WatchEvent::Reset { reason: "compacted".to_owned() };
        let events =
            vec![reset, series(700), series(700), series(3), WatchEvent::SnapshotEnd { revision: 9, observations: 1_403 }];
        let text = written("echo $INDICATOR_EVENT $INDICATOR_CHANGES $INDICATOR_REVISION", events).await;
        assert_eq!(text, "reset 0\nsnapshot 1400\nsnapshot 3\nsnapshot-end 0 9\n");
    }

    #[tokio::test]
    async fn a_command_that_fails_is_told_with_its_revision_and_its_status() {
        let error = Exec::new("exit 3".to_owned(), "").take(commit(7)).await.unwrap_err().to_string();
        assert_eq!(error, "the command for the commit of revision 7 failed (exit status: 3); the watch stops before it");
    }

    #[tokio::test]
    async fn a_command_need_not_read_what_it_gets() {
        let large = Observation { note: "x".repeat(1 << 20), ..Observation::default() };
        let change = CellChange { observation: Some(large), ..CellChange::default() };
        let commit = CommitEvents { revision: 1, changes: vec![change], ..CommitEvents::default() };
        Exec::new("true".to_owned(), "").take(WatchEvent::Commit(commit)).await.unwrap();
    }
}
