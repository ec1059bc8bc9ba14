//! From periods and figures to places on the drawing.

use indicator_proto::{Frequency, Period};

use super::Value;

/// Beyond this size arithmetic with figures would overflow.
const GREATEST: f64 = 1e100;

/// What looks equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Linear,
    Log,
}

impl Measure {
    pub(super) fn of(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
        }
    }
}

impl Value {
    /// The lower and upper end of what is drawn of it; none where it is missing, or has no place on the scale.
    pub(super) fn ends(&self, measure: Measure) -> Option<(f64, f64)> {
        let (lower, upper) = match *self {
            Self::Exact(value) | Self::Above(value) | Self::Below(value) | Self::Near(value) => (value, value),
            Self::Between(one, other) => (one.min(other), one.max(other)),
            Self::Missing => return None,
        };
        let drawn = |value: f64| match measure {
            Measure::Linear => value.is_finite() && value.abs() <= GREATEST,
            Measure::Log => (1.0 / GREATEST..=GREATEST).contains(&value),
        };
        (drawn(lower) && drawn(upper)).then_some((lower, upper))
    }
}

/// The heights of figures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Height {
    pub(super) measure: Measure,
    /// The least and the greatest figure that has a place.
    pub(super) least: f64,
    pub(super) greatest: f64,
    /// Where these two are.
    pub(super) bottom: f64,
    pub(super) top: f64,
}

impl Height {
    pub(super) fn of(&self, value: f64) -> f64 {
        let (least, greatest) = (self.measure.of(self.least), self.measure.of(self.greatest));
        let part = (self.measure.of(value) - least) / (greatest - least);
        self.bottom + (self.top - self.bottom) * part.clamp(0.0, 1.0)
    }
}

/// Where periods are across.
#[derive(Debug, Clone)]
pub(super) enum Across {
    /// By their middles.
    Time { from: f64, to: f64, left: f64, right: f64 },
    /// One beside the other, as bars where time would leave them no width.
    Side { periods: Vec<Period>, left: f64, right: f64 },
}

impl Across {
    pub(super) fn of(&self, period: Period) -> f64 {
        match self {
            Self::Time { .. } => self.day(middle(period)),
            Self::Side { periods, left, right } => {
                let at = periods.partition_point(|it| middle(*it) < middle(period));
                left + (right - left) * (at as f64 + 0.5) / periods.len().max(1) as f64
            }
        }
    }

    /// The place of a day by its number, where days have one.
    pub(super) fn day(&self, day: f64) -> f64 {
        match self {
            Self::Time { from, to, left, right } => left + (right - left) * ((day - from) / (to - from)).clamp(0.0, 1.0),
            Self::Side { left, .. } => *left,
        }
    }
}

/// The middle of a period in days from 1970.
pub(super) fn middle(period: Period) -> f64 {
    start(period).midpoint(end(period))
}

/// Where a period begins, in days from 1970.
pub(super) fn start(period: Period) -> f64 {
    day(period.start())
}

/// Where it ends: where the next begins.
pub(super) fn end(period: Period) -> f64 {
    day(period.end()) + 1.0
}

fn day(date: jiff::civil::Date) -> f64 {
    Period::containing(Frequency::Daily, date).map_or(0.0, |day| day.ordinal().into())
}
