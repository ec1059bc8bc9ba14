use std::collections::BTreeMap;

use indicator_proto::v1::{Code, Dimension, Indicator, Region, Unit};

use super::*;

fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn region(id: &str, names: BTreeMap<String, String>, codes: BTreeMap<String, String>, aliases: &[&str]) -> CatalogEntry {
    let aliases = aliases.iter().map(|&alias| alias.to_owned()).collect();
    CatalogEntry { entry: Some(Entry::Region(Region { id: id.to_owned(), names, codes, aliases, ..Region::default() })) }
}

fn names() -> Names {
    let code = |id: &str, names| Code { id: id.to_owned(), names, aliases: vec!["Both sexes".to_owned()] };
    let sex = Dimension {
        id: "sex".to_owned(),
        names: map([("en", "Sex")]),
        codes: vec![code("T", map([("en", "Total"), ("zh", "合计")]))],
    };
    let stations = Indicator { id: "5g-base-stations".to_owned(), names: map([("zh", "5G基站数")]), ..Indicator::default() };
    let yuan = Unit { id: "CNY".to_owned(), names: map([("en", "Yuan")]), symbols: map([("zh", "元")]), ..Unit::default() };
    Names::from_entries(vec![
        region("CN", map([("en", "China"), ("zh", "中国")]), map([("iso3166-1-alpha-3", "CHN")]), &[]),
        region("CN-SD", map([("en", "Shandong"), ("zh", "山东")]), map([("gbt2260", "370000")]), &["山东省"]),
        region("CN-GD", map([("en", "Guangdong"), ("zh", "广东")]), map([("gbt2260", "440000")]), &[]),
        region("CN-JL", map([("en", "Jilin"), ("zh", "吉林")]), map([("gbt2260", "220000")]), &[]),
        region("CN-JL.2202", map([("en", "Jilin City"), ("zh", "吉林")]), map([("gbt2260", "220200")]), &[]),
        region("CI", map([("fr", "Côte d’Ivoire")]), map([]), &["Côte d'Ivoire"]),
        CatalogEntry { entry: Some(Entry::Dimension(sex)) },
        CatalogEntry { entry: Some(Entry::Indicator(stations)) },
        CatalogEntry { entry: Some(Entry::Unit(yuan)) },
    ])
}

#[test]
fn an_id_a_code_a_name_and_an_alias_name_the_same_region() {
    let names = names();
    for text in ["CN-SD", "cn-sd", " CN-SD ", "370000", "gbt2260:370000", "Shandong", "ＳＨＡＮＤＯＮＧ", "山东", "山东省"]
    {
        assert_eq!(names.resolve(EntryKind::Region, text).as_deref(), Ok("CN-SD"), "{text}");
    }
    assert_eq!(names.resolve(EntryKind::Region, "chn").as_deref(), Ok("CN"));
    assert_eq!(names.resolve(EntryKind::Region, "cote d'ivoire").as_deref(), Ok("CI"));
}

#[test]
fn every_kind_has_its_own_names() {
    let names = names();
    assert_eq!(names.resolve(EntryKind::Indicator, "5g基站数").as_deref(), Ok("5g-base-stations"));
    assert_eq!(names.resolve(EntryKind::Unit, "元").as_deref(), Ok("CNY"));
    assert!(names.resolve(EntryKind::Source, "Shandong").is_err());
    assert_eq!(names.resolve_code("sex", "both SEXES").as_deref(), Ok("T"));
    assert!(names.resolve_code("age", "T").is_err());
}

#[test]
fn an_ambiguous_name_is_listed_and_not_guessed() {
    let error = names().resolve(EntryKind::Region, "吉林").unwrap_err();
    assert_eq!(error.to_string(), "the region \"吉林\" may be CN-JL (Jilin) or CN-JL.2202 (Jilin City): give the id");
}

#[test]
fn an_unknown_name_comes_with_what_may_have_been_meant() {
    let error = names().resolve(EntryKind::Region, "Shangdong").unwrap_err();
    assert_eq!(error.to_string(), "there is no region \"Shangdong\" in the catalog; did you mean CN-SD (Shandong)?");
    let error = names().resolve(EntryKind::Region, "Atlantis").unwrap_err();
    assert_eq!(error.to_string(), "there is no region \"Atlantis\" in the catalog");
}

#[test]
fn a_part_of_a_name_is_a_suggestion_and_no_match() {
    let Err(NameError::Unknown { suggestions, .. }) = names().resolve(EntryKind::Region, "dong") else {
        panic!("a part of a name does not name anything")
    };
    let ids: Vec<_> = suggestions.iter().map(|candidate| candidate.id.as_str()).collect();
    assert_eq!(ids, ["CN-SD", "CN-GD"]);
}

#[test]
fn an_entry_that_is_added_again_loses_its_old_names() {
    let mut names = names();
    names.add(vec![region("CN-SD", map([("en", "Lu")]), map([]), &[])]);
    assert_eq!(names.resolve(EntryKind::Region, "Lu").as_deref(), Ok("CN-SD"));
    assert!(names.resolve(EntryKind::Region, "山东").is_err());
}
