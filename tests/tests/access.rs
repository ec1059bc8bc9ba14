//! Who may do what: roles, sources, and credentials that end. Real servers, and callers that try to get around it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use futures::{StreamExt as _, stream};
use indicator_proto::v1::{
    ApplyCatalogRequest, ApplyCatalogResponse, CompactRequest, GetSourceRequest, GetStatusRequest, ImportBatch,
    ImportObservationsRequest, ImportOptions, ListCommitsRequest, ListRegionsRequest, Observation, RankRequest, SeriesKey,
    SeriesObservations, StartNow, WatchRequest, WriteContext, WriteMode, WriteObservationsRequest,
    import_observations_request::Message, watch_request::Start,
};
use indicator_tests::{
    catalog,
    client::{Client, merge},
    figures::{key, value},
    refusal::Refusal,
    server::{Server, run},
};
use tonic::{Code, Request, transport::Endpoint};

const DENIED: (Code, &str) = (Code::PermissionDenied, "PERMISSION_DENIED");
const UNKNOWN: (Code, &str) = (Code::Unauthenticated, "UNAUTHENTICATED");

fn token(directory: &Path, arguments: &[&str]) -> String {
    let directory = directory.to_str().unwrap();
    let ended = run(&[&["token", "create", "--data", directory], arguments].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout.trim().to_owned()
}

fn revoke(directory: &Path, name: &str) {
    let ended = run(&["token", "revoke", "--data", directory.to_str().unwrap(), name]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

struct Site {
    server: Server,
    reader: Client,
    /// Of the source `media`.
    writer: Client,
    curator: Client,
    admin: Client,
}

async fn site() -> Site {
    let server = Server::start_with(&["--auth"]);
    let directory = server.directory().to_owned();
    let client = |arguments: &[&str]| Client::with_token(server.address(), &token(&directory, arguments));
    let reader = client(&["--role", "reader"]);
    let writer = client(&["--role", "write", "--source", "media"]);
    let curator = client(&["--role", "curator", "--name", "Zhou"]);
    let admin = client(&["--role", "admin", "--expires", "never"]);
    // The server looks at the file once a second.
    indicatord_knows(&admin).await;
    admin.apply(catalog::small()).await;
    Site { server, reader, writer, curator, admin }
}

/// Waits until a credential is known.
async fn indicatord_knows(client: &Client) {
    indicator_tests::eventually("the credential is known", async || status(client).await.is_ok()).await;
}

async fn status(client: &Client) -> Result<(), Refusal> {
    Ok(client.admin().get_status(GetStatusRequest {}).await.map(drop)?)
}

/// A series of a source.
fn of(source: &str) -> SeriesKey {
    key("5g-base-stations", "CN-SD", source)
}

fn import(mode: WriteMode, skip_rejected: bool, batches: Vec<Vec<SeriesObservations>>) -> Vec<ImportObservationsRequest> {
    let options = ImportOptions { mode: mode.into(), skip_rejected, ..ImportOptions::default() };
    let batches = batches.into_iter().map(|series| Message::Batch(ImportBatch { series }));
    let messages = [Message::Options(options)].into_iter().chain(batches);
    messages.map(|message| ImportObservationsRequest { message: Some(message) }).collect()
}

/// The number of batches that were written, and the error that ended the import.
async fn try_import(client: &Client, messages: Vec<ImportObservationsRequest>) -> (usize, Option<Refusal>) {
    let mut answers = match client.observations().import_observations(stream::iter(messages)).await {
        Ok(answers) => answers.into_inner(),
        Err(status) => return (0, Some(status.into())),
    };
    let mut written = 0;
    loop {
        match answers.next().await {
            Some(Ok(_)) => written += 1,
            Some(Err(status)) => return (written, Some(status.into())),
            None => return (written, None),
        }
    }
}

fn imported(source: &str, periods: &[&str]) -> SeriesObservations {
    let observations = periods.iter().map(|period| Observation { series: None, ..value(&of(source), period, "1") });
    SeriesObservations { series: Some(of(source)), observations: observations.collect() }
}

#[tokio::test]
async fn each_role_may_do_what_it_is_for_and_nothing_else() {
    let Site { server, reader, writer, curator, admin } = site().await;
    let anybody = server.client();
    for (name, client, reads, writes, curates, administers) in [
        ("anybody", &anybody, false, false, false, false),
        ("reader", &reader, true, false, false, false),
        ("writer", &writer, true, true, false, false),
        ("curator", &curator, true, false, true, false),
        ("admin", &admin, true, true, true, true),
    ] {
        let refusal = if name == "anybody" { UNKNOWN } else { DENIED };
        let check = |what: &str, may: bool, done: Result<(), Refusal>| match done {
            Ok(()) => assert!(may, "{name} could {what}"),
            Err(error) => assert!(!may && error.what() == refusal, "{name} {what}: {error:?}"),
        };
        check("read the status", reads, status(client).await);
        let regions = client.catalog().list_regions(ListRegionsRequest::default()).await;
        check("list regions", reads, regions.map(drop).map_err(Refusal::from));
        let commits = client.observations().list_commits(ListCommitsRequest::default()).await;
        check("list commits", reads, commits.map(drop).map_err(Refusal::from));
        let rank = client.analytics().rank(RankRequest::default()).await.map(drop).map_err(Refusal::from);
        check("rank", reads, rank.or_else(|error| if error.code == Code::InvalidArgument { Ok(()) } else { Err(error) }));
        let watched =
            client.watches().watch(WatchRequest { start: Some(Start::Now(StartNow {})), ..WatchRequest::default() }).await;
        check("watch", reads, watched.map(drop).map_err(Refusal::from));
        check("write", writes, client.try_write(merge(vec![value(&of("media"), "2020", name)])).await.map(drop).or_else(numbers));
        check("import", writes, {
            let (_, error) = try_import(client, import(WriteMode::Merge, false, vec![vec![imported("media", &["2021"])]])).await;
            error.map_or(Ok(()), Err)
        });
        check("change the catalog", curates, client.try_apply(catalog::small()).await.map(drop));
        let compacted = client.admin().compact(CompactRequest::default()).await;
        check("compact", administers, compacted.map(drop).map_err(Refusal::from));
    }
}

/// The name of a role is no figure: who may write is told so.
fn numbers(error: Refusal) -> Result<(), Refusal> {
    if error.reason == "INVALID_DECIMAL" { Ok(()) } else { Err(error) }
}

#[tokio::test]
async fn a_writer_of_one_source_writes_no_other_in_any_way_there_is() {
    let Site { server: _server, writer, admin, .. } = site().await;
    let theirs = [value(&of("bureau"), "2019", "7"), value(&of("bureau"), "2020", "8")];
    admin.put(theirs.to_vec()).await;
    writer.put(vec![value(&of("media"), "2020", "1")]).await;
    let head = writer.head().await;

    let changes: [(&str, Vec<Observation>); 4] = [
        ("theirs", vec![value(&of("bureau"), "2020", "9")]),
        ("mine and theirs", vec![value(&of("media"), "2020", "9"), value(&of("bureau"), "2020", "9")]),
        ("one that is nobody's", vec![value(&of("nobody"), "2020", "9")]),
        ("mine but for its spelling", vec![value(&of("media "), "2020", "9"), value(&of("MEDIA"), "2020", "9")]),
    ];
    for mode in [WriteMode::Merge, WriteMode::Replace, WriteMode::Delete] {
        for (what, changes) in &changes {
            for validate_only in [false, true] {
                let request = WriteObservationsRequest {
                    mode: mode.into(),
                    validate_only,
                    request_id: format!("{mode:?} {what} {validate_only}"),
                    ..merge(changes.clone())
                };
                let refusal = writer.try_write(request).await.unwrap_err();
                assert_eq!(refusal.what(), DENIED, "{mode:?} {what}: {refusal:?}");
                let fields: Vec<_> = refusal.violations.iter().map(|(field, _)| field.as_str()).collect();
                assert!(fields.iter().all(|field| field.ends_with(".series.source")) && !fields.is_empty(), "{fields:?}");
            }
        }
        // A whole series.
        let whole = Observation { series: Some(of("bureau")), ..Observation::default() };
        if mode == WriteMode::Delete {
            let request = WriteObservationsRequest { mode: mode.into(), ..merge(vec![whole]) };
            assert_eq!(writer.try_write(request).await.unwrap_err().what(), DENIED);
        }
        for skip_rejected in [false, true] {
            let messages = import(mode, skip_rejected, vec![vec![imported("media", &["2020"]), imported("bureau", &["2020"])]]);
            let (written, refusal) = try_import(&writer, messages).await;
            assert_eq!((written, refusal.unwrap().what()), (0, DENIED), "{mode:?} in one batch");
            let empty = SeriesObservations { series: Some(of("bureau")), observations: Vec::new() };
            let (written, refusal) = try_import(&writer, import(mode, skip_rejected, vec![vec![empty]])).await;
            assert_eq!((written, refusal.unwrap().what()), (0, DENIED), "{mode:?} without figures");
        }
    }
    assert_eq!(writer.head().await, head, "nothing was written");

    let batches =
        vec![vec![imported("media", &["2022"])], vec![imported("bureau", &["2022"])], vec![imported("media", &["2023"])]];
    let (written, refusal) = try_import(&writer, import(WriteMode::Merge, true, batches)).await;
    assert_eq!((written, refusal.unwrap().what()), (1, DENIED), "the import ends at the batch that it may not write");
    assert!(writer.get(&of("media"), "2023").await.is_err());

    // By the catalog, or by a request of somebody else that is repeated.
    let refusal = writer.try_apply(catalog::upsert(vec![catalog::source("bureau", 9)])).await.unwrap_err();
    assert_eq!(refusal.what(), DENIED);
    let theirs = WriteObservationsRequest { request_id: "theirs".into(), ..merge(vec![value(&of("bureau"), "2024", "5")]) };
    admin.write(theirs.clone()).await;
    assert_eq!(writer.try_write(theirs).await.unwrap_err().what(), DENIED);
    for (period, figure) in [("2019", "7"), ("2020", "8"), ("2024", "5")] {
        assert_eq!(writer.value(&of("bureau"), period).await, figure);
    }
}

#[tokio::test]
async fn the_actor_is_the_credential_whatever_the_request_claims() {
    let Site { server: _server, writer, curator, reader, .. } = site().await;
    let claim = Some(WriteContext { actor: "Gu Weidong".into(), reason: "recount".into(), ..WriteContext::default() });
    let apply = ApplyCatalogRequest { context: claim.clone(), ..catalog::upsert(vec![catalog::source("office", 9)]) };
    curator.apply(apply).await;
    writer.write(WriteObservationsRequest { context: claim, ..merge(vec![value(&of("media"), "2020", "1")]) }).await;
    let commits = reader.observations().list_commits(ListCommitsRequest::default()).await.unwrap().into_inner().commits;
    let told: Vec<_> = commits
        .iter()
        .map(|commit| {
            let context = commit.context.as_ref().unwrap();
            (context.actor.as_str(), context.reason.as_str(), commit.client_address.as_str())
        })
        .collect();
    assert_eq!(told, [("admin", "", "127.0.0.1"), ("Zhou", "recount", "127.0.0.1"), ("media", "recount", "127.0.0.1")]);
}

#[tokio::test]
async fn forged_tokens_open_nothing() {
    let Site { server, reader, .. } = site().await;
    status(&reader).await.unwrap();
    let good = token(server.directory(), &["--role", "admin", "--name", "second"]);
    let other = token(server.directory(), &["--role", "reader", "--name", "third"]);
    indicatord_knows(&Client::with_token(server.address(), &good)).await;
    let (id, secret) = (&good[..23], &good[23..]);
    assert!(id.ends_with('_'));
    let flipped = if secret.starts_with('A') { secret.replacen('A', "B", 1) } else { format!("A{}", &secret[1..]) };
    let forged = [
        String::new(),
        "x".repeat(8_000),
        good[1..].to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        good.to_uppercase(),
        format!("{id}{flipped}"),
        format!("{}{secret}", &other[..23]),
        format!("{id}{}", "A".repeat(43)),
        format!("{good} {good}"),
    ];
    for token in &forged {
        let refusal = status(&Client::with_token(server.address(), token)).await.unwrap_err();
        assert_eq!(refusal.what(), UNKNOWN, "{token}");
        assert!(!refusal.message.contains("admin") && !refusal.message.contains(id), "{}", refusal.message);
    }
    let channel = Endpoint::from_shared(format!("http://{}", server.address())).unwrap().connect_lazy();
    let mut admin = indicator_proto::v1::admin_service_client::AdminServiceClient::new(channel);
    for headers in
        [vec![format!("Basic {good}")], vec![good.clone()], vec![format!("Bearer {good}"); 2], vec!["Bearer".to_owned()]]
    {
        let mut request = Request::new(GetStatusRequest {});
        for header in &headers {
            request.metadata_mut().append("authorization", header.parse().unwrap());
        }
        let refusal = Refusal::from(admin.get_status(request).await.unwrap_err());
        assert_eq!(refusal.what(), UNKNOWN, "{headers:?}");
    }
    // As people write it.
    let mut request = Request::new(GetStatusRequest {});
    request.metadata_mut().insert("authorization", format!("bearer  {good} ").parse().unwrap());
    admin.get_status(request).await.unwrap();
    let log = server.log();
    let told = log.iter().filter(|line| line.contains("turned a caller away")).count();
    assert!((1..forged.len()).contains(&told), "told {told} times: it is told, and not each time");
    assert!(!log.iter().any(|line| line.contains(&secret[..20])), "without the secret");
}

#[tokio::test]
async fn the_calls_of_a_credential_end_with_it() {
    let Site { server, reader, admin, .. } = site().await;
    let watch = || WatchRequest { start: Some(Start::Now(StartNow {})), ..WatchRequest::default() };
    let mut revoked = reader.watches().watch(watch()).await.unwrap().into_inner();
    let mut kept = admin.watches().watch(watch()).await.unwrap().into_inner();
    let brief = Client::with_token(
        server.address(),
        &token(server.directory(), &["--role", "reader", "--name", "brief", "--expires", "3s"]),
    );
    indicatord_knows(&brief).await;
    let mut expiring = brief.watches().watch(watch()).await.unwrap().into_inner();

    revoke(server.directory(), "reader");
    let end = async |stream: &mut tonic::Streaming<_>| loop {
        match tokio::time::timeout(indicator_tests::LONG, stream.next()).await.expect("it ends").expect("with a status") {
            Ok(_) => {}
            Err(status) => break Refusal::from(status),
        }
    };
    assert_eq!(end(&mut revoked).await.what(), UNKNOWN);
    assert_eq!(end(&mut expiring).await.what(), UNKNOWN);
    for client in [&reader, &brief] {
        assert_eq!(status(client).await.unwrap_err().what(), UNKNOWN);
    }
    admin.put(vec![value(&of("media"), "2020", "1")]).await;
    loop {
        let message = kept.next().await.unwrap().unwrap();
        if let Some(indicator_proto::v1::watch_response::Message::Changes(changes)) = message.message {
            assert_eq!(changes.last_revision, admin.head().await, "the stream of another goes on");
            break;
        }
    }
}

#[tokio::test]
async fn no_other_spelling_of_a_path_asks_for_less() {
    let Site { server, reader, admin, .. } = site().await;
    for client in [reader, server.client()] {
        for path in [
            "/indicator.v1.CatalogService/ApplyCatalog",
            "//indicator.v1.CatalogService/ApplyCatalog",
            "/indicator.v1.CatalogService//ApplyCatalog",
            "/indicator.v1.CatalogService/ApplyCatalog/",
            "/indicator.v1.CatalogService/ApplyCatalog?x",
            "/indicator.v1.CatalogService/applycatalog",
            "/indicator.v1.CatalogService/Apply%43atalog",
            "/indicator.v1%2ECatalogService/ApplyCatalog",
            "/grpc.health.v1.Health/../indicator.v1.CatalogService/ApplyCatalog",
            "/grpc.health.v1.Health//indicator.v1.CatalogService/ApplyCatalog",
            "/grpc.health.v1.Health/ApplyCatalog",
            "/x/indicator.v1.CatalogService/ApplyCatalog",
        ] {
            let mut grpc = tonic::client::Grpc::new(client.channel());
            grpc.ready().await.unwrap();
            let codec = tonic_prost::ProstCodec::<ApplyCatalogRequest, ApplyCatalogResponse>::default();
            let request = Request::new(catalog::upsert(vec![catalog::source("intruder", 9)]));
            assert!(grpc.unary(request, path.parse().unwrap(), codec).await.is_err(), "{path}");
        }
    }
    let intruder = GetSourceRequest { id: "intruder".into(), ..GetSourceRequest::default() };
    assert_eq!(admin.catalog().get_source(intruder).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn health_asks_nobody_who_he_is() {
    use indicator_proto::health::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
    let server = Server::start_with(&["--auth"]);
    let channel = Endpoint::from_shared(format!("http://{}", server.address())).unwrap().connect_lazy();
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
    assert!(server.log().iter().any(|line| line.contains("indicatord token create")), "a server that lets nobody in says so");
}

#[test]
fn credentials_that_cannot_be_read_start_nothing() {
    let directory = tempfile::tempdir().unwrap();
    token(directory.path(), &["--role", "reader"]);
    std::fs::write(directory.path().join("credentials.json"), "{\"credentials\": [").unwrap();
    let path = directory.path().to_str().unwrap();
    let ended = run(&["serve", "--data", path, "--listen", "127.0.0.1:0", "--admin-listen", "off", "--auth"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("credentials.json") && ended.stderr.contains("line 1"), "{}", ended.stderr);
}
