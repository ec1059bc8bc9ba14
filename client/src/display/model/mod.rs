//! The state of the display: what it shows, and what it wants to be told. It does no I/O and knows no clock but the one it is told.
//!
//! Events of the server come in by [`Model::heed`], what the user does by [`Model::act`]; [`Model::wants`] says what has to be followed
//! for what is shown.

mod act;
mod changes;
mod heed;
mod ranking;
mod scope;
mod series;
mod table;

use std::{collections::BTreeMap, mem};

use indicator_client::{WatchState, view::ViewChange};
use indicator_proto::{
    SeriesKey, Time,
    v1::{Observation, RegionSelection, Unit, Vintage},
    words::Language,
};

pub(crate) use self::{
    act::Action,
    changes::{Changes, Entry},
    heed::Event,
    ranking::{Moved, Standing},
    scope::Scope,
    series::{Point, Series, extent, height},
    table::{Column, Order, Row, RowKey, series_name},
};
use crate::catalog::Labels;

/// How long a row is lit up after a change, in microseconds.
const FLASH: i64 = 1_500_000;

/// How long a message stays, in microseconds.
const MESSAGE: i64 = 6_000_000;

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Pane {
    /// The figures.
    Table,
    /// One series over time.
    Chart,
    /// Regions in order.
    Ranking,
    /// What has changed.
    Changes,
    /// Everything about one figure.
    Detail,
}

impl Pane {
    /// In the order of the Tab key.
    pub(crate) const ALL: [Self; 5] = [Self::Table, Self::Chart, Self::Ranking, Self::Changes, Self::Detail];
}

/// What is known of one figure beyond the figure.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Detail {
    /// Every version that it had, newest first.
    pub(crate) vintages: Vec<Vintage>,
    /// What each source says of the cell.
    pub(crate) sources: Vec<Observation>,
}

/// A cell whose detail is wanted, as of a version of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DetailKey {
    /// The series.
    pub(crate) series: SeriesKey,
    /// The period.
    pub(crate) period: String,
    /// The commit that made the figure what it is: a change asks for the detail anew.
    pub(crate) revision: u64,
}

/// How the connection is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Link {
    /// As the view says.
    pub(crate) state: WatchState,
    /// Since when there has been no connection.
    pub(crate) lost_since: Option<Time>,
    /// How often it has come back.
    pub(crate) comebacks: u64,
    /// What ended it for good, and how to mend that: lines.
    pub(crate) ended: Option<String>,
}

/// What has to be followed for what is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wants {
    /// The figures.
    pub(crate) scope: Scope,
    /// The ranking.
    pub(crate) ranking: Option<RegionSelection>,
    /// The detail.
    pub(crate) detail: Option<DetailKey>,
    /// The commit of which who and why is not known.
    pub(crate) commit: Option<u64>,
    /// How often the connection has come back: what was asked for meanwhile is asked for again.
    pub(crate) comebacks: u64,
}

/// What has come while updates are paused.
#[derive(Debug, Default)]
pub(crate) struct Held {
    picture: Option<(Vec<Series>, u64)>,
    changes: Vec<ViewChange>,
    /// How many figures have changed.
    pub(crate) count: u64,
}

/// The state.
#[derive(Debug)]
pub(crate) struct Model {
    /// Names and units.
    pub(crate) catalog: Labels,
    /// Of words and names.
    pub(crate) language: Language,
    /// Where the figures come from.
    pub(crate) server: String,
    /// What is shown is the last; the others are what was gone through.
    pub(crate) scopes: Vec<Scope>,
    picture: Option<Vec<Series>>,
    /// The rows as they are shown.
    pub(crate) rows: Vec<Row>,
    /// The row under the cursor.
    pub(crate) selected: usize,
    /// Where the cursor was in the scopes gone through.
    trail: Vec<RowKey>,
    /// A row to put the cursor on as soon as it is there.
    sought: Option<RowKey>,
    /// The pane that has the keys.
    pub(crate) focus: Pane,
    /// How far panes are scrolled.
    pub(crate) scrolled: BTreeMap<Pane, usize>,
    /// The order of rows.
    pub(crate) order: Order,
    /// Only rows with this text.
    pub(crate) filter: String,
    /// The text is being typed.
    pub(crate) typing: bool,
    /// The keys are explained.
    pub(crate) help: bool,
    /// The connection.
    pub(crate) link: Link,
    /// The state of the record that is shown.
    pub(crate) revision: u64,
    /// When anything last changed.
    pub(crate) last_change: Option<Time>,
    flashes: BTreeMap<SeriesKey, Time>,
    /// What has changed.
    pub(crate) changes: Changes,
    /// The ranking of the row under the cursor.
    pub(crate) standing: Option<Standing>,
    detail: Option<(DetailKey, Detail)>,
    /// Updates wait.
    pub(crate) paused: Option<Held>,
    message: Option<(String, Time)>,
    /// The time.
    pub(crate) now: Time,
}

impl Model {
    /// Before anything is known but names.
    pub(crate) fn new(scope: Scope, catalog: Labels, language: Language, server: String, now: Time) -> Self {
        Self {
            catalog,
            language,
            server,
            scopes: vec![scope],
            picture: None,
            rows: Vec::new(),
            selected: 0,
            trail: Vec::new(),
            sought: None,
            focus: Pane::Table,
            scrolled: BTreeMap::new(),
            order: Order::default(),
            filter: String::new(),
            typing: false,
            help: false,
            link: Link { state: WatchState::Connecting { attempt: 1 }, lost_since: None, comebacks: 0, ended: None },
            revision: 0,
            last_change: None,
            flashes: BTreeMap::new(),
            changes: Changes::default(),
            standing: None,
            detail: None,
            paused: None,
            message: None,
            now,
        }
    }

    /// What is shown.
    pub(crate) fn scope(&self) -> &Scope {
        self.scopes.last().expect("a scope is always left")
    }

    /// Whether there is a picture.
    pub(crate) fn ready(&self) -> bool {
        self.picture.is_some()
    }

    /// The row under the cursor.
    pub(crate) fn row(&self) -> Option<&Row> {
        self.rows.get(self.selected)
    }

    /// The series under the cursor.
    pub(crate) fn series(&self) -> Option<&Series> {
        self.row().and_then(Row::series)
    }

    /// What is known of the figure under the cursor, once it has come.
    pub(crate) fn detail(&self) -> Option<&Detail> {
        let key = self.detail_key()?;
        let (of, detail) = self.detail.as_ref()?;
        // While the detail of a new version is on its way, that of the one before stays.
        (of.series == key.series && of.period == key.period).then_some(detail)
    }

    /// Whether a row has just changed.
    pub(crate) fn is_lit(&self, key: &SeriesKey) -> bool {
        self.flashes.contains_key(key)
    }

    /// What there is to tell the user.
    pub(crate) fn message(&self) -> Option<&str> {
        self.message.as_ref().map(|(text, _)| text.as_str())
    }

    /// Tells the user something, for a while.
    pub(crate) fn tell(&mut self, text: String) {
        self.message = Some((text, self.now));
    }

    /// The unit of a series.
    pub(crate) fn unit_of(&self, key: &SeriesKey) -> Option<&Unit> {
        self.catalog.unit_of(&key.indicator)
    }

    /// What has to be followed.
    pub(crate) fn wants(&self) -> Wants {
        Wants {
            scope: self.scope().clone(),
            ranking: self.selection(),
            detail: self.detail_key(),
            commit: self.changes.unknown(),
            comebacks: self.link.comebacks,
        }
    }

    /// Which ranking belongs to the row under the cursor: its region among its peers.
    fn selection(&self) -> Option<RegionSelection> {
        let key = &self.series()?.key;
        let region = self.catalog.region(&key.region)?;
        Some(RegionSelection {
            indicator: key.indicator.clone(),
            level: region.level.clone(),
            under: region.parent.clone(),
            dimensions: key.dimensions.clone(),
            sources: self.scope().filter.sources.clone(),
            ..RegionSelection::default()
        })
    }

    fn detail_key(&self) -> Option<DetailKey> {
        let series = self.series()?;
        let (period, figure) = series.latest();
        Some(DetailKey { series: series.key.clone(), period: period.to_string(), revision: figure.revision })
    }

    /// Makes the rows anew; the cursor stays on its row.
    fn arrange(&mut self) {
        let key = self.sought.clone().or_else(|| self.row().map(Row::key));
        let picture = mem::take(&mut self.picture);
        if let Some(picture) = &picture {
            let scope = self.scopes.last().expect("a scope is always left");
            self.rows = table::rows(picture, scope, &self.catalog, &self.filter, self.order, self.language);
        } else {
            self.rows.clear();
        }
        self.picture = picture;
        let place = key.and_then(|key| self.rows.iter().position(|row| row.key() == key));
        if place.is_some() {
            self.sought = None;
        }
        self.selected = place.unwrap_or(self.selected).min(self.rows.len().saturating_sub(1));
        self.select(self.selected);
    }

    /// Puts the cursor on a row.
    fn select(&mut self, row: usize) {
        let before = self.standing.as_ref().map(|standing| standing.selection.clone());
        self.selected = row.min(self.rows.len().saturating_sub(1));
        let wanted = self.selection();
        if before != wanted {
            self.standing = wanted.map(Standing::of);
            self.scrolled.remove(&Pane::Ranking);
        }
    }
}

#[cfg(test)]
mod tests;
