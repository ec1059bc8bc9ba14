//! Servers on real sockets, met by clients that behave well and badly.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::SocketAddr,
    pin::Pin,
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt as _, stream};
use indicator_proto::health::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use indicator_proto::v1::{
    BackupRequest, BackupResponse, CompactRequest, CompactResponse, GetStatusRequest, GetStatusResponse, VerifyRequest,
    VerifyResponse, WatchRequest, WatchResponse,
    admin_service_client::AdminServiceClient,
    admin_service_server::{AdminService, AdminServiceServer},
    watch_service_client::WatchServiceClient,
    watch_service_server::{WatchService, WatchServiceServer},
};
use indicator_server::serve::{self, Calls, Deadline, Door, Options, Readiness};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status, transport::Channel};
use tonic_reflection::pb::{v1 as reflection, v1alpha};
use tonic_types::StatusExt as _;

/// Far more than anything here takes; a test that waits this long has failed.
const LONG: Duration = Duration::from_secs(20);

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    running: JoinHandle<()>,
    calls: mpsc::UnboundedReceiver<Option<Deadline>>,
    release: CancellationToken,
}

/// Tells of each call. Its streams never end, and the other calls are answered when they are released.
#[derive(Clone)]
struct Hanging {
    calls: mpsc::UnboundedSender<Option<Deadline>>,
    release: CancellationToken,
}

impl Hanging {
    fn tell<T>(&self, request: &Request<T>) {
        let _ = self.calls.send(request.extensions().get::<Deadline>().copied());
    }
}

#[tonic::async_trait]
impl WatchService for Hanging {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.tell(&request);
        Ok(Response::new(stream::pending().boxed()))
    }
}

#[tonic::async_trait]
impl AdminService for Hanging {
    async fn get_status(&self, request: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        self.tell(&request);
        self.release.cancelled().await;
        Ok(Response::new(GetStatusResponse::default()))
    }

    type BackupStream = stream::Pending<Result<BackupResponse, Status>>;

    async fn backup(&self, _: Request<BackupRequest>) -> Result<Response<Self::BackupStream>, Status> {
        Err(Status::unimplemented("no test calls this"))
    }

    async fn verify(&self, _: Request<VerifyRequest>) -> Result<Response<VerifyResponse>, Status> {
        Err(Status::unimplemented("no test calls this"))
    }

    async fn compact(&self, _: Request<CompactRequest>) -> Result<Response<CompactResponse>, Status> {
        Err(Status::unimplemented("no test calls this"))
    }
}

async fn start(options: Options) -> Server {
    let listener = serve::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let (sender, calls) = mpsc::unbounded_channel();
    let release = CancellationToken::new();
    let hanging = Hanging { calls: sender, release: release.clone() };
    let (readiness, alarms) = (Readiness::default(), watch::channel([].into()).1);
    readiness.serve();
    tokio::spawn({
        let (readiness, stop) = (readiness.clone(), stop.clone());
        async move { readiness.stop_when_asked(stop.clone(), stop).await }
    });
    let routes = serve::routes(&readiness, alarms, stop.clone())
        .add_service(WatchServiceServer::new(hanging.clone()))
        .add_service(AdminServiceServer::new(hanging));
    let stopping = stop.clone().cancelled_owned();
    let running = tokio::spawn(serve::run(listener, Door::default(), routes, options, Calls::default(), stopping));
    Server { address, stop, running, calls, release }
}

impl Server {
    async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    async fn health(&self) -> HealthClient<Channel> {
        HealthClient::new(self.channel().await)
    }

    /// Stops the server and says how long that took.
    async fn stop(self) -> Duration {
        let start = Instant::now();
        self.stop.cancel();
        timeout(LONG, self.running).await.expect("the server stops").unwrap();
        start.elapsed()
    }
}

fn check(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().expect("an ErrorInfo").reason
}

#[tokio::test]
async fn health_knows_the_server_and_each_of_its_services() {
    let server = start(Options::default()).await;
    let mut health = server.health().await;
    for service in ["", "indicator.v1.ObservationService", "indicator.v1.WatchService", "indicator.v1.CatalogService"] {
        let status = health.check(check(service)).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    assert_eq!(health.check(check("no.such.Service")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_watch_of_an_unknown_service_says_so_and_stays_open() {
    let server = start(Options::default()).await;
    let mut watch = server.health().await.watch(check("no.such.Service")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
    assert!(timeout(Duration::from_millis(300), watch.message()).await.is_err(), "the stream went on or ended");
}

#[tokio::test]
async fn stopping_tells_health_watchers_and_does_not_wait_for_them() {
    let server = start(Options::default()).await;
    let mut watch = server.health().await.watch(check("")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    assert!(server.stop().await < Duration::from_secs(5));
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(reason(&watch.message().await.unwrap_err()), "SHUTTING_DOWN");
}

#[tokio::test]
async fn a_stream_that_never_ends_holds_the_server_no_longer_than_the_grace() {
    let grace = Duration::from_secs(1);
    let server = start(Options { grace, ..Options::default() }).await;
    let mut watch = WatchServiceClient::new(server.channel().await).watch(WatchRequest::default()).await.unwrap().into_inner();
    let took = server.stop().await;
    assert!(took < grace + Duration::from_millis(500), "{took:?}");
    let status = watch.message().await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
}

#[tokio::test]
async fn a_call_in_flight_is_answered_and_a_new_connection_refused_while_the_server_stops() {
    let mut server = start(Options::default()).await;
    let channel = server.channel().await;
    let call = tokio::spawn(async move { AdminServiceClient::new(channel).get_status(GetStatusRequest::default()).await });
    server.calls.recv().await.unwrap();
    server.stop.cancel();
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    timeout(LONG, refused).await.expect("the port is closed");
    assert!(!server.running.is_finished());
    server.release.cancel();
    call.await.unwrap().unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_no_longer_reads_holds_the_server_no_longer_than_the_grace() {
    let grace = Duration::from_secs(1);
    let server = start(Options { grace, ..Options::default() }).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    // The preface and empty SETTINGS; it will never acknowledge anything.
    client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    client.read_u8().await.unwrap();
    let took = server.stop().await;
    assert!(took < grace + Duration::from_millis(500), "{took:?}");
}

#[tokio::test]
async fn a_port_is_free_as_soon_as_its_server_has_stopped() {
    let server = start(Options::default()).await;
    let address = server.address;
    server.stop().await;
    TcpListener::bind(address).await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_told_with_a_remedy() {
    let server = start(Options::default()).await;
    let error = serve::bind(server.address).await.unwrap_err().to_string();
    assert!(error.contains(&server.address.to_string()) && error.contains("listen elsewhere"), "{error}");
}

#[tokio::test]
async fn a_deadline_ends_a_hanging_stream() {
    let mut server = start(Options::default()).await;
    let mut request = Request::new(WatchRequest::default());
    request.set_timeout(Duration::from_millis(300));
    let mut watch = WatchServiceClient::new(server.channel().await).watch(request).await.unwrap().into_inner();
    assert!(server.calls.recv().await.unwrap().is_some(), "the service learns the deadline");
    let status = timeout(LONG, watch.message()).await.unwrap().unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "DEADLINE"));
}

#[tokio::test]
async fn a_call_without_a_deadline_has_none() {
    let mut server = start(Options::default()).await;
    let channel = server.channel().await;
    let call = tokio::spawn(async move { AdminServiceClient::new(channel).get_status(GetStatusRequest::default()).await });
    assert_eq!(server.calls.recv().await.unwrap(), None);
    call.abort();
}

#[tokio::test]
async fn a_message_of_17_mib_is_refused_and_one_of_15_mib_is_read() {
    let server = start(Options::default()).await;
    let mut health = server.health().await.max_encoding_message_size(usize::MAX);
    let status = health.check(check(&"x".repeat(17 << 20))).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "REQUEST_TOO_LARGE"));
    let status = health.check(check(&"x".repeat(15 << 20))).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn an_unknown_service_and_an_unknown_method_are_unimplemented() {
    let server = start(Options::default()).await;
    for path in ["/no.such.Service/Get", "/grpc.health.v1.Health/Get"] {
        let mut client = tonic::client::Grpc::new(server.channel().await);
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<HealthCheckRequest, HealthCheckRequest>::default();
        let status = client.unary(Request::new(check("")), path.parse().unwrap(), codec).await.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
    }
}

#[tokio::test]
async fn a_browser_is_told_what_this_is() {
    let server = start(Options::default()).await;
    let mut browser = TcpStream::connect(server.address).await.unwrap();
    browser.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut page = String::new();
    timeout(LONG, browser.read_to_string(&mut page)).await.unwrap().unwrap();
    assert!(page.starts_with("HTTP/1.1 404") && page.contains("gRPC"), "{page}");
}

#[tokio::test]
async fn a_connection_that_never_sends_a_preface_is_closed() {
    let server = start(Options { handshake_timeout: Duration::from_millis(200), ..Options::default() }).await;
    for part in [&b""[..], b"PRI * HTTP/2.0\r\n", b"GET / HT"] {
        let mut client = TcpStream::connect(server.address).await.unwrap();
        client.write_all(part).await.unwrap();
        let mut rest = Vec::new();
        let closed = timeout(LONG, client.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "{:?} was left open", String::from_utf8_lossy(part));
    }
}

#[tokio::test]
async fn a_connection_above_the_most_waits_until_another_ends() {
    let server = start(Options { max_connections: 1, ..Options::default() }).await;
    let mut first = server.health().await;
    first.check(check("")).await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", server.address)).unwrap().connect_lazy();
    let mut second = HealthClient::new(channel);
    assert!(timeout(Duration::from_millis(300), second.clone().check(check(""))).await.is_err());
    drop(first);
    timeout(LONG, second.check(check(""))).await.unwrap().unwrap();
}

#[tokio::test]
async fn reflection_v1_lists_the_services_and_knows_the_details_of_errors() {
    use reflection::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient, server_reflection_request::MessageRequest,
        server_reflection_response::MessageResponse,
    };
    let server = start(Options::default()).await;
    let mut client = ServerReflectionClient::new(server.channel().await);
    let requests = [
        MessageRequest::ListServices(String::new()),
        MessageRequest::FileContainingSymbol("google.rpc.BadRequest".to_owned()),
        MessageRequest::FileByFilename("google/protobuf/duration.proto".to_owned()),
        MessageRequest::FileContainingSymbol("indicator.v1.WatchService".to_owned()),
    ]
    .map(|request| ServerReflectionRequest { message_request: Some(request), ..Default::default() });
    let answers = client.server_reflection_info(stream::iter(requests)).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(|answer| answer.unwrap().message_response.unwrap()).collect().await;
    let MessageResponse::ListServicesResponse(services) = &answers[0] else { panic!("{answers:?}") };
    let names: Vec<_> = services.service.iter().map(|service| service.name.as_str()).collect();
    for name in [
        "indicator.v1.AdminService",
        "indicator.v1.CatalogService",
        "indicator.v1.ObservationService",
        "indicator.v1.WatchService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    for answer in &answers[1..] {
        assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{answer:?}");
    }
}

#[tokio::test]
async fn reflection_v1alpha_lists_the_services_and_knows_the_details_of_errors() {
    use v1alpha::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient, server_reflection_request::MessageRequest,
        server_reflection_response::MessageResponse,
    };
    let server = start(Options::default()).await;
    let mut client = ServerReflectionClient::new(server.channel().await);
    let requests =
        [MessageRequest::ListServices(String::new()), MessageRequest::FileContainingSymbol("google.rpc.BadRequest".to_owned())]
            .map(|request| ServerReflectionRequest { message_request: Some(request), ..Default::default() });
    let answers = client.server_reflection_info(stream::iter(requests)).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(|answer| answer.unwrap().message_response.unwrap()).collect().await;
    let MessageResponse::ListServicesResponse(services) = &answers[0] else { panic!("{answers:?}") };
    assert!(services.service.iter().any(|service| service.name == "indicator.v1.ObservationService"));
    assert!(matches!(answers[1], MessageResponse::FileDescriptorResponse(_)));
}
