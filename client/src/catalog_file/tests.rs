use std::collections::BTreeMap;

use indicator_proto::v1::{Code, Dimension, EntryKind, Indicator, Region, TimeAggregation, Unit, UnitKind};
use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"
    [[indicator]]
    id = "data-centers"
    names = { en = "Data centers", zh = "数据中心" }
    unit = "{center}"
    decimals = 0
    time_aggregation = "last"
    regionAggregation = "REGION_AGGREGATION_SUM"

    [[region]]
    id = "CN-SD"
    parent = "CN"
    level = "province"
    names = { en = "Shandong" }
    codes = { gbt2260 = "370000" }
    valid_from = 1949-08-01

    [[dimension]]
    id = "level"
    names = { en = "Level" }
    [[dimension.codes]]
    id = "provincial"
    names = { en = "Provincial" }

    [[unit]]
    id = "{center}"
    names = { en = "center" }
    kind = "count"

    [[delete]]
    kind = "source"
    id = "old"
"#;

fn entry(action: &CatalogAction) -> &Entry {
    match &action.action {
        Some(Action::Upsert(CatalogEntry { entry: Some(entry) })) => entry,
        other => panic!("an upsert: {other:?}"),
    }
}

fn problems(text: &str) -> String {
    parse("bad.toml", text).expect_err("a file with problems").to_string()
}

#[test]
fn a_file_becomes_actions_in_the_order_of_the_kinds() {
    let actions = parse("good.toml", GOOD).unwrap();
    let titles: Vec<String> = actions.iter().map(title).collect();
    let expected = ["unit {center}", "region CN-SD", "dimension level", "indicator data-centers", "delete source old"];
    assert_eq!(titles, expected);
    let (Entry::Unit(unit), Entry::Region(region)) = (entry(&actions[0]), entry(&actions[1])) else { panic!("{actions:?}") };
    assert_eq!(unit.kind(), UnitKind::Count);
    assert_eq!((&*region.codes["gbt2260"], &*region.valid_from), ("370000", "1949-08-01"));
    let (Entry::Dimension(dimension), Entry::Indicator(indicator)) = (entry(&actions[2]), entry(&actions[3])) else {
        panic!("{actions:?}")
    };
    assert_eq!(dimension.codes[0].names["en"], "Provincial");
    assert_eq!((indicator.decimals, indicator.time_aggregation()), (Some(0), TimeAggregation::Last));
    assert!(matches!(&actions[4].action, Some(Action::Delete(it)) if it.kind() == EntryKind::Source));
}

#[test]
fn the_built_in_catalog_is_read() {
    for (file, entries) in [("regions.toml", 51), ("shandong.toml", 26)] {
        let path = format!("{}/../server/data/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).expect("the built-in data set");
        assert_eq!(parse(file, &text).map(|actions| actions.len()), Ok(entries), "{file}");
    }
}

#[test]
fn json_is_read_like_toml() {
    let json = r#"{"unit": [{"id": "CNY", "names": {"zh": "元"}, "kind": "UNIT_KIND_CURRENCY"}]}"#;
    let toml = "[[unit]]\nid = \"CNY\"\nnames = { zh = \"元\" }\nkind = \"currency\"";
    assert_eq!(parse("a.json", json), parse("a.toml", toml));
    assert_eq!(parse("empty.toml", ""), Ok(Vec::new()));
}

#[test]
fn every_problem_is_named_with_its_file_entry_and_field() {
    let text = r#"
        [[region]]
        id = "CN-SD"
        name = "Shandong"
        level = 3
        names = { en = 7 }
        [[region]]
        aliases = "山东"
        [[unit]]
        id = "CNY"
        kind = "money"
        [[dimension]]
        id = "sex"
        [[dimension.codes]]
        id = "F"
        label = "female"
        [[indicators]]
        id = "x"
    "#;
    insta::assert_snapshot!(problems(text), @r#"
    bad.toml: unit CNY: kind: "money" is none of count, currency, share, index, rank, physical, ratio
    bad.toml: region CN-SD: level: invalid type: integer `3`, expected a string
    bad.toml: region CN-SD: there is no field "name"; there are id, parent, level, names, codes, aliases, valid_from, valid_to
    bad.toml: region CN-SD: names: invalid type: integer `7`, expected a string
    bad.toml: region number 2: aliases: invalid type: string "山东", expected a list
    bad.toml: dimension sex: there is no field "codes[0].label"; there are id, names, aliases
    bad.toml: "indicators" is no table of a catalog; there are unit, region, source, dimension, indicator, delete
    "#);
}

#[test]
fn a_table_that_is_not_a_list_is_told_how_to_be_one() {
    assert_eq!(
        problems("[region]\nid = \"CN\""),
        "bad.toml: region is not a list of entries; write [[region]] before each of them"
    );
    assert_eq!(problems("region = [3]"), "bad.toml: region is not a list of entries; write [[region]] before each of them");
}

#[test]
fn what_is_neither_toml_nor_json_says_where() {
    assert!(problems("[[region]]\nid = ").contains("line 2"), "{}", problems("[[region]]\nid = "));
    assert!(problems("{\"region\": [").contains("line 1"), "{}", problems("{\"region\": ["));
}

/// What a file says is upserted.
fn read(text: &str) -> Vec<Entry> {
    parse("written", text)
        .unwrap_or_else(|invalid| panic!("{invalid}\n{text}"))
        .iter()
        .map(|action| entry(action).clone())
        .collect()
}

#[test]
fn entries_are_written_as_people_write_them() {
    let entries: Vec<Entry> = parse("good.toml", GOOD).unwrap()[..4].iter().map(|action| entry(action).clone()).collect();
    insta::assert_snapshot!(to_toml(&entries), @r#"
    [[unit]]
    id = "{center}"
    names = { en = "center" }
    kind = "count"

    [[region]]
    id = "CN-SD"
    parent = "CN"
    level = "province"
    names = { en = "Shandong" }
    codes = { gbt2260 = "370000" }
    valid_from = "1949-08-01"

    [[dimension]]
    id = "level"
    names = { en = "Level" }
    codes = [
        { id = "provincial", names = { en = "Provincial" } },
    ]

    [[indicator]]
    id = "data-centers"
    names = { en = "Data centers", zh = "数据中心" }
    unit = "{center}"
    decimals = 0
    time_aggregation = "last"
    region_aggregation = "sum"
    "#);
    assert_eq!(read(&to_json(&entries).to_string()), entries);
}

#[test]
fn the_built_in_catalog_is_written_as_it_was_read() {
    for file in ["regions.toml", "shandong.toml"] {
        let path = format!("{}/../server/data/{file}", env!("CARGO_MANIFEST_DIR"));
        let entries = read(&std::fs::read_to_string(&path).expect("the built-in data set"));
        assert_eq!(read(&to_toml(&entries)), entries, "{file}");
        assert_eq!(read(&to_json(&entries).to_string()), entries, "{file}");
    }
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map("[a-zA-Z.\"\\\\' -]{1,6}", ".{0,12}|[\"'\\\\\n\r\t#=]{0,6}", 0..3)
}

proptest! {
    #[test]
    fn whatever_was_written_is_read(
        names in texts(), descriptions in texts(), aliases in proptest::collection::vec("(?s).{0,8}", 0..3), formula in ".{0,12}",
        decimals in proptest::option::of(0..=28_u32), time_aggregation in 0..4_i32, kind in 0..8_i32,
    ) {
        let id = || "x".to_owned();
        let codes = vec![Code { id: id(), names: names.clone(), aliases: aliases.clone() }, Code { id: "y".into(), ..Code::default() }];
        let entries = vec![
            Entry::Unit(Unit { id: id(), names: names.clone(), kind, base_unit: "y".into(), factor: "0.01".into(), ..Unit::default() }),
            Entry::Region(Region { id: id(), codes: descriptions.clone(), aliases: aliases.clone(), ..Region::default() }),
            Entry::Dimension(Dimension { id: id(), names: names.clone(), codes }),
            Entry::Indicator(Indicator {
                id: id(), names, descriptions, aliases, formula, decimals, time_aggregation, ..Indicator::default()
            }),
        ];
        prop_assert_eq!(read(&to_toml(&entries)), &entries[..]);
        prop_assert_eq!(read(&to_json(&entries).to_string()), &entries[..]);
    }
}
