//! Readers who stand still.

use indicator_proto::v1::{
    Observation, ObservationFilter, QueryObservationsRequest, Transform, query_observations_response::Message, transform,
};
use indicator_tests::{
    assert_same,
    client::Client,
    eventually,
    figures::{stations, value},
};
use prost::Message as _;
use tokio::time::sleep;
use tonic::Code;

use crate::{
    bystander::Attacked,
    wire::{END_HEADERS, END_STREAM, HEADERS, MOMENT, Raw, SETTINGS, call, frame},
};

const QUERY: &str = "/indicator.v1.ObservationService/QueryObservations";

/// The least that HTTP/2 begins with.
const WINDOW: u32 = 65_535;

/// More figures than wait anywhere between the record and a reader.
async fn many(client: &Client) {
    for century in 0..4 {
        let years = (1000 + century * 400)..(1400 + century * 400);
        let months = years.flat_map(|year| (1..=12).map(move |month| format!("{year}-{month:02}")));
        let changes = months.map(|period| value(&stations(), &period, "12345.678")).collect();
        client
            .write(indicator_proto::v1::WriteObservationsRequest {
                omit_changes: true,
                ..indicator_tests::client::merge(changes)
            })
            .await;
    }
}

#[tokio::test]
async fn readers_who_stand_still_hold_no_thread() {
    let attacked = Attacked::over(&["--max-call-seconds", "20"], many).await;
    let query = QueryObservationsRequest::default().encode_to_vec();
    let message = [&[0][..], &(query.len() as u32).to_be_bytes(), &query].concat();
    let block = call(QUERY, &[]);
    let mut held = Vec::new();
    // More than tokio has threads for what blocks.
    for _ in 0..3 {
        let mut raw = Raw::connect(attacked.server.address()).await;
        // Takes nothing at all: the initial window is 0.
        raw.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).await;
        for number in 0..200 {
            let stream = 2 * number + 1;
            raw.send(&frame(HEADERS, END_HEADERS, stream, &block)).await;
            raw.send(&frame(0, END_STREAM, stream, &message)).await;
        }
        held.push(raw);
    }
    sleep(MOMENT * 10).await;
    attacked.goes_on().await;
    drop(held);
    // As many answers wait, each with some messages of 60 kB.
    attacked.survived_within(1 << 30).await;
}

#[tokio::test]
async fn who_reads_slowly_gets_the_whole_answer() {
    let attacked = Attacked::over(&[], many).await;
    let client = Client::with_window(attacked.server.address(), WINDOW);
    let steps = vec![Transform { step: Some(transform::Step::Change(Default::default())) }];
    let filter = Some(ObservationFilter { all_sources: true, ..Default::default() });
    for (transforms, page_size) in [(Vec::new(), 0), (Vec::new(), 18_000), (steps, 0)] {
        let request = QueryObservationsRequest { filter: filter.clone(), transforms, page_size, ..Default::default() };
        let whole = client.query(request.clone()).await.unwrap();
        assert!(whole.observations.len() >= 18_000);
        let mut stream = client.observations().query_observations(request).await.unwrap().into_inner();
        let (mut slowly, mut page_token) = (Vec::<Observation>::new(), None);
        while let Some(response) = stream.message().await.unwrap() {
            match response.message.unwrap() {
                Message::Header(_) => {}
                Message::Chunk(chunk) => {
                    let series = chunk.series;
                    slowly.extend(chunk.observations.into_iter().map(|o| Observation { series: series.clone(), ..o }));
                    sleep(MOMENT).await;
                }
                Message::Summary(summary) => {
                    assert_eq!(summary.observations, slowly.len() as u64);
                    page_token = Some(summary.next_page_token);
                }
            }
        }
        assert_same(&slowly, &whole.observations, "read slowly");
        assert_eq!(page_token, Some(whole.next_page_token));
    }
    drop(client);
    attacked.survived().await;
}

#[tokio::test]
async fn an_answer_that_is_not_read_in_time_ends() {
    let attacked = Attacked::over(&["--max-call-seconds", "1"], many).await;
    let client = Client::with_window(attacked.server.address(), WINDOW);
    let mut stream = client.observations().query_observations(QueryObservationsRequest::default()).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    sleep(MOMENT * 20).await;
    let ended = async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it had time enough"),
                Err(status) => return status,
            }
        }
    };
    assert_eq!(ended.await.code(), Code::DeadlineExceeded);
    drop(stream);
    eventually("the server is idle", async || client.get(&stations(), "2020").await.is_ok()).await;
    drop(client);
    attacked.survived().await;
}
