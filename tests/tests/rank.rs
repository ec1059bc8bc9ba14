//! Rankings: ties, bounds, periods, transforms before them, moments, refusals.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use indicator_proto::v1::{
    AsOf, Bound, Frequency, MissingReason, PerUnit, RankRequest, RankResponse, Ranking, RegionSelection, Transform,
    transform::Step,
};
use indicator_tests::{
    catalog::{region, upsert},
    client::{Client, at_revision, published_by},
    figures::{bounded, key, missing, published, value},
    refusal::Refusal,
    server::{Server, binary},
};

/// Five provinces below CN, beside those of the small catalog.
async fn with_provinces(server: &Server) -> Client {
    let client = server.client_with_catalog().await;
    client.apply(upsert(["CN-A", "CN-B", "CN-C"].map(|id| region(id, "CN", "province", id, id)).into())).await;
    client
}

fn selection() -> RegionSelection {
    RegionSelection { indicator: "output".into(), level: "province".into(), ..RegionSelection::default() }
}

fn output(region: &str, source: &str) -> indicator_proto::v1::SeriesKey {
    key("output", region, source)
}

async fn ask(client: &Client, request: RankRequest) -> RankResponse {
    client.analytics().rank(request).await.unwrap().into_inner()
}

async fn rank(client: &Client, selection: RegionSelection, as_of: Option<AsOf>) -> Ranking {
    let request = RankRequest { selection: Some(selection), as_of, ..RankRequest::default() };
    let mut rankings = ask(client, request).await.rankings;
    assert_eq!(rankings.len(), 1);
    rankings.remove(0)
}

fn told(ranking: &Ranking) -> Vec<(&str, u32, u32, bool, &str, &str)> {
    let row = |row: &'_ indicator_proto::v1::RankRow| (row.rank_from, row.rank_to, row.tied);
    ranking
        .rows
        .iter()
        .map(|it| {
            let (from, to, tied) = row(it);
            (it.region.as_str(), from, to, tied, it.percentile_from.as_str(), it.percentile_to.as_str())
        })
        .collect()
}

#[tokio::test]
async fn ties_share_a_rank_and_what_cannot_be_ordered_has_an_interval() {
    let server = Server::start();
    let client = with_provinces(&server).await;
    client
        .put(vec![
            value(&output("CN-A", "bureau"), "2020", "200"),
            value(&output("CN-B", "bureau"), "2020", "120"),
            bounded(&output("CN-C", "media"), "2020", Bound::GreaterThan, "100"),
            value(&output("CN-BJ", "bureau"), "2020", "50"),
            missing(&output("CN-SD", "bureau"), "2020", MissingReason::Suppressed),
        ])
        .await;
    let of_2020 = RegionSelection { period: "2020".into(), ..selection() };
    let ranking = rank(&client, of_2020.clone(), None).await;
    assert_eq!(
        told(&ranking),
        [
            ("CN-A", 1, 2, false, "62.5", "87.5"),
            ("CN-B", 2, 3, false, "37.5", "62.5"),
            ("CN-C", 1, 3, false, "37.5", "87.5"),
            ("CN-BJ", 4, 4, false, "12.5", "12.5"),
        ]
    );
    assert_eq!((ranking.ranked, ranking.unranked_regions.as_slice()), (4, &["CN-SD".to_owned()][..]));
    assert_eq!((ranking.mixed_periods, ranking.mixed_sources, ranking.unit.as_str()), (false, true, "CNY"));
    client.put(vec![value(&output("CN-C", "media"), "2020", "120")]).await;
    let ranking = rank(&client, of_2020.clone(), None).await;
    let ranks: Vec<_> = told(&ranking).into_iter().map(|(region, from, to, tied, ..)| (region, from, to, tied)).collect();
    let expected = [("CN-A", 1, 1, false), ("CN-B", 2, 2, true), ("CN-C", 2, 2, true), ("CN-BJ", 4, 4, false)];
    assert_eq!(ranks, expected);
    let least = RankRequest { selection: Some(of_2020), least_first: true, ..RankRequest::default() };
    let least = ask(&client, least).await.rankings.remove(0);
    assert_eq!(least.rows.iter().map(|row| row.rank_from).collect::<Vec<_>>(), [1, 2, 2, 4]);
    assert_eq!(least.rows[0].region, "CN-BJ");
}

#[tokio::test]
async fn each_period_has_a_ranking_and_the_latest_of_each_region_may_be_of_several() {
    let server = Server::start();
    let client = with_provinces(&server).await;
    client
        .put(vec![
            value(&output("CN-A", "bureau"), "2019", "1"),
            value(&output("CN-A", "bureau"), "2020", "5"),
            value(&output("CN-B", "bureau"), "2019", "2"),
            value(&output("CN-B", "bureau"), "2020-Q1", "9"),
        ])
        .await;
    let latest = rank(&client, selection(), None).await;
    assert!(latest.mixed_periods && latest.period.is_empty());
    let annual = RegionSelection { frequency: Frequency::Annual.into(), ..selection() };
    let request = RankRequest { selection: Some(annual), regions: vec!["CN-A".into()], ..RankRequest::default() };
    let rankings = ask(&client, request).await.rankings;
    let told: Vec<_> = rankings.iter().map(|it| (it.period.as_str(), it.rows[0].rank_from, it.rows.len(), it.ranked)).collect();
    assert_eq!(told, [("2019", 2, 1, 2), ("2020", 1, 1, 1)], "all are ranked, one is told");
}

#[tokio::test]
async fn figures_are_computed_first_and_read_as_of_any_moment() {
    let server = Server::start();
    let client = with_provinces(&server).await;
    let stations = |region: &str, number: &str| value(&key("5g-base-stations", region, "bureau"), "2020", number);
    let first = client
        .put(vec![
            published("2021-02-01", value(&output("CN-A", "bureau"), "2020", "100")),
            published("2021-01-01", value(&output("CN-B", "bureau"), "2020", "90")),
            stations("CN-A", "50"),
            stations("CN-B", "10"),
        ])
        .await
        .revision;
    client.put(vec![published("2022-01-01", value(&output("CN-B", "bureau"), "2020", "110"))]).await;
    let of_2020 = || RegionSelection { period: "2020".into(), ..selection() };
    let first_of = async |selection, as_of| rank(&client, selection, as_of).await.rows[0].region.clone();
    assert_eq!(first_of(of_2020(), None).await, "CN-B");
    assert_eq!(first_of(of_2020(), at_revision(first)).await, "CN-A");
    assert_eq!(first_of(of_2020(), published_by("2021-06-01")).await, "CN-A");
    let early = rank(&client, of_2020(), published_by("2021-01-15")).await;
    assert_eq!((early.ranked, early.rows[0].region.as_str()), (1, "CN-B"), "one was published by then");
    let per = Transform { step: Some(Step::PerUnit(PerUnit { indicator: "5g-base-stations".into(), multiple: String::new() })) };
    let per_station = rank(&client, RegionSelection { transforms: vec![per], ..of_2020() }, at_revision(first)).await;
    let told: Vec<_> = per_station.rows.iter().map(|it| (it.region.as_str(), it.observation.clone().unwrap().value)).collect();
    assert_eq!(told, [("CN-B", "9".to_owned()), ("CN-A", "2".to_owned())]);
    assert_eq!(per_station.unit, "CNY/{station}");
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let server = Server::start();
    let client = with_provinces(&server).await;
    let wrong = RegionSelection {
        indicator: "outputt".into(),
        sources: vec!["nobody".into()],
        period: "2020".into(),
        start_period: "2019".into(),
        ..RegionSelection::default()
    };
    let request = RankRequest { selection: Some(wrong), regions: vec!["XX".into()], ..RankRequest::default() };
    let refusal = Refusal::from(client.analytics().rank(request).await.unwrap_err());
    let mut fields: Vec<&str> = refusal.listed().into_iter().map(|(field, _)| field).collect();
    fields.sort_unstable();
    let beside = RankRequest { selection: Some(selection()), regions: vec!["CN-SD.3710".into()], ..RankRequest::default() };
    let beside = Refusal::from(client.analytics().rank(beside).await.unwrap_err());
    assert_eq!(beside.listed(), [("regions[\"CN-SD.3710\"]", "CONFLICTING_FIELDS")], "a prefecture among provinces");
    let expected =
        ["regions[\"XX\"]", "selection.indicator", "selection.level", "selection.period", "selection.sources[\"nobody\"]"];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn the_command_line_prints_ranks_as_people_write_them() {
    let server = Server::start();
    let client = with_provinces(&server).await;
    client
        .put(vec![
            value(&output("CN-A", "bureau"), "2020", "120"),
            bounded(&output("CN-B", "bureau"), "2020", Bound::GreaterThan, "100"),
            value(&output("CN-C", "bureau"), "2020", "7"),
        ])
        .await;
    let told = |arguments: &[&str]| {
        let output = Command::new(binary().with_file_name("indicator"))
            .args(arguments)
            .env("INDICATOR_SERVER", format!("http://{}", server.address()))
            .env("LANG", "C.UTF-8")
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let run = |arguments: &[&str]| {
        let (code, stdout, _) = told(arguments);
        (code, stdout)
    };
    let (code, table) = run(&["rank", "output", "--level", "province", "--period", "2020"]);
    assert_eq!(code, Some(0));
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1][..4], ["2020", "1–2", "3", "CN-A"]);
    assert_eq!(rows[3][..4], ["2020", "3", "3", "CN-C"]);
    assert!(table.lines().last().unwrap().starts_with("no figure in 2020: "), "{table}");
    let (_, csv) = run(&["rank", "output", "--level", "province", "--period", "2020", "-r", "CN-B", "-o", "csv"]);
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("rank_from,rank_to,tied,ranked,"));
    assert!(lines.next().unwrap().starts_with("1,2,,3,"));
    let (code, _, error) = told(&["rank", "output"]);
    assert_eq!(code, Some(2), "regions of which level?");
    assert!(error.contains("--level <LEVEL>|--under <REGION>"), "either of them will do: {error}");
    let earlier = ["2018", "2019"].iter().flat_map(|period| ["CN-A", "CN-B", "CN-C"].map(|region| (region, *period)));
    client.put(earlier.map(|(region, period)| value(&output(region, "bureau"), period, "1")).collect()).await;
    let (_, history) = run(&["rank", "output", "--level", "province", "--region", "CN-A", "--from", "2018"]);
    let below: Vec<&str> = history.lines().filter(|line| line.starts_with("no figure")).collect();
    assert_eq!(
        below,
        ["no figure in 2018, 2019, 2020: Beijing, Shandong"],
        "one line for all periods that lack the same regions"
    );
}
