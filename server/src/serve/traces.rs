//! Calls as spans for a collector, by OTLP over HTTP.
//!
//! Only spans of calls go there; a call that came with a W3C `traceparent` continues the trace of its caller.

#[cfg(not(feature = "otlp"))]
pub use disabled::{Traces, layer};
#[cfg(feature = "otlp")]
pub(super) use enabled::describe;
#[cfg(feature = "otlp")]
pub use enabled::{Traces, layer};

/// Whether this build can send traces.
pub const BUILT: bool = cfg!(feature = "otlp");

#[cfg(feature = "otlp")]
mod enabled {
    use std::{
        fmt,
        sync::atomic::{AtomicBool, Ordering},
        time::Duration,
    };

    use http::{HeaderMap, Request, Response};
    use opentelemetry::{
        propagation::TextMapPropagator as _,
        trace::{TraceContextExt as _, TracerProvider as _},
    };
    use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError, hyper::HyperClient};
    use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
    use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
    use tokio::{runtime::Handle, task, time::timeout};
    use tracing::{Level, Span, Subscriber, level_filters::LevelFilter};
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;
    use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

    /// How long the collector may take for one request.
    const PATIENCE: Duration = Duration::from_secs(5);
    /// How long the last spans may take at a stop.
    const FAREWELL: Duration = Duration::from_secs(2);

    /// The spans that are on their way.
    #[derive(Debug)]
    pub struct Traces(SdkTracerProvider);

    /// A layer that sends the spans of calls to the collector at `endpoint`, and what sends them. Within a tokio runtime only.
    ///
    /// # Errors
    ///
    /// If the endpoint is no URL.
    pub fn layer<S>(endpoint: &str) -> anyhow::Result<(impl Layer<S> + use<S>, Traces)>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let client = OnRuntime {
            runtime: Handle::current(),
            client: HyperClient::with_default_connector(PATIENCE, None),
            failing: AtomicBool::new(false),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()?;
        let resource = Resource::builder()
            .with_service_name("indicatord")
            .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("indicatord"))
            .with_location(false)
            .with_threads(false)
            .with_filter(
                Targets::new().with_target(crate::serve::calls::CALLS_TARGET, Level::DEBUG).with_default(LevelFilter::OFF),
            );
        Ok((layer, Traces(provider)))
    }

    impl Traces {
        /// Sends what is left.
        pub async fn close(self) {
            // It blocks until the thread that sends has done so.
            let closed = task::spawn_blocking(move || self.0.shutdown_with_timeout(FAREWELL));
            if !matches!(timeout(FAREWELL, closed).await, Ok(Ok(Ok(())))) {
                tracing::warn!("the last traces did not reach the collector");
            }
        }
    }

    /// Names the span of a call, and makes it part of the trace that its caller began.
    pub(in crate::serve) fn describe(span: &Span, service: &str, method: &str, headers: &HeaderMap) {
        span.record("otel.name", format!("{service}/{method}"));
        span.record("otel.kind", "server");
        span.record("rpc.system", "grpc");
        let caller = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        if caller.span().span_context().is_valid() {
            // It fails where no layer takes the span.
            let _ = span.set_parent(caller);
        }
    }

    /// Spans are sent by a thread of their own, and the client needs a runtime.
    struct OnRuntime {
        runtime: Handle,
        client: HyperClient,
        /// Whether the last request failed, which is said once.
        failing: AtomicBool,
    }

    impl fmt::Debug for OnRuntime {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("OnRuntime").finish_non_exhaustive()
        }
    }

    #[tonic::async_trait]
    impl HttpClient for OnRuntime {
        async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
            let client = self.client.clone();
            let sent = self.runtime.spawn(async move { client.send_bytes(request).await }).await?;
            let failure = match &sent {
                Ok(response) if response.status().is_success() => None,
                Ok(response) => Some(response.status().to_string()),
                Err(error) => Some(error.to_string()),
            };
            match (self.failing.swap(failure.is_some(), Ordering::Relaxed), failure) {
                (false, Some(error)) => tracing::warn!(error, "the collector does not take the traces; they are dropped"),
                (true, None) => tracing::info!("the collector takes the traces again"),
                _ => {}
            }
            sent
        }
    }
}

#[cfg(not(feature = "otlp"))]
mod disabled {
    use tracing_subscriber::layer::Identity;

    /// Nothing is on its way.
    #[derive(Debug)]
    pub struct Traces;

    /// None: settings that ask for one are refused before.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn layer(_: &str) -> anyhow::Result<(Identity, Traces)> {
        anyhow::bail!("this build cannot send traces")
    }

    impl Traces {
        /// Nothing is left.
        pub async fn close(self) {}
    }
}
