//! Days of the proleptic Gregorian calendar as numbers, after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".

/// Days from 1970-01-01 to a day.
pub(crate) const fn days(year: i32, month: u8, day: u8) -> i32 {
    // The year begins in March, so that the leap day is its last.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month as i32 + 9) % 12) + 2) / 5 + day as i32 - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a number of days from 1970-01-01.
pub(crate) const fn date(days: i32) -> (i32, u8, u8) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u8;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u8;
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

/// Days in a month.
pub(crate) const fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days in a year.
pub(crate) const fn days_in_year(year: i32) -> i32 {
    if is_leap(year) { 366 } else { 365 }
}

const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The ISO 8601 week of a day, in weeks from the one that holds 1970-01-01, a Thursday.
///
/// The Thursday of week `w` is therefore day `7 * w`, and a week belongs to the year of its Thursday.
pub(crate) const fn week_of(day: i32) -> i32 {
    (day + 3).div_euclid(7)
}

/// The first ISO 8601 week of a year: the one that holds 4 January.
pub(crate) const fn first_week(year: i32) -> i32 {
    week_of(days(year, 1, 4))
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_day_of_the_epoch_is_day_0_of_week_0() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(week_of(0), 0);
    }

    proptest! {
        #[test]
        fn dates_weeks_and_month_lengths_agree_with_jiff(day in days(1, 1, 1)..=days(9999, 12, 31)) {
            let (year, month, day_of_month) = date(day);
            let date = Date::new(year as i16, month as i8, day_of_month as i8).expect("a day");
            prop_assert_eq!(days(year, month, day_of_month), day);
            prop_assert_eq!((date - Date::constant(1970, 1, 1)).get_days(), day);
            prop_assert_eq!(days_in_month(year, month) as i8, date.days_in_month());
            prop_assert_eq!(days_in_year(year) as i16, date.days_in_year());
            let iso = date.iso_week_date();
            prop_assert_eq!(week_of(day) - first_week(iso.year().into()) + 1, i32::from(iso.week()));
        }
    }
}
