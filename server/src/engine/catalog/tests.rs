//! What a request may do to the catalog, and what it is told when it may not.

mod derived;
mod random;
mod units;

use indicator_proto::v1::{
    self, CatalogAction, CatalogEntry, ChangeKind, EntryKind, EntryReference, ErrorReason, RegionAggregation,
    catalog_action::Action,
};

use super::{
    Change, Entry, Plan, Usage, plan,
    samples::{self, dimension, indicator, region, source, strings, texts, unit},
};
use crate::engine::{Error, Violation};

/// One series of 5G base stations by sex (F) in Shandong, reported by local media.
struct OneSeries;

impl Usage for OneSeries {
    fn series_of(&self, _kind: EntryKind, id: &str) -> u64 {
        u64::from(["5g-base-stations", "CN-SD", "local-media", "sex"].contains(&id))
    }

    fn series_with_code(&self, dimension: &str, code: &str) -> u64 {
        u64::from((dimension, code) == ("sex", "F"))
    }

    fn series_broken_down(&self, indicator: &str, dimension: &str) -> u64 {
        u64::from((indicator, dimension) == ("5g-base-stations", "sex"))
    }
}

struct NoSeries;

impl Usage for NoSeries {
    fn series_of(&self, _: EntryKind, _: &str) -> u64 {
        0
    }

    fn series_with_code(&self, _: &str, _: &str) -> u64 {
        0
    }

    fn series_broken_down(&self, _: &str, _: &str) -> u64 {
        0
    }
}

fn upsert(entry: impl Into<Entry>) -> CatalogAction {
    CatalogAction { action: Some(Action::Upsert(CatalogEntry::from(entry.into()))) }
}

fn delete(kind: EntryKind, id: &str) -> CatalogAction {
    CatalogAction { action: Some(Action::Delete(EntryReference { kind: kind.into(), id: id.into() })) }
}

fn planned(actions: &[CatalogAction], usage: &dyn Usage) -> Result<Plan, Error> {
    plan(samples::catalog().at(1), actions, usage)
}

/// Field and reason of each problem.
fn problems(actions: &[CatalogAction], usage: &dyn Usage) -> Vec<(String, ErrorReason)> {
    let of = |list: Vec<Violation>| list.into_iter().map(|problem| (problem.field, problem.reason)).collect();
    match planned(actions, usage) {
        Ok(plan) => panic!("taken: {plan:?}"),
        Err(Error::Invalid(list) | Error::Forbidden(list)) => of(list),
        Err(other) => panic!("{other}"),
    }
}

fn is_refused(action: CatalogAction, expected: &[(&str, ErrorReason)]) {
    let found = problems(&[action], &NoSeries);
    let found: Vec<_> = found.iter().map(|(field, reason)| (field.trim_start_matches("actions[0]."), *reason)).collect();
    assert_eq!(found, expected);
}

#[test]
fn entries_of_one_request_refer_to_each_other_in_any_order() {
    let actions = [
        upsert(v1::Indicator {
            dimensions: strings(&["age"]),
            source_order: strings(&["bureau"]),
            ..indicator("births", "{birth}")
        }),
        upsert(source("bureau", "CN-SD.3702")),
        upsert(region("CN-SD.3702", "CN-SD")),
        upsert(dimension("age", &["Y0"])),
        upsert(v1::Unit { kind: v1::UnitKind::Count.into(), ..unit("{birth}", "birth") }),
    ];
    let plan = planned(&actions, &NoSeries).unwrap();
    let order: Vec<_> = plan.changes.iter().map(|change| (change.kind(), change.entry().id())).collect();
    let inserted = |id| (ChangeKind::Inserted, id);
    assert_eq!(order, ["births", "bureau", "CN-SD.3702", "age", "{birth}"].map(inserted));
}

#[test]
fn a_request_inserts_revises_deletes_and_leaves_alone() {
    let renamed = v1::Region { names: texts(&[("en", "Canton")]), ..region("CN-GD", "CN") };
    let actions = [
        upsert(renamed.clone()),
        delete(EntryKind::Region, "CN-SD.3710"),
        upsert(region("CN", "")),
        delete(EntryKind::Unit, "EUR"),
        upsert(unit("EUR2", "x")),
    ];
    let plan = planned(&actions[..4], &NoSeries).unwrap();
    assert_eq!(plan.unchanged, 2);
    assert_eq!(
        plan.changes,
        [Change::Revised(region("CN-GD", "CN").into(), renamed.into()), Change::Deleted(region("CN-SD.3710", "CN-SD").into()),]
    );
    let message = v1::CatalogChange::from(&plan.changes[1]);
    assert_eq!(message.kind(), ChangeKind::Deleted);
    assert_eq!(message.entry, Some(Entry::from(region("CN-SD.3710", "CN-SD")).into()));
}

#[test]
fn names_and_aliases_are_trimmed_and_aliases_kept_once_in_their_order() {
    let untidy = v1::Region {
        names: texts(&[("en", " Qingdao ")]),
        aliases: strings(&["青岛市", " Tsingtao", "", "青岛市 ", "Tsingtao"]),
        ..region("CN-SD.3702", "CN-SD")
    };
    let plan = planned(&[upsert(untidy)], &NoSeries).unwrap();
    let Some(Entry::Region(region)) = plan.changes[0].after() else { panic!("no region") };
    assert_eq!(region.names["en"], "Qingdao");
    assert_eq!(region.aliases, ["青岛市", "Tsingtao"]);
}

#[test]
fn every_problem_of_a_request_is_told_at_once_with_its_field() {
    let actions = [
        upsert(v1::Region { level: String::new(), ..region("CN-QD", "CN-XX") }),
        CatalogAction::default(),
        upsert(v1::Unit { kind: 0, ..unit("Yuan", "") }),
        delete(EntryKind::Unspecified, "x"),
        delete(EntryKind::Source, "No Slug"),
        upsert(region("CN-QD", "")),
        CatalogAction { action: Some(Action::Upsert(CatalogEntry::default())) },
        delete(EntryKind::Region, "CN"),
    ];
    let expected = [
        ("actions[0].upsert.region.level", ErrorReason::Required),
        ("actions[1]", ErrorReason::Required),
        ("actions[2].upsert.unit.names[\"en\"]", ErrorReason::Required),
        ("actions[2].upsert.unit.kind", ErrorReason::InvalidEnum),
        ("actions[3].delete.kind", ErrorReason::InvalidEnum),
        ("actions[4].delete.id", ErrorReason::InvalidId),
        ("actions[6].upsert", ErrorReason::Required),
        ("actions[5].upsert.region.id", ErrorReason::ConflictingFields),
        ("actions[0].upsert.region.parent", ErrorReason::UnknownRegion),
        ("actions[7].delete.id", ErrorReason::EntryInUse),
    ];
    let found = problems(&actions, &NoSeries);
    assert_eq!(found.iter().map(|(field, reason)| (field.as_str(), *reason)).collect::<Vec<_>>(), expected);
}

#[test]
fn a_request_without_actions_is_refused() {
    assert_eq!(problems(&[], &NoSeries), [("actions".to_owned(), ErrorReason::Required)]);
}

#[test]
fn ids_have_the_form_of_their_kind() {
    is_refused(upsert(region("山东", "")), &[("upsert.region.id", ErrorReason::InvalidId)]);
    is_refused(upsert(v1::Region { id: String::new(), ..region("X", "") }), &[("upsert.region.id", ErrorReason::Required)]);
    is_refused(upsert(source("Local Media", "")), &[("upsert.source.id", ErrorReason::InvalidId)]);
    is_refused(upsert(v1::Unit { kind: 1, ..unit("base station", "x") }), &[("upsert.unit.id", ErrorReason::InvalidId)]);
    is_refused(upsert(unit("yuan", "yuan")), &[("upsert.unit.id", ErrorReason::InvalidId)]);
    is_refused(upsert(dimension("age", &["0 to 4"])), &[("upsert.dimension.codes[0].id", ErrorReason::InvalidId)]);
    is_refused(upsert(region(&"x".repeat(65), "")), &[("upsert.region.id", ErrorReason::InvalidId)]);
}

#[test]
fn texts_have_limits_and_languages_the_form_of_tags() {
    let long = |bytes: usize| texts(&[("en", &"x".repeat(bytes))]);
    assert!(planned(&[upsert(v1::Region { names: long(500), ..region("X", "") })], &NoSeries).is_ok());
    let named = |names| upsert(v1::Region { names, ..region("X", "") });
    is_refused(named(long(501)), &[("upsert.region.names[\"en\"]", ErrorReason::TextTooLong)]);
    is_refused(named(texts(&[])), &[("upsert.region.names", ErrorReason::Required)]);
    is_refused(named(texts(&[("en", " ")])), &[("upsert.region.names[\"en\"]", ErrorReason::Required)]);
    is_refused(named(texts(&[("English!", "x")])), &[("upsert.region.names[\"English!\"]", ErrorReason::InvalidId)]);
    is_refused(named(texts(&[("", "x")])), &[("upsert.region.names[\"\"]", ErrorReason::InvalidId)]);
    assert!(planned(&[named(texts(&[("zh-Hant-HK", "x"), ("de-1996", "y")]))], &NoSeries).is_ok());
    let described = |descriptions| upsert(v1::Indicator { descriptions, ..indicator("x", "CNY") });
    assert!(planned(&[described(long(4000))], &NoSeries).is_ok());
    is_refused(described(long(4001)), &[("upsert.indicator.descriptions[\"en\"]", ErrorReason::TextTooLong)]);
    let aliased = v1::Region { aliases: vec![String::new(), "x".repeat(501)], ..region("X", "") };
    is_refused(upsert(aliased), &[("upsert.region.aliases[1]", ErrorReason::TextTooLong)]);
}

#[test]
fn the_days_of_a_region_exist_and_are_in_order() {
    let lasted = |from: &str, to: &str| {
        upsert(v1::Region { valid_from: from.into(), valid_to: to.into(), ..region("CN-SD.3712", "CN-SD") })
    };
    assert!(planned(&[lasted("1983-08-30", "2018-12-26")], &NoSeries).is_ok());
    assert!(planned(&[lasted("2018-12-26", "2018-12-26")], &NoSeries).is_ok());
    is_refused(lasted("2021-02-30", ""), &[("upsert.region.valid_from", ErrorReason::InvalidPeriod)]);
    is_refused(
        lasted("2021", "2021-D3"),
        &[("upsert.region.valid_from", ErrorReason::InvalidPeriod), ("upsert.region.valid_to", ErrorReason::InvalidPeriod)],
    );
    is_refused(lasted("2019-01-01", "2018-12-31"), &[("upsert.region.valid_to", ErrorReason::InvalidInterval)]);
}

#[test]
fn references_name_what_is_there_after_the_request() {
    let indicator = v1::Indicator {
        dimensions: strings(&["age", "sex"]),
        optional_dimensions: strings(&["level"]),
        region_aggregation: RegionAggregation::Weighted.into(),
        region_weight: "births".into(),
        source_order: strings(&["local-media", "gazette"]),
        ..indicator("rate", "{person}")
    };
    is_refused(
        upsert(indicator),
        &[
            ("upsert.indicator.unit", ErrorReason::UnknownUnit),
            ("upsert.indicator.dimensions[0]", ErrorReason::UnknownDimension),
            ("upsert.indicator.optional_dimensions[0]", ErrorReason::UnknownDimension),
            ("upsert.indicator.region_weight", ErrorReason::UnknownIndicator),
            ("upsert.indicator.source_order[1]", ErrorReason::UnknownSource),
        ],
    );
    let gone = [upsert(source("other", "CN-GD")), delete(EntryKind::Region, "CN-GD")];
    assert_eq!(problems(&gone, &NoSeries), [("actions[0].upsert.source.region".to_owned(), ErrorReason::UnknownRegion)]);
    let moved = [upsert(source("local-media", "")), upsert(region("CN-SD.3710", "CN")), delete(EntryKind::Region, "CN-SD")];
    assert_eq!(planned(&moved, &NoSeries).unwrap().changes.len(), 3);
}

#[test]
fn an_indicator_is_consistent_in_itself() {
    let base = || indicator("x", "CNY");
    let twice = v1::Indicator { dimensions: strings(&["sex", "sex"]), ..base() };
    is_refused(upsert(twice), &[("upsert.indicator.dimensions[1]", ErrorReason::ConflictingFields)]);
    let both = v1::Indicator { dimensions: strings(&["sex"]), optional_dimensions: strings(&["sex"]), ..base() };
    is_refused(upsert(both), &[("upsert.indicator.optional_dimensions[0]", ErrorReason::ConflictingFields)]);
    is_refused(
        upsert(v1::Indicator { decimals: Some(29), ..base() }),
        &[("upsert.indicator.decimals", ErrorReason::InvalidDecimal)],
    );
    is_refused(
        upsert(v1::Indicator { time_aggregation: 9, region_aggregation: 9, ..base() }),
        &[
            ("upsert.indicator.time_aggregation", ErrorReason::InvalidEnum),
            ("upsert.indicator.region_aggregation", ErrorReason::InvalidEnum),
        ],
    );
    let weighted = |aggregation: RegionAggregation, weight: &str| {
        upsert(v1::Indicator { region_aggregation: aggregation.into(), region_weight: weight.into(), ..base() })
    };
    assert!(planned(&[weighted(RegionAggregation::Weighted, "population")], &NoSeries).is_ok());
    is_refused(weighted(RegionAggregation::Weighted, ""), &[("upsert.indicator.region_weight", ErrorReason::Required)]);
    is_refused(weighted(RegionAggregation::Weighted, "x"), &[("upsert.indicator.region_weight", ErrorReason::InvalidEntry)]);
    is_refused(
        weighted(RegionAggregation::Sum, "population"),
        &[("upsert.indicator.region_weight", ErrorReason::ConflictingFields)],
    );
}

#[test]
fn a_dimension_has_codes_and_each_once() {
    is_refused(upsert(dimension("age", &[])), &[("upsert.dimension.codes", ErrorReason::Required)]);
    is_refused(
        upsert(dimension("age", &["Y0", "Y1", "Y0"])),
        &[("upsert.dimension.codes[2].id", ErrorReason::ConflictingFields)],
    );
}

#[test]
fn regions_in_a_circle_are_refused_once_a_circle() {
    is_refused(upsert(region("CN", "CN-SD.3710")), &[("upsert.region.parent", ErrorReason::InvalidEntry)]);
    is_refused(upsert(region("X", "X")), &[("upsert.region.parent", ErrorReason::InvalidEntry)]);
    let actions = [
        upsert(region("D", "A")),
        upsert(region("A", "B")),
        upsert(region("B", "C")),
        upsert(region("C", "A")),
        upsert(region("E", "E")),
        upsert(region("F", "CN")),
    ];
    let at = |i: usize| (format!("actions[{i}].upsert.region.parent"), ErrorReason::InvalidEntry);
    assert_eq!(problems(&actions, &NoSeries), [at(0), at(4)]);
    let Err(Error::Invalid(list)) = planned(&actions, &NoSeries) else { panic!("taken") };
    assert!(list[0].description.contains("A > B > C > A"), "{}", list[0].description);
}

#[test]
fn a_circle_is_found_however_long_it_is() {
    let name = |i: u32| format!("R{i}");
    let actions: Vec<_> = (0..20_000).map(|i| upsert(region(&name(i), &name((i + 1) % 20_000)))).collect();
    assert_eq!(problems(&actions, &NoSeries).len(), 1);
}

#[test]
fn entries_in_use_are_not_deleted_and_each_obstacle_is_told() {
    let actions = [delete(EntryKind::Region, "CN-SD"), delete(EntryKind::Unit, "{station}"), delete(EntryKind::Unit, "CNY")];
    let Err(Error::Forbidden(obstacles)) = planned(&actions, &OneSeries) else { panic!("taken") };
    let told: Vec<_> = obstacles.iter().map(|o| (o.field.as_str(), o.reason, o.description.as_str())).collect();
    let in_use = ErrorReason::EntryInUse;
    assert_eq!(
        told,
        [
            ("actions[0].delete.id", in_use, "the region \"CN-SD\" is in use by 1 series, whose history is kept; it stays"),
            ("actions[0].delete.id", in_use, "the region \"CN-SD\" is in use by region CN-SD.3710; delete or change them too"),
            ("actions[0].delete.id", in_use, "the region \"CN-SD\" is in use by source local-media; delete or change them too"),
            (
                "actions[1].delete.id",
                in_use,
                "the unit \"{station}\" is in use by indicator 5g-base-stations, population; delete or change them too"
            ),
        ]
    );
}

#[test]
fn entries_that_use_each_other_are_deleted_together() {
    let actions: Vec<_> = samples::entries().iter().map(|entry| delete(entry.kind(), entry.id())).collect();
    assert_eq!(planned(&actions, &NoSeries).unwrap().changes.len(), actions.len());
}

#[test]
fn an_indicator_with_figures_keeps_unit_and_breakdown() {
    let mut catalog = samples::catalog();
    let with = |required: &[&str], optional: &[&str], unit: &str| v1::Indicator {
        dimensions: strings(required),
        optional_dimensions: strings(optional),
        ..indicator("5g-base-stations", unit)
    };
    catalog.record(2, EntryKind::Dimension, "age", Some(dimension("age", &["Y0"]).into()));
    catalog.record(2, EntryKind::Indicator, "5g-base-stations", Some(with(&["sex"], &["age"], "{station}").into()));
    let fields = |changed: v1::Indicator, usage: &dyn Usage| match plan(catalog.at(2), &[upsert(changed)], usage) {
        Ok(_) => Vec::new(),
        Err(Error::Invalid(list)) => {
            assert!(list.iter().all(|problem| problem.reason == ErrorReason::InvalidEntry));
            list.iter().map(|problem| problem.field.rsplit('.').next().unwrap().to_owned()).collect()
        }
        Err(other) => panic!("{other}"),
    };
    assert_eq!(fields(with(&["sex"], &["age"], "CNY"), &OneSeries), ["unit"]);
    assert_eq!(fields(with(&[], &["age"], "{station}"), &OneSeries), ["dimensions"]);
    assert_eq!(fields(with(&["age", "sex"], &[], "{station}"), &OneSeries), ["dimensions"]);
    assert_eq!(fields(with(&["age"], &[], "CNY"), &OneSeries), ["unit", "dimensions", "dimensions"]);
    // What does not contradict the series that are there is allowed.
    assert_eq!(fields(with(&[], &["sex", "age"], "{station}"), &OneSeries), [""; 0]);
    assert_eq!(fields(with(&["sex"], &[], "{station}"), &OneSeries), [""; 0]);
    assert_eq!(fields(with(&["age"], &[], "CNY"), &NoSeries), [""; 0]);
}

#[test]
fn a_code_with_figures_stays_in_its_dimension() {
    let found = problems(&[upsert(dimension("sex", &["M", "T"]))], &OneSeries);
    assert_eq!(found, [("actions[0].upsert.dimension.codes".to_owned(), ErrorReason::InvalidEntry)]);
    assert!(planned(&[upsert(dimension("sex", &["F", "X"]))], &OneSeries).is_ok());
}

#[test]
fn an_entry_is_stored_as_it_is() {
    for entry in samples::entries() {
        assert_eq!(super::decode(entry.kind(), &super::encode(&entry)).unwrap(), entry);
    }
    assert!(super::decode(EntryKind::Unspecified, &[]).is_err());
}

#[test]
fn an_entry_that_the_store_could_not_keep_as_one_value_is_refused() {
    let codes: Vec<String> = (0..5_000).map(|number| format!("code-{number}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let large = dimension("large", &codes);
    is_refused(upsert(large), &[("upsert.dimension", ErrorReason::TextTooLong)]);
}
