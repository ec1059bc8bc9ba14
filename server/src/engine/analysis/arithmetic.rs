//! Arithmetic of decimals, correctly rounded where the exact result has more digits than a figure can have.

use std::cmp::Ordering;

use dashu_float::{
    Context, Repr,
    round::mode::{Down, HalfEven, Up},
};
use indicator_proto::Decimal;

/// Most significant digits of a result, and most digits after its point.
pub(super) const DIGITS: usize = 28;

/// A decimal number of any length.
pub(super) type Number = Repr<10>;

/// Which way a result is rounded that has too many digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    /// To the nearest, halves to even.
    Nearest,
    /// Towards negative infinity.
    Down,
    /// Towards positive infinity.
    Up,
}

/// An operation on numbers, at the precision and in the direction of a context.
macro_rules! rounded {
    ($rounding:expr, |$context:ident| $operation:expr) => {
        match $rounding {
            Rounding::Nearest => {
                let $context = Context::<HalfEven>::new(DIGITS);
                $operation.ok().and_then(|result| decimal(result.value().into_repr(), $rounding))
            }
            Rounding::Down => {
                let $context = Context::<Down>::new(DIGITS);
                $operation.ok().and_then(|result| decimal(result.value().into_repr(), $rounding))
            }
            Rounding::Up => {
                let $context = Context::<Up>::new(DIGITS);
                $operation.ok().and_then(|result| decimal(result.value().into_repr(), $rounding))
            }
        }
    };
}

/// `a + b`; `None` if it is too large for a figure.
pub(super) fn add(a: Decimal, b: Decimal, rounding: Rounding) -> Option<Decimal> {
    exact_sum(a, b).or_else(|| rounded!(rounding, |context| context.add(&number(a), &number(b))))
}

/// `a * b`; `None` if it is too large for a figure.
pub(super) fn mul(a: Decimal, b: Decimal, rounding: Rounding) -> Option<Decimal> {
    a.checked_mul(&b).or_else(|| rounded!(rounding, |context| context.mul(&number(a), &number(b))))
}

/// `a / b`; `None` if it is too large for a figure. `b` is not zero.
pub(super) fn div(a: Decimal, b: Decimal, rounding: Rounding) -> Option<Decimal> {
    rounded!(rounding, |context| context.div(&number(a), &number(b)))
}

/// The natural logarithm of a positive number.
pub(super) fn ln(a: Decimal, rounding: Rounding) -> Option<Decimal> {
    rounded!(rounding, |context| context.ln(&number(a), None))
}

/// `a` to the power of `n`; `None` if it is too large for a figure.
pub(super) fn pow(a: Decimal, n: u32, rounding: Rounding) -> Option<Decimal> {
    rounded!(rounding, |context| context.powi(&number(a), n.into()))
}

/// The number below zero as far as `a` is above it.
pub(super) fn negated(a: Decimal) -> Decimal {
    Decimal::from_parts(-a.mantissa(), a.scale()).expect("a decimal's negative has as many digits")
}

/// The sum, where it has few enough digits and takes no detour over larger numbers: nearly always.
fn exact_sum(a: Decimal, b: Decimal) -> Option<Decimal> {
    let scale = a.scale().max(b.scale());
    let at_scale = |d: Decimal| d.mantissa().checked_mul(10_i128.checked_pow(scale - d.scale())?);
    Decimal::from_parts(at_scale(a)?.checked_add(at_scale(b)?)?, scale)
}

pub(super) fn number(decimal: Decimal) -> Number {
    Repr::new(decimal.mantissa().into(), -(decimal.scale() as isize))
}

/// A result of at most 28 significant digits as a decimal of at most 28 decimal places.
pub(super) fn decimal(number: Number, rounding: Rounding) -> Option<Decimal> {
    if number.is_infinite() {
        return None;
    }
    let (significand, exponent) = number.into_parts();
    let mantissa = i128::try_from(significand).ok()?;
    let Ok(places) = u32::try_from(-exponent) else {
        return Decimal::from_parts(mantissa.checked_mul(10_i128.checked_pow(u32::try_from(exponent).ok()?)?)?, 0);
    };
    match places.checked_sub(DIGITS as u32) {
        None | Some(0) => Decimal::from_parts(mantissa, places),
        Some(surplus) => Decimal::from_parts(shifted(mantissa, surplus, rounding), DIGITS as u32),
    }
}

/// `mantissa` without its last digits.
fn shifted(mantissa: i128, digits: u32, rounding: Rounding) -> i128 {
    // Below the last place that a figure has, whatever it is.
    let Some(divisor) = 10_i128.checked_pow(digits) else {
        return match rounding {
            Rounding::Up if mantissa > 0 => 1,
            Rounding::Down if mantissa < 0 => -1,
            _ => 0,
        };
    };
    let (floor, rest) = (mantissa.div_euclid(divisor), mantissa.rem_euclid(divisor));
    let up = match rounding {
        Rounding::Down => false,
        Rounding::Up => rest > 0,
        // Not twice the rest: that is beyond the numbers there are.
        Rounding::Nearest => match rest.cmp(&(divisor - rest)) {
            Ordering::Less => false,
            Ordering::Equal => floor % 2 != 0,
            Ordering::Greater => true,
        },
    };
    floor + i128::from(up)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().expect(text)
    }

    #[test]
    fn a_third_is_rounded_as_asked() {
        let third = |rounding| div(d("1"), d("3"), rounding).expect("small").to_string();
        assert_eq!(third(Rounding::Nearest), "0.3333333333333333333333333333");
        assert_eq!(third(Rounding::Down), "0.3333333333333333333333333333");
        assert_eq!(third(Rounding::Up), "0.3333333333333333333333333334");
        assert_eq!(div(d("-1"), d("3"), Rounding::Down).expect("small").to_string(), "-0.3333333333333333333333333334");
    }

    #[test]
    fn logarithms_and_powers_have_every_digit_right() {
        // By the decimal module of Python.
        assert_eq!(ln(d("2"), Rounding::Nearest), Some(d("0.6931471805599453094172321215")));
        assert_eq!(pow(d("1.01"), 12, Rounding::Nearest), Some(d("1.126825030131969720661201")));
    }

    #[test]
    fn what_a_figure_cannot_hold_is_no_result() {
        let most = d("9999999999999999999999999999");
        assert_eq!(add(most, d("1"), Rounding::Nearest), None);
        assert_eq!(mul(most, d("10"), Rounding::Nearest), None);
        assert_eq!(div(most, d("0.1"), Rounding::Nearest), None);
    }

    #[test]
    fn a_result_too_small_for_its_last_place_is_rounded_there() {
        let least = d("0.0000000000000000000000000001");
        assert_eq!(div(least, d("4"), Rounding::Nearest), Some(d("0")));
        assert_eq!(div(least, d("4"), Rounding::Up), Some(least));
        assert_eq!(div(least, d("-4"), Rounding::Down), Some(negated(least)));
        assert_eq!(mul(least, least, Rounding::Up), Some(least));
        assert_eq!(div(least, d("1.5"), Rounding::Nearest), Some(least));
        let (half, most) = (5 * 10_i128.pow(37), 10_i128.pow(38) - 1);
        for (mantissa, rounded) in [(half - 1, 0), (half, 0), (half + 1, 1), (most, 1), (-half, 0), (-half - 1, -1)] {
            assert_eq!(shifted(mantissa, 38, Rounding::Nearest), rounded, "{mantissa}");
        }
    }

    fn any_decimal() -> impl Strategy<Value = Decimal> {
        (0..=28u32, any::<i128>(), 0..=28u32)
            .prop_map(|(digits, n, scale)| Decimal::from_parts(n % 10i128.pow(digits), scale).expect("28 digits"))
    }

    #[test]
    fn a_figure_far_below_the_last_place_is_rounded_to_nothing() {
        let a: Decimal = "-0.000000000000000206182309".parse().unwrap();
        let b: Decimal = "44704939732148652224582.5".parse().unwrap();
        assert!(div(a, b, Rounding::Nearest).unwrap().is_zero());
    }

    proptest! {
        #[test]
        fn rounded_down_and_up_enclose_the_nearest(a in any_decimal(), b in any_decimal()) {
            for operation in [add, mul, div] {
                if b.is_zero() { continue }
                let result = |rounding| operation(a, b, rounding);
                if let (Some(down), Some(nearest), Some(up)) =
                    (result(Rounding::Down), result(Rounding::Nearest), result(Rounding::Up))
                {
                    prop_assert!(down <= nearest && nearest <= up);
                }
            }
        }

        #[test]
        fn what_is_multiplied_back_is_enclosed(a in any_decimal(), b in any_decimal()) {
            prop_assume!(!b.is_zero());
            if let (Some(low), Some(high)) = (div(a, b, Rounding::Down), div(a, b, Rounding::Up)) {
                let back = |q: Decimal, rounding| mul(q, b, rounding);
                let (x, y) = if b.is_negative() { (high, low) } else { (low, high) };
                if let (Some(x), Some(y)) = (back(x, Rounding::Down), back(y, Rounding::Up)) {
                    prop_assert!(x <= a && a <= y, "{x} {a} {y}");
                }
            }
        }

        #[test]
        fn sums_are_those_of_whole_numbers(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000) {
            prop_assert_eq!(add(Decimal::from(a), Decimal::from(b), Rounding::Nearest), Some(Decimal::from(a + b)));
        }
    }
}
