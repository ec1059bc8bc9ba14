//! Regions by indicators: cells, coverage, what is mixed, at any moment.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{AsOf, Bound, CompareRequest, CompareResponse, MissingReason, Observation, catalog_entry::Entry};
use indicator_tests::{
    catalog::{region, upsert},
    client::{Client, at_revision, published_by},
    figures::{bounded, key, missing, published, value},
    refusal::Refusal,
    server::Server,
};
use prost::Message as _;
use tonic::Code;

fn provinces() -> CompareRequest {
    let indicators = vec!["5g-base-stations".into(), "output".into()];
    CompareRequest { level: "province".into(), under: "CN".into(), indicators, ..Default::default() }
}

async fn ask(client: &Client, request: CompareRequest) -> Result<CompareResponse, Refusal> {
    Ok(client.analytics().compare(request).await?.into_inner())
}

async fn told(client: &Client, request: CompareRequest) -> Vec<String> {
    let cell = |observation: &Option<Observation>| {
        observation.as_ref().map_or("-".to_owned(), |it| {
            let figure = if it.missing == 0 { it.value.clone() } else { it.missing().as_str_name().to_owned() };
            format!("{figure}@{}/{}", it.period, it.series.as_ref().unwrap().source)
        })
    };
    let answer = ask(client, request).await.unwrap();
    let rows = answer.rows.iter();
    rows.map(|row| format!("{} {}", row.region, row.cells.iter().map(|it| cell(&it.observation)).collect::<Vec<_>>().join(" ")))
        .collect()
}

async fn fill(client: &Client) -> u64 {
    let figures = vec![
        published("2020-06-01", value(&key("5g-base-stations", "CN-SD", "bureau"), "2019", "5")),
        published("2021-06-01", bounded(&key("5g-base-stations", "CN-SD", "media"), "2020", Bound::GreaterThan, "9")),
        published("2021-06-01", value(&key("5g-base-stations", "CN-BJ", "bureau"), "2020", "7")),
        published("2021-06-01", missing(&key("output", "CN-BJ", "bureau"), "2020", MissingReason::Suppressed)),
    ];
    client.put(figures).await.revision
}

#[tokio::test]
async fn a_cell_has_its_period_and_source_and_a_column_tells_what_is_mixed() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    fill(&client).await;
    assert_eq!(
        told(&client, provinces()).await,
        ["CN-BJ 7@2020/bureau MISSING_REASON_SUPPRESSED@2020/bureau", "CN-SD 9@2020/media -"]
    );
    let named =
        CompareRequest { level: String::new(), under: String::new(), regions: vec!["CN-SD".into(), "CN".into()], ..provinces() };
    assert_eq!(
        told(&client, CompareRequest { period: "2019".into(), ..named.clone() }).await,
        ["CN-SD 5@2019/bureau -", "CN - -"]
    );
    let answer = ask(&client, provinces()).await.unwrap();
    let column = |index: usize| {
        let column = &answer.columns[index];
        let coverage = column.coverage.unwrap();
        (column.unit.as_str(), column.periods.join(" "), column.sources.join(" "), coverage.reported, coverage.expected)
    };
    assert_eq!(column(0), ("{station}", "2020".to_owned(), "bureau media".to_owned(), 2, 2));
    assert_eq!(column(1), ("CNY", String::new(), String::new(), 0, 2));
    let of_bureau = CompareRequest { sources: vec!["bureau".into()], ..provinces() };
    assert_eq!(ask(&client, of_bureau).await.unwrap().columns[0].periods, ["2019", "2020"], "mixed");
}

#[tokio::test]
async fn a_region_that_ended_is_a_row_of_its_periods_alone() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let mut ended = region("CN-XX", "CN", "province", "Former province", "旧省");
    if let Some(Entry::Region(region)) = &mut ended.entry {
        region.valid_to = "2019-12-31".into();
    }
    client.apply(upsert(vec![ended])).await;
    let rows = async |period: &str| {
        let answer = ask(&client, CompareRequest { period: period.into(), ..provinces() }).await.unwrap();
        answer.rows.into_iter().map(|row| row.region).collect::<Vec<_>>()
    };
    assert_eq!(rows("2019").await, ["CN-BJ", "CN-SD", "CN-XX"]);
    assert_eq!(rows("2020").await, ["CN-BJ", "CN-SD"]);
    assert_eq!(rows("").await, ["CN-BJ", "CN-SD"]);
}

#[tokio::test]
async fn a_moment_of_either_time_has_its_table_whatever_is_written_later() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    let revision = fill(&client).await;
    let at = |as_of: Option<AsOf>| CompareRequest { as_of, ..provinces() };
    assert_eq!(told(&client, at(published_by("2020-12-31"))).await, ["CN-BJ - -", "CN-SD 5@2019/bureau -"]);
    assert_eq!(told(&client, at(at_revision(revision - 1))).await, ["CN-BJ - -", "CN-SD - -"]);
    let bytes =
        async |client: &Client| client.analytics().compare(at(at_revision(revision))).await.unwrap().into_inner().encode_to_vec();
    let before = bytes(&client).await;
    client.put(vec![value(&key("5g-base-stations", "CN-BJ", "report"), "2021", "8")]).await;
    client.apply(upsert(vec![region("CN-YY", "CN", "province", "New province", "新省")])).await;
    assert_eq!(told(&client, provinces()).await.len(), 3);
    assert_eq!(bytes(&client).await, before);
    server.restart().await;
    assert_eq!(bytes(&server.client()).await, before);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let wrong = CompareRequest {
        regions: vec!["XX".into()],
        indicators: vec!["output".into(), "nothing".into()],
        dimensions: [("sex".to_owned(), "F".to_owned())].into(),
        period: "2020-Q5".into(),
        ..provinces()
    };
    assert_eq!(
        ask(&client, wrong).await.unwrap_err().listed(),
        [
            ("regions", "CONFLICTING_FIELDS"),
            ("period", "INVALID_PERIOD"),
            ("indicators[1]", "UNKNOWN_INDICATOR"),
            ("regions[0]", "UNKNOWN_REGION"),
            ("dimensions[\"sex\"]", "UNKNOWN_DIMENSION")
        ]
    );
    let nothing = ask(&client, CompareRequest::default()).await.unwrap_err();
    assert_eq!(nothing.listed(), [("indicators", "REQUIRED"), ("level", "REQUIRED")]);
    let unbroken = CompareRequest { indicators: vec!["employment".into()], ..provinces() };
    let refusal = ask(&client, unbroken).await.unwrap_err();
    assert_eq!((refusal.code, refusal.listed()), (Code::InvalidArgument, vec![("dimensions[\"sex\"]", "REQUIRED")]));
}
