//! Where sources disagree: what bounds and roundings allow, tolerances, pages, and any moment.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{AsOf, Bound, Discrepancy, ListDiscrepanciesRequest, Observation, ObservationFilter, SeriesKey};
use indicator_tests::{
    client::{Client, at_revision, published_by, withdraw},
    figures::{bounded, key, published, value},
    refusal::Refusal,
    server::Server,
};
use prost::Message as _;
use tonic::Code;

fn by(source: &str) -> SeriesKey {
    key("5g-base-stations", "CN-SD", source)
}

async fn ask(client: &Client, request: ListDiscrepanciesRequest) -> Result<(Vec<Discrepancy>, String), Refusal> {
    let answer = client.analytics().list_discrepancies(request).await?.into_inner();
    Ok((answer.discrepancies, answer.next_page_token))
}

/// Period, gap, percent and sources of each.
async fn told(client: &Client, request: ListDiscrepanciesRequest) -> Vec<String> {
    let (found, token) = ask(client, request).await.unwrap();
    assert_eq!(token, "", "one page");
    let text = |it: &Discrepancy| {
        let source = |side: &Observation| side.series.as_ref().unwrap().source.clone();
        let sources: Vec<String> = it.sides.iter().map(source).collect();
        format!("{} {} {}% {}", it.period, it.gap, it.gap_percent, sources.join(" "))
    };
    found.iter().map(text).collect()
}

/// The figures of the issue: a rounded one that agrees, a bound that agrees and one that does not, and plain numbers.
async fn fill(client: &Client) -> u64 {
    let rounded = Observation { rounded_to: "10000".into(), ..value(&by("media"), "2018", "1710000") };
    let figures = vec![
        rounded,
        value(&by("bureau"), "2018", "1714882"),
        bounded(&by("media"), "2019", Bound::GreaterThan, "100000"),
        value(&by("bureau"), "2019", "142000"),
        bounded(&by("media"), "2020", Bound::GreaterThan, "100000"),
        value(&by("bureau"), "2020", "98000"),
        value(&by("bureau"), "2021", "100"),
        value(&by("report"), "2021", "101"),
        value(&by("media"), "2021", "103"),
        value(&by("media"), "2022", "7"),
    ];
    client.put(figures).await.revision
}

#[tokio::test]
async fn what_bounds_and_roundings_allow_is_no_disagreement() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    fill(&client).await;
    let all = told(&client, ListDiscrepanciesRequest::default()).await;
    assert_eq!(all, ["2020 2000 2% bureau media", "2021 3 2.912621359223300970873786408% bureau report media"]);
    let (found, _) = ask(&client, ListDiscrepanciesRequest::default()).await.unwrap();
    let side = &found[0].sides[1];
    assert_eq!((side.value.as_str(), side.bound(), side.revision), ("100000", Bound::GreaterThan, 2));
    assert!(side.published_at.is_some());
    assert_eq!(found[0].series.as_ref().unwrap(), &by(""));
}

#[tokio::test]
async fn a_tolerance_is_in_the_unit_or_in_percent() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    fill(&client).await;
    let periods = async |tolerance: &str, tolerance_percent: &str| {
        let (tolerance, tolerance_percent) = (tolerance.to_owned(), tolerance_percent.to_owned());
        let told = told(&client, ListDiscrepanciesRequest { tolerance, tolerance_percent, ..Default::default() }).await;
        told.iter().map(|line| line[..4].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(periods("3", "").await, ["2020"]);
    assert_eq!(periods("2.99", "").await, ["2020", "2021"]);
    assert_eq!(periods("", "2").await, ["2020", "2021"], "more than 100,000 is more than 2% from 98,000");
    assert_eq!(periods("", "2.1").await, ["2021"]);
    assert_eq!(periods("3", "2.1").await, [""; 0]);
}

#[tokio::test]
async fn sources_and_periods_of_the_filter_limit_who_is_compared() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    fill(&client).await;
    let of = async |filter: ObservationFilter| {
        told(&client, ListDiscrepanciesRequest { filter: Some(filter), ..Default::default() }).await
    };
    let sources = vec!["report".into(), "media".into()];
    assert_eq!(
        of(ObservationFilter { sources, ..Default::default() }).await,
        ["2021 2 1.941747572815533980582524272% report media"]
    );
    assert_eq!(of(ObservationFilter { sources: vec!["media".into()], ..Default::default() }).await, [""; 0]);
    let until = ObservationFilter { end_period: "2020".into(), ..Default::default() };
    assert_eq!(of(until).await, ["2020 2000 2% bureau media"]);
    assert_eq!(of(ObservationFilter { regions: vec!["CN-BJ".into()], ..Default::default() }).await, [""; 0]);
}

#[tokio::test]
async fn a_moment_has_its_disagreements_whatever_is_written_later() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    let early = |observation| published("2020-01-01", observation);
    client.put(vec![early(value(&by("bureau"), "2019", "5")), early(value(&by("media"), "2019", "6"))]).await;
    let revision = client.put(vec![published("2021-01-01", value(&by("media"), "2019", "5"))]).await.revision;
    let request = |as_of: Option<AsOf>| ListDiscrepanciesRequest { as_of, ..Default::default() };
    assert_eq!(told(&client, request(None)).await, [""; 0], "they agree now");
    assert_eq!(told(&client, request(at_revision(revision - 1))).await.len(), 1, "and did not before");
    assert_eq!(told(&client, request(published_by("2020-12-31"))).await.len(), 1);
    let both = Some(AsOf { revision: revision - 1, ..published_by("2019-12-31").unwrap() });
    assert_eq!(told(&client, request(both)).await, [""; 0], "nothing was published by then");

    let bytes = async |client: &Client| {
        let answer = client.analytics().list_discrepancies(request(at_revision(revision - 1))).await.unwrap();
        answer.into_inner().encode_to_vec()
    };
    let before = bytes(&client).await;
    client.put(vec![value(&by("report"), "2019", "7"), value(&by("report"), "2018", "7")]).await;
    client.write(withdraw(&by("media"), &["2019"])).await;
    assert_eq!(bytes(&client).await, before);
    server.restart().await;
    assert_eq!(bytes(&server.client()).await, before);
}

#[tokio::test]
async fn pages_go_on_in_the_state_that_they_began_with() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let years: Vec<String> = (1990..2020).map(|year| year.to_string()).collect();
    let sides =
        |source: &str, figure: &str| -> Vec<Observation> { years.iter().map(|year| value(&by(source), year, figure)).collect() };
    client.put([sides("bureau", "1"), sides("media", "2")].concat()).await;
    let (mut request, mut periods) = (ListDiscrepanciesRequest { page_size: 7, ..Default::default() }, Vec::new());
    loop {
        let (found, token) = ask(&client, request.clone()).await.unwrap();
        assert!(found.len() <= 7);
        periods.extend(found.into_iter().map(|it| it.period));
        if token.is_empty() {
            break;
        }
        request.page_token = token;
        // They agree from now on; the pages do not know.
        client.put(sides("media", "1")).await;
    }
    assert_eq!(periods, years);
    let other = ListDiscrepanciesRequest { tolerance: "1".into(), ..request };
    assert_eq!(ask(&client, other).await.unwrap_err().what(), (Code::InvalidArgument, "INVALID_PAGE_TOKEN"));
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let filter = ObservationFilter { indicators: vec!["nothing".into()], ..Default::default() };
    let (tolerance, tolerance_percent) = ("-1".into(), "1%".into());
    let request = ListDiscrepanciesRequest { filter: Some(filter), tolerance, tolerance_percent, ..Default::default() };
    let refusal = ask(&client, request).await.unwrap_err();
    assert_eq!(
        refusal.listed(),
        [
            ("tolerance", "INVALID_DECIMAL"),
            ("tolerance_percent", "INVALID_DECIMAL"),
            ("filter.indicators[\"nothing\"]", "UNKNOWN_INDICATOR")
        ]
    );
}
