//! What a published figure says of the true one.

use std::ops::Bound as End;

use crate::{Decimal, v1};

/// The relation between the true figure and the published value. The numbers are those of [`v1::Bound`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Bound {
    /// The figure is the value.
    #[default]
    Exact = 1,
    /// More than the value.
    GreaterThan,
    /// The value or more.
    AtLeast,
    /// Less than the value.
    LessThan,
    /// The value or less.
    AtMost,
    /// Near the value, by an unstated margin.
    Approximate,
}

/// A number that is no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a bound; write 1 (exact) to 6 (approximate)")]
pub struct UnknownBound(pub i32);

impl Bound {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Exact, Self::GreaterThan, Self::AtLeast, Self::LessThan, Self::AtMost, Self::Approximate];
}

impl TryFrom<u8> for Bound {
    type Error = UnknownBound;

    fn try_from(number: u8) -> Result<Self, UnknownBound> {
        Self::ALL.into_iter().find(|bound| *bound as u8 == number).ok_or(UnknownBound(number.into()))
    }
}

/// "Unspecified" means exact.
impl From<v1::Bound> for Bound {
    fn from(bound: v1::Bound) -> Self {
        match bound {
            v1::Bound::Unspecified | v1::Bound::Exact => Self::Exact,
            v1::Bound::GreaterThan => Self::GreaterThan,
            v1::Bound::AtLeast => Self::AtLeast,
            v1::Bound::LessThan => Self::LessThan,
            v1::Bound::AtMost => Self::AtMost,
            v1::Bound::Approximate => Self::Approximate,
        }
    }
}

impl From<Bound> for v1::Bound {
    fn from(bound: Bound) -> Self {
        match bound {
            Bound::Exact => Self::Exact,
            Bound::GreaterThan => Self::GreaterThan,
            Bound::AtLeast => Self::AtLeast,
            Bound::LessThan => Self::LessThan,
            Bound::AtMost => Self::AtMost,
            Bound::Approximate => Self::Approximate,
        }
    }
}

/// Two numbers, both included, that a figure lies between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    lower: Decimal,
    upper: Decimal,
}

/// An interval whose lower end is above its upper end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the interval's lower end {lower} is above its upper end {upper}; exchange them")]
pub struct ReversedInterval {
    /// The lower end.
    pub lower: Decimal,
    /// The upper end.
    pub upper: Decimal,
}

impl Interval {
    /// From `lower` to `upper`, which is not below it.
    pub fn new(lower: Decimal, upper: Decimal) -> Result<Self, ReversedInterval> {
        if lower <= upper { Ok(Self { lower, upper }) } else { Err(ReversedInterval { lower, upper }) }
    }

    /// The lower end.
    pub fn lower(&self) -> Decimal {
        self.lower
    }

    /// The upper end.
    pub fn upper(&self) -> Decimal {
        self.upper
    }
}

impl From<Interval> for v1::Interval {
    fn from(interval: Interval) -> Self {
        Self { lower: interval.lower.to_string(), upper: interval.upper.to_string() }
    }
}

/// The true figures that a published one allows.
///
/// 1,710,000 rounded to 10,000 allows 1,705,000 to 1,715,000, both included since sources differ in how they round halves; "more
/// than 100,000" allows everything above; "about" a value without a rounding allows everything, so it never contradicts another
/// figure. Two sources disagree when no true figure is allowed by both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    lower: End<Decimal>,
    upper: End<Decimal>,
}

impl Extent {
    /// Of a value as published. `rounded_to` is the size of its last digit; it widens exact and approximate values, whose
    /// neighbours round to them, and not one-sided ones, which say on which side of the value the figure lies.
    pub fn of_value(value: Decimal, bound: Bound, rounded_to: Option<Decimal>) -> Self {
        let everything = Self { lower: End::Unbounded, upper: End::Unbounded };
        match (bound, rounded_to) {
            (Bound::Exact, None) => Self { lower: End::Included(value), upper: End::Included(value) },
            (Bound::Exact | Bound::Approximate, Some(step)) => Self::around(value, step),
            (Bound::Approximate, None) => everything,
            (Bound::GreaterThan, _) => Self { lower: End::Excluded(value), ..everything },
            (Bound::AtLeast, _) => Self { lower: End::Included(value), ..everything },
            (Bound::LessThan, _) => Self { upper: End::Excluded(value), ..everything },
            (Bound::AtMost, _) => Self { upper: End::Included(value), ..everything },
        }
    }

    /// Half a step to either side; wider where that has more digits than a decimal can have.
    fn around(value: Decimal, step: Decimal) -> Self {
        let upper = end_above(value.mantissa(), value.scale(), step);
        // Below a value is above its negative.
        let lower = end_above(-value.mantissa(), value.scale(), step).map(|end| negated(&end));
        let end = |end: Option<Decimal>| end.map_or(End::Unbounded, End::Included);
        Self { lower: end(lower), upper: end(upper) }
    }

    /// Where it begins.
    pub fn lower(&self) -> End<Decimal> {
        self.lower
    }

    /// Where it ends.
    pub fn upper(&self) -> End<Decimal> {
        self.upper
    }

    /// Whether a figure may be the true one.
    pub fn contains(&self, figure: &Decimal) -> bool {
        use std::ops::RangeBounds as _;
        (self.lower, self.upper).contains(figure)
    }

    /// Whether some true figure is allowed by both.
    pub fn can_equal(&self, other: &Self) -> bool {
        // Neither is empty, so they are apart only if one ends before the other begins.
        meet(self.lower, other.upper) && meet(other.lower, self.upper)
    }
}

impl From<Interval> for Extent {
    fn from(interval: Interval) -> Self {
        Self { lower: End::Included(interval.lower), upper: End::Included(interval.upper) }
    }
}

/// Whether what begins at `lower` begins before what ends at `upper` has ended.
fn meet(lower: End<Decimal>, upper: End<Decimal>) -> bool {
    match (lower, upper) {
        (End::Unbounded, _) | (_, End::Unbounded) => true,
        (End::Included(lower), End::Included(upper)) => lower <= upper,
        (End::Included(lower) | End::Excluded(lower), End::Included(upper) | End::Excluded(upper)) => lower < upper,
    }
}

/// The smallest decimal of as many decimal places as fit that is not below value + |step| / 2; `None` if that is too large.
fn end_above(mantissa: i128, scale: u32, step: Decimal) -> Option<Decimal> {
    let half = (step.mantissa().abs() * 5, step.scale() + 1);
    (0..=scale.max(half.1)).rev().find_map(|places| {
        let sum = rounded_up(mantissa, scale, places)?.checked_add(rounded_up(half.0, half.1, places)?)?;
        Decimal::from_parts(sum, places)
    })
}

/// The least number of 10^-`places` that is not below `mantissa` / 10^`scale`; `None` if it overflows.
fn rounded_up(mantissa: i128, scale: u32, places: u32) -> Option<i128> {
    match places.checked_sub(scale) {
        Some(more) => mantissa.checked_mul(10i128.checked_pow(more)?),
        None => Some(-(-mantissa).div_euclid(10i128.pow(scale - places))),
    }
}

fn negated(number: &Decimal) -> Decimal {
    Decimal::from_parts(-number.mantissa(), number.scale()).expect("a decimal's negative has as many digits")
}
