//! What the tasks of a run share.

use std::{
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use indicator_tests::{client::Client, recorder::Common, server::Server};
use tokio::sync::watch;

/// The run.
#[derive(Debug)]
pub(crate) struct World {
    address: Mutex<SocketAddr>,
    writing: AtomicBool,
    /// The last commit of all, when there is one.
    end: watch::Sender<Option<u64>>,
    regions: Mutex<Vec<String>>,
    pub(crate) common: Common,
    /// Of another store.
    pub(crate) foreign_token: String,
}

impl World {
    pub(crate) fn new(server: &Server, foreign_token: String) -> Self {
        Self {
            address: Mutex::new(server.address()),
            writing: AtomicBool::new(true),
            end: watch::Sender::new(None),
            regions: Mutex::default(),
            common: Common::default(),
            foreign_token,
        }
    }

    /// A client with a connection of its own to where the server is now.
    pub(crate) fn client(&self) -> Client {
        Client::new(*self.address.lock().unwrap())
    }

    pub(crate) fn moved_to(&self, address: SocketAddr) {
        *self.address.lock().unwrap() = address;
    }

    pub(crate) fn is_writing(&self) -> bool {
        self.writing.load(Ordering::SeqCst)
    }

    pub(crate) fn stop_writing(&self) {
        self.writing.store(false, Ordering::SeqCst);
    }

    /// Nothing comes after this revision.
    pub(crate) fn finish(&self, head: u64) {
        self.common.told_head(head);
        self.end.send_replace(Some(head));
    }

    /// The last revision of all, once that is known.
    pub(crate) fn end(&self) -> Option<u64> {
        *self.end.borrow()
    }

    /// Waits, but not beyond the end of the writing.
    pub(crate) async fn pause(&self, time: Duration) {
        let mut end = self.end.subscribe();
        // The world outlives its tasks, so that only the time or the end comes.
        let _ = tokio::time::timeout(time, end.wait_for(Option::is_some)).await;
    }

    pub(crate) fn add_region(&self, id: String) {
        self.regions.lock().unwrap().push(id);
    }

    /// The regions that figures are written of.
    pub(crate) fn regions(&self) -> Vec<String> {
        self.regions.lock().unwrap().clone()
    }
}
