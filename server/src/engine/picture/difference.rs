//! Two pictures compared: what changed between two revisions, without going through the commits between them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use indicator_proto::{Period, SeriesKey};
use roaring::RoaringBitmap;

use super::{Picture, PictureChange, Shift, Subject, is_derived};
use crate::{
    engine::{Error, shared::Shared},
    store::{Kind, Version},
};

/// How a picture differs from what it was at an earlier revision, place by place. A withdrawal since then is told in any case, also
/// of a figure that was not there then.
#[derive(Debug)]
pub struct Difference {
    before: Picture,
    after: Picture,
    /// Places that are still to be compared.
    places: VecDeque<u32>,
}

impl Difference {
    /// Of the picture that a filter selects, between two revisions.
    pub(in crate::engine) fn new(shared: &Shared, picture: &Picture, from: u64) -> Self {
        let before = Picture::at(shared, picture.filter.clone(), picture.preferred, from);
        let series: RoaringBitmap = before.everything() | picture.everything();
        let places = before.places(shared, &series).into_iter().collect();
        Self { before, after: picture.clone(), places }
    }

    /// The revision that it leads to.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.after.revision
    }

    /// The differences in the next places, at least `enough` of them unless there are no more. Empty at the end. Blocks.
    pub(in crate::engine) fn next(&mut self, shared: &Shared, enough: usize) -> Result<Vec<PictureChange>, Error> {
        let mut changes = Vec::new();
        while changes.len() < enough {
            let Some(place) = self.places.pop_front() else { break };
            self.compare(shared, place, &mut changes)?;
        }
        Ok(changes)
    }

    /// How many cells differ, and how many figures the picture has. Blocks.
    pub(in crate::engine) fn weigh(&self, shared: &Shared) -> Result<(u64, u64), Error> {
        let catalog = shared.catalog.load_full();
        let (mut different, mut all) = (0, 0);
        let mut changes = Vec::new();
        for &place in &self.places {
            self.compare(shared, place, &mut changes)?;
            different += changes.len() as u64;
            changes.clear();
            if self.after.shows(place) {
                let shown = self.after.shown(shared, catalog.at(self.after.revision), place, self.after.revision)?;
                all += shown.iter().filter(|(_, v)| !v.figure.is_withdrawn()).count() as u64;
            }
        }
        Ok((different, all))
    }

    fn compare(&self, shared: &Shared, place: u32, changes: &mut Vec<PictureChange>) -> Result<(), Error> {
        let (was, is) = (self.before.shows(place), self.after.shows(place));
        if was && is && !self.may_differ(shared, place)? {
            return Ok(());
        }
        let catalog = shared.catalog.load_full();
        let (from, to) = (self.before.revision, self.after.revision);
        let mut before: BTreeMap<Period, (Arc<SeriesKey>, Version)> = BTreeMap::new();
        if was {
            let shown = self.before.shown(shared, catalog.at(from), place, from)?.into_iter();
            before.extend(shown.filter(|(_, v)| !v.figure.is_withdrawn()).map(|(key, v)| (v.period, (key, v))));
        }
        if is {
            for (key, version) in self.after.shown(shared, catalog.at(to), place, to)? {
                let previous = before.remove(&version.period);
                // A derived figure may change without a new version of an operand: by its formula.
                let same = previous.as_ref().is_some_and(|(k, v)| *k == key && *v == version);
                let recent = version.revision > from;
                let shift = match (version.figure.is_withdrawn(), &previous) {
                    (true, previous) if recent || previous.is_some() => Shift::Recorded(Kind::Deleted),
                    (false, Some(_)) if !same => Shift::Recorded(Kind::Revised),
                    (false, None) if recent || was => Shift::Recorded(Kind::Inserted),
                    (false, None) => Shift::Entered,
                    _ => continue,
                };
                changes.push(change(place, shift, key, version, previous));
            }
        }
        // What is left was shown, and is selected no more.
        changes.extend(before.into_values().map(|(key, version)| {
            let previous = Some((Arc::clone(&key), version.clone()));
            change(place, Shift::Left, key, version, previous)
        }));
        Ok(())
    }

    /// Whether anything was recorded in the place since, or its sources are in another order.
    fn may_differ(&self, shared: &Shared, place: u32) -> Result<bool, Error> {
        let touched = |id: u32| -> Result<bool, Error> {
            let last = match shared.index().last_revision(id) {
                Some(last) if last <= self.after.revision => last,
                _ => shared.store.last_revision(id, self.after.revision)?,
            };
            Ok(last > self.before.revision)
        };
        if is_derived(place) {
            return Ok(true);
        }
        if !self.after.preferred {
            return touched(place);
        }
        let catalog = shared.catalog.load_full();
        let [before, after] = [&self.before, &self.after].map(|p| Subject::of(shared, catalog.at(p.revision), place));
        if before.ranks() != after.ranks() {
            return Ok(true);
        }
        for id in after.ids() {
            if touched(*id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn change(
    place: u32,
    shift: Shift,
    key: Arc<SeriesKey>,
    version: Version,
    previous: Option<(Arc<SeriesKey>, Version)>,
) -> PictureChange {
    let previous = previous.map(|(key, version)| (key, Box::new(version)));
    PictureChange { place: (place, version.period), shift, key, version, previous }
}
