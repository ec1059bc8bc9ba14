use indicator_proto::{Statuses, Time, v1::MissingReason};

use super::*;
use crate::store::{Figure, Kind, Version};

fn version(year: i32, datum: Datum, published: &str, revision: u64) -> Version {
    Version {
        period: year.to_string().parse().unwrap(),
        kind: Kind::Inserted,
        published_at: published.parse().unwrap(),
        recorded_at: Time::from_micros(1_700_000_000_000_000 + i64::try_from(revision).unwrap() * DAY).unwrap(),
        revision,
        figure: Figure { datum, statuses: Statuses::default(), details: None },
    }
}

fn value(text: &str) -> Datum {
    Datum::Value(text.parse().unwrap(), Bound::Exact)
}

/// Versions of years, each published in the January after it, then a year later, and so on, in one commit after the other.
fn history(cells: &[(i32, &[Datum])]) -> History {
    let mut versions = Vec::new();
    for (year, data) in cells {
        for (edition, datum) in data.iter().enumerate() {
            let published = format!("{}-01-31", year + 1 + i32::try_from(edition).unwrap());
            versions.push(version(*year, *datum, &published, edition as u64 + 1));
        }
    }
    History::of(versions)
}

fn all(history: &History) -> Revisions {
    revisions(history, Axis::Published, |_| true)
}

fn text(decimal: Option<Decimal>) -> String {
    decimal.map(|d| d.to_string()).unwrap_or_default()
}

#[test]
fn the_statistics_are_those_of_the_handbook() {
    // Revisions: +3, -1, 0, +2.
    let history = history(&[
        (2001, &[value("100"), value("102"), value("103")]),
        (2002, &[value("110"), value("109")]),
        (2003, &[value("120")]),
        (2004, &[value("130"), value("132")]),
    ]);
    let statistics = all(&history).statistics.unwrap();
    assert_eq!((statistics.cells, statistics.excluded), (4, 0));
    assert_eq!(text(statistics.mean), "1");
    assert_eq!(text(statistics.mean_absolute), "1.5");
    // 6 / (103 + 109 + 120 + 132)
    assert_eq!(text(statistics.relative_mean_absolute), "1.293103448275862068965517241");
    // sqrt((2^2 + 2^2 + 1^2 + 1^2) / 3)
    assert_eq!(text(statistics.standard_deviation), "1.825741858350553711523232609");
    assert_eq!((text(statistics.least), text(statistics.greatest)), ("-1".into(), "3".into()));
    assert_eq!((text(statistics.share_revised), text(statistics.share_upward)), ("75".into(), "50".into()));
    // 730, 365 and 365 days.
    assert_eq!(text(statistics.median_days_to_latest), "365");
}

#[test]
fn a_figure_that_came_back_to_its_first_value_was_revised_all_the_same() {
    let history = history(&[(2001, &[value("1"), value("2"), value("1")]), (2002, &[value("7")])]);
    let revisions = all(&history);
    let statistics = revisions.statistics.unwrap();
    assert_eq!((text(statistics.mean), text(statistics.share_revised)), ("0".into(), "50".into()));
    assert_eq!(text(statistics.median_days_to_latest), "730");
    assert_eq!(revisions.most_revised, [], "nothing to show of it");
}

#[test]
fn cells_without_an_exact_figure_to_begin_or_to_end_with_are_left_out() {
    let above = Datum::Value("5".parse().unwrap(), Bound::GreaterThan);
    let history = history(&[
        (2001, &[value("1"), value("2")]),
        (2002, &[above, value("6")]),
        (2003, &[value("6"), Datum::Missing(MissingReason::Suppressed)]),
        (2004, &[value("6"), Datum::Withdrawn]),
        (2005, &[value("8"), Datum::Missing(MissingReason::Suppressed), value("8")]),
    ]);
    let statistics = all(&history).statistics.unwrap();
    assert_eq!((statistics.cells, statistics.excluded), (2, 3));
    assert_eq!(text(statistics.share_revised), "50", "what was missing for a while is not revised");
}

#[test]
fn nothing_and_one_cell_have_no_spread() {
    assert_eq!(all(&history(&[])).statistics, None);
    let only = all(&history(&[(2001, &[Datum::Withdrawn])]));
    assert_eq!(only.statistics, None);
    let one = all(&history(&[(2001, &[value("1"), value("0")])]));
    let statistics = one.statistics.unwrap();
    assert_eq!(statistics.standard_deviation, None);
    assert_eq!(statistics.relative_mean_absolute, None, "of nothing there are no percents");
    assert_eq!((text(one.most_revised[0].revision), one.most_revised[0].percent), ("-1".into(), None));
}

#[test]
fn the_most_revised_come_first_by_percent_and_those_of_nothing_before_them() {
    let two = |a: &str, b: &str| [value(a), value(b)];
    let mut cells: Vec<(i32, [Datum; 2])> = (0..12).map(|n| (1990 + n, two("100", &(101 + n).to_string()))).collect();
    cells.push((2020, two("100", "50")));
    cells.push((2021, two("5", "0")));
    let cells: Vec<(i32, &[Datum])> = cells.iter().map(|(year, data)| (*year, &data[..])).collect();
    let revised = all(&history(&cells)).most_revised;
    let told: Vec<_> = revised.iter().map(|cell| (cell.first.version.period.to_string(), text(cell.percent))).collect();
    assert_eq!(told.len(), MOST_REVISED);
    assert_eq!(
        told[..3],
        [
            ("2021".to_owned(), String::new()),
            ("2020".to_owned(), "-100".to_owned()),
            ("2001".to_owned(), "10.71428571428571428571428571".to_owned()),
        ]
    );
    assert_eq!(revised[0].versions, 2);
}

#[test]
fn the_axis_decides_what_was_first_and_periods_that_do_not_count_are_not_looked_at() {
    // The oldest edition was recorded last.
    let history = History::of(vec![
        version(2001, value("10"), "2002-01-31", 3),
        version(2001, value("12"), "2003-01-31", 1),
        version(2001, value("13"), "2004-01-31", 2),
        version(2002, value("1"), "2003-01-31", 1),
    ]);
    let mean = |axis, counts: fn(Period) -> bool| text(revisions(&history, axis, counts).statistics.unwrap().mean);
    let of_2001 = |period: Period| period.to_string() == "2001";
    assert_eq!(mean(Axis::Published, of_2001), "3");
    assert_eq!(mean(Axis::Recorded, of_2001), "1");
    assert_eq!(mean(Axis::Published, |_| true), "1.5");
}
