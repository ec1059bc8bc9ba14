//! Random requests, one after the other.

use std::collections::BTreeMap;

use indicator_proto::v1::{self, CatalogAction, EntryKind, EntryReference, catalog_action::Action};
use proptest::prelude::*;

use super::{
    super::{
        Catalog, Entry, Plan, plan,
        references::references,
        samples::{self, texts},
    },
    NoSeries, upsert,
};

fn id() -> impl Strategy<Value = String> {
    prop_oneof![6 => "[a-d]", 1 => "[A-Z]{3}", 1 => ".{0,3}"]
}

fn words() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop_oneof![4 => Just(texts(&[("en", "x")])), 1 => proptest::collection::btree_map(".{0,3}", ".{0,4}", 0..3)]
}

fn entry() -> impl Strategy<Value = Entry> {
    let ids = || proptest::collection::vec(id(), 0..3);
    let code = || (id(), words(), ids()).prop_map(|(id, names, aliases)| v1::Code { id, names, aliases });
    let region = (
        id(),
        id(),
        prop_oneof![9 => Just("province".to_owned()), 1 => ".*"],
        words(),
        ids(),
        "(20[0-9]{2}-0[1-9]-3[01])?|.{0,3}",
    )
        .prop_map(|(id, parent, level, names, aliases, valid_to)| v1::Region {
            id,
            parent,
            level,
            names,
            aliases,
            valid_to,
            ..Default::default()
        });
    let source = (id(), words(), id(), id()).prop_map(|(id, names, kind, region)| v1::Source {
        id,
        names,
        kind,
        region,
        ..Default::default()
    });
    let part = || prop_oneof![2 => Just(String::new()), 1 => "[a-d]"];
    let unit = (id(), words(), prop_oneof![3 => 1..3_i32, 1 => Just(7), 1 => -1..9_i32], part(), part(), part()).prop_map(
        |(id, names, kind, base_unit, numerator, denominator)| {
            let factor = if base_unit.is_empty() { String::new() } else { "1000".to_owned() };
            v1::Unit { id, names, kind, base_unit, factor, numerator, denominator, ..Default::default() }
        },
    );
    let dimension = (id(), words(), proptest::collection::vec(code(), 0..3)).prop_map(|(id, names, codes)| v1::Dimension {
        id,
        names,
        codes,
    });
    let formula = prop_oneof![2 => Just(String::new()), 2 => "[a-d]( [+*/-] [a-d]){0,2}", 1 => "[a-d0-9+*/() .-]{0,8}"];
    let indicator = (id(), words(), id(), ids(), ids(), -1..5_i32, id(), ids(), formula).prop_map(
        |(id, names, unit, dimensions, optional_dimensions, region_aggregation, region_weight, source_order, formula)| {
            v1::Indicator {
                id,
                names,
                unit,
                dimensions,
                optional_dimensions,
                region_aggregation,
                region_weight,
                source_order,
                formula,
                ..Default::default()
            }
        },
    );
    prop_oneof![
        3 => region.prop_map(Entry::from),
        1 => source.prop_map(Entry::from),
        3 => unit.prop_map(Entry::from),
        1 => dimension.prop_map(Entry::from),
        4 => indicator.prop_map(Entry::from),
    ]
}

/// Units and indicators that rest on each other, nearly always well formed.
fn entry_or_derived() -> impl Strategy<Value = Entry> {
    let units = ["ua", "ub", "uc"];
    let unit = || proptest::sample::select(&["ua", "ub", "uc"][..]);
    let plain = (unit(), 0..4_usize, 1..3_i32).prop_map(move |(id, base, kind)| {
        let base_unit = units.get(base).copied().unwrap_or_default().to_owned();
        let factor = if base_unit.is_empty() { String::new() } else { "1000".to_owned() };
        v1::Unit { kind: [1, 6][kind as usize - 1], base_unit, factor, ..samples::unit(id, id) }
    });
    let ratio = (unit(), unit(), unit()).prop_map(|(id, numerator, denominator)| {
        let (numerator, denominator) = (numerator.to_owned(), denominator.to_owned());
        v1::Unit { kind: v1::UnitKind::Ratio.into(), numerator, denominator, ..samples::unit(id, id) }
    });
    let formula = prop_oneof![1 => Just(String::new()), 2 => "[a-d]( [+*/-] [a-d]){0,2}", 1 => "[a-d] \\* 1000"];
    let sex = || proptest::collection::vec(Just("sex".to_owned()), 0..2);
    let indicator = ("[a-d]", unit(), formula, sex(), sex(), 0..4_i32).prop_map(
        |(id, unit, formula, dimensions, optional_dimensions, time_aggregation)| v1::Indicator {
            formula,
            dimensions,
            optional_dimensions,
            time_aggregation,
            ..samples::indicator(&id, unit)
        },
    );
    prop_oneof![2 => plain.prop_map(Entry::from), 1 => ratio.prop_map(Entry::from), 5 => indicator.prop_map(Entry::from)]
}

fn action() -> impl Strategy<Value = CatalogAction> {
    let delete = prop_oneof![4 => (Just(1), "[a-d]"), 4 => (2..6_i32, "[a-d]"), 1 => (-1..7_i32, id())];
    prop_oneof![
        8 => entry().prop_map(upsert),
        4 => delete.prop_map(|(kind, id)| CatalogAction { action: Some(Action::Delete(EntryReference { kind, id })) }),
        1 => Just(CatalogAction::default()),
    ]
}

proptest! {
    #[test]
    fn every_reference_holds_and_no_region_is_above_itself_after_any_requests(
        requests in proptest::collection::vec(proptest::collection::vec(action(), 1..4), 1..60),
    ) {
        let mut catalog = Catalog::default();
        for (request, revision) in requests.iter().zip(1..) {
            let Ok(plan) = plan(catalog.at(u64::MAX), request, &NoSeries) else { continue };
            plan.record(revision, &mut catalog);
        }
        let view = catalog.at(u64::MAX);
        for kind in [EntryKind::Region, EntryKind::Source, EntryKind::Unit, EntryKind::Indicator] {
            for entry in view.entries(kind) {
                for reference in references(entry) {
                    prop_assert!(view.entry(reference.kind, reference.id).is_some(), "{entry:?}");
                }
            }
        }
        prop_assert!(view.all::<v1::Region>().all(|region| !view.is_under(&region.id, &region.id)));
    }

    #[test]
    fn whatever_is_taken_is_taken_as_the_first_request_too(
        requests in proptest::collection::vec(proptest::collection::vec(entry_or_derived(), 1..3), 1..40),
    ) {
        let mut catalog = Catalog::default();
        let entries: Vec<_> = samples::entries().into_iter().map(upsert).collect();
        plan(catalog.at(0), &entries, &NoSeries).unwrap().record(1, &mut catalog);
        for (request, revision) in requests.iter().zip(2..) {
            let actions: Vec<_> = request.iter().cloned().map(upsert).collect();
            let Ok(plan) = plan(catalog.at(u64::MAX), &actions, &NoSeries) else { continue };
            plan.record(revision, &mut catalog);
        }
        // What only changes are checked for holds of the whole, however it came about.
        let kinds = [EntryKind::Region, EntryKind::Source, EntryKind::Unit, EntryKind::Dimension, EntryKind::Indicator];
        let whole: Vec<_> = kinds.iter().flat_map(|kind| catalog.at(u64::MAX).entries(*kind).cloned().map(upsert)).collect();
        if let Err(error) = plan(Catalog::default().at(0), &whole, &NoSeries) {
            return Err(TestCaseError::fail(format!("{error}")));
        }
    }

    #[test]
    fn what_was_applied_is_unchanged_when_it_is_applied_again(
        requests in proptest::collection::vec(proptest::collection::vec(action(), 1..4), 1..20),
    ) {
        let mut catalog = Catalog::default();
        for (request, revision) in requests.iter().zip(1..) {
            let Ok(first) = plan(catalog.at(u64::MAX), request, &NoSeries) else { continue };
            prop_assert_eq!(first.changes.len() + first.unchanged as usize, request.len());
            first.record(revision, &mut catalog);
            let again = plan(catalog.at(u64::MAX), request, &NoSeries).unwrap();
            prop_assert_eq!(again, Plan { changes: Vec::new(), unchanged: request.len() as u32 });
        }
    }
}
