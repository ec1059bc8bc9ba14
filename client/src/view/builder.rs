//! How a view is set up.

use std::{fmt, time::Duration};

use indicator_proto::v1::{ObservationFilter, WatchMode, WatchRequest};

use super::{OnChange, View, ViewChange};
use crate::Client;

/// The longest that a view is in doubt whether it has everything: how long [`View::reached`] waits for a revision that brings nothing.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Sets up a [`View`].
pub struct ViewBuilder {
    client: Client,
    request: WatchRequest,
    on_change: OnChange,
}

impl ViewBuilder {
    pub(crate) fn new(client: Client, filter: ObservationFilter) -> Self {
        let request = WatchRequest {
            filter: Some(filter),
            mode: WatchMode::Latest.into(),
            progress_interval: prost_types::Duration::try_from(PROGRESS_INTERVAL).ok(),
            ..WatchRequest::default()
        };
        Self { client, request, on_change: Box::new(|_| {}) }
    }

    /// One figure a cell, that of the preferred source; without this every source has its own series.
    #[must_use]
    pub fn preferred(mut self) -> Self {
        self.request.preferred = true;
        self
    }

    /// At most one delivery in this time.
    #[must_use]
    pub fn min_interval(mut self, interval: Duration) -> Self {
        self.request.min_interval = prost_types::Duration::try_from(interval).ok();
        self
    }

    /// Called with each change, in their order, in the view's task: it must not block. At first each figure is new; when the watch
    /// had to start again with a snapshot, only what really differs is a change.
    #[must_use]
    pub fn on_change(mut self, on_change: impl FnMut(&ViewChange) + Send + 'static) -> Self {
        self.on_change = Box::new(on_change);
        self
    }

    /// Starts the view; within a tokio runtime only. It connects by itself: wait with [`View::ready`].
    pub fn open(self) -> View {
        let preferred = self.request.preferred;
        View::open(self.client.watch(self.request), preferred, self.on_change)
    }
}

impl fmt::Debug for ViewBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewBuilder").field("request", &self.request).finish_non_exhaustive()
    }
}
