//! Entries for tests.

use std::collections::BTreeMap;

use indicator_proto::v1;

use super::{Catalog, Entry};

pub(in crate::engine) fn texts(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
    texts.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

pub(in crate::engine) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(in crate::engine) fn region(id: &str, parent: &str) -> v1::Region {
    let level = ["country", "province", "prefecture"][usize::from(id.contains('-')) + usize::from(id.contains('.'))];
    let (id, parent) = (id.to_owned(), parent.to_owned());
    v1::Region { names: texts(&[("en", &id)]), id, parent, level: level.into(), ..Default::default() }
}

pub(in crate::engine) fn unit(id: &str, name: &str) -> v1::Unit {
    let kind = v1::UnitKind::Currency.into();
    v1::Unit { id: id.into(), names: texts(&[("en", name)]), kind, ..Default::default() }
}

pub(in crate::engine) fn source(id: &str, region: &str) -> v1::Source {
    let names = texts(&[("en", id)]);
    v1::Source { id: id.into(), names, kind: "media".into(), region: region.into(), ..Default::default() }
}

pub(in crate::engine) fn dimension(id: &str, codes: &[&str]) -> v1::Dimension {
    let codes = codes.iter().map(|code| v1::Code { id: (*code).into(), names: texts(&[("en", code)]), aliases: vec![] });
    v1::Dimension { id: id.into(), names: texts(&[("en", id)]), codes: codes.collect() }
}

pub(in crate::engine) fn indicator(id: &str, unit: &str) -> v1::Indicator {
    v1::Indicator { id: id.into(), names: texts(&[("en", id)]), unit: unit.into(), ..Default::default() }
}

/// A small catalog with every kind, as commit 1 made it.
pub(in crate::engine) fn entries() -> Vec<Entry> {
    let shandong = v1::Region {
        names: texts(&[("en", "Shandong"), ("zh", "山东")]),
        codes: texts(&[("gbt2260", "370000")]),
        aliases: strings(&["山东省", "Shandong Province"]),
        ..region("CN-SD", "CN")
    };
    let station = v1::Unit {
        names: texts(&[("en", "station"), ("zh", "基站")]),
        kind: v1::UnitKind::Count.into(),
        ..unit("{station}", "")
    };
    let yuan = v1::Unit { symbols: texts(&[("en", "yuan"), ("zh", "元")]), ..unit("CNY", "Chinese yuan") };
    let mut sex = dimension("sex", &["F", "M", "T"]);
    sex.codes[0].names = texts(&[("en", "Female"), ("zh", "女")]);
    let stations = v1::Indicator {
        names: texts(&[("en", "5G base stations"), ("zh", "5G基站数")]),
        descriptions: texts(&[("en", "Masts and small cells in operation.")]),
        topic: "digital-economy".into(),
        ..indicator("5g-base-stations", "{station}")
    };
    vec![
        region("CN", "").into(),
        shandong.into(),
        region("CN-SD.3710", "CN-SD").into(),
        region("CN-GD", "CN").into(),
        station.into(),
        yuan.into(),
        source("local-media", "CN-SD").into(),
        sex.into(),
        stations.into(),
        indicator("population", "{station}").into(),
    ]
}

/// The catalog with [`entries`], as commit 1 made it.
pub(in crate::engine) fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for entry in &entries() {
        catalog.record(1, entry.kind(), entry.id(), Some(entry.clone()));
    }
    catalog
}
