//! How a figure changed against the one before, as far as their bounds tell.

use std::ops::Bound as End;

use indicator_proto::{
    Bound, Decimal, Extent, Interval,
    v1::{self, MissingReason, UnitKind},
    words::{Language, grouped},
};
use rust_decimal::Decimal as Number;

/// A change in words, and which way it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Growth {
    pub(super) words: String,
    pub(super) direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
    Level,
    /// The bounds leave it open.
    Open,
}

impl Direction {
    /// A sign before the words.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Up => "▲",
            Self::Down => "▼",
            Self::Level => "＝",
            Self::Open => "◇",
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Level => "level",
            Self::Open => "open",
        }
    }

    fn of(from: Option<Number>, to: Option<Number>) -> Self {
        match (from, to) {
            (Some(from), Some(to)) if from.is_zero() && to.is_zero() => Self::Level,
            (Some(from), _) if from > Number::ZERO || from.is_zero() => Self::Up,
            (_, Some(to)) if to < Number::ZERO || to.is_zero() => Self::Down,
            _ => Self::Open,
        }
    }
}

/// What a figure says of the true one: from, to. Its rounding is left out, since a change of rounded figures is told of as they are.
fn range(observation: &v1::Observation) -> Option<(Option<Number>, Option<Number>)> {
    if observation.deleted || observation.missing() != MissingReason::Unspecified {
        return None;
    }
    let extent = match &observation.interval {
        Some(interval) => Extent::from(Interval::new(interval.lower.parse().ok()?, interval.upper.parse().ok()?).ok()?),
        None => {
            let value: Decimal = observation.value.parse().ok()?;
            match Bound::from(observation.bound()) {
                // Near it: told of as if it were exact.
                Bound::Approximate => Extent::of_value(value, Bound::Exact, None),
                bound => Extent::of_value(value, bound, None),
            }
        }
    };
    let number = |end: End<Decimal>| match end {
        End::Included(decimal) | End::Excluded(decimal) => Some(decimal.inner()),
        End::Unbounded => None,
    };
    Some((number(extent.lower()), number(extent.upper())))
}

/// From an earlier figure to a later one. `None` where one of them is none.
pub(super) fn growth(earlier: &v1::Observation, later: &v1::Observation, kind: UnitKind, language: Language) -> Option<Growth> {
    let ((from_low, from_high), (to_low, to_high)) = (range(earlier)?, range(later)?);
    match kind {
        UnitKind::Rank => {
            // Fewer is better.
            let low = from_low.zip(to_high).and_then(|(from, to)| from.checked_sub(to));
            let high = from_high.zip(to_low).and_then(|(from, to)| from.checked_sub(to));
            Some(said(low, high, |places| unit(places, ("place", "places"), "位"), language))
        }
        UnitKind::Share => {
            let low = to_low.zip(from_high).and_then(|(to, from)| to.checked_sub(from));
            let high = to_high.zip(from_low).and_then(|(to, from)| to.checked_sub(from));
            Some(said(low, high, |points| unit(points, ("point", "points"), "个百分点"), language))
        }
        _ => {
            let positive = |number: &Number| *number > Number::ZERO;
            from_low.filter(positive)?;
            let ratio = |to: Number, from: Number| {
                let ratio = to.checked_div(from)?.checked_sub(Number::ONE)?.checked_mul(Number::ONE_HUNDRED)?;
                Some(ratio.round_dp(if ratio.abs() < Number::TEN { 2 } else { 1 }).normalize())
            };
            let low = to_low.zip(from_high.filter(positive)).and_then(|(to, from)| ratio(to, from));
            let high = to_high.zip(from_low).and_then(|(to, from)| ratio(to, from));
            Some(said(low, high, |percent| (format!("{percent}%"), format!("{percent}%")), language))
        }
    }
}

fn unit(digits: &str, (one, many): (&str, &str), zh: &str) -> (String, String) {
    let en = if digits.trim_start_matches(['+', '−']) == "1" { one } else { many };
    (format!("{digits} {en}"), format!("{digits} {zh}"))
}

fn said(low: Option<Number>, high: Option<Number>, unit: impl Fn(&str) -> (String, String), language: Language) -> Growth {
    let signed = |number: Number| {
        let digits = grouped(&number.abs().normalize().to_string(), 0);
        match (number.is_zero(), number.is_sign_negative()) {
            (true, _) => digits,
            (false, true) => format!("−{digits}"),
            (false, false) => format!("+{digits}"),
        }
    };
    let with_unit = |text: &str| {
        let (en, zh) = unit(text);
        language.word(en, zh)
    };
    let words = match (low, high) {
        (Some(low), Some(high)) if low == high && low.is_zero() => language.word("unchanged", "持平").to_owned(),
        (Some(low), Some(high)) if low == high => with_unit(&signed(low)),
        (Some(low), Some(high)) => with_unit(&format!("{} … {}", signed(low), signed(high))),
        (Some(low), None) => format!("> {}", with_unit(&signed(low))),
        (None, Some(high)) => format!("< {}", with_unit(&signed(high))),
        (None, None) => language.word("change not certain", "变化无法确定").to_owned(),
    };
    Growth { words, direction: Direction::of(low, high) }
}

#[cfg(test)]
mod tests {
    use indicator_proto::v1::Bound;

    use super::*;

    fn figure(value: &str, bound: Bound) -> v1::Observation {
        v1::Observation { value: value.into(), bound: bound.into(), ..v1::Observation::default() }
    }

    fn told(from: (&str, Bound), to: (&str, Bound), kind: UnitKind) -> (String, String, Direction) {
        let (from, to) = (figure(from.0, from.1), figure(to.0, to.1));
        let en = growth(&from, &to, kind, Language::En).expect("two figures");
        let zh = growth(&from, &to, kind, Language::Zh).expect("two figures");
        assert_eq!(en.direction, zh.direction);
        (en.words, zh.words, en.direction)
    }

    #[test]
    fn a_change_is_as_certain_as_its_figures() {
        use Direction::{Down, Level, Open, Up};
        let exact = Bound::Exact;
        for (from, to, kind, en, zh, direction) in [
            (("100", exact), ("112.5", exact), UnitKind::Count, "+12.5%", "+12.5%", Up),
            (("100", exact), ("99.5", exact), UnitKind::Count, "−0.5%", "−0.5%", Down),
            (("100", exact), ("100", exact), UnitKind::Count, "unchanged", "持平", Level),
            (("100000", exact), ("150000", Bound::GreaterThan), UnitKind::Count, "> +50%", "> +50%", Up),
            (("100000", Bound::GreaterThan), ("90000", exact), UnitKind::Count, "< −10%", "< −10%", Down),
            (
                ("100000", Bound::GreaterThan),
                ("150000", Bound::GreaterThan),
                UnitKind::Count,
                "change not certain",
                "变化无法确定",
                Open,
            ),
            (("5", exact), ("3", exact), UnitKind::Rank, "+2 places", "+2 位", Up),
            (("3", exact), ("4", exact), UnitKind::Rank, "−1 place", "−1 位", Down),
            (("40.5", exact), ("42", exact), UnitKind::Share, "+1.5 points", "+1.5 个百分点", Up),
        ] {
            assert_eq!(told(from, to, kind), (en.to_owned(), zh.to_owned(), direction), "{from:?} {to:?}");
        }
    }

    #[test]
    fn nothing_grows_from_nothing() {
        let missing = v1::Observation { missing: MissingReason::NotAvailable.into(), ..v1::Observation::default() };
        let one = figure("1", Bound::Exact);
        assert_eq!(growth(&missing, &one, UnitKind::Count, Language::En), None);
        assert_eq!(growth(&one, &missing, UnitKind::Count, Language::En), None);
        let zero = figure("0", Bound::Exact);
        assert_eq!(growth(&zero, &one, UnitKind::Count, Language::En), None, "a percentage of nothing is none");
        assert_eq!(growth(&figure("-5", Bound::Exact), &one, UnitKind::Count, Language::En), None);
    }
}
