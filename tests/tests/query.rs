//! Queries: filters, pages, moments, several sources, and one consistent state however long they take.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use indicator_proto::v1::{
    AsOf, Bound, Frequency, GetObservationRequest, Observation, ObservationFilter, QueryObservationsRequest, SeriesKey,
    WriteObservationsRequest, query_observations_response::Message,
};
use indicator_tests::{
    LONG, assert_same,
    catalog::{indicator, source, upsert},
    client::{Client, at_revision, merge, withdraw},
    figures::{bounded, cube, key, published, stations, value, values},
    refusal::Refusal,
    server::Server,
};
use tonic::Code;

fn all_sources() -> Option<ObservationFilter> {
    Some(ObservationFilter { all_sources: true, ..Default::default() })
}

fn with(filter: ObservationFilter) -> QueryObservationsRequest {
    QueryObservationsRequest { filter: Some(filter), ..Default::default() }
}

#[tokio::test]
async fn a_filter_joins_its_parts_by_and_and_its_lists_by_or() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(cube()).await;
    let women = SeriesKey { dimensions: [("sex".into(), "F".into())].into(), ..key("employment", "CN-SD", "bureau") };
    let men = SeriesKey { dimensions: [("sex".into(), "M".into())].into(), ..women.clone() };
    let quarters = ["2019-Q4", "2020-Q1", "2020-Q4"].map(|q| value(&women, q, "1"));
    client.put(quarters.into_iter().chain([value(&men, "2020-Q4", "1")]).collect()).await;
    let count = async |filter| client.query(with(filter)).await.unwrap().observations.len();
    let strings = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect::<Vec<_>>();
    let filter = ObservationFilter { all_sources: true, ..Default::default() };
    for (narrowed, expected) in [
        (filter.clone(), 31),
        (ObservationFilter { indicators: strings(&["5g-base-stations"]), ..filter.clone() }, 27),
        (ObservationFilter { indicators: strings(&["5g-base-stations", "employment"]), ..filter.clone() }, 31),
        (ObservationFilter { regions: strings(&["CN-SD"]), ..filter.clone() }, 13),
        (ObservationFilter { regions: strings(&["CN-SD", "CN-SD.3710"]), ..filter.clone() }, 22),
        (ObservationFilter { regions: strings(&["CN"]), include_subregions: true, ..filter.clone() }, 31),
        (
            ObservationFilter {
                regions: strings(&["CN"]),
                include_subregions: true,
                region_level: "prefecture".into(),
                ..filter.clone()
            },
            9,
        ),
        (ObservationFilter { region_level: "province".into(), ..filter.clone() }, 13),
        (ObservationFilter { sources: strings(&["report", "media"]), ..Default::default() }, 18),
        (ObservationFilter { dimensions: [("sex".into(), "F".into())].into(), ..filter.clone() }, 3),
        (ObservationFilter { frequency: Frequency::Quarterly.into(), ..filter.clone() }, 4),
        (ObservationFilter { start_period: "2020".into(), ..filter.clone() }, 9 + 3),
        (ObservationFilter { end_period: "2019".into(), ..filter.clone() }, 18 + 1),
        (ObservationFilter { start_period: "2019".into(), end_period: "2019-12".into(), ..filter.clone() }, 9 + 1),
        (ObservationFilter { regions: strings(&["CN-BJ"]), ..filter.clone() }, 0),
    ] {
        assert_eq!(count(narrowed.clone()).await, expected, "{narrowed:?}");
    }
}

#[tokio::test]
async fn latest_n_takes_the_latest_periods_of_each_series() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(cube()).await;
    client.write(withdraw(&stations(), &["2020"])).await;
    let request = QueryObservationsRequest { filter: all_sources(), latest_n: 1, ..Default::default() };
    let answer = client.query(request).await.unwrap().observations;
    assert_eq!(answer.len(), 9);
    for observation in &answer {
        let withdrawn = observation.series == Some(stations());
        assert_eq!(observation.period, if withdrawn { "2019" } else { "2020" });
    }
    let series = key("output", "CN", "bureau");
    client.put(["2020", "2020-Q4", "2020-12", "2020-12-31", "2021-01"].iter().map(|p| value(&series, p, "1")).collect()).await;
    assert_eq!(client.get(&series, "").await.unwrap().period, "2021-01", "the greatest last day");
    client.write(withdraw(&series, &["2021-01"])).await;
    assert_eq!(client.get(&series, "").await.unwrap().period, "2020-12-31", "among equals the finer frequency");
}

#[tokio::test]
async fn updated_after_tells_what_was_inserted_revised_or_withdrawn_since() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(cube()).await;
    let base = client.head().await;
    let series = stations();
    client.put(vec![value(&series, "2018", "7"), value(&series, "2021", "8")]).await;
    client.write(withdraw(&series, &["2019"])).await;
    client.put(vec![value(&series, "2021", "9")]).await;
    for filter in [all_sources(), None] {
        let since = async |updated_after, as_of| {
            let request = QueryObservationsRequest { filter: filter.clone(), updated_after, as_of, ..Default::default() };
            let answer = client.query(request).await.unwrap().observations;
            answer.iter().map(|o| (o.period.clone(), o.value.clone(), o.deleted)).collect::<Vec<_>>()
        };
        let own = |list: &[(&str, &str, bool)]| list.iter().map(|&(p, v, d)| (p.to_owned(), v.to_owned(), d)).collect::<Vec<_>>();
        let told = since(base, None).await;
        if filter.is_some() {
            assert_eq!(told, own(&[("2018", "7", false), ("2019", "", true), ("2021", "9", false)]));
        } else {
            // Where the preferred source has withdrawn, another's figure is what is shown now.
            assert_eq!(told, own(&[("2018", "7", false), ("2019", "112019", false), ("2021", "9", false)]));
        }
        assert_eq!(since(base, at_revision(base + 1)).await, own(&[("2018", "7", false), ("2021", "8", false)]));
        assert_eq!(since(base + 2, None).await, own(&[("2021", "9", false)]));
        assert_eq!(since(base + 3, None).await, own(&[]));
    }
    let future = QueryObservationsRequest { updated_after: base + 4, ..Default::default() };
    assert_eq!(client.query(future).await.unwrap_err().what(), (Code::OutOfRange, "FUTURE_REVISION"));
}

#[tokio::test]
async fn a_stream_shows_one_state_while_writes_go_on() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series: Vec<SeriesKey> =
        ["CN", "CN-SD", "CN-BJ", "CN-SD.3710", "CN-SD.3702"].iter().map(|r| key("5g-base-stations", r, "bureau")).collect();
    // Each commit gives every cell its number: an answer with two numbers is torn.
    let round = |n: u32| {
        let cells = series.iter().flat_map(|s| (2000..4000).map(move |year| value(s, &year.to_string(), &n.to_string())));
        WriteObservationsRequest { omit_changes: true, ..merge(cells.collect()) }
    };
    client.write(round(0)).await;
    let writer = tokio::spawn({
        let client = client.clone();
        let rounds: Vec<_> = (1..=6).map(round).collect();
        async move {
            for round in rounds {
                client.write(round).await;
            }
        }
    });
    let mut seen = Vec::new();
    while !writer.is_finished() {
        let mut stream = client
            .observations()
            .query_observations(QueryObservationsRequest { filter: all_sources(), ..Default::default() })
            .await
            .unwrap()
            .into_inner();
        let (mut cells, mut shown) = (0, None);
        while let Some(message) = stream.message().await.unwrap() {
            if let Some(Message::Chunk(chunk)) = message.message {
                // A slow reader, so that commits happen within the answer.
                tokio::time::sleep(Duration::from_millis(5)).await;
                for observation in &chunk.observations {
                    assert_eq!(&observation.value, shown.get_or_insert(observation.value.clone()), "one state");
                }
                cells += chunk.observations.len();
            }
        }
        assert_eq!(cells, 10_000);
        seen.push(shown.unwrap());
    }
    writer.await.unwrap();
    assert!(!seen.is_empty());
}

#[tokio::test]
async fn the_preferred_source_is_shown_with_whether_others_disagree() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let by = |source| key("5g-base-stations", "CN-SD", source);
    let rounded = Observation { rounded_to: "10000".into(), ..value(&by("media"), "2020", "1710000") };
    client
        .put(vec![
            bounded(&by("bureau"), "2020", Bound::GreaterThan, "1700000"),
            rounded,
            value(&by("bureau"), "2021", "5"),
            value(&by("report"), "2021", "6"),
            value(&by("media"), "2022", "7"),
        ])
        .await;
    let answer = client.query(QueryObservationsRequest::default()).await.unwrap().observations;
    let told: Vec<_> = answer
        .iter()
        .map(|o| (o.period.as_str(), o.series.as_ref().unwrap().source.as_str(), o.other_sources, o.sources_disagree))
        .collect();
    assert_eq!(told, [("2020", "bureau", 1, false), ("2021", "bureau", 1, true), ("2022", "media", 0, false)]);

    let anyone = SeriesKey { source: String::new(), ..stations() };
    let read = client.get(&anyone, "2021").await.unwrap();
    assert_eq!((read.series.unwrap().source, read.other_sources, read.sources_disagree), ("bureau".into(), 1, true));
    assert_eq!(client.get(&anyone, "").await.unwrap().series.unwrap().source, "media", "the latest period of any source");

    client.write(withdraw(&by("bureau"), &["2021"])).await;
    assert_eq!(client.get(&anyone, "2021").await.unwrap().series.unwrap().source, "report");

    // The catalog decides; and it is asked as of the same moment.
    let before = client.head().await;
    client.apply(upsert(vec![source("media", 0)])).await;
    assert_eq!(client.get(&anyone, "2020").await.unwrap().series.unwrap().source, "media");
    let then = client.get_as_of(&anyone, "2020", at_revision(before)).await.unwrap();
    assert_eq!(then.series.unwrap().source, "bureau");
    let mut stations = indicator("5g-base-stations", "{station}");
    if let Some(indicator_proto::v1::catalog_entry::Entry::Indicator(indicator)) = &mut stations.entry {
        indicator.source_order = vec!["report".into(), "bureau".into()];
    }
    client.apply(upsert(vec![stations])).await;
    assert_eq!(client.get(&anyone, "2020").await.unwrap().series.unwrap().source, "bureau", "the indicator's own order");
}

#[tokio::test]
async fn among_sources_of_equal_precedence_the_latest_publication_is_preferred() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.apply(upsert(vec![source("a", 1), source("b", 1)])).await;
    let by = |source| key("5g-base-stations", "CN-SD", source);
    client
        .put(vec![published("2021-01-01", value(&by("a"), "2020", "1")), published("2022-01-01", value(&by("b"), "2020", "2"))])
        .await;
    let anyone = SeriesKey { source: String::new(), ..stations() };
    assert_eq!(client.value(&anyone, "2020").await, "2");
}

/// Asks for the figure at a revision that may not be there yet.
async fn read_at_least(client: &Client, min_revision: u64, time: Duration) -> Result<String, Refusal> {
    let request = GetObservationRequest { series: Some(stations()), period: "2020".into(), min_revision, ..Default::default() };
    let mut request = tonic::Request::new(request);
    request.set_timeout(time);
    Ok(client.observations().get_observation(request).await?.into_inner().observation.unwrap().value)
}

#[tokio::test]
async fn a_read_with_a_minimal_revision_waits_for_it() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "5")]).await;
    assert_eq!(read_at_least(&client, 2, LONG).await.unwrap(), "5");
    let read = tokio::spawn({
        let client = client.clone();
        async move { read_at_least(&client, 3, LONG).await }
    });
    // Over the same connection, and asked later.
    tokio::task::yield_now().await;
    client.status().await;
    assert!(!read.is_finished(), "it waits");
    client.put(vec![value(&stations(), "2020", "6")]).await;
    assert_eq!(read.await.unwrap().unwrap(), "6");
}

#[tokio::test]
async fn a_read_says_before_its_deadline_which_revision_was_not_reached() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "5")]).await;
    let refusal = read_at_least(&client, 3, Duration::from_secs(2)).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::Unavailable, "REVISION_NOT_REACHED"), "{refusal:?}");
}

#[tokio::test]
async fn a_revision_of_the_future_is_an_error_and_not_a_guess() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "5")]).await;
    let refusal = client.get_as_of(&stations(), "2020", at_revision(99)).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::OutOfRange, "FUTURE_REVISION"));
    let request = QueryObservationsRequest { as_of: at_revision(99), ..Default::default() };
    assert_eq!(client.query(request).await.unwrap_err().what(), (Code::OutOfRange, "FUTURE_REVISION"));
}

#[tokio::test]
async fn a_state_of_the_past_is_told_as_it_was_then() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    let mut states = Vec::new();
    for n in 0..100 {
        let change = value(&series, &(2000 + n % 7).to_string(), &n.to_string());
        let response = if n % 10 == 9 {
            client.write(withdraw(&series, &[&(2000 + (n + 3) % 7).to_string()])).await
        } else {
            client.put(vec![change]).await
        };
        let state = client.everything(None).await.observations;
        states.push((response.revision, response.recorded_at, state));
    }
    for (revision, recorded_at, state) in &states {
        assert_same(&client.everything(at_revision(*revision)).await.observations, state, "as of a revision");
        if let Some(recorded_at) = recorded_at {
            let as_of = Some(AsOf { recorded_at: Some(*recorded_at), ..AsOf::default() });
            assert_same(&client.everything(as_of).await.observations, state, "as of a time");
        }
    }
    assert_eq!(values(&client.everything(at_revision(1)).await.observations), []);
}
