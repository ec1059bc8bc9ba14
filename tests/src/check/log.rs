//! The log: every version of every cell, and the catalog as it was at each commit.

use std::collections::{BTreeMap, HashMap};

use indicator_proto::{
    Period, SeriesKey, Time, cell_hash,
    v1::{CatalogEntry, ChangeKind, Commit, EntryKind, Observation, catalog_entry::Entry},
};

/// One version of one cell.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its series, by order of creation.
    pub place: usize,
    /// Its period.
    pub period: Period,
    /// What it did, as the log says.
    pub kind: ChangeKind,
    /// The version, with its series.
    pub observation: Observation,
    /// When it was published.
    pub published_at: Time,
    /// What it adds to a digest.
    pub hash: u64,
}

impl Version {
    /// Whether it withdraws the figure.
    #[must_use]
    pub fn is_withdrawal(&self) -> bool {
        self.observation.deleted
    }

    /// The greatest one of a cell is its current one.
    #[must_use]
    pub fn rank(&self) -> (Time, u64) {
        (self.published_at, self.observation.revision)
    }
}

/// The catalog at a moment.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// By number of the kind, and id.
    pub entries: BTreeMap<(i32, String), CatalogEntry>,
}

impl Catalog {
    fn entry(&self, kind: EntryKind, id: &str) -> Option<&Entry> {
        self.entries.get(&(kind.into(), id.to_owned())).and_then(|e| e.entry.as_ref())
    }

    /// Parent and level of a region.
    #[must_use]
    pub fn region(&self, id: &str) -> Option<(&str, &str)> {
        match self.entry(EntryKind::Region, id) {
            Some(Entry::Region(region)) => Some((&region.parent, &region.level)),
            _ => None,
        }
    }

    /// The lower, the more a source is preferred for an indicator.
    #[must_use]
    pub fn preference(&self, indicator: &str, source: &str) -> (usize, u32) {
        let order = match self.entry(EntryKind::Indicator, indicator) {
            Some(Entry::Indicator(indicator)) => indicator.source_order.as_slice(),
            _ => &[],
        };
        let place = order.iter().position(|s| s == source).unwrap_or(order.len());
        match self.entry(EntryKind::Source, source) {
            Some(Entry::Source(source)) => (place, source.precedence),
            _ => (place, u32::MAX),
        }
    }
}

/// Kind and id of an entry.
///
/// # Panics
///
/// If it is empty.
#[must_use]
pub fn entry_key(entry: &CatalogEntry) -> (i32, String) {
    let (kind, id) = match entry.entry.as_ref().expect("an entry says what it is") {
        Entry::Region(region) => (EntryKind::Region, &region.id),
        Entry::Source(source) => (EntryKind::Source, &source.id),
        Entry::Unit(unit) => (EntryKind::Unit, &unit.id),
        Entry::Dimension(dimension) => (EntryKind::Dimension, &dimension.id),
        Entry::Indicator(indicator) => (EntryKind::Indicator, &indicator.id),
    };
    (kind.into(), id.clone())
}

/// Everything that was ever committed.
#[derive(Debug, Default)]
pub struct Log {
    commits: Vec<Commit>,
    versions: Vec<Vec<Version>>,
    /// Before the first commit, and after each that changed the catalog.
    catalogs: Vec<(u64, Catalog)>,
    series: Vec<SeriesKey>,
    places: HashMap<SeriesKey, usize>,
    /// The versions of each cell: commit, and number in it.
    cells: HashMap<(usize, Period), Vec<(u64, usize)>>,
}

impl Log {
    /// From every commit with its changes, oldest first.
    ///
    /// # Panics
    ///
    /// If they are not that.
    #[must_use]
    pub fn new(commits: Vec<Commit>) -> Self {
        let mut log = Self { catalogs: vec![(0, Catalog::default())], ..Self::default() };
        for commit in commits {
            assert_eq!(commit.revision, log.head() + 1, "the log has a gap");
            if !commit.catalog_changes.is_empty() {
                let mut catalog = log.catalogs.last().expect("never empty").1.clone();
                for change in &commit.catalog_changes {
                    let entry = change.entry.clone().expect("a change of the catalog has its entry");
                    match change.kind() {
                        ChangeKind::Deleted => drop(catalog.entries.remove(&entry_key(&entry))),
                        _ => drop(catalog.entries.insert(entry_key(&entry), entry)),
                    }
                }
                log.catalogs.push((commit.revision, catalog));
            }
            let versions: Vec<_> = commit.changes.iter().map(|c| log.version(c.kind(), c.observation.as_ref())).collect();
            for (number, version) in versions.iter().enumerate() {
                log.cells.entry((version.place, version.period)).or_default().push((commit.revision, number));
            }
            log.versions.push(versions);
            log.commits.push(commit);
        }
        log
    }

    fn version(&mut self, kind: ChangeKind, observation: Option<&Observation>) -> Version {
        let observation = observation.expect("a change has its observation").clone();
        let key = observation.series.clone().expect("an observation in the log has its series");
        let hash = cell_hash(&key, &observation);
        let key = SeriesKey::from(key);
        let place = *self.places.entry(key).or_insert_with_key(|key| {
            self.series.push(key.clone());
            self.series.len() - 1
        });
        let period = observation.period.parse().expect("a period");
        let published_at = observation.published_at.as_ref().expect("published some time").try_into().expect("a time");
        Version { place, period, kind, observation, published_at, hash }
    }

    /// The newest commit.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.commits.len() as u64
    }

    /// A commit; `None` if there is none of this number.
    #[must_use]
    pub fn commit(&self, revision: u64) -> Option<&Commit> {
        self.commits.get(index(revision)?)
    }

    /// The versions of a commit, in its order.
    #[must_use]
    pub fn versions(&self, revision: u64) -> &[Version] {
        index(revision).and_then(|i| self.versions.get(i)).map_or(&[], Vec::as_slice)
    }

    /// The current version of a cell of a series after a commit, which may be a withdrawal.
    #[must_use]
    pub fn current(&self, place: usize, period: Period, revision: u64) -> Option<&Version> {
        let versions = self.cells.get(&(place, period))?.iter().filter(|(r, _)| *r <= revision);
        versions.map(|(r, number)| &self.versions(*r)[*number]).max_by_key(|version| version.rank())
    }

    /// The catalog after a commit.
    #[must_use]
    pub fn catalog(&self, revision: u64) -> &Catalog {
        let after = self.catalogs.partition_point(|(since, _)| *since <= revision);
        &self.catalogs[after - 1].1
    }

    /// Whether a commit changed the catalog.
    #[must_use]
    pub fn changes_catalog(&self, revision: u64) -> bool {
        self.catalogs.binary_search_by_key(&revision, |(since, _)| *since).is_ok()
    }

    /// Every series, in order of creation.
    #[must_use]
    pub fn series(&self) -> &[SeriesKey] {
        &self.series
    }

    /// Where a series is in the order of creation.
    #[must_use]
    pub fn place(&self, key: &SeriesKey) -> Option<usize> {
        self.places.get(key).copied()
    }
}

fn index(revision: u64) -> Option<usize> {
    usize::try_from(revision.checked_sub(1)?).ok()
}
