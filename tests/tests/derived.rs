//! Derived indicators: computed whenever they are read, with bounds and provenance, and watched like any other.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use indicator_client::{View, WatchEvent};
use indicator_proto::v1::{
    Bound, ChangeKind, GetObservationRequest, ListVintagesRequest, MissingReason, Observation, ObservationFilter,
    QueryObservationsRequest, SeriesKey, StartNow, WatchMode, WatchRequest, watch_request::Start,
};
use indicator_tests::{
    catalog::{derived, ratio, region, source, upsert},
    client::{Client, at_revision, published_by, withdraw},
    figures::{bounded, content, key, missing, published, value, values},
    refusal::Refusal,
    server::Server,
};
use tonic::Code;

const PER_STATION: &str = "output-per-station";

/// `output-per-station` = output / 5g-base-stations, and `twice` that.
async fn with_derived(server: &Server) -> Client {
    let client = server.client_with_catalog().await;
    let ratio_unit = "CNY/{station}";
    let entries = vec![
        ratio("CNY", "{station}"),
        derived(PER_STATION, ratio_unit, "output / 5g-base-stations"),
        derived("twice", ratio_unit, "output-per-station * 2"),
    ];
    client.apply(upsert(entries)).await;
    client
}

fn output(region: &str, source: &str) -> SeriesKey {
    key("output", region, source)
}

fn stations(region: &str, source: &str) -> SeriesKey {
    key("5g-base-stations", region, source)
}

fn named(indicators: &[&str]) -> ObservationFilter {
    ObservationFilter { indicators: indicators.iter().map(|&id| id.to_owned()).collect(), ..ObservationFilter::default() }
}

async fn asked(client: &Client, filter: ObservationFilter) -> Vec<Observation> {
    let request = QueryObservationsRequest { filter: Some(filter), ..QueryObservationsRequest::default() };
    client.query(request).await.unwrap().observations
}

#[tokio::test]
async fn a_derived_figure_carries_the_bounds_and_the_provenance_of_its_operands() {
    let server = Server::start();
    let client = with_derived(&server).await;
    client
        .put(vec![
            value(&output("CN-SD", "bureau"), "2019", "900"),
            bounded(&output("CN-SD", "bureau"), "2020", Bound::GreaterThan, "1000"),
            value(&output("CN-SD", "bureau"), "2021", "1100"),
            value(&output("CN-SD", "bureau"), "2022", "1200"),
            value(&stations("CN-SD", "media"), "2020", "40"),
            missing(&stations("CN-SD", "media"), "2021", MissingReason::Suppressed),
            value(&stations("CN-SD", "media"), "2022", "0"),
            value(&stations("CN-SD", "media"), "2023", "50"),
        ])
        .await;
    let figures = asked(&client, named(&["twice"])).await;
    let told: Vec<_> =
        figures.iter().map(|o| (o.period.as_str(), o.value.as_str(), o.bound(), o.missing(), o.unit.as_str())).collect();
    assert_eq!(
        told,
        [
            ("2020", "50", Bound::GreaterThan, MissingReason::Unspecified, ""),
            ("2021", "", Bound::Unspecified, MissingReason::Suppressed, ""),
            ("2022", "", Bound::Unspecified, MissingReason::CannotExist, ""),
        ],
        "of the periods for which both operands are recorded"
    );
    let request = GetObservationRequest {
        series: Some(key("twice", "CN-SD", "")),
        period: "2020".into(),
        explain: true,
        ..GetObservationRequest::default()
    };
    let answer = client.observations().get_observation(request).await.unwrap().into_inner();
    let figure = answer.observation.unwrap();
    assert_eq!(figure.series, Some(key("twice", "CN-SD", "")));
    let derivation = figure.derivation.unwrap();
    assert_eq!(derivation.formula, "output-per-station * 2");
    let inner = derivation.operands[0].observation.clone().unwrap();
    assert_eq!((inner.value.as_str(), inner.bound()), ("25", Bound::GreaterThan));
    let operands = inner.derivation.unwrap().operands;
    let sources: Vec<_> = operands
        .iter()
        .map(|o| (o.name.as_str(), o.observation.as_ref().unwrap().series.as_ref().unwrap().source.as_str()))
        .collect();
    assert_eq!(sources, [("5g-base-stations", "media"), ("output", "bureau")]);
}

#[tokio::test]
async fn a_derived_figure_is_read_as_of_any_moment_also_with_the_formula_of_then() {
    let server = Server::start();
    let client = with_derived(&server).await;
    let figures = [
        published("2020-06-01", value(&output("CN-SD", "bureau"), "2019", "100")),
        published("2020-01-01", value(&stations("CN-SD", "bureau"), "2019", "10")),
    ];
    let first = client.put(figures.into()).await.revision;
    client.put(vec![published("2021-01-01", value(&output("CN-SD", "bureau"), "2019", "200"))]).await;
    client.apply(upsert(vec![derived("twice", "CNY/{station}", "output-per-station * 3")])).await;
    let series = key("twice", "CN-SD", "");
    let at = async |as_of| client.get_as_of(&series, "2019", as_of).await.map(|o| o.value);
    assert_eq!(at(None).await.unwrap(), "60");
    assert_eq!(at(at_revision(first)).await.unwrap(), "20");
    assert_eq!(at(published_by("2020-12-31")).await.unwrap(), "30");
    assert_eq!(at(published_by("2020-03-01")).await.unwrap_err().code, Code::NotFound, "the output was not published yet");
    // By the bureau alone there is one; by the media there is none.
    assert_eq!(client.value(&key("twice", "CN-SD", "bureau"), "2019").await, "60");
    assert_eq!(client.get(&key("twice", "CN-SD", "media"), "2019").await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn what_is_not_named_is_recorded_figures_alone() {
    let server = Server::start();
    let client = with_derived(&server).await;
    client.put(vec![value(&output("CN", "bureau"), "2020", "8"), value(&stations("CN", "bureau"), "2020", "4")]).await;
    assert_eq!(asked(&client, ObservationFilter::default()).await.len(), 2);
    let both = asked(&client, named(&["output", PER_STATION, "twice"])).await;
    assert_eq!(values(&both), [("2020", "8"), ("2020", "2"), ("2020", "4")]);
    let vintages = ListVintagesRequest { series: Some(key("twice", "CN", "")), ..ListVintagesRequest::default() };
    let refusal = client.observations().list_vintages(vintages).await.map_err(Refusal::from).unwrap_err();
    assert_eq!(refusal.listed(), [("series.indicator", "INVALID_REQUEST")]);
    let request = QueryObservationsRequest { filter: Some(named(&["twice"])), updated_after: 1, ..Default::default() };
    let refusal: Refusal = client.query(request).await.unwrap_err();
    assert_eq!(refusal.listed(), [("updated_after", "CONFLICTING_FIELDS")]);
}

#[tokio::test]
async fn pages_of_derived_figures_are_the_whole() {
    let server = Server::start();
    let client = with_derived(&server).await;
    let mut figures = Vec::new();
    for region in ["CN", "CN-SD", "CN-BJ"] {
        for year in 2000..2010 {
            figures.push(value(&output(region, "bureau"), &year.to_string(), &(year * 10).to_string()));
            figures.push(value(&stations(region, "media"), &year.to_string(), "10"));
        }
    }
    client.put(figures).await;
    let whole = asked(&client, named(&["output", PER_STATION, "twice"])).await;
    assert_eq!(whole.len(), 90);
    let (mut paged, mut page_token) = (Vec::new(), String::new());
    loop {
        let filter = Some(named(&["output", PER_STATION, "twice"]));
        let request = QueryObservationsRequest { filter, page_size: 7, page_token, ..QueryObservationsRequest::default() };
        let answer = client.query(request).await.unwrap();
        paged.extend(answer.observations);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, whole);
}

/// Writes of every kind to what is behind the derived figures, formulas that change, sources that change places, a region that moves.
async fn churn(client: &Client, from: u32, rounds: u32) {
    for n in from..from + rounds {
        let region_id = ["CN", "CN-SD", "CN-SD.3710"][n as usize % 3];
        let source_id = ["bureau", "media"][n as usize % 2];
        let series = if n % 5 < 3 { output(region_id, source_id) } else { stations(region_id, source_id) };
        let (year, figure) = ((2000 + n % 4).to_string(), n.to_string());
        match n % 11 {
            2 => drop(client.write(withdraw(&series, &[&year])).await),
            4 => drop(client.put(vec![published("2001-01-01", value(&series, &year, &figure))]).await),
            6 => {
                let factor = 2 + n % 3;
                client.apply(upsert(vec![derived("twice", "CNY/{station}", &format!("{PER_STATION} * {factor}"))])).await;
            }
            8 => {
                let (bureau, media) = if n % 2 == 0 { (1, 3) } else { (3, 1) };
                client.apply(upsert(vec![source("bureau", bureau), source("media", media)])).await;
            }
            9 => {
                let parent = ["CN", "CN-SD"][(n as usize / 11) % 2];
                client.apply(upsert(vec![region("CN-SD.3710", parent, "prefecture", "Weihai", "威海")])).await;
            }
            _ => drop(client.put(vec![value(&series, &year, &figure)]).await),
        }
    }
}

fn state(observations: impl IntoIterator<Item = Observation>) -> BTreeMap<(String, String), Observation> {
    let name = |o: &Observation| {
        let series = o.series.clone().unwrap();
        (format!("{} {} {}", series.indicator, series.region, series.source), o.period.clone())
    };
    observations.into_iter().map(|o| (name(&o), content(&o))).collect()
}

fn shown(view: &View) -> BTreeMap<(String, String), Observation> {
    state(view.figures().unwrap().iter().map(|(.., figure)| Observation::clone(figure)))
}

#[tokio::test]
async fn a_view_of_derived_figures_shows_what_a_query_answers() {
    let server = Server::start();
    let writer = with_derived(&server).await;
    let client = indicator_client::Client::connect_lazy(&format!("http://{}", server.address())).unwrap();
    churn(&writer, 0, 30).await;
    let subtree = ObservationFilter { regions: vec!["CN-SD".into()], include_subregions: true, ..named(&["twice"]) };
    let filters = [named(&[PER_STATION, "twice"]), subtree];
    let views = filters.clone().map(|filter| client.view(filter).preferred().open());
    for view in &views {
        view.ready().await.unwrap();
    }
    for round in 0..4 {
        churn(&writer, 30 + 40 * round, 40).await;
        let head = writer.head().await;
        for (view, filter) in views.iter().zip(&filters) {
            view.reached(head).await.unwrap();
            let expected = state(asked(&writer, filter.clone()).await);
            assert!(!expected.is_empty());
            assert_eq!(shown(view), expected);
        }
    }
}

#[tokio::test]
async fn the_digest_of_derived_figures_is_that_of_the_client() {
    let server = Server::start();
    let writer = with_derived(&server).await;
    let client = indicator_client::Client::connect_lazy(&format!("http://{}", server.address())).unwrap();
    churn(&writer, 0, 30).await;
    let mut watch = client.watch(WatchRequest {
        filter: Some(named(&["twice", "output"])),
        mode: WatchMode::Latest.into(),
        preferred: true,
        progress_interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
        ..WatchRequest::default()
    });
    let (mut compared, mut target) = (0, 0);
    while compared < 4 {
        match watch.next().await.unwrap().unwrap() {
            WatchEvent::Progress { revision, digest: Some(_), .. } if revision >= target => {
                compared += 1;
                churn(&writer, 30 * compared, 30).await;
                target = writer.head().await;
            }
            WatchEvent::Diverged { revision, .. } => panic!("at {revision}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_change_of_a_derived_figure_is_told_with_what_it_replaced() {
    let server = Server::start();
    let writer = with_derived(&server).await;
    let client = indicator_client::Client::connect_lazy(&format!("http://{}", server.address())).unwrap();
    writer.put(vec![value(&output("CN", "bureau"), "2020", "100")]).await;
    let mut watch = client.watch(WatchRequest {
        filter: Some(named(&["twice"])),
        include_previous: true,
        start: Some(Start::Now(StartNow {})),
        ..WatchRequest::default()
    });
    while !matches!(watch.next().await.unwrap().unwrap(), WatchEvent::Opened { .. }) {}
    let stations = stations("CN", "bureau");
    writer.put(vec![value(&stations, "2020", "10")]).await;
    writer.put(vec![value(&stations, "2020", "20")]).await;
    writer.put(vec![value(&stations, "2021", "20")]).await;
    writer.apply(upsert(vec![derived("twice", "CNY/{station}", "output-per-station * 4")])).await;
    writer.write(withdraw(&stations, &["2020"])).await;
    let mut told = Vec::new();
    while told.len() < 4 {
        if let WatchEvent::Commit(commit) = watch.next().await.unwrap().unwrap() {
            told.extend(commit.changes.into_iter().map(|change| {
                let previous = change.previous.as_ref().map(|o| o.value.clone());
                (change.kind(), change.observation.unwrap().value, previous)
            }));
        }
    }
    let was = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            (ChangeKind::Inserted, "20".to_owned(), None),
            (ChangeKind::Revised, "10".to_owned(), was("20")),
            (ChangeKind::Revised, "20".to_owned(), was("10")),
            (ChangeKind::Deleted, String::new(), was("20")),
        ]
    );
}
