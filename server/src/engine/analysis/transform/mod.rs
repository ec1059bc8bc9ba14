//! What can be computed of a line: [`indicator_proto::v1::Transform`], checked, planned for an indicator, and applied.

mod change;
mod plan;
mod relate;
mod window;

use indicator_proto::{Decimal, Frequency, Period};

use plan::Stage;
pub(super) use plan::{PERCENT, Plan};

use super::{line::Line, reading::Reading};
use crate::engine::{Error, Sources};

/// One computation.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Less the figure before.
    Change(Span),
    /// Relative to the figure before, in percent.
    PercentChange(Span),
    /// Growth at an annual rate, in percent.
    CompoundedAnnualRate,
    /// Difference of the logarithms, in percent; perhaps at an annual rate.
    ContinuouslyCompounded {
        /// Times the periods of a year.
        annual: bool,
    },
    /// The natural logarithm.
    NaturalLogarithm,
    /// Relative to a base period, which is 100.
    IndexTo(Period),
    /// Over so many periods that end with this one.
    Rolling {
        /// At least 2.
        periods: u32,
        /// How they make one.
        method: Method,
    },
    /// From the beginning of the year.
    Cumulate,
    /// Of figures from the beginning of the year, those of the single periods.
    Decumulate,
    /// For each so many of another indicator.
    PerUnit {
        /// Its id.
        indicator: String,
        /// How many.
        multiple: Decimal,
    },
    /// In percent of the figure of a region above: that of a level, or the parent where it is empty.
    ShareOfRegion {
        /// The level.
        level: String,
    },
    /// To a lower frequency.
    Aggregate {
        /// Which.
        frequency: Frequency,
        /// How; by the indicator's rule if absent.
        method: Option<Method>,
        /// Leave out what lacks periods.
        whole: bool,
    },
    /// To another unit.
    Convert {
        /// Its id.
        unit: String,
        /// The indicator that is the exchange rate; empty if it is not about money.
        exchange_rate: String,
    },
}

/// What a figure is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// The period before.
    Period,
    /// The same period of the year before.
    Year,
}

/// How figures make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Their mean.
    Average,
    /// Their sum.
    Sum,
    /// The last.
    Last,
    /// The first.
    First,
    /// The greatest.
    Max,
    /// The least.
    Min,
}

impl Plan {
    /// Computes a line.
    pub(super) fn apply(&self, reading: &Reading<'_>, sources: &Sources, mut line: Line) -> Result<Line, Error> {
        for (stage, unit) in &self.stages {
            let unit = unit.clone();
            line = match stage {
                Stage::Change(span) => change::difference(line, unit, *span),
                Stage::PercentChange(span) => change::percent(line, unit, *span),
                Stage::CompoundedAnnualRate => change::compounded(line, unit),
                Stage::ContinuouslyCompounded { annual } => change::continuously_compounded(line, unit, *annual),
                Stage::NaturalLogarithm => change::logarithm(line, unit),
                Stage::IndexTo(base) => change::index(line, unit, *base),
                Stage::Rolling { periods, method } => window::rolling(line, unit, *periods, *method),
                Stage::Cumulate => window::cumulate(line, unit),
                Stage::Decumulate => window::decumulate(line, unit),
                Stage::Aggregate { frequency, method, whole } => window::aggregate(line, unit, *frequency, *method, *whole),
                Stage::PerUnit { indicator, multiple } => relate::per_unit(reading, sources, line, unit, indicator, *multiple)?,
                Stage::ShareOfRegion { level, before } => relate::share(reading, sources, line, unit, level, before)?,
                Stage::Scale { multiply, divide } => relate::scale(line, unit, *multiply, *divide),
                Stage::Exchange { indicator, multiply } => relate::exchange(reading, line, unit, indicator, *multiply)?,
            };
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests;
