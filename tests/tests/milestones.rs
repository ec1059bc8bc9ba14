//! When figures crossed thresholds: for certain, perhaps, in which period, and in which publication.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{
    AsOf, Bound, Change, Crossing, ListMilestonesRequest, Milestone, Observation, ObservationFilter, SeriesKey, Transform,
    transform::Step,
};
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

fn of(thresholds: &[&str]) -> ListMilestonesRequest {
    let filter = ObservationFilter { indicators: vec!["5g-base-stations".into()], ..Default::default() };
    let thresholds = thresholds.iter().map(|&text| text.to_owned()).collect();
    ListMilestonesRequest { filter: Some(filter), thresholds, ..Default::default() }
}

async fn ask(client: &Client, request: ListMilestonesRequest) -> Result<Vec<Milestone>, Refusal> {
    Ok(client.analytics().list_milestones(request).await?.into_inner().milestones)
}

/// Threshold, state, first, first published, possible, latest.
async fn told(client: &Client, request: ListMilestonesRequest) -> Vec<String> {
    let place = |point: &Option<Observation>| {
        point.as_ref().map_or("-".to_owned(), |it| format!("{}@{}/{}", it.value, it.period, it.series.as_ref().unwrap().source))
    };
    let text = |it: &Milestone| {
        let state = it.state().as_str_name().trim_start_matches("MILESTONE_STATE_").to_owned();
        let places = [&it.first, &it.first_published, &it.possible, &it.latest].map(place).join(" ");
        format!("{} {state} {places}", it.threshold)
    };
    ask(client, request).await.unwrap().iter().map(text).collect()
}

async fn fill(client: &Client) -> u64 {
    let figures = vec![
        published("2020-01-01", value(&by("bureau"), "2019", "60000")),
        published("2021-12-06", bounded(&by("media"), "2021", Bound::GreaterThan, "100000")),
        published("2022-01-15", value(&by("bureau"), "2021", "98000")),
        published("2022-06-01", value(&by("bureau"), "2020", "100000")),
        published("2023-01-01", value(&by("bureau"), "2022", "142000")),
    ];
    client.put(figures).await.revision
}

#[tokio::test]
async fn the_first_period_and_the_first_publication_may_be_of_different_years() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    fill(&client).await;
    assert_eq!(
        told(&client, of(&["100000", "142000.5"])).await,
        [
            "100000 PROVEN 100000@2020/bureau 100000@2021/media - 142000@2022/bureau",
            "142000.5 NOT_REACHED - - - 142000@2022/bureau"
        ]
    );
    let milestones = ask(&client, of(&["100000"])).await.unwrap();
    assert_eq!(milestones[0].series.as_ref().unwrap(), &by(""), "sources compete");
}

#[tokio::test]
async fn each_source_has_its_own_milestones_where_all_are_asked_for() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    fill(&client).await;
    let mut request = of(&["100001"]);
    request.filter.as_mut().unwrap().all_sources = true;
    assert_eq!(
        told(&client, request).await,
        [
            "100001 PROVEN 142000@2022/bureau 142000@2022/bureau - 142000@2022/bureau",
            "100001 POSSIBLE - - 100000@2021/media 100000@2021/media"
        ]
    );
}

#[tokio::test]
async fn falling_is_the_mirror_of_reaching() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let figures = [("2019", Bound::LessThan, "9"), ("2020", Bound::AtMost, "5"), ("2021", Bound::Exact, "6")];
    client.put(figures.iter().map(|(period, bound, text)| bounded(&by("bureau"), period, *bound, text)).collect()).await;
    let request = ListMilestonesRequest { crossing: Crossing::FellTo.into(), ..of(&["5", "9", "4"]) };
    assert_eq!(
        told(&client, request).await,
        [
            "5 PROVEN 5@2020/bureau 5@2020/bureau 9@2019/bureau 6@2021/bureau",
            "9 PROVEN 9@2019/bureau 9@2019/bureau - 6@2021/bureau",
            "4 POSSIBLE - - 9@2019/bureau 6@2021/bureau"
        ]
    );
}

#[tokio::test]
async fn a_moment_of_either_time_has_its_milestones_whatever_is_written_later() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    let revision = fill(&client).await;
    let at = |as_of: Option<AsOf>| ListMilestonesRequest { as_of, ..of(&["100000"]) };
    let on = async |day: &str| told(&client, at(published_by(day))).await;
    assert_eq!(on("2019-12-31").await, [""; 0], "nobody had said anything");
    assert_eq!(on("2021-01-01").await, ["100000 NOT_REACHED - - - 60000@2019/bureau"]);
    assert_eq!(on("2021-12-31").await, ["100000 PROVEN 100000@2021/media 100000@2021/media - 100000@2021/media"]);
    assert_eq!(
        on("2022-02-01").await,
        ["100000 NOT_REACHED - 100000@2021/media - 98000@2021/bureau"],
        "proven once, and taken back by who is preferred"
    );

    let bytes = async |client: &Client| {
        client.analytics().list_milestones(at(at_revision(revision))).await.unwrap().into_inner().encode_to_vec()
    };
    let before = bytes(&client).await;
    client.put(vec![published("2019-01-01", value(&by("report"), "2018", "200000"))]).await;
    client.put(vec![value(&key("5g-base-stations", "CN-BJ", "bureau"), "2018", "200000")]).await;
    client.write(withdraw(&by("bureau"), &["2020", "2022"])).await;
    assert_ne!(told(&client, at(None)).await, told(&client, at(at_revision(revision))).await);
    assert_eq!(bytes(&client).await, before);
    server.restart().await;
    assert_eq!(bytes(&server.client()).await, before);
}

#[tokio::test]
async fn of_computed_figures_no_publication_is_told() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    fill(&client).await;
    let transforms = vec![Transform { step: Some(Step::Change(Change::default())) }];
    let told = told(&client, ListMilestonesRequest { transforms, ..of(&["40000"]) }).await;
    assert_eq!(told, ["40000 PROVEN 40000@2020/ - - 44000@2022/"]);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let request = ListMilestonesRequest { thresholds: vec!["1e".into()], crossing: 9, ..Default::default() };
    let refusal = ask(&client, request).await.unwrap_err();
    assert_eq!(
        refusal.listed(),
        [("crossing", "INVALID_ENUM"), ("thresholds[0]", "INVALID_DECIMAL"), ("filter.indicators", "REQUIRED")]
    );
    let refusal = ask(&client, of(&[])).await.unwrap_err();
    assert_eq!(refusal.listed(), [("thresholds", "REQUIRED")]);
    let many = ListMilestonesRequest { thresholds: vec!["1".into(); 101], ..of(&[]) };
    assert_eq!(ask(&client, many).await.unwrap_err().what(), (Code::InvalidArgument, "REQUEST_TOO_LARGE"));
}
