//! Importers, queries, readers of pages, and clients that stop reading.

use std::{sync::Arc, time::Duration};

use fastrand::Rng;
use futures::stream;
use indicator_proto::v1::{
    GetObservationRequest, ImportBatch, ImportObservationsRequest, ImportOptions, ListCommitsRequest, ListVintagesRequest,
    Observation, ObservationFilter, QueryObservationsRequest, SeriesObservations, WriteContext,
    import_observations_request::Message,
};
use indicator_tests::{
    assert_same,
    churn::World,
    client::{Client, at_revision},
    figures::{key, value},
    transcript::everything,
};
use tonic::Code;

use super::goes_on;

/// An edition of many figures. Each is as in the edition before but for one batch, as when a department publishes its whole table.
fn edition(name: &str, number: u32, batches: u32) -> Vec<ImportObservationsRequest> {
    let context = Some(WriteContext { actor: name.to_owned(), reason: format!("edition {number}"), ..WriteContext::default() });
    let options = ImportOptions { context, ..ImportOptions::default() };
    let mut messages = vec![ImportObservationsRequest { message: Some(Message::Options(options)) }];
    for batch in 0..batches {
        let text = if batch == number % batches { number } else { 0 }.to_string();
        let series = ["CN", "CN-SD", "CN-BJ"].map(|region| {
            let key = key("output", region, "report");
            let years = (1000 + 50 * batch)..(1000 + 50 * (batch + 1));
            let observations = years.map(|year| Observation { series: None, ..value(&key, &year.to_string(), &text) }).collect();
            SeriesObservations { series: Some(key), observations }
        });
        messages.push(ImportObservationsRequest { message: Some(Message::Batch(ImportBatch { series: series.into() })) });
    }
    messages
}

/// Imports edition after edition.
pub(crate) async fn import(world: Arc<World>, mut rng: Rng, number: u32) {
    const BATCHES: u32 = 10;
    let name = format!("importer {number}");
    let mut edition_number = 0;
    while goes_on(&world, Duration::from_millis(rng.u64(500..3000))).await {
        let mut client = world.client().observations();
        let messages = edition(&name, edition_number, BATCHES);
        edition_number += u32::from(rng.u8(..4) == 0);
        let Ok(answers) = client.import_observations(stream::iter(messages)).await else { continue };
        let mut answers = answers.into_inner();
        while let Ok(Some(answer)) = answers.message().await {
            assert!(answer.rejects.is_empty() && answer.batch < u64::from(BATCHES), "{answer:?}");
            world.told_head(answer.revision);
        }
    }
}

/// Asks all sorts of questions.
pub(crate) async fn query(world: Arc<World>, mut rng: Rng) {
    let mut client = world.client();
    while goes_on(&world, Duration::from_millis(rng.u64(..400))).await {
        if !ask(&world, &client, &mut rng).await {
            client = world.client();
        }
    }
}

/// Asks one question; whether it was answered.
async fn ask(world: &World, client: &Client, rng: &mut Rng) -> bool {
    let revision = rng.u64(1..=world.head());
    let regions = world.regions();
    let region = &regions[rng.usize(..regions.len())];
    match rng.u8(..4) {
        0 => {
            let filter = Some(ObservationFilter { all_sources: rng.bool(), ..Default::default() });
            let request = QueryObservationsRequest { filter, as_of: at_revision(revision), ..Default::default() };
            client.try_query(request).await.is_ok_and(|answer| answer.revision == revision)
        }
        1 => {
            let series = Some(key("5g-base-stations", region, "bureau"));
            let request = ListVintagesRequest { series, page_size: 100, ..Default::default() };
            client.observations().list_vintages(request).await.is_ok()
        }
        2 => {
            let request = ListCommitsRequest { after_revision: revision - 1, page_size: 20, ..Default::default() };
            client.observations().list_commits(request).await.is_ok()
        }
        _ => {
            let request = GetObservationRequest { series: Some(key("5g-base-stations", region, "")), ..Default::default() };
            let answer = client.observations().get_observation(request).await;
            answer.map_or_else(|status| status.code() == Code::NotFound, |_| true)
        }
    }
}

/// Turns the pages of one answer while the record changes; together they are what one answer of that state is.
pub(crate) async fn turn_pages(world: Arc<World>, mut rng: Rng) {
    while goes_on(&world, Duration::from_millis(rng.u64(200..2000))).await {
        let client = world.client();
        let filter = Some(ObservationFilter { all_sources: rng.bool(), ..Default::default() });
        let request = QueryObservationsRequest { filter, page_size: rng.u32(20..400), ..Default::default() };
        let (mut all, mut page_token, mut revision) = (Vec::new(), String::new(), None);
        let whole = loop {
            let Ok(page) = client.try_query(QueryObservationsRequest { page_token, ..request.clone() }).await else { break None };
            assert_eq!(page.revision, *revision.get_or_insert(page.revision), "pages show one state");
            all.extend(page.observations);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                let as_of = at_revision(page.revision);
                break client.try_query(QueryObservationsRequest { page_size: 0, as_of, ..request.clone() }).await.ok();
            }
            world.wait(Duration::from_millis(rng.u64(..20))).await;
        };
        if let Some(whole) = whole {
            assert_same(&all, &whole.observations, "pages");
        }
    }
}

/// Opens streams and does not read them; then goes away, without a word or with.
pub(crate) async fn stop_reading(world: Arc<World>, mut rng: Rng) {
    while goes_on(&world, Duration::from_millis(rng.u64(..2000))).await {
        let client = world.client();
        let all = Some(ObservationFilter { all_sources: true, ..Default::default() });
        let request = QueryObservationsRequest { filter: all, ..Default::default() };
        let queried = client.observations().query_observations(request).await;
        let watched = client.watches().watch(everything()).await;
        world.wait(Duration::from_millis(rng.u64(500..15_000))).await;
        drop((queried, watched));
    }
}
