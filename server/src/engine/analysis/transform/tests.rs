//! Lines made by hand, and what they become. Numbers with many digits are those of Python's decimal module at 28 digits.

use std::sync::Arc;

use indicator_proto::{Bound, SeriesKey, Time, v1};

use super::*;
use crate::{
    engine::analysis::{
        line::{Origin, Point},
        samples::figure,
    },
    store::{Datum, Kind, Version},
};

fn key() -> Arc<SeriesKey> {
    let text = str::to_owned;
    Arc::new(SeriesKey { indicator: text("x"), region: text("CN"), source: text("a"), ..SeriesKey::default() })
}

fn line(figures: &[(&str, &str)]) -> Line {
    let point = |(index, (period, text)): (usize, &(&str, &str))| {
        let time = Time::from_micros(1_000_000 * index as i64).unwrap();
        let version = Version {
            period: period.parse().unwrap(),
            kind: Kind::Inserted,
            published_at: time,
            recorded_at: time,
            revision: index as u64 + 1,
            figure: figure(text),
        };
        Arc::new(Point::recorded(&key(), &version, 0, false).unwrap())
    };
    let mut points: Vec<_> = figures.iter().enumerate().map(point).collect();
    points.sort_by_key(|point| point.period());
    Line { key: key(), unit: None, points, explain: true }
}

fn told(line: &Line) -> Vec<(String, String)> {
    let text = |point: &Arc<Point>| {
        let figure = &point.version.figure;
        let step =
            figure.details.as_ref().and_then(|details| details.rounded_to).map_or(String::new(), |step| format!("r{step}"));
        match figure.datum {
            Datum::Value(value, Bound::Exact) => format!("{value}{step}"),
            Datum::Value(value, Bound::GreaterThan) => format!(">{value}"),
            Datum::Value(value, Bound::AtLeast) => format!(">={value}"),
            Datum::Value(value, Bound::LessThan) => format!("<{value}"),
            Datum::Value(value, Bound::AtMost) => format!("<={value}"),
            Datum::Value(value, Bound::Approximate) => format!("~{value}"),
            Datum::Interval(interval) => format!("{}..{}", interval.lower(), interval.upper()),
            Datum::Missing(reason) => reason.name().unwrap().to_owned(),
            Datum::Withdrawn => "withdrawn".to_owned(),
        }
    };
    line.points.iter().map(|point| (point.period().to_string(), text(point))).collect()
}

#[track_caller]
fn assert_told(line: &Line, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    assert_eq!(told(line), expected);
}

#[test]
fn changes_compare_with_the_period_before_and_gaps_stay_gaps() {
    let quarters = line(&[("2019-Q4", "100"), ("2020-Q1", "90"), ("2020-Q3", "99"), ("2020-Q4", "110")]);
    let change = change::difference(quarters.clone(), None, Span::Period);
    assert_told(&change, &[("2019-Q4", "not-available"), ("2020-Q1", "-10"), ("2020-Q3", "not-available"), ("2020-Q4", "11")]);
    let percent = change::percent(quarters.clone(), None, Span::Period);
    assert_eq!(told(&percent)[1].1, "-10");
    assert_eq!(told(&percent)[3].1, "11.1111111111111111111111111");
    let year = change::percent(quarters, None, Span::Year);
    assert_eq!(told(&year)[3].1, "10");
}

#[test]
fn growth_rates_are_freds() {
    let quarters = line(&[("2020-Q1", "100"), ("2020-Q2", "101")]);
    // ((101 / 100)^4 - 1) * 100, (ln 101 - ln 100) * 100, and times 4.
    assert_eq!(told(&change::compounded(quarters.clone(), None))[1].1, "4.060401");
    assert_eq!(told(&change::continuously_compounded(quarters.clone(), None, false))[1].1, "0.9950330853168082848215358");
    assert_eq!(told(&change::continuously_compounded(quarters.clone(), None, true))[1].1, "3.9801323412672331392861432");
    assert_eq!(told(&change::logarithm(quarters, None))[0].1, "4.605170185988091368035982909");
    let months = line(&[("2020-01", "100"), ("2020-02", "101")]);
    assert_eq!(told(&change::compounded(months, None))[1].1, "12.6825030131969720661201");
}

#[test]
fn an_index_is_100_in_its_base_period_or_on_average_over_it() {
    let years = line(&[("2019", "80"), ("2020", "100"), ("2021", ">120")]);
    let base = |text: &str| text.parse().unwrap();
    assert_told(&change::index(years.clone(), None, base("2019")), &[("2019", "100"), ("2020", "125"), ("2021", ">150")]);
    assert_eq!(told(&change::index(years, None, base("2015")))[0].1, "not-available");
    let quarters = line(&[("2020-Q1", "10"), ("2020-Q2", "20"), ("2020-Q3", "30"), ("2020-Q4", "40"), ("2021-Q1", "50")]);
    let index = told(&change::index(quarters, None, base("2020")));
    assert_eq!((index[0].1.as_str(), index[4].1.as_str()), ("40", "200"));
}

#[test]
fn windows_need_every_period() {
    let years = line(&[("2017", "1"), ("2018", "2"), ("2019", "6"), ("2021", "7"), ("2022", ">8")]);
    let two = [("2017", "not-available"), ("2018", "1.5"), ("2019", "4"), ("2021", "not-available"), ("2022", ">7.5")];
    assert_told(&window::rolling(years.clone(), None, 2, Method::Average), &two);
    assert_eq!(told(&window::rolling(years.clone(), None, 3, Method::Sum))[2].1, "9");
    assert_eq!(told(&window::rolling(years, None, 2, Method::Max))[4].1, ">8");
}

#[test]
fn year_to_date_figures_and_single_ones_are_each_others_inverse() {
    let single = line(&[("2020-Q1", "10"), ("2020-Q2", "20"), ("2020-Q3", "30"), ("2020-Q4", "40"), ("2021-Q1", "5")]);
    let to_date = window::cumulate(single.clone(), None);
    assert_told(&to_date, &[("2020-Q1", "10"), ("2020-Q2", "30"), ("2020-Q3", "60"), ("2020-Q4", "100"), ("2021-Q1", "5")]);
    assert_eq!(told(&window::decumulate(to_date, None)), told(&single));
    // The first months are published together, as January and February are in China: what is not known stays unknown.
    let months = line(&[("2020-02", "20"), ("2020-03", "35")]);
    assert_told(&window::decumulate(months, None), &[("2020-02", "not-available"), ("2020-03", "15")]);
}

#[test]
fn a_longer_period_is_made_of_the_longest_of_the_shorter_ones() {
    let mixed = line(&[
        ("2019", "7"),
        ("2019-Q1", "1"),
        ("2020-Q1", "1"),
        ("2020-Q2", "2"),
        ("2020-Q3", "3"),
        ("2020-Q4", "4"),
        ("2020-01", "100"),
        ("2021-Q1", ">5"),
        ("2021-Q2", "-"),
    ]);
    let annual = |method, whole| window::aggregate(mixed.clone(), None, Frequency::Annual, method, whole);
    assert_told(&annual(Method::Sum, false), &[("2019", "7"), ("2020", "10"), ("2021", ">5")]);
    assert_told(&annual(Method::Sum, true), &[("2019", "7"), ("2020", "10")]);
    assert_eq!(told(&annual(Method::Average, true))[1].1, "2.5");
    assert_eq!(told(&annual(Method::Last, true))[1].1, "4");
    assert_eq!(told(&annual(Method::First, true))[1].1, "1");
    assert_eq!(told(&annual(Method::Max, true))[1].1, "4");
    assert_eq!(told(&annual(Method::Min, true))[1].1, "1");
    let coverage = |line: &Line| line.points.iter().map(|p| p.coverage.map(|c| (c.reported, c.expected))).collect::<Vec<_>>();
    assert_eq!(coverage(&annual(Method::Sum, false)), [None, Some((4, 4)), Some((1, 4))]);
}

#[test]
fn missing_stays_missing_with_its_reason_and_the_earliest_operand_decides() {
    let years = line(&[("2019", "-"), ("2020", "5"), ("2021", "-")]);
    let change = change::difference(years, None, Span::Period);
    assert_told(&change, &[("2019", "suppressed"), ("2020", "suppressed"), ("2021", "suppressed")]);
}

#[test]
fn a_computed_figure_is_known_since_its_latest_operand_and_tells_all_of_them() {
    let years = line(&[("2020", "5"), ("2019", "4")]);
    let change = change::difference(years, None, Span::Period);
    let point = change.at("2020".parse().unwrap()).unwrap();
    assert_eq!((point.version.revision, point.version.published_at), (2, Time::from_micros(1_000_000).unwrap()));
    let Origin::Computed(derivation) = &point.origin else { panic!("it was computed") };
    let names: Vec<_> = derivation.operands.iter().map(|o| (o.name.as_ref(), o.point.period().to_string())).collect();
    assert_eq!(derivation.formula, "current - previous");
    assert_eq!(names, [("current", "2020".to_owned()), ("previous", "2019".to_owned())]);
}

#[test]
fn roundings_and_bounds_go_through() {
    let years = line(&[("2019", "100r10"), ("2020", "200r10"), ("2021", ">300")]);
    let percent = told(&change::percent(years, None, Span::Period));
    // 195/105 to 205/95: the farther end is 215.78… - 100 away from 100.
    assert!(percent[1].1.starts_with("100r31.5789"), "{}", percent[1].1);
    assert!(percent[2].1.starts_with(">46.3414"), "{}", percent[2].1);
}

mod plans {
    use super::*;
    use crate::engine::catalog::{Catalog, Entry};

    fn catalog() -> Catalog {
        let mut catalog = Catalog::default();
        let mut add = |kind, id: &str, json: serde_json::Value| {
            let entry: v1::CatalogEntry = indicator_proto::from_json(json).unwrap();
            let entry = match entry.entry.unwrap() {
                v1::catalog_entry::Entry::Unit(unit) => Entry::from(unit),
                v1::catalog_entry::Entry::Indicator(indicator) => Entry::from(indicator),
                other => panic!("no test has {other:?}"),
            };
            catalog.record(1, kind, id, Some(entry));
        };
        use serde_json::json;
        use v1::EntryKind::{Indicator, Unit};
        for (id, rest) in [
            ("CNY", json!({"kind": "UNIT_KIND_CURRENCY"})),
            ("USD", json!({"kind": "UNIT_KIND_CURRENCY"})),
            ("{person}", json!({"kind": "UNIT_KIND_COUNT"})),
            ("CNY/{person}", json!({"kind": "UNIT_KIND_RATIO", "numerator": "CNY", "denominator": "{person}"})),
            ("CNY/USD", json!({"kind": "UNIT_KIND_RATIO", "numerator": "CNY", "denominator": "USD"})),
            ("m2", json!({"kind": "UNIT_KIND_PHYSICAL"})),
            ("ha", json!({"kind": "UNIT_KIND_PHYSICAL", "baseUnit": "m2", "factor": "10000"})),
            ("km2", json!({"kind": "UNIT_KIND_PHYSICAL", "baseUnit": "m2", "factor": "1000000"})),
        ] {
            let mut unit = json!({"id": id, "names": {"en": id}});
            unit.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            add(Unit, id, json!({"unit": unit}));
        }
        for (id, unit, rule) in
            [("gdp", "CNY", "SUM"), ("population", "{person}", "LAST"), ("usd-cny", "CNY/USD", "NONE"), ("area", "km2", "LAST")]
        {
            let rule = format!("TIME_AGGREGATION_{rule}");
            add(Indicator, id, json!({"indicator": {"id": id, "names": {"en": id}, "unit": unit, "timeAggregation": rule}}));
        }
        catalog
    }

    fn unit(indicator: &str, steps: &[Step]) -> Result<String, Vec<String>> {
        let catalog = catalog();
        let view = catalog.at(1);
        let plan = Plan::new(view, view.indicator(indicator).unwrap(), steps, "transforms");
        plan.map(|plan| plan.unit().to_string()).map_err(|violations| violations.into_iter().map(|v| v.field).collect())
    }

    fn per(indicator: &str, multiple: i64) -> Step {
        Step::PerUnit { indicator: indicator.into(), multiple: multiple.into() }
    }

    fn convert(unit: &str, rate: &str) -> Step {
        Step::Convert { unit: unit.into(), exchange_rate: rate.into() }
    }

    fn annual(method: Option<Method>) -> Step {
        Step::Aggregate { frequency: Frequency::Annual, method, whole: false }
    }

    #[test]
    fn units_follow_the_steps() {
        assert_eq!(unit("gdp", &[]), Ok("CNY".into()));
        assert_eq!(unit("gdp", &[per("population", 1)]), Ok("CNY/{person}".into()));
        assert_eq!(unit("gdp", &[per("population", 1000)]), Ok("CNY/(1000.{person})".into()));
        assert_eq!(unit("gdp", &[per("area", 1)]), Ok("CNY/km2".into()));
        assert_eq!(unit("gdp", &[per("gdp", 1)]), Ok("1".into()));
        assert_eq!(unit("gdp", &[convert("USD", "usd-cny"), per("population", 1)]), Ok("USD/{person}".into()));
        assert_eq!(unit("gdp", &[annual(None), Step::PercentChange(Span::Period)]), Ok("%".into()));
        assert_eq!(unit("area", &[convert("ha", "")]), Ok("ha".into()));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_every_step_that_does_not() {
        assert_eq!(unit("gdp", &[convert("USD", "")]), Err(vec!["transforms[0].convert.exchange_rate".into()]));
        assert_eq!(unit("gdp", &[convert("ha", "")]), Err(vec!["transforms[0].convert.unit".into()]));
        assert_eq!(unit("gdp", &[convert("USD", "population")]), Err(vec!["transforms[0].convert.exchange_rate".into()]));
        assert_eq!(unit("area", &[convert("ha", "usd-cny")]), Err(vec!["transforms[0].convert.exchange_rate".into()]));
        assert_eq!(
            unit("usd-cny", &[annual(None), per("nothing", 1), convert("EUR", "nothing")]),
            Err(vec![
                "transforms[0].aggregate.method".into(),
                "transforms[1].per_unit.indicator".into(),
                "transforms[2].convert.unit".into(),
                "transforms[2].convert.exchange_rate".into(),
            ])
        );
        // A growth rate has no sum, whatever its indicator has.
        let growth = [Step::PercentChange(Span::Period), annual(None)];
        assert_eq!(unit("gdp", &growth), Err(vec!["transforms[1].aggregate.method".into()]));
        assert_eq!(unit("gdp", &[Step::Change(Span::Period), annual(Some(Method::Sum))]), Ok("CNY".into()));
    }

    #[test]
    fn units_of_one_base_are_converted_by_both_factors() {
        let catalog = catalog();
        let view = catalog.at(1);
        let plan = Plan::new(view, view.indicator("area").unwrap(), &[convert("ha", "")], "transforms").unwrap();
        let [(Stage::Scale { multiply, divide }, Some(unit))] = plan.stages.as_slice() else { panic!("one stage") };
        assert_told(&relate::scale(line(&[("2020", "1.5")]), Some(Arc::clone(unit)), *multiply, *divide), &[("2020", "150")]);
    }
}
