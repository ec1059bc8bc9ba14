//! Figures in a line: those of one series, or computed of several, by period.

use std::{borrow::Cow, sync::Arc};

use indicator_proto::{Period, SeriesKey, Statuses, Time, v1::MissingReason};

use super::estimate::{Estimate, Outcome};
use crate::{
    engine::preferred::recency,
    store::{Datum, Details, Figure, Kind, Version},
};

/// A figure of one period, recorded or computed.
#[derive(Debug, Clone)]
pub struct Point {
    /// Its series; without a source where it is computed of the figures of several.
    pub key: Arc<SeriesKey>,
    /// Its unit, where that is not the indicator's.
    pub unit: Option<Arc<str>>,
    /// The figure, and since when it could be known.
    pub version: Version,
    /// Of how many periods or regions it is made, and of how many it should be.
    pub coverage: Option<Coverage>,
    /// How it came about.
    pub origin: Origin,
    /// What is known of it.
    pub(super) outcome: Outcome,
}

/// How much of what a figure should be made of it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// As many have a figure.
    pub reported: u32,
    /// As many there should be.
    pub expected: u32,
}

impl Coverage {
    pub(super) fn of(reported: usize, expected: usize) -> Self {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { reported: count(reported), expected: count(expected) }
    }
}

/// How a figure came about.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A source said so.
    Recorded {
        /// How many other sources report the cell.
        other_sources: u32,
        /// Whether one of them contradicts it.
        sources_disagree: bool,
    },
    /// It was computed.
    Computed(Derivation),
    /// Nobody said anything: what an operand is that is not recorded.
    Absent,
}

/// The formula of a computed figure, and what it was computed of.
#[derive(Debug, Clone)]
pub struct Derivation {
    /// Over the names of the operands.
    pub formula: Cow<'static, str>,
    /// In the order of the formula.
    pub operands: Vec<Operand>,
    /// Told even where nobody asked: the rate at which money was converted.
    pub always: bool,
}

/// A figure that another was computed of.
#[derive(Debug, Clone)]
pub struct Operand {
    /// Its name in the formula.
    pub name: Cow<'static, str>,
    /// The figure.
    pub point: Arc<Point>,
}

impl Operand {
    pub(super) fn new(name: impl Into<Cow<'static, str>>, point: &Arc<Point>) -> Self {
        Self { name: name.into(), point: Arc::clone(point) }
    }
}

impl Point {
    /// A figure as a source said it; `None` of a withdrawn one.
    pub(super) fn recorded(key: &Arc<SeriesKey>, version: &Version, other_sources: u32, sources_disagree: bool) -> Option<Self> {
        Some(Self {
            key: Arc::clone(key),
            unit: None,
            outcome: Estimate::of_figure(&version.figure)?,
            version: version.clone(),
            coverage: None,
            origin: Origin::Recorded { other_sources, sources_disagree },
        })
    }

    /// The place of a figure that is not recorded.
    pub(super) fn absent(key: &Arc<SeriesKey>, period: Period) -> Arc<Self> {
        let figure = Figure { datum: Datum::Missing(MissingReason::NotAvailable), statuses: Statuses::default(), details: None };
        Arc::new(Self {
            key: Arc::clone(key),
            unit: None,
            version: Version {
                period,
                kind: Kind::Inserted,
                published_at: Time::MIN,
                recorded_at: Time::MIN,
                revision: 0,
                figure,
            },
            coverage: None,
            origin: Origin::Absent,
            outcome: Err(MissingReason::NotAvailable),
        })
    }

    /// A figure computed of others, which it keeps to tell how it came about.
    pub(super) fn computed(
        key: &Arc<SeriesKey>,
        unit: Option<&Arc<str>>,
        period: Period,
        formula: impl Into<Cow<'static, str>>,
        operands: Vec<Operand>,
        outcome: Outcome,
    ) -> Self {
        let versions = || operands.iter().map(|operand| &operand.point.version);
        let version = Version {
            period,
            kind: Kind::Inserted,
            published_at: versions().map(|v| v.published_at).max().unwrap_or(Time::MIN),
            recorded_at: versions().map(|v| v.recorded_at).max().unwrap_or(Time::MIN),
            revision: versions().map(|v| v.revision).max().unwrap_or(0),
            figure: figure(&outcome, versions().map(|v| v.figure.statuses).fold(Statuses::default(), Statuses::union)),
        };
        let origin = Origin::Computed(Derivation { formula: formula.into(), operands, always: false });
        Self { key: Arc::clone(key), unit: unit.cloned(), version, coverage: None, origin, outcome }
    }

    /// The period that it is of.
    #[must_use]
    pub fn period(&self) -> Period {
        self.version.period
    }

    /// Whether there is a figure, as far as it is known.
    pub(super) fn estimate(&self) -> Option<&Estimate> {
        self.outcome.as_ref().ok()
    }

    /// With how much it is made of.
    pub(super) fn covering(mut self, reported: usize, expected: usize) -> Self {
        self.coverage = Some(Coverage::of(reported, expected));
        self
    }

    /// Without what it was computed of.
    pub(super) fn unexplained(mut self) -> Self {
        if let Origin::Computed(derivation) = &mut self.origin {
            derivation.operands = Vec::new();
        }
        self
    }

    /// Told how it came about even where nobody asks.
    pub(super) fn always_told(mut self) -> Self {
        if let Origin::Computed(derivation) = &mut self.origin {
            derivation.always = true;
        }
        self
    }
}

/// A computed figure as one would be recorded.
fn figure(outcome: &Outcome, statuses: Statuses) -> Figure {
    let (datum, rounded_to) = match outcome {
        Ok(estimate) => estimate.figure(),
        Err(reason) => (Datum::Missing(*reason), None),
    };
    let details = rounded_to.map(|step| Arc::new(Details { rounded_to: Some(step), ..Details::default() }));
    Figure { datum, statuses, details }
}

/// Figures of one series, or computed as of one.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The series; without a source where sources compete.
    pub(super) key: Arc<SeriesKey>,
    /// The unit, where it is not the indicator's.
    pub(super) unit: Option<Arc<str>>,
    /// By period: frequency, then start.
    pub(super) points: Vec<Arc<Point>>,
    /// Whether computed figures keep what they were computed of: windows over windows of many periods are large.
    pub(super) explain: bool,
}

impl Line {
    /// The figure of a period.
    pub(super) fn at(&self, period: Period) -> Option<&Arc<Point>> {
        self.points.binary_search_by_key(&period, |point| point.period()).ok().map(|index| &self.points[index])
    }

    /// The figure of a period, or that there is none.
    pub(super) fn at_or_absent(&self, period: Period) -> Arc<Point> {
        self.at(period).cloned().unwrap_or_else(|| Point::absent(&self.key, period))
    }

    /// The latest figure: that of the period with the greatest last day, among equals of the finer frequency.
    pub(super) fn latest(&self) -> Option<&Arc<Point>> {
        self.points.iter().max_by_key(|point| recency(point.period()))
    }

    /// The latest that is a figure, as far as it is known: what is missing is not the latest of anything.
    pub(super) fn latest_known(&self) -> Option<&Arc<Point>> {
        let known = self.points.iter().filter(|point| point.estimate().is_some());
        known.max_by_key(|point| recency(point.period()))
    }

    /// A figure of the line, computed of others.
    pub(super) fn point(
        &self,
        unit: &Option<Arc<str>>,
        period: Period,
        formula: impl Into<Cow<'static, str>>,
        operands: Vec<Operand>,
        outcome: Outcome,
    ) -> Point {
        let point = Point::computed(&self.key, unit.as_ref(), period, formula, operands, outcome);
        if self.explain { point } else { point.unexplained() }
    }

    /// Each figure computed anew; one for which there is no answer is left out.
    pub(super) fn map(self, unit: Option<Arc<str>>, compute: impl Fn(&Self, &Arc<Point>) -> Option<Point>) -> Self {
        let points = self.points.iter().filter_map(|point| compute(&self, point)).map(Arc::new).collect();
        Self { unit, points, ..self }
    }
}
