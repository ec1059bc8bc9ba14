//! Reading periods: fast when they are right, explicit when they are not.

use std::str::FromStr;

use super::{Frequency, Period};
use crate::{civil, digits, excerpt::Excerpt};

/// Why a text is not a period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePeriodError {
    /// Nothing there.
    #[error("the period is empty; write for example \"2020\", \"2020-Q4\", \"2020-12\" or \"2021-12-06\"")]
    Empty,
    /// Digits of another script.
    #[error("{0} is not written with the digits 0 to 9; write for example \"2020-12\"")]
    ForeignDigits(Excerpt),
    /// A fiscal year.
    #[error(
        "{0} looks like a fiscal year, which has no SDMX form; write the calendar periods it covers, for example \"2020-Q2\""
    )]
    FiscalYear(Excerpt),
    /// A range of time.
    #[error("{0} is a time range; write one period, for example \"2020\" or \"2020-Q4\"")]
    TimeRange(Excerpt),
    /// A time of day or a time zone.
    #[error("{0} has a time of day or a time zone; the finest period is a day, for example \"2021-12-06\"")]
    TimeOfDay(Excerpt),
    /// The calendar has no such year.
    #[error("{0} is not in the years 0001 to 9999; write for example \"2020\"")]
    OutOfYears(Excerpt),
    /// The year or the month has no such part.
    #[error("{whole} has no {part} {number}; its {edge} is {example}")]
    NoSuchPart {
        /// The year or the month.
        whole: String,
        /// What it has no such number of, for example "week".
        part: &'static str,
        /// The number.
        number: u16,
        /// "first" or "last".
        edge: &'static str,
        /// The first or last one.
        example: String,
    },
    /// Another spelling of a period.
    #[error("{text} is not how SDMX writes this period; write \"{write}\"")]
    Spelling {
        /// The text.
        text: Excerpt,
        /// How to write it.
        write: String,
    },
    /// Not a period at all.
    #[error(
        "{0} is not a period; write for example \"2020\", \"2020-S1\", \"2020-Q4\", \"2020-12\", \"2020-W53\" or \"2021-12-06\""
    )]
    Form(Excerpt),
}

impl FromStr for Period {
    type Err = ParsePeriodError;

    fn from_str(text: &str) -> Result<Self, ParsePeriodError> {
        // The reason is looked for only when there is no period: the good path neither allocates nor looks twice.
        Parts::read(text.as_bytes()).and_then(Parts::period).ok_or_else(|| explain(text))
    }
}

/// What a well-formed text says, whether or not the calendar has it.
#[derive(Clone, Copy)]
struct Parts {
    year: u16,
    rest: Rest,
}

#[derive(Clone, Copy)]
enum Rest {
    Part(Frequency, u16),
    DayOfYear(u16),
    Date(u16, u16),
}

impl Parts {
    #[inline]
    fn read(text: &[u8]) -> Option<Self> {
        let (year, rest) = text.split_at_checked(4)?;
        let rest = match rest {
            [] => Rest::Part(Frequency::Annual, 1),
            [b'-', m1, m2] if m1.is_ascii_digit() => Rest::Part(Frequency::Monthly, digits::number(&[*m1, *m2])?),
            [b'-', m1, m2, b'-', d1, d2] => Rest::Date(digits::number(&[*m1, *m2])?, digits::number(&[*d1, *d2])?),
            [b'-', letter, number @ ..] => match (letter, number.len()) {
                (b'A', 1) => Rest::Part(Frequency::Annual, digits::number(number)?),
                (b'S', 1) => Rest::Part(Frequency::HalfYearly, digits::number(number)?),
                (b'T', 1) => Rest::Part(Frequency::Trimestrial, digits::number(number)?),
                (b'Q', 1) => Rest::Part(Frequency::Quarterly, digits::number(number)?),
                (b'M', 2) => Rest::Part(Frequency::Monthly, digits::number(number)?),
                (b'W', 2) => Rest::Part(Frequency::Weekly, digits::number(number)?),
                (b'D', 3) => Rest::DayOfYear(digits::number(number)?),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { year: digits::number(year)?, rest })
    }

    #[inline]
    fn period(self) -> Option<Period> {
        let year = i32::from(self.year);
        let (frequency, ordinal) = match self.rest {
            Rest::Part(frequency, number) => {
                let index = i32::from(number) - 1;
                match frequency.per_year() {
                    Some(n) if (0..n).contains(&index) => (frequency, year * n + index),
                    None if (0..weeks_in(year)).contains(&index) => (frequency, civil::first_week(year) + index),
                    _ => return None,
                }
            }
            Rest::DayOfYear(number) if (1..=civil::days_in_year(year)).contains(&number.into()) => {
                (Frequency::Daily, civil::days(year, 1, 1) + i32::from(number) - 1)
            }
            Rest::Date(month @ 1..=12, day) if (1..=days_in(year, month)).contains(&day) => {
                (Frequency::Daily, civil::days(year, month as u8, day as u8))
            }
            _ => return None,
        };
        Period::from_ordinal(frequency, ordinal)
    }

    /// Why there is no such period.
    fn refusal(self, text: &str) -> ParsePeriodError {
        let year = i32::from(self.year);
        let out_of_years = ParsePeriodError::OutOfYears(Excerpt::of(text));
        if year == 0 {
            return out_of_years;
        }
        let whole = format!("{year:04}");
        match self.rest {
            Rest::Date(month @ 1..=12, day) => {
                let whole = format!("{whole}-{month:02}");
                no_such(day, days_in(year, month), "day", 2, whole.clone(), format!("{whole}-"))
            }
            Rest::Date(month, _) => no_such(month, 12, "month", 2, whole.clone(), format!("{whole}-")),
            Rest::DayOfYear(day) => no_such(day, civil::days_in_year(year) as u16, "day", 3, whole.clone(), format!("{whole}-D")),
            Rest::Part(frequency, number) => {
                let (letter, part, width) = match frequency {
                    Frequency::Annual => ("A", "annual period", 1),
                    Frequency::HalfYearly => ("S", "half year", 1),
                    Frequency::Trimestrial => ("T", "trimester", 1),
                    Frequency::Quarterly => ("Q", "quarter", 1),
                    Frequency::Monthly => ("", "month", 2),
                    Frequency::Weekly => ("W", "week", 2),
                    Frequency::Daily => ("D", "day", 3),
                };
                let last = frequency.per_year().unwrap_or_else(|| weeks_in(year)) as u16;
                if (1..=last).contains(&number) {
                    return out_of_years;
                }
                no_such(number, last, part, width, whole.clone(), format!("{whole}-{letter}"))
            }
        }
    }
}

fn weeks_in(year: i32) -> i32 {
    civil::first_week(year + 1) - civil::first_week(year)
}

fn days_in(year: i32, month: u16) -> u16 {
    civil::days_in_month(year, month as u8).into()
}

fn no_such(number: u16, last: u16, part: &'static str, width: usize, whole: String, prefix: String) -> ParsePeriodError {
    let (edge, nearest) = if number == 0 { ("first", 1) } else { ("last", last) };
    ParsePeriodError::NoSuchPart { whole, part, number, edge, example: format!("{prefix}{nearest:0width$}") }
}

/// Why a text that is not a period is none.
#[cold]
fn explain(text: &str) -> ParsePeriodError {
    let excerpt = || Excerpt::of(text);
    if text.trim().is_empty() {
        return ParsePeriodError::Empty;
    }
    if text.chars().any(|c| !c.is_ascii() && c.is_numeric()) {
        return ParsePeriodError::ForeignDigits(excerpt());
    }
    if is_fiscal_year(text.trim()) {
        return ParsePeriodError::FiscalYear(excerpt());
    }
    if let Some(parts) = Parts::read(text.as_bytes()) {
        return parts.refusal(text);
    }
    if let Some(write) = respelled(text) {
        return ParsePeriodError::Spelling { text: excerpt(), write };
    }
    if text.contains('/') {
        return ParsePeriodError::TimeRange(excerpt());
    }
    let begins_with_year = text.get(..4).is_some_and(|year| year.bytes().all(|b| b.is_ascii_digit()));
    if begins_with_year && (text.contains(':') || text.ends_with(['Z', 'z']) || text[4..].contains('T')) {
        return ParsePeriodError::TimeOfDay(excerpt());
    }
    ParsePeriodError::Form(excerpt())
}

/// "FY2020", "2020/21", "2020-2021" and their like.
fn is_fiscal_year(text: &str) -> bool {
    if text.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("FY")) || text.to_ascii_uppercase().ends_with("FY") {
        return true;
    }
    let Some((first, second)) = text.split_once(['/', '-', '–']) else { return false };
    let digits = |s: &str, lengths: &[usize]| lengths.contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(first, &[4]) || !digits(second, &[2, 4]) {
        return false;
    }
    let next = format!("{:04}", first.parse::<u32>().unwrap_or_default() + 1);
    // "2011-12" is a month, and was taken as one before this is asked.
    next.ends_with(second)
}

/// The canonical text, if a text differs from a period only in letter case, separators or padding.
fn respelled(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_uppercase().replace(['.', '_', ' ', '/'], "-");
    let (year, rest) = text.split_at_checked(4)?;
    let separated = rest.starts_with('-');
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let mut pieces = rest.split('-');
    let (first, second) = (pieces.next()?, pieces.next());
    if pieces.next().is_some() {
        return None;
    }
    let pad = |digits: &str, width: usize| format!("{:0>width$}", digits.trim_start_matches('0'));
    let candidate = match (first.as_bytes().first()?, second) {
        (b'0'..=b'9', Some(day)) => format!("{year}-{}-{}", pad(first, 2), pad(day, 2)),
        (b'0'..=b'9', None) if first.len() == 4 => {
            let (month, day) = first.split_at_checked(2)?;
            format!("{year}-{month}-{day}")
        }
        // "201902" is a month to one office and a quarter to another: no guess without a separator.
        (b'0'..=b'9', None) if separated => format!("{year}-{}", pad(first, 2)),
        (letter, None) if letter.is_ascii_uppercase() => {
            let (letter, width) = match letter {
                b'H' => ('S', 1),
                b'M' | b'W' => (char::from(*letter), 2),
                b'D' => ('D', 3),
                _ => (char::from(*letter), 1),
            };
            format!("{year}-{letter}{}", pad(&first[1..], width))
        }
        _ => return None,
    };
    Parts::read(candidate.as_bytes()).and_then(Parts::period).map(|period| period.to_string())
}
