//! Derived indicators in the picture: their cells change when a figure does that they are made of, and when the catalog changes what
//! they are made of and how.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use indicator_proto::{Period, SeriesKey};
use roaring::RoaringBitmap;

use super::{PictureChange, Shift};
use crate::{
    engine::{
        Commit, Error, Filter, Moment,
        analysis::{Reading, derived},
        shared::Shared,
    },
    store::{Figure, Kind, Version},
};

/// The first number of a derived line. Memory ends long before there are as many series.
pub(super) const FIRST: u32 = 1 << 31;

/// Numbers of derived lines, as series have them, from [`FIRST`] on. They are not stored: a number holds for as long as the server runs.
#[derive(Debug, Default)]
pub(in crate::engine) struct Numbers {
    numbers: HashMap<Arc<SeriesKey>, u32>,
    keys: Vec<Arc<SeriesKey>>,
}

impl Numbers {
    /// The number of a line.
    fn of(&mut self, key: &Arc<SeriesKey>) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = FIRST + u32::try_from(self.keys.len()).expect("there are fewer lines than series");
        self.keys.push(Arc::clone(key));
        self.numbers.insert(Arc::clone(key), number);
        number
    }

    fn key(&self, number: u32) -> Arc<SeriesKey> {
        Arc::clone(&self.keys[(number - FIRST) as usize])
    }
}

/// The lines of derived indicators that a filter selects, as of one commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Derived {
    /// Their numbers.
    pub(super) places: RoaringBitmap,
    /// For each recorded indicator, the derived ones that it is behind.
    behind: BTreeMap<String, BTreeSet<String>>,
}

impl Derived {
    pub(super) fn at(shared: &Shared, filter: &Filter, revision: u64) -> Self {
        let mut behind: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let reading = reading(shared, revision);
        for id in filter.indicators.iter().filter(|id| derived::formula(reading.catalog(), id).is_some()) {
            for leaf in derived::leaves(reading.catalog(), id) {
                behind.entry(leaf).or_default().insert(id.clone());
            }
        }
        if behind.is_empty() {
            return Self::default();
        }
        let keys: Vec<Arc<SeriesKey>> = reading.derived_keys(filter);
        let places = shared.number(|numbers| keys.iter().map(|key| numbers.of(key)).collect());
        Self { places, behind }
    }

    /// Goes on to the next commit.
    pub(super) fn advance(
        &mut self,
        shared: &Shared,
        filter: &Filter,
        commit: &Commit,
        changes: &mut Vec<PictureChange>,
    ) -> Result<(), Error> {
        if filter.indicators.is_empty() || (self.behind.is_empty() && commit.entries.is_empty()) {
            return Ok(());
        }
        let before = self.places.clone();
        let affected = if commit.entries.is_empty() {
            let touched = self.touched(shared, filter, commit);
            self.places |= &touched;
            touched
        } else {
            // Formulas, the order of sources, the tree of regions: whatever it was, both pictures are compared whole.
            *self = Self::at(shared, filter, commit.revision);
            &before | &self.places
        };
        for place in affected {
            let selected = (before.contains(place), self.places.contains(place));
            compare(shared, filter, commit, place, selected, changes)?;
        }
        Ok(())
    }

    /// The lines whose operands a commit changed.
    fn touched(&self, shared: &Shared, filter: &Filter, commit: &Commit) -> RoaringBitmap {
        let catalog = shared.catalog.load();
        let view = catalog.at(commit.revision);
        let mut keys: BTreeSet<Arc<SeriesKey>> = BTreeSet::new();
        for series in &commit.series {
            let Some(derived) = self.behind.get(&series.key.indicator) else { continue };
            let filter = Filter { indicators: BTreeSet::new(), ..filter.clone() };
            if filter.matches(view, &series.key) {
                let line = |indicator: &String| SeriesKey {
                    indicator: indicator.clone(),
                    source: String::new(),
                    ..SeriesKey::clone(&series.key)
                };
                keys.extend(derived.iter().map(line).map(Arc::new));
            }
        }
        shared.number(|numbers| keys.iter().map(|key| numbers.of(key)).collect())
    }
}

/// The figures of a derived line, as the picture shows them at a revision.
pub(super) fn shown(
    shared: &Shared,
    filter: &Filter,
    place: u32,
    revision: u64,
) -> Result<Vec<(Arc<SeriesKey>, Version)>, Error> {
    let key = shared.number(|numbers| numbers.key(place));
    let versions = reading(shared, revision).derived_versions(&key, &filter.sources)?;
    let taken = versions.into_iter().filter(|version| filter.takes(version.period));
    Ok(taken.map(|version| (Arc::clone(&key), version)).collect())
}

fn reading(shared: &Shared, revision: u64) -> Reading<'_> {
    Reading::new(shared, Moment { revision, published_at: None })
}

/// What a commit changed in a line, which was and is selected or not.
fn compare(
    shared: &Shared,
    filter: &Filter,
    commit: &Commit,
    place: u32,
    (was, is): (bool, bool),
    changes: &mut Vec<PictureChange>,
) -> Result<(), Error> {
    let cells = |revision| -> Result<BTreeMap<Period, (Arc<SeriesKey>, Version)>, Error> {
        Ok(shown(shared, filter, place, revision)?.into_iter().map(|(key, v)| (v.period, (key, v))).collect())
    };
    let (mut before, after) = (cells(commit.revision - 1)?, cells(commit.revision)?);
    let mut push = |shift, key: Arc<SeriesKey>, version: Version, previous: Option<(Arc<SeriesKey>, Version)>| {
        let previous = previous.map(|(key, version)| (key, Box::new(version)));
        changes.push(PictureChange { place: (place, version.period), shift, key, version, previous });
    };
    if is {
        for (period, (key, version)) in after {
            let recorded = before.remove(&period);
            let same = recorded.as_ref().is_some_and(|(_, before)| *before == version);
            let previous = recorded.filter(|_| was);
            let shift = match (was, same) {
                (true, true) => continue,
                (true, false) if previous.is_some() => Shift::Recorded(Kind::Revised),
                (false, true) => Shift::Entered,
                _ => Shift::Recorded(Kind::Inserted),
            };
            push(shift, key, version, previous);
        }
        if was {
            for (key, version) in before.into_values() {
                let gone = withdrawn(commit, version.period);
                push(Shift::Recorded(Kind::Deleted), Arc::clone(&key), gone, Some((key, version)));
            }
        }
    } else if was {
        for (key, version) in before.into_values() {
            push(Shift::Left, Arc::clone(&key), version.clone(), Some((key, version)));
        }
    }
    Ok(())
}

/// There is nothing more to compute the cell of since a commit.
fn withdrawn(commit: &Commit, period: Period) -> Version {
    Version {
        period,
        kind: Kind::Deleted,
        published_at: commit.time,
        recorded_at: commit.time,
        revision: commit.revision,
        figure: Figure::withdrawn(),
    }
}
