use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use indicator_proto::v1::WriteMode;
use proptest::prelude::*;
use tonic::Code;

use super::*;
use crate::Violation;
use crate::import::{Input, Options, source};
use crate::names::Names;

const MAPPING: &str = "[create.region]\nlevel.constant = \"country\"\n[create.indicator]\nunit.constant = \"USD\"\n";

/// An import of files, each with the moment that it was published at and rows of region, period, value and moment.
fn import(files: &[(&str, &[&str])]) -> Import {
    let input = |(at, (published_at, rows)): (usize, &(&str, &[&str]))| {
        let rows: Vec<String> = rows.iter().map(|row| format!("gdp,o,{row}")).collect();
        let content = format!("indicator,source,region,period,value,published_at\n{}\n", rows.join("\n"));
        let fixed = format!("{MAPPING}[fields]\npublished_at.constant = \"{published_at}\"\n");
        Input {
            text: source::from_bytes(format!("{at}.csv"), content.into_bytes(), None, None).unwrap(),
            mapping: toml::from_str(if published_at.is_empty() { MAPPING } else { &fixed }).unwrap(),
            directory: PathBuf::new(),
        }
    };
    let options = Options { mode: WriteMode::Merge, create_missing: true, include_changes: false };
    Import::prepare(files.iter().enumerate().map(input).collect(), Names::default(), options).unwrap()
}

fn steps(files: &[(&str, &[&str])], order: Order) -> Steps {
    Steps::new(import(files), order, None, None)
}

/// Each step as "topic: region period value, …".
fn told(steps: &Steps) -> Vec<String> {
    let step = |step: &Step| {
        let topic = match step.topic {
            Topic::Period { period, edition: 0 } => period.to_string(),
            Topic::Period { period, edition } => format!("{period} again {edition}"),
            Topic::Vintage { published_at: Some(time), .. } => time.date_or_time().to_string(),
            Topic::Vintage { published_at: None, .. } => "undated".to_owned(),
        };
        let changes = steps.changes(step).into_iter();
        let changes: Vec<_> = changes.map(|it| format!("{} {} {}", it.series.unwrap().region, it.period, it.value)).collect();
        format!("{topic}: {}", changes.join(", "))
    };
    steps.steps().iter().map(step).collect()
}

#[test]
fn periods_come_by_their_last_day_and_the_shorter_before_the_longer() {
    let rows =
        ["CN,2021,1,", "CN,2020-02,2,", "CN,2020,3,", "US,2020-01,4,", "CN,2020-Q1,5,", "CN,2020-01,6,", "CN,2020-01-01,7,"];
    assert_eq!(
        told(&steps(&[("", &rows)], Order::Period)),
        [
            "2020-01-01: CN 2020-01-01 7",
            "2020-01: CN 2020-01 6, US 2020-01 4",
            "2020-02: CN 2020-02 2",
            "2020-Q1: CN 2020-Q1 5",
            "2020: CN 2020 3",
            "2021: CN 2021 1",
        ]
    );
}

#[test]
fn further_editions_of_a_period_follow_it_from_the_oldest_to_the_newest() {
    let newer: &[&str] = &["CN,2020,12,", "US,2020,3,", "CN,2021,20,"];
    let older: &[&str] = &["CN,2020,11,", "CN,2019,1,"];
    assert_eq!(
        told(&steps(&[("2022-03-01", newer), ("2021-03-01", older)], Order::Period)),
        ["2019: CN 2019 1", "2020: CN 2020 11, US 2020 3", "2020 again 1: CN 2020 12", "2021: CN 2021 20"]
    );
}

#[test]
fn editions_come_by_their_publication_and_what_has_none_comes_last_in_the_order_of_files() {
    let by_row: &[&str] = &["CN,2021,2,2022-01-01", "CN,2020,1,2021-01-01", "CN,2020,3,2022-01-01"];
    let files = [("", &["CN,2020,8,"][..]), ("2021-06-01", &["CN,2020,4,"]), ("", by_row), ("", &["CN,2020,9,"])];
    assert_eq!(
        told(&steps(&files, Order::Vintage)),
        [
            "2021-01-01: CN 2020 1",
            "2021-06-01: CN 2020 4",
            "2022-01-01: CN 2020 3, CN 2021 2",
            "undated: CN 2020 8",
            "undated: CN 2020 9",
        ]
    );
}

#[test]
fn two_files_of_one_day_are_two_editions() {
    let files = [("2021-06-01", &["CN,2020,1,"][..]), ("2021-06-01", &["CN,2020,2,"])];
    assert_eq!(told(&steps(&files, Order::Vintage)), ["2021-06-01: CN 2020 1", "2021-06-01: CN 2020 2"]);
    assert_eq!(told(&steps(&files, Order::Period)), ["2020: CN 2020 1", "2020 again 1: CN 2020 2"]);
}

#[test]
fn the_date_of_a_file_is_that_of_its_figures_unless_they_have_one() {
    let files = [("2021-06-01", &["CN,2020,1,"][..]), ("", &["CN,2021,1,2021-07-01"])];
    let steps = steps(&files, Order::Period);
    let published = |step| steps.changes(step)[0].published_at.map(|it| Time::try_from(&it).unwrap().date_or_time().to_string());
    let published: Vec<_> = steps.steps().iter().map(published).collect();
    assert_eq!(published, [Some("2021-06-01".to_owned()), Some("2021-07-01".to_owned())]);
}

#[test]
fn periods_that_reach_beyond_what_is_asked_for_are_left_out() {
    let rows: &[&str] = &["CN,2019,1,", "CN,2020,2,", "CN,2020-12,3,", "CN,2021-Q1,4,", "CN,2021,5,", "CN,2022,6,"];
    let period = |text: &str| Some(text.parse().unwrap());
    let steps = |from, to| told(&Steps::new(import(&[("", rows)]), Order::Period, from, to));
    assert_eq!(steps(period("2020-06"), period("2021")), ["2020-12: CN 2020-12 3", "2021-Q1: CN 2021-Q1 4", "2021: CN 2021 5"]);
    assert_eq!(steps(None, period("2020")), ["2019: CN 2019 1", "2020-12: CN 2020-12 3", "2020: CN 2020 2"]);
}

#[test]
fn a_topic_that_no_write_holds_is_written_in_parts() {
    let long = "x".repeat(3_900);
    let rows: Vec<_> = (0..2_000).map(|at| format!("gdp,CN.{at},o,2020,1,{long}")).collect();
    let content = format!("indicator,region,source,period,value,note\n{}\n", rows.join("\n"));
    let input = Input {
        text: source::from_bytes("a.csv".to_owned(), content.into_bytes(), None, None).unwrap(),
        mapping: toml::from_str(MAPPING).unwrap(),
        directory: PathBuf::new(),
    };
    let options = Options { mode: WriteMode::Merge, create_missing: true, include_changes: false };
    let import = Import::prepare(vec![input], Names::default(), options).unwrap();
    let steps = Steps::new(import, Order::Period, None, None);
    let parts: Vec<_> = steps.steps().iter().map(|step| (step.part, step.parts)).collect();
    assert_eq!(parts, [(0, 3), (1, 3), (2, 3)]);
    assert_eq!(steps.steps().iter().map(Step::figures).sum::<usize>(), 2_000);
    for step in steps.steps() {
        let request = v1::WriteObservationsRequest { changes: steps.changes(step), ..Default::default() };
        assert!(request.encoded_len() < 4_000_000);
    }
}

#[test]
fn what_the_service_refuses_is_told_by_line() {
    let mut steps = steps(&[("", &["US,2020,1,", "CN,2021,1,", "CN,2020,1,"])], Order::Period);
    let violation = |field: &str| Violation { field: field.to_owned(), description: "no".to_owned(), reason: None };
    let refusal = |fields: &[&str]| Error::Rpc {
        code: Code::InvalidArgument,
        reason: None,
        message: String::new(),
        violations: fields.iter().map(|field| violation(field)).collect(),
        retry_after: None,
    };
    let step = steps.steps()[0].clone();
    assert_eq!(steps.take_refusal(&step, &refusal(&["changes[1].period", "mode", "changes[2].period"])), 1);
    let reject = &steps.import().files()[0].rejects()[0];
    assert_eq!((reject.line, &*reject.field), (4, "period"), "the second series that the file names");
    assert_eq!(steps.take_refusal(&step, &refusal(&["request_id"])), 0);
}

/// Rows of a file: any regions, periods of several frequencies, and moments.
fn rows() -> impl Strategy<Value = Vec<String>> {
    let region = prop::sample::select(vec!["CN", "US", "FR"]);
    let period = prop::sample::select(vec!["2019", "2020", "2020-S1", "2020-Q1", "2020-01", "2020-W01", "2020-01-01", "2020-Q2"]);
    let published = prop::sample::select(vec!["", "2021-01-01", "2021-01-02", "2022-01-01"]);
    let row =
        (region, period, 0..3_u32, published).prop_map(|(region, period, value, at)| format!("{region},{period},{value},{at}"));
    prop::collection::vec(row, 0..20)
}

fn files() -> impl Strategy<Value = Vec<(&'static str, Vec<String>)>> {
    prop::collection::vec((prop::sample::select(vec!["", "2021-01-01", "2021-06-01"]), rows()), 1..4)
}

type Cell = (String, String);

/// What each step writes, as cells with values.
fn written(steps: &Steps) -> Vec<Vec<(Cell, String)>> {
    let cell = |it: Observation| ((it.series.unwrap().region, it.period), format!("{} {:?}", it.value, it.published_at));
    steps.steps().iter().map(|step| steps.changes(step).into_iter().map(cell).collect()).collect()
}

proptest! {
    #[test]
    fn every_figure_is_in_one_step_and_every_cell_once_in_a_step(files in files(), vintages in any::<bool>()) {
        let lines: Vec<Vec<&str>> = files.iter().map(|(_, rows)| rows.iter().map(String::as_str).collect()).collect();
        let files: Vec<_> = files.iter().zip(&lines).map(|((at, _), rows)| (*at, rows.as_slice())).collect();
        let steps = steps(&files, if vintages { Order::Vintage } else { Order::Period });
        let mut places = steps.places.clone();
        places.sort_unstable();
        let all = steps.import.files.iter().enumerate();
        let all: Vec<_> =
            all.flat_map(|(file, it)| (0..it.batches.figures.len()).map(move |figure| Place { file, figure })).collect();
        prop_assert_eq!(places, all, "each figure of the import once");
        let mut end = 0;
        for step in steps.steps() {
            prop_assert!(step.places.start == end && step.figures() > 0, "steps follow each other without a gap");
            end = step.places.end;
        }
        prop_assert_eq!(end, steps.figures());
        for step in written(&steps) {
            let cells: BTreeSet<_> = step.iter().map(|(cell, _)| cell).collect();
            prop_assert_eq!(cells.len(), step.len());
        }
    }

    #[test]
    fn steps_are_in_their_order_and_a_cell_has_its_editions_in_the_same_order_either_way(files in files()) {
        let lines: Vec<Vec<&str>> = files.iter().map(|(_, rows)| rows.iter().map(String::as_str).collect()).collect();
        let files: Vec<_> = files.iter().zip(&lines).map(|((at, _), rows)| (*at, rows.as_slice())).collect();
        let (periods, vintages) = (steps(&files, Order::Period), steps(&files, Order::Vintage));
        let keys: Vec<_> = periods.steps().iter().map(|step| match step.topic {
            Topic::Period { period, edition } => (period.end(), std::cmp::Reverse(period.frequency()), edition),
            Topic::Vintage { .. } => panic!("a period"),
        }).collect();
        prop_assert!(keys.is_sorted_by(|a, b| a < b), "{:?}", keys);
        let keys: Vec<_> = vintages.steps().iter().map(|step| match step.topic {
            Topic::Vintage { published_at, file } => vintage(published_at, file),
            Topic::Period { .. } => panic!("a vintage"),
        }).collect();
        prop_assert!(keys.is_sorted_by(|a, b| a < b));
        let history = |steps: &Steps| {
            let mut history: BTreeMap<Cell, Vec<String>> = BTreeMap::new();
            written(steps).into_iter().flatten().for_each(|(cell, value)| history.entry(cell).or_default().push(value));
            history
        };
        prop_assert_eq!(history(&periods), history(&vintages));
    }
}
