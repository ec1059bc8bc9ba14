//! What the server tells of itself: probes, health checks, metrics, alarms, request ids, traces; and in which order it stops.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use indicator_proto::{
    health::{HealthCheckRequest, HealthCheckResponse, HealthListRequest, health_check_response::ServingStatus},
    v1::{AlarmKind, GetStatusRequest, ObservationFilter, WatchRequest, WriteObservationsRequest},
};
use indicator_tests::{
    LONG,
    client::{Client, merge},
    eventually,
    figures::{stations, value},
    http::{Page, get, metric, try_get},
    server::{Server, binary},
    transcript::{Transcript, everything},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tonic::{Code, Request, Streaming};

async fn metrics(server: &Server) -> Page {
    get(server.admin_address(), "/metrics").await
}

async fn health_watch(client: &Client, service: &str) -> Streaming<HealthCheckResponse> {
    client.health().watch(HealthCheckRequest { service: service.to_owned() }).await.unwrap().into_inner()
}

async fn next(watch: &mut Streaming<HealthCheckResponse>) -> ServingStatus {
    timeout(LONG, watch.message()).await.expect("a status").unwrap().unwrap().status()
}

#[tokio::test]
async fn the_private_port_has_probes_and_metrics_and_nothing_else() {
    let server = Server::start();
    let admin = server.admin_address();
    let (live, ready) = (get(admin, "/livez").await, get(admin, "/readyz").await);
    assert_eq!((live.status, live.text.as_str()), (200, "alive\n"));
    assert_eq!((ready.status, ready.text.as_str()), (200, "ready\n"));
    let page = metrics(&server).await;
    assert_eq!(page.status, 200);
    assert!(page.headers.contains("text/plain; version=0.0.4"), "{}", page.headers);
    assert_eq!(get(admin, "/debug").await.status, 404);
    // The public port has none of it.
    assert_eq!(get(server.address(), "/metrics").await.status, 404);
}

#[tokio::test]
async fn a_server_that_opens_its_store_is_alive_and_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    fs::create_dir(&data).unwrap();
    // Reading it waits for somebody who writes: so does opening the store.
    let mark = data.join("FORMAT");
    assert!(Command::new("mkfifo").arg(&mark).status().unwrap().success());
    let admin = unused_port().await;
    let mut server = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", &admin, "--data"])
        .arg(&data)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let admin = admin.parse().unwrap();
    eventually("the private port answers", async || try_get(admin, "/livez").await.is_some_and(|page| page.status == 200)).await;
    let ready = get(admin, "/readyz").await;
    assert_eq!((ready.status, ready.text.as_str()), (503, "not ready: opening the store\n"));
    assert_eq!(metric(&get(admin, "/metrics").await, "indicatord_ready"), Some(0.0));

    let mut mark = OpenOptions::new().write(true).open(&mark).unwrap();
    mark.write_all(b"indicatord data directory, format 1\n").unwrap();
    drop(mark);
    eventually("the server is ready", async || get(admin, "/readyz").await.status == 200).await;
    assert_eq!(metric(&get(admin, "/metrics").await, "indicatord_ready"), Some(1.0));
    server.kill().unwrap();
    server.wait().unwrap();
}

async fn unused_port() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

#[tokio::test]
async fn readiness_is_an_exit_code_where_there_is_nothing_else_to_ask_with() {
    let ready = |address: String| Command::new(binary()).args(["ready", "--admin-listen", &address]).output().unwrap();
    let server = Server::start();
    let output = ready(server.admin_address().to_string());
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"ready\n"[..]), "{output:?}");
    let output = ready(unused_port().await);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[tokio::test]
async fn a_stop_is_told_before_streams_are_closed_and_the_private_port_answers_until_the_end() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    let admin = server.admin_address();
    let mut health = health_watch(&server.client(), "").await;
    assert_eq!(next(&mut health).await, ServingStatus::Serving);
    let mut watch = Transcript::open(&client, everything()).await.unwrap();
    watch.until(1).await;
    // Holds the server up for the whole grace.
    let mut stalled = TcpStream::connect(server.address()).await.unwrap();
    stalled.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    stalled.read_u8().await.unwrap();

    server.signal("TERM");
    assert_eq!(next(&mut health).await, ServingStatus::NotServing);
    let ready = get(admin, "/readyz").await;
    assert_eq!((ready.status, ready.text.as_str()), (503, "not ready: stopping\n"), "as soon as the health says so");
    assert!(watch.closing.is_none());
    watch.to_end().await.unwrap();
    assert!(watch.closing.is_some());
    assert!(health.message().await.is_err(), "the health check ends too");
    assert_eq!(get(admin, "/livez").await.status, 200, "calls are still drained");
    assert_eq!(metric(&metrics(&server).await, "indicatord_ready"), Some(0.0));
    drop(stalled);
    assert_eq!(server.wait().await.code(), Some(0));
    assert!(try_get(admin, "/livez").await.is_none());
}

#[tokio::test]
async fn streams_are_closed_only_after_readiness_is_gone() {
    let mut server = Server::start_with(&["--grace", "60"]);
    let client = server.client_with_catalog().await;
    let mut watch = Transcript::open(&client, everything()).await.unwrap();
    watch.until(1).await;
    let mut stalled = TcpStream::connect(server.address()).await.unwrap();
    stalled.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    stalled.read_u8().await.unwrap();
    server.signal("TERM");
    watch.to_end().await.unwrap();
    assert!(watch.closing.is_some());
    assert_eq!(get(server.admin_address(), "/readyz").await.status, 503);
    server.signal("TERM");
    assert_eq!(server.wait().await.code(), Some(1), "a second signal ends at once");
}

#[tokio::test]
async fn health_lists_the_services_and_the_writes() {
    let server = Server::start();
    let mut health = server.client().health();
    let statuses = health.list(HealthListRequest {}).await.unwrap().into_inner().statuses;
    let names: Vec<_> = statuses.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "",
            "indicator.v1.AdminService",
            "indicator.v1.AnalyticsService",
            "indicator.v1.CatalogService",
            "indicator.v1.ObservationService",
            "indicator.v1.WatchService",
            "writes",
        ]
    );
    assert!(statuses.values().all(|health| health.status() == ServingStatus::Serving), "{statuses:?}");
    let unknown = health.check(HealthCheckRequest { service: "WRITES".to_owned() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

/// A thousand figures with long notes, so that the store grows.
fn bulk(number: u32) -> WriteObservationsRequest {
    let changes = (1000..2000).map(|year| {
        let mut change = value(&stations(), &year.to_string(), &number.to_string());
        change.note = format!("{number} of {year} ").repeat(60);
        change
    });
    WriteObservationsRequest { omit_changes: true, ..merge(changes.collect()) }
}

/// Bytes for a few writes.
const ROOM: u64 = 8 << 20;

#[tokio::test]
async fn a_quota_stops_writes_and_is_told_everywhere_until_it_is_raised() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "1")]).await;
    // The file grows somewhat with every start, too.
    let quota = client.status().await.store_bytes + ROOM;
    server.stop().await;
    server.start_again_with(&["--quota-bytes", &quota.to_string()]);
    let client = server.client();
    let (mut whole, mut writes) = (health_watch(&client, "").await, health_watch(&client, "writes").await);
    assert_eq!((next(&mut whole).await, next(&mut writes).await), (ServingStatus::Serving, ServingStatus::Serving));
    assert_eq!(client.status().await.alarms, []);

    let mut numbers = 0..1000;
    let refusal = loop {
        let number = numbers.next().expect("the quota is never reached");
        if let Err(refusal) = client.try_write(bulk(number)).await {
            break refusal;
        }
    };
    assert_eq!(refusal.what(), (Code::ResourceExhausted, "QUOTA_EXCEEDED"), "{refusal:?}");
    assert!(refusal.message.contains("raise quota-bytes to "), "{}", refusal.message);
    assert_eq!(next(&mut writes).await, ServingStatus::NotServing);
    let check = |service: &str| HealthCheckRequest { service: service.to_owned() };
    for (service, expected) in [("", ServingStatus::Serving), ("writes", ServingStatus::NotServing)] {
        assert_eq!(client.health().check(check(service)).await.unwrap().into_inner().status(), expected, "{service:?}");
    }
    assert_eq!(client.value(&stations(), "2020").await, "1", "reads go on");

    let status = client.status().await;
    let [alarm] = &*status.alarms else { panic!("{:?}", status.alarms) };
    assert_eq!((alarm.kind(), status.quota_bytes), (AlarmKind::Quota, quota));
    assert!(alarm.since.is_some() && alarm.message.contains(&quota.to_string()), "{alarm:?}");
    let ready = get(server.admin_address(), "/readyz").await;
    assert_eq!(ready.status, 200, "reads make it ready");
    assert!(ready.text.starts_with("ready\nwrites are stopped since ") && ready.text.contains("quota"), "{}", ready.text);
    let page = metrics(&server).await;
    for (reason, stopped) in [("quota", 1.0), ("low_disk", 0.0), ("store_failed", 0.0)] {
        let name = format!("indicatord_writes_stopped{{reason=\"{reason}\"}}");
        assert_eq!(metric(&page, &name), Some(stopped), "{name} in\n{}", page.text);
    }
    let told = command_line(&server, &["status"]);
    assert!(told.contains("writes stopped") && told.contains("raise quota-bytes"), "{told}");
    let told = command_line(&server, &["status", "-o", "csv"]);
    assert!(told.trim_end().ends_with(",quota"), "{told}");

    let enough = refusal.message.split("raise quota-bytes to ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let enough: u64 = enough.parse().unwrap();
    server.stop().await;
    server.start_again_with(&["--quota-bytes", &(enough + ROOM).to_string()]);
    server.client().put(vec![value(&stations(), "2020", "2")]).await;
    assert_eq!(get(server.admin_address(), "/readyz").await.text, "ready\n");
}

fn command_line(server: &Server, arguments: &[&str]) -> String {
    let output = Command::new(binary().with_file_name("indicator"))
        .args(arguments)
        .env("INDICATOR_SERVER", format!("http://{}", server.address()))
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Calls of many kinds: such that succeed and fail, streams, and of methods that there are not.
async fn some_of_everything(server: &Server) -> Client {
    let client = server.client_with_catalog().await;
    for number in 0..3 {
        client.put(vec![value(&stations(), "2020", &number.to_string())]).await;
    }
    client.get(&stations(), "1999").await.unwrap_err();
    client.everything(None).await;
    for path in ["/no.such.Service/Get", "/indicator.v1.AdminService/Get", "/a/b"] {
        let mut grpc = tonic::client::Grpc::new(
            tonic::transport::Endpoint::from_shared(format!("http://{}", server.address())).unwrap().connect_lazy(),
        );
        grpc.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<GetStatusRequest, GetStatusRequest>::default();
        grpc.unary(Request::new(GetStatusRequest {}), path.parse().unwrap(), codec).await.unwrap_err();
    }
    client
}

#[tokio::test]
async fn metrics_count_calls_by_method_and_code_and_paths_that_are_made_up_are_one() {
    let server = Server::start();
    let client = some_of_everything(&server).await;
    let mut watch = Transcript::open(&client, everything()).await.unwrap();
    watch.until(4).await;
    client.put(vec![value(&stations(), "2020", "9")]).await;
    watch.until(5).await;
    let page = metrics(&server).await;
    let requests = |service: &str, method: &str, code: &str| {
        let labels = format!("{{service=\"{service}\",method=\"{method}\",code=\"{code}\"}}");
        metric(&page, &format!("indicatord_requests_total{labels}"))
    };
    let observation = "indicator.v1.ObservationService";
    assert_eq!(requests(observation, "WriteObservations", "OK"), Some(4.0), "{}", page.text);
    assert_eq!(requests(observation, "GetObservation", "NOT_FOUND"), Some(1.0));
    assert_eq!(requests(observation, "QueryObservations", "OK"), Some(1.0));
    assert_eq!(requests("unknown", "unknown", "UNIMPLEMENTED"), Some(3.0));
    let labels = "{service=\"indicator.v1.ObservationService\",method=\"WriteObservations\"}";
    assert_eq!(metric(&page, &format!("indicatord_request_duration_seconds_count{labels}")), Some(4.0));
    let watching = "indicatord_requests_in_flight{service=\"indicator.v1.WatchService\",method=\"Watch\"}";
    assert_eq!(metric(&page, watching), Some(1.0));
    for (name, expected) in [
        ("indicatord_head_revision", 5.0),
        ("indicatord_commits_total", 5.0),
        ("indicatord_observations_written_total{kind=\"inserted\"}", 1.0),
        ("indicatord_observations_written_total{kind=\"revised\"}", 3.0),
        ("indicatord_commit_group_size_count", 5.0),
        ("indicatord_commit_group_size_sum", 5.0),
        ("indicatord_flush_duration_seconds_count", 5.0),
        ("indicatord_write_queue_length", 0.0),
        ("indicatord_subscribers", 1.0),
        ("indicatord_series", 1.0),
    ] {
        assert_eq!(metric(&page, name), Some(expected), "{name} in\n{}", page.text);
    }
    for name in [
        "indicatord_store_bytes",
        "indicatord_disk_free_bytes",
        "indicatord_connections",
        "indicatord_watch_encoded_bytes_total",
        "indicatord_watch_shared_bytes_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_start_time_seconds",
    ] {
        assert!(metric(&page, name).is_some_and(|value| value > 0.0), "{name} in\n{}", page.text);
    }
}

#[tokio::test]
async fn a_call_that_its_client_gives_up_is_counted_as_cancelled_and_is_no_longer_in_flight() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let watch = client.watch(everything()).await.unwrap();
    drop(watch);
    let labels = "{service=\"indicator.v1.WatchService\",method=\"Watch\"";
    eventually("the watch has ended", async || {
        let page = metrics(&server).await;
        metric(&page, &format!("indicatord_requests_total{labels},code=\"CANCELLED\"}}")) == Some(1.0)
            && metric(&page, &format!("indicatord_requests_in_flight{labels}}}")) == Some(0.0)
            && metric(&page, "indicatord_subscribers") == Some(0.0)
    })
    .await;
}

#[tokio::test]
async fn a_frame_for_many_watches_is_encoded_once_and_who_does_not_read_lags() {
    const WATCHES: usize = 10;
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let mut watches = Vec::new();
    for _ in 0..WATCHES {
        let mut watch = Transcript::open(&client, everything()).await.unwrap();
        watch.until(1).await;
        watches.push(watch);
    }
    let before = metrics(&server).await;
    for number in 0..20 {
        client.put(vec![value(&stations(), "2020", &number.to_string())]).await;
        for watch in &mut watches {
            watch.until(number + 2).await;
        }
    }
    let after = metrics(&server).await;
    let grown = |name: &str| metric(&after, name).unwrap() - metric(&before, name).unwrap();
    let (encoded, shared) = (grown("indicatord_watch_encoded_bytes_total"), grown("indicatord_watch_shared_bytes_total"));
    assert!(encoded > 0.0 && shared == encoded * WATCHES as f64, "{encoded} bytes were encoded, {shared} taken");

    drop(watches);
    let lagging = server.client();
    let stalled = lagging.watch(everything()).await.unwrap();
    let mut numbers = 100..;
    eventually("one lags", async || {
        client.write(bulk(numbers.next().unwrap())).await;
        let page = metrics(&server).await;
        metric(&page, "indicatord_subscribers_behind{commits=\"1\"}").is_some_and(|count| count >= 1.0)
            && metric(&page, "indicatord_subscriber_lag_commits_max").is_some_and(|lag| lag >= 1.0)
    })
    .await;
    drop((stalled, lagging));
    // Nor does one to whom nothing of it matters, and who is told nothing for a day.
    let filter = Some(ObservationFilter { indicators: vec!["output".to_owned()], ..ObservationFilter::default() });
    let progress_interval = Some(prost_types::Duration { seconds: 24 * 60 * 60, nanos: 0 });
    let mut quiet = Transcript::open(&client, WatchRequest { filter, progress_interval, ..everything() }).await.unwrap();
    quiet.until(1).await;
    client.put(vec![value(&stations(), "2020", "3")]).await;
    eventually("nobody lags", async || metric(&metrics(&server).await, "indicatord_subscriber_lag_commits_max") == Some(0.0))
        .await;
}

#[tokio::test]
async fn every_metric_of_the_dashboard_is_there() {
    let server = Server::start();
    let client = some_of_everything(&server).await;
    let _watch = client.watch(everything()).await.unwrap();
    let told = metrics(&server).await.text;
    let told: BTreeSet<&str> = told.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/deploy/grafana-dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| panel["targets"].as_array()).flatten();
    let mut named = BTreeSet::new();
    for target in targets {
        let expression = target["expr"].as_str().unwrap();
        let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        named.extend(words.filter(|word| word.starts_with("indicatord_") || word.starts_with("process_")).map(str::to_owned));
    }
    assert!(named.len() > 20, "{named:?}");
    let absent: Vec<_> = named.iter().filter(|name| !told.contains(name.as_str())).collect();
    assert_eq!(absent, Vec::<&String>::new(), "not among {told:?}");
}

fn with_id(id: &str) -> Request<GetStatusRequest> {
    let mut request = Request::new(GetStatusRequest {});
    request.metadata_mut().insert("x-request-id", id.parse().unwrap());
    request
}

#[tokio::test]
async fn a_call_has_an_id_which_its_client_may_give_and_the_log_names() {
    let server = Server::start_with(&["--log", "debug"]);
    let mut admin = server.client().admin();
    let id = async |admin: &mut indicator_proto::v1::admin_service_client::AdminServiceClient<_>, request| {
        let response = admin.get_status(request).await.unwrap();
        response.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(id(&mut admin, with_id("order-66/a")).await, "order-66/a");
    let made = [id(&mut admin, Request::new(GetStatusRequest {})).await, id(&mut admin, with_id("no spaces, please")).await];
    assert!(made.iter().all(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())), "{made:?}");
    assert_ne!(made[0], made[1]);
    let failed = server.client().get(&stations(), "2020").await.unwrap_err();
    assert_eq!(failed.what().0, Code::NotFound);
    eventually("the calls are logged", async || {
        let log = server.log();
        made.iter()
            .map(String::as_str)
            .chain(["order-66/a"])
            .all(|id| log.iter().any(|line| line.contains(id) && line.contains("GetStatus") && line.contains("\"code\":\"OK\"")))
    })
    .await;
}

#[tokio::test]
async fn a_call_that_the_server_fails_is_logged_with_its_id_and_one_that_succeeds_is_not() {
    let server = Server::start();
    let mut admin = server.client().admin();
    admin.get_status(with_id("a-good-one")).await.unwrap();
    // Who gave no id is told of one when there is something to ask about.
    let good = admin.get_status(Request::new(GetStatusRequest {})).await.unwrap();
    assert!(good.metadata().get("x-request-id").is_none());
    let request = indicator_proto::v1::GetObservationRequest::default();
    let bad = server.client().observations().get_observation(request).await.unwrap_err();
    assert_eq!(bad.metadata().get("x-request-id").unwrap().len(), 16);
    let mut request = with_id("a-bad-one");
    request.metadata_mut().insert("grpc-timeout", "soon".parse().unwrap());
    let status = admin.get_status(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(status.metadata().get("x-request-id").unwrap(), "a-bad-one");
    eventually("the failure is logged", async || {
        server.log().iter().any(|line| line.contains("a-bad-one") && line.contains("WARN") && line.contains("INTERNAL"))
    })
    .await;
    assert!(!server.log().iter().any(|line| line.contains("a-good-one")), "{:#?}", server.log());
}

#[tokio::test]
async fn failed_calls_do_not_flood_the_log() {
    let server = Server::start();
    let client = server.client();
    for _ in 0..500 {
        let mut request = Request::new(GetStatusRequest {});
        request.metadata_mut().insert("grpc-timeout", "soon".parse().unwrap());
        client.admin().get_status(request).await.unwrap_err();
    }
    let lines = server.log().iter().filter(|line| line.contains("a call failed")).count();
    assert!((1..500).contains(&lines), "{lines} lines for 500 calls");
}

/// Answers one POST after another, and tells their bodies.
async fn collector() -> (String, tokio::sync::mpsc::UnboundedReceiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut got = Vec::new();
                while socket.read_buf(&mut got).await.is_ok_and(|count| count > 0) {
                    let Some(end) = got.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
                    let head = String::from_utf8(got[..end].to_vec()).unwrap().to_ascii_lowercase();
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                    let length: usize = length.parse().unwrap();
                    if got.len() < end + 4 + length {
                        continue;
                    }
                    let rest = got.split_off(end + 4 + length);
                    let body = got.split_off(end + 4);
                    got = rest;
                    let _ = sender.send((head, body));
                    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                }
            });
        }
    });
    (address, receiver)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn calls_go_to_the_collector_as_parts_of_the_traces_of_their_callers() {
    let (endpoint, mut spans) = collector().await;
    let mut server = Server::start_with(&["--otlp-endpoint", &endpoint]);
    let trace: Vec<u8> = (1..=16).collect();
    let mut request = with_id("the-traced-one");
    let traceparent = "00-0102030405060708090a0b0c0d0e0f10-00f067aa0ba902b7-01";
    request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
    server.client().admin().get_status(request).await.unwrap();
    server.stop().await;
    let (mut found, mut heads) = (false, Vec::new());
    while let Ok((head, body)) = spans.try_recv() {
        found |= [&b"indicator.v1.AdminService/GetStatus"[..], b"the-traced-one", b"indicatord", &trace]
            .iter()
            .all(|part| contains(&body, part));
        heads.push(head);
    }
    assert!(found, "{heads:?}");
    assert!(heads.iter().all(|head| head.starts_with("post /v1/traces ")), "{heads:?}");
}

#[tokio::test]
async fn a_collector_that_is_not_there_holds_nothing_up() {
    let mut server = Server::start_with(&["--otlp-endpoint", &format!("http://{}", unused_port().await)]);
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "1")]).await;
    assert!(server.stop().await < Duration::from_secs(20));
}
