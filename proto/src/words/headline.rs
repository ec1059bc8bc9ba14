//! A figure in few words, as people say it: `> 3 trillion yuan`, `超 3 万亿元`.

use rust_decimal::RoundingStrategy;

use super::{
    Language,
    code::{self, bound_sign},
    figure::{NO_FIGURE, grouped, symbol},
};
use crate::{
    Decimal,
    v1::{Bound, Indicator, MissingReason, Observation, Unit, UnitKind},
};

/// A figure in few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// What to print large: the bound, the number with its magnitude, the unit.
    pub text: String,
    /// The number has all its digits. Where it has not, the full figure belongs beside it.
    pub whole: bool,
}

/// Digits that a headline has at most, unless the number is below a thousand of its magnitude.
const DIGITS: u32 = 4;

/// Powers of ten with a name, greatest first.
fn magnitudes(language: Language) -> &'static [(u32, &'static str)] {
    match language {
        Language::En => &[(12, "trillion"), (9, "billion"), (6, "million")],
        Language::Zh => &[(12, "万亿"), (8, "亿"), (4, "万")],
    }
}

/// A number with the magnitude that people name: `1.71 million`, `171 万`. Digits beyond the fourth are dropped, in the direction
/// of `rounding`.
#[must_use]
pub fn scaled(decimal: &str, rounding: RoundingStrategy, language: Language) -> Headline {
    let Some(shown) = Scaled::of(decimal, None, rounding, language) else {
        return Headline { text: decimal.to_owned(), whole: true };
    };
    let Scaled { digits, magnitude, whole } = shown;
    let text = if magnitude.is_empty() { digits } else { format!("{digits} {magnitude}") };
    Headline { text, whole }
}

struct Scaled {
    digits: String,
    magnitude: &'static str,
    whole: bool,
}

impl Scaled {
    /// `decimals` are those that the indicator's displays have; `None` if the text is no decimal.
    fn of(text: &str, decimals: Option<u32>, rounding: RoundingStrategy, language: Language) -> Option<Self> {
        let decimal: Decimal = text.parse().ok()?;
        let number = decimal.inner();
        let size = number.abs();
        let named = magnitudes(language).iter().find(|(power, _)| size >= rust_decimal::Decimal::from(10_u64.pow(*power)));
        let Some((power, magnitude)) = named else {
            return Some(Self::plain(number, decimals, rounding));
        };
        // Exact: a decimal of 28 digits, shifted, has as many.
        let shifted = Decimal::from_parts(decimal.mantissa(), decimal.scale() + power).map(|it| it.inner());
        let shifted = shifted.unwrap_or_else(|| number / rust_decimal::Decimal::from(10_u64.pow(*power)));
        let whole_digits = shifted.trunc().abs().to_string().len() as u32;
        let exact = shifted.normalize();
        let shown = exact.round_dp_with_strategy(DIGITS.saturating_sub(whole_digits), rounding).normalize();
        Some(Self { digits: grouped(&shown.to_string(), 0), magnitude, whole: shown == exact })
    }

    /// A number that has no magnitude with a name.
    fn plain(number: rust_decimal::Decimal, decimals: Option<u32>, rounding: RoundingStrategy) -> Self {
        let exact = number.normalize();
        let size = exact.abs();
        let places = decimals.unwrap_or_else(|| {
            // Of a number below one, digits that count.
            let leading = if size < rust_decimal::Decimal::ONE { exact.scale().saturating_sub(significant(&exact)) } else { 0 };
            DIGITS + leading
        });
        let shown = exact.round_dp_with_strategy(places, rounding).normalize();
        Self { digits: grouped(&shown.to_string(), decimals.unwrap_or(0)), magnitude: "", whole: shown == exact }
    }
}

/// Digits from the first that is not zero.
fn significant(number: &rust_decimal::Decimal) -> u32 {
    number.mantissa().unsigned_abs().checked_ilog10().map_or(1, |power| power + 1)
}

/// Away from claiming more than was published: a lower limit is rounded down, an upper one up.
fn rounding(bound: Bound) -> RoundingStrategy {
    match bound {
        Bound::GreaterThan | Bound::AtLeast => RoundingStrategy::ToNegativeInfinity,
        Bound::LessThan | Bound::AtMost => RoundingStrategy::ToPositiveInfinity,
        Bound::Unspecified | Bound::Exact | Bound::Approximate => RoundingStrategy::MidpointNearestEven,
    }
}

/// What stands before the number: a sign in English, the word that reports use in Chinese.
fn before(bound: Bound, language: Language) -> &'static str {
    match (language, bound) {
        (Language::En, _) => bound_sign(bound),
        (Language::Zh, Bound::Unspecified | Bound::Exact) => "",
        (Language::Zh, Bound::GreaterThan) => "超 ",
        (Language::Zh, Bound::AtLeast) => "至少 ",
        (Language::Zh, Bound::LessThan) => "不足 ",
        (Language::Zh, Bound::AtMost) => "至多 ",
        (Language::Zh, Bound::Approximate) => "约 ",
    }
}

/// An observation in few words, with its unit. The words of [`figure_with_unit`](super::figure_with_unit) have every digit.
#[must_use]
pub fn headline(observation: &Observation, indicator: Option<&Indicator>, unit: Option<&Unit>, language: Language) -> Headline {
    let words = |text: String| Headline { text, whole: true };
    if observation.deleted {
        return words(language.word("withdrawn", "已撤回").to_owned());
    }
    if observation.missing() != MissingReason::Unspecified {
        return words(format!("{NO_FIGURE} ({})", code::missing(observation.missing(), language)));
    }
    // A figure that was rounded says so; zeros after it would claim digits that nobody published.
    let decimals = indicator.and_then(|indicator| indicator.decimals).filter(|_| observation.rounded_to.is_empty());
    let scaled = |text: &str, rounding| {
        Scaled::of(text, decimals, rounding, language).unwrap_or(Scaled { digits: text.to_owned(), magnitude: "", whole: true })
    };
    let (digits, magnitude, whole) = match &observation.interval {
        Some(interval) => {
            let lower = scaled(&interval.lower, RoundingStrategy::ToNegativeInfinity);
            let upper = scaled(&interval.upper, RoundingStrategy::ToPositiveInfinity);
            let from = if lower.magnitude == upper.magnitude || lower.magnitude.is_empty() && lower.digits == "0" {
                lower.digits
            } else {
                joined(&lower.digits, lower.magnitude)
            };
            (format!("{from} – {}", upper.digits), upper.magnitude, lower.whole && upper.whole)
        }
        None => {
            let Scaled { digits, magnitude, whole } = scaled(&observation.value, rounding(observation.bound()));
            (format!("{}{digits}", before(observation.bound(), language)), magnitude, whole)
        }
    };
    let symbol = unit.map_or_else(String::new, |unit| symbol(unit, language));
    let rank = unit.is_some_and(|unit| unit.kind() == UnitKind::Rank);
    let text = match (language, symbol.chars().next()) {
        (Language::En, _) if rank => format!("{digits}{}", ordinal_ending(&digits)),
        (Language::Zh, Some(_)) if rank => format!("第 {digits} {symbol}"),
        (_, None) => joined(&digits, magnitude),
        (_, Some('%' | '‰' | '°')) => format!("{}{symbol}", joined(&digits, magnitude)),
        (Language::Zh, Some(_)) => format!("{digits} {magnitude}{symbol}"),
        (Language::En, Some(_)) => format!("{} {symbol}", joined(&digits, magnitude)),
    };
    Headline { text, whole }
}

fn joined(digits: &str, magnitude: &str) -> String {
    if magnitude.is_empty() { digits.to_owned() } else { format!("{digits} {magnitude}") }
}

/// What makes a cardinal an ordinal: 1st, 2nd, 3rd, 11th.
fn ordinal_ending(digits: &str) -> &'static str {
    let bytes = digits.as_bytes();
    let teen = bytes.len() > 1 && bytes[bytes.len() - 2] == b'1';
    match bytes.last() {
        _ if digits.contains('.') => "",
        Some(b'1') if !teen => "st",
        Some(b'2') if !teen => "nd",
        Some(b'3') if !teen => "rd",
        Some(_) => "th",
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::v1::Interval;

    fn unit(id: &str, kind: UnitKind, en: &str, zh: &str) -> Unit {
        let symbols = [("en".to_owned(), en.to_owned()), ("zh".to_owned(), zh.to_owned())].into();
        Unit { id: id.into(), kind: kind.into(), symbols, ..Unit::default() }
    }

    fn yuan() -> Unit {
        unit("CNY", UnitKind::Currency, "yuan", "元")
    }

    fn value(value: &str, bound: Bound) -> Observation {
        Observation { value: value.into(), bound: bound.into(), ..Observation::default() }
    }

    fn both(observation: &Observation, unit: &Unit) -> (String, String) {
        let text = |language| headline(observation, None, Some(unit), language).text;
        (text(Language::En), text(Language::Zh))
    }

    #[test]
    fn a_figure_is_said_as_reports_say_it() {
        let said = |text: &str, bound, unit: &Unit| both(&value(text, bound), unit);
        let stations = unit("{station}", UnitKind::Count, "stations", "个");
        let rank = unit("{rank}", UnitKind::Rank, "rank", "位");
        for (found, en, zh) in [
            (said("3000000000000", Bound::GreaterThan, &yuan()), "> 3 trillion yuan", "超 3 万亿元"),
            (said("470400000000", Bound::Exact, &yuan()), "470.4 billion yuan", "4,704 亿元"),
            (said("100000", Bound::GreaterThan, &stations), "> 100,000 stations", "超 10 万个"),
            (said("204", Bound::Exact, &stations), "204 stations", "204 个"),
            (said("1710000", Bound::Approximate, &stations), "≈ 1.71 million stations", "约 171 万个"),
            (said("3", Bound::Exact, &rank), "3rd", "第 3 位"),
            (said("11", Bound::Exact, &rank), "11th", "第 11 位"),
            (said("22", Bound::Exact, &rank), "22nd", "第 22 位"),
            (said("40.5", Bound::Exact, &unit("%", UnitKind::Share, "%", "%")), "40.5%", "40.5%"),
            (said("-2500000", Bound::Exact, &yuan()), "-2.5 million yuan", "-250 万元"),
            (said("0", Bound::Exact, &yuan()), "0 yuan", "0 元"),
        ] {
            assert_eq!(found, (en.to_owned(), zh.to_owned()));
        }
    }

    #[test]
    fn digits_are_dropped_away_from_claiming_more_and_the_headline_says_that_some_were() {
        let said = |bound| headline(&value("10159862000000", bound), None, Some(&yuan()), Language::En);
        assert_eq!(said(Bound::Exact), Headline { text: "10.16 trillion yuan".into(), whole: false });
        assert_eq!(said(Bound::GreaterThan).text, "> 10.15 trillion yuan");
        assert_eq!(said(Bound::AtMost).text, "≤ 10.16 trillion yuan");
        assert!(headline(&value("12345600", Bound::Exact), None, None, Language::En).text.starts_with("12.35"));
        assert_eq!(headline(&value("12340000", Bound::Exact), None, None, Language::En).text, "12.34 million");
    }

    #[test]
    fn an_interval_has_one_magnitude_or_two() {
        let interval = |lower: &str, upper: &str| Observation {
            interval: Some(Interval { lower: lower.into(), upper: upper.into() }),
            ..Observation::default()
        };
        assert_eq!(both(&interval("1000000", "2500000"), &yuan()).0, "1 – 2.5 million yuan");
        assert_eq!(both(&interval("900000", "2500000"), &yuan()), ("900,000 – 2.5 million yuan".into(), "90 – 250 万元".into()));
    }

    #[test]
    fn what_is_no_figure_is_said_in_words() {
        let missing = Observation { missing: MissingReason::Suppressed.into(), ..Observation::default() };
        assert_eq!(both(&missing, &yuan()), ("… (suppressed)".into(), "… (保密)".into()));
        let withdrawn = Observation { deleted: true, ..Observation::default() };
        assert_eq!(both(&withdrawn, &yuan()).0, "withdrawn");
    }

    #[test]
    fn an_indicators_decimals_are_kept_in_small_figures() {
        let indicator = Indicator { decimals: Some(1), ..Indicator::default() };
        let said = |text: &str| headline(&value(text, Bound::Exact), Some(&indicator), None, Language::En);
        assert_eq!(said("7"), Headline { text: "7.0".into(), whole: true });
        assert_eq!(said("7.26"), Headline { text: "7.3".into(), whole: false });
    }

    proptest! {
        /// The number that is read back is the figure, or lies on the side of it where the bound stays true.
        #[test]
        fn a_lower_limit_never_grows_and_what_is_whole_is_equal(decimal in "(0|[1-9][0-9]{0,22})(\\.[0-9]{0,4}[1-9])?") {
            for language in Language::ALL {
                let Headline { text, whole } = scaled(&decimal, RoundingStrategy::ToNegativeInfinity, language);
                let (digits, magnitude) = text.split_once(' ').unwrap_or((&text, ""));
                let power = magnitudes(language).iter().find(|(_, name)| *name == magnitude).map_or(0, |(power, _)| *power);
                let shown: rust_decimal::Decimal = digits.replace(',', "").parse().unwrap();
                let shown = shown * rust_decimal::Decimal::from(10_u64.pow(power));
                let exact: rust_decimal::Decimal = decimal.parse().unwrap();
                prop_assert!(shown <= exact, "{decimal} is shown as {text}");
                prop_assert_eq!(shown == exact, whole, "{} is shown as {}", decimal, text);
                prop_assert!(exact - shown <= exact * "0.001".parse::<rust_decimal::Decimal>().unwrap(), "{} as {}", decimal, text);
            }
        }
    }
}
