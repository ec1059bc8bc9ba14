//! Catalog writes that are refused: the record stays one that can be understood.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::v1::{ApplyCatalogRequest, EntryKind, Equivalent, UnitKind, catalog_entry::Entry};
use indicator_tests::{
    catalog::{delete, dimension, indicator, region, unit, upsert},
    client::{Client, merge},
    figures::{key, stations, value},
    refusal::Refusal,
    server::Server,
};
use tonic::Code;

/// A catalog write that is refused and changes nothing.
async fn refused(client: &Client, request: ApplyCatalogRequest) -> Refusal {
    let head = client.head().await;
    let refusal = client.try_apply(request).await.unwrap_err();
    assert_eq!(client.head().await, head, "nothing is written");
    refusal
}

#[tokio::test]
async fn an_entry_in_use_is_not_removed() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let mut figure = value(&key("output", "CN-SD", "bureau"), "2020", "1");
    figure.equivalents = vec![Equivalent { value: "1".into(), unit: "USD".into() }];
    client.put(vec![figure]).await;
    for (kind, id) in [
        (EntryKind::Region, "CN"),
        (EntryKind::Region, "CN-SD"),
        (EntryKind::Source, "bureau"),
        (EntryKind::Unit, "CNY"),
        (EntryKind::Unit, "USD"),
        (EntryKind::Dimension, "sex"),
        (EntryKind::Indicator, "output"),
    ] {
        let refusal = refused(&client, delete(kind, id)).await;
        assert_eq!(refusal.what(), (Code::FailedPrecondition, "ENTRY_IN_USE"), "{kind:?} {id}");
    }
    client.apply(delete(EntryKind::Region, "CN-BJ")).await;
    let refusal = client.try_write(merge(vec![value(&key("output", "CN-BJ", "bureau"), "2020", "1")])).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::InvalidArgument, "UNKNOWN_REGION"));
}

#[tokio::test]
async fn an_entry_that_contradicts_others_is_refused() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "1")]).await;
    let mut nameless = region("CN-HN", "CN", "province", "Hunan", "湖南");
    if let Some(Entry::Region(region)) = &mut nameless.entry {
        region.names.clear();
    }
    for (entry, code, reason) in [
        (region("CN-HN.1", "CN-HN", "prefecture", "Changsha", "长沙"), Code::InvalidArgument, "UNKNOWN_REGION"),
        (indicator("new", "{parsec}"), Code::InvalidArgument, "UNKNOWN_UNIT"),
        (region("CN HN", "CN", "province", "Hunan", "湖南"), Code::InvalidArgument, "INVALID_ID"),
        (region("CN", "CN-SD", "country", "China", "中国"), Code::InvalidArgument, "INVALID_ENTRY"),
        (nameless, Code::InvalidArgument, "REQUIRED"),
        (dimension("age", &[]), Code::InvalidArgument, "REQUIRED"),
        (unit("{thing}", UnitKind::Unspecified), Code::InvalidArgument, "INVALID_ENUM"),
    ] {
        let refusal = refused(&client, upsert(vec![entry.clone()])).await;
        assert_eq!(refusal.what(), (code, reason), "{entry:?}: {refusal:?}");
    }
    let refusal = refused(&client, upsert(vec![indicator("5g-base-stations", "CNY")])).await;
    assert_eq!(refusal.what(), (Code::InvalidArgument, "INVALID_ENTRY"), "a unit is fixed once there are figures");
    assert!(refused(&client, upsert(vec![])).await.violations.contains(&("actions".into(), "REQUIRED".into())));
}
