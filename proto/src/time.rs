//! Points in time.

use std::{fmt, str::FromStr};

use prost_types::Timestamp;

use crate::{civil, digits, excerpt::Excerpt};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A point in time of the years 0001 to 9999 in UTC: microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// A time stamp that is no [`Time`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Digits beyond the sixth decimal place.
    #[error("{0} nanoseconds are finer than a microsecond; round them to a multiple of 1000")]
    TooFine(i32),
    /// Not in the years 0001 to 9999.
    #[error("{0} seconds since 1970 are not in the years 0001 to 9999")]
    OutOfRange(i64),
    /// Nanoseconds below 0 or above 999,999,999.
    #[error("{0} nanoseconds are not a part of a second; write 0 to 999999000")]
    InvalidNanos(i32),
}

/// A text that is no [`Time`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseTimeError {
    /// Not a time.
    #[error("{0} is not a time; write a day \"2021-12-06\" or a time with its zone \"2021-12-06T08:00:00Z\"")]
    Form(Excerpt),
    /// No "Z" and no offset from UTC.
    #[error("{0} does not say its time zone; append \"Z\" for UTC or an offset such as \"+08:00\"")]
    NoZone(Excerpt),
    /// Digits beyond the sixth decimal place.
    #[error("{0} is finer than a microsecond; write at most six digits after the point")]
    TooFine(Excerpt),
    /// The calendar or the clock has no such time.
    #[error(
        "{0} does not exist in the calendar or on the clock (leap seconds do not count); write such as \"2021-12-06T23:59:59Z\""
    )]
    NoSuchTime(Excerpt),
    /// Not in the years 0001 to 9999 in UTC.
    #[error("{0} is not in the years 0001 to 9999 of UTC")]
    OutOfRange(Excerpt),
}

impl Time {
    /// Midnight, 1 January 0001.
    pub const MIN: Self = Self(civil::days(1, 1, 1) as i64 * DAY);
    /// The last microsecond of the year 9999.
    pub const MAX: Self = Self(civil::days(10_000, 1, 1) as i64 * DAY - 1);

    /// Of microseconds since the Unix epoch; `None` outside the years 0001 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&micros).then_some(Self(micros))
    }

    /// Microseconds since the Unix epoch.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// For display: only the date when it is midnight UTC.
    pub fn date_or_time(self) -> DateOrTime {
        DateOrTime(self)
    }

    fn write_date(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil::date(self.0.div_euclid(DAY) as i32);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// RFC 3339 in UTC, with as many digits of a second as it has.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_date(f)?;
        let of_day = self.0.rem_euclid(DAY);
        let (seconds, micros) = (of_day / SECOND, of_day % SECOND);
        write!(f, "T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if micros > 0 {
            write!(f, ".{}", format!("{micros:06}").trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// Displays a [`Time`]: the date when it is midnight UTC, else RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateOrTime(Time);

impl fmt::Display for DateOrTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.0.rem_euclid(DAY) == 0 { self.0.write_date(f) } else { self.0.fmt(f) }
    }
}

impl TryFrom<&Timestamp> for Time {
    type Error = TimestampError;

    fn try_from(timestamp: &Timestamp) -> Result<Self, TimestampError> {
        let Timestamp { seconds, nanos } = *timestamp;
        if !(0..1_000_000_000).contains(&nanos) {
            return Err(TimestampError::InvalidNanos(nanos));
        }
        if nanos % 1000 != 0 {
            return Err(TimestampError::TooFine(nanos));
        }
        let micros = seconds.checked_mul(SECOND).and_then(|micros| micros.checked_add(i64::from(nanos / 1000)));
        micros.and_then(Self::from_micros).ok_or(TimestampError::OutOfRange(seconds))
    }
}

impl From<Time> for Timestamp {
    fn from(time: Time) -> Self {
        Self { seconds: time.0.div_euclid(SECOND), nanos: (time.0.rem_euclid(SECOND) * 1000) as i32 }
    }
}

/// RFC 3339, or a date: its midnight in UTC.
impl FromStr for Time {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let excerpt = || Excerpt::of(text);
        let form = || ParseTimeError::Form(excerpt());
        let (date, time) = text.as_bytes().split_at_checked(10).ok_or_else(form)?;
        let days = read_date(date).ok_or_else(form)?.ok_or_else(|| ParseTimeError::NoSuchTime(excerpt()))?;
        let within_day = match time {
            [] => 0,
            [b'T' | b't' | b' ', time @ ..] => {
                let (clock, rest) = time.split_at_checked(8).ok_or_else(form)?;
                let seconds = read_clock(clock).ok_or_else(form)?.ok_or_else(|| ParseTimeError::NoSuchTime(excerpt()))?;
                let (micros, zone) = read_fraction(rest).ok_or_else(form)?;
                let micros = micros.ok_or_else(|| ParseTimeError::TooFine(excerpt()))?;
                if zone.is_empty() {
                    return Err(ParseTimeError::NoZone(excerpt()));
                }
                let offset = read_zone(zone).ok_or_else(form)?;
                (seconds - offset) * SECOND + micros
            }
            _ => return Err(form()),
        };
        Self::from_micros(i64::from(days) * DAY + within_day).ok_or_else(|| ParseTimeError::OutOfRange(excerpt()))
    }
}

fn pair(text: &[u8]) -> Option<u8> {
    digits::number(text).map(|number| number as u8)
}

/// Days since the epoch; the inner `None` is a day that the calendar does not have.
fn read_date(text: &[u8]) -> Option<Option<i32>> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let (year, month, day) = (i32::from(digits::number(year)?), pair(&[*m1, *m2])?, pair(&[*d1, *d2])?);
    let exists = year > 0 && (1..=12).contains(&month) && (1..=civil::days_in_month(year, month)).contains(&day);
    Some(exists.then(|| civil::days(year, month, day)))
}

/// Seconds of the day; the inner `None` is a time that the clock does not have.
fn read_clock(text: &[u8]) -> Option<Option<i64>> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text else { return None };
    let (hour, minute, second) = (pair(&[*h1, *h2])?, pair(&[*m1, *m2])?, pair(&[*s1, *s2])?);
    let exists = hour < 24 && minute < 60 && second < 60;
    Some(exists.then(|| i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)))
}

/// Microseconds, and what follows them; the inner `None` is a finer fraction.
fn read_fraction(text: &[u8]) -> Option<(Option<i64>, &[u8])> {
    let [b'.', rest @ ..] = text else { return Some((Some(0), text)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = rest.split_at(length);
    if fraction.is_empty() {
        return None;
    }
    let (micros, finer) = fraction.split_at(length.min(6));
    let value = micros.iter().fold(0, |value, byte| value * 10 + i64::from(byte - b'0')) * 10i64.pow(6 - micros.len() as u32);
    Some((finer.iter().all(|byte| *byte == b'0').then_some(value), rest))
}

/// Seconds east of UTC.
fn read_zone(text: &[u8]) -> Option<i64> {
    match text {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hour, minute) = (pair(&[*h1, *h2])?, pair(&[*m1, *m2])?);
            let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60;
            (hour < 24 && minute < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> Time {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn refusal(text: &str) -> String {
        text.parse::<Time>().expect_err(text).to_string()
    }

    #[test]
    fn a_date_is_its_midnight_in_utc() {
        assert_eq!(time("2021-12-06"), time("2021-12-06T00:00:00Z"));
        assert_eq!(time("1970-01-01").micros(), 0);
        assert_eq!(time("2021-12-06").micros(), 1_638_748_800_000_000);
    }

    #[test]
    fn it_is_printed_in_utc_with_the_digits_that_it_has() {
        for (text, printed) in [
            ("2021-12-06", "2021-12-06T00:00:00Z"),
            ("2021-12-06T08:30:00+08:00", "2021-12-06T00:30:00Z"),
            ("2021-12-06t23:59:59.120000000z", "2021-12-06T23:59:59.12Z"),
            ("1969-12-31 23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
            ("2021-12-06T22:00:00-02:30", "2021-12-07T00:30:00Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(time(text).to_string(), printed);
        }
        assert_eq!(time("2021-12-06T08:00:00+08:00").date_or_time().to_string(), "2021-12-06");
        assert_eq!(time("2021-12-06T08:00:01+08:00").date_or_time().to_string(), "2021-12-06T00:00:01Z");
    }

    #[test]
    fn what_is_no_time_is_refused_with_a_remedy() {
        for (text, part) in [
            ("", "is not a time; write a day"),
            ("yesterday", "is not a time"),
            ("2021-12-06T08", "is not a time"),
            ("2021-12-06T08:00Z", "is not a time"),
            ("2021-12-06T08:00:00+0800", "is not a time"),
            ("2021-12-06T08:00:00.Z", "is not a time"),
            ("2021-12-06T08:00:00", "does not say its time zone"),
            ("2021-12-06T08:00:00.1234567Z", "finer than a microsecond"),
            ("2021-02-30", "does not exist"),
            ("2021-12-06T24:00:00Z", "does not exist"),
            ("2016-12-31T23:59:60Z", "leap seconds"),
            ("0000-12-31", "does not exist"),
            ("0001-01-01T00:00:00+00:01", "not in the years 0001 to 9999"),
            ("9999-12-31T23:59:59-00:01", "not in the years 0001 to 9999"),
            ("２０２１-12-06", "is not a time"),
        ] {
            assert!(refusal(text).contains(part), "{}", refusal(text));
        }
    }

    #[test]
    fn a_time_stamp_that_is_too_fine_or_out_of_range_is_refused() {
        let refused = |seconds, nanos| Time::try_from(&Timestamp { seconds, nanos }).expect_err("refused");
        assert_eq!(refused(0, 1), TimestampError::TooFine(1));
        assert_eq!(refused(0, -1000), TimestampError::InvalidNanos(-1000));
        assert_eq!(refused(0, 1_000_000_000), TimestampError::InvalidNanos(1_000_000_000));
        assert_eq!(refused(i64::MAX, 0), TimestampError::OutOfRange(i64::MAX));
        assert_eq!(refused(i64::MIN, 0), TimestampError::OutOfRange(i64::MIN));
        assert_eq!(refused(253_402_300_800, 0), TimestampError::OutOfRange(253_402_300_800));
    }

    #[test]
    fn the_first_and_the_last_time_are_those_of_the_contract() {
        assert_eq!(Time::MIN, time("0001-01-01"));
        assert_eq!(Time::MAX, time("9999-12-31T23:59:59.999999Z"));
        assert_eq!(Time::from_micros(Time::MAX.micros() + 1), None);
        assert_eq!(Time::from_micros(Time::MIN.micros() - 1), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_or_sent_is_read_back(micros in Time::MIN.0..=Time::MAX.0) {
            let time = Time::from_micros(micros).expect("in range");
            prop_assert_eq!(time.to_string().parse::<Time>(), Ok(time));
            prop_assert_eq!(time.date_or_time().to_string().parse::<Time>(), Ok(time));
            prop_assert_eq!(Time::try_from(&Timestamp::from(time)), Ok(time));
        }

        #[test]
        fn it_agrees_with_jiff(micros in Time::MIN.0..=jiff::Timestamp::MAX.as_microsecond()) {
            let jiff = jiff::Timestamp::from_microsecond(micros).expect("in range");
            prop_assert_eq!(Time::from_micros(micros).map(|time| time.to_string()), Some(jiff.to_string()));
        }

        #[test]
        fn any_text_is_a_time_or_refused_without_a_panic(
            text in ".{0,30}", near in "[0-9]{4}-[01][0-9]-[0-3][0-9][T ]?[0-9:]{0,8}[.]?[0-9é]{0,10}[Zz+-]?[0-9:]{0,5}"
        ) {
            for text in [text, near] {
                if let Ok(time) = text.parse::<Time>() {
                    prop_assert_eq!(time.to_string().parse::<Time>(), Ok(time));
                }
            }
        }
    }
}
