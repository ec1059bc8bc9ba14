//! The catalog on the command line: out as a file, in again, and searched.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use indicator_proto::v1::{self, EntryKind, UnitKind, catalog_entry::Entry};
use indicator_tests::{
    catalog::{delete, indicator, region, unit, upsert},
    client::Client,
    server::{Server, binary},
};

/// Runs `indicator` against a server, with a text on its standard input.
fn indicator_command(server: &Server, arguments: &[&str], input: &str) -> Output {
    let mut process = Command::new(binary().with_file_name("indicator"))
        .args(arguments)
        .env("INDICATOR_SERVER", format!("http://{}", server.address()))
        .env("NO_COLOR", "1")
        .env("LANG", "C.UTF-8")
        .env_remove("INDICATOR_LANG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

/// What it prints; it must succeed.
fn printed(server: &Server, arguments: &[&str], input: &str) -> String {
    let output = indicator_command(server, arguments, input);
    let (out, err) = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).into();
    assert!(output.status.success(), "{arguments:?}: {err}");
    out
}

/// A catalog with everything that an entry can hold.
async fn filled(client: &Client) {
    let Some(Entry::Region(qufu)) = region("CN-SD.3708", "CN-SD", "prefecture", "Jining \"孔孟之乡\"", "济宁").entry else {
        unreachable!("it is a region")
    };
    let qufu = v1::Region {
        codes: [("gbt2260".to_owned(), "370800".to_owned())].into(),
        aliases: vec!["济宁市".into(), "back\\slash\nand line".into()],
        valid_from: "1983-10-01".into(),
        ..qufu
    };
    let Some(Entry::Unit(ratio)) = unit("CNY/{person}", UnitKind::Ratio).entry else { unreachable!("it is a unit") };
    let (numerator, denominator) = ("CNY".into(), "{person}".into());
    let ratio = v1::Unit { numerator, denominator, ..ratio };
    let Some(Entry::Unit(thousand)) = unit("k{person}", UnitKind::Count).entry else { unreachable!("it is a unit") };
    let thousand = v1::Unit { base_unit: "{person}".into(), factor: "1000".into(), ..thousand };
    let Some(Entry::Indicator(people)) = indicator("people", "{person}").entry else { unreachable!("it is an indicator") };
    let people = v1::Indicator { decimals: Some(0), source_order: vec!["report".into()], ..people };
    let Some(Entry::Indicator(derived)) = indicator("output-per-person", "CNY/{person}").entry else {
        unreachable!("it is an indicator")
    };
    let derived = v1::Indicator {
        formula: "output / people".into(),
        descriptions: [("en".to_owned(), "First line.\nSecond line.".to_owned())].into(),
        time_aggregation: 0,
        region_aggregation: 0,
        ..derived
    };
    let entries =
        [Entry::Region(qufu), Entry::Unit(ratio), Entry::Unit(thousand), Entry::Indicator(people), Entry::Indicator(derived)];
    let entries = entries.into_iter().map(|entry| v1::CatalogEntry { entry: Some(entry) });
    client.apply(upsert(entries.collect())).await;
}

#[tokio::test]
async fn a_catalog_that_was_exported_is_applied_unchanged() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    filled(&client).await;
    for format in ["table", "json"] {
        let file = printed(&server, &["catalog", "export", "-o", format], "");
        let again = printed(&server, &["catalog", "apply", "-", "-o", "json"], &file);
        let again: serde_json::Value = serde_json::from_str(&again).unwrap();
        assert_eq!((&again["changes"], &again["unchanged"]), (&serde_json::json!([]), &serde_json::json!(22)), "{file}");

        let other = Server::start();
        printed(&other, &["catalog", "apply", "-"], &file);
        let copy = printed(&other, &["catalog", "export", "-o", format], "");
        let entries = |file: &str| file.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(entries(&copy), entries(&file), "{format}");
    }
}

#[tokio::test]
async fn an_export_is_of_the_kinds_and_the_moment_asked_for() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let before = client.head().await;
    filled(&client).await;
    client.apply(delete(EntryKind::Region, "CN-SD.3708")).await;
    let tables = |arguments: &[&str]| {
        let file = printed(&server, &[&["catalog", "export"], arguments].concat(), "");
        let mut tables: Vec<String> = file.lines().filter(|line| line.starts_with("[[")).map(str::to_owned).collect();
        tables.dedup();
        (tables, file)
    };
    let (all, _) = tables(&[]);
    assert_eq!(all, ["[[unit]]", "[[region]]", "[[source]]", "[[dimension]]", "[[indicator]]"]);
    let (some, now) = tables(&["--kind", "indicator", "--kind", "unit"]);
    assert_eq!(some, ["[[unit]]", "[[indicator]]"]);
    assert!(now.contains("formula = \"output / people\""), "{now}");
    let (_, then) = tables(&["--as-of", &before.to_string()]);
    assert!(!then.contains("people\""), "{then}");
    assert_eq!(tables(&["--as-of", "2000-01-01"]).0, [""; 0], "before the first commit there is nothing");
    let refused = indicator_command(&server, &["catalog", "export", "-o", "csv"], "");
    assert_eq!(refused.status.code(), Some(2));
}

#[tokio::test]
async fn what_defines_units_and_derived_indicators_is_shown_and_listed() {
    let server = Server::start();
    filled(&server.client_with_catalog().await).await;
    let show = |arguments: &[&str]| printed(&server, &[&["catalog"], arguments].concat(), "");
    let line =
        |text: String, start: &str| text.lines().find(|line| line.trim().starts_with(start)).map(|line| line.trim().to_owned());
    assert_eq!(line(show(&["show", "unit", "k{person}"]), "is").unwrap(), "is        1000 {person}");
    assert_eq!(line(show(&["show", "unit", "CNY/{person}"]), "is").unwrap(), "is        CNY / {person}");
    let shown = line(show(&["show", "output-per-person"]), "computed as").unwrap();
    assert!(shown.ends_with("output / people"), "{shown}");
    assert!(show(&["list", "units"]).contains("CNY / {person}"));
    assert!(show(&["list", "units", "-o", "csv"]).contains("k{person},k{person},count,,{person},1000,,"));
    assert!(show(&["list", "indicators"]).contains("COMPUTED AS"));
    assert!(!show(&["list", "indicators", "--filter", "base"]).contains("COMPUTED AS"), "nothing there is computed");
}

#[tokio::test]
async fn a_search_forgives_typing_errors_and_is_answered_as_of_a_moment() {
    let server = Server::start();
    let client = server.client();
    let files = ["regions.toml", "shandong.toml"].map(|file| format!("{}/../server/data/{file}", env!("CARGO_MANIFEST_DIR")));
    printed(&server, &["catalog", "apply", &files[0], &files[1]], "");
    let found = |arguments: &[&str]| printed(&server, &[&["search", "-o", "csv"], arguments].concat(), "");
    for query in ["基站", "bse stations", "5g base staions", "5G机站"] {
        let hits = found(&[query]);
        assert!(hits.contains("indicator,5g-base-stations,5G base stations,"), "{query}: {hits}");
    }
    let similar = found(&["shangdong"]);
    assert_eq!(similar.lines().nth(1), Some("region,CN-SD,Shandong,similar,Shandong"), "the nearest comes first: {similar}");

    let before = client.head().await;
    client.apply(delete(EntryKind::Indicator, "5g-base-stations")).await;
    assert!(!indicator_command(&server, &["search", "5g base staions"], "").status.success());
    assert!(found(&["5g base staions", "--as-of", &before.to_string()]).contains("5g-base-stations"));
}

#[tokio::test]
async fn what_is_only_spelt_alike_is_not_taken_for_the_thing() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let Some(Entry::Region(coded)) = region("CN-XX", "CN", "province", "Elsewhere", "别处").entry else {
        unreachable!("it is a region")
    };
    let coded = v1::Region { codes: [("old".to_owned(), "1234".to_owned())].into(), ..coded };
    let alike = region("CN-YY", "CN", "province", "old-1234", "旧");
    client.apply(upsert(vec![v1::CatalogEntry { entry: Some(Entry::Region(coded)) }, alike])).await;
    let show = |text: &str| indicator_command(&server, &["catalog", "show", "region", text, "-o", "json"], "");
    // A code with its scheme is how people name it, not how the search looks for it, which finds what is alike.
    let shown = show("old:1234");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("CN-XX"), "{}", String::from_utf8_lossy(&shown.stderr));
    let unknown = show("Shangdong");
    assert_eq!(unknown.status.code(), Some(3), "it is asked about, not taken");
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean CN-SD (Shandong)?"), "{unknown:?}");
}
