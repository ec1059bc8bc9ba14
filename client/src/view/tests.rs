use std::{
    collections::VecDeque,
    sync::{Mutex, mpsc},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use indicator_proto::v1::{
    self, CellChange, ChangeKind, Changes, CommitEvents, Progress, Reset, SeriesObservations, SnapshotChunk, SnapshotEnd,
    WatchMode, WatchOpened, WatchOutcome, WatchRequest, WatchResponse, watch_response::Message,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::*;
use crate::retry::Policy;

/// A server that says what the test tells it, one connection after the other.
struct Server {
    connections: Arc<Mutex<VecDeque<UnboundedReceiver<Message>>>>,
    says: UnboundedSender<Message>,
}

impl Server {
    fn new() -> Self {
        let (says, hears) = unbounded_channel();
        Self { connections: Arc::new(Mutex::new([hears].into())), says }
    }

    /// Hangs up; what it says next is for the next connection.
    fn hang_up(&mut self) {
        let (says, hears) = unbounded_channel();
        self.connections.lock().unwrap().push_back(hears);
        self.says = says;
    }

    fn say(&self, messages: impl IntoIterator<Item = Message>) {
        messages.into_iter().for_each(|message| self.says.send(message).expect("somebody listens"));
    }

    fn view(&self, preferred: bool, on_change: impl FnMut(&ViewChange) + Send + 'static) -> View {
        let connections = self.connections.clone();
        let request = WatchRequest { mode: WatchMode::Latest.into(), preferred, ..WatchRequest::default() };
        let watch = Watch::from_start(Policy::default(), request, move |_| {
            let next = connections.lock().unwrap().pop_front();
            Box::pin(async move {
                let hears = next.ok_or(Error::Protocol { what: "the end of the test" })?;
                let messages = stream::unfold(hears, |mut hears| async { hears.recv().await.map(|message| (message, hears)) });
                Ok(messages.map(|message| Ok(WatchResponse { message: Some(message) })).boxed())
            })
        });
        View::open(watch, preferred, Box::new(on_change))
    }
}

fn key(source: &str) -> SeriesKey {
    SeriesKey { indicator: "gdp".to_owned(), source: source.to_owned(), ..SeriesKey::default() }
}

fn figure(source: &str, period: &str, value: &str, revision: u64) -> Observation {
    let (period, value) = (period.to_owned(), value.to_owned());
    Observation { series: Some(key(source).into()), period, value, revision, ..Observation::default() }
}

fn opened(revision: u64) -> Message {
    let outcome = WatchOutcome::Snapshot.into();
    Message::Opened(WatchOpened { epoch: "one".to_owned(), revision, outcome, head_revision: revision })
}

fn part(observations: impl IntoIterator<Item = Observation>) -> Message {
    let of_one = |observation: Observation| SeriesObservations {
        series: observation.series.clone(),
        observations: vec![Observation { series: None, ..observation }],
    };
    Message::Snapshot(SnapshotChunk { series: observations.into_iter().map(of_one).collect(), entries: Vec::new() })
}

fn end(revision: u64) -> Message {
    Message::SnapshotEnd(SnapshotEnd { revision, observations: 0 })
}

fn commit(revision: u64, changes: impl IntoIterator<Item = (ChangeKind, Observation)>) -> Message {
    let change =
        |(kind, observation): (ChangeKind, _)| CellChange { kind: kind.into(), observation: Some(observation), previous: None };
    let events = vec![CommitEvents { revision, changes: changes.into_iter().map(change).collect(), ..CommitEvents::default() }];
    Message::Changes(Changes { first_revision: revision, last_revision: revision, events, more: false })
}

fn progress(revision: u64) -> Message {
    Message::Progress(Progress { revision, resume_token: revision.to_string(), head_revision: revision, digest: None })
}

fn reset() -> Message {
    Message::Reset(Reset { reason: "compacted".to_owned() })
}

/// `2020: 1 -> 2`, as the callback hears of it.
fn in_words(change: &ViewChange) -> String {
    let value = |figure: &Option<Arc<Observation>>| figure.as_ref().map_or_else(|| "none".to_owned(), |it| it.value.clone());
    format!("{}: {} -> {}", change.cell.period, value(&change.old), value(&change.new))
}

/// A view and what its callback has been told.
fn told(server: &Server) -> (View, mpsc::Receiver<String>) {
    let (tell, told) = mpsc::channel();
    (server.view(false, move |change| tell.send(in_words(change)).expect("the test listens")), told)
}

fn all(view: &View) -> Vec<String> {
    let figures = view.figures().expect("it is ready");
    figures.iter().map(|(_, period, figure)| format!("{period}: {}", figure.value)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_view_is_ready_when_its_snapshot_is_complete_and_follows_what_changes() {
    let server = Server::new();
    let (view, told) = told(&server);
    assert_eq!(view.state(), WatchState::Connecting { attempt: 1 });
    server.say([opened(7), part([figure("a", "2020", "1", 3), figure("a", "2021", "2", 3)])]);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(view.state(), WatchState::Snapshot { observations: 2 });
    assert!(view.figures().is_none() && view.get(&key("a"), "2020").is_none(), "half a state is not shown");
    server.say([end(7)]);
    view.ready().await.unwrap();
    assert_eq!((view.state(), all(&view)), (WatchState::Live, vec!["2020: 1".to_owned(), "2021: 2".to_owned()]));

    let held = view.figures().unwrap();
    let gone = Observation { deleted: true, ..figure("a", "2021", "", 8) };
    let entered = (ChangeKind::Entered, figure("b", "2019", "9", 2));
    server.say([commit(8, [(ChangeKind::Revised, figure("a", "2020", "5", 8)), (ChangeKind::Deleted, gone), entered])]);
    view.reached(8).await.unwrap();
    assert_eq!(all(&view), ["2020: 5", "2019: 9"]);
    assert_eq!(view.get(&key("b"), "2019").map(|it| it.value.clone()).as_deref(), Some("9"));
    assert_eq!((held.revision(), held.len()), (7, 2), "a state that somebody holds does not change");
    assert_eq!(held.get(&key("a"), "2020").unwrap().value, "1");

    server.say([commit(
        9,
        [(ChangeKind::Left, figure("b", "2019", "", 0)), (ChangeKind::Backfilled, figure("a", "2020", "0", 9))],
    )]);
    server.say([progress(12)]);
    view.reached(12).await.unwrap();
    assert_eq!((view.figures().unwrap().revision(), view.figures().unwrap().len()), (12, 1));
    let expected =
        ["2020: none -> 1", "2021: none -> 2", "2020: 1 -> 5", "2021: 2 -> none", "2019: none -> 9", "2019: 9 -> none"];
    assert_eq!(told.try_iter().collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn after_a_reset_the_old_state_stays_until_the_new_one_is_complete_and_only_what_differs_is_told() {
    let mut server = Server::new();
    let (view, told) = told(&server);
    server.say([
        opened(7),
        part([figure("a", "2019", "0", 3), figure("a", "2020", "1", 3), figure("a", "2021", "2", 3)]),
        end(7),
    ]);
    view.reached(7).await.unwrap();
    told.try_iter().count();
    server.say([reset(), part([figure("a", "2020", "8", 8)])]);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(all(&view), ["2019: 0", "2020: 1", "2021: 2"]);
    let not_yet = tokio::time::timeout(Duration::from_millis(1), view.reached(7)).await;
    assert!(not_yet.is_err(), "what is shown may be of another history: an own write of that revision may be missing");
    // The snapshot is cut off, and comes again.
    server.hang_up();
    // The same figures under other revisions, as after a restoration.
    server.say([
        opened(9),
        part([figure("a", "2018", "7", 1), figure("a", "2020", "8", 8), figure("a", "2021", "2", 4)]),
        end(9),
    ]);
    view.reached(9).await.unwrap();
    assert_eq!(all(&view), ["2018: 7", "2020: 8", "2021: 2"]);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["2018: none -> 7", "2019: 0 -> none", "2020: 1 -> 8"]);
}

#[tokio::test(start_paused = true)]
async fn in_the_preferred_picture_a_cell_is_the_same_whatever_its_source() {
    let server = Server::new();
    let (tell, told) = mpsc::channel();
    let view = server.view(true, move |change| tell.send(in_words(change)).expect("the test listens"));
    server.say([opened(7), part([figure("a", "2020", "1", 3)]), end(7)]);
    server.say([commit(8, [(ChangeKind::Revised, figure("b", "2020", "2", 5))])]);
    view.reached(8).await.unwrap();
    let figure = view.get(&key("a"), "2020").expect("the cell is found by any source");
    assert_eq!((figure.value.as_str(), figure.series.as_ref().unwrap().source.as_str()), ("2", "b"));
    assert_eq!(view.figures().unwrap().iter().next().unwrap().0, &key(""));
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["2020: none -> 1", "2020: 1 -> 2"]);
}

#[tokio::test(start_paused = true)]
async fn changed_answers_once_for_what_is_new_and_misses_nothing() {
    let server = Server::new();
    let mut view = server.view(false, |_| {});
    server.say([opened(7), end(7)]);
    view.ready().await.unwrap();
    view.changed().await.unwrap();
    let mut other = view.clone();
    let quiet = async |view: &mut View| tokio::time::timeout(Duration::from_millis(1), view.changed()).await.is_err();
    while !quiet(&mut view).await {}
    server.say([progress(8)]);
    assert!(quiet(&mut view).await, "a revision that brings nothing is nothing to draw");
    server.say([commit(9, [(ChangeKind::Inserted, figure("a", "2020", "1", 9))])]);
    view.reached(9).await.unwrap();
    // It came before this was asked.
    view.changed().await.unwrap();
    assert!(quiet(&mut view).await);
    other.changed().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_the_view_and_leaves_its_figures() {
    let mut server = Server::new();
    let mut view = server.view(false, |_| {});
    server.say([opened(7), part([figure("a", "2020", "1", 3)]), end(7)]);
    view.ready().await.unwrap();
    server.say([end(8)]);
    let error = view.reached(8).await.unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    while view.changed().await.is_ok() {}
    assert_eq!((view.state(), all(&view)), (WatchState::Ended, vec!["2020: 1".to_owned()]));
    assert!(view.error().is_some());
    view.ready().await.expect("it was ready");
    server.hang_up();
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_panics_is_no_view_that_stands_still() {
    let server = Server::new();
    let view = server.view(false, |_| panic!("in the callback"));
    server.say([opened(7), part([figure("a", "2020", "1", 3)]), end(7)]);
    let error = view.reached(8).await.unwrap_err();
    assert!(error.to_string().contains("callback"), "{error}");
    assert_eq!(view.state(), WatchState::Ended);
}

#[tokio::test(start_paused = true)]
async fn the_last_clone_takes_the_connection_with_it() {
    let server = Server::new();
    let view = server.view(false, |_| {});
    let clone = view.clone();
    server.say([opened(7), end(7)]);
    clone.ready().await.unwrap();
    drop(view);
    server.say([progress(8)]);
    clone.reached(8).await.unwrap();
    drop(clone);
    server.says.closed().await;
}

#[test]
fn a_view_can_go_anywhere() {
    fn sendable<T: Send + Sync + Clone + 'static>() {}
    sendable::<View>();
    let _: fn(v1::ObservationFilter) = |_| {};
}
