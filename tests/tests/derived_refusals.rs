//! Derived indicators and units that are refused: what is computed means what it says, and is not written to.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{ApplyCatalogRequest, CatalogEntry, EntryKind, Unit, UnitKind, catalog_entry::Entry};
use indicator_tests::{
    catalog::{delete, derived, indicator, ratio, unit, upsert},
    client::{Client, merge, replace, withdraw},
    figures::{key, value},
    refusal::Refusal,
    server::Server,
};
use tonic::Code;

const RATIO: &str = "CNY/{station}";

fn defined(id: &str, kind: UnitKind, definition: impl FnOnce(&mut Unit)) -> CatalogEntry {
    let Some(Entry::Unit(mut plain)) = unit(id, kind).entry else { unreachable!("it is a unit") };
    definition(&mut plain);
    CatalogEntry { entry: Some(Entry::Unit(plain)) }
}

/// `output-per-station` = output / 5g-base-stations, and a `k{station}` of 1000 stations.
async fn with_derived(server: &Server) -> Client {
    let client = server.client_with_catalog().await;
    let thousand = defined("k{station}", UnitKind::Count, |unit| {
        (unit.base_unit, unit.factor) = ("{station}".into(), "1000".into());
    });
    client
        .apply(upsert(vec![
            derived("output-per-station", RATIO, "output / 5g-base-stations"),
            ratio("CNY", "{station}"),
            thousand,
        ]))
        .await;
    client
}

/// A catalog write that is refused and changes nothing.
async fn refused(client: &Client, request: ApplyCatalogRequest) -> Refusal {
    let head = client.head().await;
    let refusal = client.try_apply(request).await.unwrap_err();
    assert_eq!(client.head().await, head, "nothing is written");
    refusal
}

#[tokio::test]
async fn a_formula_that_cannot_be_computed_is_refused_with_all_that_is_wrong() {
    let server = Server::start();
    let client = with_derived(&server).await;
    let refusal = refused(
        &client,
        upsert(vec![
            derived("a", "CNY", "output + exports"),
            derived("b", "CNY", "output +"),
            derived("c", "CNY", "output / 5g-base-stations"),
            derived("d", "{station}", "5g-base-stations + output"),
            derived("e", "CNY", "f * 2"),
            derived("f", "CNY", "output - e"),
            derived("g", "k{station}", "5g-base-stations"),
            defined("{dozen}", UnitKind::Count, |unit| unit.base_unit = "{egg}".into()),
        ]),
    )
    .await;
    assert_eq!(refusal.code, Code::InvalidArgument);
    let at = |i: usize, field: &str| format!("actions[{i}].upsert.{field}");
    let expected = [
        (at(0, "indicator.formula"), "UNKNOWN_INDICATOR"),
        (at(1, "indicator.formula"), "INVALID_FORMULA"),
        (at(2, "indicator.formula"), "INVALID_FORMULA"),
        (at(3, "indicator.formula"), "INVALID_FORMULA"),
        (at(4, "indicator.formula"), "INVALID_FORMULA"),
        (at(6, "indicator.formula"), "INVALID_FORMULA"),
        (at(7, "unit.base_unit"), "UNKNOWN_UNIT"),
        (at(7, "unit.factor"), "REQUIRED"),
    ];
    let mut found = refusal.violations.clone();
    found.sort();
    assert_eq!(found, expected.map(|(field, reason)| (field, reason.to_owned())));
}

#[tokio::test]
async fn an_operand_that_becomes_derived_from_what_rests_on_it_is_refused_with_the_way() {
    let server = Server::start();
    let client = with_derived(&server).await;
    let refusal = refused(&client, upsert(vec![derived("output", "CNY", "output-per-station * 5g-base-stations")])).await;
    assert_eq!(refusal.listed(), [("actions[0].upsert.indicator.formula", "INVALID_FORMULA")]);
    assert!(refusal.message.contains("output > output-per-station > output"), "{}", refusal.message);
}

#[tokio::test]
async fn a_derived_indicator_takes_no_figures_and_one_with_figures_does_not_become_derived() {
    let server = Server::start();
    let client = with_derived(&server).await;
    let figure = value(&key("output-per-station", "CN-SD", "bureau"), "2020", "1");
    let head = client.head().await;
    for request in [merge(vec![figure.clone()]), replace(vec![figure.clone()])] {
        let refusal = client.try_write(request).await.unwrap_err();
        assert_eq!(refusal.what(), (Code::InvalidArgument, "DERIVED_INDICATOR"));
        assert!(refusal.message.contains("write its operands: 5g-base-stations, output"), "{}", refusal.message);
    }
    let refusal = client.try_write(withdraw(&key("output-per-station", "CN-SD", "bureau"), &["2020"])).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "DERIVED_INDICATOR"));
    assert_eq!(client.head().await, head, "nothing is written");

    client.put(vec![value(&key("5g-base-stations", "CN-SD", "bureau"), "2020", "1")]).await;
    let refusal = refused(&client, upsert(vec![derived("5g-base-stations", "{station}", "employment")])).await;
    assert!(refusal.listed().contains(&("actions[0].upsert.indicator.formula", "INVALID_ENTRY")), "{refusal:?}");
}

#[tokio::test]
async fn what_a_formula_or_a_unit_rests_on_stays_as_it_needs_it() {
    let server = Server::start();
    let client = with_derived(&server).await;
    for (kind, id) in [(EntryKind::Indicator, "output"), (EntryKind::Unit, RATIO), (EntryKind::Unit, "{station}")] {
        let refusal = refused(&client, delete(kind, id)).await;
        assert_eq!(refusal.what(), (Code::FailedPrecondition, "ENTRY_IN_USE"), "{kind:?} {id}");
    }
    let not_a_ratio = unit(RATIO, UnitKind::Count);
    let upside_down = defined(RATIO, UnitKind::Ratio, |unit| {
        (unit.numerator, unit.denominator) = ("{station}".into(), "CNY".into());
    });
    for (entry, field) in [
        (indicator("output", "USD"), "indicator.unit"),
        (not_a_ratio, "unit.kind"),
        (upside_down, "unit.numerator"),
        (unit("{station}", UnitKind::Index), "unit.kind"),
    ] {
        let refusal = refused(&client, upsert(vec![entry.clone()])).await;
        let field = format!("actions[0].upsert.{field}");
        assert!(refusal.listed().contains(&(&field, "INVALID_ENTRY")), "{entry:?}: {refusal:?}");
    }
    // Gone together, nothing is left without what it rests on.
    client.apply(delete(EntryKind::Indicator, "output-per-station")).await;
    client.apply(delete(EntryKind::Unit, RATIO)).await;
}
