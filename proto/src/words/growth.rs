//! How a figure changed against the one before, as far as their bounds tell.

use std::ops::Bound as End;

use rust_decimal::Decimal as Number;

use super::{Language, grouped, readable};
use crate::{
    Bound, Decimal, Extent, Interval,
    v1::{self, MissingReason, UnitKind},
};

/// A change in words, and which way it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// `+4.5%`, `+2 places`, `> +50%`, `change not certain`.
    pub words: String,
    /// For a column: `+4.5%`, `+1.5 pp`, `5→3`, `> +50%`, `?`.
    pub short: String,
    /// Which way.
    pub direction: Direction,
}

/// Which way a figure changed. Of ranks, towards the first is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More, for certain.
    Up,
    /// Less, for certain.
    Down,
    /// As much.
    Level,
    /// The bounds leave it open.
    Open,
}

impl Direction {
    fn of(from: Option<Number>, to: Option<Number>) -> Self {
        match (from, to) {
            (Some(from), Some(to)) if from.is_zero() && to.is_zero() => Self::Level,
            // A limit that is not reached: above nothing is more.
            (Some(from), _) if from >= Number::ZERO => Self::Up,
            (_, Some(to)) if to <= Number::ZERO => Self::Down,
            _ => Self::Open,
        }
    }
}

/// What a figure says of the true one, and whether only about.
struct Range {
    low: Option<Number>,
    high: Option<Number>,
    about: bool,
}

impl Range {
    /// Its rounding is left out: the change of rounded figures is told of as they are. So is the margin of what is about, since nobody
    /// knows it. `None` where there is no figure.
    fn of(observation: &v1::Observation) -> Option<Self> {
        if observation.deleted || observation.missing() != MissingReason::Unspecified {
            return None;
        }
        let bound = Bound::from(observation.bound());
        let about = bound == Bound::Approximate;
        let extent = match &observation.interval {
            Some(interval) => Extent::from(Interval::new(interval.lower.parse().ok()?, interval.upper.parse().ok()?).ok()?),
            None => Extent::of_value(observation.value.parse().ok()?, if about { Bound::Exact } else { bound }, None),
        };
        let number = |end: End<Decimal>| match end {
            End::Included(decimal) | End::Excluded(decimal) => Some(decimal.inner()),
            End::Unbounded => None,
        };
        Some(Self { low: number(extent.lower()), high: number(extent.upper()), about })
    }

    fn exact(&self) -> Option<Number> {
        self.low.filter(|low| self.high == Some(*low))
    }
}

/// From an earlier figure to a later one: in percent, of shares in percentage points, of ranks in places. `None` where one of them is no
/// figure, or where a percentage says nothing: of a bound that may be nothing, or below.
#[must_use]
pub fn growth(earlier: &v1::Observation, later: &v1::Observation, kind: UnitKind, language: Language) -> Option<Growth> {
    let (from, to) = (Range::of(earlier)?, Range::of(later)?);
    let about = if from.about || to.about { "≈ " } else { "" };
    let less = |a: Option<Number>, b: Option<Number>| a.zip(b).and_then(|(a, b)| a.checked_sub(b));
    match kind {
        UnitKind::Rank => {
            // Fewer is better.
            let places = |digits: &str| {
                let one = digits.trim_start_matches(['+', '−']) == "1";
                language.word(format!("{digits} {}", if one { "place" } else { "places" }), format!("{digits} 位"))
            };
            let mut growth = said((less(from.low, to.high), less(from.high, to.low)), about, places, language);
            if let Some((from, to)) = from.exact().zip(to.exact()) {
                growth.short = format!("{from}→{to}");
            }
            Some(growth)
        }
        UnitKind::Share => {
            let points = |digits: &str| language.word(format!("{digits} points"), format!("{digits} 个百分点"));
            let mut growth = said((less(to.low, from.high), less(to.high, from.low)), about, points, language);
            growth.short = growth.short.replace(" points", " pp");
            Some(growth)
        }
        _ => {
            let percent = |digits: &str| format!("{digits}%");
            let grown = |to: Number, from: Number| {
                let grown = to.checked_sub(from)?.checked_div(from.abs())?.checked_mul(Number::ONE_HUNDRED)?;
                Some(few_digits(grown))
            };
            if let Some((from, to)) = from.exact().zip(to.exact()) {
                // There is no percentage of nothing: the difference itself.
                if from.is_zero() {
                    return Some(said((Some(to), Some(to)), about, str::to_owned, language));
                }
                let grown = grown(to, from)?;
                return Some(said((Some(grown), Some(grown)), about, percent, language));
            }
            let positive = |number: &Number| *number > Number::ZERO;
            let least = from.low.filter(positive)?;
            let low = to.low.zip(from.high.filter(positive)).and_then(|(to, from)| grown(to, from));
            let high = to.high.and_then(|to| grown(to, least));
            Some(said((low, high), about, percent, language))
        }
    }
}

/// As many as people read: one after the point, two that count of what is less than one.
fn few_digits(percent: Number) -> Number {
    let size = percent.abs();
    let rounded = if size >= Number::ONE_THOUSAND {
        percent.round()
    } else if size >= Number::ONE {
        percent.round_dp(1)
    } else {
        percent.round_sf(2).unwrap_or(percent)
    };
    rounded.normalize()
}

fn said((low, high): (Option<Number>, Option<Number>), about: &str, unit: impl Fn(&str) -> String, language: Language) -> Growth {
    let signed = |number: Number| {
        let digits = grouped(&readable(&number.abs().normalize().to_string()), 0);
        match (number.is_zero(), number.is_sign_negative()) {
            (true, _) => digits,
            (false, true) => format!("−{digits}"),
            (false, false) => format!("+{digits}"),
        }
    };
    let direction = Direction::of(low, high);
    let (words, short) = match (low, high) {
        (Some(low), Some(high)) if low == high && low.is_zero() => {
            (language.word("unchanged", "持平").to_owned(), "0".to_owned())
        }
        (Some(low), Some(high)) if low == high => (format!("{about}{}", unit(&signed(low))), String::new()),
        (Some(low), Some(high)) => (unit(&format!("{} … {}", signed(low), signed(high))), String::new()),
        (Some(low), None) => (format!("> {}", unit(&signed(low))), String::new()),
        (None, Some(high)) => (format!("< {}", unit(&signed(high))), String::new()),
        (None, None) => (language.word("change not certain", "变化无法确定").to_owned(), "?".to_owned()),
    };
    let short = if short.is_empty() { words.clone() } else { short };
    Growth { words, short, direction }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::Bound;

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
            (("100", exact), ("150", Bound::Approximate), UnitKind::Count, "≈ +50%", "≈ +50%", Up),
            (("1000", exact), ("1001.23", exact), UnitKind::Count, "+0.12%", "+0.12%", Up),
            (("1", exact), ("123.456", exact), UnitKind::Count, "+12,246%", "+12,246%", Up),
        ] {
            assert_eq!(told(from, to, kind), (en.to_owned(), zh.to_owned(), direction), "{from:?} {to:?}");
        }
    }

    #[test]
    fn in_a_column_ranks_are_told_and_doubt_is_a_sign() {
        let short = |from: (&str, Bound), to: (&str, Bound), kind| {
            growth(&figure(from.0, from.1), &figure(to.0, to.1), kind, Language::En).expect("two figures").short
        };
        let exact = Bound::Exact;
        assert_eq!(short(("5", exact), ("3", exact), UnitKind::Rank), "5→3");
        assert_eq!(short(("5", exact), ("3.5", exact), UnitKind::Share), "−1.5 pp");
        assert_eq!(short(("5", exact), ("5", exact), UnitKind::Count), "0");
        assert_eq!(short(("5", exact), ("6", exact), UnitKind::Count), "+20%");
        assert_eq!(short(("5", Bound::AtLeast), ("6", Bound::AtLeast), UnitKind::Count), "?");
    }

    #[test]
    fn nothing_grows_from_nothing() {
        let missing = v1::Observation { missing: MissingReason::NotAvailable.into(), ..v1::Observation::default() };
        let one = figure("1", Bound::Exact);
        assert_eq!(growth(&missing, &one, UnitKind::Count, Language::En), None);
        assert_eq!(growth(&one, &missing, UnitKind::Count, Language::En), None);
        let zero = growth(&figure("0", Bound::Exact), &one, UnitKind::Count, Language::En).expect("two figures");
        assert_eq!((zero.words.as_str(), zero.direction), ("+1", Direction::Up), "there is no percentage of nothing");
        assert_eq!(
            growth(&figure("-5", Bound::GreaterThan), &one, UnitKind::Count, Language::En),
            None,
            "it may be below nothing"
        );
        let from_below = growth(&figure("-5", Bound::Exact), &one, UnitKind::Count, Language::En).expect("two figures");
        assert_eq!((from_below.words.as_str(), from_below.direction), ("+120%", Direction::Up));
    }
}
