//! What a page is told while it is open.

use indicator_proto::v1::{Bound, CatalogEntry, Indicator, catalog_entry::Entry};
use indicator_tests::{
    catalog,
    client::{Client, merge},
    figures::{bounded, key, stations, value},
    http::{self, Event, Events},
    server::Server,
};
use serde_json::Value;

/// The position that a page has, as its markup says.
async fn position(server: &Server, path: &str) -> String {
    let page = http::get(server.address(), path).await.text;
    let (_, rest) = page.split_once("data-position=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

async fn open(server: &Server, path: &str, position: &str) -> Events {
    Events::open(server.address(), &format!("/live{path}"), &[("Last-Event-ID", position)]).await.unwrap()
}

fn data(event: &Event) -> Value {
    serde_json::from_str(&event.data).unwrap()
}

async fn put(client: &Client, figure: &str) -> u64 {
    client.write(merge(vec![value(&stations(), "2020", figure)])).await.revision
}

const OVERVIEW: &str = "/regions/CN-SD?lang=en";

#[tokio::test]
async fn a_figure_that_is_written_is_told_with_its_tile_and_in_words() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    put(&client, "1000").await;
    let mut events = open(&server, OVERVIEW, &position(&server, OVERVIEW).await).await;
    assert_eq!(events.next().await.unwrap().name, "beat", "the page has everything");
    client.write(merge(vec![bounded(&stations(), "2020", Bound::GreaterThan, "2000")])).await;
    let told = data(&events.find("picture").await);
    let html = told["html"].as_object().unwrap();
    assert_eq!(html.len(), 1, "what did not change is not sent: {told}");
    assert!(html.values().next().unwrap().as_str().unwrap().contains("2,000"));
    assert_eq!(told["said"][0]["old"], "1,000 station");
    assert_eq!(told["said"][0]["new"], "> 2,000 station");
    assert!(told.get("order").is_none(), "tiles stay where they are: {told}");
}

#[tokio::test]
async fn what_is_written_elsewhere_changes_nothing_but_the_position() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    put(&client, "1000").await;
    let mut events = open(&server, OVERVIEW, &position(&server, OVERVIEW).await).await;
    let first = events.next().await.unwrap();
    client.write(merge(vec![value(&key("output", "CN-BJ", "bureau"), "2020", "5")])).await;
    let beat = events.next().await.unwrap();
    assert_eq!(beat.name, "beat");
    assert_ne!(beat.id, first.id);
}

/// Killed in the middle, and started again on the same store.
#[tokio::test]
async fn a_page_that_comes_back_is_told_what_it_missed_and_nothing_twice() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    put(&client, "1000").await;
    let log = "/changes?lang=en";
    let mut events = open(&server, log, &position(&server, log).await).await;
    events.next().await.unwrap();
    let seen = put(&client, "2000").await;
    let last = events.find("picture").await;
    assert!(data(&last)["html"].as_object().unwrap().contains_key(&format!("commit-{seen}")));
    server.kill();
    assert_eq!(events.next().await, None, "the stream breaks off");
    server.start_again();
    let client = server.client();
    let missed = [put(&client, "3000").await, put(&client, "4000").await];
    let mut events = open(&server, log, &last.id).await;
    let told = data(&events.next().await.unwrap());
    let html = told["html"].as_object().unwrap();
    for revision in missed {
        assert!(html.contains_key(&format!("commit-{revision}")), "{told}");
    }
    assert!(!html.contains_key(&format!("commit-{seen}")), "that one it had");
    assert_eq!(told["said"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_page_of_another_history_or_of_the_future_loads_anew() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    put(&client, "1000").await;
    let here = position(&server, OVERVIEW).await;
    let (history, revision) = here.rsplit_once('.').unwrap();
    // The same but for its last digit.
    let digit = if history.ends_with('0') { '1' } else { '0' };
    let other = format!("{}{digit}.{revision}", &history[..history.len() - 1]);
    for wrong in [format!("{history}.99"), other] {
        let mut events = open(&server, OVERVIEW, &wrong).await;
        assert_eq!(events.next().await.unwrap().name, "reload", "{wrong}");
        assert_eq!(events.next().await, None);
    }
    // Who has nothing is told everything.
    for nothing in ["", "x", "a.b"] {
        let mut events = open(&server, OVERVIEW, nothing).await;
        let told = data(&events.next().await.unwrap());
        assert!(told["html"].as_object().unwrap().len() >= 2, "{told}");
    }
}

#[tokio::test]
async fn a_server_that_stops_says_when_to_come_back() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    put(&client, "1000").await;
    let mut events = open(&server, OVERVIEW, &position(&server, OVERVIEW).await).await;
    events.next().await.unwrap();
    server.stop().await;
    let closing = events.find("closing").await;
    assert!(closing.data.parse::<u64>().unwrap() < 2_000);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn new_regions_move_a_ranking_and_new_names_are_told() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    put(&client, "1000").await;
    let path = "/rankings/5g-base-stations?level=province&lang=en";
    let mut events = open(&server, path, &position(&server, path).await).await;
    events.next().await.unwrap();
    client.write(merge(vec![value(&key("5g-base-stations", "CN-BJ", "bureau"), "2020", "3000")])).await;
    let told = data(&events.find("picture").await);
    let order: Vec<&str> = told["order"]["ranking"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(order, ["rank-CN_2d_BJ", "rank-CN_2d_SD"]);
    client.apply(catalog::upsert(vec![catalog::region("CN-BJ", "CN", "province", "Peking", "北京")])).await;
    let told = data(&events.find("picture").await);
    assert!(told["html"]["rank-CN_2d_BJ"].as_str().unwrap().contains("Peking"), "{told}");
}

/// However much else the commit changes.
#[tokio::test]
async fn of_a_large_commit_a_page_counts_what_concerns_it() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    put(&client, "1000").await;
    let mut events = open(&server, OVERVIEW, &position(&server, OVERVIEW).await).await;
    events.next().await.unwrap();
    let years = |region: &str| {
        let series = key("output", region, "bureau");
        (1900..1950).map(move |year| value(&series, &year.to_string(), "5")).collect::<Vec<_>>()
    };
    client.write(merge([years("CN-BJ"), years("CN-SD"), years("CN")].concat())).await;
    let told = data(&events.find("picture").await);
    assert_eq!(told["said"].as_array().unwrap().len(), 12, "{told}");
    assert_eq!(told["more"], 38, "of the 50 of this region");
}

#[tokio::test]
async fn what_is_derived_is_told_when_an_operand_changes_and_not_otherwise() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let derived = |id: &str, formula: &str| {
        let names = [("en".to_owned(), id.to_owned())].into();
        let indicator =
            Indicator { id: id.into(), names, unit: "{station}".into(), formula: formula.into(), ..Indicator::default() };
        CatalogEntry { entry: Some(Entry::Indicator(indicator)) }
    };
    client.apply(catalog::upsert(vec![derived("twice", "5g-base-stations * 2"), derived("fourfold", "twice * 2")])).await;
    put(&client, "1000").await;
    let page = "/regions/CN-SD/fourfold?lang=en";
    let mut events = open(&server, page, &position(&server, page).await).await;
    let mut tiles = open(&server, OVERVIEW, &position(&server, OVERVIEW).await).await;
    assert_eq!((events.next().await.unwrap().name, tiles.next().await.unwrap().name), ("beat".into(), "beat".into()));
    client.write(merge(vec![value(&key("output", "CN-SD", "bureau"), "2020", "5")])).await;
    assert_eq!(events.next().await.unwrap().name, "beat");
    tiles.find("picture").await;
    put(&client, "1500").await;
    assert!(data(&events.find("picture").await)["html"]["head"].as_str().unwrap().contains("6,000"));
    let told = data(&tiles.find("picture").await);
    assert_eq!(told["html"].as_object().unwrap().len(), 3, "the figure and what is derived of it: {told}");
}

#[tokio::test]
async fn a_past_state_has_no_stream() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    put(&client, "1000").await;
    for path in ["/live/regions/CN-SD?as_of=2020", "/live/regions/CN-SD?revision=1"] {
        assert_eq!(Events::open(server.address(), path, &[]).await.err(), Some(400), "{path}");
    }
    let page = http::get(server.address(), "/regions/CN-SD?as_of=2020").await;
    assert!(!page.text.contains("data-live"));
}
