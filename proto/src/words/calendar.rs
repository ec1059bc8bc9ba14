//! Periods and times in words: `Q4 2020`, `2020年第四季度`, `6 Dec 2021`.

use jiff::civil::{Date, ISOWeekDate};

use super::Language;
use crate::{Frequency, Period, Time, civil};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const ORDINALS: [&str; 4] = ["一", "二", "三", "四"];

/// A period in words.
#[must_use]
pub fn period(period: Period, language: Language) -> String {
    let start = period.start();
    let (year, month) = (start.year(), start.month());
    // Of the parts of its year, from 0.
    let part = |months: i8| usize::try_from((month - 1) / months).expect("months begin with 1");
    match (language, period.frequency()) {
        (Language::En, Frequency::Annual) => year.to_string(),
        (Language::Zh, Frequency::Annual) => format!("{year}年"),
        (Language::En, Frequency::HalfYearly) => format!("H{} {year}", part(6) + 1),
        (Language::Zh, Frequency::HalfYearly) => format!("{year}年{}半年", ["上", "下"][part(6)]),
        (Language::En, Frequency::Trimestrial) => format!("T{} {year}", part(4) + 1),
        (Language::Zh, Frequency::Trimestrial) => format!("{year}年{month}–{}月", month + 3),
        (Language::En, Frequency::Quarterly) => format!("Q{} {year}", part(3) + 1),
        (Language::Zh, Frequency::Quarterly) => format!("{year}年第{}季度", ORDINALS[part(3)]),
        (Language::En, Frequency::Monthly) => format!("{} {year}", MONTHS[part(1)]),
        (Language::Zh, Frequency::Monthly) => format!("{year}年{month}月"),
        (_, Frequency::Weekly) => week(start.iso_week_date(), language),
        (_, Frequency::Daily) => date(start, language),
    }
}

fn week(week: ISOWeekDate, language: Language) -> String {
    match language {
        Language::En => format!("week {} of {}", week.week(), week.year()),
        Language::Zh => format!("{}年第{}周", week.year(), week.week()),
    }
}

fn date(date: Date, language: Language) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    match language {
        Language::En => format!("{day} {} {year}", MONTHS[usize::try_from(month - 1).expect("months begin with 1")]),
        Language::Zh => format!("{year}年{month}月{day}日"),
    }
}

/// The day of a time, in UTC.
#[must_use]
pub fn day(time: Time, language: Language) -> String {
    let (year, month, day) =
        civil::date(i32::try_from(time.micros().div_euclid(DAY)).expect("a time is in the years 0001 to 9999"));
    let fits = "the days of a calendar are few";
    let small = |number: u8| i8::try_from(number).expect(fits);
    date(Date::constant(i16::try_from(year).expect(fits), small(month), small(day)), language)
}

/// A time in words, to the second, in UTC: only the day when it is midnight.
#[must_use]
pub fn time(time: Time, language: Language) -> String {
    let seconds = time.micros().rem_euclid(DAY) / SECOND;
    let day = day(time, language);
    if seconds == 0 {
        return day;
    }
    format!("{day} {:02}:{:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_written_as_people_write_them() {
        for (text, en, zh) in [
            ("2020", "2020", "2020年"),
            ("2020-S2", "H2 2020", "2020年下半年"),
            ("2020-T2", "T2 2020", "2020年5–8月"),
            ("2020-Q4", "Q4 2020", "2020年第四季度"),
            ("2020-12", "Dec 2020", "2020年12月"),
            ("2020-W53", "week 53 of 2020", "2020年第53周"),
            ("2021-12-06", "6 Dec 2021", "2021年12月6日"),
        ] {
            let of: Period = text.parse().unwrap();
            assert_eq!((period(of, Language::En), period(of, Language::Zh)), (en.to_owned(), zh.to_owned()));
        }
    }

    #[test]
    fn every_frequency_has_words_to_the_ends_of_the_calendar() {
        for frequency in Frequency::ALL {
            for year in [1, 9999] {
                let of = Period::containing(frequency, jiff::civil::date(year, 1, 7)).unwrap();
                assert!(!period(of, Language::En).is_empty() && !period(of, Language::Zh).is_empty());
            }
        }
    }

    #[test]
    fn a_time_at_midnight_is_a_day() {
        let of = |text: &str| text.parse::<Time>().unwrap();
        assert_eq!(time(of("2021-12-06T00:00:00Z"), Language::En), "6 Dec 2021");
        assert_eq!(time(of("2021-12-06T08:05:00.123456Z"), Language::Zh), "2021年12月6日 08:05:00 UTC");
        assert_eq!(day(of("2021-12-06T23:59:59Z"), Language::En), "6 Dec 2021");
        assert_eq!(time(Time::MIN, Language::En), "1 Jan 1");
        assert_eq!(time(Time::MAX, Language::Zh), "9999年12月31日 23:59:59 UTC");
    }
}
