//! Messages that no generated code would make.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use indicator_proto::v1::{
    ApplyCatalogRequest, CatalogAction, CatalogEntry, ImportObservationsRequest, Indicator, ListCommitsRequest,
    ObservationFilter, QueryObservationsRequest, SearchCatalogRequest, WatchRequest, catalog_action, catalog_entry,
    watch_request,
};
use indicator_tests::{
    LONG,
    client::Client,
    figures::{stations, value},
    refusal::Refusal,
    server::Server,
};
use prost::Message as _;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, Value};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status};

use crate::{
    bystander::{Attacked, call, refused},
    wire::{self, DATA, END_HEADERS, HEADERS, Raw, frame},
};

const GET: &str = "/indicator.v1.ObservationService/GetObservation";
const QUERY: &str = "/indicator.v1.ObservationService/QueryObservations";
const WATCH: &str = "/indicator.v1.WatchService/Watch";
const IMPORT: &str = "/indicator.v1.ObservationService/ImportObservations";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// A unary method, and the two that this service answers by itself.
const PATHS: [&str; 3] = [GET, QUERY, WATCH];

#[tokio::test]
async fn a_message_of_100_mb_is_refused_as_soon_as_it_is_declared_and_when_it_comes() {
    let attacked = Attacked::start(&[]).await;
    let client = attacked.client();
    for path in PATHS {
        let mut raw = Raw::connect(attacked.server.address()).await;
        raw.send(&frame(HEADERS, END_HEADERS, 1, &wire::call(path, &[]))).await;
        // Only said to come.
        raw.send(&frame(DATA, 0, 1, &[&[0][..], &100_000_000_u32.to_be_bytes(), &[7; 100]].concat())).await;
        loop {
            let answer = raw.receive().await.expect("an answer");
            if answer.kind == HEADERS && answer.flags & wire::END_STREAM != 0 {
                break;
            }
        }
    }
    let huge = Bytes::from(vec![7; 100_000_000]);
    let calls = (0..8).map(|n| {
        let (client, huge) = (attacked.client(), huge.clone());
        tokio::spawn(async move { refused(&client, PATHS[n % 3], huge).await })
    });
    for refusal in calls.collect::<Vec<_>>() {
        assert_eq!(refusal.await.unwrap().what(), (Code::ResourceExhausted, "REQUEST_TOO_LARGE"));
    }
    drop(client);
    attacked.survived().await;
}

/// The answer to a call with a message that says to be compressed, and perhaps how: its status, and what it would have accepted.
async fn compressed(address: SocketAddr, path: &str, encoding: Option<&str>, message: &[u8]) -> (Status, String) {
    let (mut requests, connection) = h2::client::handshake(TcpStream::connect(address).await.unwrap()).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post(format!("http://test{path}")).header("content-type", "application/grpc");
    let request = encoding.into_iter().fold(request, |request, encoding| request.header("grpc-encoding", encoding));
    let (answer, mut body) = requests.send_request(request.body(()).unwrap(), false).unwrap();
    let message = [&[1][..], &(message.len() as u32).to_be_bytes(), message].concat();
    body.send_data(message.into(), true).unwrap();
    let answer = timeout(LONG, answer).await.expect("an answer").unwrap();
    let accepted = answer.headers().get("grpc-accept-encoding").map(|value| value.to_str().unwrap().to_owned());
    let status = match Status::from_header_map(answer.headers()) {
        Some(status) => status,
        None => Status::from_header_map(&answer.into_body().trailers().await.unwrap().unwrap()).unwrap(),
    };
    (status, accepted.unwrap_or_default())
}

#[tokio::test]
async fn what_is_compressed_is_refused_unopened() {
    let attacked = Attacked::start(&[]).await;
    // A gigabyte of zeros would be a megabyte: nothing of it is looked at.
    let bomb = vec![0; 1 << 20];
    for path in PATHS {
        for encoding in ["gzip", "deflate", "zstd"] {
            let (status, accepted) = compressed(attacked.server.address(), path, Some(encoding), &bomb).await;
            assert_eq!((status.code(), accepted.as_str()), (Code::Unimplemented, "identity"), "{path} {encoding}: {status:?}");
        }
        let (status, _) = compressed(attacked.server.address(), path, None, &bomb).await;
        assert_eq!(status.code(), Code::Internal, "{path}: {status:?}");
    }
    attacked.survived().await;
}

/// Groups in groups, of a field that nobody knows.
fn nested(depth: usize) -> Vec<u8> {
    // Field 1000 as the start and the end of a group.
    [[0xC3, 0x3E].repeat(depth), [0xC4, 0x3E].repeat(depth)].concat()
}

#[tokio::test]
async fn messages_that_are_none_are_told_as_that() {
    let attacked = Attacked::start(&[]).await;
    let client = attacked.client();
    let garbage: Vec<u8> = (0..1000).map(|n| (n * 37 % 251) as u8 | 0x80).collect();
    // Of each request here, field 1 is a message whose field 1 is a text or a list of texts.
    let not_utf8 = [0x0A, 0x04, 0x0A, 0x02, 0xC3, 0x28].to_vec();
    for path in PATHS.into_iter().chain([IMPORT, "/indicator.v1.AnalyticsService/Rank"]) {
        for (what, message) in [
            ("nested", nested(3_000_000)),
            ("garbage", garbage.clone()),
            ("not UTF-8", not_utf8.clone()),
            ("cut", vec![0x0A, 0x7F]),
        ] {
            let refusal = refused(&client, path, message).await;
            assert_eq!(refusal.what(), (Code::InvalidArgument, "MALFORMED_MESSAGE"), "{path}, {what}: {refusal:?}");
            assert!(refusal.message.contains("decode") && refusal.message.len() < 1024, "{path}, {what}: {refusal:?}");
        }
    }
    for message in [nested(3_000_000), garbage] {
        // The library ends the stream, without a word.
        let _ = call(&client.channel(), REFLECTION, message.into()).await;
    }
    drop(client);
    attacked.survived().await;
}

#[tokio::test]
async fn formulas_nested_deeply_are_refused() {
    let attacked = Attacked::start(&[]).await;
    let client = attacked.client();
    for formula in ["(".repeat(1 << 20), format!("{}1{}", "(".repeat(1500), ")".repeat(1500)), "-".repeat(1 << 20)] {
        let indicator = Indicator {
            id: "deep".into(),
            unit: "1".into(),
            formula,
            names: [("en".into(), "Deep".into())].into(),
            ..Default::default()
        };
        let upsert = catalog_action::Action::Upsert(CatalogEntry { entry: Some(catalog_entry::Entry::Indicator(indicator)) });
        let request = ApplyCatalogRequest { actions: vec![CatalogAction { action: Some(upsert) }], ..Default::default() };
        let refusal = client.try_apply(request).await.unwrap_err();
        assert_eq!(refusal.code, Code::InvalidArgument, "{refusal:?}");
    }
    drop(client);
    attacked.survived().await;
}

/// Every way to put a long text into a message: the message with each of its text fields, in turn.
fn each_with_long_text(descriptor: &MessageDescriptor, depth: usize, text: &str) -> Vec<(String, DynamicMessage)> {
    let mut all = Vec::new();
    for field in descriptor.fields() {
        let values: Vec<(String, Value)> = match field.kind() {
            Kind::String => vec![(String::new(), Value::String(text.to_owned()))],
            Kind::Message(inner) if depth > 0 && !field.is_map() => each_with_long_text(&inner, depth - 1, text)
                .into_iter()
                .map(|(path, message)| (format!(".{path}"), Value::Message(message)))
                .collect(),
            Kind::Message(_) if field.is_map() => {
                let key = prost_reflect::MapKey::String(text.to_owned());
                let entry = field.kind().as_message().unwrap().clone();
                let value = entry.map_entry_value_field();
                match (entry.map_entry_key_field().kind(), value.kind()) {
                    (Kind::String, Kind::String) => {
                        vec![("{}".into(), Value::Map([(key, Value::String(text.to_owned()))].into()))]
                    }
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        };
        for (path, value) in values {
            let mut message = DynamicMessage::new(descriptor.clone());
            message.set_field(&field, if field.is_list() { Value::List(vec![value]) } else { value });
            all.push((format!("{}{path}", field.name()), message));
        }
    }
    all
}

#[tokio::test]
async fn long_texts_in_any_field_are_refused_or_found_nowhere() {
    let attacked = Attacked::start(&[]).await;
    let client = attacked.client();
    let mut tried = 0;
    // Of one sort each: what takes a text apart must not begin again at each character.
    for text in ["超", "-", "1"].map(|sort| sort.repeat(100_000)) {
        tried += with_long_texts(&client, &text).await;
    }
    assert!(tried > 100, "{tried}");
    drop(client);
    attacked.survived().await;
}

/// How many requests with a text in one field were refused.
async fn with_long_texts(client: &Client, text: &str) -> usize {
    let mut refusals = 0;
    for service in indicator_proto::pool().services().filter(|service| service.package_name() == "indicator.v1") {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            for (field, message) in each_with_long_text(&method.input(), 4, text) {
                let message = Bytes::from(message.encode_to_vec());
                let answer = timeout(LONG, call(&client.channel(), &path, message)).await;
                let Err(status) = answer.unwrap_or_else(|_| panic!("{path} {field} is not answered")) else { continue };
                let refusal = Refusal::from(status);
                let clear = [Code::InvalidArgument, Code::NotFound, Code::FailedPrecondition, Code::OutOfRange];
                assert!(clear.contains(&refusal.code), "{path} {field}: {refusal:?}");
                assert!(refusal.message.len() < 2048, "{path} {field}: {} bytes", refusal.message.len());
                refusals += 1;
            }
        }
    }
    refusals
}

#[tokio::test]
async fn filters_with_a_million_ids_are_answered() {
    let attacked = Attacked::start(&[]).await;
    let client = attacked.client();
    let ids = |id: &str| vec![id.to_owned(); 1_000_000];
    for filter in [
        ObservationFilter { indicators: ids("5g-base-stations"), ..Default::default() },
        ObservationFilter { indicators: ids("none"), ..Default::default() },
        ObservationFilter { regions: ids("CN-SD"), include_subregions: true, ..Default::default() },
        ObservationFilter { sources: ids("bureau"), ..Default::default() },
    ] {
        let request = QueryObservationsRequest { filter: Some(filter.clone()), ..Default::default() };
        match client.query(request).await {
            Ok(answer) => assert!(answer.observations.len() <= 1),
            Err(refusal) => assert!([Code::InvalidArgument, Code::ResourceExhausted].contains(&refusal.code), "{refusal:?}"),
        }
        let watch = WatchRequest { filter: Some(filter), ..Default::default() };
        match client.watch(watch).await {
            Ok(mut watch) => drop(watch.message().await),
            Err(refusal) => assert!([Code::InvalidArgument, Code::ResourceExhausted].contains(&refusal.code), "{refusal:?}"),
        }
    }
    let search = SearchCatalogRequest { query: "山 ".repeat(1 << 20), ..Default::default() };
    let mut request = Request::new(search);
    request.set_timeout(LONG);
    if let Err(status) = client.catalog().search_catalog(request).await {
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    }
    drop(client);
    attacked.survived().await;
}

/// A page token and a resume token of a server, of requests that others repeat.
async fn tokens(client: &Client) -> (String, String) {
    client.put(vec![value(&stations(), "2019", "1")]).await;
    let page = ListCommitsRequest { page_size: 1, ..Default::default() };
    let page = client.observations().list_commits(page).await.unwrap().into_inner().next_page_token;
    let mut watch = client.watch(WatchRequest::default()).await.unwrap();
    loop {
        let message = watch.message().await.unwrap().unwrap().message.unwrap();
        if let indicator_proto::v1::watch_response::Message::Progress(progress) = message {
            return (page, progress.resume_token);
        }
    }
}

#[tokio::test]
async fn tokens_that_are_not_ours_are_refused_wherever_one_is_taken() {
    let attacked = Attacked::start(&[]).await;
    let client = attacked.client();
    let (page, resume) = tokens(&client).await;
    let other = Server::start();
    let other = tokens(&other.client_with_catalog().await).await;
    let mut hostile: Vec<String> =
        vec![resume.clone(), page.clone(), other.0, other.1, "=".into(), "\0".into(), "x".repeat(1 << 20)];
    for _ in 0..50 {
        hostile.push((0..fastrand::usize(1..200)).map(|_| fastrand::char(..)).collect());
        for token in [&page, &resume] {
            let mut bytes = token.clone().into_bytes();
            let at = fastrand::usize(..bytes.len());
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            hostile.push(String::from_utf8(bytes).unwrap());
        }
    }
    let mut tried = 0;
    for service in indicator_proto::pool().services().filter(|service| service.package_name() == "indicator.v1") {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            for field in method.input().fields().filter(|field| ["page_token", "resume_token"].contains(&field.name())) {
                tried += 1;
                for token in &hostile {
                    let mut message = DynamicMessage::new(method.input());
                    // The one request that its own token belongs to.
                    let own = path.ends_with("/ListCommits") && token == &page || path.ends_with("/Watch") && token == &resume;
                    if own {
                        continue;
                    }
                    message.set_field(&field, Value::String(token.clone()));
                    let refusal = refused(&client, &path, message.encode_to_vec()).await;
                    assert!([Code::InvalidArgument, Code::FailedPrecondition].contains(&refusal.code), "{path}: {refusal:?}");
                }
            }
        }
    }
    assert!(tried >= 8, "{tried}");
    let start = Some(watch_request::Start::ResumeToken(page));
    let refusal = client.watch(WatchRequest { start, ..Default::default() }).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "INVALID_RESUME_TOKEN"));
    drop(client);
    attacked.survived().await;
}

#[tokio::test]
async fn an_import_that_says_nothing_holds_nobody_up() {
    let attacked = Attacked::start(&[]).await;
    let client = attacked.client();
    let (says_nothing, nothing) = mpsc::channel::<ImportObservationsRequest>(1);
    let mut answers = client.observations().import_observations(ReceiverStream::new(nothing)).await.unwrap().into_inner();
    assert!(timeout(Duration::from_millis(300), answers.message()).await.is_err());
    client.put(vec![value(&stations(), "2018", "1")]).await;
    drop((client, answers, says_nothing));
    attacked.survived().await;
}
