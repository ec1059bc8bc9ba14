//! Figures of regions as one: sums and means, who is missing, what is reported beside, at any moment.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{
    AsOf, Bound, CatalogEntry, Observation, RegionAggregation, RegionSelection, RolledUp, RollupRequest, RollupResponse,
    catalog_entry::Entry,
};
use indicator_tests::{
    catalog::{derived, indicator, region, upsert},
    client::{Client, at_revision, published_by, withdraw},
    figures::{bounded, key, published, value},
    refusal::Refusal,
    server::Server,
};
use prost::Message as _;
use tonic::Code;

/// Three provinces, one of which ended with 2019; and a share that is weighted by output.
async fn client_with_provinces(server: &Server) -> Client {
    let client = server.client_with_catalog().await;
    let mut ended = region("CN-XX", "CN", "province", "Former province", "旧省");
    if let Some(Entry::Region(region)) = &mut ended.entry {
        region.valid_to = "2019-12-31".into();
    }
    client.apply(upsert(vec![ended, weighted("share", "output")])).await;
    client
}

fn weighted(id: &str, weight: &str) -> CatalogEntry {
    let mut share = indicator(id, "{person}");
    if let Some(Entry::Indicator(indicator)) = &mut share.entry {
        indicator.region_aggregation = RegionAggregation::Weighted.into();
        indicator.region_weight = weight.into();
    }
    share
}

fn of(indicator: &str, period: &str) -> RollupRequest {
    let selection = RegionSelection {
        indicator: indicator.into(),
        level: "province".into(),
        under: "CN".into(),
        period: period.into(),
        ..Default::default()
    };
    RollupRequest { selection: Some(selection), ..Default::default() }
}

fn within(indicator: &str, start: &str) -> RollupRequest {
    let mut request = of(indicator, "");
    request.selection.as_mut().unwrap().start_period = start.into();
    request
}

async fn ask(client: &Client, request: RollupRequest) -> Result<RollupResponse, Refusal> {
    Ok(client.analytics().rollup(request).await?.into_inner())
}

/// Period, figure, coverage, missing regions, and the difference from what is reported.
async fn told(client: &Client, request: RollupRequest) -> Vec<String> {
    let text = |made: &RolledUp| {
        let it = made.observation.as_ref().unwrap();
        let coverage = it.coverage.unwrap();
        let figure = |it: &Observation| format!("{}{}", if it.bound == 0 { "" } else { it.bound().as_str_name() }, it.value);
        let off = made.difference.as_ref().map_or_else(String::new, |it| format!(" off {}", figure(it)));
        let missing = made.missing_regions.join(" ");
        format!("{} {} {}/{} [{missing}]{off}", it.period, figure(it), coverage.reported, coverage.expected)
    };
    ask(client, request).await.unwrap().figures.iter().map(text).collect()
}

#[tokio::test]
async fn a_sum_names_who_is_missing_and_expects_nobody_who_had_ended() {
    let server = Server::start();
    let client = client_with_provinces(&server).await;
    let figures =
        [("CN-SD", "2019", "5"), ("CN-XX", "2019", "2"), ("CN-SD", "2020", "6"), ("CN-BJ", "2020", "4"), ("CN", "2020", "8")];
    client
        .put(figures.iter().map(|(region, period, text)| value(&key("output", region, "bureau"), period, text)).collect())
        .await;
    assert_eq!(told(&client, within("output", "2019")).await, ["2019 7 2/3 [CN-BJ]", "2020 10 2/2 [] off 2"]);
    assert_eq!(told(&client, of("output", "2018")).await, ["2018  0/3 [CN-BJ CN-SD CN-XX]"]);
    let answer = ask(&client, of("output", "2020")).await.unwrap();
    let [made] = answer.figures.as_slice() else { panic!("one figure") };
    assert_eq!(made.observation.as_ref().unwrap().series.as_ref().unwrap(), &key("output", "CN", ""));
    assert_eq!(made.difference_percent.as_ref().map(|it| (it.value.as_str(), it.unit.as_str())), Some(("25", "%")));
    assert_eq!((answer.unit.as_str(), made.sources.as_slice()), ("CNY", &["bureau".to_owned()][..]));
}

#[tokio::test]
async fn bounds_are_summed_as_bounds_and_mixed_sources_and_periods_are_told() {
    let server = Server::start();
    let client = client_with_provinces(&server).await;
    client
        .put(vec![
            bounded(&key("output", "CN-SD", "bureau"), "2021", Bound::GreaterThan, "5"),
            value(&key("output", "CN-BJ", "media"), "2020", "4"),
        ])
        .await;
    let answer = ask(&client, of("output", "")).await.unwrap();
    let [made] = answer.figures.as_slice() else { panic!("one figure") };
    let figure = made.observation.as_ref().unwrap();
    assert_eq!((figure.value.as_str(), figure.bound(), figure.period.as_str()), ("9", Bound::GreaterThan, "2021"));
    assert_eq!((made.periods.join(" "), made.sources.join(" ")), ("2020 2021".to_owned(), "bureau media".to_owned()));
    assert_eq!(made.reported, None);
}

#[tokio::test]
async fn a_mean_is_weighted_by_the_indicators_rule_or_as_asked() {
    let server = Server::start();
    let client = client_with_provinces(&server).await;
    let put = async |indicator: &str, cells: &[(&str, &str)]| {
        let cells = cells.iter().map(|(region, text)| value(&key(indicator, region, "bureau"), "2020", text));
        client.put(cells.collect()).await;
    };
    put("share", &[("CN-SD", "10"), ("CN-BJ", "20")]).await;
    put("output", &[("CN-SD", "300"), ("CN-BJ", "100")]).await;
    put("5g-base-stations", &[("CN-SD", "1")]).await;
    assert_eq!(told(&client, of("share", "2020")).await, ["2020 12.5 2/2 []"]);
    let by_stations = RollupRequest { weight: "5g-base-stations".into(), ..of("share", "2020") };
    assert_eq!(told(&client, by_stations).await, ["2020 10 1/2 [CN-BJ]"], "without a weight it has no say");
    let sum = RollupRequest { method: RegionAggregation::Sum.into(), ..of("share", "2020") };
    assert_eq!(told(&client, sum).await, ["2020 30 2/2 []"]);
    let explained = ask(&client, RollupRequest { explain: true, ..of("share", "2020") }).await.unwrap();
    let derivation = explained.figures[0].observation.as_ref().unwrap().derivation.as_ref().unwrap();
    assert_eq!(derivation.formula, "sum(figures * weights) / sum(weights)");
    let names: Vec<&str> = derivation.operands.iter().map(|operand| operand.name.as_str()).collect();
    assert_eq!(names, ["figures", "weights", "figures", "weights"]);
}

#[tokio::test]
async fn figures_of_a_derived_indicator_are_rolled_up_like_any_other() {
    let server = Server::start();
    let client = client_with_provinces(&server).await;
    let mut twice = derived("twice", "CNY", "output * 2");
    if let Some(Entry::Indicator(indicator)) = &mut twice.entry {
        indicator.region_aggregation = RegionAggregation::Sum.into();
    }
    client.apply(upsert(vec![twice])).await;
    let figures = [("CN-SD", "5"), ("CN-BJ", "4"), ("CN", "10")];
    client.put(figures.iter().map(|(region, text)| value(&key("output", region, "bureau"), "2020", text)).collect()).await;
    assert_eq!(told(&client, of("twice", "2020")).await, ["2020 18 2/2 [] off -2"]);
}

#[tokio::test]
async fn a_moment_of_either_time_has_its_sum_whatever_is_written_later() {
    let mut server = Server::start();
    let client = client_with_provinces(&server).await;
    let output = |region: &str, source: &str, text: &str| value(&key("output", region, source), "2020", text);
    client
        .put(vec![published("2021-01-01", output("CN-SD", "media", "5")), published("2021-02-01", output("CN-BJ", "media", "4"))])
        .await;
    let revision = client.put(vec![published("2022-01-01", output("CN-SD", "media", "6"))]).await.revision;
    let at = |as_of: Option<AsOf>| RollupRequest { as_of, ..of("output", "2020") };
    assert_eq!(told(&client, at(None)).await, ["2020 10 2/2 []"]);
    assert_eq!(told(&client, at(at_revision(revision - 1))).await, ["2020 9 2/2 []"]);
    assert_eq!(told(&client, at(published_by("2021-01-15"))).await, ["2020 5 1/2 [CN-BJ]"]);

    let bytes = async |client: &Client| {
        let request = RollupRequest { explain: true, ..at(at_revision(revision)) };
        client.analytics().rollup(request).await.unwrap().into_inner().encode_to_vec()
    };
    let before = bytes(&client).await;
    // Figures, sources, regions and the rule change.
    client.put(vec![output("CN-SD", "bureau", "7"), output("CN", "bureau", "70")]).await;
    client.write(withdraw(&key("output", "CN-BJ", "media"), &["2020"])).await;
    let mut rule = weighted("output", "share");
    if let Some(Entry::Indicator(indicator)) = &mut rule.entry {
        indicator.unit = "CNY".into();
    }
    client.apply(upsert(vec![region("CN-YY", "CN", "province", "New province", "新省"), rule])).await;
    assert_ne!(ask(&client, at(None)).await.unwrap().figures, ask(&client, at(at_revision(revision))).await.unwrap().figures);
    assert_eq!(bytes(&client).await, before);
    server.restart().await;
    assert_eq!(bytes(&server.client()).await, before);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let server = Server::start();
    let client = client_with_provinces(&server).await;
    let mut request = RollupRequest { method: 1, weight: "nothing".into(), ..of("nothing", "2020") };
    request.selection.as_mut().unwrap().under = String::new();
    let refusal = ask(&client, request).await.unwrap_err();
    assert_eq!(
        refusal.listed(),
        [
            ("selection.indicator", "UNKNOWN_INDICATOR"),
            ("selection.under", "REQUIRED"),
            ("method", "CONFLICTING_FIELDS"),
            ("weight", "UNKNOWN_INDICATOR")
        ]
    );
    let weighted_sum = RollupRequest { weight: "output".into(), ..of("5g-base-stations", "2020") };
    let refusal = ask(&client, weighted_sum).await.unwrap_err();
    assert_eq!((refusal.code, refusal.listed()), (Code::InvalidArgument, vec![("weight", "CONFLICTING_FIELDS")]));
}
