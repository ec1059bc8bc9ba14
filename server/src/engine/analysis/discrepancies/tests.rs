use indicator_proto::{Bound, Interval};
use proptest::prelude::*;

use super::*;
use crate::engine::analysis::samples::Sample;

fn d(text: &str) -> Decimal {
    text.parse().expect(text)
}

fn extent(text: &str) -> Extent {
    let figure = crate::engine::analysis::samples::figure(text);
    crate::engine::preferred::extent(&figure).expect("a figure")
}

fn gap(a: &str, b: &str) -> Option<(String, String)> {
    let gap = Gap::between(&extent(a), &extent(b))?;
    assert_eq!(Some(gap), Gap::between(&extent(b), &extent(a)), "in either order");
    Some((gap.absolute.to_string(), gap.percent.to_string()))
}

fn apart(absolute: &str, percent: &str) -> Option<(String, String)> {
    Some((absolute.to_owned(), percent.to_owned()))
}

fn tolerance(absolute: &str, percent: &str) -> Tolerance {
    Tolerance { absolute: d(absolute), percent: d(percent) }
}

#[test]
fn what_bounds_and_roundings_allow_is_no_disagreement() {
    assert_eq!(gap("1710000r10000", "1714882"), None);
    assert_eq!(gap(">100000", "142000"), None);
    assert_eq!(gap("~5", "1000"), None, "about a value, by an unstated margin");
}

#[test]
fn the_gap_is_between_what_the_two_allow() {
    assert_eq!(gap(">100000", "98000"), apart("2000", "2"));
    assert_eq!(gap(">100", "99.5"), apart("0.5", "0.5"));
    assert_eq!(gap("1710000r10000", "1715001"), apart("1", "0.0000583090039014554510463842"));
    assert_eq!(gap("-4", "1"), apart("5", "125"), "of the greater in size");
    assert_eq!(gap(">0", "0"), apart("0", "0"));
}

#[test]
fn figures_that_are_as_far_apart_as_the_tolerance_agree() {
    let beyond = |a: &str, b: &str, tolerance: Tolerance| tolerance.widest(&[extent(a), extent(b)]).is_some();
    assert!(beyond("100", "105", tolerance("4.99", "0")));
    assert!(!beyond("100", "105", tolerance("5", "0")));
    assert!(beyond("100", "105", tolerance("0", "4.7")));
    assert!(!beyond("100", "125", tolerance("0", "20")), "25 is 20% of 125");
    assert!(!beyond("100", "105", tolerance("5", "0.1")), "either way is enough");
}

#[test]
fn what_is_more_than_a_number_is_further_apart_than_its_gap() {
    let beyond = |a: &str, b: &str, tolerance: Tolerance| tolerance.widest(&[extent(a), extent(b)]).is_some();
    assert!(beyond(">100", "100", tolerance("0", "0")));
    assert!(!beyond(">=100", "100", tolerance("0", "0")));
    assert!(beyond(">100", "99", tolerance("1", "0")), "more than 1 apart");
    assert!(!beyond(">=100", "99", tolerance("1", "0")));
    assert!(!beyond(">100", "99", tolerance("1.01", "0")));
}

#[test]
fn of_several_sources_the_two_that_are_furthest_apart_are_told() {
    let extents = ["100", ">98", "103", "90"].map(extent);
    let gap = tolerance("2", "0").widest(&extents).expect("apart");
    assert_eq!(gap.absolute, d("13"), "between 90 and 103");
    assert_eq!(tolerance("13", "0").widest(&extents), None);
}

#[test]
fn numbers_too_far_apart_for_a_number_are_apart_all_the_same() {
    let greatest = "9999999999999999999999999999";
    assert!(gap(greatest, &format!("-{greatest}")).is_some());
}

fn any_extent() -> impl Strategy<Value = Extent> {
    let value = (-20_i64..=20, prop::sample::select(&Bound::ALL[..]), prop::option::of(1_i64..=4))
        .prop_map(|(value, bound, step)| Extent::of_value(Decimal::from(value), bound, step.map(Decimal::from)));
    let interval = (-20_i64..=20, 0_i64..=9).prop_map(|(lower, width)| {
        Extent::from(Interval::new(Decimal::from(lower), Decimal::from(lower + width)).expect("in order"))
    });
    prop_oneof![value, interval]
}

/// Quarters from -30 to 30 that an extent allows.
fn allowed(extent: &Extent) -> Vec<i64> {
    let quarter = |quarters: i64| Decimal::from_parts(i128::from(quarters) * 25, 2).expect("few digits");
    (-120..=120).filter(|quarters| extent.contains(&quarter(*quarters))).collect()
}

proptest! {
    /// Ends lie at halves, so that quarters tell every gap and whether it is reached.
    #[test]
    fn a_gap_is_the_least_difference_between_what_two_figures_allow(a in any_extent(), b in any_extent()) {
        let (figures, others) = (allowed(&a), allowed(&b));
        let differences = figures.iter().flat_map(|a| others.iter().map(move |b| (a - b).abs()));
        let least = differences.min().expect("both allow something");
        let gap = Gap::between(&a, &b).map_or(Decimal::from(0), |gap| gap.absolute);
        let excluded = |extent: &Extent| [extent.lower(), extent.upper()].iter().filter(|end| matches!(end, End::Excluded(_))).count() as i64;
        // An end that is excluded is missed by a quarter.
        let told = (gap.mantissa() * 100 / 10_i128.pow(gap.scale()) / 25) as i64;
        prop_assert!(told <= least && least <= told + excluded(&a) + excluded(&b), "{told} quarters, {least} found");
    }
}

fn query(page_size: usize) -> DiscrepancyQuery {
    DiscrepancyQuery { filter: Filter::default(), tolerance: tolerance("0", "0"), page_size, after: None }
}

/// Each cell with who says what, page by page.
fn told(sample: &Sample, query: &DiscrepancyQuery) -> Vec<Vec<String>> {
    let (mut query, mut pages) = (query.clone(), Vec::new());
    loop {
        let (found, next) = sample.engine.reading(sample.now()).discrepancies(&query).unwrap();
        let text = |it: &Discrepancy| {
            let sides: Vec<&str> = it.sides.iter().map(|(key, _)| key.source.as_str()).collect();
            format!("{} {} {} {}", it.key.region, it.period, sides.join(" "), it.gap.absolute)
        };
        pages.push(found.iter().map(text).collect());
        query.after = next;
        if next.is_none() {
            return pages;
        }
    }
}

async fn sample() -> Sample {
    let sample = Sample::new().await;
    sample
        .put("gdp", "b", &[("CN-SD", "2020", ">100"), ("CN-SD", "2021", "7"), ("CN-GD", "2020", "1"), ("CN-JS", "2020", "3")])
        .await;
    sample
        .put("gdp", "a", &[("CN-SD", "2020", "98"), ("CN-SD", "2021", "9"), ("CN-GD", "2020", "1"), ("CN-SD", "2022", "3")])
        .await;
    sample
}

#[tokio::test]
async fn sides_are_told_by_preference_and_cells_by_page() {
    let sample = sample().await;
    assert_eq!(told(&sample, &query(10)), [["CN-SD 2020 a b 2", "CN-SD 2021 a b 2"]]);
    assert_eq!(told(&sample, &query(1)), [vec!["CN-SD 2020 a b 2"], vec!["CN-SD 2021 a b 2"], vec![]]);
}

#[tokio::test]
async fn a_withdrawn_figure_takes_no_side_and_a_missing_one_contradicts_nothing() {
    let sample = sample().await;
    sample.put("gdp", "a", &[("CN-SD", "2020", "x"), ("CN-SD", "2021", "-")]).await;
    assert_eq!(told(&sample, &query(10)), [[""; 0]]);
    sample.put("gdp", "a", &[("CN-SD", "2020", "5")]).await;
    assert_eq!(told(&sample, &query(10)), [["CN-SD 2020 a b 95"]]);
}

#[tokio::test]
async fn what_disagrees_is_what_a_query_says_disagrees() {
    let sample = sample().await;
    let filter = Filter { sources: Sources::Preferred, ..Filter::default() };
    let query_of_all =
        crate::engine::Query { filter, moment: sample.now(), latest_n: 0, updated_after: 0, page_size: 0, after: None };
    let mut disagreeing = Vec::new();
    sample
        .engine
        .query(&query_of_all, |chunk| {
            let rows = chunk.rows.iter().filter(|row| row.sources_disagree);
            disagreeing.extend(rows.map(|row| format!("{} {}", chunk.key.region, row.version.period)));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    let listed: Vec<String> = told(&sample, &query(10))[0].iter().map(|line| line[..10].to_owned()).collect();
    assert_eq!(listed, disagreeing);
}
