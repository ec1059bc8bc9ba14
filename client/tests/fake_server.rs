//! The client against a server in this process that behaves badly on purpose.

// Everything here is test code, the fake server too.
#![allow(clippy::unwrap_used)]

mod fake;

use std::{sync::atomic::Ordering, time::Duration};

use futures::TryStreamExt as _;
use indicator_client::{Client, Error, WatchEvent, retry::Policy};
use indicator_proto::v1::{
    ErrorReason, GetObservationRequest, ListCommitsRequest, QueryObservationsRequest, SeriesObservations, StartNow, WatchRequest,
    WriteObservationsRequest, watch_request::Start,
};

use crate::fake::{Fake, QueryEnd};

/// Waits are short, so that a test of several of them is too.
fn client(address: &str) -> Client {
    let policy = Policy { base: Duration::from_millis(1), ..Policy::default() };
    Client::builder().server(address).retry(policy).connect_lazy().unwrap()
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_a_remedy() {
    let unused = fake::unused_address().await;
    let error = client(&unused).get_observation(GetObservationRequest::default()).await.unwrap_err();
    assert!(matches!(&error, Error::Connect { server, .. } if *server == format!("http://{unused}")), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("Connection refused") && text.contains("is indicatord running there?"), "{text}");
    assert!(!text.contains("Status"), "a person reads it: {text}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_apart_from_an_answer() {
    let (server, accepted) = fake::start_breaking().await;
    let error = client(&server).get_observation(GetObservationRequest::default()).await.unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error:?}");
    assert!(error.to_string().starts_with("the answer was cut off: "), "{error}");
    assert_eq!(accepted.load(Ordering::Relaxed), 5, "a read is tried again");
}

#[tokio::test]
async fn a_write_is_repeated_with_the_request_id_it_was_given_at_first() {
    let fake = Fake { refusals: 2, ..Fake::default() };
    let (server, state) = fake::start(fake).await;
    client(&server).write_observations(WriteObservationsRequest::default()).await.unwrap();
    let ids = state.request_ids();
    assert_eq!(ids.len(), 3, "two refusals, then success");
    assert!(!ids[0].is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let own = WriteObservationsRequest { request_id: "mine".to_owned(), ..WriteObservationsRequest::default() };
    client(&server).write_observations(own).await.unwrap();
    assert_eq!(state.request_ids()[3], "mine");
}

#[tokio::test]
async fn a_call_to_a_server_that_hangs_ends_with_its_deadline() {
    let (server, state) = fake::start(Fake { hangs: true, ..Fake::default() }).await;
    let policy = Policy { deadline: Duration::from_millis(50), attempts: 1, ..Policy::default() };
    let client = Client::builder().server(&server).retry(policy).connect_lazy().unwrap();
    let error = client.get_observation(GetObservationRequest::default()).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    assert_eq!(error.to_string(), "no answer within 0.05 s");
    assert!(state.timeout_header().is_some_and(|header| header.starts_with("50000")), "{:?}", state.timeout_header());
}

#[tokio::test]
async fn a_refusal_arrives_with_its_reason_and_every_violation() {
    let (server, _) = fake::start(Fake::default()).await;
    let error = client(&server).get_observation(GetObservationRequest::default()).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::InvalidRequest));
    let Error::Rpc { violations, .. } = error else { panic!("an answer: {error:?}") };
    assert_eq!(violations.len(), 2);
    assert_eq!(violations[1].reason, Some(ErrorReason::InvalidPeriod));
}

#[tokio::test]
async fn pages_are_read_one_after_the_other_until_the_last() {
    let (server, _) = fake::start(Fake::default()).await;
    let commits: Vec<_> = client(&server).all_commits(ListCommitsRequest::default()).try_collect().await.unwrap();
    let revisions: Vec<_> = commits.iter().map(|commit| commit.revision).collect();
    assert_eq!(revisions, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_query_gives_its_header_its_chunks_and_its_summary() {
    let (server, _) = fake::start(Fake::default()).await;
    let mut query = client(&server).query_observations(QueryObservationsRequest::default()).await.unwrap();
    assert_eq!(query.header().revision, 7);
    assert!(query.summary().is_none(), "nothing has been read yet");
    assert_eq!(query.next_chunk().await.unwrap(), Some(SeriesObservations::default()));
    assert_eq!(query.read_to_end().await.unwrap().len(), 1);
    assert_eq!(query.next_chunk().await.unwrap(), None);
    assert_eq!(query.summary().map(|summary| summary.series), Some(2));
}

#[tokio::test]
async fn an_answer_without_its_summary_was_cut_off() {
    let (server, _) = fake::start(Fake { query: QueryEnd::NoSummary, ..Fake::default() }).await;
    let mut query = client(&server).query_observations(QueryObservationsRequest::default()).await.unwrap();
    let error = query.read_to_end().await.unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error:?}");
    assert_eq!(error.to_string(), "the query's answer was cut off");
}

#[tokio::test]
async fn a_watch_gives_every_commit_once_across_a_server_that_keeps_hanging_up() {
    let (server, state) = fake::start(Fake::default()).await;
    let start = Some(Start::Now(StartNow {}));
    let mut watch = client(&server).watch(WatchRequest { start, ..WatchRequest::default() });
    let (mut revisions, mut reconnects) = (Vec::new(), 0);
    while revisions.len() < 9 {
        match watch.next().await.unwrap().unwrap() {
            WatchEvent::Commit(commit) => revisions.push(commit.revision),
            WatchEvent::Connecting { .. } => reconnects += 1,
            WatchEvent::Reset { reason } => panic!("nothing was lost: {reason}"),
            _ => {}
        }
    }
    assert_eq!(revisions, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(reconnects >= 2, "the fake hangs up after every third commit, in the middle of the fourth: {reconnects}");
    assert_eq!(state.starts()[1], Some(Start::AfterRevision(3)), "no token came after the third commit");
}

#[tokio::test]
async fn a_watch_that_is_refused_ends_with_the_reason() {
    let (server, _) = fake::start(Fake { refuses_watches: true, ..Fake::default() }).await;
    let mut watch = client(&server).watch(WatchRequest::default());
    let error = watch.next().await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::UnknownRegion));
    assert!(watch.next().await.is_none());
}
