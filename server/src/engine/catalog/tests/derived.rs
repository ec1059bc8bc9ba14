//! Derived indicators: what their formulas may be, and what may become of what they name.

use indicator_proto::v1::{CatalogAction, EntryKind, Indicator, RegionAggregation, TimeAggregation, Unit, UnitKind};

use super::{
    super::{
        Catalog, plan,
        samples::{self, dimension, strings},
    },
    NoSeries, OneSeries, delete, upsert,
};
use crate::engine::{Error, catalog::Usage};

fn unit(id: &str, kind: UnitKind) -> Unit {
    Unit { kind: kind.into(), ..samples::unit(id, id) }
}

fn recorded(id: &str, unit: &str) -> Indicator {
    Indicator {
        time_aggregation: TimeAggregation::Sum.into(),
        region_aggregation: RegionAggregation::Sum.into(),
        ..samples::indicator(id, unit)
    }
}

fn derived(id: &str, unit: &str, formula: &str) -> Indicator {
    Indicator { formula: formula.into(), ..samples::indicator(id, unit) }
}

/// The catalog with output, exports and people, and GDP per person of them, as commit 2 made it.
fn catalog() -> Catalog {
    let mut catalog = samples::catalog();
    let ratio = Unit { numerator: "CNY".into(), denominator: "{person}".into(), ..unit("CNY/{person}", UnitKind::Ratio) };
    for unit in [unit("{person}", UnitKind::Count), ratio, unit("%", UnitKind::Share), unit("{rank}", UnitKind::Rank)] {
        catalog.record(2, EntryKind::Unit, &unit.id.clone(), Some(unit.into()));
    }
    let people = Indicator { time_aggregation: TimeAggregation::Last.into(), ..recorded("people", "{person}") };
    let by_sex = Indicator { dimensions: strings(&["sex"]), ..recorded("employed", "{person}") };
    for indicator in [
        recorded("gdp", "CNY"),
        recorded("exports", "CNY"),
        people,
        by_sex,
        recorded("place", "{rank}"),
        derived("gdp-per-person", "CNY/{person}", "gdp / people"),
    ] {
        catalog.record(2, EntryKind::Indicator, &indicator.id.clone(), Some(indicator.into()));
    }
    catalog
}

fn told(actions: &[CatalogAction], usage: &dyn Usage) -> String {
    match plan(catalog().at(2), actions, usage) {
        Ok(_) => "taken".to_owned(),
        Err(Error::Invalid(list) | Error::Forbidden(list)) => {
            let lines = list.iter().map(|it| format!("{} {}: {}", it.reason.as_str_name(), it.field, it.description));
            lines.collect::<Vec<_>>().join("\n").replace("ERROR_REASON_", "").replace(".upsert.indicator", "")
        }
        Err(other) => panic!("{other}"),
    }
}

fn one(indicator: Indicator) -> String {
    told(&[upsert(indicator)], &NoSeries)
}

#[test]
fn a_formula_names_indicators_that_are_there_or_come_with_it() {
    assert_eq!(one(derived("share", "%", "exports / gdp * 100")), "taken");
    let together = [
        upsert(derived("total", "CNY", "services + goods")),
        upsert(derived("goods", "CNY", "gdp - services")),
        upsert(recorded("services", "CNY")),
    ];
    assert_eq!(told(&together, &NoSeries), "taken");
    insta::assert_snapshot!([
        "gdp + imports * 2 - transfers", "gdp-exports", "gdp * / 2", "gdp + (", "42",
    ].map(|formula| one(derived("x", "CNY", formula))).join("\n---\n"), @r#"
    UNKNOWN_INDICATOR actions[0].formula: the catalog has no indicator "imports"; add it in the same request, or correct the id
    UNKNOWN_INDICATOR actions[0].formula: the catalog has no indicator "transfers"; add it in the same request, or correct the id
    ---
    UNKNOWN_INDICATOR actions[0].formula: the catalog has no indicator "gdp-exports"; to subtract, put spaces around the minus: gdp - exports
    ---
    INVALID_FORMULA actions[0].formula: at byte 6, before "/ 2": a number, an indicator or "(" is expected here
    ---
    INVALID_FORMULA actions[0].formula: at byte 7, where the formula ends: a number, an indicator or "(" is expected here
    ---
    INVALID_FORMULA actions[0].formula: it names no indicator, so there is nothing to compute it from; name at least one by its id
    "#);
}

#[test]
fn every_problem_of_a_derived_indicator_is_told_at_once() {
    let indicator = Indicator {
        source_order: strings(&["local-media"]),
        dimensions: strings(&["sex"]),
        time_aggregation: TimeAggregation::Sum.into(),
        ..derived("x", "CNY", "gdp / people + place")
    };
    insta::assert_snapshot!(one(indicator), @r#"
    CONFLICTING_FIELDS actions[0].source_order: an indicator with a formula has no sources, its operands have; leave the order out
    INVALID_FORMULA actions[0].formula: "place" is in "{rank}", a rank, and ranks are not computed with; leave it out
    INVALID_ENTRY actions[0].dimensions: its operand "gdp" is not broken down by "sex"; leave it out, or name operands that all are
    INVALID_ENTRY actions[0].dimensions: its operand "people" is not broken down by "sex"; leave it out, or name operands that all are
    INVALID_ENTRY actions[0].dimensions: its operand "place" is not broken down by "sex"; leave it out, or name operands that all are
    INVALID_ENTRY actions[0].time_aggregation: only sums of indicators, each at most multiplied by numbers, have the rule SUM; leave it out
    "#);
}

#[test]
fn a_formula_that_leads_back_to_its_indicator_is_refused_with_the_way() {
    insta::assert_snapshot!([
        one(derived("x", "CNY", "x + gdp")),
        // A recorded indicator on which another rests becomes derived from that.
        one(derived("people", "{person}", "gdp / gdp-per-person")),
        told(&[
            upsert(derived("a", "CNY", "b + gdp")),
            upsert(derived("b", "CNY", "gdp - c")),
            upsert(derived("c", "CNY", "a * 2")),
            upsert(derived("d", "CNY", "a")),
        ], &NoSeries),
    ].join("\n---\n"), @r"
    INVALID_FORMULA actions[0].formula: its formula leads back to itself: x > x; compute one of them from others
    ---
    INVALID_FORMULA actions[0].formula: its formula leads back to itself: gdp-per-person > people > gdp-per-person; compute one of them from others
    ---
    INVALID_FORMULA actions[0].formula: its formula leads back to itself: a > b > c > a; compute one of them from others
    ");
}

#[test]
fn formulas_rest_on_each_other_so_many_levels_deep_and_no_deeper() {
    let chain = |from: usize, to: usize| {
        let name = |level: usize| format!("x{level:02}");
        let below = move |level: usize| if level == 1 { "gdp".to_owned() } else { name(level - 1) };
        (from..=to).map(|level| upsert(derived(&format!("x{level:02}"), "CNY", &below(level)))).collect::<Vec<_>>()
    };
    assert_eq!(told(&chain(1, 16), &NoSeries), "taken");
    let refused = told(&chain(1, 17), &NoSeries);
    assert!(
        refused.starts_with("INVALID_FORMULA actions[16].formula: 17 formulas rest on each other, and 16 may: x17 > x16"),
        "{refused}"
    );
    // Not from below either: what others rest on becomes derived itself.
    let mut catalog = catalog();
    plan(catalog.at(2), &chain(1, 16), &NoSeries).unwrap().record(3, &mut catalog);
    let Err(Error::Invalid(list)) = plan(catalog.at(3), &[upsert(derived("gdp", "CNY", "exports"))], &NoSeries) else {
        panic!("taken")
    };
    assert_eq!(list[0].field, "actions[0].upsert.indicator.formula");
    // And a chain longer than a stack is deep is refused like any other.
    let long: Vec<_> = (1..20_000).map(|i| upsert(derived(&format!("y{i:05}"), "CNY", &format!("y{:05}", i - 1)))).collect();
    assert!(told(&[long, vec![upsert(recorded("y00000", "CNY"))]].concat(), &NoSeries).contains("17 formulas"));
}

#[test]
fn an_indicator_with_figures_does_not_become_derived() {
    let stations = derived("5g-base-stations", "{station}", "population");
    let refused = told(&[upsert(stations.clone())], &OneSeries);
    assert!(refused.starts_with("INVALID_ENTRY actions[0].formula: 1 series have recorded figures"), "{refused}");
    assert_eq!(one(stations), "taken");
    assert_eq!(one(recorded("gdp-per-person", "CNY/{person}")), "taken", "the other way about is no harm");
}

#[test]
fn a_derived_indicator_is_broken_down_as_its_operands_are() {
    let by = |required: &[&str], optional: &[&str], formula: &str| {
        let (dimensions, optional_dimensions) = (strings(required), strings(optional));
        one(Indicator { dimensions, optional_dimensions, ..derived("x", "{person}", formula) })
    };
    assert_eq!(by(&["sex"], &[], "employed * 2"), "taken");
    insta::assert_snapshot!([
        by(&[], &[], "employed * 2"), by(&[], &["sex"], "employed * 2"), by(&["sex"], &[], "employed - people"), by(&[], &["sex"], "people * 2"),
    ].join("\n---\n"), @r#"
    INVALID_ENTRY actions[0].dimensions: every series of its operand "employed" is broken down by "sex"; add it to its dimensions
    ---
    INVALID_ENTRY actions[0].dimensions: every series of its operand "employed" is broken down by "sex"; add it to its dimensions
    ---
    INVALID_ENTRY actions[0].dimensions: its operand "people" is not broken down by "sex"; leave it out, or name operands that all are
    ---
    INVALID_ENTRY actions[0].optional_dimensions: its operand "people" is not broken down by "sex"; leave it out, or name operands that all are
    "#);
}

#[test]
fn a_rule_of_aggregation_makes_of_figures_what_the_formula_makes_of_the_operands() {
    let with = |time: TimeAggregation, region: RegionAggregation, unit: &str, formula: &str| {
        let region_weight = if region == RegionAggregation::Weighted { "people".to_owned() } else { String::new() };
        let (time_aggregation, region_aggregation) = (time.into(), region.into());
        one(Indicator { time_aggregation, region_aggregation, region_weight, ..derived("x", unit, formula) })
    };
    use {RegionAggregation as R, TimeAggregation as T};
    assert_eq!(with(T::Sum, R::Sum, "CNY", "gdp - exports * 2"), "taken");
    assert_eq!(with(T::Last, R::Sum, "{person}", "people / 2"), "taken");
    assert_eq!(with(T::None, R::Weighted, "CNY/{person}", "gdp / people"), "taken");
    insta::assert_snapshot!([
        with(T::Sum, R::Sum, "%", "exports / gdp * 100"),
        with(T::Last, R::None, "CNY/{person}", "gdp / people"),
        with(T::Sum, R::Sum, "{person}", "people"),
    ].join("\n---\n"), @r#"
    INVALID_ENTRY actions[0].time_aggregation: only sums of indicators, each at most multiplied by numbers, have the rule SUM; leave it out
    INVALID_ENTRY actions[0].region_aggregation: only sums of indicators, each at most multiplied by numbers, have the rule SUM; leave it out
    ---
    INVALID_ENTRY actions[0].time_aggregation: its operand "gdp" has not the rule LAST; leave it out, or change both
    ---
    INVALID_ENTRY actions[0].time_aggregation: its operand "people" has not the rule SUM; leave it out, or change both
    "#);
}

#[test]
fn what_a_formula_names_is_not_deleted_and_keeps_what_the_formula_rests_on() {
    let ratio = unit("CNY/{person}", UnitKind::Physical);
    insta::assert_snapshot!([
        told(&[delete(EntryKind::Indicator, "people")], &NoSeries),
        told(&[delete(EntryKind::Unit, "CNY/{person}")], &NoSeries),
        one(recorded("people", "CNY")),
        one(Indicator { dimensions: strings(&["sex"]), ..recorded("people", "{person}") }),
        told(&[upsert(unit("{person}", UnitKind::Rank))], &NoSeries),
        told(&[upsert(ratio)], &NoSeries),
    ].join("\n---\n"), @r#"
    ENTRY_IN_USE actions[0].delete.id: the indicator "people" is in use by indicator gdp-per-person; delete or change them too
    ---
    ENTRY_IN_USE actions[0].delete.id: the unit "CNY/{person}" is in use by indicator gdp-per-person; delete or change them too
    ---
    INVALID_ENTRY actions[0].unit: the indicator "gdp-per-person" is computed with it: the formula makes figures in "1", but the unit is "CNY/{person}"; name a unit of that kind, or correct the formula; or change both together
    ---
    INVALID_ENTRY actions[0].dimensions: the indicator "gdp-per-person" is computed with it: every series of its operand "people" is broken down by "sex"; add it to its dimensions; or change both together
    ---
    INVALID_ENTRY actions[0].upsert.unit.kind: the unit "CNY/{person}" is defined by it: "{person}" measures a rank, of which no ratio is made; name a unit of another kind; or change both together
    INVALID_ENTRY actions[0].upsert.unit.kind: the indicator "gdp-per-person" is computed with it: "people" is in "{person}", a rank, and ranks are not computed with; leave it out; or change both together
    ---
    INVALID_ENTRY actions[0].upsert.unit.kind: the indicator "gdp-per-person" is computed with it: the formula makes figures in "CNY/{person}", but the unit is "CNY/{person}"; make that a unit of the kind RATIO, with this numerator and denominator; or change both together
    "#);
    let renamed = Indicator { names: samples::texts(&[("zh", "人口")]), ..recorded("people", "{person}") };
    assert_eq!(one(renamed), "taken");
    let both = [
        upsert(recorded("people", "CNY")),
        upsert(derived("gdp-per-person", "%", "gdp / people")),
        upsert(dimension("age", &["Y0"])),
    ];
    assert_eq!(told(&both, &NoSeries), "taken");
    let gone = [delete(EntryKind::Indicator, "people"), delete(EntryKind::Indicator, "gdp-per-person")];
    assert_eq!(told(&gone, &NoSeries), "taken");
}
