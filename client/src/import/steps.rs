//! An import as a stream: its figures in steps, each of which is one write, in the order of their periods or of their editions.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

use indicator_proto::v1::{self, Observation};
use indicator_proto::{Period, SeriesKey, Time};
use prost::Message as _;

use super::batch::{FIGURE_BYTES, Size};
use super::prepare::{File, Import};
use super::run::index_in;
use crate::Error;

/// In which order figures are written, and which of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The figures of a period together; by its last day, as figures come out when it is over, and of periods that end on the same
    /// day the shorter first. Further editions of its cells follow one by one, from the oldest to the newest.
    Period,
    /// The figures that a file has of one moment of publication together; by that moment, then in the order of the files. Those
    /// without one come last, as they count as published when they are written.
    Vintage,
}

/// What the figures of a step have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A period.
    Period {
        /// The period.
        period: Period,
        /// How many editions of each of these cells were in earlier steps.
        edition: usize,
    },
    /// An edition.
    Vintage {
        /// When it was published. `None` means when it is written.
        published_at: Option<Time>,
        /// Index of its file.
        file: usize,
    },
}

/// Figures that are written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What they have in common.
    pub topic: Topic,
    /// Which part of the topic it is, from 0. There are several only where one write does not hold it.
    pub part: usize,
    /// How many parts the topic has.
    pub parts: usize,
    places: Range<usize>,
}

impl Step {
    /// How many figures it has.
    pub fn figures(&self) -> usize {
        self.places.len()
    }
}

/// Where a figure of an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: usize,
    figure: usize,
}

/// An import as a stream.
#[derive(Debug)]
pub struct Steps {
    import: Import,
    /// The figures in the order in which they are written.
    places: Vec<Place>,
    steps: Vec<Step>,
}

/// A figure with what orders it.
#[derive(Debug, Clone, Copy)]
struct Version {
    place: Place,
    /// Index of its series among those of all files.
    series: usize,
    period: Period,
    published_at: Option<Time>,
}

impl Version {
    fn same_cell(&self, other: &Self) -> bool {
        (self.series, self.period) == (other.series, other.period)
    }

    /// Where its edition stands among the others.
    fn vintage(&self) -> impl Ord + use<> {
        vintage(self.published_at, self.place.file)
    }
}

/// What has no date is published when it is written, and so after everything else.
fn vintage(published_at: Option<Time>, file: usize) -> impl Ord + use<> {
    (published_at.is_none(), published_at, file)
}

impl Steps {
    /// Puts the figures of an import into steps. `from` leaves out the periods that begin before it does, `to` those that end
    /// after it does.
    pub fn new(import: Import, order: Order, from: Option<Period>, to: Option<Period>) -> Self {
        let mut versions = versions(&import.files);
        versions.retain(|it| from.is_none_or(|from| it.period.start() >= from.start()));
        versions.retain(|it| to.is_none_or(|to| it.period.end() <= to.end()));
        versions.sort_by_key(|it| (it.series, it.period, it.vintage(), it.place));
        // The sorts are stable, so that a step has its figures by series and period.
        let ordered = match order {
            Order::Period => by_period(&versions),
            Order::Vintage => by_vintage(versions),
        };
        let places: Vec<Place> = ordered.iter().map(|(_, place)| *place).collect();
        let key_bytes: Vec<Vec<usize>> = import.files.iter().map(key_bytes).collect();
        let bytes = |at: usize| {
            let Place { file, figure } = places[at];
            let batches = &import.files[file].batches;
            let figure = &batches.figures[figure];
            FIGURE_BYTES + key_bytes[file][figure.key as usize] + batches.details_bytes(figure)
        };
        let (mut steps, mut start) = (Vec::new(), 0);
        for together in ordered.chunk_by(|a, b| a.0 == b.0) {
            let ranges = Size::ORDINARY.cut(start..start + together.len(), bytes);
            let (topic, parts) = (together[0].0, ranges.len());
            steps.extend(ranges.into_iter().enumerate().map(|(part, places)| Step { topic, part, parts, places }));
            start += together.len();
        }
        Self { import, places, steps }
    }

    /// The import that they come from.
    pub fn import(&self) -> &Import {
        &self.import
    }

    /// The steps, in their order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Figures of all steps.
    pub fn figures(&self) -> usize {
        self.places.len()
    }

    /// What a step writes; each cell once.
    pub fn changes(&self, step: &Step) -> Vec<Observation> {
        self.places[step.places.clone()].iter().map(|place| self.observation(*place)).collect()
    }

    fn observation(&self, Place { file, figure }: Place) -> Observation {
        let file = &self.import.files[file];
        let mut observation = file.batches.observation_with_series(&file.batches.figures[figure]);
        observation.published_at = observation.published_at.or(file.published_at.map(Into::into));
        observation
    }

    /// Adds the figures of a step that the service names in its refusal to the rejects of their files. Returns how many.
    pub fn take_refusal(&mut self, step: &Step, refusal: &Error) -> usize {
        let Error::Rpc { violations, .. } = refusal else { return 0 };
        let before = self.import.rejected();
        for violation in violations {
            let change = index_in(&violation.field, "changes[").map(|(change, _)| change);
            if let Some(Place { file, figure }) = change.and_then(|change| self.places[step.places.clone()].get(change)) {
                let file = &mut self.import.files[*file];
                let figure = file.batches.figures[*figure];
                file.reject(&figure, &violation.field, violation.into());
            }
        }
        self.import.rejected() - before
    }
}

fn versions(files: &[File]) -> Vec<Version> {
    let mut known: HashMap<&SeriesKey, usize> = HashMap::new();
    let mut versions = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let batches = &file.batches;
        let series: Vec<usize> = batches
            .series
            .iter()
            .map(|series| {
                let next = known.len();
                *known.entry(&series.key).or_insert(next)
            })
            .collect();
        versions.extend(batches.figures.iter().enumerate().map(|(figure, it)| Version {
            place: Place { file: at, figure },
            series: series[it.key as usize],
            period: it.period,
            published_at: batches.published_at(it).or(file.published_at),
        }));
    }
    versions
}

/// The versions are sorted by cell and edition.
fn by_period(versions: &[Version]) -> Vec<(Topic, Place)> {
    let mut ordered = Vec::with_capacity(versions.len());
    for editions in versions.chunk_by(Version::same_cell) {
        ordered.extend(editions.iter().enumerate().map(|(edition, it)| (it.period, edition, it.place)));
    }
    ordered.sort_by_cached_key(|(period, edition, _)| (period.end(), Reverse(period.frequency()), *edition));
    ordered.into_iter().map(|(period, edition, place)| (Topic::Period { period, edition }, place)).collect()
}

fn by_vintage(mut versions: Vec<Version>) -> Vec<(Topic, Place)> {
    versions.sort_by_key(Version::vintage);
    let topic = |it: &Version| Topic::Vintage { published_at: it.published_at, file: it.place.file };
    versions.iter().map(|it| (topic(it), it.place)).collect()
}

/// Bytes of the key of each series of a file: a write repeats it with every figure.
fn key_bytes(file: &File) -> Vec<usize> {
    file.batches.series.iter().map(|series| v1::SeriesKey::from(&series.key).encoded_len()).collect()
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
