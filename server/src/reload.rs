//! SIGHUP: reads the settings, the certificates and the credentials again.

use std::sync::{Arc, Weak};

use indicator_server::{
    access::Keyring,
    engine::Engine,
    serve::{
        config::{ServeArgs, Settings},
        systemd,
        tls::Tls,
    },
};
use tokio::signal::unix::Signal;

/// Sets what is logged.
pub(crate) type SetLog = Box<dyn Fn(&str) -> anyhow::Result<()> + Send + Sync>;

/// What can change while the server runs.
pub(crate) struct Reload {
    pub(crate) args: Option<ServeArgs>,
    pub(crate) settings: Settings,
    pub(crate) set_log: SetLog,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) keyring: Option<Arc<Keyring>>,
    pub(crate) engine: Weak<Engine>,
    pub(crate) hangup: Signal,
}

impl Reload {
    /// Reads again at each SIGHUP. Never returns.
    pub(crate) async fn run(mut self) {
        while self.hangup.recv().await.is_some() {
            systemd::reloading();
            self.reload();
            systemd::ready("Read the settings again");
        }
    }

    fn reload(&mut self) {
        tracing::info!(signal = "SIGHUP", "reading settings, certificates and credentials again");
        if let Some(tls) = &self.tls {
            tls.refresh();
        }
        if let Some(keyring) = &self.keyring {
            keyring.refresh();
        }
        let Some(args) = &self.args else { return };
        let new = match args.settings() {
            Ok(effective) => effective.settings,
            Err(error) => return tracing::error!(%error, "the settings stay as they were"),
        };
        let mut applied = self.settings.clone();
        if new.log != applied.log {
            match (self.set_log)(&new.log) {
                Ok(()) => applied.log.clone_from(&new.log),
                Err(error) => tracing::error!(%error, "the log stays as it was"),
            }
        }
        if new.disk_limits() != applied.disk_limits()
            && let Some(engine) = self.engine.upgrade()
        {
            engine.set_disk_limits(new.disk_limits());
            (applied.min_free_bytes, applied.quota_bytes) = (new.min_free_bytes, new.quota_bytes);
        }
        let waiting = applied.differences(&new);
        if !waiting.is_empty() {
            tracing::warn!(settings = waiting.join(", "), "these settings change when the server is started again");
        }
        self.settings = applied;
    }
}
