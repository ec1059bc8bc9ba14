//! The record as a plain list of versions: slow, and short enough to be believed.

use std::collections::BTreeMap;

use indicator_proto::{
    Period, SeriesKey, Time,
    v1::{CellChange, ChangeKind, Commit, Observation, Vintage, WriteMode, WriteObservationsRequest},
};

use crate::{assert_same, figures::content};

/// One version of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The series.
    pub key: SeriesKey,
    /// The period.
    pub period: Period,
    /// What was said, without series, period and times; `None` is a withdrawal.
    pub figure: Option<Observation>,
    /// When it was published.
    pub published_at: Time,
    /// When it was recorded.
    pub recorded_at: Time,
    /// The commit.
    pub revision: u64,
    /// What it did.
    pub kind: ChangeKind,
}

impl Version {
    /// The greatest one is the current one.
    fn rank(&self) -> (Time, u64) {
        (self.published_at, self.revision)
    }
}

/// What a write would do.
#[derive(Debug, Default)]
pub struct Plan {
    /// The new versions, by series in order of creation, then period.
    pub versions: Vec<Version>,
    /// Cells that are as asked already.
    pub unchanged: u32,
}

/// Everything ever recorded.
#[derive(Debug, Clone, Default)]
pub struct Record {
    versions: Vec<Version>,
    /// In order of creation.
    series: Vec<SeriesKey>,
    /// Where the versions of each cell are.
    cells: BTreeMap<(SeriesKey, Period), Vec<usize>>,
}

/// The figure of each cell, by series in order of creation, then period.
pub type State<'a> = BTreeMap<(usize, Period), &'a Version>;

impl Record {
    /// Every version, in order of recording.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Every series, in order of creation.
    #[must_use]
    pub fn series(&self) -> &[SeriesKey] {
        &self.series
    }

    /// The last commit that changed a series; 0 if none has.
    #[must_use]
    pub fn series_revision(&self, key: &SeriesKey) -> u64 {
        self.versions.iter().filter(|v| v.key == *key).map(|v| v.revision).max().unwrap_or(0)
    }

    fn cell(&self, key: &SeriesKey, period: Period) -> impl Iterator<Item = &Version> {
        self.cells.get(&(key.clone(), period)).into_iter().flatten().map(|&index| &self.versions[index])
    }

    /// The current version of a cell among those that count, a withdrawal too.
    fn version(&self, key: &SeriesKey, period: Period, counts: impl Fn(&Version) -> bool) -> Option<&Version> {
        self.cell(key, period).filter(|v| counts(v)).max_by_key(|v| v.rank())
    }

    /// The figures at a revision, of versions published by a time.
    #[must_use]
    pub fn state(&self, revision: u64, published_by: Option<Time>) -> State<'_> {
        let mut state = State::new();
        let counts = |v: &&Version| v.revision <= revision && published_by.is_none_or(|until| v.published_at <= until);
        for version in self.versions.iter().filter(counts) {
            let place = (self.place(&version.key), version.period);
            let current = state.entry(place).or_insert(version);
            if version.rank() > current.rank() {
                *current = version;
            }
        }
        state.retain(|_, version| version.figure.is_some());
        state
    }

    fn place(&self, key: &SeriesKey) -> usize {
        self.series.iter().position(|k| k == key).unwrap_or(self.series.len())
    }

    /// What a write does that is recorded at a time not before any other, with the number `revision`.
    #[must_use]
    pub fn plan(&self, write: &WriteObservationsRequest, now: Time, revision: u64) -> Plan {
        let published_at = write.published_at.as_ref().map_or(now, |t| Time::try_from(t).unwrap());
        let mode = write.mode();
        // Each series with the periods that are named, and when the others are withdrawn, if they are.
        let mut named: Vec<(SeriesKey, Vec<Period>, Option<Time>)> = Vec::new();
        let mut plan = Plan::default();
        let mut change = |key: &SeriesKey, period, figure: Option<Observation>, published_at, counted: bool| match self.change(
            key,
            period,
            figure,
            (published_at, now, revision),
        ) {
            Some(version) => plan.versions.push(version),
            None => plan.unchanged += u32::from(counted),
        };
        for observation in &write.changes {
            let key = SeriesKey::from(observation.series.clone().unwrap());
            let position = named.iter().position(|(k, ..)| *k == key).unwrap_or_else(|| {
                named.push((key.clone(), Vec::new(), (mode == WriteMode::Replace).then_some(published_at)));
                named.len() - 1
            });
            let at = observation.published_at.as_ref().map_or(published_at, |t| Time::try_from(t).unwrap());
            if observation.period.is_empty() {
                named[position].2 = Some(at);
                continue;
            }
            let period = observation.period.parse().unwrap();
            named[position].1.push(period);
            let figure = (mode != WriteMode::Delete).then(|| figure(observation));
            change(&key, period, figure, at, true);
        }
        for (key, periods, rest) in &named {
            let Some(at) = *rest else { continue };
            let mine = self.cells.keys().filter(|(k, period)| k == key && !periods.contains(period));
            for &(_, period) in mine {
                change(key, period, None, at, false);
            }
        }
        // New series are created in the order of the request.
        let order = |key: &SeriesKey| (self.place(key), named.iter().position(|(k, ..)| k == key));
        plan.versions.sort_by_key(|v| (order(&v.key), v.period));
        plan
    }

    fn change(
        &self,
        key: &SeriesKey,
        period: Period,
        figure: Option<Observation>,
        (published_at, recorded_at, revision): (Time, Time, u64),
    ) -> Option<Version> {
        let current = self.version(key, period, |_| true);
        let before = self.version(key, period, |v| v.published_at <= published_at);
        if before.and_then(|v| v.figure.as_ref()) == figure.as_ref() {
            return None;
        }
        let kind = match (current.filter(|c| c.published_at > published_at), &figure) {
            (Some(_), _) => ChangeKind::Backfilled,
            (None, None) => ChangeKind::Deleted,
            (None, Some(_)) if current.is_some_and(|c| c.figure.is_some()) => ChangeKind::Revised,
            (None, Some(_)) => ChangeKind::Inserted,
        };
        Some(Version { key: key.clone(), period, figure, published_at, recorded_at, revision, kind })
    }

    /// Records what a write did.
    pub fn take(&mut self, versions: Vec<Version>) {
        for version in versions {
            if !self.series.contains(&version.key) {
                self.series.push(version.key.clone());
            }
            self.cells.entry((version.key.clone(), version.period)).or_default().push(self.versions.len());
            self.versions.push(version);
        }
    }

    /// Records a commit from the audit trail. Checks that each change says rightly what it did and what it replaced.
    ///
    /// # Panics
    ///
    /// If one does not.
    pub fn follow(&mut self, commit: &Commit) {
        let mut versions = Vec::new();
        for change in &commit.changes {
            let version = version(change);
            assert_eq!(version.revision, commit.revision);
            let before = self.version(&version.key, version.period, |_| true);
            let before = before.filter(|b| b.figure.is_some());
            let previous = change.previous.as_ref().map(|p| (p.revision, Some(figure(p))));
            assert_eq!(previous, before.map(|b| (b.revision, b.figure.clone())), "previous of {version:?}");
            versions.push(version);
        }
        self.take(versions);
    }

    /// The history of a series as ListVintages tells it.
    #[must_use]
    pub fn vintages(&self, key: &SeriesKey) -> Vec<(Version, Option<Time>, u64, bool)> {
        let mut versions: Vec<&Version> = self.versions.iter().filter(|v| v.key == *key).collect();
        versions.sort_by_key(|v| (v.period, v.rank()));
        let next = |index: usize| versions.get(index + 1).filter(|n| n.period == versions[index].period);
        let vintage = |(index, version): (usize, &&Version)| {
            let same = || self.cell(key, version.period);
            let never_current = same().any(|v| v.revision < version.revision && v.rank() > version.rank());
            let later = same().filter(|v| v.revision > version.revision && v.rank() > version.rank()).map(|v| v.revision).min();
            let superseded = if never_current { version.revision } else { later.unwrap_or(0) };
            ((*version).clone(), next(index).map(|n| n.published_at), superseded, next(index).is_none())
        };
        versions.iter().enumerate().map(vintage).collect()
    }
}

/// What an observation says, without where and when.
#[must_use]
pub fn figure(observation: &Observation) -> Observation {
    Observation { series: None, period: String::new(), published_at: None, ..content(observation) }
}

/// A version as the service tells it.
///
/// # Panics
///
/// If it is not complete.
#[must_use]
pub fn told(observation: &Observation, kind: ChangeKind) -> Version {
    Version {
        key: observation.series.clone().expect("a series").into(),
        period: observation.period.parse().unwrap(),
        figure: (!observation.deleted).then(|| figure(observation)),
        published_at: observation.published_at.as_ref().unwrap().try_into().unwrap(),
        recorded_at: observation.recorded_at.as_ref().unwrap().try_into().unwrap(),
        revision: observation.revision,
        kind,
    }
}

/// The version of a change.
#[must_use]
pub fn version(change: &CellChange) -> Version {
    told(change.observation.as_ref().expect("a change has its observation"), change.kind())
}

/// A vintage as [`Record::vintages`] has it.
#[must_use]
pub fn vintage(vintage: &Vintage) -> (Version, Option<Time>, u64, bool) {
    let version = told(vintage.observation.as_ref().unwrap(), vintage.kind());
    let until = vintage.published_until.as_ref().map(|t| Time::try_from(t).unwrap());
    (version, until, vintage.superseded_revision, vintage.current)
}

/// The answer to a query for every source must be this state.
///
/// # Panics
///
/// If it is not.
pub fn assert_state(answer: &[Observation], state: &State<'_>, what: &str) {
    let told: Vec<Version> = answer.iter().map(|o| told(o, ChangeKind::Unspecified)).collect();
    let expected: Vec<Version> = state.values().map(|&v| Version { kind: ChangeKind::Unspecified, ..v.clone() }).collect();
    assert_same(&told, &expected, what);
}
