//! What is known of a computed figure: a value, or the numbers that it may be.
//!
//! The arithmetic is that of intervals: the result holds every number that some true operands can give, and is not wider than
//! one step of a formula makes it. Operands are taken to be independent of each other, so that a figure less itself may be wider
//! than zero where its bound leaves it open.

mod interval;

use indicator_proto::{Bound, Decimal, Interval, v1::MissingReason};

pub(super) use self::interval::{End, Span};
use super::arithmetic::{self, Rounding};
use crate::store::{Datum, Figure};

/// A computed figure, or why there is none.
pub(super) type Outcome = Result<Estimate, MissingReason>;

/// How far the published words commit themselves; the least of the operands counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nature {
    /// A value, perhaps rounded.
    Value,
    /// "About" a value.
    About,
    /// A bound or an interval: no value was published.
    Bounds,
}

/// What is known of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::engine) struct Estimate {
    nature: Nature,
    /// What the operands give as they were published; of a bound, the number it names. None of an interval.
    nominal: Option<Decimal>,
    /// The numbers that it may be; absent where it is the nominal one for certain.
    span: Option<Span>,
}

impl Estimate {
    /// A number.
    pub(super) fn exactly(value: Decimal) -> Self {
        Self { nature: Nature::Value, nominal: Some(value), span: None }
    }

    /// What a recorded figure says; `None` of a withdrawn one. A rounded figure lies less than half a step from its value: that
    /// it lies just half way would make two different figures possibly equal that nobody takes for equal.
    pub(super) fn of_figure(figure: &Figure) -> Option<Outcome> {
        let rounded_to = figure.details.as_ref().and_then(|details| details.rounded_to);
        Some(match figure.datum {
            Datum::Value(value, bound) => Ok(Self::of_value(value, bound, rounded_to)),
            Datum::Interval(interval) => {
                let span = Span::closed(interval.lower(), interval.upper());
                Ok(Self { nature: Nature::Bounds, nominal: None, span: Some(span) }.settled())
            }
            Datum::Missing(reason) => Err(reason),
            Datum::Withdrawn => return None,
        })
    }

    fn of_value(value: Decimal, bound: Bound, rounded_to: Option<Decimal>) -> Self {
        let (nature, span) = match (bound, rounded_to) {
            (Bound::Exact, None) => (Nature::Value, None),
            (Bound::Exact, Some(step)) => (Nature::Value, Some(Span::around(value, step))),
            (Bound::Approximate, Some(step)) => (Nature::About, Some(Span::around(value, step))),
            (Bound::Approximate, None) => (Nature::About, Some(Span::EVERYTHING)),
            (Bound::GreaterThan, _) => (Nature::Bounds, Some(Span::above(value, false))),
            (Bound::AtLeast, _) => (Nature::Bounds, Some(Span::above(value, true))),
            (Bound::LessThan, _) => (Nature::Bounds, Some(Span::below(value, false))),
            (Bound::AtMost, _) => (Nature::Bounds, Some(Span::below(value, true))),
        };
        Self { nature, nominal: Some(value), span }
    }

    /// The numbers that it may be.
    pub(super) fn span(&self) -> Span {
        // Without a span there is a nominal value: every constructor sees to it.
        self.span.unwrap_or_else(|| self.nominal.map_or(Span::EVERYTHING, |value| Span::closed(value, value)))
    }

    /// Where it stands among others as published: its value, the number of its bound, the nearer end of its interval.
    pub(super) fn place(&self) -> Option<Decimal> {
        self.nominal.or_else(|| self.span().lower().number()).or_else(|| self.span().upper().number())
    }

    /// An operation of one operand, on its value and on its span.
    fn map(self, value: impl Fn(Decimal) -> Option<Decimal>, span: impl FnOnce(Span) -> Option<Span>) -> Outcome {
        let nominal = self.nominal.and_then(value);
        let span = match self.span {
            None => return nominal.map(Self::exactly).ok_or(MissingReason::Undetermined),
            Some(of_operand) => span(of_operand).ok_or(MissingReason::Undetermined)?,
        };
        Self { nominal, span: Some(span), ..self }.settled().known()
    }

    /// An operation of two operands.
    fn combine(
        self,
        other: Self,
        value: impl FnOnce(Decimal, Decimal) -> Option<Decimal>,
        span: impl FnOnce(Span, Span) -> Option<Span>,
    ) -> Outcome {
        let nominal = self.nominal.zip(other.nominal).and_then(|(a, b)| value(a, b));
        if self.span.is_none() && other.span.is_none() {
            return nominal.map(Self::exactly).ok_or(MissingReason::Undetermined);
        }
        let span = span(self.span(), other.span()).ok_or(MissingReason::Undetermined)?;
        Self { nature: self.nature.max(other.nature), nominal, span: Some(span) }.settled().known()
    }

    /// An interval of one number is that number.
    fn settled(self) -> Self {
        match self.span.and_then(|span| span.only()) {
            Some(only) if self.nature == Nature::Bounds => Self::exactly(only),
            _ => self,
        }
    }

    /// Nothing is known of a figure that may be any number, unless somebody named one.
    fn known(self) -> Outcome {
        let known = match self.nature {
            Nature::Value => self.nominal.is_some() && self.span().is_bounded(),
            Nature::About => self.nominal.is_some(),
            Nature::Bounds => self.span() != Span::EVERYTHING,
        };
        if known { Ok(self) } else { Err(MissingReason::Undetermined) }
    }

    /// `self + other`.
    pub(super) fn plus(self, other: Self) -> Outcome {
        self.combine(other, |a, b| arithmetic::add(a, b, Rounding::Nearest), Span::plus)
    }

    /// `self - other`.
    pub(super) fn minus(self, other: Self) -> Outcome {
        self.plus(other.negated())
    }

    /// `-self`.
    pub(super) fn negated(self) -> Self {
        Self { nature: self.nature, nominal: self.nominal.map(arithmetic::negated), span: self.span.map(Span::negated) }
    }

    /// `self * other`.
    pub(super) fn times(self, other: Self) -> Outcome {
        self.combine(other, |a, b| arithmetic::mul(a, b, Rounding::Nearest), Span::times)
    }

    /// `self / other`. What is divided by zero cannot exist; by what may be zero, is undetermined.
    pub(super) fn over(self, other: Self) -> Outcome {
        if other.span().only().is_some_and(|only| only.is_zero()) {
            return Err(MissingReason::CannotExist);
        }
        let value = |a: Decimal, b: Decimal| (!b.is_zero()).then(|| arithmetic::div(a, b, Rounding::Nearest)).flatten();
        self.combine(other, value, Span::over)
    }

    /// The natural logarithm; of what is not positive there is none.
    pub(super) fn ln(self) -> Outcome {
        if self.span().upper().number().is_some_and(|upper| upper.is_negative() || upper.is_zero()) {
            return Err(MissingReason::CannotExist);
        }
        let value = |a: Decimal| (!a.is_negative() && !a.is_zero()).then(|| arithmetic::ln(a, Rounding::Nearest)).flatten();
        self.map(value, Span::ln)
    }

    /// `self` to the power of `n`, which is at least 1.
    pub(super) fn pow(self, n: u32) -> Outcome {
        self.map(|a| arithmetic::pow(a, n, Rounding::Nearest), |span| span.pow(n))
    }

    /// The greater of two.
    pub(super) fn max(self, other: Self) -> Outcome {
        self.combine(other, |a, b| Some(a.max(b)), |a, b| Some(a.max(b)))
    }

    /// The lesser of two.
    pub(super) fn min(self, other: Self) -> Outcome {
        Ok(self.negated().max(other.negated())?.negated())
    }

    /// As a figure is recorded: its datum, and how far its rounding lets it lie to either side, twice.
    pub(super) fn figure(&self) -> (Datum, Option<Decimal>) {
        let (lower, upper) = (self.span().lower(), self.span().upper());
        match (self.nature, self.nominal, self.span) {
            (Nature::Value, Some(value), None) => (Datum::Value(value, Bound::Exact), None),
            (Nature::Value, Some(value), Some(span)) => (Datum::Value(value, Bound::Exact), span.step_around(value)),
            (Nature::About, Some(value), span) => {
                (Datum::Value(value, Bound::Approximate), span.and_then(|span| span.step_around(value)))
            }
            _ => match (lower.number(), upper.number()) {
                (Some(lower), Some(upper)) => {
                    let interval = Interval::new(lower, upper);
                    (interval.map_or(Datum::Missing(MissingReason::Undetermined), Datum::Interval), None)
                }
                (Some(number), None) => {
                    (Datum::Value(number, if lower.is_included() { Bound::AtLeast } else { Bound::GreaterThan }), None)
                }
                (None, Some(number)) => {
                    (Datum::Value(number, if upper.is_included() { Bound::AtMost } else { Bound::LessThan }), None)
                }
                (None, None) => (Datum::Missing(MissingReason::Undetermined), None),
            },
        }
    }
}

#[cfg(test)]
mod tests;
