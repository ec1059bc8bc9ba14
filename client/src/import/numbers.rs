//! Cells to figures: separators, markers for "no figure", the factor of the unit.

use std::borrow::Cow;
use std::collections::BTreeSet;

use indicator_proto::{Decimal, v1::MissingReason};

use super::error::Error;
use super::mapping::Numbers;
use super::problem::Problem;
use super::words;

/// How figures are written, ready for reading them.
#[derive(Debug)]
pub(super) struct Reader {
    /// `None` is 1.
    factor: Option<Decimal>,
    thousands: Option<char>,
    decimal: char,
    missing: BTreeSet<String>,
    /// A marker that could be a figure ("-999") is looked for before anything is read as one.
    marker_is_number: bool,
    /// What a marker is recorded as; `None` leaves the cell out.
    pub(super) missing_means: Option<MissingReason>,
    pub(super) rounded_as_written: bool,
}

/// A figure as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figure {
    /// In the indicator's unit.
    pub(super) value: Decimal,
    /// Digits that stood after the decimal sign.
    pub(super) decimals: u32,
}

impl Reader {
    pub(super) fn new(numbers: &Numbers) -> Result<Self, Error> {
        let wrong = |problem: Problem, key| Error::Setting { key, problem: Box::new(problem) };
        let factor = Decimal::parse_lenient(&numbers.factor).map_err(|error| wrong(error.into(), "numbers.factor"))?;
        if factor.is_zero() || factor.is_negative() {
            return Err(wrong(Problem::NotPositive { text: numbers.factor.clone() }, "numbers.factor"));
        }
        let missing_means = numbers.missing_means.as_deref().map(words::parse_missing).transpose();
        Ok(Self {
            factor: Some(factor).filter(|factor| *factor != Decimal::from(1)),
            thousands: numbers.thousands,
            decimal: numbers.decimal,
            missing: numbers.missing.iter().map(|marker| marker.trim().to_owned()).chain([String::new()]).collect(),
            marker_is_number: numbers.missing.iter().any(|marker| Decimal::parse_lenient(marker).is_ok()),
            missing_means: missing_means.map_err(|problem| wrong(problem, "numbers.missing_means"))?.flatten(),
            rounded_as_written: numbers.rounded_as_written,
        })
    }

    /// The figure in a cell; `None` for a marker.
    pub(super) fn read(&self, cell: &str) -> Result<Option<Figure>, Problem> {
        let text = cell.trim();
        if self.marker_is_number && self.missing.contains(text) {
            return Ok(None);
        }
        let read = self.plain(text).and_then(|plain| Ok((Decimal::parse_lenient(&plain)?, decimals(&plain))));
        match read {
            Ok((value, decimals)) => Ok(Some(Figure { value: self.scaled(value, text)?, decimals })),
            // Markers are rare: most cells never look here.
            Err(_) if self.missing.contains(text) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Size of the last digit of a figure with so many decimals.
    pub(super) fn last_digit(&self, decimals: u32) -> Option<Decimal> {
        let size = Decimal::from_parts(1, decimals)?;
        self.factor.map_or(Some(size), |factor| size.checked_mul(&factor))
    }

    fn scaled(&self, value: Decimal, text: &str) -> Result<Decimal, Problem> {
        let Some(factor) = self.factor else { return Ok(value) };
        value.checked_mul(&factor).ok_or_else(|| Problem::Inexact { text: text.to_owned(), factor: factor.to_string() })
    }

    /// Without thousands separators, and with a point before the decimals.
    fn plain<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, Problem> {
        if self.thousands.is_none() && self.decimal == '.' {
            return Ok(Cow::Borrowed(text));
        }
        let mut plain = String::with_capacity(text.len());
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            if Some(character) == self.thousands {
                let between = plain.ends_with(|c: char| c.is_ascii_digit())
                    && characters.peek().is_some_and(char::is_ascii_digit)
                    && !plain.contains('.');
                if !between {
                    return Err(Problem::Separator { text: text.to_owned() });
                }
            } else if character == self.decimal {
                plain.push('.');
            } else if character == '.' {
                // A point that is neither separator: whatever it means, it is not what the mapping says.
                return Err(Problem::Separator { text: text.to_owned() });
            } else {
                plain.push(character);
            }
        }
        Ok(Cow::Owned(plain))
    }
}

fn decimals(plain: &str) -> u32 {
    let mantissa = plain.split(['e', 'E']).next().unwrap_or_default();
    mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(numbers: Numbers) -> Reader {
        Reader::new(&numbers).unwrap()
    }

    fn value(reader: &Reader, cell: &str) -> Option<String> {
        reader.read(cell).unwrap().map(|figure| figure.value.to_string())
    }

    #[test]
    fn blanks_around_figures_and_in_markers_do_not_count() {
        let reader = reader(Numbers::default());
        assert_eq!(value(&reader, "5267 ").as_deref(), Some("5267"));
        assert_eq!(value(&reader, "\u{3000}4.0").as_deref(), Some("4"));
        for marker in ["", " ", "..", "NaN", "-", "…"] {
            assert_eq!(value(&reader, marker), None, "{marker:?}");
        }
        assert!(reader.read("none").is_err());
    }

    #[test]
    fn the_factor_multiplies_exactly_or_not_at_all() {
        let hundred_million = reader(Numbers { factor: "100000000".to_owned(), ..Numbers::default() });
        assert_eq!(value(&hundred_million, "72634.15").as_deref(), Some("7263415000000"));
        let third = reader(Numbers { factor: "0.333333333333333333333333333".to_owned(), ..Numbers::default() });
        assert!(matches!(third.read("1.23"), Err(Problem::Inexact { .. })));
        for factor in ["0", "-1", "x"] {
            assert!(Reader::new(&Numbers { factor: factor.to_owned(), ..Numbers::default() }).is_err(), "{factor}");
        }
    }

    #[test]
    fn thousands_are_separated_only_when_declared() {
        let plain = reader(Numbers::default());
        assert!(plain.read("1,710,000").is_err());
        let declared = reader(Numbers { thousands: Some(','), ..Numbers::default() });
        assert_eq!(value(&declared, "1,710,000.5").as_deref(), Some("1710000.5"));
        for odd in ["1,,000", ",100", "100,", "1.0,0"] {
            assert!(declared.read(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_decimal_comma_is_one_only_when_declared() {
        let continental = reader(Numbers { thousands: Some('.'), decimal: ',', ..Numbers::default() });
        assert_eq!(value(&continental, "1.234,5").as_deref(), Some("1234.5"));
        let comma = reader(Numbers { decimal: ',', ..Numbers::default() });
        assert!(comma.read("1.5").is_err(), "a point means nothing then");
    }

    #[test]
    fn a_marker_may_look_like_a_figure() {
        let reader = reader(Numbers { missing: vec!["-999".to_owned()], ..Numbers::default() });
        assert_eq!(value(&reader, "-999"), None);
        assert_eq!(value(&reader, "-998").as_deref(), Some("-998"));
    }

    #[test]
    fn what_is_written_tells_the_rounding() {
        let reader = reader(Numbers { factor: "10000".to_owned(), ..Numbers::default() });
        let figure = reader.read("171.50").unwrap().unwrap();
        assert_eq!((figure.value.to_string().as_str(), figure.decimals), ("1715000", 2));
        assert_eq!(reader.last_digit(figure.decimals).unwrap().to_string(), "100");
    }
}
