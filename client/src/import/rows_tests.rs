use encoding_rs::GBK;
use indicator_proto::v1::Bound;

use super::*;
use crate::import::source;

/// What a text says under a mapping: "region period value", and the rejects as "line field".
fn figures(content: &[u8], mapping: &str) -> (Vec<String>, Vec<String>) {
    let rows = rows(content, mapping);
    let figure = |figure: &Figure| {
        let value = figure.value.map_or("-".to_owned(), |value| value.to_string());
        format!("{} {} {value}", rows.keys[figure.key as usize].region, figure.period)
    };
    let reject = |reject: &Reject| match &reject.column {
        Some(column) => format!("{} {} {}", reject.line, column, reject.field),
        None => format!("{} {}", reject.line, reject.field),
    };
    (rows.figures.iter().map(figure).collect(), rows.rejects.iter().map(reject).collect())
}

fn rows(content: &[u8], mapping: &str) -> Rows {
    let mapping: Mapping = toml::from_str(mapping).unwrap();
    let text = source::from_bytes("sample_2024-10-20.csv".to_owned(), content.to_vec(), None, None).unwrap();
    read(&text, &mapping, true).unwrap()
}

fn problem(content: &str, mapping: &str) -> Error {
    let mapping: Mapping = toml::from_str(mapping).unwrap();
    let text = source::from_bytes("sample.csv".to_owned(), content.as_bytes().to_vec(), None, None).unwrap();
    read(&text, &mapping, true).unwrap_err()
}

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

const CONSTANTS: &str = "indicator.constant = \"gdp\"\nsource.constant = \"office\"\n";

#[test]
fn a_wide_file_of_a_statistical_office_is_read_whole() {
    let sample = "数据库：年度数据\r\n指标：产值(亿元)\r\n时间：最近3年\r\n地区,2022年,2021年,2020年\r\n甲省,,1.50,2\r\n乙省,,..,4.0\r\n\"注：按当年价格\r\n　　计算\"\r\n数据来源：统计局\r\n";
    let mapping = format!(
        "[read]\nheader_at = '地区'\nstop_at = '(注|数据来源).*'\n[numbers]\nfactor = \"100000000\"\n\
         [fields]\n{CONSTANTS}region.column = \"地区\"\nperiod.headers = '(\\d{{4}})年'\n"
    );
    let (bytes, ..) = GBK.encode(sample);
    let (figures, rejects) = figures(&bytes, &mapping);
    assert_eq!(figures, lines(&["甲省 2021 150000000", "甲省 2020 200000000", "乙省 2020 400000000"]));
    assert_eq!(rejects, lines(&[]), "the newest year is empty, which is no fault");
}

#[test]
fn a_transposed_file_has_regions_in_its_header_and_blanks_behind_its_figures() {
    let sample = "\"时间\",\"甲省\",\"乙省\"\n\"2003年\",\"5267 \",\"2258 \"\n\"2004年\",\"6252 \",\" \"\n";
    let mapping = format!(
        "[fields]\n{CONSTANTS}region.headers = '.+'\n\
         period = {{ column = \"时间\", rules = [{{ pattern = '(\\d{{4}})年', replace = '$1' }}] }}\n"
    );
    let (figures, rejects) = figures(sample.as_bytes(), &mapping);
    assert_eq!(figures, lines(&["甲省 2003 5267", "乙省 2003 2258", "甲省 2004 6252"]));
    assert_eq!(rejects, lines(&[]));
}

#[test]
fn six_spellings_of_a_quarter_are_told_and_one_without_its_year_is_rejected_by_line() {
    let sample = "\"年份/季度\",\"甲区（亿元）\",\"乙区（亿元）\",\"备注\"\n\"201902\",\"83.18\",\"39.45\",\"半年累计数\"\n\
        \"2021年第二季度\",\"98.51\",\"45.36\",\n\"2022年4季度\",\"240.77\",\"111.67\",\"全年\"\n\"2023年一季度\",\"43.84\",\"19.96\",\n\
        \"三季度\",\"198.93\",\"81.36\",\n\"2023\",\"253.98\",\"117.79\",\"第四季度\"";
    let mapping = format!(
        r#"[fields]
        {CONSTANTS}
        region.headers = '(.+)（亿元）'
        note.column = "备注"
        [fields.period]
        column = 1
        rules = [
            {{ pattern = '(\d{{4}})0([1-4])', replace = '$1-Q$2' }},
            {{ pattern = '(\d{{4}})年第?([1-4])季度', replace = '$1-Q$2' }},
            {{ pattern = '(\d{{4}})年第?一季度', replace = '$1-Q1' }},
            {{ pattern = '(\d{{4}})年第?二季度', replace = '$1-Q2' }},
            {{ pattern = '(\d{{4}})', replace = '$1-Q4' }},
        ]"#
    );
    let (bytes, ..) = GBK.encode(sample);
    let (figures, rejects) = figures(&bytes, &mapping);
    let expected = [
        "甲区 2019-Q2 83.18",
        "乙区 2019-Q2 39.45",
        "甲区 2021-Q2 98.51",
        "乙区 2021-Q2 45.36",
        "甲区 2022-Q4 240.77",
        "乙区 2022-Q4 111.67",
        "甲区 2023-Q1 43.84",
        "乙区 2023-Q1 19.96",
        "甲区 2023-Q4 253.98",
        "乙区 2023-Q4 117.79",
    ];
    assert_eq!(figures, lines(&expected));
    assert_eq!(rejects, lines(&["6 甲区（亿元） period", "6 乙区（亿元） period"]));
    assert_eq!(rows(&bytes, &mapping).details[0].note, "半年累计数");
}

#[test]
fn the_only_free_column_may_be_named_after_its_indicator() {
    let sample = "geo,time,cell_phones\nabw,1960,0\nabw,1965,\n";
    let mapping =
        "[fields]\nindicator.headers = '.+'\nregion.column = \"geo\"\nperiod.column = \"time\"\nsource.constant = \"itu\"\n";
    let rows = rows(sample.as_bytes(), mapping);
    assert_eq!(rows.keys[0].indicator, "cell_phones");
    assert_eq!((rows.figures.len(), rows.skipped), (1, 1));
}

#[test]
fn a_canonical_file_needs_no_mapping() {
    let sample = "indicator,region,source,period,dim.level,value,bound,lower,upper,missing,statuses,rounded_to,note,published_at\n\
        stations,CN-SD,media,2021-12-06,provincial,100000,greater-than,,,,provisional,1000,\" kept to the letter \",2021-12-06\n\
        stations,CN-SD,media,2022,,,,1,2,,,,,\nstations,CN-SD,media,2023,,,,,,not-collected,,,,\n";
    let rows = rows(sample.as_bytes(), "");
    assert!(rows.rejects.is_empty(), "{:?}", rows.rejects);
    assert_eq!(rows.keys[0].dimensions, [("level".to_owned(), "provincial".to_owned())]);
    assert!(rows.keys[1].dimensions.is_empty());
    let first = &rows.details[rows.figures[0].details as usize];
    assert_eq!((first.bound, first.note.as_str()), (Some(Bound::GreaterThan), " kept to the letter "));
    assert_eq!(first.published_at.unwrap().date_or_time().to_string(), "2021-12-06");
    assert!(rows.details[rows.figures[1].details as usize].interval.is_some());
    assert_eq!(rows.details[rows.figures[2].details as usize].missing, Some(MissingReason::NotCollected));
}

#[test]
fn every_fault_of_a_file_is_found_with_its_line() {
    let sample = "indicator,region,source,period,value,bound,missing,lower,upper\n\
        gdp,CN,office,2021-Q5,1,,,,\ngdp,CN,office,2021,1e999,,,,\ngdp,,office,2021,1,,,,\ngdp,CN,office,2021,1,odd,,,\n\
        gdp,CN,office,2021,1,,suppressed,,\ngdp,CN,office,2021,,,,2,1\ngdp,CN,office\ngdp,CN,office,2021,١٢,,,,\n\
        gdp,CN,office,2021,,>,,,\n,CN,office,today,none,,,,\n";
    let (figures, rejects) = figures(sample.as_bytes(), "");
    assert_eq!(figures, lines(&[]));
    let expected = [
        "2 period",
        "3 value",
        "4 region",
        "5 bound",
        "6 value",
        "7 lower",
        "8 row",
        "9 value",
        "10 bound",
        "11 value",
        "11 period",
        "11 indicator",
    ];
    assert_eq!(rejects, lines(&expected));
}

#[test]
fn a_marker_can_be_recorded_as_missing() {
    let sample = "region,period,value\nCN,2020,..\nCN,2021,1\n";
    let mapping = format!("[numbers]\nmissing_means = \"not-collected\"\n[fields]\n{CONSTANTS}");
    let rows = rows(sample.as_bytes(), &mapping);
    assert_eq!(rows.skipped, 0);
    assert_eq!(rows.details[rows.figures[0].details as usize].missing, Some(MissingReason::NotCollected));
    assert_eq!(rows.details[rows.figures[1].details as usize].missing, None);
}

#[test]
fn the_name_of_the_file_may_tell_when_it_was_published() {
    let mapping = format!("[fields]\n{CONSTANTS}published_at.file_name = '(\\d{{4}}-\\d{{2}}-\\d{{2}})'\n");
    let rows = rows(b"region,period,value\nCN,2020,1\n", &mapping);
    assert_eq!(rows.published_at.unwrap().to_string(), "2024-10-20T00:00:00Z");
    assert!(matches!(problem("region,period,value\nCN,2020,1\n", &mapping), Error::FileName { .. }));
}

#[test]
fn the_last_digit_written_can_be_the_rounding() {
    let mapping = format!("[numbers]\nfactor = \"10000\"\nrounded_as_written = true\n[fields]\n{CONSTANTS}");
    let rows = rows(b"region,period,value\nCN,2020,171\nCN,2021,171.5\nCN,2022,172\n", &mapping);
    let rounding = |at: usize| rows.details[rows.figures[at].details as usize].rounded_to.unwrap().to_string();
    assert_eq!([rounding(0), rounding(1), rounding(2)], ["10000", "1000", "10000"]);
}

#[test]
fn what_the_mapping_leaves_open_is_asked_for_with_the_columns() {
    let error = problem("geo,time,figure\nCN,2020,1\n", "").to_string();
    for expected in
        ["indicator", "the region", "the source", "the period", "the value", "geo, time, figure", "--indicator-column"]
    {
        assert!(error.contains(expected), "{expected} in {error}");
    }
    let both = "[fields]\nperiod.headers = '.+'\nvalue.column = \"figure\"\n";
    assert!(matches!(problem("geo,2020,figure\nCN,1,1\n", both), Error::ValueAndHeaders));
    let none = format!("[fields]\n{CONSTANTS}region.column = \"geo\"\nperiod.headers = '\\d{{4}}'\n");
    assert!(matches!(problem("geo,year\nCN,1\n", &none), Error::NoHeaderMatches { .. }));
}

#[test]
fn delimiters_at_the_end_of_every_line_are_no_cells() {
    let mapping = format!("[fields]\n{CONSTANTS}region.column = 1\nperiod.headers = '\\d{{4}}'\n");
    let (figures, rejects) = figures(b"\"geo\",\"2020\",\"2021\",\nCN,1,2,\nUS,3,4,,\n", &mapping);
    assert_eq!(figures, lines(&["CN 2020 1", "CN 2021 2", "US 2020 3", "US 2021 4"]));
    assert_eq!(rejects, lines(&[]));
}
