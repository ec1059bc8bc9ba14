//! The same question as of the same revision has the same answer, byte for byte, whatever is written later and however often the
//! server is started.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use futures::TryStreamExt as _;
use indicator_proto::v1::{
    self, Aggregate, AsOf, BackupRequest, Bound, CatalogEntry, Change, ChangeSpan, Frequency, Indicator, Observation,
    ObservationFilter, PerUnit, PercentChange, QueryObservationsRequest, RegionSelection, SeriesKey, ShareOfRegion, Transform,
    catalog_entry::Entry, transform::Step,
};
use indicator_tests::{
    catalog::{derived, indicator, ratio, region, source, upsert},
    client::{Client, withdraw},
    figures::{bounded, key, published, value},
    server::{Server, run},
};
use prost::Message;

fn step(step: Step) -> Transform {
    Transform { step: Some(step) }
}

/// Answers of every kind, as bytes.
async fn answers(client: &Client, revision: u64) -> Vec<(&'static str, Vec<u8>)> {
    let as_of = Some(AsOf { revision, ..AsOf::default() });
    let (mut answers, mut analytics) = (Vec::new(), client.analytics());
    let filter = |indicators: &[&str]| {
        let indicators = indicators.iter().map(|&id| id.to_owned()).collect();
        Some(ObservationFilter { indicators, ..ObservationFilter::default() })
    };
    let queries: [(&str, &[&str], Vec<Transform>); 5] = [
        ("query", &["output", "5g-base-stations"], vec![]),
        ("derived", &["per-station"], vec![]),
        ("year on year", &["output"], vec![step(Step::PercentChange(PercentChange { span: ChangeSpan::Year.into() }))]),
        (
            "per unit, changed",
            &["output"],
            vec![
                step(Step::PerUnit(PerUnit { indicator: "5g-base-stations".into(), multiple: String::new() })),
                step(Step::Change(Change::default())),
            ],
        ),
        ("share", &["output"], vec![step(Step::ShareOfRegion(ShareOfRegion::default()))]),
    ];
    for (name, indicators, transforms) in queries {
        let request =
            QueryObservationsRequest { filter: filter(indicators), as_of, transforms, explain: true, ..Default::default() };
        let mut stream = client.observations().query_observations(request).await.unwrap().into_inner();
        let mut bytes = Vec::new();
        while let Some(message) = stream.message().await.unwrap() {
            message.encode_length_delimited(&mut bytes).unwrap();
        }
        answers.push((name, bytes));
    }
    let series = |source: &str| Some(key("output", "CN-SD", source));
    let get = v1::GetObservationRequest { series: series(""), as_of, ..Default::default() };
    answers.push(("get", client.observations().get_observation(get).await.unwrap().into_inner().encode_to_vec()));
    let vintages = v1::ListVintagesRequest { series: series("bureau"), as_of, ..Default::default() };
    answers.push(("vintages", client.observations().list_vintages(vintages).await.unwrap().into_inner().encode_to_vec()));
    let dates = v1::ListVintageDatesRequest { series: series("bureau"), as_of, ..Default::default() };
    answers.push(("dates", client.observations().list_vintage_dates(dates).await.unwrap().into_inner().encode_to_vec()));
    let statistics = v1::GetRevisionStatisticsRequest { series: series("bureau"), as_of, ..Default::default() };
    answers.push(("statistics", analytics.get_revision_statistics(statistics).await.unwrap().into_inner().encode_to_vec()));
    let selection =
        Some(RegionSelection { indicator: "output".into(), level: "province".into(), under: "CN".into(), ..Default::default() });
    let rank = v1::RankRequest { selection: selection.clone(), as_of, explain: true, ..Default::default() };
    let annual = Aggregate { frequency: Frequency::Annual.into(), ..Aggregate::default() };
    let aggregated = RegionSelection { transforms: vec![step(Step::Aggregate(annual))], ..selection.clone().unwrap() };
    let of_years = v1::RankRequest { selection: Some(aggregated), as_of, ..Default::default() };
    answers.push(("rank of years", analytics.rank(of_years).await.unwrap().into_inner().encode_to_vec()));
    answers.push(("rank", analytics.rank(rank).await.unwrap().into_inner().encode_to_vec()));
    let rollup = v1::RollupRequest { selection, as_of, explain: true, ..Default::default() };
    answers.push(("rollup", analytics.rollup(rollup).await.unwrap().into_inner().encode_to_vec()));
    let indicators = vec!["output".into(), "5g-base-stations".into(), "per-station".into()];
    let compare = v1::CompareRequest { level: "province".into(), indicators, as_of, explain: true, ..Default::default() };
    answers.push(("compare", analytics.compare(compare).await.unwrap().into_inner().encode_to_vec()));
    let discrepancies = v1::ListDiscrepanciesRequest { as_of, ..Default::default() };
    answers.push(("discrepancies", analytics.list_discrepancies(discrepancies).await.unwrap().into_inner().encode_to_vec()));
    let thresholds = vec!["500".into(), "2000".into()];
    let milestones = v1::ListMilestonesRequest { filter: filter(&["output"]), thresholds, as_of, ..Default::default() };
    answers.push(("milestones", analytics.list_milestones(milestones).await.unwrap().into_inner().encode_to_vec()));
    answers
}

/// An indicator whose figures make none of a longer period or of several regions.
fn without_rules(id: &str, unit: &str) -> CatalogEntry {
    let Some(Entry::Indicator(plain)) = indicator(id, unit).entry else { unreachable!("it is an indicator") };
    let entry = Indicator { time_aggregation: 0, region_aggregation: 0, ..plain };
    CatalogEntry { entry: Some(Entry::Indicator(entry)) }
}

fn figure(n: u32) -> Observation {
    let series: SeriesKey = key(
        ["output", "5g-base-stations"][n as usize % 2],
        ["CN", "CN-SD", "CN-BJ"][n as usize / 2 % 3],
        ["bureau", "media"][n as usize / 6 % 2],
    );
    let (year, number) = ((2015 + n % 5).to_string(), (100 + 37 * n % 900).to_string());
    match n % 7 {
        3 => bounded(&series, &year, Bound::GreaterThan, &number),
        5 => published("2016-01-01", value(&series, &year, &number)),
        _ => value(&series, &year, &number),
    }
}

async fn write(client: &Client, from: u32, rounds: u32) {
    for n in from..from + rounds {
        match n % 19 {
            17 => drop(client.write(withdraw(&key("output", "CN-SD", "media"), &["2016", "2017"])).await),
            _ => drop(client.put(vec![figure(n)]).await),
        }
    }
}

#[tokio::test]
async fn what_is_asked_as_of_a_revision_has_the_same_bytes_after_later_writes_a_restart_and_a_restore() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    client
        .apply(upsert(vec![ratio("CNY", "{station}"), derived("per-station", "CNY/{station}", "output / 5g-base-stations")]))
        .await;
    write(&client, 0, 120).await;
    let revision = client.head().await;
    let before = answers(&client, revision).await;
    assert!(before.iter().all(|(_, bytes)| bytes.len() > 60), "every question has an answer: {:?}", sizes(&before));
    write(&client, 1_000, 120).await;
    // The catalog changes too: another parent, other preferences, another formula, other rules.
    let now = answers(&client, client.head().await).await;
    let changed = before.iter().zip(&now).filter(|(a, b)| a != b).count();
    assert_eq!(changed, before.len(), "what was written later changes every answer of now");
    client
        .apply(upsert(vec![
            region("CN-BJ", "", "country", "Beijing", "北京"),
            source("media", 0),
            derived("per-station", "CNY/{station}", "output / 5g-base-stations * 2"),
            without_rules("output", "CNY"),
        ]))
        .await;
    assert_same(&before, &answers(&client, revision).await);
    server.restart().await;
    let client = server.client();
    assert_same(&before, &answers(&client, revision).await);

    let files = tempfile::tempdir().unwrap();
    let (backup, data) = (files.path().join("backup"), files.path().join("data"));
    let chunks = client.admin().backup(BackupRequest::default()).await.unwrap().into_inner();
    let chunks: Vec<_> = chunks.try_collect().await.unwrap();
    fs::write(&backup, chunks.into_iter().flat_map(|part| part.chunk).collect::<Vec<u8>>()).unwrap();
    let restored = run(&["restore", "--data", data.to_str().unwrap(), backup.to_str().unwrap()]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    let epoch = client.status().await.epoch;
    let server = Server::start_in(&data, &[]);
    let client = server.client();
    let new = client.status().await.epoch;
    // The history has another name, which answers to queries begin with. Nothing else is another.
    let renamed: Vec<_> = before.iter().map(|(name, bytes)| (*name, replace(bytes, &epoch, &new))).collect();
    assert_ne!(renamed, before);
    assert_same(&renamed, &answers(&client, revision).await);
}

fn replace(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(from.len()) {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        }
    }
    bytes
}

fn sizes(answers: &[(&'static str, Vec<u8>)]) -> Vec<(&'static str, usize)> {
    answers.iter().map(|(name, bytes)| (*name, bytes.len())).collect()
}

#[track_caller]
fn assert_same(before: &[(&'static str, Vec<u8>)], after: &[(&'static str, Vec<u8>)]) {
    for ((name, before), (_, after)) in before.iter().zip(after) {
        assert!(before == after, "{name} is another answer now");
    }
}
