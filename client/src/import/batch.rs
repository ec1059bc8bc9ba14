//! Figures to batches: sorted by series, the same cell never twice in one, each small enough for one message and one commit.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use indicator_proto::v1::{self, CellChange, ChangeKind, ImportBatch, Observation, SeriesObservations, WriteMode};

use super::details::Details;
use super::problem::{Problem, Reject};
use super::resolve::{Resolved, Series};
use super::rows::{Figure, Rows};

/// How large a batch may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    figures: usize,
    bytes: usize,
}

impl Size {
    /// Enough figures to make the commit's share of each small, few enough to be acknowledged several times a second. Messages
    /// end at 4 MiB.
    pub(super) const ORDINARY: Self = Self { figures: 50_000, bytes: 3_500_000 };

    /// Where the answer brings each figure back, with what it replaced.
    pub(super) const ANSWERED_IN_FULL: Self = Self { figures: 5_000, bytes: 700_000 };

    /// Cuts a range where it is full. `bytes` tells the size of what is at an index.
    pub(super) fn cut(self, range: Range<usize>, bytes: impl Fn(usize) -> usize) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        let (mut start, mut full) = (range.start, 0);
        for at in range.clone() {
            let size = bytes(at);
            if at - start == self.figures || (at > start && full + size > self.bytes) {
                ranges.push(start..at);
                (start, full) = (at, 0);
            }
            full += size;
        }
        if start < range.end {
            ranges.push(start..range.end);
        }
        ranges
    }
}

/// Figures that the service takes in one batch.
const MOST_FIGURES: usize = 100_000;

/// Bytes of a figure beside the texts of its details: tags, lengths, period, value, numbers.
pub(super) const FIGURE_BYTES: usize = 64;

/// The figures of a file, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Batches {
    pub(super) series: Vec<Series>,
    pub(super) figures: Vec<Figure>,
    details: Vec<Details>,
    ranges: Vec<Range<usize>>,
    mode: WriteMode,
    size: Size,
}

impl Batches {
    /// Puts the figures of a file into batches, and adds those that cannot be taken to its rejects.
    pub(super) fn new(rows: &mut Rows, resolved: Resolved, mode: WriteMode, size: Size) -> Self {
        let Resolved { series, slots } = resolved;
        let mut figures = std::mem::take(&mut rows.figures);
        figures.retain_mut(|figure| match &slots[figure.key as usize] {
            Ok(series) => {
                figure.key = *series;
                true
            }
            Err(faults) => {
                for (field, problem) in faults {
                    let (field, problem) = (field.clone(), Arc::new(problem.clone()));
                    rows.rejects.push(Reject { line: figure.line, column: header(rows, figure), field, problem });
                }
                false
            }
        });
        let details = std::mem::take(&mut rows.details);
        let mut batches = Self { series, figures, details, ranges: Vec::new(), mode, size };
        batches.sort();
        batches.drop_duplicates(rows);
        for (figure, figures) in batches.cut() {
            let problem = Arc::new(Problem::SeriesTooLong { figures, limit: MOST_FIGURES });
            rows.rejects.push(Reject { line: figure.line, column: header(rows, &figure), field: "row".into(), problem });
        }
        batches
    }

    /// How many batches there are.
    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Figures of a batch.
    pub(super) fn figures_of(&self, batch: usize) -> &[Figure] {
        self.ranges.get(batch).map_or(&[], |range| &self.figures[range.clone()])
    }

    /// A batch as a message.
    pub(super) fn message(&self, batch: usize) -> ImportBatch {
        let figures = self.figures_of(batch);
        let series = figures.chunk_by(|a, b| a.key == b.key).map(|figures| SeriesObservations {
            series: Some(v1::SeriesKey::from(&self.series[figures[0].key as usize].key)),
            observations: figures.iter().map(|figure| self.observation(figure)).collect(),
        });
        ImportBatch { series: series.collect() }
    }

    /// The figure that an index of the service names.
    pub(super) fn figure(&self, batch: usize, series: usize, observation: Option<usize>) -> Option<&Figure> {
        let mut series_of = self.figures_of(batch).chunk_by(|a, b| a.key == b.key);
        series_of.nth(series)?.get(observation.unwrap_or(0))
    }

    /// The figures of new series as the insertions that they will be.
    pub(super) fn insertions(&self) -> impl Iterator<Item = CellChange> {
        let new = self.figures.iter().filter(|figure| self.series[figure.key as usize].is_new);
        new.map(|figure| CellChange {
            kind: ChangeKind::Inserted.into(),
            observation: Some(self.observation_with_series(figure)),
            previous: None,
        })
    }

    /// Leaves the figures of new series out, and returns how many they were.
    pub(super) fn drop_new(&mut self) -> u64 {
        let (before, series) = (self.figures.len(), &self.series);
        self.figures.retain(|figure| !series[figure.key as usize].is_new);
        let dropped = before - self.figures.len();
        if dropped > 0 {
            // No series has become longer.
            self.cut();
        }
        dropped as u64
    }

    /// When a figure was published, where the file says so for it alone.
    pub(super) fn published_at(&self, figure: &Figure) -> Option<indicator_proto::Time> {
        self.details[figure.details as usize].published_at
    }

    fn sort(&mut self) {
        let details = &self.details;
        let place = |figure: &Figure| {
            (figure.key, figure.period, details[figure.details as usize].published_at, figure.line, figure.column)
        };
        if !self.figures.is_sorted_by_key(place) {
            self.figures.sort_unstable_by_key(place);
        }
    }

    /// Takes out what names a cell again. Several editions of a cell, each with its date, are no duplicates, but cannot replace a
    /// series at once.
    fn drop_duplicates(&mut self, rows: &mut Rows) {
        let same = |a: &Figure, b: &Figure| {
            a.key == b.key
                && a.period == b.period
                && (self.mode == WriteMode::Replace || self.published_at(a) == self.published_at(b))
        };
        let again: Vec<bool> = std::iter::once(false)
            .chain(self.figures.windows(2).map(|pair| same(&pair[0], &pair[1])))
            .take(self.figures.len())
            .collect();
        if !again.contains(&true) {
            return;
        }
        let mut first = 0;
        for (at, again) in again.iter().enumerate() {
            if !again {
                first = at;
                continue;
            }
            let (figure, line) = (&self.figures[at], self.figures[first].line);
            let same_edition = self.published_at(figure) == self.published_at(&self.figures[first]);
            let problem = Arc::new(if same_edition { Problem::Duplicate { line } } else { Problem::OtherEdition { line } });
            rows.rejects.push(Reject { line: figure.line, column: header(rows, figure), field: "period".into(), problem });
        }
        let mut again = again.into_iter();
        self.figures.retain(|_| !again.next().unwrap_or_default());
    }

    /// Ranges in which no cell comes twice: the oldest edition of each cell, then the next ones. The figures are sorted by them.
    fn layers(&mut self) -> Vec<Range<usize>> {
        let same_cell = |a: &Figure, b: &Figure| a.key == b.key && a.period == b.period;
        if !self.figures.windows(2).any(|pair| same_cell(&pair[0], &pair[1])) {
            let all = 0..self.figures.len();
            return Vec::from([all]);
        }
        let mut layers: BTreeMap<usize, Vec<Figure>> = BTreeMap::new();
        for editions in self.figures.chunk_by(same_cell) {
            for (layer, edition) in editions.iter().enumerate() {
                layers.entry(layer).or_default().push(*edition);
            }
        }
        self.figures.clear();
        let mut ranges = Vec::new();
        for layer in layers.into_values() {
            ranges.push(self.figures.len()..self.figures.len() + layer.len());
            self.figures.extend(layer);
        }
        ranges
    }

    /// Cuts all figures into batches. Returns the series that are too long to be replaced, by a figure and how many they have;
    /// they are left out.
    fn cut(&mut self) -> Vec<(Figure, usize)> {
        self.ranges.clear();
        if self.mode == WriteMode::Replace {
            return self.cut_between_series();
        }
        let layers = self.layers();
        self.ranges = layers.into_iter().flat_map(|layer| self.size.cut(layer, |at| self.bytes(at))).collect();
        Vec::new()
    }

    fn cut_between_series(&mut self) -> Vec<(Figure, usize)> {
        let mut too_long = Vec::new();
        let mut kept: Vec<Figure> = Vec::with_capacity(self.figures.len());
        let (mut start, mut bytes, mut at) = (0, 0, 0);
        for figures in self.figures.chunk_by(|a, b| a.key == b.key) {
            let size: usize = (at..at + figures.len()).map(|at| self.bytes(at)).sum();
            at += figures.len();
            if figures.len() > MOST_FIGURES || size > Size::ORDINARY.bytes {
                too_long.push((figures[0], figures.len()));
                continue;
            }
            if kept.len() > start && (kept.len() - start + figures.len() > self.size.figures || bytes + size > self.size.bytes) {
                self.ranges.push(start..kept.len());
                (start, bytes) = (kept.len(), 0);
            }
            kept.extend_from_slice(figures);
            bytes += size;
        }
        if start < kept.len() {
            self.ranges.push(start..kept.len());
        }
        self.figures = kept;
        too_long
    }

    fn bytes(&self, at: usize) -> usize {
        let figure = &self.figures[at];
        // A key is as long as several figures; where it begins it counts.
        let begins = at == 0 || self.figures[at - 1].key != figure.key;
        FIGURE_BYTES * if begins { 6 } else { 1 } + self.details_bytes(figure)
    }

    /// Bytes that a figure has beyond [`FIGURE_BYTES`].
    pub(super) fn details_bytes(&self, figure: &Figure) -> usize {
        let details = &self.details[figure.details as usize];
        let texts = details.original_text.len() + details.note.len() + details.document_uri.len();
        texts + details.equivalents.len() * FIGURE_BYTES
    }

    /// A figure as an observation that says of which series it is.
    pub(super) fn observation_with_series(&self, figure: &Figure) -> Observation {
        let series = Some(v1::SeriesKey::from(&self.series[figure.key as usize].key));
        Observation { series, ..self.observation(figure) }
    }

    fn observation(&self, figure: &Figure) -> Observation {
        let details = &self.details[figure.details as usize];
        let mut observation = Observation { period: figure.period.to_string(), ..Observation::default() };
        if let Some(value) = figure.value {
            value.write_to(&mut observation.value);
        }
        if *details != Details::default() {
            details.fill(&mut observation);
        }
        observation
    }
}

fn header(rows: &Rows, figure: &Figure) -> Option<Arc<str>> {
    rows.headers.get(&figure.column).cloned()
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
