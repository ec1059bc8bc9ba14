//! What the service manager is told, by the protocol of systemd's `Type=notify`. Elsewhere nobody listens, and nothing is said.

use std::{sync::Weak, time::Duration};

use sd_notify::NotifyState;
use tokio::time::{Instant, sleep};

use crate::engine::Engine;

/// The service answers calls.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The settings are read again; [`ready`] ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "cannot tell the service manager of the reload"),
    }
}

/// The service has begun to stop.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells a service manager that asks for it that the service is alive, for as long as it is: this task runs, so the runtime does;
/// and the writer goes on, which it does once a second even when there is nothing to write. Nothing is written for it.
pub async fn keep_alive(engine: Weak<Engine>) {
    let Some(patience) = sd_notify::watchdog_enabled() else { return };
    let (mut pulse, mut changed) = (None, Instant::now());
    while let Some(now) = engine.upgrade().map(|engine| engine.meter().pulse()) {
        if pulse != Some(now) {
            (pulse, changed) = (Some(now), Instant::now());
        }
        if is_alive(changed.elapsed(), patience) {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::error!(
                seconds = changed.elapsed().as_secs(),
                "the writer is stuck; the service manager will be told no more"
            );
        }
        sleep(patience / 4).await;
    }
}

/// Whether the writer went on lately enough.
fn is_alive(since: Duration, patience: Duration) -> bool {
    since < patience.mul_f64(0.75)
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "cannot tell the service manager how the service is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_that_stands_still_is_told_of_no_more_before_the_patience_ends() {
        for seconds in [2, 30] {
            let patience = Duration::from_secs(seconds);
            // It goes on once a second.
            assert!(is_alive(Duration::from_secs(1), patience));
            assert!(!is_alive(patience, patience));
        }
    }
}
