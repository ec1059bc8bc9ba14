//! The words of tidy files: bounds, statuses, missing reasons, equivalents, times. Exports write the first form, imports take all.

use std::fmt::Write as _;

use indicator_proto::{
    Decimal, Statuses,
    v1::{Bound, Equivalent, MissingReason, ObservationStatus},
};

use super::problem::Problem;

/// Bounds with their word and the sign that people write.
const BOUNDS: [(Bound, &str, &str); 6] = [
    (Bound::Exact, "exact", "="),
    (Bound::GreaterThan, "greater-than", ">"),
    (Bound::AtLeast, "at-least", ">="),
    (Bound::LessThan, "less-than", "<"),
    (Bound::AtMost, "at-most", "<="),
    (Bound::Approximate, "approximate", "~"),
];

/// A bound from its word, its name in the schema, or its sign ("≥" too). Empty means exact.
pub fn parse_bound(text: &str) -> Result<Bound, Problem> {
    let word = normal(text);
    let word = word.strip_prefix("bound-").unwrap_or(&word);
    match word {
        "" => return Ok(Bound::Exact),
        "≥" => return Ok(Bound::AtLeast),
        "≤" => return Ok(Bound::AtMost),
        "≈" => return Ok(Bound::Approximate),
        _ => {}
    }
    let found = BOUNDS.into_iter().find(|(_, name, sign)| *name == word || *sign == word);
    found.map(|(bound, ..)| bound).ok_or_else(|| unknown(text, BOUNDS.map(|(_, name, _)| name)))
}

/// The word of a bound; empty for an exact figure.
pub fn bound_word(bound: Bound) -> &'static str {
    BOUNDS.into_iter().find(|(known, ..)| *known == bound && bound != Bound::Exact).map_or("", |(_, name, _)| name)
}

/// Statuses from short names, SDMX codes ("P") or names in the schema, with blanks between them. "A" is a normal figure.
pub fn parse_statuses(text: &str) -> Result<Statuses, Problem> {
    text.split([' ', ',', ';']).filter(|word| !word.is_empty() && *word != "A").map(parse_status).collect()
}

fn parse_status(text: &str) -> Result<ObservationStatus, Problem> {
    let word = normal(text);
    let word = word.strip_prefix("observation-status-").unwrap_or(&word);
    let by_code = || one_letter(text).and_then(ObservationStatus::from_code);
    let all = || ObservationStatus::all().filter_map(ObservationStatus::name);
    ObservationStatus::from_name(word).or_else(by_code).ok_or_else(|| unknown(text, all()))
}

/// The short names of statuses with blanks between them.
pub fn write_statuses(statuses: Statuses, out: &mut String) {
    for (at, name) in statuses.iter().filter_map(ObservationStatus::name).enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(name);
    }
}

/// A missing reason from its short name, SDMX code or name in the schema. Empty means none.
pub fn parse_missing(text: &str) -> Result<Option<MissingReason>, Problem> {
    let word = normal(text);
    if word.is_empty() {
        return Ok(None);
    }
    let word = word.strip_prefix("missing-reason-").unwrap_or(&word);
    let by_code = || one_letter(text).and_then(MissingReason::from_code);
    let all = || MissingReason::all().filter_map(MissingReason::name);
    MissingReason::from_name(word).or_else(by_code).map(Some).ok_or_else(|| unknown(text, all()))
}

/// Equivalents from `"470400000000 USD; 1.5 EUR"`.
pub fn parse_equivalents(text: &str) -> Result<Vec<Equivalent>, Problem> {
    let wrong = || Problem::Equivalent { text: text.to_owned() };
    let one = |part: &str| {
        let (value, unit) = part.trim().split_once(' ').ok_or_else(wrong)?;
        let value = Decimal::parse_lenient(value).map_err(|_| wrong())?;
        Ok(Equivalent { value: value.to_string(), unit: unit.trim().to_owned() })
    };
    if text.trim().is_empty() { Ok(Vec::new()) } else { text.split("; ").map(one).collect() }
}

/// Equivalents as [`parse_equivalents`] takes them.
pub fn write_equivalents(equivalents: &[Equivalent], out: &mut String) {
    for (at, Equivalent { value, unit }) in equivalents.iter().enumerate() {
        let between = if at > 0 { "; " } else { "" };
        write!(out, "{between}{value} {unit}").expect("a string takes every write");
    }
}

/// Lower case, with "-" for what else joins words.
fn normal(text: &str) -> String {
    text.trim().to_lowercase().replace(['_', ' '], "-")
}

fn one_letter(text: &str) -> Option<char> {
    let mut characters = text.trim().chars();
    characters.next().filter(|_| characters.next().is_none())
}

fn unknown(text: &str, words: impl IntoIterator<Item = &'static str>) -> Problem {
    Problem::Word { text: text.to_owned(), words: words.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_taken_in_every_way_people_write_it() {
        for text in ["greater-than", "GREATER_THAN", "BOUND_GREATER_THAN", "greater than", ">"] {
            assert_eq!(parse_bound(text), Ok(Bound::GreaterThan), "{text}");
        }
        assert_eq!(parse_bound(""), Ok(Bound::Exact));
        assert_eq!(parse_bound("≥"), Ok(Bound::AtLeast));
        assert!(parse_bound("more").unwrap_err().to_string().contains("greater-than"));
    }

    #[test]
    fn every_word_that_is_written_is_read() {
        for (bound, ..) in BOUNDS {
            assert_eq!(parse_bound(bound_word(bound)), Ok(bound));
        }
        let all: Statuses = ObservationStatus::all().collect();
        let mut text = String::new();
        write_statuses(all, &mut text);
        assert_eq!(parse_statuses(&text), Ok(all));
        for reason in MissingReason::all() {
            assert_eq!(parse_missing(reason.name().unwrap()), Ok(Some(reason)));
        }
    }

    #[test]
    fn statuses_are_a_set_in_names_or_codes() {
        let expected: Statuses = [ObservationStatus::Provisional, ObservationStatus::Estimated].into_iter().collect();
        assert_eq!(parse_statuses("provisional E"), Ok(expected));
        assert_eq!(parse_statuses("A"), Ok(Statuses::default()));
        assert!(parse_statuses("provisional odd").is_err());
    }

    #[test]
    fn equivalents_are_read_as_written() {
        let equivalents = parse_equivalents("470400000000 USD; 1.50 EUR").unwrap();
        let mut text = String::new();
        write_equivalents(&equivalents, &mut text);
        assert_eq!(text, "470400000000 USD; 1.5 EUR");
        assert!(parse_equivalents("USD").is_err());
        assert_eq!(parse_equivalents(" "), Ok(Vec::new()));
    }
}
