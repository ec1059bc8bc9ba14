//! What is on the pages.

use indicator_proto::v1::{Bound, MissingReason, Observation, ObservationStatus};
use indicator_tests::{
    client::merge,
    figures::{bounded, key, missing, published, stations, value},
    http,
    server::Server,
};

async fn page(server: &Server, path: &str) -> String {
    let page = http::get(server.address(), path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.text);
    page.text
}

/// Text without its markup, spaces made one.
fn text(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for character in html.chars() {
        match character {
            '<' => inside = true,
            '>' => (inside = false, text.push(' ')).0,
            other if !inside => text.push(other),
            _ => {}
        }
    }
    let text = text.replace("&gt;", ">").replace("&lt;", "<").replace("&quot;", "\"").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn filled() -> Server {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let media = key("5g-base-stations", "CN-SD", "media");
    let beijing = key("5g-base-stations", "CN-BJ", "bureau");
    let provisional = Observation {
        statuses: vec![ObservationStatus::Provisional.into()],
        original_text: "more than 100,000 stations".into(),
        ..bounded(&stations(), "2021", Bound::GreaterThan, "100000")
    };
    client
        .write(merge(vec![
            published("2020-03-01", value(&stations(), "2019", "40000")),
            published("2021-03-01", value(&stations(), "2020", "51000")),
            published("2022-03-01", provisional),
            published("2022-03-01", value(&media, "2020", "60000")),
            published("2022-03-01", value(&beijing, "2021", "52000")),
            published("2022-03-01", missing(&beijing, "2020", MissingReason::Suppressed)),
        ]))
        .await;
    client.write(merge(vec![published("2023-03-01", value(&stations(), "2020", "50500"))])).await;
    server
}

#[tokio::test]
async fn the_beginning_leads_to_the_region_with_the_most_figures_or_says_that_there_are_none() {
    let server = Server::start();
    let empty = http::get(server.address(), "/").await;
    assert_eq!(empty.status, 200);
    assert!(empty.text.contains("No figures are recorded yet"));
    let client = server.client_with_catalog().await;
    client.write(merge(vec![value(&stations(), "2020", "1")])).await;
    let full = http::get(server.address(), "/?lang=zh").await;
    assert_eq!((full.status, full.header("location")), (303, Some("/regions/CN-SD?lang=zh")));
}

#[tokio::test]
async fn a_tile_has_the_figure_with_its_bound_its_change_and_its_source_in_both_languages() {
    let server = filled().await;
    let english = text(&page(&server, "/regions/CN-SD?lang=en").await);
    for part in [
        "Shandong",
        "5g-base-stations",
        "> 100,000",
        "> +98%",
        "on 2020",
        "2021 · bureau",
        "provisional",
        "more than 100,000 stations",
    ] {
        assert!(english.contains(part), "{part:?} is not in {english}");
    }
    let chinese = text(&page(&server, "/regions/CN-SD?lang=zh").await);
    for part in ["山东", "超 10 万", "较2020年", "初步"] {
        assert!(chinese.contains(part), "{part:?} is not in {chinese}");
    }
}

#[tokio::test]
async fn an_indicator_shows_its_history_its_neighbours_and_where_sources_disagree() {
    let server = filled().await;
    let html = page(&server, "/regions/CN-SD/5g-base-stations?lang=en").await;
    let shown = text(&html);
    for part in [
        "The source says “more than”",
        "Where they cannot all be true 2020 : 50,500 {station} (bureau) against 60,000 {station} (media)"
            .replace("{station}", "station")
            .as_str(),
        "Versions of this figure 1",
        "Beside its neighbours",
        "Beijing",
        "as recorded",
    ] {
        assert!(shown.to_lowercase().contains(&part.to_lowercase()), "{part:?} is not in {shown}");
    }
    assert!(html.contains("<svg class=\"chart"), "there is a chart");
    assert!(html.matches("role=\"img\"").count() >= 2, "for wide and narrow screens");
}

#[tokio::test]
async fn a_past_state_is_shown_as_it_was_and_says_so() {
    let server = filled().await;
    let then = text(&page(&server, "/regions/CN-SD/5g-base-stations?lang=en&as_of=2021").await);
    assert!(then.contains("Not the figures of now: as had been published by 2021"), "{then}");
    assert!(then.contains("51,000 station") && !then.contains("100,000"), "{then}");
    let overlaid = text(&page(&server, "/regions/CN-SD/5g-base-stations?lang=en&vintages=2021-12-31").await);
    assert!(overlaid.contains("as of 31 Dec 2021") && overlaid.contains("51,000") && overlaid.contains("50,500"), "{overlaid}");
    let before = text(&page(&server, "/regions/CN-SD/5g-base-stations?lang=en&revision=2").await);
    assert!(before.contains("as recorded at revision 2") && before.contains("51,000") && !before.contains("50,500"), "{before}");
}

#[tokio::test]
async fn a_ranking_and_the_log_tell_who_what_and_why() {
    let server = filled().await;
    let ranking = text(&page(&server, "/rankings/5g-base-stations?lang=en&level=province&period=2021").await);
    assert!(ranking.contains("2 regions ranked"), "{ranking}");
    let (shandong, beijing) = (ranking.find("Shandong").unwrap(), ranking.find("Beijing").unwrap());
    assert!(shandong < beijing, "{ranking}");
    let log = text(&page(&server, "/changes?lang=en").await);
    assert!(log.contains("revised 5g-base-stations, Shandong, 2020 : 51,000"), "{log}");
    assert!(log.contains("→ 50,500"), "{log}");
}

#[tokio::test]
async fn figures_and_charts_are_files_too() {
    let server = filled().await;
    let base = "/regions/CN-SD/5g-base-stations";
    let csv = http::get(server.address(), &format!("{base}/figures.csv?lang=en")).await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(csv.text.starts_with("indicator,region,source,period,value,bound,"), "what imports take: {}", csv.text);
    assert!(csv.text.contains("5g-base-stations,CN-SD,bureau,2021,100000,greater-than,,,,provisional,"), "{}", csv.text);
    let vintages = http::get(server.address(), &format!("{base}/figures.csv?vintages=2021")).await.text;
    assert_eq!(vintages.lines().count(), 5, "what was known then, where it differs: {vintages}");
    let json: serde_json::Value = serde_json::from_str(&page(&server, &format!("{base}/figures.json")).await).unwrap();
    assert_eq!(json["series"][0]["observations"][2]["bound"], "BOUND_GREATER_THAN");
    let svg = http::get(server.address(), &format!("{base}/chart.svg")).await;
    assert_eq!(svg.header("content-type"), Some("image/svg+xml"));
    assert!(svg.text.starts_with("<?xml") || svg.text.starts_with("<svg"), "{}", &svg.text[..80]);
    assert!(svg.header("content-disposition").unwrap().contains("5g-base-stations_CN-SD.svg"));
}

#[tokio::test]
async fn what_is_not_there_or_cannot_be_understood_is_said_with_a_remedy() {
    let server = filled().await;
    for (path, status, words) in [
        ("/regions/CN-XX", 404, "There is no region"),
        ("/regions/CN-SD/nothing", 404, "There is no indicator"),
        ("/rankings/nothing", 404, "There is no indicator"),
        ("/regions/CN-SD?lang=fr&page=x", 400, "page=x"),
        ("/regions/CN-SD/5g-base-stations?from=2021-Q5", 400, "expected a period"),
        ("/regions/CN-SD?revision=999", 404, "999"),
        ("/regions/CN-SD/5g-base-stations?with=Atlantis", 200, "No region is called: Atlantis"),
        ("/regions/CN-SD/a/b/c", 404, "no such page"),
    ] {
        let page = http::get(server.address(), path).await;
        assert_eq!(page.status, status, "{path}: {}", page.text);
        assert!(text(&page.text).contains(words), "{path}: {}", text(&page.text));
    }
    assert_eq!(http::get(server.address(), "/nowhere").await.status, 404);
    let posted = http::ask(server.address(), "POST", "/regions/CN-SD", &[], "x").await.unwrap();
    assert_eq!(posted.status, 405, "read-only by design");
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_run_nothing_of_others() {
    let server = filled().await;
    for path in [
        "/regions/CN-SD",
        "/regions/CN-SD/5g-base-stations",
        "/rankings/5g-base-stations",
        "/changes",
        "/search?q=x",
        "/regions/nowhere",
    ] {
        let page = http::get(server.address(), path).await;
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        for forbidden in ["style=\"", "onclick", "<script>", "javascript:", "src=\"http", "//fonts"] {
            assert!(!page.text.contains(forbidden), "{path} has {forbidden}");
        }
    }
    let html = page(&server, "/regions/CN-SD").await;
    for (_, rest) in html.match_indices("/assets/").map(|(at, _)| html.split_at(at)) {
        let path = &rest[..rest.find('"').unwrap()];
        let asset = http::get(server.address(), path).await;
        assert_eq!(asset.status, 200, "{path}");
        assert!(asset.header("cache-control").unwrap().contains("immutable"));
    }
    assert_eq!(http::get(server.address(), "/assets/0/display.js").await.status, 404);
}

#[tokio::test]
async fn a_region_without_figures_and_a_search_lead_on() {
    let server = filled().await;
    let china = text(&page(&server, "/regions/CN?lang=en").await);
    assert!(china.contains("No figures are recorded for China yet") && china.contains("Within it"), "{china}");
    let found = page(&server, "/search?q=%E5%B1%B1%E4%B8%9C&lang=zh").await;
    assert!(found.contains("/regions/CN-SD?lang=zh"), "{found}");
}

#[tokio::test]
async fn metrics_count_pages_by_what_they_are_and_how_they_ended() {
    let server = filled().await;
    page(&server, "/regions/CN-SD").await;
    http::get(server.address(), "/regions/nowhere").await;
    let counted = |code: &str| format!("indicatord_requests_total{{service=\"display\",method=\"page\",code=\"{code}\"}}");
    let metrics = http::get(server.admin_address(), "/metrics").await;
    assert_eq!(http::metric(&metrics, &counted("OK")), Some(1.0), "{}", metrics.text);
    assert_eq!(http::metric(&metrics, &counted("NOT_FOUND")), Some(1.0));
}
