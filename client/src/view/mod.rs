//! A view: the current figures of a selection, always at hand.
//!
//! A task of its own reads a [`Watch`] in LATEST mode. `apply` turns its events into states, each of one revision of the record,
//! and says how they differ; this file publishes them and lets callers wait for them.

mod apply;
mod builder;
mod figures;

use std::{fmt, sync::Arc};

use indicator_proto::{SeriesKey, v1::Observation};
use tokio::{
    sync::watch::{Receiver, Sender},
    task::AbortHandle,
};

use self::apply::{Reader, Update};
pub use self::{
    apply::ViewChange,
    builder::ViewBuilder,
    figures::{Cell, Figures},
};
use crate::{Error, Watch, WatchEvent, WatchState};

/// The current figures that a filter selects, kept up to date by a task of its own, across disconnects and restarts of the server.
///
/// Clones share one state and one connection; when the last of them is dropped, the task ends. Whoever reads sees whole
/// commits only, never the half of one, and never a state that is being replaced: should the watch have to start again with a
/// snapshot, the old state stays until the new one is complete.
///
/// ```no_run
/// use indicator_client::Client;
/// use indicator_proto::{SeriesKey, v1::{ObservationFilter, WriteObservationsRequest}};
///
/// # async fn show(client: Client, write: WriteObservationsRequest) -> Result<(), indicator_client::Error> {
/// let filter = ObservationFilter { regions: vec!["CN-SD".to_owned()], ..ObservationFilter::default() };
/// let mut view = client
///     .view(filter)
///     .preferred()
///     .on_change(|change| println!("{}: {:?} -> {:?}", change.cell, change.old, change.new))
///     .open();
/// view.ready().await?;
///
/// // One figure; all of them, as of one revision.
/// let series = SeriesKey { indicator: "5g-base-stations".to_owned(), region: "CN-SD".to_owned(), ..SeriesKey::default() };
/// println!("{:?}", view.get(&series, "2021-12-06"));
/// if let Some(figures) = view.figures() {
///     println!("{} figures at revision {}", figures.len(), figures.revision());
/// }
///
/// // Read what one has written.
/// let written = client.write_observations(write).await?;
/// view.reached(written.revision).await?;
///
/// // Draw again whenever there is something new.
/// loop {
///     view.changed().await?;
///     println!("{:?}", view.state());
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct View {
    published: Receiver<Published>,
    preferred: bool,
    /// What [`View::changed`] has answered for.
    seen: u64,
    _task: Arc<Task>,
}

/// What every clone of a view sees.
#[derive(Debug)]
struct Published {
    state: WatchState,
    figures: Option<Figures>,
    /// The figures are void: a snapshot is on its way, perhaps of another history.
    void: bool,
    error: Option<Error>,
    /// Grows when there is something new to see.
    version: u64,
}

/// Ends the task with the last clone.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl View {
    fn open(watch: Watch, preferred: bool, on_change: OnChange) -> Self {
        let state = watch.state();
        let first = Published { state, figures: None, void: false, error: None, version: 0 };
        let (publish, published) = tokio::sync::watch::channel(first);
        let task = tokio::spawn(drive(watch, preferred, on_change, publish)).abort_handle();
        Self { published, preferred, seen: 0, _task: Arc::new(Task(task)) }
    }

    /// The current figure of a cell; in the preferred picture, whichever source `series` names. `None` if there is none, or as
    /// long as the view is not ready.
    pub fn get(&self, series: &SeriesKey, period: &str) -> Option<Arc<Observation>> {
        let published = self.published.borrow();
        let figures = published.figures.as_ref()?;
        if self.preferred && !series.source.is_empty() {
            return figures.get(&SeriesKey { source: String::new(), ..series.clone() }, period).cloned();
        }
        figures.get(series, period).cloned()
    }

    /// All figures, as of one revision. `None` as long as the view is not ready. Cheap: nothing is copied.
    pub fn figures(&self) -> Option<Figures> {
        self.published.borrow().figures.clone()
    }

    /// How the watch behind the view is.
    pub fn state(&self) -> WatchState {
        if self.error().is_some() { WatchState::Ended } else { self.published.borrow().state }
    }

    /// The error that has ended the view. The figures that it had stay.
    pub fn error(&self) -> Option<Error> {
        // Asked first: an error is published before the task goes.
        let gone = self.published.has_changed().is_err();
        self.published.borrow().error.clone().or_else(|| gone.then(panicked))
    }

    /// Waits for the first complete state; an error if the view has ended.
    pub async fn ready(&self) -> Result<(), Error> {
        self.until(|published| published.figures.is_some()).await
    }

    /// Waits until the view shows everything up to a revision, for example that of an own write; an error if the view has ended.
    pub async fn reached(&self, revision: u64) -> Result<(), Error> {
        let shows = |figures: &Figures| figures.revision() >= revision;
        self.until(|published| !published.void && published.figures.as_ref().is_some_and(shows)).await
    }

    /// Waits until there is something new since the last time that this was asked of this clone: other figures or another
    /// [`View::state`]. An error if the view has ended.
    pub async fn changed(&mut self) -> Result<(), Error> {
        let seen = self.seen;
        self.until(|published| published.version != seen).await?;
        self.seen = self.published.borrow().version;
        Ok(())
    }

    async fn until(&self, is_met: impl Fn(&Published) -> bool) -> Result<(), Error> {
        let mut published = self.published.clone();
        let met = published.wait_for(|published| is_met(published) || published.error.is_some()).await.map_err(|_| panicked())?;
        match &met.error {
            Some(error) if !is_met(&met) => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

/// Why a task is gone that has told no error: of what runs in it, only the callback is not our own.
fn panicked() -> Error {
    Error::Cut { what: "the view", cause: Some("its change callback has panicked".to_owned()) }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.figures();
        f.debug_struct("View")
            .field("state", &self.state())
            .field("revision", &figures.as_ref().map(Figures::revision))
            .field("figures", &figures.as_ref().map(Figures::len))
            .finish_non_exhaustive()
    }
}

/// Called with each change, in order.
type OnChange = Box<dyn FnMut(&ViewChange) + Send>;

async fn drive(mut watch: Watch, preferred: bool, mut on_change: OnChange, publish: Sender<Published>) {
    let mut reader = Reader::new(preferred);
    while let Some(event) = watch.next().await {
        let state = watch.state();
        // Before readers have to wait: two states are compared here, and the old one goes when they wait no more.
        let old = publish.borrow().figures.clone().filter(|_| matches!(event, Ok(WatchEvent::SnapshotEnd { .. })));
        let update = event.map(|event| reader.read(event, || old.clone()));
        let mut changes = Vec::new();
        publish.send_if_modified(|published| {
            let (was, void) = (published.state, published.void);
            published.state = state;
            let mut moved = false;
            match update {
                Ok(Update::Keep) => {}
                Ok(Update::Void) => published.void = true,
                Ok(Update::Reach(revision)) => {
                    published.figures.iter_mut().for_each(|figures| figures.reach(revision));
                    moved = true;
                }
                Ok(Update::Commit(commit)) => {
                    changes = published.figures.as_mut().map(|seen| reader.follow(seen, commit)).unwrap_or_default();
                    moved = true;
                }
                Ok(Update::Swap(figures, differences)) => {
                    // The first figures are news, also if there are none.
                    published.version += u64::from(published.figures.is_none());
                    (published.figures, published.void) = (Some(figures), false);
                    changes = differences;
                    moved = true;
                }
                Err(error) => published.error = Some(error),
            }
            published.version += u64::from(was != state || !changes.is_empty());
            moved || was != state || void != published.void
        });
        drop(old);
        // After it can be seen: a callback that looks into the view finds the new figure there.
        changes.iter().for_each(&mut on_change);
    }
}

#[cfg(test)]
mod tests;
