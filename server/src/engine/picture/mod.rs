//! What a watcher sees: the figures that a filter selects, and how each commit changes them.
//!
//! A [`Picture`] goes through the commits in their order and says of each what it changed in what is selected. Most of that is the
//! commit's own changes. The rest comes from the catalog: a region that moves takes figures into the selection or out of it,
//! and in the preferred picture another order of sources prefers other figures.

mod derived;
mod difference;
mod subject;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use indicator_proto::{Period, SeriesKey};
use roaring::RoaringBitmap;

use derived::Derived;
pub(super) use derived::Numbers;
pub use difference::Difference;
use subject::Subject;

use super::{
    CellChange, Commit, Error, Filter,
    catalog::{self, Catalog, Entry, View},
    shared::Shared,
};
use crate::store::{Kind, Version};

/// How the picture changed in one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// The commit made a version; in the preferred picture, it made another one preferred.
    Recorded(Kind),
    /// The figure stayed as it was, and now belongs to what is selected.
    Entered,
    /// The figure stayed as it was, and no longer belongs to what is selected.
    Left,
}

/// The place of a cell in the picture: its series, in the preferred picture the first of its subject, and its period.
pub(super) type Place = (u32, Period);

/// A change of one cell of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureChange {
    /// Which cell.
    pub place: (u32, Period),
    /// What happened.
    pub shift: Shift,
    /// The series of `version`.
    pub key: Arc<SeriesKey>,
    /// The new version; of a figure that left, the one that it had.
    pub version: Version,
    /// What the picture showed in the cell before, with its series.
    pub previous: Option<(Arc<SeriesKey>, Box<Version>)>,
}

impl PictureChange {
    /// What the picture shows in the cell after it.
    #[must_use]
    pub fn after(&self) -> Option<(&Arc<SeriesKey>, &Version)> {
        match self.shift {
            Shift::Left | Shift::Recorded(Kind::Deleted) => None,
            Shift::Recorded(Kind::Backfilled) => self.previous.as_ref().map(|(key, version)| (key, &**version)),
            Shift::Entered | Shift::Recorded(Kind::Inserted | Kind::Revised) => Some((&self.key, &self.version)),
        }
    }
}

/// The cells that a filter selects, as of one commit.
#[derive(Debug, Clone)]
pub struct Picture {
    filter: Filter,
    preferred: bool,
    revision: u64,
    /// Of the series below `known`, those that are selected.
    selected: RoaringBitmap,
    known: u32,
    derived: Derived,
}

impl Picture {
    /// The picture at a revision; `preferred` shows one source's figure a cell, else each source's.
    pub(super) fn at(shared: &Shared, filter: Filter, preferred: bool, revision: u64) -> Self {
        let catalog = shared.catalog.load();
        let index = shared.index();
        let (selected, known) = (filter.series(catalog.at(revision), &index), index.len());
        drop(index);
        let derived = Derived::at(shared, &filter, revision);
        Self { selected, known, derived, filter, preferred, revision }
    }

    /// The commit that it shows.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Goes on to the next commit, whose changes have their previous versions if the picture is the preferred one. Answers what it
    /// changed, by place.
    pub(super) fn advance(&mut self, shared: &Shared, commit: &Commit) -> Result<Vec<PictureChange>, Error> {
        let catalog = shared.catalog.load_full();
        let mut changes = Vec::new();
        if !commit.entries.is_empty() {
            let before = self.selected.clone();
            self.move_regions(shared, &catalog, commit, &mut changes)?;
            // What enters or leaves is told as that.
            let stays = before & &self.selected;
            self.reorder_sources(shared, &catalog, commit, &stays, &mut changes)?;
        }
        let view = catalog.at(commit.revision);
        for series in commit.series.iter().filter(|s| s.id >= self.known) {
            if self.filter.matches(view, &series.key) {
                self.selected.insert(series.id);
            }
        }
        self.known = self.known.max(commit.series.last().map_or(0, |s| s.id + 1));
        if self.preferred {
            self.prefer(shared, view, commit, &mut changes)?;
        } else {
            self.take(commit, &mut changes);
        }
        self.derived.advance(shared, &self.filter, commit, &mut changes)?;
        self.revision = commit.revision;
        changes.sort_by_key(|change| change.place);
        Ok(changes)
    }

    /// The commit's own changes, where each source has its series.
    fn take(&self, commit: &Commit, changes: &mut Vec<PictureChange>) {
        for series in commit.series.iter().filter(|s| self.selected.contains(s.id)) {
            let taken = series.changes.iter().filter(|c| self.filter.takes(c.version.period));
            changes.extend(taken.map(|c| PictureChange::recorded(series.id, &series.key, c)));
        }
    }

    /// What a commit changes in the preferred picture.
    fn prefer(&self, shared: &Shared, view: View<'_>, commit: &Commit, changes: &mut Vec<PictureChange>) -> Result<(), Error> {
        // Most subjects have one series, whose changes are those of the picture.
        let mut contested: BTreeMap<u32, Subject> = BTreeMap::new();
        for series in commit.series.iter().filter(|s| self.selected.contains(s.id)) {
            let subject = Subject::of(shared, view, series.id);
            if subject.is_uncontested() {
                let taken = series.changes.iter();
                let taken = taken.filter(|c| self.filter.takes(c.version.period) && c.version.kind != Kind::Backfilled);
                changes.extend(taken.map(|c| PictureChange::recorded(series.id, &series.key, c)));
            } else {
                contested.entry(subject.first()).or_insert(subject);
            }
        }
        for subject in contested.into_values() {
            subject.changes(shared, commit, |period| self.filter.takes(period), changes)?;
        }
        Ok(())
    }

    /// A region that was moved, or changed its level, takes its figures along.
    fn move_regions(
        &mut self,
        shared: &Shared,
        catalog: &Catalog,
        commit: &Commit,
        changes: &mut Vec<PictureChange>,
    ) -> Result<(), Error> {
        if !self.filter.depends_on_region_tree() || !commit.entries.iter().any(moves_regions) {
            return Ok(());
        }
        let (before, after) = (catalog.at(commit.revision - 1), catalog.at(commit.revision));
        let (selected, known) = {
            let index = shared.index();
            (self.filter.series(after, &index), index.len())
        };
        let (mut entered, left) = (&selected - &self.selected, &self.selected - &selected);
        // The index may know series that commits to come create; what they are about may have been selected all the time.
        entered.remove_range(self.known..);
        for (ids, view, shift) in [(entered, after, Shift::Entered), (left, before, Shift::Left)] {
            for (place, key, version) in self.cells(shared, view, &ids, commit.revision)? {
                let previous = (shift == Shift::Left).then(|| (Arc::clone(&key), Box::new(version.clone())));
                changes.push(PictureChange { place, shift, key, version, previous });
            }
        }
        (self.selected, self.known) = (selected, known);
        Ok(())
    }

    /// Another order of sources prefers other figures, among the series that are selected before and after.
    fn reorder_sources(
        &self,
        shared: &Shared,
        catalog: &Catalog,
        commit: &Commit,
        stays: &RoaringBitmap,
        changes: &mut Vec<PictureChange>,
    ) -> Result<(), Error> {
        if !self.preferred {
            return Ok(());
        }
        let mut affected = RoaringBitmap::new();
        for change in &commit.entries {
            match reordered(change) {
                Some(Reordered::Source(id)) => affected |= shared.index().of_sources([id]),
                Some(Reordered::Indicator(id)) => affected |= shared.index().of_indicators([id]),
                None => {}
            }
        }
        affected &= stays;
        if affected.is_empty() {
            return Ok(());
        }
        let [before, after] = [commit.revision - 1, commit.revision].map(|r| catalog.at(r));
        let before = self.cells(shared, before, &affected, commit.revision)?;
        let mut before: BTreeMap<Place, _> = before.into_iter().map(|(place, key, v)| (place, (key, v))).collect();
        for (place, key, version) in self.cells(shared, after, &affected, commit.revision)? {
            let previous = before.remove(&place);
            if previous.as_ref().is_some_and(|(before, v)| *before == key && v.revision == version.revision) {
                continue;
            }
            let previous = previous.map(|(key, version)| (key, Box::new(version)));
            changes.push(PictureChange { place, shift: Shift::Recorded(Kind::Revised), key, version, previous });
        }
        Ok(())
    }

    /// The figures of series, as the picture shows them at a revision with a catalog.
    fn cells(
        &self,
        shared: &Shared,
        view: View<'_>,
        series: &RoaringBitmap,
        revision: u64,
    ) -> Result<Vec<(Place, Arc<SeriesKey>, Version)>, Error> {
        let mut cells = Vec::new();
        for place in self.places(shared, series) {
            let shown = self.shown(shared, view, place, revision)?.into_iter().filter(|(_, v)| !v.figure.is_withdrawn());
            cells.extend(shown.map(|(key, version)| ((place, version.period), key, version)));
        }
        Ok(cells)
    }

    /// The cells of a place, withdrawn ones too, at a revision with a catalog.
    fn shown(&self, shared: &Shared, view: View<'_>, place: u32, revision: u64) -> Result<Vec<(Arc<SeriesKey>, Version)>, Error> {
        if is_derived(place) {
            return derived::shown(shared, &self.filter, place, revision);
        }
        let mut cells = if self.preferred {
            Subject::of(shared, view, place).cells(shared, revision)?
        } else {
            let key = Arc::clone(shared.index().key(place));
            let state = shared.state_uncached(place, revision)?;
            state.cells().iter().map(|version| (Arc::clone(&key), version.clone())).collect()
        };
        cells.retain(|(_, version)| self.filter.takes(version.period));
        Ok(cells)
    }

    /// Whether a place is selected.
    fn shows(&self, place: u32) -> bool {
        self.selected.contains(place) || self.derived.places.contains(place)
    }

    /// Everything that is selected.
    fn everything(&self) -> RoaringBitmap {
        &self.selected | &self.derived.places
    }

    /// Series as places: in the preferred picture, the first of each subject.
    fn places(&self, shared: &Shared, series: &RoaringBitmap) -> RoaringBitmap {
        if !self.preferred {
            return series.clone();
        }
        let index = shared.index();
        let place = |id: u32| match is_derived(id) {
            true => Some(id),
            false => index.same_subject(index.key(id)).first().copied(),
        };
        series.iter().filter_map(place).collect()
    }
}

/// Whether a place is that of a derived line.
fn is_derived(place: u32) -> bool {
    place >= derived::FIRST
}

impl PictureChange {
    /// A change as its commit made it.
    fn recorded(place: u32, key: &Arc<SeriesKey>, change: &CellChange) -> Self {
        let version = change.version.clone();
        Self {
            place: (place, version.period),
            shift: Shift::Recorded(version.kind),
            key: Arc::clone(key),
            previous: change.previous.clone().map(|previous| (Arc::clone(key), previous)),
            version,
        }
    }
}

/// Whether a change of the catalog can change what lies below a region, or on a level.
fn moves_regions(change: &catalog::Change) -> bool {
    match change {
        catalog::Change::Revised(Entry::Region(before), Entry::Region(after)) => {
            (&before.parent, &before.level) != (&after.parent, &after.level)
        }
        // Nothing lies in a new region yet; but a picture of the past knows series that come later.
        catalog::Change::Inserted(Entry::Region(_)) => true,
        _ => false,
    }
}

/// Whose figures are preferred in another order.
enum Reordered<'a> {
    Source(&'a str),
    Indicator(&'a str),
}

fn reordered(change: &catalog::Change) -> Option<Reordered<'_>> {
    match change {
        catalog::Change::Revised(Entry::Source(before), Entry::Source(after)) => {
            (before.precedence != after.precedence).then_some(Reordered::Source(&after.id))
        }
        catalog::Change::Revised(Entry::Indicator(before), Entry::Indicator(after)) => {
            (before.source_order != after.source_order).then_some(Reordered::Indicator(&after.id))
        }
        _ => None,
    }
}
