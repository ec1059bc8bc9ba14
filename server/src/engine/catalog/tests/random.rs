//! Random requests, one after the other.

use std::collections::BTreeMap;

use indicator_proto::v1::{self, CatalogAction, EntryKind, EntryReference, catalog_action::Action};
use proptest::prelude::*;

use super::{
    super::{Catalog, Entry, Plan, plan, references::references, samples::texts},
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
    let unit = (id(), words(), -1..8_i32).prop_map(|(id, names, kind)| v1::Unit { id, names, kind, ..Default::default() });
    let dimension = (id(), words(), proptest::collection::vec(code(), 0..3)).prop_map(|(id, names, codes)| v1::Dimension {
        id,
        names,
        codes,
    });
    let indicator = (id(), words(), id(), ids(), ids(), -1..5_i32, id(), ids()).prop_map(
        |(id, names, unit, dimensions, optional_dimensions, region_aggregation, region_weight, source_order)| v1::Indicator {
            id,
            names,
            unit,
            dimensions,
            optional_dimensions,
            region_aggregation,
            region_weight,
            source_order,
            ..Default::default()
        },
    );
    prop_oneof![
        3 => region.prop_map(Entry::from),
        1 => source.prop_map(Entry::from),
        1 => unit.prop_map(Entry::from),
        1 => dimension.prop_map(Entry::from),
        2 => indicator.prop_map(Entry::from),
    ]
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
        for kind in [EntryKind::Region, EntryKind::Source, EntryKind::Indicator] {
            for entry in view.entries(kind) {
                for reference in references(entry) {
                    prop_assert!(view.entry(reference.kind, reference.id).is_some(), "{entry:?}");
                }
            }
        }
        prop_assert!(view.all::<v1::Region>().all(|region| !view.is_under(&region.id, &region.id)));
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
