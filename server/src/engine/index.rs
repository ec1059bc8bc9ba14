use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use indicator_proto::{SeriesKey, v1::EntryKind};
use roaring::RoaringBitmap;

use super::catalog::Usage;

/// Series of the same indicator, region and dimensions: what several sources say of the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Subject {
    indicator: String,
    region: String,
    dimensions: Vec<(String, String)>,
}

/// The series dictionary, and for each thing a series is named by, the set of series that are. It only grows, so it needs no
/// versions: a series without blocks at a revision has nothing to show there.
#[derive(Debug, Default)]
pub struct SeriesIndex {
    keys: Vec<Arc<SeriesKey>>,
    ids: HashMap<Arc<SeriesKey>, u32>,
    indicators: HashMap<String, RoaringBitmap>,
    regions: HashMap<String, RoaringBitmap>,
    sources: HashMap<String, RoaringBitmap>,
    codes: HashMap<(String, String), RoaringBitmap>,
    subjects: HashMap<Subject, Vec<u32>>,
    /// Units that published equivalents are in.
    equivalent_units: HashSet<String>,
    /// The last commit that touched each series; 0 while unknown.
    last_revisions: Vec<AtomicU64>,
}

impl SeriesIndex {
    /// Adds the next series.
    ///
    /// # Panics
    ///
    /// If the series is there already: the caller has looked.
    pub fn insert(&mut self, key: SeriesKey) -> u32 {
        let id = u32::try_from(self.keys.len()).expect("memory ends before four thousand million series");
        self.indicators.entry(key.indicator.clone()).or_default().insert(id);
        self.regions.entry(key.region.clone()).or_default().insert(id);
        self.sources.entry(key.source.clone()).or_default().insert(id);
        let dimensions: Vec<(String, String)> = key.dimensions.iter().map(|(d, c)| (d.clone(), c.clone())).collect();
        for pair in &dimensions {
            self.codes.entry(pair.clone()).or_default().insert(id);
        }
        let subject = Subject { indicator: key.indicator.clone(), region: key.region.clone(), dimensions };
        self.subjects.entry(subject).or_default().push(id);
        let key = Arc::new(key);
        self.keys.push(Arc::clone(&key));
        self.last_revisions.push(AtomicU64::new(0));
        let before = self.ids.insert(key, id);
        assert!(before.is_none(), "a series is added once");
        id
    }

    /// How many series there are. Ids are below this.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.keys.len() as u32
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The id of a series.
    #[must_use]
    pub fn id(&self, key: &SeriesKey) -> Option<u32> {
        self.ids.get(key).copied()
    }

    /// The key of a series.
    ///
    /// # Panics
    ///
    /// If the id is not of this index.
    #[must_use]
    pub fn key(&self, id: u32) -> &Arc<SeriesKey> {
        &self.keys[id as usize]
    }

    /// Series of the same indicator, region and dimensions, whatever their source, in order of creation.
    #[must_use]
    pub fn same_subject(&self, key: &SeriesKey) -> &[u32] {
        let subject = Subject {
            indicator: key.indicator.clone(),
            region: key.region.clone(),
            dimensions: key.dimensions.iter().map(|(d, c)| (d.clone(), c.clone())).collect(),
        };
        self.subjects.get(&subject).map_or(&[], Vec::as_slice)
    }

    /// Every series.
    #[must_use]
    pub fn all(&self) -> RoaringBitmap {
        let mut all = RoaringBitmap::new();
        all.insert_range(0..self.len());
        all
    }

    /// Series of any of these indicators.
    #[must_use]
    pub fn of_indicators<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> RoaringBitmap {
        union(&self.indicators, ids)
    }

    /// Series of any of these regions.
    #[must_use]
    pub fn of_regions<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> RoaringBitmap {
        union(&self.regions, ids)
    }

    /// Series of any of these sources.
    #[must_use]
    pub fn of_sources<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> RoaringBitmap {
        union(&self.sources, ids)
    }

    /// Series with this code in this dimension.
    #[must_use]
    pub fn of_code(&self, dimension: &str, code: &str) -> RoaringBitmap {
        self.codes.get(&(dimension.to_owned(), code.to_owned())).cloned().unwrap_or_default()
    }

    /// The region of the most series; of equals, the first by id. `None` if there are no series.
    #[must_use]
    pub fn busiest_region(&self) -> Option<&str> {
        let busiest = self.regions.iter().max_by_key(|(id, series)| (series.len(), std::cmp::Reverse(*id)));
        busiest.map(|(id, _)| id.as_str())
    }

    /// The regions that an indicator has series of.
    #[must_use]
    pub fn regions_of(&self, indicator: &str) -> BTreeSet<&str> {
        let series = self.indicators.get(indicator);
        series.into_iter().flatten().map(|id| self.keys[id as usize].region.as_str()).collect()
    }

    /// Whether a region has series.
    #[must_use]
    pub fn has_series_of(&self, region: &str) -> bool {
        self.regions.contains_key(region)
    }

    fn broken_down_by(&self, dimension: &str) -> RoaringBitmap {
        let sets = self.codes.iter().filter(|((d, _), _)| d == dimension);
        sets.fold(RoaringBitmap::new(), |all, (_, set)| all | set)
    }

    /// Notes that figures have equivalents in a unit; whether that is new.
    pub fn note_equivalent_unit(&mut self, unit: &str) -> bool {
        !self.equivalent_units.contains(unit) && self.equivalent_units.insert(unit.to_owned())
    }

    /// Whether figures have equivalents in a unit.
    #[must_use]
    pub fn has_equivalents_in(&self, unit: &str) -> bool {
        self.equivalent_units.contains(unit)
    }

    /// The last commit that touched a series, if that is known.
    #[must_use]
    pub fn last_revision(&self, id: u32) -> Option<u64> {
        Some(self.last_revisions[id as usize].load(Ordering::Acquire)).filter(|r| *r != 0)
    }

    /// A commit touched the series.
    pub fn touched(&self, id: u32, revision: u64) {
        self.last_revisions[id as usize].store(revision, Ordering::Release);
    }

    /// A reader found the last commit that touched the series, unless a later one has touched it meanwhile.
    pub fn found(&self, id: u32, revision: u64) {
        let cell = &self.last_revisions[id as usize];
        // Losing against the writer is right: it knows a later commit.
        let _ = cell.compare_exchange(0, revision, Ordering::AcqRel, Ordering::Relaxed);
    }
}

fn union<'a>(sets: &HashMap<String, RoaringBitmap>, ids: impl IntoIterator<Item = &'a str>) -> RoaringBitmap {
    ids.into_iter().filter_map(|id| sets.get(id)).fold(RoaringBitmap::new(), |all, set| all | set)
}

impl Usage for SeriesIndex {
    fn series_of(&self, kind: EntryKind, id: &str) -> u64 {
        match kind {
            EntryKind::Indicator => self.indicators.get(id).map_or(0, RoaringBitmap::len),
            EntryKind::Region => self.regions.get(id).map_or(0, RoaringBitmap::len),
            EntryKind::Source => self.sources.get(id).map_or(0, RoaringBitmap::len),
            EntryKind::Dimension => self.broken_down_by(id).len(),
            // Which series have equivalents in a unit is not kept, only that some has.
            EntryKind::Unit => u64::from(self.equivalent_units.contains(id)),
            EntryKind::Unspecified => 0,
        }
    }

    fn series_with_code(&self, dimension: &str, code: &str) -> u64 {
        self.of_code(dimension, code).len()
    }

    fn series_broken_down(&self, indicator: &str, dimension: &str) -> u64 {
        (self.of_indicators([indicator]) & self.broken_down_by(dimension)).len()
    }
}
