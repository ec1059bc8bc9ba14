//! What a subscriber should see: the log through a filter, as the catalog was at each commit.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use indicator_proto::{
    Frequency, Period, SeriesKey,
    v1::{self, ChangeKind, ObservationFilter},
};

use super::log::{Catalog, Log, Version};

/// A cell: a series by its order of creation, in the preferred picture the first of its subject; and a period.
pub type Cell = (usize, Period);

/// What is shown of each cell that has a figure.
pub type State<'a> = BTreeMap<Cell, &'a Version>;

/// What a commit does to a cell of the view.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The cell.
    pub cell: Cell,
    /// What happens.
    pub kind: ChangeKind,
    /// The new version. `None` if the cell leaves.
    pub version: Option<&'a Version>,
    /// What was shown before.
    pub before: Option<&'a Version>,
}

impl<'a> Step<'a> {
    /// Does to a state what it says.
    pub fn apply(&self, state: &mut State<'a>) {
        match (self.kind, self.version) {
            (ChangeKind::Backfilled, _) => {}
            (ChangeKind::Deleted | ChangeKind::Left, _) | (_, None) => drop(state.remove(&self.cell)),
            (_, Some(version)) => drop(state.insert(self.cell, version)),
        }
    }
}

/// Commits between two states that are kept.
const KEPT_EVERY: u64 = 100;

/// The log through a filter.
#[derive(Debug)]
pub struct View<'a> {
    log: &'a Log,
    filter: ObservationFilter,
    preferred: bool,
    /// By revision, from 1; each by cell.
    steps: Vec<Vec<Step<'a>>>,
    /// After every so many commits.
    kept: Vec<State<'a>>,
    /// The first series of the same indicator, region and dimensions, by series.
    subjects: Vec<usize>,
}

impl<'a> View<'a> {
    /// What a filter shows; of every source it selects, or of the preferred one alone.
    #[must_use]
    pub fn new(log: &'a Log, filter: Option<&ObservationFilter>, preferred: bool) -> Self {
        let mut builder = Builder::new(log, filter.cloned().unwrap_or_default(), preferred);
        let (mut steps, mut kept, mut state) = (Vec::new(), vec![State::new()], State::new());
        for revision in 1..=log.head() {
            let changes = builder.commit(revision);
            changes.iter().for_each(|c| c.apply(&mut state));
            steps.push(changes);
            if revision % KEPT_EVERY == 0 {
                kept.push(state.clone());
            }
        }
        Self { log, filter: builder.filter, preferred, steps, kept, subjects: builder.subjects }
    }

    /// What a commit does; nothing if there is none of this number.
    #[must_use]
    pub fn steps(&self, revision: u64) -> &[Step<'a>] {
        let index = revision.checked_sub(1).and_then(|i| usize::try_from(i).ok());
        index.and_then(|i| self.steps.get(i)).map_or(&[], Vec::as_slice)
    }

    /// What a commit does to a cell.
    #[must_use]
    pub fn step(&self, revision: u64, cell: Cell) -> Option<&Step<'a>> {
        let steps = self.steps(revision);
        steps.binary_search_by_key(&cell, |s| s.cell).ok().map(|i| &steps[i])
    }

    /// The first commit after one, and up to another, that has something for the view, or that changes the catalog if that counts.
    #[must_use]
    pub fn first_after(&self, revision: u64, until: u64, with_catalog: bool) -> Option<u64> {
        let until = until.min(self.log.head());
        (revision + 1..=until).find(|&r| !self.steps(r).is_empty() || (with_catalog && self.log.changes_catalog(r)))
    }

    /// The state after a commit.
    #[must_use]
    pub fn state(&self, revision: u64) -> State<'a> {
        let revision = revision.min(self.log.head());
        let start = revision / KEPT_EVERY;
        let mut state = self.kept[usize::try_from(start).expect("an index")].clone();
        for revision in start * KEPT_EVERY + 1..=revision {
            self.steps(revision).iter().for_each(|s| s.apply(&mut state));
        }
        state
    }

    /// The cell that a series and a period are in this view.
    #[must_use]
    pub fn cell(&self, place: usize, period: Period) -> Cell {
        (if self.preferred { self.subjects[place] } else { place }, period)
    }

    /// Whether it selects a cell, as the catalog was after a commit.
    #[must_use]
    pub fn selects(&self, revision: u64, (place, period): Cell) -> bool {
        selects_series(&self.filter, self.log.catalog(revision), &self.log.series()[place])
            && selects_period(&self.filter, period)
    }
}

/// Whether a filter selects a series.
fn selects_series(filter: &ObservationFilter, catalog: &Catalog, key: &SeriesKey) -> bool {
    let among = |list: &[String], id: &String| list.is_empty() || list.contains(id);
    let level = |id: &str| catalog.region(id).is_some_and(|(_, level)| level == filter.region_level);
    let mut above = Some(key.region.as_str());
    let mut under = false;
    while let Some(id) = above.filter(|id| !id.is_empty()) {
        under |= filter.regions.iter().any(|r| r == id);
        above = catalog.region(id).map(|(parent, _)| parent).filter(|_| filter.include_subregions);
    }
    among(&filter.indicators, &key.indicator)
        && among(&filter.sources, &key.source)
        && filter.dimensions.iter().all(|(dimension, code)| key.dimensions.get(dimension) == Some(code))
        && (filter.regions.is_empty() || under)
        && (filter.region_level.is_empty() || level(&key.region))
}

/// Whether a filter selects a period.
fn selects_period(filter: &ObservationFilter, period: Period) -> bool {
    let parse = |text: &str| text.parse::<Period>().ok();
    let frequency = filter.frequency();
    (frequency == v1::Frequency::Unspecified || Frequency::try_from(frequency).is_ok_and(|f| f == period.frequency()))
        && parse(&filter.start_period).is_none_or(|start| period.start() >= start.start())
        && parse(&filter.end_period).is_none_or(|end| period.end() <= end.end())
}

/// Goes through the log once.
struct Builder<'a> {
    log: &'a Log,
    filter: ObservationFilter,
    preferred: bool,
    subjects: Vec<usize>,
    /// As the catalog is now.
    selected: Vec<bool>,
    /// Each cell's current figure of each series, whether it is selected or not.
    figures: BTreeMap<Cell, BTreeMap<usize, &'a Version>>,
    /// Each cell's current version, withdrawals too.
    current: HashMap<(usize, Period), &'a Version>,
    shown: State<'a>,
}

impl<'a> Builder<'a> {
    fn new(log: &'a Log, filter: ObservationFilter, preferred: bool) -> Self {
        let mut firsts = HashMap::new();
        let mut subject = |(place, key): (usize, &SeriesKey)| {
            *firsts.entry(SeriesKey { source: String::new(), ..key.clone() }).or_insert(place)
        };
        let subjects = log.series().iter().enumerate().map(&mut subject).collect();
        let selected = vec![false; log.series().len()];
        let (figures, current, shown) = (BTreeMap::new(), HashMap::new(), State::new());
        Self { log, filter, preferred, subjects, selected, figures, current, shown }
    }

    fn cell(&self, version: &Version) -> Cell {
        (if self.preferred { self.subjects[version.place] } else { version.place }, version.period)
    }

    fn commit(&mut self, revision: u64) -> Vec<Step<'a>> {
        if self.log.changes_catalog(revision) { self.catalog_commit(revision) } else { self.write_commit(revision) }
    }

    fn write_commit(&mut self, revision: u64) -> Vec<Step<'a>> {
        let (mut steps, mut touched) = (Vec::new(), BTreeSet::new());
        let mut withdrawals = HashMap::new();
        for version in self.log.versions(revision) {
            let cell = self.cell(version);
            let current = self.current.entry((version.place, version.period)).or_insert(version);
            if version.rank() < current.rank() {
                if !self.preferred && self.shows(cell) {
                    let before = self.shown.get(&cell).copied();
                    steps.push(Step { cell, kind: ChangeKind::Backfilled, version: Some(version), before });
                }
                continue;
            }
            *current = version;
            let figures = self.figures.entry(cell).or_default();
            if version.is_withdrawal() {
                figures.remove(&version.place);
                withdrawals.insert(cell, version);
            } else {
                figures.insert(version.place, version);
            }
            touched.insert(cell);
        }
        let catalog = self.log.catalog(revision);
        for cell in touched {
            let withdrawal = withdrawals.get(&cell).copied();
            steps.extend(self.refresh(catalog, cell, false, withdrawal));
        }
        steps.sort_by_key(|s| s.cell);
        steps
    }

    fn catalog_commit(&mut self, revision: u64) -> Vec<Step<'a>> {
        let catalog = self.log.catalog(revision);
        let before = std::mem::take(&mut self.selected);
        self.selected = self.log.series().iter().map(|key| selects_series(&self.filter, catalog, key)).collect();
        let moved = |place: usize| before[place] != self.selected[place];
        let cells: Vec<Cell> = self.figures.keys().filter(|(place, _)| self.preferred || moved(*place)).copied().collect();
        let moved: Vec<bool> = cells.iter().map(|(place, _)| moved(*place)).collect();
        cells.into_iter().zip(moved).filter_map(|(cell, moved)| self.refresh(catalog, cell, moved, None)).collect()
    }

    /// Whether the view selects a cell. The catalog decides by the region alone, which all series of a subject share.
    fn shows(&self, (place, period): Cell) -> bool {
        self.selected[place] && selects_period(&self.filter, period)
    }

    /// What should be shown of a cell, against what is.
    fn refresh(&mut self, catalog: &Catalog, cell: Cell, moved: bool, withdrawal: Option<&'a Version>) -> Option<Step<'a>> {
        let figure = self.shows(cell).then(|| self.choose(catalog, cell)).flatten();
        let before = self.shown.get(&cell).copied();
        let same = |a: &Version, b: &Version| (a.place, a.observation.revision) == (b.place, b.observation.revision);
        let kind = match (before, figure, moved) {
            (None, Some(_), true) => ChangeKind::Entered,
            (Some(_), None, true) => ChangeKind::Left,
            (None, Some(_), false) => ChangeKind::Inserted,
            (Some(_), None, false) => ChangeKind::Deleted,
            (Some(before), Some(figure), _) if !same(before, figure) => ChangeKind::Revised,
            _ => return None,
        };
        let version = if kind == ChangeKind::Deleted { withdrawal } else { figure };
        let step = Step { cell, kind, version, before };
        step.apply(&mut self.shown);
        Some(step)
    }

    fn choose(&self, catalog: &Catalog, cell: Cell) -> Option<&'a Version> {
        let order = |version: &&'a Version| {
            let key = &self.log.series()[version.place];
            (catalog.preference(&key.indicator, &key.source), Reverse(version.published_at), version.place)
        };
        self.figures.get(&cell)?.values().copied().min_by_key(order)
    }
}
