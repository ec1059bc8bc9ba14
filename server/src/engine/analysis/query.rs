//! The cells that a filter selects, computed.

use std::{
    collections::{BTreeSet, HashMap},
    ops::ControlFlow,
    sync::Arc,
};

use indicator_proto::{Period, SeriesKey};

use super::{
    line::{Line, Point},
    reading::{Reading, without_source},
    transform::{Plan, Step},
};
use crate::engine::{Enough, Error, Filter, Sources, Violation, preferred::recency};

/// A query whose answer is computed, checked but for what its steps make of the indicators.
#[derive(Debug, Clone)]
pub struct Computation {
    /// Which cells. Its frequency is that of the figures that are computed with; its limits are of what comes out.
    pub filter: Filter,
    /// What to compute.
    pub steps: Vec<Step>,
    /// Only the latest periods of each series; 0 is all.
    pub latest_n: u32,
    /// At most this many rows; 0 is all.
    pub page_size: u32,
    /// Go on after this cell.
    pub after: Option<ComputedCursor>,
}

/// The last cell that was delivered: the place of its line, and the number of its period's frequency with its ordinal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ComputedCursor {
    place: Place,
    period: (u8, i32),
}

/// Where a line comes in the answer: after the recorded ones the derived indicators, each with the first series behind it.
pub(super) type Place = (u32, u32);

impl ComputedCursor {
    fn new(place: Place, period: Period) -> Self {
        Self { place, period: (period.frequency() as u8, period.ordinal()) }
    }
}

/// Figures of one series, by period.
#[derive(Debug, Clone)]
pub struct ComputedChunk {
    /// The series; without a source where its figures are made of those of several.
    pub key: Arc<SeriesKey>,
    /// At least one.
    pub points: Vec<Arc<Point>>,
}

/// How a computed query ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ComputedSummary {
    /// Rows delivered.
    pub rows: u64,
    /// Where the next page goes on; `None` if this was the last.
    pub next: Option<ComputedCursor>,
}

/// What is to be read for a line.
pub(super) struct Selected {
    pub(super) place: Place,
    /// The series, where each source has its own line; none of a derived indicator.
    pub(super) series: Option<u32>,
    pub(super) key: Arc<SeriesKey>,
}

impl Selected {
    pub(super) fn derived(place: Place, key: Arc<SeriesKey>) -> Self {
        Self { place, series: None, key }
    }
}

impl Reading<'_> {
    /// The lines that a filter selects: recorded ones in order of the creation of their series, then those of derived indicators.
    pub(super) fn selected(&self, filter: &Filter) -> Vec<Selected> {
        let mut selected = self.selected_recorded(filter);
        selected.extend(self.selected_derived(filter));
        selected
    }

    fn selected_recorded(&self, filter: &Filter) -> Vec<Selected> {
        let index = self.shared().index();
        let series = filter.series(self.catalog(), &index);
        let of_sources = filter.sources != Sources::Preferred;
        let first = |id: &u32| of_sources || index.same_subject(index.key(*id)).first() == Some(id);
        let selected = |id: u32| Selected { place: (0, id), series: Some(id), key: Arc::clone(index.key(id)) };
        series.iter().filter(first).map(selected).collect()
    }

    /// The lines of what a filter selects that figures of these series belong to, or are an operand of.
    pub(super) fn selected_of(&self, filter: &Filter, series: &[Arc<SeriesKey>]) -> Vec<Selected> {
        let mut selected = self.selected_recorded_of(filter, series);
        selected.extend(self.selected_derived_of(filter, series));
        selected
    }

    fn selected_recorded_of(&self, filter: &Filter, series: &[Arc<SeriesKey>]) -> Vec<Selected> {
        let index = self.shared().index();
        let of_sources = filter.sources != Sources::Preferred;
        let line = |key: &Arc<SeriesKey>| if of_sources { index.id(key) } else { index.same_subject(key).first().copied() };
        let matching = series.iter().filter(|key| filter.matches(self.catalog(), key));
        let lines: BTreeSet<u32> = matching.filter_map(line).collect();
        let selected = |id: u32| Selected { place: (0, id), series: Some(id), key: Arc::clone(index.key(id)) };
        lines.into_iter().map(selected).collect()
    }

    /// The figures of a line.
    pub(super) fn read(&self, selected: &Selected, sources: &Sources) -> Result<Line, Error> {
        match (sources, selected.series) {
            (Sources::All | Sources::Named(_), Some(id)) => self.series_line(id, &selected.key),
            _ => self.line(&without_source(&selected.key), sources),
        }
    }

    /// Checks that the steps fit the indicators.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`].
    pub fn check(&self, query: &Computation) -> Result<(), Error> {
        let selected = self.selected(&query.filter);
        self.plans(&query.filter, &selected, &query.steps, "transforms").map(|_| ())
    }

    /// Delivers the chunks of a computed answer in order. Stops early when `deliver` says so.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if steps do not fit the indicators; [`Error::Store`].
    pub fn compute(
        &self,
        query: &Computation,
        mut deliver: impl FnMut(ComputedChunk) -> ControlFlow<Enough>,
    ) -> Result<ComputedSummary, Error> {
        let selected = self.selected(&query.filter);
        let plans = self.plans(&query.filter, &selected, &query.steps, "transforms")?;
        let mut summary = ComputedSummary::default();
        let begin = query.after.map_or(0, |after| selected.partition_point(|s| s.place < after.place));
        for selected in &selected[begin..] {
            let plan = &plans[&selected.key.indicator];
            let line = self.planned(selected, &query.filter, plan)?;
            let mut points = line.points;
            points.retain(|point| query.filter.lies_within(point.period()));
            keep_latest(&mut points, query.latest_n);
            points.retain(|point| query.after.is_none_or(|after| after < ComputedCursor::new(selected.place, point.period())));
            let mut full = false;
            if query.page_size != 0 {
                let room = usize::try_from(u64::from(query.page_size) - summary.rows).unwrap_or(usize::MAX);
                if room == 0 && !points.is_empty() {
                    return Ok(summary);
                }
                full = points.len() > room;
                points.truncate(room);
            }
            // Where the preferred source changes, so does the series.
            for run in points.chunk_by(|a, b| a.key == b.key) {
                let before = summary.rows;
                summary.next = run.last().map(|last| ComputedCursor::new(selected.place, last.period()));
                let chunk = ComputedChunk { key: Arc::clone(&run[0].key), points: run.to_vec() };
                if let ControlFlow::Break(Enough { rows, last }) = deliver(chunk) {
                    let next = Some(ComputedCursor::new(selected.place, last));
                    return Ok(ComputedSummary { rows: before + rows as u64, next });
                }
                summary.rows = before + run.len() as u64;
            }
            if full {
                return Ok(summary);
            }
        }
        summary.next = None;
        Ok(summary)
    }

    /// A line, computed: of the filter's frequency alone if it names one.
    pub(super) fn planned(&self, selected: &Selected, filter: &Filter, plan: &Plan) -> Result<Line, Error> {
        let mut line = self.read(selected, &filter.sources)?;
        if let Some(frequency) = filter.frequency {
            line.points.retain(|point| point.period().frequency() == frequency);
        }
        plan.apply(self, &filter.sources, line)
    }

    /// The steps, planned for each indicator that is selected. `field` names the list of steps in the request.
    pub(super) fn plans(
        &self,
        filter: &Filter,
        selected: &[Selected],
        steps: &[Step],
        field: &str,
    ) -> Result<HashMap<String, Plan>, Error> {
        let named = filter.indicators.iter().map(String::as_str);
        let mut plans = HashMap::new();
        let mut violations: Vec<Violation> = Vec::new();
        for id in named.chain(selected.iter().map(|selected| selected.key.indicator.as_str())) {
            if plans.contains_key(id) {
                continue;
            }
            let Some(indicator) = self.catalog().indicator(id) else { continue };
            let plan = Plan::new(self.catalog(), indicator, steps, field).unwrap_or_else(|found| {
                // One indicator tells what is wrong with a step; the others would say the same of it.
                violations.extend(
                    found.into_iter().filter(|v| !violations.iter().any(|known| known.field == v.field)).collect::<Vec<_>>(),
                );
                Plan::default()
            });
            plans.insert(id.to_owned(), plan);
        }
        if violations.is_empty() { Ok(plans) } else { Err(Error::Invalid(violations)) }
    }
}

/// Keeps the `n` most recent, in their order; all if `n` is 0.
fn keep_latest(points: &mut Vec<Arc<Point>>, n: u32) {
    let n = n as usize;
    if n == 0 || points.len() <= n {
        return;
    }
    let mut recencies: Vec<_> = points.iter().map(|point| recency(point.period())).collect();
    recencies.sort_unstable();
    let least = recencies[recencies.len() - n];
    points.retain(|point| recency(point.period()) >= least);
}
