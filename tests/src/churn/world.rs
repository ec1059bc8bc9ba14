//! What the tasks of a run share.

use std::{
    net::SocketAddr,
    sync::Mutex,
    time::{Duration, Instant},
};

use indicator_proto::v1::Commit;
use tokio::sync::watch;

use crate::{LONG, client::Client, recorder::Common, server::Server};

/// The run.
#[derive(Debug)]
pub struct World {
    /// Where the server is now, and its process.
    server: Mutex<(SocketAddr, u32)>,
    pace: u32,
    /// Writes that were acknowledged as commits: actor, reason, revision.
    acknowledged: Mutex<Vec<(String, String, u64)>>,
    writing: watch::Sender<bool>,
    /// The last commit of all, and when it was the last, once that is known.
    end: watch::Sender<Option<(u64, Instant)>>,
    regions: Mutex<Vec<String>>,
    pub(crate) common: Common,
    /// Of another store.
    pub(crate) foreign_token: String,
}

impl World {
    pub(crate) fn new(server: &Server, foreign_token: String, pace: u32) -> Self {
        Self {
            server: Mutex::new((server.address(), server.process_id())),
            pace,
            acknowledged: Mutex::default(),
            writing: watch::Sender::new(true),
            end: watch::Sender::new(None),
            regions: Mutex::default(),
            common: Common::default(),
            foreign_token,
        }
    }

    /// A client with a connection of its own to where the server is now.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.server().0)
    }

    /// Where the server is now, and its process.
    ///
    /// # Panics
    ///
    /// Never.
    #[must_use]
    pub fn server(&self) -> (SocketAddr, u32) {
        *self.server.lock().unwrap()
    }

    pub(crate) fn moved_to(&self, server: &Server) {
        *self.server.lock().unwrap() = (server.address(), server.process_id());
    }

    /// The newest commit that somebody was told of.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.common.head()
    }

    /// Somebody was told of a commit.
    pub fn told_head(&self, revision: u64) {
        self.common.told_head(revision);
    }

    /// A write made a commit, its writer was told.
    pub(crate) fn acknowledged(&self, actor: String, reason: String, revision: u64) {
        self.acknowledged.lock().unwrap().push((actor, reason, revision));
    }

    /// The commits that writers were told of are there.
    pub(crate) fn assert_acknowledged(&self, commits: &[Commit]) {
        for (actor, reason, revision) in self.acknowledged.lock().unwrap().iter() {
            let commit = commits.iter().find(|commit| commit.revision == *revision);
            let context = commit.and_then(|commit| commit.context.as_ref());
            let found = context.is_some_and(|context| context.actor == *actor && context.reason == *reason);
            assert!(found, "{actor}, {reason} was acknowledged as {revision}, and that is {commit:?}");
        }
    }

    /// Waits, but not beyond the end of the writing.
    pub async fn wait(&self, time: Duration) {
        let mut writing = self.writing.subscribe();
        // The world outlives its tasks, so that only the time or the end comes.
        let _ = tokio::time::timeout(time, writing.wait_for(|writing| !writing)).await;
    }

    /// As [`World::wait`], as many times longer as the run's plan says.
    pub(crate) async fn rest(&self, time: Duration) {
        self.wait(time * self.pace).await;
    }

    /// Whether the writers still write.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        *self.writing.borrow()
    }

    pub(crate) fn stop_writing(&self) {
        self.writing.send_replace(false);
    }

    /// Nothing comes after this revision.
    pub(crate) fn finish(&self, head: u64) {
        self.common.told_head(head);
        self.end.send_replace(Some((head, Instant::now())));
    }

    /// The last revision of all, once that is known.
    pub(crate) fn end(&self) -> Option<u64> {
        self.end.borrow().map(|(head, _)| head)
    }

    /// Whether everybody should have had everything long ago.
    pub(crate) fn is_overdue(&self) -> bool {
        self.end.borrow().is_some_and(|(_, since)| since.elapsed() > 3 * LONG)
    }

    /// Waits, but not beyond the end of the run.
    pub(crate) async fn pause(&self, time: Duration) {
        let mut end = self.end.subscribe();
        // The world outlives its tasks, so that only the time or the end comes.
        let _ = tokio::time::timeout(time, end.wait_for(Option::is_some)).await;
    }

    pub(crate) fn add_region(&self, id: String) {
        self.regions.lock().unwrap().push(id);
    }

    /// The regions that figures are written of.
    ///
    /// # Panics
    ///
    /// Never.
    #[must_use]
    pub fn regions(&self) -> Vec<String> {
        self.regions.lock().unwrap().clone()
    }
}
