use super::*;
use crate::engine::analysis::samples::Sample;

fn query(rows: Rows, period: &str) -> CompareQuery {
    CompareQuery {
        rows,
        indicators: vec!["gdp".into(), "population".into()],
        dimensions: BTreeMap::new(),
        sources: Sources::Preferred,
        period: (!period.is_empty()).then(|| period.parse().unwrap()),
    }
}

fn named(ids: &[&str]) -> Rows {
    Rows::Named(ids.iter().map(|id| (*id).to_owned()).collect())
}

fn provinces() -> Rows {
    Rows::Selected(Regions { level: "province".into(), under: "CN".into() })
}

fn told(sample: &Sample, query: &CompareQuery) -> Vec<String> {
    let table = sample.engine.reading(sample.now()).compare(query, 1_000).unwrap();
    let cell = |point: &Option<Arc<Point>>| match point.as_ref().map(|point| (point, point.estimate())) {
        None => "-".to_owned(),
        Some((point, None)) => format!("none@{}", point.period()),
        Some((point, Some(estimate))) => format!("{}@{}", estimate.place().unwrap(), point.period()),
    };
    let row = |row: &CompareRow| format!("{} {}", row.region, row.cells.iter().map(cell).collect::<Vec<_>>().join(" "));
    table.rows.iter().map(row).collect()
}

async fn sample() -> Sample {
    let sample = Sample::new().await;
    let cells = [("CN-SD", "2020", "5"), ("CN-SD", "2021", "-"), ("CN-GD", "2021", "7"), ("CN-ZJ", "2021", "-")];
    sample.put("gdp", "a", &cells).await;
    sample.put("population", "b", &[("CN-GD", "2020", "100")]).await;
    sample.put("population", "a", &[("CN-SD", "2020", "90")]).await;
    sample
}

#[tokio::test]
async fn a_cell_is_the_latest_figure_or_why_there_has_never_been_one() {
    let sample = sample().await;
    assert_eq!(
        told(&sample, &query(provinces(), "")),
        ["CN-GD 7@2021 100@2020", "CN-JS - -", "CN-SD 5@2020 90@2020", "CN-ZJ none@2021 -"]
    );
    assert_eq!(told(&sample, &query(named(&["CN-SD", "CN-GD"]), "2021")), ["CN-SD none@2021 -", "CN-GD 7@2021 -"], "as asked");
}

#[tokio::test]
async fn a_column_tells_how_much_is_in_it_and_what_is_mixed() {
    let sample = sample().await;
    let table = sample.engine.reading(sample.now()).compare(&query(provinces(), ""), 1_000).unwrap();
    let column = |column: &CompareColumn| {
        let periods: Vec<String> = column.periods.iter().map(ToString::to_string).collect();
        let sources: Vec<String> = column.sources.iter().cloned().collect();
        (column.unit.clone(), periods.join(" "), sources.join(" "), column.coverage.reported, column.coverage.expected)
    };
    let text = str::to_owned;
    assert_eq!(column(&table.columns[0]), (text("CNY"), text("2020 2021"), text("a"), 2, 4));
    assert_eq!(column(&table.columns[1]), (text("{person}"), text("2020"), text("a b"), 2, 4));
}

#[tokio::test]
async fn rows_are_regions_that_existed_in_the_period() {
    let sample = sample().await;
    sample.lived("CN-ZJ", "CN", "", "2020-12-31").await;
    let regions = |period| -> Vec<String> {
        let rows = told(&sample, &query(provinces(), period));
        rows.iter().map(|row| row["CN-".len().."CN-SD".len()].to_owned()).collect()
    };
    assert_eq!(regions("2020"), ["GD", "JS", "SD", "ZJ"]);
    assert_eq!(regions("2021"), ["GD", "JS", "SD"]);
    assert_eq!(regions(""), ["GD", "JS", "SD"], "of the latest: those that exist");
    assert_eq!(told(&sample, &query(named(&["CN-ZJ"]), "2021")), ["CN-ZJ none@2021 -"], "one that is named is there");
}

#[tokio::test]
async fn a_table_of_too_many_cells_is_refused() {
    let sample = sample().await;
    let refused = sample.engine.reading(sample.now()).compare(&query(provinces(), ""), 7);
    assert!(matches!(refused, Err(Error::Invalid(violations)) if violations[0].reason == ErrorReason::RequestTooLarge));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let catalog = crate::engine::catalog::samples::catalog();
    let wrong = CompareQuery {
        indicators: vec!["5g-base-stations".into(), "nothing".into()],
        dimensions: [("sex".to_owned(), "F".to_owned())].into(),
        sources: Sources::Named(["nobody".to_owned()].into()),
        ..query(named(&["CN", "XX"]), "")
    };
    let fields: Vec<String> = wrong.check(catalog.at(1)).into_iter().map(|violation| violation.field).collect();
    assert_eq!(fields, ["indicators[1]", "sources[\"nobody\"]", "regions[1]", "dimensions[\"sex\"]"]);
}
