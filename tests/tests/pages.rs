//! Pages: together they are the whole answer, of one state, and their tokens cannot be forged.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{ListCommitsRequest, ListVintagesRequest, Observation, ObservationFilter, QueryObservationsRequest};
use indicator_tests::{
    assert_same,
    client::{Client, withdraw},
    figures::{cube, key, stations, value},
    refusal::Refusal,
    server::Server,
};
use tonic::Code;

fn all_sources() -> Option<ObservationFilter> {
    Some(ObservationFilter { all_sources: true, ..Default::default() })
}

/// Reads page after page.
async fn pages(client: &Client, request: QueryObservationsRequest, mut between: impl AsyncFnMut()) -> Vec<Observation> {
    let (mut all, mut page_token, mut revision) = (Vec::new(), String::new(), None);
    loop {
        let page = client.query(QueryObservationsRequest { page_token, ..request.clone() }).await.unwrap();
        assert!(page.observations.len() <= request.page_size as usize);
        assert_eq!(page.revision, *revision.get_or_insert(page.revision), "pages show one state");
        all.extend(page.observations);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
        between().await;
    }
}

#[tokio::test]
async fn pages_of_any_size_together_are_the_whole_answer() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(cube()).await;
    for filter in [all_sources(), None] {
        let request = QueryObservationsRequest { filter, ..Default::default() };
        let whole = client.query(request.clone()).await.unwrap().observations;
        for page_size in [1, 2, 3, 4, 7, 8, 9, 26, 27, 28] {
            let paged = pages(&client, QueryObservationsRequest { page_size, ..request.clone() }, async || {}).await;
            assert_same(&paged, &whole, &format!("pages of {page_size}"));
        }
    }
}

#[tokio::test]
async fn pages_show_one_state_while_writes_go_on() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(cube()).await;
    let request = QueryObservationsRequest { filter: all_sources(), page_size: 4, ..Default::default() };
    let before = client.everything(None).await.observations;
    let mut n = 0;
    let paged = pages(&client, request, async || {
        n += 1;
        let year = 2015 + n % 8;
        let other = key("5g-base-stations", "CN-BJ", "bureau");
        client.put(vec![value(&stations(), &year.to_string(), &n.to_string()), value(&other, &year.to_string(), "1")]).await;
        client.write(withdraw(&key("5g-base-stations", "CN-SD.3710", "media"), &["2018", "2019", "2020"])).await;
    })
    .await;
    assert!(n > 3);
    assert_same(&paged, &before, "the state of the first page");
}

#[tokio::test]
async fn a_page_token_that_is_foreign_or_altered_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(cube()).await;
    let request = QueryObservationsRequest { page_size: 2, ..Default::default() };
    let token = client.query(request.clone()).await.unwrap().next_page_token;
    let ask = async |page_token: &str, request: &QueryObservationsRequest| {
        let request = QueryObservationsRequest { page_token: page_token.into(), ..request.clone() };
        client.query(request).await.unwrap_err()
    };
    let mut altered = token.clone().into_bytes();
    for position in [0, altered.len() / 2, altered.len() - 5] {
        altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
        let refusal = ask(std::str::from_utf8(&altered).unwrap(), &request).await;
        assert!(
            [(Code::InvalidArgument, "INVALID_PAGE_TOKEN"), (Code::FailedPrecondition, "OTHER_EPOCH")].contains(&refusal.what()),
            "{refusal:?}"
        );
    }
    for forged in ["x", "not a token", &token[..token.len() - 4], &format!("{token}AAAA")] {
        assert_eq!(ask(forged, &request).await.what(), (Code::InvalidArgument, "INVALID_PAGE_TOKEN"), "{forged}");
    }
    let other = QueryObservationsRequest { latest_n: 1, ..request.clone() };
    assert_eq!(ask(&token, &other).await.what(), (Code::InvalidArgument, "INVALID_PAGE_TOKEN"), "of another request");
    let vintages = ListVintagesRequest { series: Some(stations()), page_token: token.clone(), ..Default::default() };
    let refusal = Refusal::from(client.observations().list_vintages(vintages).await.unwrap_err());
    assert_eq!(refusal.what(), (Code::InvalidArgument, "INVALID_PAGE_TOKEN"), "of another call");

    let other = Server::start();
    let elsewhere = other.client_with_catalog().await;
    let refusal = elsewhere.query(QueryObservationsRequest { page_token: token, ..request }).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::FailedPrecondition, "OTHER_EPOCH"));
}

#[tokio::test]
async fn histories_and_the_audit_trail_come_in_pages() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let series = stations();
    for n in 0..10 {
        client.put(vec![value(&series, "2020", &n.to_string()), value(&series, "2021", &n.to_string())]).await;
    }
    let whole = client.vintages(&series, "").await;
    assert_eq!(whole.len(), 20);
    let (mut paged, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListVintagesRequest { series: Some(series.clone()), page_size: 3, page_token, ..Default::default() };
        let page = client.observations().list_vintages(request).await.unwrap().into_inner();
        assert!(page.vintages.len() <= 3);
        paged.extend(page.vintages);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_same(&paged, &whole, "vintages");

    for newest_first in [false, true] {
        let (mut revisions, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListCommitsRequest { newest_first, page_size: 4, page_token, after_revision: 2, ..Default::default() };
            let page = client.observations().list_commits(request).await.unwrap().into_inner();
            revisions.extend(page.commits.iter().map(|c| c.revision));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let mut expected: Vec<u64> = (3..=11).collect();
        if newest_first {
            expected.reverse();
        }
        assert_eq!(revisions, expected);
    }
}
