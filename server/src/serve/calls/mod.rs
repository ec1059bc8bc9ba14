//! What is told of each call: how many there were and how they ended, and one line with its id.

mod call;
mod layer;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, LazyLock, OnceLock},
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use tonic::Code;
use tonic_reflection::pb;

use self::layer::CallsOf;
use super::paths::Page;

/// The target of the spans of calls.
pub(super) const CALLS_TARGET: &str = "indicator_server::serve::calls";

/// gRPC's codes are below this.
const CODES: usize = 17;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    service: &'static str,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: &'static str,
    method: &'static str,
    code: &'static str,
}

type Histograms = Family<MethodLabels, Histogram, fn() -> Histogram>;

fn seconds() -> Histogram {
    // From 0.1 ms to a minute and a half.
    Histogram::new(exponential_buckets(0.000_1, 2.5, 15))
}

/// Counts calls and connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Calls(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    /// By path. There is no other for a path that a client made up, so that there are only so many labels.
    methods: HashMap<String, Arc<Method>>,
    unknown: Arc<Method>,
    pages: [Arc<Method>; 3],
    requests: Family<CallLabels, Counter>,
    seconds: Histograms,
    in_flight: Family<MethodLabels, Gauge>,
    connections: Gauge,
}

/// What is counted of a method. Looked up once for each code, then at hand.
#[derive(Debug)]
struct Method {
    service: &'static str,
    name: &'static str,
    requests: Family<CallLabels, Counter>,
    codes: [OnceLock<Counter>; CODES],
    seconds: OnceLock<Histogram>,
    all_seconds: Histograms,
    in_flight: Gauge,
}

impl Default for Calls {
    fn default() -> Self {
        let requests = Family::default();
        let histograms = Histograms::new_with_constructor(seconds);
        let in_flight = Family::default();
        let method = |service, name| {
            Arc::new(Method {
                service,
                name,
                requests: Family::clone(&requests),
                codes: [const { OnceLock::new() }; CODES],
                seconds: OnceLock::new(),
                all_seconds: histograms.clone(),
                in_flight: Family::get_or_create_owned(&in_flight, &MethodLabels { service, method: name }),
            })
        };
        let methods = METHODS.iter().map(|&(service, name)| (format!("/{service}/{name}"), method(service, name))).collect();
        let unknown = method("unknown", "unknown");
        let pages = ["page", "stream", "open"].map(|name| method("display", name));
        Self(Arc::new(Counted {
            methods,
            unknown,
            pages,
            requests,
            seconds: histograms,
            in_flight,
            connections: Gauge::default(),
        }))
    }
}

/// Every method that is served, by service.
static METHODS: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
    let described = indicator_proto::pool().services().flat_map(|service| {
        let name: &'static str = service.full_name().to_owned().leak();
        service.methods().map(|method| (name, &*method.name().to_owned().leak())).collect::<Vec<_>>()
    });
    let reflection = [pb::v1::server_reflection_server::SERVICE_NAME, pb::v1alpha::server_reflection_server::SERVICE_NAME];
    described.chain(reflection.map(|service| (service, "ServerReflectionInfo"))).collect()
});

impl Calls {
    /// Makes them known.
    pub(super) fn register(&self, registry: &mut Registry) {
        let counted = &self.0;
        registry.register("requests", "Calls that have ended, streams included, by gRPC status code", counted.requests.clone());
        registry.register(
            "request_duration_seconds",
            "From the headers of a call to its status; a stream counts when it has ended",
            counted.seconds.clone(),
        );
        registry.register("requests_in_flight", "Calls that have not ended, streams included", counted.in_flight.clone());
        registry.register("connections", "Open connections on the public port", counted.connections.clone());
    }

    /// Counts a connection as long as it lives.
    pub(super) fn connection(&self) -> Connection {
        self.0.connections.inc();
        Connection(self.0.connections.clone())
    }

    /// What counts for a path: a page is known by what it is, a method by its name.
    fn method(&self, path: &str, page: Option<Page>) -> &Arc<Method> {
        let counted = &self.0;
        match page {
            Some(page) => &counted.pages[page as usize],
            None => counted.methods.get(path).unwrap_or(&counted.unknown),
        }
    }

    /// Around the services of a connection.
    pub(super) fn of(&self, peer: Option<SocketAddr>) -> CallsOf {
        CallsOf::new(self.clone(), peer)
    }
}

/// See [`Calls::connection`].
#[derive(Debug)]
pub(super) struct Connection(Gauge);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Method {
    fn count(&self, code: Code) {
        let counter = self.codes[code as usize].get_or_init(|| {
            let labels = CallLabels { service: self.service, method: self.name, code: NAMES[code as usize] };
            self.requests.get_or_create_owned(&labels)
        });
        counter.inc();
    }

    fn seconds(&self) -> &Histogram {
        self.seconds
            .get_or_init(|| self.all_seconds.get_or_create_owned(&MethodLabels { service: self.service, method: self.name }))
    }
}

/// The codes as gRPC writes them, by number.
const NAMES: [&str; CODES] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
