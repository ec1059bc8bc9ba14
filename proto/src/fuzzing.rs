//! What must hold for any text, for `tests/fuzz`.

use std::str::FromStr;

use prost_types::Timestamp;

use crate::{
    Bound, Decimal, Extent, Frequency, IdError, Interval, Period, Time, check_code_id, check_region_id, check_slug, check_unit_id,
};

/// Each line of a text as each of the values that it can be, and successive ones beside each other.
pub fn values(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (mut period_before, mut decimal_before, mut time_before) = (None, None, None);
    for line in text.split('\n') {
        ids(line);
        if let Some(period) = period(line) {
            beside(period_before.replace(period).unwrap_or(period), period);
        }
        if let Some(time) = time(line) {
            let before = time_before.replace(time).unwrap_or(time);
            assert_eq!(before.cmp(&time), before.micros().cmp(&time.micros()));
        }
        if let Some(decimal) = decimal(line) {
            numbers(decimal_before.replace(decimal).unwrap_or(decimal), decimal);
        }
    }
}

/// What a text is, if it is one; then its own text is the same.
fn canonical<T: FromStr + ToString + PartialEq + std::fmt::Debug>(value: T, parse: fn(&str) -> Option<T>) -> T {
    let text = value.to_string();
    assert_eq!(parse(&text).as_ref(), Some(&value), "{text}");
    assert_eq!(parse(&text).map(|value| value.to_string()), Some(text));
    value
}

fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Option<T> {
    // What is wrong is told whatever it is.
    text.parse().inspect_err(|error: &T::Err| assert!(!error.to_string().is_empty())).ok()
}

fn period(text: &str) -> Option<Period> {
    let period = canonical(parsed::<Period>(text)?, parsed);
    let frequency = period.frequency();
    assert_eq!(Period::from_ordinal(frequency, period.ordinal()), Some(period));
    let (start, end) = (period.start(), period.end());
    assert!(start <= end);
    assert_eq!(Period::containing(frequency, start), Some(period));
    assert_eq!(Period::containing(frequency, end), Some(period));
    if let Some(next) = period.succ() {
        assert_eq!((next.pred(), next.start()), (Some(period), end.tomorrow().expect("the next period begins")));
    }
    if let Some(before) = period.pred() {
        assert_eq!((before.succ(), before.end()), (Some(period), start.yesterday().expect("the period before ends")));
    }
    if let Some(before) = period.year_before() {
        assert!(before.end() < start);
    }
    for longer in Frequency::ALL {
        if let Some(within) = period.within(longer) {
            assert!(within.start() <= end && end <= within.end());
            assert!(within.parts(frequency).any(|part| part == period));
        }
    }
    Some(period)
}

fn beside(a: Period, b: Period) {
    if a.frequency() == b.frequency() {
        assert_eq!(a.cmp(&b), a.start().cmp(&b.start()));
        assert_eq!(a.cmp(&b), a.end().cmp(&b.end()));
    }
}

fn time(text: &str) -> Option<Time> {
    let time = canonical(parsed::<Time>(text)?, parsed);
    assert_eq!(time.date_or_time().to_string().parse(), Ok(time));
    assert_eq!(Time::try_from(&Timestamp::from(time)), Ok(time));
    Some(time)
}

fn decimal(text: &str) -> Option<Decimal> {
    let strict = parsed::<Decimal>(text);
    let lenient = Decimal::parse_lenient(text);
    if let Some(strict) = strict {
        assert_eq!((&strict.to_string()[..], &lenient), (text, &Ok(strict)));
    }
    let decimal = canonical(lenient.ok()?, parsed);
    assert_eq!(Decimal::from_parts(decimal.mantissa(), decimal.scale()), Some(decimal));
    Some(decimal)
}

fn numbers(a: Decimal, b: Decimal) {
    assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
    assert_eq!(a.cmp(&b), a.inner().cmp(&b.inner()));
    assert_eq!(a == b, (a.mantissa(), a.scale()) == (b.mantissa(), b.scale()));
    let product = a.checked_mul(&b);
    assert_eq!(product, b.checked_mul(&a));
    if let Some(product) = product {
        assert_eq!(product.is_zero(), a.is_zero() || b.is_zero());
        assert_eq!(product.is_negative(), !product.is_zero() && a.is_negative() != b.is_negative());
    }
    let interval = Interval::new(a, b);
    assert_eq!(interval.is_ok(), a <= b);
    let step = Some(b).filter(|step| !step.is_zero() && !step.is_negative());
    let mut extents: Vec<Extent> = Bound::ALL.map(|bound| Extent::of_value(a, bound, step)).into();
    assert!(extents[0].contains(&a));
    extents.extend(interval.map(Extent::from));
    for extent in &extents {
        assert!(extent.can_equal(extent));
        for other in &extents {
            assert_eq!(extent.can_equal(other), other.can_equal(extent));
            assert!(extent.can_equal(other) || !(extent.contains(&a) && other.contains(&a)));
        }
    }
}

fn ids(text: &str) {
    for check in [check_slug, check_region_id, check_unit_id, check_code_id] {
        match check(text) {
            Ok(()) => assert!((1..=64).contains(&text.len()) && text.is_ascii()),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                if let IdError::Character { write: Some(id), .. } = error {
                    assert_eq!(check(&id), Ok(()));
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_regressions_of_fuzzing_stay_mended() {
        replay::replay("values", values);
    }
}
