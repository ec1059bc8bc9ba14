use indicator_proto::v1::{Code, Dimension, Indicator, Region, Source, catalog_entry::Entry};

use super::*;
use crate::import::source;

fn entry(entry: Entry) -> CatalogEntry {
    CatalogEntry { entry: Some(entry) }
}

fn named(name: &str) -> std::collections::BTreeMap<String, String> {
    [("en".to_owned(), name.to_owned())].into()
}

/// A catalog with one of each.
fn names() -> Names {
    let codes = [("gbt2260".to_owned(), "370000".to_owned())].into();
    let code = Code { id: "F".to_owned(), names: named("female"), aliases: vec!["women".to_owned()] };
    Names::from_entries(vec![
        entry(Entry::Region(Region {
            id: "CN-SD".to_owned(),
            names: named("Shandong"),
            aliases: vec!["山东省".to_owned()],
            codes,
            ..Region::default()
        })),
        entry(Entry::Source(Source { id: "office".to_owned(), names: named("Office"), ..Source::default() })),
        entry(Entry::Dimension(Dimension { id: "sex".to_owned(), names: named("Sex"), codes: vec![code] })),
        entry(Entry::Indicator(Indicator {
            id: "users".to_owned(),
            names: named("Users"),
            unit: "1".to_owned(),
            optional_dimensions: vec!["sex".to_owned()],
            ..Indicator::default()
        })),
        entry(Entry::Indicator(Indicator {
            id: "wages".to_owned(),
            names: named("Wages"),
            unit: "1".to_owned(),
            dimensions: vec!["sex".to_owned()],
            ..Indicator::default()
        })),
    ])
}

const MERGE: Options = Options { mode: WriteMode::Merge, create_missing: false, include_changes: false };
const CREATE: Options = Options { create_missing: true, ..MERGE };

fn prepare(files: &[(&str, &str)], mapping: &str, options: Options) -> Import {
    let input = |(name, content): &(&str, &str)| Input {
        text: source::from_bytes((*name).to_owned(), content.as_bytes().to_vec(), None, None).unwrap(),
        mapping: toml::from_str(mapping).unwrap(),
        directory: PathBuf::new(),
    };
    Import::prepare(files.iter().map(input).collect(), names(), options).unwrap()
}

/// Rejects as "line field: reason".
fn rejects(import: &Import) -> Vec<String> {
    let told = |reject: &Reject| format!("{} {}: {}", reject.line, reject.field, reject.problem);
    import.files().iter().flat_map(File::rejects).map(told).collect()
}

fn series(import: &Import) -> Vec<String> {
    let mut ids: Vec<_> =
        import.files.iter().flat_map(|file| file.batches.series.iter().map(|series| series.key.to_string())).collect();
    ids.sort();
    ids
}

#[test]
fn a_region_goes_by_any_of_its_names_and_is_one_series() {
    let sample = "indicator,region,source,period,value\nusers,370000,office,2020,1\nusers,山东省,office,2021,1\n\
        Users,Shandong,Office,2022,1\nusers,CN-SD,office,2023,1\n";
    let import = prepare(&[("a.csv", sample)], "", MERGE);
    assert_eq!(rejects(&import), [""; 0]);
    assert_eq!(series(&import), ["users / CN-SD / office"]);
    assert_eq!(import.figures(), 4);
}

#[test]
fn one_name_in_two_spellings_is_still_one_cell() {
    let sample = "indicator,region,source,period,value\nusers,370000,office,2020,1\nusers,山东省,office,2020,2\n";
    assert_eq!(rejects(&prepare(&[("a.csv", sample)], "", MERGE)), ["3 period: the same cell as on line 2"]);
}

#[test]
fn an_unknown_region_is_rejected_on_every_line_with_what_may_have_been_meant() {
    let sample = "indicator,region,source,period,value\nusers,Shandnog,office,2020,1\nusers,CN-SD,office,2020,1\n\
        users,Shandnog,office,2021,1\n";
    let import = prepare(&[("a.csv", sample)], "", MERGE);
    let rejects = rejects(&import);
    assert_eq!(rejects.len(), 2);
    assert!(rejects[0].starts_with("2 region: ") && rejects[0].contains("Shandong"), "{rejects:?}");
    assert!(rejects[1].starts_with("4 region: "), "{rejects:?}");
}

#[test]
fn a_scheme_restricts_what_a_code_may_mean() {
    let sample = "indicator,region,source,period,value\nusers,370000,office,2020,1\nusers,CN-SD,office,2021,1\n";
    let import = prepare(&[("a.csv", sample)], "[fields.region]\ncolumn = \"region\"\nscheme = \"gbt2260\"\n", MERGE);
    assert_eq!(rejects(&import).len(), 1);
    assert!(rejects(&import)[0].starts_with("3 region: "));
}

#[test]
fn an_indicator_is_broken_down_as_it_declares() {
    let sample = "indicator,region,source,period,value,dim.sex,dim.age\nusers,CN-SD,office,2020,1,women,\n\
        wages,CN-SD,office,2020,1,,\nusers,CN-SD,office,2020,1,,old\nusers,CN-SD,office,2020,1,X,\n";
    let import = prepare(&[("a.csv", sample)], "", MERGE);
    assert_eq!(series(&import), ["users / CN-SD / office [sex=F]"]);
    let rejects = rejects(&import);
    assert!(rejects[0].starts_with("3 dim.sex: the indicator wages is always broken down by it"), "{rejects:?}");
    assert!(rejects.iter().any(|reject| reject.starts_with("4 dim.age: the indicator users is not broken down by it")));
    assert!(rejects.iter().any(|reject| reject.starts_with("5 dim.sex: ")));
}

#[test]
fn what_is_missing_is_created_as_the_mapping_describes() {
    let mapping = r#"
        [fields]
        indicator.headers = 'share'
        region.column = "geo"
        period.column = "time"
        source.constant = "un"
        [[catalog.region]]
        id = "001"
        level = "world"
        names = { en = "World" }
        [[catalog.source]]
        id = "un"
        kind = "organization"
        names = { en = "United Nations" }
        [create.region]
        id = [{ column = "alpha2" }, { column = "geo", rules = [{ pattern = '(.+)', replace = '001.$1' }] }]
        parent.constant = "001"
        level.constant = "country"
        name.en.column = "name"
        code.own.column = "geo"
        [create.indicator]
        unit.constant = "%"
    "#;
    let sample = "geo,time,share,alpha2,name\nfra,2020,1,FR,France\nabkh,2020,2,,Abkhazia\n";
    let import = prepare(&[("a.csv", sample)], mapping, CREATE);
    assert_eq!(rejects(&import), [""; 0]);
    assert_eq!(series(&import), ["share / 001.abkh / un", "share / FR / un"]);
    let created: Vec<_> = import.created().iter().filter_map(|entry| entry.entry.as_ref()).collect();
    let regions: Vec<_> =
        created.iter().filter_map(|entry| if let Entry::Region(it) = entry { Some(it) } else { None }).collect();
    assert_eq!(regions.iter().map(|region| region.id.as_str()).collect::<Vec<_>>(), ["001", "001.abkh", "FR"]);
    assert_eq!((regions[2].names["en"].as_str(), regions[2].codes["own"].as_str()), ("France", "fra"));
    assert!(created.iter().any(|entry| matches!(entry, Entry::Unit(unit) if unit.id == "%")));
    assert!(prepare(&[("a.csv", sample)], mapping, MERGE).figures() == 0, "nothing is created without being asked for");
}

#[test]
fn what_only_people_know_is_asked_for_before_anything_is_created() {
    let sample = "indicator,region,source,period,value\nshops,CN-SD,office,2020,1\nusers,Atlantis,office,2020,1\n\
        users,大西洲,office,2020,1\nusers,CN-SD,大报,2020,1\n";
    let import = prepare(&[("a.csv", sample)], "[create.region]\nlevel.constant = \"country\"\n", CREATE);
    let rejects = rejects(&import);
    assert!(rejects[0].contains("create.indicator.unit"), "{rejects:?}");
    assert!(rejects[1].contains("create.region.id"), "{rejects:?}");
    assert!(rejects[2].contains("create.source.id"), "{rejects:?}");
    assert_eq!(series(&import), ["users / Atlantis / office"]);
}

#[test]
fn an_indicator_that_is_created_has_a_slug_and_keeps_its_name() {
    let sample =
        "indicator,region,source,period,value\nNY.GDP.MKTP.CD,CN-SD,World Bank,2020,1\nny.gdp.mktp.cd,CN-SD,world bank,2021,1\n";
    let import = prepare(&[("a.csv", sample)], "[create.indicator]\nunit.constant = \"USD\"\n", CREATE);
    assert_eq!(rejects(&import), [""; 0]);
    assert_eq!(series(&import), ["ny.gdp.mktp.cd / CN-SD / world-bank"]);
    let is_source = |entry: &&CatalogEntry| matches!(&entry.entry, Some(Entry::Source(it)) if it.names["en"] == "World Bank");
    assert_eq!(import.created().iter().filter(is_source).count(), 1);
}

#[test]
fn a_code_that_a_dimension_does_not_have_is_added_to_it() {
    let sample = "indicator,region,source,period,value,dim.sex\nusers,CN-SD,office,2020,1,M\nusers,CN-SD,office,2020,1,F\n";
    let import = prepare(&[("a.csv", sample)], "", CREATE);
    assert_eq!(rejects(&import), [""; 0]);
    let Some(Entry::Dimension(sex)) = &import.created()[0].entry else { panic!("{:?}", import.created()) };
    assert_eq!(sex.codes.iter().map(|code| code.id.as_str()).collect::<Vec<_>>(), ["F", "M"]);
    let new: Vec<_> = import.files[0].batches.series.iter().map(|series| series.is_new).collect();
    assert_eq!(new, [true, false]);
}

#[test]
fn a_lookup_tells_which_entry_is_meant() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("geo.csv"), "code,iso,name\nsdg,CN-SD,Shandong\natl,,Atlantis\n").unwrap();
    let mapping = r#"
        [create.region]
        lookup = { file = "geo.csv", key = "code" }
        id = [{ column = "iso" }, { column = "code" }]
        level.constant = "country"
        name.en.column = "name"
    "#;
    let sample = "indicator,region,source,period,value\nusers,sdg,office,2020,1\nusers,atl,office,2020,1\n";
    let input = Input {
        text: source::from_bytes("a.csv".to_owned(), sample.as_bytes().to_vec(), None, None).unwrap(),
        mapping: toml::from_str(mapping).unwrap(),
        directory: directory.path().to_owned(),
    };
    let import = Import::prepare(vec![input.clone()], names(), MERGE).unwrap();
    assert_eq!(series(&import), ["users / CN-SD / office"], "also where nothing may be created");
    assert_eq!(rejects(&import).len(), 1);
    let import = Import::prepare(vec![input], names(), CREATE).unwrap();
    assert_eq!(series(&import), ["users / CN-SD / office", "users / atl / office"]);
}

#[test]
fn editions_are_imported_in_the_order_of_their_publication() {
    let mapping = "[fields]\npublished_at.file_name = '\\d{4}-\\d{2}-\\d{2}'\n";
    let sample = "indicator,region,source,period,value\nusers,CN-SD,office,2020,1\n";
    let files = [("gdp_2024-10-21.csv", sample), ("gdp_2012-09-20.csv", sample), ("gdp_2024-10-20.csv", sample)];
    let import = prepare(&files, mapping, MERGE);
    let order: Vec<_> = import.files().iter().map(File::name).collect();
    assert_eq!(order, ["gdp_2012-09-20.csv", "gdp_2024-10-20.csv", "gdp_2024-10-21.csv"]);
}

#[test]
fn rejects_are_written_with_their_reasons_and_the_rows_as_they_were() {
    let sample = "indicator,region,source,period,value\nusers,CN-SD,office,三季度,\"1,5\"\nusers,CN-SD,office,2020,1\n\
        users,CN-SD,office,2021-Q5,1\n";
    let mut out = Vec::new();
    prepare(&[("a.csv", sample)], "", MERGE).write_rejects(&mut out).unwrap();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(out.as_slice());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!([&rows[0][0], &rows[0][1], &rows[0][3], &rows[0][8], &rows[0][9]], ["a.csv", "2", "value", "三季度", "1,5"]);
    assert_eq!([&rows[1][1], &rows[1][3]], ["2", "period"]);
    assert_eq!([&rows[2][1], &rows[2][3]], ["4", "period"]);
    assert!(rows[2][4].contains("2021-Q4"), "{}", &rows[2][4]);
}
