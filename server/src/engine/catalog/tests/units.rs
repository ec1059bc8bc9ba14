//! Units that are defined by others.

use indicator_proto::v1::{EntryKind, ErrorReason, Unit, UnitKind};

use super::{
    super::{Catalog, plan, samples},
    NoSeries, delete, is_refused, planned, problems, upsert,
};
use crate::engine::Error;

fn unit(id: &str, kind: UnitKind) -> Unit {
    Unit { kind: kind.into(), ..samples::unit(id, id) }
}

fn based(id: &str, kind: UnitKind, base: &str, factor: &str) -> Unit {
    Unit { base_unit: base.into(), factor: factor.into(), ..unit(id, kind) }
}

fn ratio(id: &str, numerator: &str, denominator: &str) -> Unit {
    Unit { numerator: numerator.into(), denominator: denominator.into(), ..unit(id, UnitKind::Ratio) }
}

/// The catalog with units that are defined by others, as commit 2 made it.
fn catalog() -> Catalog {
    let mut catalog = samples::catalog();
    for unit in [
        unit("m2", UnitKind::Physical),
        based("km2", UnitKind::Physical, "m2", "1000000"),
        ratio("CNY/{station}", "CNY", "{station}"),
    ] {
        catalog.record(2, EntryKind::Unit, &unit.id.clone(), Some(unit.into()));
    }
    catalog
}

#[test]
fn units_of_one_request_define_each_other_in_any_order() {
    let actions = [
        upsert(ratio("{person}/km2", "{person}", "km2")),
        upsert(based("km2", UnitKind::Physical, "m2", "1000000")),
        upsert(unit("m2", UnitKind::Physical)),
        upsert(unit("{person}", UnitKind::Count)),
    ];
    assert_eq!(planned(&actions, &NoSeries).unwrap().changes.len(), 4);
}

#[test]
fn a_definition_has_the_fields_of_its_kind() {
    use ErrorReason::{ConflictingFields, InvalidDecimal, Required, UnknownUnit};
    let count = |base: &str, factor: &str| upsert(based("{dozen}", UnitKind::Count, base, factor));
    assert!(planned(&[count("{station}", "0.5")], &NoSeries).is_ok());
    is_refused(count("{station}", ""), &[("upsert.unit.factor", Required)]);
    is_refused(count("", "12"), &[("upsert.unit.factor", ConflictingFields)]);
    for factor in ["0", "-12", "012", "1e3", "a dozen"] {
        is_refused(count("{station}", factor), &[("upsert.unit.factor", InvalidDecimal)]);
    }
    is_refused(count("{egg}", "12"), &[("upsert.unit.base_unit", UnknownUnit)]);
    is_refused(
        upsert(based("{medal}", UnitKind::Rank, "{place}", "2")),
        &[("upsert.unit.base_unit", ConflictingFields), ("upsert.unit.base_unit", UnknownUnit)],
    );
    is_refused(upsert(ratio("x", "", "")), &[("upsert.unit.numerator", Required), ("upsert.unit.denominator", Required)]);
    is_refused(upsert(ratio("x", "CNY", "CNY")), &[("upsert.unit.denominator", ConflictingFields)]);
    let both = Unit { base_unit: "CNY".into(), factor: "7".into(), ..ratio("x", "CNY", "{station}") };
    is_refused(
        upsert(both),
        &[("upsert.unit.base_unit", ConflictingFields), ("upsert.unit.base_unit", ErrorReason::InvalidEntry)],
    );
    let no_ratio = Unit { numerator: "CNY".into(), ..unit("{x}", UnitKind::Count) };
    is_refused(upsert(no_ratio), &[("upsert.unit.numerator", ConflictingFields)]);
}

/// What of a request is refused, on the catalog with units that are defined by others.
fn refused(unit: Unit) -> Vec<(String, String)> {
    let Err(Error::Invalid(list)) = plan(catalog().at(2), &[upsert(unit)], &NoSeries) else { panic!("taken") };
    assert!(list.iter().all(|problem| problem.reason == ErrorReason::InvalidEntry), "{list:?}");
    list.into_iter().map(|problem| (problem.field, problem.description)).collect()
}

#[test]
fn what_a_unit_is_defined_by_is_of_its_kind_and_defined_by_nothing() {
    insta::assert_debug_snapshot!([
        based("{x}", UnitKind::Count, "CNY", "2"),
        based("ha", UnitKind::Physical, "km2", "0.01"),
        based("m2", UnitKind::Physical, "m2", "1"),
        ratio("x", "CNY/{station}", "CNY"),
    ].map(refused), @r#"
    [
        [
            (
                "actions[0].upsert.unit.base_unit",
                "\"CNY\" measures money, and this unit a count; name a unit of the same kind",
            ),
        ],
        [
            (
                "actions[0].upsert.unit.base_unit",
                "\"km2\" is itself defined by \"m2\"; name that, with the factor to it",
            ),
        ],
        [
            (
                "actions[0].upsert.unit.base_unit",
                "a unit is not defined by itself; name another one, or leave base_unit and factor out",
            ),
            (
                "actions[0].upsert.unit.base_unit",
                "the unit \"km2\" is defined by it: \"m2\" is itself defined by \"m2\"; name that, with the factor to it; or change both together",
            ),
        ],
        [
            (
                "actions[0].upsert.unit.numerator",
                "\"CNY/{station}\" measures a ratio, of which no ratio is made; name a unit of another kind",
            ),
        ],
    ]
    "#);
}

#[test]
fn a_unit_keeps_what_others_that_are_defined_by_it_rest_on() {
    insta::assert_debug_snapshot!([
        unit("m2", UnitKind::Count),
        based("m2", UnitKind::Physical, "{sheet}", "16"),
        unit("CNY", UnitKind::Rank),
    ].map(|changed| {
        let actions = [upsert(changed), upsert(unit("{sheet}", UnitKind::Physical))];
        let Err(Error::Invalid(list)) = plan(catalog().at(2), &actions, &NoSeries) else { panic!("taken") };
        list.into_iter().map(|problem| (problem.field, problem.description)).collect::<Vec<_>>()
    }), @r#"
    [
        [
            (
                "actions[0].upsert.unit.kind",
                "the unit \"km2\" is defined by it: \"m2\" measures a count, and this unit a physical quantity; name a unit of the same kind; or change both together",
            ),
        ],
        [
            (
                "actions[0].upsert.unit.base_unit",
                "the unit \"km2\" is defined by it: \"m2\" is itself defined by \"{sheet}\"; name that, with the factor to it; or change both together",
            ),
        ],
        [
            (
                "actions[0].upsert.unit.kind",
                "the unit \"CNY/{station}\" is defined by it: \"CNY\" measures a rank, of which no ratio is made; name a unit of another kind; or change both together",
            ),
        ],
    ]
    "#);
    // Changed together, they fit again.
    let together = [upsert(unit("m2", UnitKind::Count)), upsert(based("km2", UnitKind::Count, "m2", "1000000"))];
    assert!(plan(catalog().at(2), &together, &NoSeries).is_ok());
    let renamed = Unit { names: samples::texts(&[("en", "square metre")]), ..unit("m2", UnitKind::Physical) };
    assert!(plan(catalog().at(2), &[upsert(renamed)], &NoSeries).is_ok());
}

#[test]
fn a_unit_that_defines_another_is_not_deleted_without_it() {
    for unit in ["m2", "{station}"] {
        let Err(Error::Forbidden(list)) = plan(catalog().at(2), &[delete(EntryKind::Unit, unit)], &NoSeries) else {
            panic!("taken")
        };
        assert!(list.iter().any(|obstacle| obstacle.description.contains("in use by unit")), "{list:?}");
    }
    let both = [delete(EntryKind::Unit, "m2"), delete(EntryKind::Unit, "km2")];
    assert!(plan(catalog().at(2), &both, &NoSeries).is_ok());
    let found = problems(&[delete(EntryKind::Unit, "CNY"), upsert(ratio("x", "CNY", "{station}"))], &NoSeries);
    assert_eq!(found, [("actions[1].upsert.unit.numerator".to_owned(), ErrorReason::UnknownUnit)]);
}
