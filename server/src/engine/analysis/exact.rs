//! Numbers as long as they have to be, for sums: what is made of them is rounded once, at its end.

use std::ops::{Add, Mul, Sub};

use dashu_float::{Context, round::mode::HalfEven};
use indicator_proto::Decimal;

use super::arithmetic::{DIGITS, Number, Rounding, decimal, number};

/// Digits of the quotient under a square root: so many that rounding it does not change the root's last digit.
const UNDER_ROOT: usize = 4 * DIGITS;

/// Sums, differences and products of figures, whatever their length.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exact(Number);

impl Exact {
    pub(super) const ZERO: Self = Self(Number::zero());

    /// A number of things.
    pub(super) fn count(n: usize) -> Self {
        Self(Number::new(n.into(), 0))
    }

    pub(super) fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    pub(super) fn abs(self) -> Self {
        if self < Self::ZERO { Self(-self.0) } else { self }
    }

    /// The nearest figure, halves to even; `None` if it is too large for one.
    pub(super) fn rounded(&self) -> Option<Decimal> {
        self.over(&Self::count(1))
    }

    /// The figure nearest to the quotient, halves to even; `None` if it is too large for one. `divisor` is not zero.
    pub(super) fn over(&self, divisor: &Self) -> Option<Decimal> {
        let quotient = Context::<HalfEven>::new(DIGITS).div(&self.0, &divisor.0).ok()?;
        decimal(quotient.value().into_repr(), Rounding::Nearest)
    }

    /// The figure nearest to the square root of the quotient. Neither is negative, and `divisor` is not zero.
    pub(super) fn root_over(&self, divisor: &Self) -> Option<Decimal> {
        let quotient = Context::<HalfEven>::new(UNDER_ROOT).div(&self.0, &divisor.0).ok()?;
        let root = Context::<HalfEven>::new(DIGITS).sqrt(quotient.value().repr()).ok()?;
        decimal(root.value().into_repr(), Rounding::Nearest)
    }
}

impl From<Decimal> for Exact {
    fn from(decimal: Decimal) -> Self {
        Self(number(decimal))
    }
}

/// Without a limit of digits nothing is rounded, and only infinities fail.
const UNLIMITED: Context<HalfEven> = Context::new(0);

const FINITE: &str = "numbers with bounded exponents stay finite";

impl Add<&Exact> for Exact {
    type Output = Self;

    fn add(self, other: &Exact) -> Self {
        Self(UNLIMITED.add(&self.0, &other.0).expect(FINITE).value().into_repr())
    }
}

impl Sub<&Exact> for Exact {
    type Output = Self;

    fn sub(self, other: &Exact) -> Self {
        Self(UNLIMITED.sub(&self.0, &other.0).expect(FINITE).value().into_repr())
    }
}

impl Mul<&Exact> for Exact {
    type Output = Self;

    fn mul(self, other: &Exact) -> Self {
        Self(UNLIMITED.mul(&self.0, &other.0).expect(FINITE).value().into_repr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::from(text.parse::<Decimal>().expect(text))
    }

    #[test]
    fn a_sum_keeps_what_no_figure_can_hold() {
        let (large, small) = (exact("9999999999999999999999999999"), exact("0.0000000000000000000000000001"));
        let sum = large.clone() + &large + &small - &large - &large;
        assert_eq!(sum, small);
        assert_eq!((large.clone() + &large).rounded(), None);
        assert_eq!((large.clone() + &large).over(&Exact::count(2)), large.rounded());
    }

    #[test]
    fn a_quotient_and_a_root_are_rounded_once() {
        // By the decimal module of Python.
        let third = exact("-1").over(&Exact::count(3)).map(|d| d.to_string());
        assert_eq!(third.as_deref(), Some("-0.3333333333333333333333333333"));
        let root = exact("2").root_over(&Exact::count(3)).map(|d| d.to_string());
        assert_eq!(root.as_deref(), Some("0.8164965809277260327324280249"));
        let whole = exact("75").root_over(&Exact::count(3)).map(|d| d.to_string());
        assert_eq!(whole.as_deref(), Some("5"));
    }

    #[test]
    fn sizes_and_order_are_those_of_numbers() {
        assert_eq!(exact("-2.5").abs(), exact("2.5"));
        assert!(exact("-2.5") < exact("0.1") && exact("10") > exact("9.99"));
        assert!((exact("1.1") - &exact("1.1")).is_zero());
        assert_eq!(exact("-1.5") * &exact("4"), exact("-6"));
    }
}
