//! SDMX time periods: <https://sdmx.org/wp-content/uploads/SDMX_3-0-0_SECTION_2_FINAL-1_0.pdf>, section "Time Period".

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::civil::Date;

pub use self::parse::ParsePeriodError;
use crate::{civil, digits, v1};

/// How often a series is observed, coarse to fine. The numbers are those of [`v1::Frequency`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Frequency {
    /// A year.
    Annual = 1,
    /// A half year.
    HalfYearly,
    /// Four months.
    Trimestrial,
    /// A quarter.
    Quarterly,
    /// A month.
    Monthly,
    /// An ISO 8601 week.
    Weekly,
    /// A day.
    Daily,
}

/// A number that is no frequency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a frequency; write 1 (annual) to 7 (daily)")]
pub struct UnknownFrequency(pub i32);

impl Frequency {
    /// All of them, coarse to fine.
    pub const ALL: [Self; 7] =
        [Self::Annual, Self::HalfYearly, Self::Trimestrial, Self::Quarterly, Self::Monthly, Self::Weekly, Self::Daily];

    /// Periods in a year, where every year has as many.
    const fn per_year(self) -> Option<i32> {
        match self {
            Self::Annual => Some(1),
            Self::HalfYearly => Some(2),
            Self::Trimestrial => Some(3),
            Self::Quarterly => Some(4),
            Self::Monthly => Some(12),
            Self::Weekly | Self::Daily => None,
        }
    }

    /// Ordinals of the first and the last period that lie within the years 0001 to 9999.
    const fn ordinals(self) -> (i32, i32) {
        let (first, last) = (civil::days(1, 1, 1), civil::days(9999, 12, 31));
        match self.per_year() {
            Some(n) => (n, 9999 * n + n - 1),
            // The week that holds the last day ends in the year 10000.
            None if matches!(self, Self::Weekly) => (civil::week_of(first), civil::week_of(last) - 1),
            None => (first, last),
        }
    }
}

impl TryFrom<u8> for Frequency {
    type Error = UnknownFrequency;

    fn try_from(number: u8) -> Result<Self, UnknownFrequency> {
        Self::ALL.into_iter().find(|frequency| *frequency as u8 == number).ok_or(UnknownFrequency(number.into()))
    }
}

impl From<Frequency> for v1::Frequency {
    fn from(frequency: Frequency) -> Self {
        match frequency {
            Frequency::Annual => Self::Annual,
            Frequency::HalfYearly => Self::HalfYearly,
            Frequency::Trimestrial => Self::Trimestrial,
            Frequency::Quarterly => Self::Quarterly,
            Frequency::Monthly => Self::Monthly,
            Frequency::Weekly => Self::Weekly,
            Frequency::Daily => Self::Daily,
        }
    }
}

/// Fails for "unspecified".
impl TryFrom<v1::Frequency> for Frequency {
    type Error = UnknownFrequency;

    fn try_from(frequency: v1::Frequency) -> Result<Self, UnknownFrequency> {
        match frequency {
            v1::Frequency::Unspecified => Err(UnknownFrequency(0)),
            v1::Frequency::Annual => Ok(Self::Annual),
            v1::Frequency::HalfYearly => Ok(Self::HalfYearly),
            v1::Frequency::Trimestrial => Ok(Self::Trimestrial),
            v1::Frequency::Quarterly => Ok(Self::Quarterly),
            v1::Frequency::Monthly => Ok(Self::Monthly),
            v1::Frequency::Weekly => Ok(Self::Weekly),
            v1::Frequency::Daily => Ok(Self::Daily),
        }
    }
}

/// A period of the years 0001 to 9999; sorts by frequency, then start.
///
/// Parses every Gregorian and reporting form of SDMX 3.0 and prints the canonical one: `2020`, `2020-S1`, `2020-T2`, `2020-Q4`,
/// `2020-12`, `2020-W53`, `2021-12-06`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    frequency: Frequency,
    ordinal: i32,
}

impl Period {
    /// The period with this [ordinal](Self::ordinal); `None` outside the years 0001 to 9999.
    pub fn from_ordinal(frequency: Frequency, ordinal: i32) -> Option<Self> {
        let (first, last) = frequency.ordinals();
        (first..=last).contains(&ordinal).then_some(Self { frequency, ordinal })
    }

    /// The period of this frequency that holds a day; `None` if it does not lie within the years 0001 to 9999.
    pub fn containing(frequency: Frequency, day: Date) -> Option<Self> {
        let (year, month) = (i32::from(day.year()), i32::from(day.month()));
        let days = civil::days(year, day.month() as u8, day.day() as u8);
        let ordinal = match frequency.per_year() {
            Some(n) => year * n + (month - 1) * n / 12,
            None if frequency == Frequency::Weekly => civil::week_of(days),
            None => days,
        };
        Self::from_ordinal(frequency, ordinal)
    }

    /// How long it is.
    pub fn frequency(self) -> Frequency {
        self.frequency
    }

    /// Its number among the periods of its frequency; the next one has the next number. Stored: never renumber.
    ///
    /// For a part `p`, from 0, of a year of `n` parts it is `year * n + p`; for a week, the weeks from the one that holds
    /// 1970-01-01; for a day, the days from 1970-01-01.
    pub fn ordinal(self) -> i32 {
        self.ordinal
    }

    /// Its first day.
    pub fn start(self) -> Date {
        match self.frequency.per_year() {
            Some(n) => {
                let part = self.ordinal.rem_euclid(n);
                day(self.ordinal.div_euclid(n), (part * 12 / n + 1) as u8, 1)
            }
            None if self.frequency == Frequency::Weekly => day_at(self.ordinal * 7 - 3),
            None => day_at(self.ordinal),
        }
    }

    /// Its last day.
    pub fn end(self) -> Date {
        match self.frequency.per_year() {
            Some(n) => {
                let part = self.ordinal.rem_euclid(n);
                let (year, month) = (self.ordinal.div_euclid(n), ((part + 1) * 12 / n) as u8);
                day(year, month, civil::days_in_month(year, month))
            }
            None if self.frequency == Frequency::Weekly => day_at(self.ordinal * 7 + 3),
            None => day_at(self.ordinal),
        }
    }

    /// The period after it, unless it is the last.
    pub fn succ(self) -> Option<Self> {
        Self::from_ordinal(self.frequency, self.ordinal + 1)
    }

    /// The period before it, unless it is the first.
    pub fn pred(self) -> Option<Self> {
        Self::from_ordinal(self.frequency, self.ordinal - 1)
    }

    /// The same period of the year before; none for the 29th of February, the 53rd week, and before the first.
    pub fn year_before(self) -> Option<Self> {
        match self.frequency.per_year() {
            Some(n) => Self::from_ordinal(self.frequency, self.ordinal - n),
            None if self.frequency == Frequency::Weekly => {
                let (year, _, _) = civil::date(self.ordinal * 7);
                let (last, this) = (civil::first_week(year - 1), civil::first_week(year));
                let before = last + (self.ordinal - this);
                Self::from_ordinal(self.frequency, before).filter(|_| before < this)
            }
            None => {
                let (year, month, day) = civil::date(self.ordinal);
                let exists = day <= civil::days_in_month(year - 1, month);
                Self::from_ordinal(self.frequency, civil::days(year - 1, month, day)).filter(|_| exists)
            }
        }
    }

    /// The period of a lower frequency that it belongs to: a week to the one in which it ends. None where the one does not consist of
    /// the other, as a half year does not of times of four months.
    pub fn within(self, longer: Frequency) -> Option<Self> {
        let nests = longer < self.frequency
            && !(longer == Frequency::HalfYearly && self.frequency == Frequency::Trimestrial)
            && !(longer == Frequency::Trimestrial && self.frequency == Frequency::Quarterly);
        nests.then(|| Self::containing(longer, self.end())).flatten()
    }

    /// The periods of a higher frequency that belong to it, in order. None where it does not consist of such.
    pub fn parts(self, shorter: Frequency) -> impl Iterator<Item = Self> {
        let first = Self::containing(shorter, self.start());
        let periods = std::iter::successors(first, |period| period.succ());
        let up_to = periods.take_while(move |period| period.start() <= self.end());
        up_to.filter(move |period| period.within(self.frequency) == Some(self))
    }

    /// Appends its canonical text.
    pub fn write_to(&self, out: &mut String) {
        let (text, length) = self.encode();
        out.push_str(str::from_utf8(&text[..length]).expect("a period is ASCII"));
    }

    /// Its canonical text and how long that is.
    fn encode(self) -> ([u8; 10], usize) {
        let mut text = *b"0000-00-00";
        let length = match self.frequency.per_year() {
            Some(n) => {
                text[..4].copy_from_slice(&digits::four(self.ordinal.div_euclid(n) as u16));
                self.encode_part(self.ordinal.rem_euclid(n) as u8 + 1, &mut text)
            }
            None if self.frequency == Frequency::Weekly => {
                let (year, _, _) = civil::date(self.ordinal * 7);
                text[..4].copy_from_slice(&digits::four(year as u16));
                self.encode_part((self.ordinal - civil::first_week(year)) as u8 + 1, &mut text)
            }
            None => {
                let (year, month, day) = civil::date(self.ordinal);
                text[..4].copy_from_slice(&digits::four(year as u16));
                text[5..7].copy_from_slice(&digits::two(month));
                text[8..].copy_from_slice(&digits::two(day));
                10
            }
        };
        (text, length)
    }

    /// Writes what follows the year and returns the length of the whole.
    fn encode_part(self, part: u8, text: &mut [u8; 10]) -> usize {
        let letter = match self.frequency {
            Frequency::Annual => return 4,
            Frequency::Monthly | Frequency::Daily => {
                text[5..7].copy_from_slice(&digits::two(part));
                return 7;
            }
            Frequency::Weekly => {
                text[5] = b'W';
                text[6..8].copy_from_slice(&digits::two(part));
                return 8;
            }
            Frequency::HalfYearly => b'S',
            Frequency::Trimestrial => b'T',
            Frequency::Quarterly => b'Q',
        };
        text[5..7].copy_from_slice(&[letter, b'0' + part]);
        7
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, length) = self.encode();
        f.pad(str::from_utf8(&text[..length]).expect("a period is ASCII"))
    }
}

fn day_at(days: i32) -> Date {
    let (year, month, day_of_month) = civil::date(days);
    day(year, month, day_of_month)
}

fn day(year: i32, month: u8, day: u8) -> Date {
    Date::new(year as i16, month as i8, day as i8).expect("a period lies within the years 0001 to 9999")
}
