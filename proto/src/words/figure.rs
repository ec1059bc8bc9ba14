//! Figures as people write them: `> 100,000`, `≥ 3`, `10 – 20`, `… (suppressed)`.
//!
//! Everything works on the decimal's text; no figure passes through a float.

use rust_decimal::RoundingStrategy;

use super::{
    Language,
    code::{self, bound_sign},
    headline::scaled,
};
use crate::{
    Decimal,
    v1::{Coverage, Indicator, MissingReason, Observation, ObservationStatus, Unit, UnitKind},
};

/// What stands for a figure that is not there.
pub(super) const NO_FIGURE: &str = "…";

/// The digits of a decimal in groups of three, with at least `decimals` of them after the point.
///
/// A figure with more digits keeps them: a display that drops digits shows another figure.
pub fn grouped(decimal: &str, decimals: u32) -> String {
    let (sign, digits) = match decimal.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", decimal),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut text = String::with_capacity(decimal.len() * 4 / 3 + 2);
    text.push_str(sign);
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let zeros = (decimals as usize).saturating_sub(fraction.len());
    if !fraction.is_empty() || zeros > 0 {
        text.push('.');
        text.push_str(fraction);
        text.extend(std::iter::repeat_n('0', zeros));
    }
    text
}

/// The figure of an observation, without its unit. `decimals` are the digits after the point that its indicator asks for.
pub fn figure(observation: &Observation, decimals: Option<u32>, language: Language) -> String {
    if observation.derivation.is_some() {
        return computed(observation, language);
    }
    // A figure that was rounded says so; zeros after it would claim digits that nobody published.
    let decimals = if observation.rounded_to.is_empty() { decimals.unwrap_or(0) } else { 0 };
    if observation.deleted {
        return format!("{NO_FIGURE} ({})", language.word("withdrawn", "已撤回"));
    }
    if observation.missing() != MissingReason::Unspecified {
        return format!("{NO_FIGURE} ({})", code::missing(observation.missing(), language));
    }
    if let Some(interval) = &observation.interval {
        return format!("{} – {}", grouped(&interval.lower, decimals), grouped(&interval.upper, decimals));
    }
    format!("{}{}", bound_sign(observation.bound()), grouped(&observation.value, decimals))
}

/// A computed figure, which has as many digits as arithmetic gives it: those that people read.
fn computed(observation: &Observation, language: Language) -> String {
    let shown = |decimal: &str| grouped(&readable(decimal), 0);
    if observation.missing() != MissingReason::Unspecified {
        return format!("{NO_FIGURE} ({})", code::missing(observation.missing(), language));
    }
    match &observation.interval {
        Some(interval) => format!("{} – {}", shown(&interval.lower), shown(&interval.upper)),
        None => format!("{}{}", bound_sign(observation.bound()), shown(&observation.value)),
    }
}

/// With four digits after the point; of a number below one, with four digits that count.
pub fn readable(decimal: &str) -> String {
    let Ok(number) = decimal.parse::<Decimal>() else { return decimal.to_owned() };
    let number = number.inner();
    let rounded = if number.trunc().is_zero() { number.round_sf(4) } else { Some(number.round_dp(4)) };
    rounded.unwrap_or(number).normalize().to_string()
}

/// The figure with its unit: `> 100,000 stations`, `100%`, `第 3 位`.
pub fn figure_with_unit(
    observation: &Observation,
    indicator: Option<&Indicator>,
    unit: Option<&Unit>,
    language: Language,
) -> String {
    let text = figure(observation, indicator.and_then(|indicator| indicator.decimals), language);
    if observation.deleted || observation.missing() != MissingReason::Unspecified {
        return text;
    }
    with_unit(&text, unit, language)
}

/// A text of digits with the unit's symbol, where that language puts it.
pub fn with_unit(digits: &str, unit: Option<&Unit>, language: Language) -> String {
    let symbol = unit.map_or_else(String::new, |unit| symbol(unit, language));
    let rank = unit.is_some_and(|unit| unit.kind() == UnitKind::Rank);
    match (language, symbol.chars().next()) {
        (_, None) => digits.to_owned(),
        (Language::En, Some(_)) if rank => format!("{symbol} {digits}"),
        (Language::Zh, Some(_)) if rank => format!("第 {digits} {symbol}"),
        (_, Some('%' | '‰' | '°')) => format!("{digits}{symbol}"),
        (_, Some(_)) => format!("{digits} {symbol}"),
    }
}

/// How a unit is printed beside a figure; empty for the unit "1".
pub fn symbol(unit: &Unit, language: Language) -> String {
    let id = unit.id.as_str();
    // "{station}" annotates the unit one; the braces are UCUM's, not people's.
    let plain = || if id == "1" { String::new() } else { id.replace(['{', '}'], "") };
    unit.symbols.get(language.tag()).cloned().unwrap_or_else(plain)
}

/// What else a reader must know of the figure: its qualities, and how the other sources see it.
pub fn remarks(observation: &Observation, language: Language) -> Vec<String> {
    let mut remarks = qualities(observation, language);
    remarks.extend(other_sources(observation, language));
    remarks
}

/// Its statuses, how much of it there is, its rounding.
pub fn qualities(observation: &Observation, language: Language) -> Vec<String> {
    let mut remarks: Vec<String> = statuses(observation, language).into_iter().map(str::to_owned).collect();
    if let Some(Coverage { reported, expected }) = observation.coverage.filter(|it| it.reported < it.expected) {
        remarks.push(coverage(Coverage { reported, expected }, language));
    }
    if !observation.rounded_to.is_empty() {
        remarks.push(rounding(&observation.rounded_to, language));
    }
    remarks
}

/// Of how much a figure is made: `18 of 21`.
pub fn coverage(Coverage { reported, expected }: Coverage, language: Language) -> String {
    match language {
        Language::En => format!("{reported} of {expected}"),
        Language::Zh => format!("{expected} 中有 {reported}"),
    }
}

/// The statuses as words.
pub fn statuses(observation: &Observation, language: Language) -> Vec<&'static str> {
    observation
        .statuses()
        .filter(|status| *status != ObservationStatus::Unspecified)
        .map(|it| code::status(it, language))
        .collect()
}

/// The size of the last digit, in words.
pub fn rounding(rounded_to: &str, language: Language) -> String {
    let size = scaled(rounded_to, RoundingStrategy::MidpointNearestEven, language).text;
    match language {
        Language::En => format!("rounded to {size}"),
        Language::Zh => format!("舍入到 {size}"),
    }
}

/// How many other sources report the cell, and whether they disagree. `None` if there are none.
pub fn other_sources(observation: &Observation, language: Language) -> Option<String> {
    let (others, disagree) = (observation.other_sources, observation.sources_disagree);
    let words = match (language, disagree, others) {
        (_, _, 0) => return None,
        (Language::En, false, 1) => "1 other source".to_owned(),
        (Language::En, true, 1) => "1 other source disagrees".to_owned(),
        (Language::En, false, _) => format!("{others} other sources"),
        (Language::En, true, _) => format!("{others} other sources, some disagree"),
        (Language::Zh, false, _) => format!("另有 {others} 个来源"),
        (Language::Zh, true, _) => format!("另有 {others} 个来源，数据不一致"),
    };
    Some(words)
}

#[cfg(test)]
mod tests {
    use crate::v1::{Bound, Interval};
    use proptest::prelude::*;

    use super::*;

    fn value(value: &str, bound: Bound) -> Observation {
        Observation { value: value.into(), bound: bound.into(), ..Observation::default() }
    }

    fn unit(id: &str, kind: UnitKind, symbols: &[(&str, &str)]) -> Unit {
        let symbols = symbols.iter().map(|(language, symbol)| ((*language).to_owned(), (*symbol).to_owned())).collect();
        Unit { id: id.into(), kind: kind.into(), symbols, ..Unit::default() }
    }

    #[test]
    fn bounds_stand_before_the_number_as_people_write_them() {
        for (bound, text) in [
            (Bound::Exact, "100,000"),
            (Bound::GreaterThan, "> 100,000"),
            (Bound::AtLeast, "≥ 100,000"),
            (Bound::LessThan, "< 100,000"),
            (Bound::AtMost, "≤ 100,000"),
            (Bound::Approximate, "≈ 100,000"),
        ] {
            assert_eq!(figure(&value("100000", bound), None, Language::En), text);
        }
    }

    #[test]
    fn an_interval_shows_both_ends_and_a_missing_figure_its_reason() {
        let interval = Interval { lower: "10".into(), upper: "2000.5".into() };
        let between = Observation { interval: Some(interval), ..Observation::default() };
        assert_eq!(figure(&between, None, Language::En), "10 – 2,000.5");
        let missing = Observation { missing: MissingReason::Suppressed.into(), ..Observation::default() };
        assert_eq!(figure(&missing, Some(2), Language::En), "… (suppressed)");
        assert_eq!(figure(&missing, None, Language::Zh), "… (保密)");
        let withdrawn = Observation { deleted: true, ..Observation::default() };
        assert_eq!(
            figure_with_unit(&withdrawn, None, Some(&unit("CNY", UnitKind::Currency, &[])), Language::En),
            "… (withdrawn)"
        );
    }

    #[test]
    fn the_indicators_decimals_add_zeros_but_never_take_digits() {
        assert_eq!(figure(&value("1234.5", Bound::Exact), Some(2), Language::En), "1,234.50");
        assert_eq!(figure(&value("1234.5678", Bound::Exact), Some(2), Language::En), "1,234.5678");
        assert_eq!(figure(&value("7", Bound::Exact), Some(1), Language::En), "7.0");
        let rounded = Observation { rounded_to: "10000".into(), ..value("1710000", Bound::Exact) };
        assert_eq!(figure(&rounded, Some(1), Language::En), "1,710,000", "zeros would claim digits nobody published");
    }

    #[test]
    fn a_computed_figure_is_shown_with_the_digits_that_people_read() {
        let computed = |text: &str| {
            let derivation = Some(crate::v1::Derivation::default());
            figure(&Observation { derivation, ..value(text, Bound::Exact) }, None, Language::En)
        };
        assert_eq!(computed("3.333333333333333333333333333"), "3.3333");
        assert_eq!(computed("-0.00012345678"), "-0.0001235");
        assert_eq!(computed("1234567.5"), "1,234,567.5");
        assert_eq!(computed("0"), "0");
        assert_eq!(
            figure(&value("3.33333333", Bound::Exact), None, Language::En),
            "3.33333333",
            "a recorded figure keeps its digits"
        );
    }

    #[test]
    fn a_unit_stands_where_its_language_puts_it() {
        let figure = |unit: &Unit, language| with_unit("3", Some(unit), language);
        let yuan = unit("CNY", UnitKind::Currency, &[("en", "yuan"), ("zh", "元")]);
        assert_eq!((figure(&yuan, Language::En), figure(&yuan, Language::Zh)), ("3 yuan".into(), "3 元".into()));
        let rank = unit("{rank}", UnitKind::Rank, &[("en", "rank"), ("zh", "位")]);
        assert_eq!((figure(&rank, Language::En), figure(&rank, Language::Zh)), ("rank 3".into(), "第 3 位".into()));
        assert_eq!(figure(&unit("%", UnitKind::Share, &[]), Language::En), "3%");
        assert_eq!(figure(&unit("{station}", UnitKind::Count, &[]), Language::En), "3 station");
        assert_eq!(figure(&unit("CNY/{person}", UnitKind::Ratio, &[]), Language::En), "3 CNY/person");
        assert_eq!(figure(&unit("1", UnitKind::Count, &[]), Language::En), "3");
        assert_eq!(figure(&unit("CNY", UnitKind::Currency, &[]), Language::En), "3 CNY");
    }

    #[test]
    fn remarks_name_statuses_rounding_and_other_sources() {
        let observation = Observation {
            statuses: vec![ObservationStatus::Provisional.into(), ObservationStatus::Estimated.into()],
            rounded_to: "10000".into(),
            other_sources: 2,
            sources_disagree: true,
            ..value("1710000", Bound::Exact)
        };
        assert_eq!(
            remarks(&observation, Language::En),
            ["provisional", "estimated", "rounded to 10,000", "2 other sources, some disagree"]
        );
    }

    proptest! {
        #[test]
        fn grouping_never_changes_the_digits(decimal in "-?(0|[1-9][0-9]{0,27})(\\.[0-9]{0,20}[1-9])?") {
            prop_assert_eq!(grouped(&decimal, 0).replace(',', ""), decimal);
        }

        #[test]
        fn groups_have_three_digits(decimal in "-?(0|[1-9][0-9]{0,27})") {
            let text = grouped(&decimal, 0);
            let mut groups = text.trim_start_matches('-').split(',');
            let first = groups.next().expect("split gives at least one");
            prop_assert!((1..=3).contains(&first.len()));
            prop_assert!(groups.all(|group| group.len() == 3));
        }

        #[test]
        fn decimals_only_add_zeros(decimal in "-?[1-9][0-9]{0,9}(\\.[0-9]{0,5}[1-9])?", decimals in 0u32..8) {
            let text = grouped(&decimal, decimals).replace(',', "");
            prop_assert!(text.starts_with(&decimal));
            prop_assert!(text[decimal.len()..].chars().all(|c| c == '0' || c == '.'));
        }
    }
}
