use indicator_proto::v1;

use super::*;
use crate::engine::{
    analysis::samples::Sample,
    catalog::samples::{catalog, indicator, strings},
};

fn selection(level: &str, under: &str) -> RegionSelection {
    RegionSelection {
        indicator: "gdp".into(),
        regions: Regions { level: level.into(), under: under.into() },
        ..RegionSelection::default()
    }
}

fn of(period: &str) -> Periods {
    Periods::One(period.parse().unwrap())
}

/// Each cross-section: its period, the figures by region, and who has none.
fn sections(sample: &Sample, selection: &RegionSelection) -> Vec<String> {
    let reading = sample.engine.reading(sample.now());
    let figures = reading.region_figures(selection).unwrap();
    let told = |section: CrossSection<'_>| {
        let figure = |point: &Arc<Point>| {
            let at = section.period.map_or_else(|| format!("@{}", point.period()), |_| String::new());
            format!("{}={}{at}", point.key.region, point.estimate().unwrap().place().unwrap())
        };
        let figures: Vec<String> = section.figures.iter().map(figure).collect();
        let period = section.period.map_or_else(String::new, |period| format!("{period}: "));
        format!("{period}{} without {}", figures.join(" "), section.without.join(" "))
    };
    figures.cross_sections().into_iter().map(told).collect()
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let wrong = RegionSelection {
        indicator: "5g-base-stations".into(),
        regions: Regions { level: "provinec".into(), under: "XX".into() },
        dimensions: [("sex".to_owned(), "F".to_owned())].into(),
        sources: Sources::Named(["nobody".to_owned()].into()),
        periods: Periods::Latest,
        steps: vec![Step::PerUnit { indicator: "people".into(), multiple: 1.into() }],
    };
    let fields: Vec<String> = wrong.check(catalog().at(1)).into_iter().map(|violation| violation.field).collect();
    assert_eq!(
        fields,
        [
            "selection.under",
            "selection.level",
            "selection.dimensions[\"sex\"]",
            "selection.sources[\"nobody\"]",
            "selection.transforms[0].per_unit.indicator"
        ]
    );
}

#[test]
fn a_level_or_a_region_above_is_required() {
    let fields = |selection: RegionSelection| -> Vec<(String, ErrorReason)> {
        selection.check(catalog().at(1)).into_iter().map(|v| (v.field, v.reason)).collect()
    };
    assert_eq!(
        fields(RegionSelection::default()),
        [("selection.indicator".to_owned(), ErrorReason::Required), ("selection.level".to_owned(), ErrorReason::Required)]
    );
    let population = |level: &str, under: &str| RegionSelection { indicator: "population".into(), ..selection(level, under) };
    assert_eq!(fields(population("province", "")), []);
    assert_eq!(fields(population("", "CN")), []);
}

#[test]
fn an_indicator_that_is_always_broken_down_needs_a_code() {
    let mut catalog = catalog();
    let broken_down = v1::Indicator { dimensions: strings(&["sex"]), ..indicator("population", "{station}") };
    catalog.record(2, v1::EntryKind::Indicator, "population", Some(broken_down.into()));
    let mut population = RegionSelection { indicator: "population".into(), ..selection("province", "") };
    let first = |selection: &RegionSelection| selection.check(catalog.at(2)).first().map(|v| (v.field.clone(), v.reason));
    assert_eq!(first(&population), Some(("selection.dimensions[\"sex\"]".into(), ErrorReason::Required)));
    population.dimensions.insert("sex".into(), "X".into());
    assert_eq!(first(&population), Some(("selection.dimensions[\"sex\"]".into(), ErrorReason::UnknownCode)));
    population.dimensions.insert("sex".into(), "F".into());
    assert_eq!(first(&population), None);
}

#[test]
fn regions_are_those_below_at_a_level_or_directly() {
    let catalog = catalog();
    let ids = |level: &str, under: &str| -> Vec<&str> {
        let regions = Regions { level: level.into(), under: under.into() };
        regions.of(catalog.at(1)).iter().map(|region| region.id.as_str()).collect()
    };
    assert_eq!(ids("", "CN"), ["CN-GD", "CN-SD"]);
    assert_eq!(ids("province", ""), ["CN-GD", "CN-SD"]);
    assert_eq!(ids("prefecture", "CN"), ["CN-SD.3710"]);
    assert_eq!(ids("prefecture", "CN-GD"), [""; 0]);
    assert_eq!(ids("province", "CN-SD"), [""; 0]);
}

#[tokio::test]
async fn the_latest_of_a_region_is_the_latest_that_is_a_figure() {
    let sample = Sample::new().await;
    let cells = [("CN-SD", "2020", "5"), ("CN-SD", "2021", "-"), ("CN-GD", "2021", ">7"), ("CN-GD", "2020-Q4", "2")];
    sample.put("gdp", "a", &cells).await;
    sample.put("gdp", "b", &[("CN-SD", "2019", "4"), ("CN-ZJ", "2021", "-")]).await;
    assert_eq!(sections(&sample, &selection("", "CN")), ["CN-GD=7@2021 CN-SD=5@2020 without CN-JS CN-ZJ"]);
}

#[tokio::test]
async fn there_is_a_cross_section_for_each_period_that_anybody_has_a_figure_for() {
    let sample = Sample::new().await;
    let cells =
        [("CN-SD", "2020", "5"), ("CN-SD", "2021", "-"), ("CN-GD", "2022", "7"), ("CN-GD", "2020-Q4", "2"), ("CN", "2019", "9")];
    sample.put("gdp", "a", &cells).await;
    let mut provinces = selection("province", "");
    provinces.periods = Periods::Within { start: None, end: None, frequency: None };
    let (in_2020, in_2022) = ("2020: CN-SD=5 without CN-GD CN-JS CN-ZJ", "2022: CN-GD=7 without CN-JS CN-SD CN-ZJ");
    assert_eq!(sections(&sample, &provinces), [in_2020, in_2022, "2020-Q4: CN-GD=2 without CN-JS CN-SD CN-ZJ"]);
    provinces.periods =
        Periods::Within { start: Some("2020-02-01".parse().unwrap()), end: None, frequency: Some(Frequency::Annual) };
    assert_eq!(sections(&sample, &provinces), [in_2022]);
    // One period is answered whoever has a figure.
    provinces.periods = of("2023");
    assert_eq!(sections(&sample, &provinces), ["2023:  without CN-GD CN-JS CN-SD CN-ZJ"]);
}

#[tokio::test]
async fn a_region_is_expected_in_the_periods_in_which_it_existed() {
    let sample = Sample::new().await;
    sample.lived("CN-SD.3712", "CN-SD", "1992-11-30", "2019-01-08").await;
    sample.put("gdp", "a", &[("CN-SD.3712", "2018", "1"), ("CN-SD.3712", "2020", "2"), ("CN-SD.3710", "2018", "3")]).await;
    let mut prefectures = selection("", "CN-SD");
    let without = |periods, selection: &mut RegionSelection| {
        selection.periods = periods;
        sections(&sample, selection).remove(0)
    };
    assert_eq!(without(of("1991"), &mut prefectures), "1991:  without CN-SD.3701 CN-SD.3710");
    assert_eq!(without(of("1992"), &mut prefectures), "1992:  without CN-SD.3701 CN-SD.3710 CN-SD.3712");
    assert_eq!(without(of("2018"), &mut prefectures), "2018: CN-SD.3710=3 CN-SD.3712=1 without CN-SD.3701");
    assert_eq!(without(of("2019-Q2"), &mut prefectures), "2019-Q2:  without CN-SD.3701 CN-SD.3710");
    // A figure of a region that did not exist has no place, and makes no period.
    prefectures.periods = Periods::Within { start: Some("2019-01-01".parse().unwrap()), end: None, frequency: None };
    assert_eq!(sections(&sample, &prefectures), [""; 0]);
    assert_eq!(without(Periods::Latest, &mut prefectures), "CN-SD.3710=3@2018 without CN-SD.3701");
}

#[tokio::test]
async fn what_existed_at_an_earlier_publication_is_expected_in_its_latest() {
    let sample = Sample::new().await;
    sample.lived("CN-SD.3712", "CN-SD", "", "2019-01-08").await;
    let then = Some("2018-06-01".parse().unwrap());
    let moment = sample.engine.moment(None, None, then).unwrap();
    let reading = sample.engine.reading(moment);
    let figures = reading.region_figures(&selection("", "CN-SD")).unwrap();
    assert_eq!(figures.cross_sections()[0].without, ["CN-SD.3701", "CN-SD.3710", "CN-SD.3712"]);
}
