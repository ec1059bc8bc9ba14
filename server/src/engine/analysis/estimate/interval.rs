//! Spans of numbers that a figure may be, and what arithmetic makes of them. Ends are rounded outwards.

use std::cmp::Ordering;

use indicator_proto::Decimal;

use crate::engine::analysis::arithmetic::{self, Rounding};

/// Where a span ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::analysis) enum End {
    /// Nowhere.
    Open,
    /// At a number, which may belong to it.
    At { number: Decimal, included: bool },
}

impl End {
    pub(in crate::engine::analysis) fn number(self) -> Option<Decimal> {
        match self {
            Self::Open => None,
            Self::At { number, .. } => Some(number),
        }
    }

    pub(super) fn is_included(self) -> bool {
        matches!(self, Self::At { included: true, .. })
    }

    fn map(self, number: impl FnOnce(Decimal) -> Option<Decimal>) -> Self {
        match self {
            Self::Open => Self::Open,
            // What is beyond the numbers that a figure can have is as good as open.
            Self::At { number: at, included } => number(at).map_or(Self::Open, |number| Self::At { number, included }),
        }
    }
}

/// All numbers between two ends. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::analysis) struct Span {
    lower: End,
    upper: End,
}

/// An end in the middle of a computation: infinite, or a number.
#[derive(Debug, Clone, Copy)]
enum Limit {
    Below,
    At(Decimal, bool),
    Above,
}

impl Limit {
    fn sign(self) -> Ordering {
        match self {
            Self::Below => Ordering::Less,
            Self::Above => Ordering::Greater,
            Self::At(number, _) => number.cmp(&Decimal::from(0)),
        }
    }

    fn infinite(sign: Ordering) -> Self {
        if sign == Ordering::Less { Self::Below } else { Self::Above }
    }
}

impl Span {
    /// All numbers.
    pub(in crate::engine::analysis) const EVERYTHING: Self = Self { lower: End::Open, upper: End::Open };

    /// From a number to another that is not below it, both included.
    pub(in crate::engine::analysis) fn closed(lower: Decimal, upper: Decimal) -> Self {
        let end = |number| End::At { number, included: true };
        Self { lower: end(lower), upper: end(upper) }
    }

    /// What is above a number.
    pub(in crate::engine::analysis) fn above(number: Decimal, included: bool) -> Self {
        Self { lower: End::At { number, included }, upper: End::Open }
    }

    /// What is below a number.
    pub(in crate::engine::analysis) fn below(number: Decimal, included: bool) -> Self {
        Self { lower: End::Open, upper: End::At { number, included } }
    }

    /// What is rounded to a value, in steps of a size.
    pub(in crate::engine::analysis) fn around(value: Decimal, step: Decimal) -> Self {
        let half = |rounding| arithmetic::div(step, Decimal::from(2), rounding);
        let end = |half: Option<Decimal>, rounding| {
            let number = half.and_then(|half| arithmetic::add(value, half, rounding));
            number.map_or(End::Open, |number| End::At { number, included: false })
        };
        Self {
            lower: end(half(Rounding::Up).map(arithmetic::negated), Rounding::Down),
            upper: end(half(Rounding::Up), Rounding::Up),
        }
    }

    pub(in crate::engine::analysis) fn lower(self) -> End {
        self.lower
    }

    pub(in crate::engine::analysis) fn upper(self) -> End {
        self.upper
    }

    pub(super) fn is_bounded(self) -> bool {
        self.lower != End::Open && self.upper != End::Open
    }

    /// The number that it is, where it is only one.
    pub(in crate::engine::analysis) fn only(self) -> Option<Decimal> {
        let lower = self.lower.number().filter(|_| self.lower.is_included());
        lower.filter(|lower| self.upper == (End::At { number: *lower, included: true }))
    }

    /// Whether every number of it is at least `number`.
    pub(in crate::engine::analysis) fn is_at_least(self, number: Decimal) -> bool {
        self.lower.number().is_some_and(|lower| lower >= number)
    }

    /// Whether some number of it is at least `number`.
    pub(in crate::engine::analysis) fn may_be_at_least(self, number: Decimal) -> bool {
        match self.upper {
            End::Open => true,
            End::At { number: upper, included } => upper > number || (upper == number && included),
        }
    }

    /// Twice the way from a value to the farther end; `None` where there is no end.
    pub(super) fn step_around(self, value: Decimal) -> Option<Decimal> {
        let way = |from: Decimal, to: Decimal| arithmetic::add(to, arithmetic::negated(from), Rounding::Up);
        let (lower, upper) = (self.lower.number()?, self.upper.number()?);
        let farther = way(lower, value)?.max(way(value, upper)?);
        arithmetic::mul(farther, Decimal::from(2), Rounding::Up).filter(|step| !step.is_zero())
    }

    pub(super) fn negated(self) -> Self {
        let mirrored = |end: End| end.map(|number| Some(arithmetic::negated(number)));
        Self { lower: mirrored(self.upper), upper: mirrored(self.lower) }
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let sum = |a: End, b: End, rounding| match (a, b) {
            (End::At { number: a, included: x }, End::At { number: b, included: y }) => {
                arithmetic::add(a, b, rounding).map_or(End::Open, |number| End::At { number, included: x && y })
            }
            _ => End::Open,
        };
        let lower = sum(self.lower, other.lower, Rounding::Down);
        Some(Self { lower, upper: sum(self.upper, other.upper, Rounding::Up) })
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        self.hull(other, product)
    }

    /// `None` where the divisor may be zero.
    pub(super) fn over(self, other: Self) -> Option<Self> {
        let [low, high] = other.limits();
        let apart = match (low.sign(), high.sign()) {
            (Ordering::Greater, _) | (_, Ordering::Less) => true,
            (Ordering::Equal, _) => !other.lower.is_included(),
            (_, Ordering::Equal) => !other.upper.is_included(),
            _ => false,
        };
        // Which side of zero the divisor is on.
        let side = if high.sign() == Ordering::Greater { Ordering::Greater } else { Ordering::Less };
        if apart { self.hull(other, |a, b, rounding| quotient(a, b, side, rounding)) } else { None }
    }

    /// Of the part that is positive.
    pub(super) fn ln(self) -> Option<Self> {
        let positive = |number: &Decimal| !number.is_negative() && !number.is_zero();
        let end = |end: End, rounding| match end {
            End::At { number, included } if positive(&number) => {
                arithmetic::ln(number, rounding).map_or(End::Open, |number| End::At { number, included })
            }
            _ => End::Open,
        };
        Some(Self { lower: end(self.lower, Rounding::Down), upper: end(self.upper, Rounding::Up) })
    }

    pub(super) fn pow(self, n: u32) -> Option<Self> {
        let [low, high] = self.limits();
        let zero = Decimal::from(0);
        let raised = |end: End, rounding| end.map(|number| arithmetic::pow(number, n, rounding));
        let rising = n % 2 == 1 || low.sign() != Ordering::Less;
        if rising {
            return Some(Self { lower: raised(self.lower, Rounding::Down), upper: raised(self.upper, Rounding::Up) });
        }
        if high.sign() != Ordering::Greater {
            return self.negated().pow(n);
        }
        // Both sides of zero: from zero to the farther end.
        let farther = Self { lower: End::At { number: zero, included: true }, upper: self.upper }
            .max(Self { lower: End::At { number: zero, included: true }, upper: self.negated().upper });
        Some(Self { lower: End::At { number: zero, included: true }, upper: raised(farther.upper, Rounding::Up) })
    }

    /// What the greater of two numbers may be, one of each.
    pub(super) fn max(self, other: Self) -> Self {
        let greater_lower = match (self.lower, other.lower) {
            (End::Open, end) | (end, End::Open) => end,
            (End::At { number: a, included: x }, End::At { number: b, included: y }) => match a.cmp(&b) {
                Ordering::Greater => self.lower,
                Ordering::Less => other.lower,
                Ordering::Equal => End::At { number: a, included: x && y },
            },
        };
        let greater_upper = match (self.upper, other.upper) {
            (End::Open, _) | (_, End::Open) => End::Open,
            (End::At { number: a, included: x }, End::At { number: b, included: y }) => match a.cmp(&b) {
                Ordering::Greater => self.upper,
                Ordering::Less => other.upper,
                Ordering::Equal => End::At { number: a, included: x || y },
            },
        };
        Self { lower: greater_lower, upper: greater_upper }
    }

    fn limits(self) -> [Limit; 2] {
        let limit = |end: End, open: Limit| match end {
            End::Open => open,
            End::At { number, included } => Limit::At(number, included),
        };
        [limit(self.lower, Limit::Below), limit(self.upper, Limit::Above)]
    }

    /// The least span that holds what an operation makes of each pair of ends.
    fn hull(self, other: Self, operation: impl Fn(Limit, Limit, Rounding) -> Limit) -> Option<Self> {
        let pairs = self.limits().into_iter().flat_map(|a| other.limits().map(|b| (a, b)));
        let (mut lower, mut upper) = (Limit::Above, Limit::Below);
        for (a, b) in pairs {
            lower = outer(lower, operation(a, b, Rounding::Down), Ordering::Less);
            upper = outer(upper, operation(a, b, Rounding::Up), Ordering::Greater);
        }
        let end = |limit: Limit| match limit {
            Limit::At(number, included) => End::At { number, included },
            Limit::Below | Limit::Above => End::Open,
        };
        Some(Self { lower: end(lower), upper: end(upper) })
    }
}

/// The one of two limits that lies on the side asked for; at the same number, the one that includes it.
fn outer(a: Limit, b: Limit, side: Ordering) -> Limit {
    let order = match (a, b) {
        (Limit::At(x, p), Limit::At(y, q)) if x == y => return Limit::At(x, p || q),
        (Limit::At(x, _), Limit::At(y, _)) => x.cmp(&y),
        (Limit::Below, Limit::Below) | (Limit::Above, Limit::Above) => Ordering::Equal,
        (Limit::Below, _) | (_, Limit::Above) => Ordering::Less,
        (Limit::Above, _) | (_, Limit::Below) => Ordering::Greater,
    };
    if order == side { a } else { b }
}

/// A number rounded outwards, or beyond all numbers that a figure can have.
fn limit(number: Option<Decimal>, included: bool, sign: Ordering) -> Limit {
    number.map_or_else(|| Limit::infinite(sign), |number| Limit::At(number, included))
}

fn product(a: Limit, b: Limit, rounding: Rounding) -> Limit {
    let sign = if a.sign() == b.sign() { Ordering::Greater } else { Ordering::Less };
    match (a, b) {
        (Limit::At(x, p), Limit::At(y, q)) => {
            // Zero times anything is zero, whether or not the other end is reached.
            let included = (p && (q || x.is_zero())) || (q && y.is_zero());
            limit(arithmetic::mul(x, y, rounding), included, sign)
        }
        (Limit::At(x, p), _) if x.is_zero() => Limit::At(x, p),
        (_, Limit::At(y, q)) if y.is_zero() => Limit::At(y, q),
        _ => Limit::infinite(sign),
    }
}

/// The divisor is on one side of zero; at zero it comes near it from there.
fn quotient(a: Limit, b: Limit, side: Ordering, rounding: Rounding) -> Limit {
    let sign = if a.sign() == side { Ordering::Greater } else { Ordering::Less };
    let zero = Decimal::from(0);
    match (a, b) {
        (Limit::At(x, p), Limit::At(y, q)) if !y.is_zero() => {
            limit(arithmetic::div(x, y, rounding), p && (q || x.is_zero()), sign)
        }
        (Limit::At(x, p), _) if x.is_zero() => Limit::At(x, p),
        // Anything over what grows without an end comes near zero.
        (Limit::At(..), Limit::Below | Limit::Above) => Limit::At(zero, false),
        // Both grow without an end: whatever lies between zero and infinity; the other pairs of ends tell infinity.
        (Limit::Below | Limit::Above, Limit::Below | Limit::Above) => Limit::At(zero, false),
        _ => Limit::infinite(sign),
    }
}
