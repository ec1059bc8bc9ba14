use indicator_proto::{
    Bound, Decimal, Time,
    v1::{self, RegionAggregation},
};
use proptest::prelude::*;

use super::*;
use crate::{
    engine::{
        analysis::{
            Periods, Regions, Span,
            samples::{Sample, figure},
        },
        catalog::samples::{indicator, unit},
    },
    store::{Datum, Kind, Version},
};

fn provinces(periods: Periods) -> RollupQuery {
    let regions = Regions { level: "province".into(), under: "CN".into() };
    let selection = RegionSelection { indicator: "gdp".into(), regions, periods, ..RegionSelection::default() };
    RollupQuery { selection, combination: Some(Combination::Sum), weight: String::new() }
}

fn of(period: &str) -> Periods {
    Periods::One(period.parse().unwrap())
}

const EVERY: Periods = Periods::Within { start: None, end: None, frequency: None };

fn number(point: &Point) -> String {
    match point.version.figure.datum {
        Datum::Value(value, Bound::Exact) => value.to_string(),
        Datum::Value(value, bound) => format!("{bound:?} {value}"),
        Datum::Interval(interval) => format!("{}..{}", interval.lower(), interval.upper()),
        Datum::Missing(reason) => format!("{reason:?}"),
        Datum::Withdrawn => unreachable!("nothing computed is withdrawn"),
    }
}

/// Each figure: period, figure, coverage, who is missing; and the difference from what is reported.
fn told(sample: &Sample, query: &RollupQuery) -> Vec<String> {
    let rollup = sample.engine.reading(sample.now()).rollup(query).unwrap();
    let text = |it: &RolledUp| {
        let (coverage, missing) = (it.figure.coverage.unwrap(), it.missing.join(" "));
        let difference = it.difference.as_ref();
        let difference = difference.map(|it| format!(" off {} {}%", number(&it.absolute), number(&it.percent)));
        let (period, figure) = (it.figure.period(), number(&it.figure));
        let difference = difference.unwrap_or_default();
        format!("{period} {figure} {}/{} [{missing}]{difference}", coverage.reported, coverage.expected)
    };
    rollup.figures.iter().map(text).collect()
}

#[tokio::test]
async fn a_sum_tells_how_much_it_is_made_of_and_how_it_differs_from_what_is_reported() {
    let sample = Sample::new().await;
    let cells = [("CN-GD", "2020", "50"), ("CN-JS", "2020", "30"), ("CN-SD", "2020", "-"), ("CN-GD", "2021", "60")];
    sample.put("gdp", "a", &cells).await;
    sample.put("gdp", "b", &[("CN", "2020", "100"), ("CN", "2019", "90"), ("CN-ZJ", "2020", "10")]).await;
    assert_eq!(told(&sample, &provinces(of("2020"))), ["2020 90 3/4 [CN-SD] off -10 -10%"]);
    assert_eq!(
        told(&sample, &provinces(EVERY)),
        ["2020 90 3/4 [CN-SD] off -10 -10%", "2021 60 1/4 [CN-JS CN-SD CN-ZJ]"],
        "periods that some region reports"
    );
    assert_eq!(told(&sample, &provinces(of("2018"))), ["2018 NotAvailable 0/4 [CN-GD CN-JS CN-SD CN-ZJ]"]);
    let rollup = sample.engine.reading(sample.now()).rollup(&provinces(of("2020"))).unwrap();
    let key = &rollup.figures[0].figure.key;
    assert_eq!((key.region.as_str(), key.source.as_str()), ("CN", ""));
    assert_eq!(rollup.figures[0].sources, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
}

#[tokio::test]
async fn bounds_are_summed_as_bounds_and_so_is_the_difference() {
    let sample = Sample::new().await;
    let cells = [("CN-GD", "2020", ">50"), ("CN-JS", "2020", "30"), ("CN-SD", "2020", ">=5"), ("CN-ZJ", "2020", "2")];
    sample.put("gdp", "a", &cells).await;
    sample.put("gdp", "a", &[("CN", "2020", "80")]).await;
    assert_eq!(told(&sample, &provinces(of("2020"))), ["2020 GreaterThan 87 4/4 [] off GreaterThan 7 GreaterThan 8.75%"]);
    sample.put("gdp", "a", &[("CN-ZJ", "2020", "<2")]).await;
    assert_eq!(told(&sample, &provinces(of("2020"))), ["2020 Undetermined 4/4 [] off Undetermined Undetermined%"]);
}

#[tokio::test]
async fn a_region_is_expected_in_the_periods_in_which_it_existed() {
    let sample = Sample::new().await;
    sample.lived("CN-ZJ", "CN", "", "2019-12-31").await;
    sample.lived("CN-JS", "CN", "2020-07-01", "").await;
    sample.put("gdp", "a", &[("CN-GD", "2019", "1"), ("CN-SD", "2019", "1"), ("CN-ZJ", "2019", "1")]).await;
    sample.put("gdp", "a", &[("CN-GD", "2020", "1"), ("CN-SD", "2020", "1")]).await;
    assert_eq!(told(&sample, &provinces(EVERY)), ["2019 3 3/3 []", "2020 2 2/3 [CN-JS]"]);
}

#[tokio::test]
async fn the_latest_of_each_region_may_be_of_different_periods() {
    let sample = Sample::new().await;
    let cells = [("CN-GD", "2021", "4"), ("CN-JS", "2020", "30"), ("CN", "2021", "50"), ("CN", "2022", "60")];
    sample.put("gdp", "a", &cells).await;
    let rollup = sample.engine.reading(sample.now()).rollup(&provinces(Periods::Latest)).unwrap();
    let [made] = rollup.figures.as_slice() else { panic!("one figure") };
    assert_eq!((made.figure.period().to_string(), number(&made.figure)), ("2021".to_owned(), "34".to_owned()));
    assert_eq!(made.periods.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2020", "2021"]);
    assert_eq!(made.reported.as_deref().map(number), Some("50".to_owned()), "of the same period");
}

#[tokio::test]
async fn without_any_figure_there_is_no_latest_one() {
    let sample = Sample::new().await;
    assert_eq!(told(&sample, &provinces(Periods::Latest)), [""; 0]);
}

#[tokio::test]
async fn a_mean_is_weighted_and_a_region_without_a_weight_is_missing() {
    let sample = Sample::new().await;
    sample.put("gdp", "a", &[("CN-GD", "2020", "10"), ("CN-JS", "2020", "4"), ("CN-SD", "2020", "7")]).await;
    sample.put("population", "b", &[("CN-GD", "2020", "100"), ("CN-JS", "2020", "300"), ("CN-SD", "2020", "-")]).await;
    let weight = "population".to_owned();
    let query = RollupQuery { combination: Some(Combination::WeightedMean), weight, ..provinces(of("2020")) };
    assert_eq!(told(&sample, &query), ["2020 5.5 2/4 [CN-SD CN-ZJ]"]);
    sample.put("population", "b", &[("CN-GD", "2020", "0")]).await;
    assert_eq!(told(&sample, &query), ["2020 4 2/4 [CN-SD CN-ZJ]"], "who has no people has no say");
    sample.put("population", "b", &[("CN-JS", "2020", "0")]).await;
    assert_eq!(told(&sample, &query), ["2020 CannotExist 2/4 [CN-SD CN-ZJ]"]);
}

#[tokio::test]
async fn prefectures_of_all_provinces_make_the_country_past_the_provinces() {
    let sample = Sample::new().await;
    sample.put("gdp", "a", &[("CN-SD.3701", "2020", "3"), ("CN-SD.3710", "2020", "4"), ("CN-SD", "2020", "100")]).await;
    let mut query = provinces(of("2020"));
    query.selection.regions.level = "prefecture".into();
    assert_eq!(told(&sample, &query), ["2020 7 2/2 []"]);
}

fn refused(sample: &Sample, query: &RollupQuery) -> Vec<(String, ErrorReason)> {
    match sample.engine.reading(sample.now()).rollup(query) {
        Err(Error::Invalid(violations)) => violations.into_iter().map(|it| (it.field, it.reason)).collect(),
        other => panic!("refused, not {other:?}"),
    }
}

#[tokio::test]
async fn the_indicators_rule_holds_until_something_else_is_computed() {
    let sample = Sample::new().await;
    let required = |field: &str| vec![(field.to_owned(), ErrorReason::Required)];
    let by_rule = |steps: Vec<Step>| {
        let mut query = RollupQuery { combination: None, ..provinces(of("2020")) };
        query.selection.steps = steps;
        query
    };
    assert_eq!(refused(&sample, &by_rule(vec![])), required("method"), "it has none");
    let mut gdp = indicator("gdp", "CNY");
    gdp.set_region_aggregation(RegionAggregation::Sum);
    sample.catalog([gdp.into()]).await;
    let cells = [("CN-GD", "2020", "10"), ("CN-JS", "2020", "4"), ("CN-GD", "2019", "6"), ("CN-JS", "2019", "5")];
    for cells in cells.chunks(2) {
        sample.put("gdp", "a", cells).await;
    }
    assert_eq!(told(&sample, &by_rule(vec![])), ["2020 14 2/4 [CN-SD CN-ZJ]"]);
    assert_eq!(told(&sample, &by_rule(vec![Step::Change(Span::Period)])), ["2020 3 2/4 [CN-SD CN-ZJ]"], "changes add up");
    assert_eq!(refused(&sample, &by_rule(vec![Step::PercentChange(Span::Period)])), required("method"), "growth does not");
    let weighted = RollupQuery { combination: Some(Combination::WeightedMean), ..by_rule(vec![]) };
    assert_eq!(refused(&sample, &weighted), required("weight"));
    let heavy_sum = RollupQuery { weight: "population".into(), ..by_rule(vec![]) };
    assert_eq!(refused(&sample, &heavy_sum), [("weight".to_owned(), ErrorReason::ConflictingFields)]);
}

#[tokio::test]
async fn what_is_computed_of_the_regions_is_computed_of_what_is_reported_too() {
    let sample = Sample::new().await;
    let thousand = v1::Unit {
        kind: v1::UnitKind::Count.into(),
        base_unit: "{person}".into(),
        factor: "1000".into(),
        ..unit("{kperson}", "thousand people")
    };
    sample.catalog([thousand.into()]).await;
    sample.put("population", "a", &[("CN-GD", "2020", "1000"), ("CN-JS", "2020", "4000"), ("CN", "2020", "4000")]).await;
    let mut query = provinces(of("2020"));
    query.selection.indicator = "population".into();
    query.selection.steps = vec![Step::Convert { unit: "{kperson}".into(), exchange_rate: String::new() }];
    assert_eq!(told(&sample, &query), ["2020 5 2/4 [CN-SD CN-ZJ] off 1 25%"]);
    let rollup = sample.engine.reading(sample.now()).rollup(&query).unwrap();
    assert_eq!((&*rollup.unit, rollup.figures[0].figure.unit.as_deref()), ("{kperson}", Some("{kperson}")));
}

/// A figure as it is typed, and a number that it allows.
fn any_figure() -> impl Strategy<Value = (String, i64)> {
    (1_i64..1_000, 0_usize..6, 0_i64..100).prop_map(|(number, form, off)| match form {
        0 => (format!("{number}"), number),
        1 => (format!(">{number}"), number + 1 + off),
        2 => (format!(">={number}"), number + off),
        3 => (format!("<{number}"), number - 1 - off),
        4 => (format!("<={number}"), number - off),
        _ => (format!("{number}r10"), number - 4 + off % 9),
    })
}

/// Whether a figure leaves room for numerator / denominator, as near as floats tell.
fn holds(outcome: Outcome, numerator: i64, denominator: i64) -> bool {
    let Ok(estimate) = outcome else { return outcome == Err(v1::MissingReason::Undetermined) };
    let float = |number: Decimal| number.mantissa() as f64 / 10_f64.powi(number.scale() as i32);
    let truth = numerator as f64 / denominator as f64;
    let (lower, upper) = (estimate.span().lower().number(), estimate.span().upper().number());
    lower.is_none_or(|lower| float(lower) <= truth + 1e-6) && upper.is_none_or(|upper| float(upper) >= truth - 1e-6)
}

fn points<'t>(texts: impl IntoIterator<Item = &'t String>) -> Vec<Arc<Point>> {
    let point = |text: &String| {
        let (published_at, recorded_at, figure) = (Time::MIN, Time::MIN, figure(text));
        let period = "2020".parse().unwrap();
        let version = Version { period, kind: Kind::Inserted, published_at, recorded_at, revision: 1, figure };
        Arc::new(Point::recorded(&subject("gdp", "CN-SD", &BTreeMap::new()), &version, 0, false).unwrap())
    };
    texts.into_iter().map(point).collect()
}

proptest! {
    #[test]
    fn what_is_made_of_bounds_holds_what_true_figures_make(
        terms in prop::collection::vec((any_figure(), any_figure()), 1..8),
    ) {
        let above = Line { key: subject("gdp", "CN", &BTreeMap::new()), unit: None, points: Vec::new(), explain: false };
        let period = "2020".parse().unwrap();
        let (figures, weights) = (points(terms.iter().map(|term| &term.0.0)), points(terms.iter().map(|term| &term.1.0)));
        let total: i64 = terms.iter().map(|term| term.0.1).sum();
        prop_assert!(holds(sum_of(&above, period, &figures).outcome, total, 1), "{terms:?} sum to {total}");
        let weight: i64 = terms.iter().map(|term| term.1.1).sum();
        prop_assume!(weight != 0);
        let products: i64 = terms.iter().map(|term| term.0.1 * term.1.1).sum();
        prop_assert!(holds(mean_of(&above, period, &figures, &weights).outcome, products, weight), "{terms:?}");
    }

    /// Not so wide that it says nothing: what is known exactly stays exact.
    #[test]
    fn what_is_made_of_numbers_is_a_number(terms in prop::collection::vec((1_i64..1_000, 1_i64..1_000), 1..8)) {
        let above = Line { key: subject("gdp", "CN", &BTreeMap::new()), unit: None, points: Vec::new(), explain: false };
        let period = "2020".parse().unwrap();
        let texts: Vec<(String, String)> = terms.iter().map(|(figure, weight)| (figure.to_string(), weight.to_string())).collect();
        let (figures, weights) = (points(texts.iter().map(|it| &it.0)), points(texts.iter().map(|it| &it.1)));
        let total: i64 = terms.iter().map(|term| term.0).sum();
        prop_assert_eq!(number(&sum_of(&above, period, &figures)), total.to_string());
        let mean = mean_of(&above, period, &figures, &weights).outcome.unwrap();
        prop_assert!(mean.span().lower() == mean.span().upper());
        let products: i64 = terms.iter().map(|term| term.0 * term.1).sum();
        prop_assert!(holds(Ok(mean), products, terms.iter().map(|term| term.1).sum()));
    }
}
