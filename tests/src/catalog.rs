//! A small catalog.

use std::collections::BTreeMap;

use indicator_proto::v1::{
    ApplyCatalogRequest, CatalogAction, CatalogEntry, Code, Dimension, EntryKind, EntryReference, Indicator, Region,
    RegionAggregation, Source, TimeAggregation, Unit, UnitKind, catalog_action::Action, catalog_entry::Entry,
};

/// Regions CN > CN-SD > CN-SD.3710, CN-SD.3702 and CN > CN-BJ; sources `bureau`, `report`, `media` in order of precedence; units;
/// dimensions `sex` (required by `employment`) and `level` (optional there); indicators `5g-base-stations`, `output`, `employment`.
#[must_use]
pub fn small() -> ApplyCatalogRequest {
    let mut entries = vec![
        region("CN", "", "country", "China", "中国"),
        region("CN-SD", "CN", "province", "Shandong", "山东"),
        region("CN-BJ", "CN", "province", "Beijing", "北京"),
        region("CN-SD.3710", "CN-SD", "prefecture", "Weihai", "威海"),
        region("CN-SD.3702", "CN-SD", "prefecture", "Qingdao", "青岛"),
        source("bureau", 1),
        source("report", 2),
        source("media", 3),
        unit("{station}", UnitKind::Count),
        unit("{person}", UnitKind::Count),
        unit("CNY", UnitKind::Currency),
        unit("USD", UnitKind::Currency),
        dimension("sex", &["F", "M", "T"]),
        dimension("level", &["national", "provincial"]),
        indicator("5g-base-stations", "{station}"),
        indicator("output", "CNY"),
    ];
    let mut employment = indicator("employment", "{person}");
    if let Some(Entry::Indicator(indicator)) = &mut employment.entry {
        indicator.dimensions = vec!["sex".into()];
        indicator.optional_dimensions = vec!["level".into()];
    }
    entries.push(employment);
    upsert(entries)
}

/// A request that upserts entries.
#[must_use]
pub fn upsert(entries: Vec<CatalogEntry>) -> ApplyCatalogRequest {
    let actions = entries.into_iter().map(|entry| CatalogAction { action: Some(Action::Upsert(entry)) }).collect();
    ApplyCatalogRequest { actions, ..ApplyCatalogRequest::default() }
}

/// A request that removes an entry.
#[must_use]
pub fn delete(kind: EntryKind, id: &str) -> ApplyCatalogRequest {
    let action = Action::Delete(EntryReference { kind: kind.into(), id: id.into() });
    ApplyCatalogRequest { actions: vec![CatalogAction { action: Some(action) }], ..ApplyCatalogRequest::default() }
}

fn names(english: &str) -> BTreeMap<String, String> {
    [("en".to_owned(), english.to_owned())].into()
}

fn entry(entry: Entry) -> CatalogEntry {
    CatalogEntry { entry: Some(entry) }
}

/// A region.
#[must_use]
pub fn region(id: &str, parent: &str, level: &str, english: &str, chinese: &str) -> CatalogEntry {
    let mut names = names(english);
    names.insert("zh".to_owned(), chinese.to_owned());
    entry(Entry::Region(Region { id: id.into(), parent: parent.into(), level: level.into(), names, ..Region::default() }))
}

/// A source.
#[must_use]
pub fn source(id: &str, precedence: u32) -> CatalogEntry {
    entry(Entry::Source(Source { id: id.into(), names: names(id), kind: "department".into(), precedence, ..Source::default() }))
}

/// A unit.
#[must_use]
pub fn unit(id: &str, kind: UnitKind) -> CatalogEntry {
    entry(Entry::Unit(Unit { id: id.into(), names: names(id), kind: kind.into(), ..Unit::default() }))
}

/// A dimension.
#[must_use]
pub fn dimension(id: &str, codes: &[&str]) -> CatalogEntry {
    let codes = codes.iter().map(|&id| Code { id: id.into(), names: names(id), ..Code::default() }).collect();
    entry(Entry::Dimension(Dimension { id: id.into(), names: names(id), codes }))
}

/// An indicator.
#[must_use]
pub fn indicator(id: &str, unit: &str) -> CatalogEntry {
    entry(Entry::Indicator(Indicator {
        id: id.into(),
        names: names(id),
        unit: unit.into(),
        time_aggregation: TimeAggregation::Last.into(),
        region_aggregation: RegionAggregation::Sum.into(),
        ..Indicator::default()
    }))
}

/// An indicator that is computed of others.
#[must_use]
pub fn derived(id: &str, unit: &str, formula: &str) -> CatalogEntry {
    let (names, unit, formula) = (names(id), unit.into(), formula.into());
    entry(Entry::Indicator(Indicator { id: id.into(), names, unit, formula, ..Indicator::default() }))
}

/// A unit of so much of one for each of another: "CNY/{station}".
#[must_use]
pub fn ratio(numerator: &str, denominator: &str) -> CatalogEntry {
    let id = format!("{numerator}/{denominator}");
    entry(Entry::Unit(Unit {
        names: names(&id),
        id,
        kind: UnitKind::Ratio.into(),
        numerator: numerator.into(),
        denominator: denominator.into(),
        ..Unit::default()
    }))
}
