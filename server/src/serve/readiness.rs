//! Where the server is between its start and its end, and whether it takes writes.

use std::{future, sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::engine::Alarm;

/// Between telling that the server stops and ending its streams: who watches the health hears of it first, and goes elsewhere.
const NOTICE: Duration = Duration::from_millis(50);

/// Where the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The store is being opened.
    Starting,
    /// Calls are answered.
    Serving,
    /// No new calls are wanted.
    Stopping,
}

/// What health checks, `/readyz` and the service manager are told.
#[derive(Debug, Clone)]
pub struct Readiness {
    phase: Arc<watch::Sender<Phase>>,
}

impl Default for Readiness {
    /// Of a server that is starting.
    fn default() -> Self {
        Self { phase: Arc::new(watch::Sender::new(Phase::Starting)) }
    }
}

impl Readiness {
    /// Where the server is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// The server answers calls now. One that is stopping goes on stopping.
    pub fn serve(&self) {
        self.phase.send_if_modified(|phase| {
            let starting = *phase == Phase::Starting;
            if starting {
                *phase = Phase::Serving;
            }
            starting
        });
    }

    /// The server wants no new calls.
    pub fn stop(&self) {
        self.phase.send_replace(Phase::Stopping);
    }

    /// When `asked` is cancelled, tells that the server stops, and a moment later cancels `stop`.
    pub async fn stop_when_asked(&self, asked: CancellationToken, stop: CancellationToken) {
        asked.cancelled().await;
        self.stop();
        sleep(NOTICE).await;
        stop.cancel();
    }
}

/// What a health check answers from.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    phase: watch::Receiver<Phase>,
    alarms: watch::Receiver<Arc<[Alarm]>>,
}

impl Standing {
    pub(super) fn new(readiness: &Readiness, alarms: watch::Receiver<Arc<[Alarm]>>) -> Self {
        Self { phase: readiness.phase.subscribe(), alarms }
    }

    /// Whether calls are answered.
    pub(super) fn serves(&self) -> bool {
        *self.phase.borrow() == Phase::Serving
    }

    /// Whether writes are taken.
    pub(super) fn takes_writes(&self) -> bool {
        self.serves() && self.alarms.borrow().is_empty()
    }

    /// Waits until either may have changed.
    pub(super) async fn changed(&mut self) {
        let alarms = async {
            // Without a store there are no alarms.
            if self.alarms.changed().await.is_err() {
                future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = self.phase.changed() => {}
            () = alarms => {}
        }
    }
}
