use jiff::civil::Date;
use proptest::prelude::*;

use super::*;

fn period(text: &str) -> Period {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    match text.parse::<Period>() {
        Ok(period) => panic!("{text:?} was taken as {period}"),
        Err(error) => error.to_string(),
    }
}

fn any_period() -> impl Strategy<Value = Period> {
    prop::sample::select(&Frequency::ALL[..]).prop_flat_map(|frequency| {
        let (first, last) = frequency.ordinals();
        (first..=last).prop_map(move |ordinal| Period::from_ordinal(frequency, ordinal).expect("in range"))
    })
}

#[test]
fn the_canonical_forms_are_those_of_the_contract() {
    for text in ["2020", "2020-S1", "2020-T2", "2020-Q4", "2020-12", "2020-W53", "2021-12-06", "0001", "9999-12-31"] {
        assert_eq!(period(text).to_string(), text);
    }
}

#[test]
fn reporting_forms_are_answered_in_the_gregorian_form_where_there_is_one() {
    for (reporting, gregorian) in [
        ("2020-A1", "2020"),
        ("2020-M12", "2020-12"),
        ("2020-D341", "2020-12-06"),
        ("2020-D366", "2020-12-31"),
        ("2021-D001", "2021-01-01"),
    ] {
        assert_eq!(period(reporting).to_string(), gregorian);
        assert_eq!(period(reporting), period(gregorian));
    }
}

#[test]
fn a_period_begins_and_ends_on_the_days_that_the_calendar_says() {
    for (text, start, end) in [
        ("2020", "2020-01-01", "2020-12-31"),
        ("2020-S2", "2020-07-01", "2020-12-31"),
        ("2020-T2", "2020-05-01", "2020-08-31"),
        ("2020-Q1", "2020-01-01", "2020-03-31"),
        ("2020-02", "2020-02-01", "2020-02-29"),
        ("1900-02", "1900-02-01", "1900-02-28"),
        ("2020-W53", "2020-12-28", "2021-01-03"),
        ("2020-W01", "2019-12-30", "2020-01-05"),
        ("0001-W01", "0001-01-01", "0001-01-07"),
        ("9999-W51", "9999-12-20", "9999-12-26"),
        ("2021-12-06", "2021-12-06", "2021-12-06"),
    ] {
        assert_eq!((period(text).start().to_string(), period(text).end().to_string()), (start.into(), end.into()), "{text}");
    }
}

#[test]
fn a_part_that_the_calendar_does_not_have_is_named_with_the_last_or_first_one() {
    for (text, message) in [
        ("2021-W53", "2021 has no week 53; its last is 2021-W52"),
        ("2021-W54", "2021 has no week 54; its last is 2021-W52"),
        ("2020-W54", "2020 has no week 54; its last is 2020-W53"),
        ("2020-W00", "2020 has no week 0; its first is 2020-W01"),
        ("2021-02-30", "2021-02 has no day 30; its last is 2021-02-28"),
        ("2021-02-00", "2021-02 has no day 0; its first is 2021-02-01"),
        ("2021-13-01", "2021 has no month 13; its last is 2021-12"),
        ("2021-13", "2021 has no month 13; its last is 2021-12"),
        ("2021-M00", "2021 has no month 0; its first is 2021-01"),
        ("2021-Q5", "2021 has no quarter 5; its last is 2021-Q4"),
        ("2021-S3", "2021 has no half year 3; its last is 2021-S2"),
        ("2021-T4", "2021 has no trimester 4; its last is 2021-T3"),
        ("2021-A2", "2021 has no annual period 2; its last is 2021-A1"),
        ("2021-D366", "2021 has no day 366; its last is 2021-D365"),
    ] {
        assert_eq!(refusal(text), message);
    }
}

#[test]
fn another_spelling_is_refused_with_the_right_one() {
    for (text, write) in [
        ("2020-M1", "2020-01"),
        ("2020-1", "2020-01"),
        ("2020-1-5", "2020-01-05"),
        ("2020/12/06", "2020-12-06"),
        ("20201206", "2020-12-06"),
        ("2020q4", "2020-Q4"),
        ("2020-Q04", "2020-Q4"),
        ("2020 H1", "2020-S1"),
        ("2020-w5", "2020-W05"),
        ("2020-D5", "2020-01-05"),
        (" 2020-12", "2020-12"),
    ] {
        assert_eq!(refusal(text), format!("{text:?} is not how SDMX writes this period; write \"{write}\""));
    }
}

#[test]
fn six_digits_are_not_guessed_to_be_a_month() {
    // A Chinese office publishes the second quarter of 2019 as 201902.
    assert!(refusal("201902").starts_with("\"201902\" is not a period;"));
}

#[test]
fn fiscal_years_times_of_day_and_ranges_are_refused_by_name() {
    for text in ["FY2020", "fy20", "2020/21", "2020-21", "2020/2021", "2020-2021", "1999/00", "2020-FY"] {
        assert!(refusal(text).contains("looks like a fiscal year"), "{}", refusal(text));
    }
    for text in ["2020-12-06T08:00:00", "2020-12-06T08:00:00Z", "2020Z", "2020-12+08:00"] {
        assert!(refusal(text).contains("has a time of day or a time zone"), "{}", refusal(text));
    }
    for text in ["2020-01-01/P1M", "2020-01-01/2020-02-01", "2020-01-01T00:00:00/P1D"] {
        assert!(refusal(text).contains("is a time range"), "{}", refusal(text));
    }
}

#[test]
fn other_texts_are_refused_with_an_example() {
    assert!(refusal("").starts_with("the period is empty; write for example"));
    assert!(refusal(" ").starts_with("the period is empty"));
    assert!(refusal("٢٠٢٠").contains("not written with the digits 0 to 9"));
    assert!(refusal("２０２０").contains("not written with the digits 0 to 9"));
    assert!(refusal("0000").contains("is not in the years 0001 to 9999"));
    assert!(refusal("9999-W52").contains("is not in the years 0001 to 9999"));
    for text in ["abcd", "20", "12020", "-2020", "2020-", "2020-12-", "2020-X1", "2020年", "2020-年", "123é5678"] {
        assert!(refusal(text).contains("is not a period; write for example \"2020\""), "{}", refusal(text));
    }
}

#[test]
fn a_coarser_frequency_sorts_before_a_finer_one_and_then_the_start_counts() {
    let sorted = ["2021", "2020-S1", "2020-Q4", "2021-Q1", "2019-12", "2020-W53", "2000-01-01", "2020-12-31"].map(period);
    assert!(sorted.is_sorted());
}

#[test]
fn the_first_and_the_last_period_have_no_neighbour() {
    for frequency in Frequency::ALL {
        let (first, last) = frequency.ordinals();
        assert_eq!(Period::from_ordinal(frequency, first).and_then(Period::pred), None);
        assert_eq!(Period::from_ordinal(frequency, last).and_then(Period::succ), None);
    }
    assert_eq!(Period::containing(Frequency::Daily, Date::constant(-1, 1, 1)), None);
    assert_eq!(Period::containing(Frequency::Weekly, Date::MAX), None);
}

#[test]
fn ordinals_are_stored_and_keep_their_meaning() {
    for (text, ordinal) in [
        ("2020", 2020),
        ("2020-S2", 4041),
        ("2020-T3", 6062),
        ("2020-Q4", 8083),
        ("2020-12", 24_251),
        ("1970-W01", 0),
        ("2020-W53", 2661),
        ("1970-01-02", 1),
        ("2021-12-06", 18_967),
    ] {
        assert_eq!(period(text).ordinal(), ordinal, "{text}");
    }
}

#[test]
fn frequencies_have_the_numbers_of_the_contract() {
    for frequency in Frequency::ALL {
        assert_eq!(v1::Frequency::from(frequency) as i32, frequency as i32);
        assert_eq!(Frequency::try_from(v1::Frequency::from(frequency)), Ok(frequency));
        assert_eq!(Frequency::try_from(frequency as u8), Ok(frequency));
    }
    assert_eq!(Frequency::try_from(0), Err(UnknownFrequency(0)));
    assert_eq!(Frequency::try_from(8), Err(UnknownFrequency(8)));
    assert_eq!(Frequency::try_from(v1::Frequency::Unspecified), Err(UnknownFrequency(0)));
}

#[test]
fn a_year_before_is_the_same_period_unless_there_was_none() {
    let before = |text: &str| text.parse::<Period>().expect(text).year_before().map(|period| period.to_string());
    for (period, expected) in [
        ("2020", "2019"),
        ("2020-S2", "2019-S2"),
        ("2020-T3", "2019-T3"),
        ("2020-Q1", "2019-Q1"),
        ("2020-12", "2019-12"),
        ("2021-W52", "2020-W52"),
        ("2021-02-28", "2020-02-28"),
    ] {
        assert_eq!(before(period).as_deref(), Some(expected));
    }
    assert_eq!([before("2020-02-29"), before("2020-W53"), before("0001")], [None, None, None]);
}

#[test]
fn a_period_consists_of_the_shorter_ones_that_end_in_it() {
    let parts = |text: &str, shorter| -> Vec<String> {
        text.parse::<Period>().expect(text).parts(shorter).map(|period| period.to_string()).collect()
    };
    assert_eq!(parts("2020", Frequency::Quarterly), ["2020-Q1", "2020-Q2", "2020-Q3", "2020-Q4"]);
    assert_eq!(parts("2020-S2", Frequency::Quarterly), ["2020-Q3", "2020-Q4"]);
    assert_eq!(parts("2020-T2", Frequency::Monthly), ["2020-05", "2020-06", "2020-07", "2020-08"]);
    assert_eq!(parts("2020-02", Frequency::Daily).len(), 29);
    // The last week of 2020 ends on the 3rd of January.
    assert_eq!(parts("2021-01", Frequency::Weekly), ["2020-W53", "2021-W01", "2021-W02", "2021-W03", "2021-W04"]);
    for (longer, shorter) in
        [("2020-S1", Frequency::Trimestrial), ("2020-T1", Frequency::Quarterly), ("2020-Q1", Frequency::Annual)]
    {
        assert!(parts(longer, shorter).is_empty());
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(period in any_period()) {
        let text = period.to_string();
        prop_assert_eq!(text.parse::<Period>(), Ok(period));
        let mut appended = String::from("x");
        period.write_to(&mut appended);
        prop_assert_eq!(appended, format!("x{text}"));
        prop_assert_eq!(Period::from_ordinal(period.frequency(), period.ordinal()), Some(period));
    }

    #[test]
    fn order_is_that_of_the_start_days(a in any_period(), b in any_period()) {
        let expected = (a.frequency(), a.start()).cmp(&(b.frequency(), b.start()));
        prop_assert_eq!(a.cmp(&b), expected);
    }

    #[test]
    fn the_next_period_begins_the_day_after_the_end(period in any_period()) {
        prop_assert!(period.start() <= period.end());
        if let Some(next) = period.succ() {
            prop_assert_eq!(next.ordinal(), period.ordinal() + 1);
            prop_assert_eq!(period.end().tomorrow().ok(), Some(next.start()));
            prop_assert_eq!(next.pred(), Some(period));
        }
    }

    #[test]
    fn every_day_of_a_period_is_contained_in_it(period in any_period(), offset in 0..366) {
        let length = (period.end() - period.start()).get_days() + 1;
        let day = period.start().checked_add(jiff::Span::new().days(offset % length)).expect("not after the end");
        prop_assert_eq!(Period::containing(period.frequency(), day), Some(period));
    }

    #[test]
    fn any_text_is_a_period_or_refused_without_a_panic(text in ".{0,12}", near in "[0-9]{3,5}[-/ ]?[AaSTQMWDHFY0-9é年T:/-]{0,8}") {
        for text in [text, near] {
            if let Ok(period) = text.parse::<Period>() {
                prop_assert_eq!(period.to_string().parse::<Period>(), Ok(period));
            }
        }
    }

    #[test]
    fn a_suggested_spelling_is_a_period(text in "[0-9]{4}[-/. ]?[AaSTQMWDhq0-9]{0,4}[-/]?[0-9]{0,2}") {
        if let Err(ParsePeriodError::Spelling { write, .. }) = text.parse::<Period>() {
            prop_assert_eq!(write.parse::<Period>().map(|period| period.to_string()), Ok(write));
        }
    }
}
