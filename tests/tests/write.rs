//! Writing and reading figures: what is written comes back, and every version is kept.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{
    Bound, ChangeKind, Equivalent, MissingReason, Observation, ObservationStatus, SeriesKey, WriteContext,
    WriteObservationsRequest,
};
use indicator_tests::{
    assert_same,
    client::{at_revision, merge, published_by, replace, withdraw},
    figures::{at, between, bounded, content, key, missing, published, stations, value, values},
    server::Server,
};
use tonic::Code;

/// One observation of every kind, with everything an observation can have.
fn every_kind() -> Vec<Observation> {
    let series = stations();
    let output = key("output", "CN-SD", "bureau");
    let women = SeriesKey { dimensions: [("sex".into(), "F".into())].into(), ..key("employment", "CN", "bureau") };
    let full = Observation {
        statuses: vec![ObservationStatus::Estimated.into(), ObservationStatus::Provisional.into()],
        rounded_to: "10000".into(),
        equivalents: vec![Equivalent { value: "470400000000".into(), unit: "USD".into() }],
        original_text: "exceeded 3 trillion yuan ($470.4 billion)".into(),
        note: "全省数字经济".into(),
        document_uri: "https://example.org/digital".into(),
        ..bounded(&output, "2020", Bound::GreaterThan, "3000000000000")
    };
    let days = vec![
        value(&series, "2020", "5"),
        value(&series, "2020-S1", "-1.5"),
        value(&series, "2020-T3", "0"),
        value(&series, "2020-Q4", "1234567890123456789012345678"),
        value(&series, "2020-12", "0.0000000000000000000000000001"),
        value(&series, "2020-W53", "-99999999999999.99999999999999"),
        value(&series, "2020-02-29", "7"),
        bounded(&series, "2021-12-06", Bound::GreaterThan, "100000"),
        bounded(&series, "2021-12-07", Bound::AtLeast, "100000"),
        bounded(&series, "2021-12-08", Bound::LessThan, "100000"),
        bounded(&series, "2021-12-09", Bound::AtMost, "100000"),
        bounded(&series, "2021-12-10", Bound::Approximate, "100000"),
        bounded(&series, "2021-12-11", Bound::Exact, "100000"),
        between(&series, "2021-12-12", "-1", "1"),
        between(&series, "2021-12-13", "3", "3"),
        missing(&series, "2021-12-14", MissingReason::NotAvailable),
        missing(&series, "2021-12-15", MissingReason::NotCollected),
        missing(&series, "2021-12-16", MissingReason::CannotExist),
        missing(&series, "2021-12-17", MissingReason::Suppressed),
        missing(&series, "2021-12-18", MissingReason::Holiday),
    ];
    let others = [full, value(&women, "2020", "1")].into_iter().map(|o| published("2021-12-06T08:30:00.000001Z", o));
    days.into_iter().map(|o| published("2021-12-06", o)).chain(others).collect()
}

#[tokio::test]
async fn every_kind_of_figure_comes_back_to_the_letter() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    let written = every_kind();
    let context =
        WriteContext { actor: "Gu".into(), reason: "press conference".into(), document_uri: "https://example.org".into() };
    let response = client.write(WriteObservationsRequest { context: Some(context.clone()), ..merge(written.clone()) }).await;
    assert_eq!((response.revision, response.inserted, response.changes.len()), (2, 22, 22));

    server.restart().await;
    let client = server.client();
    let expected: Vec<Observation> = written.iter().map(content).collect();
    for observation in &expected {
        let read = client.get(observation.series.as_ref().unwrap(), &observation.period).await.unwrap();
        assert_eq!((content(&read), read.revision, read.recorded_at), (observation.clone(), 2, response.recorded_at));
        let vintages = client.vintages(observation.series.as_ref().unwrap(), &observation.period).await;
        assert_eq!(vintages.len(), 1);
        assert_eq!(vintages[0].observation.as_ref(), Some(&read));
    }
    let answer = client.everything(None).await;
    assert_eq!(answer.observations.iter().map(content).collect::<Vec<_>>(), expected, "by series, then frequency and start");
    let commits = client.commits(1).await;
    assert_eq!(commits.len(), 1);
    assert_eq!(commits[0].context, Some(context));
    assert_eq!((commits[0].cells, commits[0].series, commits[0].entries), (22, 3, 0));
    let told: Vec<Observation> = commits[0].changes.iter().map(|c| content(c.observation.as_ref().unwrap())).collect();
    assert_eq!(told, expected);
    assert_eq!(client.status().await.head_hash, commits[0].hash);
}

#[tokio::test]
async fn other_spellings_of_a_period_name_the_same_cell() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    let sdmx = ["2020-A1", "2020-M12", "2020-D341"].map(|period| value(&series, period, "1"));
    let response = client.put(sdmx.to_vec()).await;
    let periods: Vec<_> = response.changes.iter().map(|c| c.observation.as_ref().unwrap().period.clone()).collect();
    assert_eq!(periods, ["2020", "2020-12", "2020-12-06"]);
    assert_eq!(client.value(&series, "2020-M12").await, "1");
    let twice = client.try_write(merge(vec![value(&series, "2021", "1"), value(&series, "2021-A1", "1")])).await.unwrap_err();
    assert_eq!(twice.what(), (Code::InvalidArgument, "DUPLICATE_CELL"));
}

#[tokio::test]
async fn writing_a_figure_again_makes_no_version() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let written = every_kind();
    client.put(written.clone()).await;
    let again = client.put(written.clone()).await;
    assert_eq!((again.revision, again.unchanged, again.changes.len()), (2, 22, 0));
    assert_eq!(again.recorded_at, None);
    assert_eq!(client.head().await, 2);
    // In another order, with statuses twice, and with the default spelled out.
    let mut shuffled: Vec<Observation> = written.into_iter().rev().collect();
    for observation in &mut shuffled {
        observation.statuses.reverse();
        observation.statuses.extend_from_within(..);
        if !observation.value.is_empty() && observation.bound() == Bound::Unspecified {
            observation.set_bound(Bound::Exact);
        }
    }
    let again = client.put(shuffled).await;
    assert_eq!((again.revision, again.unchanged), (2, 22));
}

#[tokio::test]
async fn loading_2012s_edition_after_2024s_changes_no_current_value() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    let new = client
        .put(vec![published("2024-06-01", value(&series, "2010", "24")), published("2024-06-01", value(&series, "2023", "9"))])
        .await;
    let old = client
        .put(vec![published("2012-06-01", value(&series, "2010", "12")), published("2012-06-01", value(&series, "2009", "8"))])
        .await;
    assert_eq!((old.inserted, old.backfilled), (1, 1));
    let kinds: Vec<_> = old.changes.iter().map(|c| (c.observation.as_ref().unwrap().period.as_str(), c.kind())).collect();
    assert_eq!(kinds, [("2009", ChangeKind::Inserted), ("2010", ChangeKind::Backfilled)]);

    assert_eq!(client.value(&series, "2010").await, "24");
    let in_2013 = client.get_as_of(&series, "2010", published_by("2013-01-01")).await.unwrap();
    assert_eq!(in_2013.value, "12", "what had been published by 2013");
    let before = client.get_as_of(&series, "2010", published_by("2012-05-31")).await.unwrap_err();
    assert_eq!(before.what(), (Code::NotFound, "NOT_FOUND"));
    let unknown = client.get_as_of(&series, "2009", at_revision(new.revision)).await.unwrap_err();
    assert_eq!(unknown.what(), (Code::NotFound, "NOT_FOUND"), "the service did not know it yet");

    let vintages = client.vintages(&series, "2010").await;
    let told: Vec<_> = vintages
        .iter()
        .map(|v| {
            let o = v.observation.as_ref().unwrap();
            (o.value.as_str(), v.kind(), v.published_until, v.superseded_revision, v.current)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("12", ChangeKind::Backfilled, Some(at("2024-06-01")), old.revision, false),
            ("24", ChangeKind::Inserted, None, 0, true)
        ]
    );
}

#[tokio::test]
async fn both_axes_together_tell_what_the_service_knew_of_what_was_published() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    let put = async |day: &str, figure: &str| client.put(vec![published(day, value(&series, "2020", figure))]).await;
    let first = put("2021-03-01", "100").await;
    let third = put("2023-03-01", "300").await;
    let second = put("2022-03-01", "200").await;
    let as_of = |revision, day| {
        let mut as_of = at_revision(revision).unwrap();
        as_of.published_at = Some(at(day));
        Some(as_of)
    };
    for (revision, day, expected) in [
        (first.revision, "2023-12-31", "100"),
        (third.revision, "2023-12-31", "300"),
        (third.revision, "2022-12-31", "100"),
        (second.revision, "2022-12-31", "200"),
        (second.revision, "2022-03-01", "200"),
        (second.revision, "2022-02-28T23:59:59.999999Z", "100"),
    ] {
        let read = client.get_as_of(&series, "2020", as_of(revision, day)).await.unwrap();
        assert_eq!(read.value, expected, "revision {revision}, published by {day}");
    }
    let mut then = at_revision(0).unwrap();
    then.recorded_at = third.recorded_at;
    assert_eq!(client.get_as_of(&series, "2020", Some(then)).await.unwrap().value, "300", "recorded by then");
    then.recorded_at = Some(at("2001-01-01"));
    assert_eq!(client.get_as_of(&series, "2020", Some(then)).await.unwrap_err().what(), (Code::NotFound, "UNKNOWN_INDICATOR"));
}

#[tokio::test]
async fn a_withdrawn_figure_is_gone_and_its_history_stays() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    let put = client.put(vec![value(&series, "2020", "5"), value(&series, "2021", "6")]).await;
    let gone = client.write(withdraw(&series, &["2020", "1999"])).await;
    assert_eq!((gone.deleted, gone.unchanged), (1, 1), "a cell without a figure stays as it is");
    assert_eq!(gone.changes[0].kind(), ChangeKind::Deleted);
    assert_eq!(gone.changes[0].previous.as_ref().unwrap().value, "5");
    assert!(gone.changes[0].observation.as_ref().unwrap().deleted);
    assert_eq!(client.get(&series, "2020").await.unwrap_err().what(), (Code::NotFound, "NOT_FOUND"));
    assert_eq!(values(&client.everything(None).await.observations), [("2021", "6")]);
    assert_eq!(client.get_as_of(&series, "2020", at_revision(put.revision)).await.unwrap().value, "5");
    let vintages = client.vintages(&series, "2020").await;
    let told: Vec<_> = vintages.iter().map(|v| (v.observation.as_ref().unwrap().deleted, v.kind(), v.current)).collect();
    assert_eq!(told, [(false, ChangeKind::Inserted, false), (true, ChangeKind::Deleted, true)]);
    let back = client.put(vec![value(&series, "2020", "5")]).await;
    assert_eq!(back.inserted, 1, "what was withdrawn is inserted again, not unchanged");
}

#[tokio::test]
async fn an_older_edition_does_not_bring_a_withdrawn_figure_back() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    client.put(vec![published("2021-01-01", value(&series, "2020", "5"))]).await;
    client.write(WriteObservationsRequest { published_at: Some(at("2022-01-01")), ..withdraw(&series, &["2020"]) }).await;
    let old = client.put(vec![published("2020-06-01", value(&series, "2020", "4"))]).await;
    assert_eq!(old.backfilled, 1);
    assert_eq!(client.get(&series, "2020").await.unwrap_err().what(), (Code::NotFound, "NOT_FOUND"));
    assert_eq!(client.get_as_of(&series, "2020", published_by("2020-12-31")).await.unwrap().value, "4");
}

#[tokio::test]
async fn a_replacement_withdraws_what_it_does_not_name_and_leaves_other_series() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let (series, other) = (stations(), key("5g-base-stations", "CN-BJ", "bureau"));
    client.put(["2018", "2019", "2020"].iter().flat_map(|p| [value(&series, p, "1"), value(&other, p, "1")]).collect()).await;
    let response =
        client.write(replace(vec![value(&series, "2019", "1"), value(&series, "2020", "2"), value(&series, "2021", "3")])).await;
    assert_eq!((response.unchanged, response.revised, response.inserted, response.deleted), (1, 1, 1, 1));
    let kinds: Vec<_> = response.changes.iter().map(|c| (c.observation.as_ref().unwrap().period.as_str(), c.kind())).collect();
    assert_eq!(kinds, [("2018", ChangeKind::Deleted), ("2020", ChangeKind::Revised), ("2021", ChangeKind::Inserted)]);
    let answer = client.everything(None).await.observations;
    let (mine, others): (Vec<_>, Vec<_>) = answer.into_iter().partition(|o| o.series.as_ref() == Some(&series));
    assert_eq!(values(&mine), [("2019", "1"), ("2020", "2"), ("2021", "3")]);
    assert_eq!(others.len(), 3);
}

#[tokio::test]
async fn a_withdrawal_without_a_period_withdraws_the_series() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let (series, other) = (stations(), key("5g-base-stations", "CN-BJ", "bureau"));
    client.put(vec![value(&series, "2019", "1"), value(&series, "2020-Q1", "2"), value(&other, "2019", "3")]).await;
    let response = client.write(withdraw(&series, &[""])).await;
    assert_eq!(response.deleted, 2);
    assert_eq!(values(&client.everything(None).await.observations), [("2019", "3")]);
}

#[tokio::test]
async fn a_withdrawal_of_a_series_is_published_when_its_change_says() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    client.put(vec![published("2021-01-01", value(&series, "2020", "5"))]).await;
    let mut request = withdraw(&series, &[""]);
    request.changes[0].published_at = Some(at("2022-01-01"));
    let response = client.write(request).await;
    assert_eq!(response.changes[0].observation.as_ref().unwrap().published_at, Some(at("2022-01-01")));
}

#[tokio::test]
async fn omitted_changes_are_counted_all_the_same() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let days: Vec<Observation> = (0..5000).map(|n| value(&stations(), &format!("{:04}", 1000 + n), "1")).collect();
    let response = client.write(WriteObservationsRequest { omit_changes: true, ..merge(days) }).await;
    assert_eq!((response.inserted, response.changes.len()), (5000, 0));
    assert_eq!(client.everything(None).await.observations.len(), 5000);
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let mut server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    client.put(every_kind()).await;
    for n in 0..40 {
        client.put(vec![value(&series, "2020", &n.to_string())]).await;
    }
    client.write(withdraw(&series, &["2020-S1"])).await;
    let (everything, commits, vintages) =
        (client.everything(None).await, client.commits(0).await, client.vintages(&series, "").await);
    let status = client.status().await;
    for way in ["stopped", "killed"] {
        if way == "killed" {
            server.kill();
            server.start_again();
        } else {
            server.restart().await;
        }
        let client = server.client();
        let after = client.everything(None).await;
        assert_eq!(after.revision, everything.revision, "{way}");
        assert_same(&after.observations, &everything.observations, way);
        assert_same(&client.commits(0).await, &commits, way);
        assert_same(&client.vintages(&series, "").await, &vintages, way);
        let now = client.status().await;
        assert_eq!((now.epoch, now.head_hash, now.series), (status.epoch.clone(), status.head_hash.clone(), status.series));
        assert_eq!((now.regions, now.indicators, now.units), (status.regions, status.indicators, status.units));
    }
}
