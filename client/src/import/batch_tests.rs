use indicator_proto::SeriesKey;

use super::*;
use crate::import::{mapping::Mapping, rows, source};

/// Reads a canonical text whose regions are taken as ids.
fn batches(content: &str, mode: WriteMode) -> (Batches, Vec<Reject>) {
    let text = source::from_bytes("sample.csv".to_owned(), content.as_bytes().to_vec(), None, None).unwrap();
    let mut rows = rows::read(&text, &Mapping::default(), true).unwrap();
    let mut resolved = Resolved::default();
    for key in &rows.keys {
        let key = SeriesKey { indicator: key.indicator.clone(), region: key.region.clone(), ..SeriesKey::default() };
        let known = resolved.series.iter().position(|series| series.key == key).unwrap_or_else(|| {
            resolved.series.push(Series { is_new: key.region == "NEW", key });
            resolved.series.len() - 1
        });
        resolved.slots.push(Ok(known as u32));
    }
    let batches = Batches::new(&mut rows, resolved, mode, Size::ORDINARY);
    (batches, rows.rejects)
}

fn file(rows: &[&str]) -> String {
    format!("indicator,source,region,period,value,published_at\n{}\n", rows.join("\n"))
}

/// A batch as "region period value".
fn told(batches: &Batches, batch: usize) -> Vec<String> {
    let mut told = Vec::new();
    for series in batches.message(batch).series {
        let region = series.series.unwrap().region;
        told.extend(series.observations.iter().map(|it| format!("{region} {} {}", it.period, it.value)));
    }
    told
}

#[test]
fn figures_are_sent_by_series_and_period_whatever_their_order() {
    let (batches, rejects) = batches(&file(&["gdp,o,CN,2021,2,", "gdp,o,US,2020,3,", "gdp,o,CN,2020,1,"]), WriteMode::Merge);
    assert!(rejects.is_empty());
    assert_eq!(told(&batches, 0), ["CN 2020 1", "CN 2021 2", "US 2020 3"]);
    assert_eq!(batches.figure(0, 1, Some(0)).unwrap().line, 3);
    assert_eq!(batches.figure(0, 2, None), None);
}

#[test]
fn the_same_cell_twice_is_rejected_with_both_lines() {
    let (batches, rejects) =
        batches(&file(&["gdp,o,CN,2020,1,", "gdp,o,US,2020,1,", "gdp,o,CN,2020,1,", "gdp,o,CN,2020-A1,2,"]), WriteMode::Merge);
    assert_eq!(told(&batches, 0), ["CN 2020 1", "US 2020 1"]);
    let told: Vec<_> = rejects.iter().map(|reject| (reject.line, reject.problem.to_string())).collect();
    assert_eq!(told, [(4, "the same cell as on line 2".to_owned()), (5, "the same cell as on line 2".to_owned())]);
}

#[test]
fn editions_of_a_cell_go_into_batches_of_their_own_in_order_of_publication() {
    let rows = ["gdp,o,CN,2020,2,2022-01-01", "gdp,o,CN,2020,1,2021-01-01", "gdp,o,CN,2021,5,2022-01-01"];
    let (merged, rejects) = batches(&file(&rows), WriteMode::Merge);
    assert!(rejects.is_empty());
    assert_eq!(told(&merged, 0), ["CN 2020 1", "CN 2021 5"]);
    assert_eq!(told(&merged, 1), ["CN 2020 2"]);
    let (_, rejects) = batches(&file(&rows), WriteMode::Replace);
    let told: Vec<_> = rejects.iter().map(|reject| (reject.line, reject.problem.to_string())).collect();
    let why = "another edition of the cell on line 3; one edition replaces a series, so put each into a file of its own";
    assert_eq!(told, [(2, why.to_owned())]);
}

#[test]
fn a_batch_ends_where_it_is_full_but_a_replaced_series_stays_whole() {
    let day = |region: &str, at: usize| {
        let period = indicator_proto::Period::from_ordinal(indicator_proto::Frequency::Daily, at as i32).unwrap();
        format!("gdp,o,{region},{period},1,")
    };
    let rows: Vec<_> = (0..30_000).map(|at| day("CN", at)).chain((0..30_000).map(|at| day("US", at))).collect();
    let rows: Vec<_> = rows.iter().map(String::as_str).collect();
    let sizes = |mode| {
        let (batches, rejects) = batches(&file(&rows), mode);
        assert!(rejects.is_empty());
        (0..batches.len()).map(|batch| batches.figures_of(batch).len()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(WriteMode::Merge), [50_000, 10_000]);
    assert_eq!(sizes(WriteMode::Replace), [30_000, 30_000]);
}

#[test]
fn long_texts_make_batches_smaller() {
    let long = "x".repeat(3_900);
    let rows: Vec<_> = (1..2000).map(|year| format!("gdp,CN,o,{year:04},1,{long}")).collect();
    let content = format!("indicator,region,source,period,value,note\n{}\n", rows.join("\n"));
    let (batches, _) = batches(&content, WriteMode::Merge);
    assert_eq!(batches.len(), 3);
    for batch in 0..batches.len() {
        assert!(prost::Message::encoded_len(&batches.message(batch)) < 4_000_000);
    }
}

#[test]
fn figures_of_series_to_be_created_are_known_to_be_insertions() {
    let (mut batches, _) = batches(&file(&["gdp,o,CN,2020,1,", "gdp,o,NEW,2020,1,", "gdp,o,NEW,2021,1,"]), WriteMode::Merge);
    assert_eq!(batches.insertions().count(), 2);
    assert_eq!(batches.drop_new(), 2);
    assert_eq!(told(&batches, 0), ["CN 2020 1"]);
}
