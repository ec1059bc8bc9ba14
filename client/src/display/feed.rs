//! What the model wants followed, followed: tasks that ask the server, and send what it says as events.

use std::{
    future::Future,
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _};
use indicator_client::{
    Client, Error, View, WatchEvent,
    view::{Figures, ViewChange},
};
use indicator_proto::v1::{
    self, ListCommitsRequest, ListVintagesRequest, ObservationFilter, QueryObservationsRequest, RegionSelection, StartNow,
    WatchRankRequest, WatchRequest, watch_request::Start,
};
use tokio::{
    sync::mpsc::{Sender, channel},
    task::AbortHandle,
    time::sleep,
};

use super::model::{Detail, DetailKey, Event, Scope, Series, Wants};
use crate::{catalog::Labels, failure, output::Style};

/// At most one picture in this time: nobody reads faster.
const INTERVAL: Duration = Duration::from_millis(100);

/// A cursor that passes over rows asks for nothing: it has to stay for so long.
const SETTLE: Duration = Duration::from_millis(150);

/// Changes that wait to be listed; more than that at a time are only counted.
const WAITING: usize = 256;

/// Versions of a figure that are shown at most.
const VINTAGES: u32 = 200;

/// A task that ends when it is not wanted any more.
#[derive(Debug)]
struct Task(AbortHandle);

impl Task {
    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(future).abort_handle())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What is followed now.
#[derive(Debug)]
pub(crate) struct Feeds {
    client: Client,
    events: Sender<Event>,
    wants: Wants,
    error: Arc<Mutex<Option<Error>>>,
    picture: Option<Task>,
    ranking: Option<Task>,
    detail: Option<Task>,
    commit: Option<Task>,
    _catalog: Task,
}

impl Feeds {
    /// Follows nothing yet but the catalog.
    pub(crate) fn new(client: Client, events: Sender<Event>) -> Self {
        let catalog = Task::spawn(catalog(client.clone(), events.clone()));
        let (wants, error) = (Wants::default(), Arc::default());
        Self { client, events, wants, error, picture: None, ranking: None, detail: None, commit: None, _catalog: catalog }
    }

    /// Follows what is wanted, and stops following what is not.
    pub(crate) fn follow(&mut self, wants: Wants) {
        let (client, events) = (|| self.client.clone(), || self.events.clone());
        let had = mem::replace(&mut self.wants, wants);
        if had.scope != self.wants.scope || self.picture.is_none() {
            self.picture = None;
            self.picture = Some(Task::spawn(picture(client(), self.wants.scope.clone(), events(), self.error.clone())));
        }
        if had.ranking != self.wants.ranking {
            self.ranking = self.wants.ranking.clone().map(|wanted| Task::spawn(ranking(client(), wanted, events())));
        }
        let back = had.comebacks != self.wants.comebacks;
        if had.detail != self.wants.detail || back {
            let filter = &self.wants.scope.filter;
            self.detail = self.wants.detail.clone().map(|wanted| Task::spawn(detail(client(), wanted, filter.clone(), events())));
        }
        if had.commit != self.wants.commit || back {
            self.commit = self.wants.commit.map(|wanted| Task::spawn(commits(client(), wanted, events())));
        }
    }

    /// The error that has ended the picture for good.
    pub(crate) fn error(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The series of a state.
pub(crate) fn series(figures: &Figures) -> Vec<Series> {
    Series::of(figures.iter())
}

/// A view of a scope.
pub(crate) fn view(client: &Client, scope: &Scope, on_change: impl FnMut(&ViewChange) + Send + 'static) -> View {
    let builder = client.view(scope.filter.clone()).min_interval(INTERVAL).on_change(on_change);
    if scope.preferred() { builder.preferred().open() } else { builder.open() }
}

async fn picture(client: Client, scope: Scope, events: Sender<Event>, error: Arc<Mutex<Option<Error>>>) {
    let (change, mut changes) = channel(WAITING);
    // Of the first picture, every figure is new: that is no change. Until it has been seen, none is; then none of its revision.
    let seen = Arc::new(AtomicU64::new(u64::MAX));
    let unlisted = Arc::new(AtomicU64::new(0));
    let (news, missed) = (seen.clone(), unlisted.clone());
    let mut view = view(&client, &scope, move |it: &ViewChange| {
        let first = news.load(Ordering::Acquire);
        if first != u64::MAX && it.revision > first && change.try_send(it.clone()).is_err() {
            missed.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut shown: Option<Figures> = None;
    loop {
        let event = tokio::select! {
            changed = view.changed() => match changed {
                Err(why) => break ended(&why, &events, &error).await,
                Ok(()) => None,
            },
            Some(change) = changes.recv() => Some(Event::Changed(scope.clone(), change)),
            // A revision that brought nothing is no change of the view, but the display tells it.
            () = sleep(Duration::from_secs(1)) => None,
        };
        let figures = view.figures();
        let revision = figures.as_ref().map_or(0, Figures::revision);
        let another = |shown: &Figures, now: &Figures| shown.revision() != now.revision() || shown.epoch() != now.epoch();
        if let Some(figures) = figures
            && shown.as_ref().is_none_or(|shown| another(shown, &figures))
        {
            // Whoever has seen a picture knows that its own changes have been told: they are, before the next picture.
            let first = if shown.is_some() { 0 } else { revision };
            let picture = Event::Picture(scope.clone(), series(&figures), revision);
            shown = Some(figures);
            if events.send(picture).await.is_err() {
                return;
            }
            seen.store(first, Ordering::Release);
            keep(&error, None);
        }
        let missed = Some(unlisted.swap(0, Ordering::Relaxed)).filter(|count| *count > 0).map(Event::Unlisted);
        for event in event.into_iter().chain(missed).chain([Event::Link(view.state(), revision)]) {
            if events.send(event).await.is_err() {
                return;
            }
        }
    }
}

fn keep(kept: &Mutex<Option<Error>>, error: Option<Error>) {
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = error;
}

async fn ended(why: &Error, events: &Sender<Event>, kept: &Mutex<Option<Error>>) {
    keep(kept, Some(why.clone()));
    let told = failure::explain(&anyhow::Error::from(why.clone()), Style::default()).map_or(String::new(), |(_, text)| text);
    // Whoever listened is gone.
    let _ = events.send(Event::Ended(told)).await;
}

/// The ranking and, beside it, the figures: one that changes and moves nobody is no move.
async fn ranking(client: Client, wanted: RegionSelection, events: Sender<Event>) {
    sleep(SETTLE).await;
    let filter = ObservationFilter {
        indicators: vec![wanted.indicator.clone()],
        regions: Some(wanted.under.clone()).filter(|under| !under.is_empty()).into_iter().collect(),
        include_subregions: !wanted.under.is_empty(),
        region_level: wanted.level.clone(),
        dimensions: wanted.dimensions.clone(),
        sources: wanted.sources.clone(),
        ..ObservationFilter::default()
    };
    let mut peers = view(&client, &Scope::of_filter(filter), |_| {});
    let request = WatchRankRequest { selection: Some(wanted.clone()), ..WatchRankRequest::default() };
    let mut moves = client.watch_rank(request);
    loop {
        let event = tokio::select! {
            message = moves.next() => match message {
                // What ends it for good, such as a credential, ends the picture too, which tells it.
                None | Some(Err(_)) => return,
                Some(Ok(message)) => match message.message {
                    Some(message) => Event::Ranking(wanted.clone(), message),
                    None => continue,
                },
            },
            changed = peers.changed() => {
                let Ok(()) = changed else { return };
                let Some(figures) = peers.figures() else { continue };
                let same = |series: &Series| series.key.dimensions == wanted.dimensions;
                Event::Peers(wanted.clone(), series(&figures).into_iter().filter(same).collect())
            }
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}

async fn detail(client: Client, wanted: DetailKey, filter: ObservationFilter, events: Sender<Event>) {
    sleep(SETTLE).await;
    if let Ok(detail) = read_detail(&client, &wanted, filter).await {
        let _ = events.send(Event::Detail(wanted, detail)).await;
    }
}

/// The history of a figure, and what each source says of its cell.
pub(crate) async fn read_detail(client: &Client, wanted: &DetailKey, filter: ObservationFilter) -> Result<Detail, Error> {
    let series = v1::SeriesKey::from(&wanted.series);
    let history = ListVintagesRequest {
        series: Some(series.clone()),
        period: wanted.period.clone(),
        page_size: VINTAGES,
        ..ListVintagesRequest::default()
    };
    let cell = ObservationFilter {
        indicators: vec![series.indicator.clone()],
        regions: vec![series.region.clone()],
        all_sources: filter.sources.is_empty(),
        sources: filter.sources,
        dimensions: series.dimensions.clone(),
        start_period: wanted.period.clone(),
        end_period: wanted.period.clone(),
        ..ObservationFilter::default()
    };
    let request = QueryObservationsRequest { filter: Some(cell), ..QueryObservationsRequest::default() };
    let of_sources = async { client.query_observations(request).await?.read_to_end().await };
    let (history, of_sources) = futures::future::join(client.list_vintages(history), of_sources).await;
    // A derived indicator has no versions of its own.
    let mut vintages = history.map(|page| page.vintages).unwrap_or_default();
    vintages.reverse();
    let mut sources = Vec::new();
    for chunk in of_sources? {
        let same = chunk.series.as_ref().is_some_and(|key| key.dimensions == series.dimensions);
        let of_cell = chunk.observations.into_iter().filter(|it| same && it.period == wanted.period);
        sources.extend(of_cell.map(|it| v1::Observation { series: chunk.series.clone(), ..it }));
    }
    Ok(Detail { vintages, sources })
}

/// Who made the commits up to one, and why.
async fn commits(client: Client, wanted: u64, events: Sender<Event>) {
    const PAGE: u32 = 100;
    let request =
        ListCommitsRequest { until_revision: wanted, newest_first: true, page_size: PAGE, ..ListCommitsRequest::default() };
    match client.list_commits(request).await {
        Ok(page) => _ = events.send(Event::Commits(page.commits)).await,
        Err(error) => tracing::debug!(%error, "the commits cannot be read"),
    }
}

/// Names and units, read anew when they change.
async fn catalog(client: Client, events: Sender<Event>) {
    // No figure is in the last year of the calendar.
    let nothing = ObservationFilter { start_period: "9999-12-31".to_owned(), ..ObservationFilter::default() };
    let start = Some(Start::Now(StartNow {}));
    let request = WatchRequest { filter: Some(nothing), start, include_catalog: true, ..WatchRequest::default() };
    let changes = client.watch(request).try_filter_map(|event| async move {
        Ok(match event {
            WatchEvent::Commit(commit) if !commit.catalog_changes.is_empty() => Some(()),
            WatchEvent::Reset { .. } => Some(()),
            _ => None,
        })
    });
    let mut changes = Box::pin(changes);
    while let Some(Ok(())) = changes.next().await {
        if let Ok(labels) = Labels::all(&client).await
            && events.send(Event::Catalog(labels)).await.is_err()
        {
            return;
        }
    }
}
