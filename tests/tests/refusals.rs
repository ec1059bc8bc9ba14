//! Bad input: each kind has its own reason, all problems are told at once, and nothing is written.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{
    Bound, Equivalent, Interval, MissingReason, Observation, ObservationFilter, QueryObservationsRequest, SeriesExpectation,
    SeriesKey, WriteContext, WriteObservationsRequest,
};
use indicator_tests::{
    client::{Client, merge, withdraw},
    figures::{at, between, key, missing, stations, value},
    server::Server,
};
use prost_types::Timestamp;
use tonic::Code;

/// What is wrong with a write of a good observation and this one: field, without the index of the change, and reason.
async fn wrong(client: &Client, bad: Observation) -> Vec<(String, String)> {
    let head = client.head().await;
    let good = value(&stations(), "1999", "1");
    let refusal = client.try_write(merge(vec![good.clone(), bad])).await.unwrap_err();
    assert_eq!(refusal.code, Code::InvalidArgument, "{refusal:?}");
    let reasons: Vec<&str> = refusal.violations.iter().map(|(_, reason)| reason.as_str()).collect();
    let common = if reasons.windows(2).all(|w| w[0] == w[1]) { reasons[0] } else { "INVALID_REQUEST" };
    assert_eq!(refusal.reason, common, "{refusal:?}");
    assert_eq!(client.head().await, head, "nothing is written");
    assert_eq!(client.get(good.series.as_ref().unwrap(), "1999").await.unwrap_err().code, Code::NotFound);
    let strip = |field: &str| field.strip_prefix("changes[1].").unwrap_or_else(|| panic!("{field} names the change")).to_owned();
    refusal.violations.iter().map(|(field, reason)| (strip(field), reason.clone())).collect()
}

fn one(field: &str, reason: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), reason.to_owned())]
}

#[tokio::test]
async fn what_the_catalog_does_not_have_is_told_by_kind() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let dimensions = |list: &[(&str, &str)]| SeriesKey {
        dimensions: list.iter().map(|&(d, c)| (d.to_owned(), c.to_owned())).collect(),
        ..key("employment", "CN", "bureau")
    };
    for (series, field, reason) in [
        (key("6g-base-stations", "CN-SD", "bureau"), "series.indicator", "UNKNOWN_INDICATOR"),
        (key("5g-base-stations", "CN-XX", "bureau"), "series.region", "UNKNOWN_REGION"),
        (key("5g-base-stations", "cn-sd", "bureau"), "series.region", "UNKNOWN_REGION"),
        (key("5g-base-stations", "CN-SD", "rumour"), "series.source", "UNKNOWN_SOURCE"),
        (dimensions(&[("sex", "F"), ("age", "15")]), "series.dimensions[\"age\"]", "UNKNOWN_DIMENSION"),
        (dimensions(&[("sex", "X")]), "series.dimensions[\"sex\"]", "UNKNOWN_CODE"),
        (dimensions(&[("sex", "F"), ("level", "communal")]), "series.dimensions[\"level\"]", "UNKNOWN_CODE"),
        (dimensions(&[("level", "national")]), "series.dimensions[\"sex\"]", "REQUIRED"),
        (key("", "CN-SD", "bureau"), "series.indicator", "REQUIRED"),
        (key("5g-base-stations", "", "bureau"), "series.region", "REQUIRED"),
        (key("5g-base-stations", "CN-SD", ""), "series.source", "REQUIRED"),
    ] {
        assert_eq!(wrong(&client, value(&series, "2020", "1")).await, one(field, reason), "{series:?}");
    }
    let sexless = SeriesKey { dimensions: [("sex".into(), "F".into())].into(), ..stations() };
    assert_eq!(
        wrong(&client, value(&sexless, "2020", "1")).await,
        one("series.dimensions[\"sex\"]", "UNKNOWN_DIMENSION"),
        "a dimension that the catalog has and the indicator does not"
    );
    let equivalent = Equivalent { value: "1".into(), unit: "DEM".into() };
    let bad = Observation { equivalents: vec![equivalent], ..value(&stations(), "2020", "1") };
    assert_eq!(wrong(&client, bad).await, one("equivalents[0].unit", "UNKNOWN_UNIT"));
}

#[tokio::test]
async fn a_period_that_does_not_exist_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    for period in [
        "2021-02-30",
        "2021-02-29",
        "2021-Q5",
        "2021-Q0",
        "2021-W54",
        "2021-W53",
        "2021-W00",
        "2021-13",
        "2021-00",
        "2021-S3",
        "2021-T4",
        "2021-D366",
        "20",
        "2021-1",
        "2021/01",
        "2021-01-1",
        " 2021",
        "2021 ",
        "2021-01-01T00:00:00",
        "٢٠٢١",
        "２０２１",
        "2021-q1",
        "-2021",
        "0000",
        "10000",
        "FY2021",
        "二〇二一",
        "2021\0",
    ] {
        assert_eq!(wrong(&client, value(&stations(), period, "1")).await, one("period", "INVALID_PERIOD"), "{period:?}");
    }
    assert_eq!(wrong(&client, value(&stations(), "", "1")).await, one("period", "REQUIRED"));
}

#[tokio::test]
async fn a_text_that_is_no_canonical_decimal_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let bad = [
        "12345678901234567890123456789",
        "0.12345678901234567890123456789",
        "1e999",
        "1e3",
        "1E-3",
        "NaN",
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "١٢",
        "１２",
        "1,000",
        "1 000",
        "1_000",
        "+1",
        "01",
        "00",
        "-0",
        "1.",
        ".5",
        "1.0",
        "1.50",
        "0x10",
        "--1",
        "-",
        "1-",
        " 1",
        "1 ",
        "1\n",
        "十二",
        "½",
        "12%",
        "1.2.3",
        "−1",
    ];
    for text in bad {
        assert_eq!(wrong(&client, value(&stations(), "2020", text)).await, one("value", "INVALID_DECIMAL"), "{text:?}");
        let interval = between(&stations(), "2020", text, "1");
        assert_eq!(wrong(&client, interval).await, one("interval.lower", "INVALID_DECIMAL"), "{text:?}");
        let rounded = Observation { rounded_to: text.into(), ..value(&stations(), "2020", "1") };
        assert_eq!(wrong(&client, rounded).await, one("rounded_to", "INVALID_DECIMAL"), "{text:?}");
    }
    for text in ["0", "-10"] {
        let rounded = Observation { rounded_to: text.into(), ..value(&stations(), "2020", "1") };
        assert_eq!(wrong(&client, rounded).await, one("rounded_to", "INVALID_DECIMAL"), "{text:?}");
    }
    let equivalents = vec![Equivalent { value: "1e3".into(), unit: "USD".into() }];
    let bad = Observation { equivalents, ..value(&stations(), "2020", "1") };
    assert_eq!(wrong(&client, bad).await, one("equivalents[0].value", "INVALID_DECIMAL"));
}

#[tokio::test]
async fn a_figure_that_contradicts_itself_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    let interval = Some(Interval { lower: "1".into(), upper: "2".into() });
    assert_eq!(
        wrong(&client, between(&series, "2020", "2", "1")).await,
        one("interval", "INVALID_INTERVAL"),
        "lower above upper"
    );
    for (bad, field) in [
        (value(&series, "2020", ""), "value"),
        (Observation { missing: MissingReason::Suppressed.into(), ..value(&series, "2020", "1") }, "value"),
        (Observation { interval: interval.clone(), ..value(&series, "2020", "1") }, "value"),
        (Observation { interval, ..missing(&series, "2020", MissingReason::Suppressed) }, "value"),
        (Observation { bound: Bound::AtLeast.into(), ..missing(&series, "2020", MissingReason::Suppressed) }, "bound"),
        (Observation { bound: Bound::AtLeast.into(), ..between(&series, "2020", "1", "2") }, "bound"),
    ] {
        assert_eq!(wrong(&client, bad.clone()).await, one(field, "INVALID_FIGURE"), "{bad:?}");
    }
}

#[tokio::test]
async fn a_number_that_no_enum_has_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let good = value(&stations(), "2020", "1");
    for (bad, field) in [
        (Observation { bound: 99, ..good.clone() }, "bound"),
        (Observation { statuses: vec![1, 99], ..good.clone() }, "statuses[1]"),
        (Observation { statuses: vec![0], ..good.clone() }, "statuses[0]"),
        (Observation { missing: 99, ..value(&stations(), "2020", "") }, "missing"),
    ] {
        assert_eq!(wrong(&client, bad).await, one(field, "INVALID_ENUM"));
    }
    let refusal = client.try_write(WriteObservationsRequest { mode: 99, ..merge(vec![good]) }).await.unwrap_err();
    assert_eq!((refusal.what(), refusal.listed()), ((Code::InvalidArgument, "INVALID_ENUM"), vec![("mode", "INVALID_ENUM")]));
}

#[tokio::test]
async fn a_text_longer_than_its_field_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let good = value(&stations(), "2020", "1");
    let long = "字".repeat(1 << 20);
    for (bad, field) in [
        (Observation { note: long.clone(), ..good.clone() }, "note"),
        (Observation { note: "x".repeat(4001), ..good.clone() }, "note"),
        (Observation { original_text: long.clone(), ..good.clone() }, "original_text"),
        (Observation { document_uri: "x".repeat(2001), ..good.clone() }, "document_uri"),
    ] {
        assert_eq!(wrong(&client, bad).await, one(field, "TEXT_TOO_LONG"));
    }
    let context = WriteContext { actor: "x".repeat(201), reason: long.clone(), document_uri: "x".repeat(2001) };
    let request = WriteObservationsRequest { context: Some(context), request_id: "x".repeat(101), ..merge(vec![good.clone()]) };
    let refusal = client.try_write(request).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "TEXT_TOO_LONG"));
    let mut fields: Vec<&str> = refusal.listed().into_iter().map(|(field, _)| field).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["context.actor", "context.document_uri", "context.reason", "request_id"]);
    let longest = Observation { note: "x".repeat(4000), original_text: "x".repeat(4000), document_uri: "x".repeat(2000), ..good };
    assert_eq!(client.put(vec![longest]).await.inserted, 1, "as long as allowed");
}

#[tokio::test]
async fn a_time_that_the_record_cannot_hold_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let good = value(&stations(), "2020", "1");
    for (seconds, nanos) in
        [(0, 1), (0, -1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, 0), (253_402_300_800, 0), (-62_135_596_801, 0)]
    {
        let time = Some(Timestamp { seconds, nanos });
        let bad = Observation { published_at: time, ..good.clone() };
        assert_eq!(wrong(&client, bad).await, one("published_at", "INVALID_TIME"), "{time:?}");
        let refusal =
            client.try_write(WriteObservationsRequest { published_at: time, ..merge(vec![good.clone()]) }).await.unwrap_err();
        assert_eq!(refusal.listed(), [("published_at", "INVALID_TIME")], "{time:?}");
    }
    for time in ["0001-01-01", "9999-12-31T23:59:59.999999Z"] {
        client.put(vec![Observation { published_at: Some(at(time)), ..good.clone() }]).await;
    }
}

#[tokio::test]
async fn the_same_cell_twice_in_one_write_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let twice = Observation { published_at: Some(at("2020-01-01")), ..value(&stations(), "1999", "2") };
    assert_eq!(wrong(&client, twice).await, one("period", "DUPLICATE_CELL"), "whatever its publication");
    let refusal = client.try_write(withdraw(&stations(), &["2020", "2020"])).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "DUPLICATE_CELL"));
}

#[tokio::test]
async fn all_problems_of_a_write_are_told_at_once_with_the_index_of_the_change() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    let head = client.head().await;
    let changes = vec![
        value(&series, "2020", "1"),
        value(&key("6g", "CN-XX", "rumour"), "2021-Q5", "NaN"),
        between(&series, "2021", "2", "1"),
        Observation { note: "x".repeat(5000), rounded_to: "0".into(), ..value(&series, "2022", "1e9") },
        value(&series, "2020", "2"),
        Observation { series: None, ..value(&series, "2023", "1") },
    ];
    let refusal = client.try_write(merge(changes)).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "INVALID_REQUEST"));
    let mut listed = refusal.listed();
    listed.sort_unstable();
    assert_eq!(
        listed,
        [
            ("changes[1].period", "INVALID_PERIOD"),
            ("changes[1].series.indicator", "UNKNOWN_INDICATOR"),
            ("changes[1].series.region", "UNKNOWN_REGION"),
            ("changes[1].series.source", "UNKNOWN_SOURCE"),
            ("changes[1].value", "INVALID_DECIMAL"),
            ("changes[2].interval", "INVALID_INTERVAL"),
            ("changes[3].note", "TEXT_TOO_LONG"),
            ("changes[3].rounded_to", "INVALID_DECIMAL"),
            ("changes[3].value", "INVALID_DECIMAL"),
            ("changes[4].period", "DUPLICATE_CELL"),
            ("changes[5].series.indicator", "REQUIRED"),
            ("changes[5].series.region", "REQUIRED"),
            ("changes[5].series.source", "REQUIRED"),
        ]
    );
    assert_eq!(client.head().await, head);
}

#[tokio::test]
async fn a_write_of_nothing_and_one_of_too_much_are_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    assert_eq!(client.try_write(merge(vec![])).await.unwrap_err().listed(), [("changes", "REQUIRED")]);
    let change = value(&stations(), "2020", "1");
    let refusal = client.try_write(merge(vec![change.clone(); 100_001])).await.unwrap_err();
    assert!(refusal.violations.contains(&("changes".into(), "REQUEST_TOO_LARGE".into())), "{refusal:?}");
    let huge = Observation { note: "x".repeat(17 << 20), ..change };
    let refusal = client.try_write(merge(vec![huge])).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::ResourceExhausted, "REQUEST_TOO_LARGE"));
    assert_eq!(client.head().await, 1);
}

#[tokio::test]
async fn an_expectation_without_a_series_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let expected_revisions = vec![SeriesExpectation { series: None, revision: 1 }];
    let request = WriteObservationsRequest { expected_revisions, ..merge(vec![value(&stations(), "2020", "1")]) };
    assert_eq!(client.try_write(request).await.unwrap_err().listed(), [("expected_revisions[0].series", "REQUIRED")]);
}

#[tokio::test]
async fn a_filter_that_names_what_is_not_there_is_refused_with_all_its_problems() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let filter = ObservationFilter {
        indicators: vec!["5g-base-stations".into(), "6g".into()],
        regions: vec!["CN-XX".into()],
        sources: vec!["rumour".into()],
        all_sources: true,
        dimensions: [("age".into(), "15".into()), ("sex".into(), "X".into())].into(),
        start_period: "2021-Q5".into(),
        end_period: "2021-02-30".into(),
        frequency: 99,
        ..Default::default()
    };
    let request = QueryObservationsRequest { filter: Some(filter), ..Default::default() };
    let refusal = client.query(request).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "INVALID_REQUEST"));
    let mut reasons: Vec<&str> = refusal.listed().into_iter().map(|(_, reason)| reason).collect();
    reasons.sort_unstable();
    assert_eq!(
        reasons,
        [
            "CONFLICTING_FIELDS",
            "INVALID_ENUM",
            "INVALID_PERIOD",
            "INVALID_PERIOD",
            "UNKNOWN_CODE",
            "UNKNOWN_DIMENSION",
            "UNKNOWN_INDICATOR",
            "UNKNOWN_REGION",
            "UNKNOWN_SOURCE"
        ]
    );
    let reversed = ObservationFilter { start_period: "2021".into(), end_period: "2020".into(), ..Default::default() };
    let request = QueryObservationsRequest { filter: Some(reversed), ..Default::default() };
    assert_eq!(client.query(request).await.unwrap_err().what(), (Code::InvalidArgument, "CONFLICTING_FIELDS"));
}

#[tokio::test]
async fn a_lookup_says_what_of_its_key_is_unknown() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "1")]).await;
    for (series, reason) in [
        (key("6g", "CN-SD", "bureau"), "UNKNOWN_INDICATOR"),
        (key("5g-base-stations", "CN-XX", "bureau"), "UNKNOWN_REGION"),
        (key("5g-base-stations", "CN-SD", "rumour"), "UNKNOWN_SOURCE"),
        (key("5g-base-stations", "CN-BJ", "bureau"), "NOT_FOUND"),
    ] {
        assert_eq!(client.get(&series, "2020").await.unwrap_err().what(), (Code::NotFound, reason));
    }
    assert_eq!(client.get(&stations(), "2021").await.unwrap_err().what(), (Code::NotFound, "NOT_FOUND"));
    assert_eq!(client.get(&stations(), "2021-Q5").await.unwrap_err().what(), (Code::InvalidArgument, "INVALID_PERIOD"));
    assert_eq!(client.get(&key("", "", ""), "").await.unwrap_err().violations.len(), 2);
}
