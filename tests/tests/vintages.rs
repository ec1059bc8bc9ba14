//! Histories: pages of one state, refusals, answers that later writes leave alone, and what the command line shows of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use indicator_proto::v1::{
    ChangeKind, GetRevisionStatisticsRequest, ListVintageDatesRequest, ListVintageDatesResponse, ListVintagesRequest,
    ListVintagesResponse, SeriesKey, Vintage, VintageAxis, VintageView, analytics_service_client::AnalyticsServiceClient,
};
use indicator_tests::{
    assert_same,
    client::{Client, at_revision, published_by, withdraw},
    figures::{at, key, missing, published, stations, value},
    refusal::Refusal,
    server::{Server, binary},
};
use tonic::Code;

async fn list(client: &Client, request: ListVintagesRequest) -> Result<ListVintagesResponse, Refusal> {
    Ok(client.observations().list_vintages(request).await?.into_inner())
}

async fn dates(client: &Client, request: ListVintageDatesRequest) -> Result<ListVintageDatesResponse, Refusal> {
    Ok(client.observations().list_vintage_dates(request).await?.into_inner())
}

fn of(series: &SeriesKey, view: VintageView) -> ListVintagesRequest {
    ListVintagesRequest { series: Some(series.clone()), view: view.into(), ..Default::default() }
}

/// Three editions: two figures; one revised and one new; one withdrawn. And one before the last, filled in behind.
async fn editions(client: &Client) {
    let series = stations();
    let edition = |day: &'static str, cells: &[(&str, &str)]| {
        cells.iter().map(|(period, text)| published(day, value(&series, period, text))).collect::<Vec<_>>()
    };
    client.put(edition("2021-03-01", &[("2019", "100"), ("2020", "2000")])).await;
    client.put(edition("2022-03-01", &[("2020", "2100"), ("2021", "3000")])).await;
    let mut withdrawal = withdraw(&series, &["2019"]);
    withdrawal.published_at = Some(at("2023-03-01"));
    client.write(withdrawal).await;
    client.put(edition("2022-09-01", &[("2021", "3100")])).await;
}

/// Vintage date, period, value, as short texts.
fn told(vintages: &[Vintage]) -> Vec<(String, String, String)> {
    let told = |vintage: &Vintage| {
        let observation = vintage.observation.clone().unwrap();
        let date = vintage.vintage_date.as_ref().map(|date| indicator_proto::Time::try_from(date).unwrap().to_string());
        (date.unwrap_or_default().chars().take(10).collect(), observation.period, observation.value)
    };
    vintages.iter().map(told).collect()
}

fn rows(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    rows.iter().map(|(date, period, value)| ((*date).into(), (*period).into(), (*value).into())).collect()
}

#[tokio::test]
async fn each_view_tells_the_same_history_in_its_way() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    editions(&client).await;
    let view = async |view| list(&client, of(&stations(), view)).await.unwrap().vintages;
    let whole = view(VintageView::Unspecified).await;
    assert_same(&view(VintageView::RealTimePeriods).await, &whole, "absent is by real-time period");
    assert!(whole.iter().all(|v| v.vintage_date.is_none() && v.vintage_kind() == ChangeKind::Unspecified));
    assert_eq!(whole.len(), 6);
    assert_eq!(
        told(&view(VintageView::AllByVintage).await),
        rows(&[
            ("2021-03-01", "2019", "100"),
            ("2021-03-01", "2020", "2000"),
            ("2022-03-01", "2019", "100"),
            ("2022-03-01", "2020", "2100"),
            ("2022-03-01", "2021", "3000"),
            ("2022-09-01", "2019", "100"),
            ("2022-09-01", "2020", "2100"),
            ("2022-09-01", "2021", "3100"),
            ("2023-03-01", "2020", "2100"),
            ("2023-03-01", "2021", "3100"),
        ])
    );
    let changes = view(VintageView::NewOrRevised).await;
    let kinds: Vec<_> = changes.iter().map(Vintage::vintage_kind).collect();
    use ChangeKind::{Deleted, Inserted, Revised};
    assert_eq!(kinds, [Inserted, Inserted, Revised, Inserted, Revised, Deleted]);
    let first = view(VintageView::InitialRelease).await;
    assert_eq!(
        told(&first),
        rows(&[("2021-03-01", "2019", "100"), ("2021-03-01", "2020", "2000"), ("2022-03-01", "2021", "3000")])
    );
}

#[tokio::test]
async fn as_recorded_there_is_what_users_of_the_service_saw() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    editions(&client).await;
    let request = ListVintagesRequest { axis: VintageAxis::Recorded.into(), ..of(&stations(), VintageView::NewOrRevised) };
    let told: Vec<_> = told(&list(&client, request).await.unwrap().vintages).into_iter().map(|(_, p, v)| (p, v)).collect();
    let expected = [("2019", "100"), ("2020", "2000"), ("2020", "2100"), ("2021", "3000"), ("2019", ""), ("2021", "3100")];
    assert_eq!(told, expected.map(|(period, value)| (period.to_owned(), value.to_owned())));
    // Behind the current figure: published in between, recorded last.
    client.put(vec![published("2021-06-01", value(&stations(), "2020", "2050"))]).await;
    let of_2020 = |axis: VintageAxis| ListVintagesRequest {
        period: "2020".into(),
        axis: axis.into(),
        ..of(&stations(), VintageView::RealTimePeriods)
    };
    let values = async |axis| {
        let vintages = list(&client, of_2020(axis)).await.unwrap().vintages;
        vintages.into_iter().map(|v| v.observation.unwrap().value).collect::<Vec<_>>()
    };
    assert_eq!(values(VintageAxis::Published).await, ["2000", "2050", "2100"]);
    assert_eq!(values(VintageAxis::Recorded).await, ["2000", "2100"]);
}

#[tokio::test]
async fn as_of_a_revision_the_answer_is_the_same_after_later_writes_and_a_restart() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    editions(&client).await;
    let as_of = at_revision(client.head().await);
    let ask = async |client: &Client| {
        let mut answers = Vec::new();
        for view in [1, 2, 3, 4] {
            for axis in [VintageAxis::Published, VintageAxis::Recorded] {
                let request = ListVintagesRequest { view, axis: axis.into(), as_of, ..of(&stations(), VintageView::Unspecified) };
                answers.push(list(client, request).await.unwrap().vintages);
            }
        }
        let request = ListVintageDatesRequest { series: Some(stations()), as_of, ..Default::default() };
        (answers, dates(client, request).await.unwrap().dates)
    };
    let before = ask(&client).await;
    client.put(vec![published("2021-06-01", value(&stations(), "2020", "2050"))]).await;
    client.put(vec![published("2024-03-01", value(&stations(), "2021", "3200"))]).await;
    client.put(vec![value(&stations(), "2022", "4000")]).await;
    assert_eq!(ask(&client).await, before);
    server.restart().await;
    assert_eq!(ask(&server.client()).await, before);
    let now = list(&server.client(), of(&stations(), VintageView::RealTimePeriods)).await.unwrap().vintages;
    assert_eq!(now.len(), before.0[0].len() + 3);
}

#[tokio::test]
async fn what_was_published_later_is_not_shown() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    editions(&client).await;
    let as_of = published_by("2022-06-01");
    let request = ListVintagesRequest { as_of, ..of(&stations(), VintageView::AllByVintage) };
    let shown = told(&list(&client, request).await.unwrap().vintages);
    assert_eq!(shown.last().unwrap(), &rows(&[("2022-03-01", "2021", "3000")])[0]);
    let request = ListVintagesRequest { as_of, period: "2021".into(), ..of(&stations(), VintageView::RealTimePeriods) };
    let vintages = list(&client, request).await.unwrap().vintages;
    assert_eq!(vintages.len(), 1);
    assert_eq!(vintages[0].published_until, Some(at("2022-09-01")), "its time is not clipped");
}

#[tokio::test]
async fn pages_are_of_one_state_and_one_source() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    editions(&client).await;
    // The report is asked after the bureau: the preferred source is the bureau until its figures are gone.
    client.put(vec![value(&key("5g-base-stations", "CN-SD", "report"), "2020", "7")]).await;
    let subject = SeriesKey { source: String::new(), ..stations() };
    for view in [1, 2, 3, 4] {
        let request = ListVintagesRequest { page_size: 2, ..of(&subject, VintageView::try_from(view).unwrap()) };
        let whole = list(&client, ListVintagesRequest { page_size: 0, ..request.clone() }).await.unwrap().vintages;
        let (mut paged, mut page_token) = (Vec::new(), String::new());
        loop {
            let page = list(&client, ListVintagesRequest { page_token, ..request.clone() }).await.unwrap();
            assert!(page.vintages.len() <= 2);
            paged.extend(page.vintages);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
            client.write(withdraw(&stations(), &["2020", "2021"])).await;
        }
        assert_same(&paged, &whole, "pages");
        client.put(vec![value(&stations(), "2020", "1"), value(&stations(), "2021", "2")]).await;
    }
    let request = ListVintageDatesRequest { series: Some(subject), page_size: 2, ..Default::default() };
    let first = dates(&client, request.clone()).await.unwrap();
    assert_eq!((first.dates.len(), first.series), (2, Some(stations())));
    let page_token = first.next_page_token;
    let second = dates(&client, ListVintageDatesRequest { page_token, ..request }).await.unwrap();
    assert_eq!(second.dates[0].date, Some(at("2022-09-01")));
    assert_eq!((second.dates[0].revised, second.dates[1].deleted), (1, 1));
}

#[tokio::test]
async fn a_token_is_good_for_its_request_alone() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    editions(&client).await;
    let request = ListVintagesRequest { page_size: 1, ..of(&stations(), VintageView::AllByVintage) };
    let page_token = list(&client, request.clone()).await.unwrap().next_page_token;
    let invalid = (Code::InvalidArgument, "INVALID_PAGE_TOKEN");
    let others = [
        ListVintagesRequest { view: VintageView::NewOrRevised.into(), ..request.clone() },
        ListVintagesRequest { axis: VintageAxis::Recorded.into(), ..request.clone() },
        ListVintagesRequest { end_date: Some(at("2022-12-31")), ..request.clone() },
        ListVintagesRequest { period: "2020".into(), ..request.clone() },
    ];
    for other in others {
        let other = ListVintagesRequest { page_token: page_token.clone(), ..other };
        assert_eq!(list(&client, other).await.unwrap_err().what(), invalid);
    }
    let request = ListVintageDatesRequest { series: Some(stations()), page_token, ..Default::default() };
    assert_eq!(dates(&client, request).await.unwrap_err().what(), invalid, "of another call");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_request_is_told_at_once() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    editions(&client).await;
    let request = ListVintagesRequest {
        series: None,
        period: "2021-Q5".into(),
        view: 9,
        axis: 7,
        start_date: Some(at("2022-01-01")),
        ..Default::default()
    };
    let refusal = list(&client, request).await.unwrap_err();
    assert_eq!(
        refusal.listed(),
        [
            ("series.indicator", "REQUIRED"),
            ("series.region", "REQUIRED"),
            ("period", "INVALID_PERIOD"),
            ("view", "INVALID_ENUM"),
            ("axis", "INVALID_ENUM"),
            ("start_date", "CONFLICTING_FIELDS"),
        ]
    );
    let limits = |view, start, end| ListVintagesRequest { start_date: start, end_date: end, ..of(&stations(), view) };
    let (early, late) = (Some(at("2021-01-01")), Some(at("2022-01-01")));
    let refusal = list(&client, limits(VintageView::InitialRelease, early, late)).await.unwrap_err();
    assert_eq!(refusal.listed(), [("start_date", "CONFLICTING_FIELDS"), ("end_date", "CONFLICTING_FIELDS")]);
    let refusal = list(&client, limits(VintageView::NewOrRevised, late, early)).await.unwrap_err();
    assert_eq!(refusal.listed(), [("start_date", "CONFLICTING_FIELDS")]);
    assert!(refusal.message.contains("exchange them"), "{}", refusal.message);

    let mut analytics = AnalyticsServiceClient::connect(format!("http://{}", server.address())).await.unwrap();
    let request = GetRevisionStatisticsRequest {
        series: Some(key("", "CN-SD", "")),
        start_period: "2022".into(),
        end_period: "2020".into(),
        frequency: 40,
        axis: 3,
        ..Default::default()
    };
    let refusal = Refusal::from(analytics.get_revision_statistics(request).await.unwrap_err());
    assert_eq!(
        refusal.listed(),
        [
            ("series.indicator", "REQUIRED"),
            ("start_period", "CONFLICTING_FIELDS"),
            ("frequency", "INVALID_ENUM"),
            ("axis", "INVALID_ENUM"),
        ]
    );
    let request = GetRevisionStatisticsRequest { series: Some(key("6g", "CN-SD", "bureau")), ..Default::default() };
    let refusal = Refusal::from(analytics.get_revision_statistics(request).await.unwrap_err());
    assert_eq!(refusal.what(), (Code::NotFound, "UNKNOWN_INDICATOR"));
}

/// What the command line prints.
fn indicator(server: &Server, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(binary().with_file_name("indicator"))
        .arg("history")
        .args(["5g-base-stations", "CN-SD"])
        .args(arguments)
        .env("INDICATOR_SERVER", format!("http://{}", server.address()))
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let printed = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.code(), String::from_utf8(printed).unwrap())
}

#[tokio::test]
async fn the_command_line_shows_vintages_as_a_grid_and_as_a_list() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    editions(&client).await;
    client
        .put(vec![published("2023-03-01", missing(&stations(), "2022", indicator_proto::v1::MissingReason::NotCollected))])
        .await;
    let (_, grid) = indicator(&server, &["--view", "all-by-vintage", "--to", "2022-03-01"]);
    assert_eq!(
        grid,
        "5g-base-stations, Shandong: bureau; station, by date of publication\n\
         PERIOD  2021-03-01  2022-03-01\n\
         2019           100         100\n\
         2020         2,000       2,100\n\
         2021                     3,000\n"
    );
    let (_, grid) = indicator(&server, &["--view", "all-by-vintage", "--from", "2022-09-01", "--lang", "zh"]);
    assert_eq!(
        grid,
        "5g-base-stations, 山东: bureau；station，按发布时间\n\
         时期  2022-09-01  2023-03-01\n\
         2019         100\n\
         2020       2,100       2,100\n\
         2021       3,100       3,100\n\
         2022              … (未采集)\n"
    );
    let (_, csv) = indicator(&server, &["2020", "--view", "new-or-revised", "-o", "csv"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].ends_with(",change,published_until,superseded_revision,current,recorded_until,vintage_date,vintage_change"));
    assert!(lines[1].ends_with(",2021-03-01,inserted") && lines[2].ends_with(",2022-03-01,revised"), "{csv}");
    let (_, table) = indicator(&server, &["2019", "--view", "new-or-revised"]);
    let columns: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split_whitespace().take(3).collect()).collect();
    assert_eq!(columns, [["VINTAGE", "PERIOD", "FIGURE"], ["2021-03-01", "2019", "100"], ["2023-03-01", "2019", "…"]]);
    assert!(table.contains("withdrawn") && table.contains("by date of publication"), "{table}");
}

#[tokio::test]
async fn the_command_line_lists_vintage_dates_and_tells_statistics_with_their_source() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    editions(&client).await;
    let (_, table) = indicator(&server, &["--dates"]);
    assert_eq!(
        table,
        "5g-base-stations, Shandong: bureau; by date of publication\n\
         VINTAGE     INSERTED  REVISED  WITHDRAWN\n\
         2021-03-01         2\n\
         2022-03-01         1        1\n\
         2022-09-01                  1\n\
         2023-03-01                             1\n"
    );
    let (_, csv) = indicator(&server, &["--dates", "-o", "csv"]);
    assert_eq!(csv.lines().nth(2), Some("2022-03-01,1,1,0"));
    let (_, statistics) = indicator(&server, &["--statistics"]);
    for line in [
        "5g-base-stations, Shandong: bureau; revisions, latest less first print, by date of publication",
        "  periods         2; 1 without an exact first or latest figure left out",
        "  mean            100 station",
        "  relative        3.8462%",
        "  days to latest  274.5",
        "PERIOD  FIRST  PUBLISHED   LATEST  PUBLISHED   REVISION  PERCENT  VERSIONS",
        "2020    2,000  2021-03-01   2,100  2022-03-01       100  4.7619%         2",
    ] {
        assert!(statistics.lines().any(|told| told == line), "{line}\n{statistics}");
    }
    assert!(statistics.contains("https://www.oecd.org/sdd/40315546.pdf"), "{statistics}");
    let (_, csv) = indicator(&server, &["--statistics", "--from-period", "2021", "-o", "csv"]);
    assert!(csv.lines().nth(1).unwrap().starts_with("1,0,100,100,100,"), "{csv}");
    let (code, error) = indicator(&server, &["--from", "2022-01-01"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("--view all-by-vintage"), "{error}");
    for arguments in [&["2020", "--dates"][..], &["--dates", "--statistics"], &["--frequency", "annual"]] {
        assert_eq!(indicator(&server, arguments).0, Some(2), "{arguments:?}");
    }
}
