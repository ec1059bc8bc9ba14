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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect(text)
    }

    fn extent(value: &str, bound: Bound, rounded_to: Option<&str>) -> Extent {
        Extent::of_value(decimal(value), bound, rounded_to.map(decimal))
    }

    fn exact(value: &str) -> Extent {
        extent(value, Bound::Exact, None)
    }

    fn interval(lower: &str, upper: &str) -> Extent {
        Interval::new(decimal(lower), decimal(upper)).expect("in order").into()
    }

    fn any_decimal() -> impl Strategy<Value = Decimal> {
        let few = (-30i128..=30, 0..=1u32);
        let many = (0..=28u32, any::<i128>(), 0..=28u32).prop_map(|(digits, n, scale)| (n % 10i128.pow(digits), scale));
        prop_oneof![few, many].prop_map(|(n, scale)| Decimal::from_parts(n, scale).expect("at most 28 digits"))
    }

    fn any_extent() -> impl Strategy<Value = Extent> {
        let step = prop::option::of(any_decimal());
        let value = (any_decimal(), prop::sample::select(&Bound::ALL[..]), step)
            .prop_map(|(value, bound, step)| Extent::of_value(value, bound, step));
        let interval =
            (any_decimal(), any_decimal()).prop_map(|(a, b)| Extent::from(Interval::new(a.min(b), a.max(b)).expect("in order")));
        prop_oneof![value, interval]
    }

    #[test]
    fn a_rounded_figure_allows_half_a_step_to_either_side() {
        let stores = extent("1710000", Bound::Exact, Some("10000"));
        assert_eq!(stores, interval("1705000", "1715000"));
        assert!(stores.can_equal(&exact("1714999.5")));
        assert!(stores.can_equal(&exact("1715000")));
        assert!(!stores.can_equal(&exact("1715000.1")));
        assert_eq!(extent("-1.5", Bound::Exact, Some("0.1")), interval("-1.55", "-1.45"));
        assert_eq!(extent("5", Bound::Approximate, Some("1")), interval("4.5", "5.5"));
    }

    #[test]
    fn one_sided_bounds_leave_out_or_include_their_value() {
        let (more, least) = (extent("100000", Bound::GreaterThan, None), extent("100000", Bound::AtLeast, None));
        let (less, most) = (extent("100000", Bound::LessThan, None), extent("100000", Bound::AtMost, None));
        assert!(!more.can_equal(&exact("100000")) && !less.can_equal(&exact("100000")));
        assert!(least.can_equal(&exact("100000")) && most.can_equal(&exact("100000")));
        assert!(more.can_equal(&exact("100000.01")) && less.can_equal(&exact("-5")));
        assert!(!more.can_equal(&less) && !more.can_equal(&most) && !least.can_equal(&less));
        assert!(least.can_equal(&most) && more.can_equal(&least));
        assert_eq!((more.lower(), more.upper()), (End::Excluded(decimal("100000")), End::Unbounded));
    }

    #[test]
    fn a_rounding_does_not_move_a_one_sided_bound() {
        assert_eq!(extent("100000", Bound::GreaterThan, Some("10000")), extent("100000", Bound::GreaterThan, None));
    }

    #[test]
    fn about_a_value_contradicts_nothing() {
        let about = extent("3", Bound::Approximate, None);
        assert!(about.can_equal(&exact("-1000000")));
        assert!(about.can_equal(&extent("4", Bound::LessThan, None)));
    }

    #[test]
    fn a_half_step_of_too_many_digits_widens_the_extent() {
        let widest = "9999999999999999999999999999";
        let extent = extent(widest, Bound::Exact, Some("1"));
        assert_eq!(extent.lower(), End::Included(decimal("9999999999999999999999999998")));
        assert_eq!(extent.upper(), End::Unbounded);
        let finest = decimal("0.0000000000000000000000000001");
        let extent = Extent::of_value(decimal("1"), Bound::Exact, Some(finest));
        let (lower, upper) = ("0.9999999999999999999999999999", "1.000000000000000000000000001");
        assert_eq!(extent, interval(lower, upper));
    }

    #[test]
    fn an_interval_that_is_reversed_is_refused() {
        let error = Interval::new(decimal("2"), decimal("1.5")).expect_err("reversed");
        assert_eq!(error.to_string(), "the interval's lower end 2 is above its upper end 1.5; exchange them");
        assert!(Interval::new(decimal("2"), decimal("2")).is_ok());
    }

    #[test]
    fn bounds_have_the_numbers_of_the_contract() {
        for bound in Bound::ALL {
            assert_eq!(v1::Bound::from(bound) as i32, bound as i32);
            assert_eq!(Bound::from(v1::Bound::from(bound)), bound);
            assert_eq!(Bound::try_from(bound as u8), Ok(bound));
        }
        assert_eq!(Bound::try_from(0), Err(UnknownBound(0)));
        assert_eq!(Bound::from(v1::Bound::Unspecified), Bound::Exact);
    }

    proptest! {
        #[test]
        fn whether_two_figures_can_be_equal_does_not_depend_on_their_order(a in any_extent(), b in any_extent()) {
            prop_assert_eq!(a.can_equal(&b), b.can_equal(&a));
            prop_assert!(a.can_equal(&a));
        }

        #[test]
        fn a_figure_can_equal_what_contains_it(extent in any_extent(), figure in any_decimal()) {
            let exact = Extent::of_value(figure, Bound::Exact, None);
            prop_assert_eq!(extent.can_equal(&exact), extent.contains(&figure));
        }

        #[test]
        fn a_common_figure_means_that_they_can_be_equal(a in any_extent(), b in any_extent(), figure in any_decimal()) {
            prop_assert!(!(a.contains(&figure) && b.contains(&figure)) || a.can_equal(&b));
        }

        #[test]
        fn a_rounded_figure_allows_every_figure_that_rounds_to_it(value in any_decimal(), step in any_decimal(), figure in any_decimal()) {
            let rounded = Extent::of_value(value, Bound::Exact, Some(step));
            prop_assert!(rounded.contains(&value));
            // Where nothing has to be widened: half a step to either side, and no more.
            let half = step.checked_mul(&decimal("0.5")).map(|half| half.inner().abs());
            let sum = |a: rust_decimal::Decimal, b| a.checked_add(b).and_then(|sum| Decimal::from_parts(sum.mantissa(), sum.scale()));
            let small = |d: &Decimal| d.mantissa().abs() < 1 << 40 && d.scale() <= 8;
            if small(&value) && small(&step) && small(&figure) {
                let half = half.expect("short");
                let (lower, upper) = (sum(value.inner(), -half).expect("short"), sum(value.inner(), half).expect("short"));
                prop_assert_eq!(rounded.contains(&figure), lower <= figure && figure <= upper);
            }
        }
    }
}
