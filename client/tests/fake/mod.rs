//! A server that refuses, hangs and hangs up as a test asks.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{Stream, stream};
use indicator_proto::v1::{
    self, Changes, Commit, CommitEvents, Progress, QueryHeader, QuerySummary, SeriesObservations, SnapshotChunk, SnapshotEnd,
    WatchOpened, WatchOutcome,
    observation_service_server::{ObservationService, ObservationServiceServer},
    query_observations_response::Message as QueryMessage,
    watch_request::Start,
    watch_response::Message as WatchMessage,
    watch_service_server::{WatchService, WatchServiceServer},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Request, Response, Status, Streaming, transport::Server};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// How the server behaves.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    /// So many writes are answered UNAVAILABLE.
    pub(crate) refusals: usize,
    /// Reads are never answered.
    pub(crate) hangs: bool,
    /// How a query ends.
    pub(crate) query: QueryEnd,
    /// Watches are answered INVALID_ARGUMENT.
    pub(crate) refuses_watches: bool,
}

/// How a query ends.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryEnd {
    /// As it must.
    #[default]
    Summary,
    /// By just ending.
    NoSummary,
}

/// What the server has been asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Asked>>);

#[derive(Debug, Default)]
struct Asked {
    request_ids: Vec<String>,
    timeout: Option<String>,
    starts: Vec<Option<Start>>,
}

impl Seen {
    /// Request ids of the writes, refused ones included.
    pub(crate) fn request_ids(&self) -> Vec<String> {
        self.0.lock().unwrap().request_ids.clone()
    }

    /// The `grpc-timeout` of the last read.
    pub(crate) fn timeout_header(&self) -> Option<String> {
        self.0.lock().unwrap().timeout.clone()
    }

    /// Where the watches started.
    pub(crate) fn starts(&self) -> Vec<Option<Start>> {
        self.0.lock().unwrap().starts.clone()
    }
}

/// Starts the server, which stops with the test's runtime.
pub(crate) async fn start(fake: Fake) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = Seen::default();
    let service = Arc::new(Service { fake, seen: seen.clone() });
    let server = Server::builder()
        .add_service(ObservationServiceServer::from_arc(service.clone()))
        .add_service(WatchServiceServer::from_arc(service))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    (address, seen)
}

/// An address at which nobody listens.
pub(crate) async fn unused_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A server that hangs up when it has been asked something, and counts how often.
pub(crate) async fn start_breaking() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = accepted.clone();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            // An empty SETTINGS frame: the client now takes this for an HTTP/2 server.
            connection.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
            let mut asked = [0; 256];
            let _ = connection.read(&mut asked).await;
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    (address, accepted)
}

struct Service {
    fake: Fake,
    seen: Seen,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

fn refusal(reason: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, "indicator.v1", []);
    let violations = ["INVALID_ID", "INVALID_PERIOD"]
        .map(|reason| FieldViolation { reason: reason.to_owned(), ..FieldViolation::new("series", "is not what it should be") });
    details.set_bad_request(violations.to_vec());
    Status::with_error_details(Code::InvalidArgument, "2 problems", details)
}

#[tonic::async_trait]
impl ObservationService for Service {
    async fn write_observations(
        &self,
        request: Request<v1::WriteObservationsRequest>,
    ) -> Result<Response<v1::WriteObservationsResponse>, Status> {
        let ids = &mut self.seen.0.lock().unwrap().request_ids;
        ids.push(request.into_inner().request_id);
        if ids.len() <= self.fake.refusals {
            return Err(Status::unavailable("not yet"));
        }
        Ok(Response::new(v1::WriteObservationsResponse::default()))
    }

    type ImportObservationsStream = Answers<v1::ImportObservationsResponse>;

    async fn import_observations(
        &self,
        _: Request<Streaming<v1::ImportObservationsRequest>>,
    ) -> Result<Response<Self::ImportObservationsStream>, Status> {
        Err(Status::unimplemented("no test imports"))
    }

    async fn get_observation(
        &self,
        request: Request<v1::GetObservationRequest>,
    ) -> Result<Response<v1::GetObservationResponse>, Status> {
        let timeout = request.metadata().get("grpc-timeout").and_then(|value| value.to_str().ok());
        self.seen.0.lock().unwrap().timeout = timeout.map(str::to_owned);
        if self.fake.hangs {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        Err(refusal("INVALID_REQUEST"))
    }

    type QueryObservationsStream = Answers<v1::QueryObservationsResponse>;

    async fn query_observations(
        &self,
        _: Request<v1::QueryObservationsRequest>,
    ) -> Result<Response<Self::QueryObservationsStream>, Status> {
        let other = v1::SeriesKey { region: "CN".to_owned(), ..v1::SeriesKey::default() };
        let mut messages = vec![
            QueryMessage::Header(QueryHeader { revision: 7, epoch: "e".to_owned() }),
            QueryMessage::Chunk(SeriesObservations::default()),
            QueryMessage::Chunk(SeriesObservations { series: Some(other.clone()), observations: Vec::new() }),
            QueryMessage::Chunk(SeriesObservations { series: Some(other), observations: Vec::new() }),
        ];
        if self.fake.query == QueryEnd::Summary {
            messages.push(QueryMessage::Summary(QuerySummary { series: 2, ..QuerySummary::default() }));
        }
        let messages = messages.into_iter().map(|message| Ok(v1::QueryObservationsResponse { message: Some(message) }));
        Ok(Response::new(Box::pin(stream::iter(messages))))
    }

    async fn list_vintages(&self, _: Request<v1::ListVintagesRequest>) -> Result<Response<v1::ListVintagesResponse>, Status> {
        Err(Status::unimplemented("no test asks for vintages"))
    }

    async fn list_vintage_dates(
        &self,
        _: Request<v1::ListVintageDatesRequest>,
    ) -> Result<Response<v1::ListVintageDatesResponse>, Status> {
        Err(Status::unimplemented("no test asks for vintage dates"))
    }

    /// Five commits, two a page.
    async fn list_commits(&self, request: Request<v1::ListCommitsRequest>) -> Result<Response<v1::ListCommitsResponse>, Status> {
        let after: u64 = request.into_inner().page_token.parse().unwrap_or(0);
        let commits = (after + 1..=5).take(2).map(|revision| Commit { revision, ..Commit::default() });
        let next = after + 2;
        let next_page_token = if next < 5 { next.to_string() } else { String::new() };
        let answer = v1::ListCommitsResponse { commits: commits.collect(), next_page_token, head_revision: 5 };
        Ok(Response::new(answer))
    }
}

#[tonic::async_trait]
impl WatchService for Service {
    type WatchStream = Answers<v1::WatchResponse>;

    /// Three commits from where it starts, progress in between, the first half of a fourth; then it hangs up. A snapshot is of revision
    /// 10, and has one figure.
    async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let start = request.into_inner().start;
        self.seen.0.lock().unwrap().starts.push(start.clone());
        if self.fake.refuses_watches {
            return Err(refusal("UNKNOWN_REGION"));
        }
        let revision = match &start {
            Some(Start::ResumeToken(token)) => token.parse().unwrap(),
            Some(Start::AfterRevision(revision)) => *revision,
            _ => 0,
        };
        let (snapshot, revision) = match start {
            None | Some(Start::Snapshot(_)) => (true, 10),
            _ => (false, revision),
        };
        let outcome = if snapshot { WatchOutcome::Snapshot } else { WatchOutcome::Replay };
        let (epoch, head_revision) = ("e".to_owned(), revision);
        let mut messages = vec![WatchMessage::Opened(WatchOpened { epoch, revision, outcome: outcome.into(), head_revision })];
        if snapshot {
            let observations = vec![v1::Observation::default()];
            let series = vec![SeriesObservations { series: None, observations }];
            messages.push(WatchMessage::Snapshot(SnapshotChunk { series, entries: Vec::new() }));
            messages.push(WatchMessage::SnapshotEnd(SnapshotEnd { revision, observations: 1 }));
        }
        for next in revision + 1..revision + 4 {
            messages.push(changes(next, false));
            if next == revision + 2 {
                let progress = Progress { revision: next, resume_token: next.to_string(), head_revision: next, digest: None };
                messages.push(WatchMessage::Progress(progress));
            }
        }
        messages.push(changes(revision + 4, true));
        let messages = messages.into_iter().map(|message| Ok(v1::WatchResponse { message: Some(message) }));
        Ok(Response::new(Box::pin(stream::iter(messages))))
    }
}

fn changes(revision: u64, more: bool) -> WatchMessage {
    let events = vec![CommitEvents { revision, ..CommitEvents::default() }];
    WatchMessage::Changes(Changes { first_revision: revision, last_revision: revision, events, more })
}
