//! Writers that note what was acknowledged, and what a server must have of it after a crash, a power loss, a fault of the disk.

use std::collections::HashMap;

use fastrand::Rng;
use indicator_proto::v1::{Commit, ListCommitsRequest, Observation, SeriesKey, WriteContext, WriteObservationsRequest};
use tokio::task::JoinHandle;

use crate::{
    assert_same,
    client::{Client, merge, replace, withdraw},
    figures::{key, published, value},
    record::{Record, assert_state, version},
};

/// A write of several cells in several series; its name, which is also its request id, finds its commit.
#[must_use]
pub fn write(rng: &mut Rng, name: &str) -> WriteObservationsRequest {
    let series = || ["CN", "CN-SD", "CN-BJ", "CN-SD.3710"].map(|region| key("5g-base-stations", region, "bureau"));
    let cell = |rng: &mut Rng, series: &SeriesKey, year: u32| {
        // The value tells its write, so that every write changes all of its cells.
        let digest = name.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        let figure = value(series, &(2000 + year).to_string(), &digest.to_string());
        match rng.u8(..6) {
            0 => published(["2010-01-01", "2015-01-01", "2090-01-01"][rng.usize(..3)], figure),
            _ => figure,
        }
    };
    let mut changes: Vec<Observation> = Vec::new();
    for series in &series() {
        for year in 0..12 {
            if rng.u8(..4) == 0 {
                changes.push(cell(rng, series, year));
            }
        }
    }
    if changes.is_empty() {
        changes.push(cell(rng, &series()[0], 0));
    }
    let request = match rng.u8(..8) {
        0 => replace(changes),
        1 => withdraw(&series()[rng.usize(..4)], &["2001", "2002", "2003"]),
        // Large enough for several pages of the store.
        2 => merge((1000..1600).map(|year| value(&series()[3], &year.to_string(), &rng.u32(..).to_string())).collect()),
        _ => merge(changes),
    };
    let context = Some(WriteContext { reason: name.to_owned(), ..WriteContext::default() });
    WriteObservationsRequest { request_id: name.to_owned(), context, omit_changes: true, ..request }
}

/// What a writer asked for, and the revision in the answer, if one came.
pub type Attempt = (WriteObservationsRequest, Option<u64>);

/// Attempts by request id.
pub type Attempts = HashMap<String, Attempt>;

/// Writes until the server is gone or refuses.
pub fn writer(client: Client, mut rng: Rng, name: String) -> JoinHandle<Vec<Attempt>> {
    tokio::spawn(async move {
        let mut attempts = Vec::new();
        for n in 0_u32.. {
            let request = write(&mut rng, &format!("{name}-{n}"));
            let answer = client.observations().write_observations(request.clone()).await;
            let gone = answer.is_err();
            attempts.push((request, answer.ok().map(|a| a.into_inner().revision)));
            if gone {
                break;
            }
        }
        attempts
    })
}

/// What is known of the log so far.
#[derive(Debug, Default)]
pub struct Known {
    record: Record,
    hashes: Vec<Vec<u8>>,
    /// The commit of each write that has one.
    revisions: HashMap<String, u64>,
}

impl Known {
    /// The hash of each commit, from the first on.
    #[must_use]
    pub fn hashes(&self) -> &[Vec<u8>] {
        &self.hashes
    }

    /// The newest commit that is known.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Checks what a server has after a crash against what was asked for.
    ///
    /// # Panics
    ///
    /// If an acknowledged write is missing, one is torn, or the log is not what it was.
    pub async fn check(&mut self, client: &Client, attempts: &Attempts) {
        self.check_hashes(client).await;
        for commit in client.commits(self.head()).await {
            self.take(&commit, attempts);
        }
        assert_eq!(client.status().await.head_hash, *self.hashes.last().unwrap());
        for (name, (_, acknowledged)) in attempts {
            if let Some(acknowledged) = acknowledged {
                // A write that changed nothing is answered with the head and has no commit.
                let found = self.revisions.get(name);
                assert!(found.is_none_or(|r| r == acknowledged), "{name} was acknowledged as {acknowledged}, not {found:?}");
                assert!(*acknowledged <= self.head(), "{name} was acknowledged as {acknowledged} and is lost");
            }
        }
        let state = self.record.state(self.head(), None);
        assert_state(&client.everything(None).await.observations, &state, "the state");
    }

    /// The log from its beginning: what was known stays as it was.
    async fn check_hashes(&self, client: &Client) {
        let (mut hashes, mut page_token) = (Vec::new(), String::new());
        loop {
            let request =
                ListCommitsRequest { page_size: 1000, until_revision: self.head().max(1), page_token, ..Default::default() };
            let page = client.observations().list_commits(request).await.unwrap().into_inner();
            hashes.extend(page.commits.into_iter().map(|c| c.hash));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let known = self.hashes.len();
        assert_same(&hashes[..known], &self.hashes, "hashes");
    }

    /// A commit must do exactly what its write asks for: all of it, and nothing else.
    fn take(&mut self, commit: &Commit, attempts: &Attempts) {
        assert_eq!(commit.revision, self.head() + 1, "a gap");
        assert!(!self.hashes.contains(&commit.hash));
        self.hashes.push(commit.hash.clone());
        if commit.entries > 0 {
            return;
        }
        let name = &commit.context.as_ref().unwrap().reason;
        let (request, _) = attempts.get(name).unwrap_or_else(|| panic!("a commit that nobody asked for: {name}"));
        assert_eq!(self.revisions.insert(name.clone(), commit.revision), None, "{name} was committed twice");
        let now = commit.recorded_at.as_ref().unwrap().try_into().unwrap();
        let planned = self.record.plan(request, now, commit.revision).versions;
        let told: Vec<_> = commit.changes.iter().map(version).collect();
        assert_same(&told, &planned, &format!("commit {} of {name}", commit.revision));
        self.record.follow(commit);
    }
}
