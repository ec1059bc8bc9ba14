//! What the private port tells those who run the service.

use std::{
    fmt::Write as _,
    sync::{Arc, OnceLock, Weak},
};

use axum::{Router, http::StatusCode, response::IntoResponse as _, routing::get};
use http::{HeaderValue, header::CONTENT_TYPE};
use prometheus_client::{encoding::prometheus_text, registry::Registry};
use tokio::task;
use tonic::service::Routes;

use super::{Calls, Phase, Readiness, metrics};
use crate::{engine::Engine, watch::Hub};

/// Answers `/livez`, `/readyz` and `/metrics`, from before the store is opened to after it is closed. Cheap to clone.
#[derive(Clone)]
pub struct Private {
    readiness: Readiness,
    served: Served,
    registry: Arc<Registry>,
}

/// What is served, once it is: it goes without asking whether somebody looks at its metrics.
#[derive(Clone, Default)]
pub(super) struct Served(Arc<OnceLock<(Weak<Engine>, Weak<Hub>)>>);

impl Served {
    pub(super) fn get(&self) -> Option<(Arc<Engine>, Arc<Hub>)> {
        let (engine, hub) = self.0.get()?;
        Some((engine.upgrade()?, hub.upgrade()?))
    }
}

impl Private {
    /// Of a server whose calls are counted.
    #[must_use]
    pub fn new(readiness: &Readiness, calls: &Calls) -> Self {
        let served = Served::default();
        let registry = metrics::registry(readiness, calls, &served);
        Self { readiness: readiness.clone(), served, registry: Arc::new(registry) }
    }

    /// The store is open, and this is what watches it.
    pub fn opened(&self, hub: &Arc<Hub>) {
        // It is opened once.
        let _ = self.served.0.set((Arc::downgrade(hub.engine()), Arc::downgrade(hub)));
    }

    /// What it answers.
    pub fn routes(&self) -> Routes {
        let (ready, measured) = (self.clone(), self.clone());
        let router = Router::new()
            .route("/livez", get(async || "alive\n"))
            .route("/readyz", get(async move || ready.readyz()))
            .route("/metrics", get(async move || measured.metrics().await))
            .fallback(async || (StatusCode::NOT_FOUND, "There are /livez, /readyz and /metrics.\n"));
        Routes::from(router)
    }

    /// A server that takes no writes is ready, since it answers reads; it says so.
    fn readyz(&self) -> (StatusCode, String) {
        let not_ready = |why: &str| (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n"));
        match self.readiness.phase() {
            Phase::Starting => not_ready("opening the store"),
            Phase::Stopping => not_ready("stopping"),
            Phase::Serving => {
                let mut text = "ready\n".to_owned();
                for alarm in self.served.get().iter().flat_map(|(engine, _)| engine.alarms().borrow().to_vec()) {
                    let _ = writeln!(text, "writes are stopped since {}: {}", alarm.since, alarm.message);
                }
                (StatusCode::OK, text)
            }
        }
    }

    async fn metrics(self) -> axum::response::Response {
        // It asks the disk for sizes, which may hang.
        let encoded = task::spawn_blocking(move || {
            let mut text = String::new();
            prometheus_text::encode(&mut text, &self.registry).map(|()| text)
        });
        match encoded.await {
            Ok(Ok(text)) => ([(CONTENT_TYPE, HeaderValue::from_static(prometheus_text::CONTENT_TYPE))], text).into_response(),
            Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}
