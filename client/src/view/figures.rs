//! A state: figures by series and period.

use std::{collections::BTreeMap, fmt, sync::Arc};

use indicator_proto::{SeriesKey, v1::Observation};

/// Where a figure stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// The series; in the preferred picture without its source, which the observation says.
    pub series: SeriesKey,
    /// The period, as the service writes it.
    pub period: String,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.series, self.period)
    }
}

/// The figures of a view as of one revision. It does not change; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    epoch: Arc<str>,
    revision: u64,
    len: usize,
    // Two levels, so that a change while somebody holds a state copies pointers and one series, not every figure.
    series: Arc<BTreeMap<SeriesKey, Arc<Periods>>>,
}

type Periods = BTreeMap<String, Arc<Observation>>;

impl Figures {
    pub(super) fn new(epoch: &str) -> Self {
        Self { epoch: epoch.into(), ..Self::default() }
    }

    /// The history that the revision counts in.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The record's revision that this is the state of.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many figures there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One figure. In the preferred picture `series` is without its source.
    pub fn get(&self, series: &SeriesKey, period: &str) -> Option<&Arc<Observation>> {
        self.series.get(series)?.get(period)
    }

    /// The figures of a series, by period.
    pub fn series(&self, series: &SeriesKey) -> impl Iterator<Item = (&str, &Arc<Observation>)> {
        self.series.get(series).into_iter().flat_map(|periods| periods.iter().map(|(period, figure)| (period.as_str(), figure)))
    }

    /// All figures, by series and period.
    pub fn iter(&self) -> impl Iterator<Item = (&SeriesKey, &str, &Arc<Observation>)> {
        self.series
            .iter()
            .flat_map(|(series, periods)| periods.iter().map(move |(period, figure)| (series, period.as_str(), figure)))
    }

    pub(super) fn reach(&mut self, revision: u64) {
        self.revision = self.revision.max(revision);
    }

    /// Puts a figure in its cell and gives back what was there.
    pub(super) fn put(&mut self, series: SeriesKey, period: String, figure: Arc<Observation>) -> Option<Arc<Observation>> {
        let periods = Arc::make_mut(&mut self.series).entry(series).or_default();
        let old = Arc::make_mut(periods).insert(period, figure);
        self.len += usize::from(old.is_none());
        old
    }

    /// Takes the figure of a cell away.
    pub(super) fn take(&mut self, series: &SeriesKey, period: &str) -> Option<Arc<Observation>> {
        // Not to copy anything where nothing is.
        self.get(series, period)?;
        let all = Arc::make_mut(&mut self.series);
        let periods = Arc::make_mut(all.get_mut(series)?);
        let old = periods.remove(period);
        if periods.is_empty() {
            all.remove(series);
        }
        self.len -= usize::from(old.is_some());
        old
    }
}
