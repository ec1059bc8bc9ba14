//! Charts of each kind, as the page has them.

use indicator_proto::{
    Frequency, Period,
    words::{self, Language},
};
use rust_decimal::RoundingStrategy;

use crate::page::chart::{Chart, Kind, Line, Point, Role, Scale, Size, Value, scale::Measure};

pub(super) const WIDE: Size = Size { width: 960, height: 420 };
pub(super) const NARROW: Size = Size { width: 400, height: 300 };

pub(super) fn point(period: &str, value: Value) -> Point {
    let of = |value: f64| words::scaled(&value.to_string(), RoundingStrategy::MidpointNearestEven, Language::En).text;
    let words = match value {
        Value::Exact(value) => of(value),
        Value::Above(value) => format!("> {}", of(value)),
        Value::Below(value) => format!("< {}", of(value)),
        Value::Near(value) => format!("≈ {}", of(value)),
        Value::Between(lower, upper) => format!("{} – {}", of(lower), of(upper)),
        Value::Missing => "… (not available)".to_owned(),
    };
    Point { period: period.parse().unwrap(), value, provisional: false, break_before: false, words }
}

pub(super) fn line(label: &str, role: Role, points: Vec<Point>) -> Line {
    Line { label: label.to_owned(), role, points }
}

pub(super) fn chart(title: &str, unit: &str, lines: Vec<Line>) -> Chart {
    Chart {
        language: Language::En,
        title: title.to_owned(),
        unit: unit.to_owned(),
        lines,
        scale: Scale::Linear,
        kind: Kind::Auto,
        size: WIDE,
        id: "c".to_owned(),
    }
}

/// Exact figures of one year after another.
fn years(from: i32, values: &[f64]) -> Vec<Point> {
    (from..).zip(values).map(|(year, value)| point(&year.to_string(), Value::Exact(*value))).collect()
}

pub(super) fn gdp() -> Chart {
    let values = [3.19, 3.65, 3.93, 4.6, 5.29, 5.71, 6.25, 6.82, 7.45, 8.16, 8.99, 9.99, 10.8, 11.12, 12.47, 12.91, 13.57, 14.16];
    let mut points = years(2007, &values.map(|value| value * 1e12));
    for point in &mut points {
        let Value::Exact(value) = point.value else { continue };
        point.words = format!("{} trillion yuan", value / 1e12);
    }
    points[16].provisional = true;
    points[17].provisional = true;
    points[6].break_before = true;
    chart("Gross domestic product of Guangdong", "yuan", vec![line("Guangdong", Role::Main, points)])
}

pub(super) fn digital() -> Chart {
    let mut points = vec![
        point("2016", Value::Exact(1.9e12)),
        point("2017", Value::Near(2.3e12)),
        point("2018", Value::Above(3e12)),
        point("2019", Value::Exact(4.1e12)),
        point("2020", Value::Between(4.4e12, 5.2e12)),
        point("2021", Value::Below(5.9e12)),
        point("2022", Value::Missing),
        point("2023", Value::Exact(6.4e12)),
    ];
    points[2].words = "> 3 trillion yuan".to_owned();
    points[7].provisional = true;
    points[7].break_before = true;
    chart("Added value of the digital economy", "yuan", vec![line("Guangdong", Role::Main, points)])
}

/// The same as lines.
pub(super) fn bounds() -> Chart {
    Chart { kind: Kind::Line, ..digital() }
}

pub(super) fn compared() -> Chart {
    let of = |values: &[f64]| years(2010, &values.iter().map(|value| value * 1e4).collect::<Vec<_>>());
    let mut other = of(&[4.1, 4.9, 5.4, 6.0, 6.5, 7.0, 7.5, 8.1, 8.8, 9.4, 9.6, 10.9, 11.2]);
    other[6].value = Value::Missing;
    chart(
        "Gross domestic product a head",
        "yuan a person",
        vec![
            line("Guangdong", Role::Main, of(&[4.4, 5.1, 5.5, 6.0, 6.4, 6.8, 7.3, 8.0, 8.6, 9.2, 9.4, 10.5, 10.9])),
            line("Zhejiang", Role::Other(0), of(&[5.2, 6.0, 6.4, 6.9, 7.3, 7.7, 8.4, 9.2, 9.9, 10.6, 10.8, 11.9, 12.4])),
            line("Shandong <b>", Role::Other(1), other),
            line("Guizhou", Role::Other(2), of(&[1.3, 1.6, 1.9, 2.3, 2.6, 2.9, 3.3, 3.8, 4.2, 4.6, 4.8, 5.1, 5.2])),
        ],
    )
}

pub(super) fn vintages() -> Chart {
    let of = |by: f64, count: usize| {
        years(2010, &[100.0, 104.0, 111.0, 109.0, 120.0, 131.0, 128.0, 140.0, 151.0, 155.0, 160.0][..count])
            .into_iter()
            .map(|it| point(&it.period.to_string(), Value::Exact(it.value.ends(Measure::Linear).unwrap().0 * by)))
            .collect()
    };
    chart(
        "Base stations",
        "thousand",
        vec![
            line("today", Role::Main, of(1.0, 11)),
            line("as known in 2018", Role::Vintage(0), of(0.97, 8)),
            line("as known in 2015", Role::Vintage(1), of(0.92, 5)),
        ],
    )
}

pub(super) fn daily(count: i32) -> Chart {
    let mut points = Vec::new();
    let mut state: u32 = 7;
    let mut level = 100.0_f64;
    for day in 0..count {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        level *= 1.0 + (f64::from(state >> 16) / 65_536.0 - 0.495) * 0.03;
        let spike = if day == count * 3 / 5 { 2.0 } else { 1.0 };
        let gap = (count / 3..count / 3 + count / 20).contains(&day);
        let period = Period::from_ordinal(Frequency::Daily, 14_000 + day).unwrap();
        let value = if gap { Value::Missing } else { Value::Exact((level * spike * 100.0).round() / 100.0) };
        points.push(point(&period.to_string(), value));
    }
    chart("Index of share prices", "1 January 2008 = 100", vec![line("Index", Role::Main, points)])
}

pub(super) fn log() -> Chart {
    let values: Vec<f64> = (0..40).map(|year| 3.0 * 1.47_f64.powi(year)).collect();
    let mut chart = chart("Transistors of a processor", "transistors", vec![line("All", Role::Main, years(1981, &values))]);
    chart.lines[0].points[30].value = Value::Above(4e5);
    chart.lines[0].points[10].value = Value::Exact(-3.0);
    chart.scale = Scale::Log;
    chart
}

pub(super) fn quarters() -> Chart {
    let values = [2.1, 1.4, -0.8, -6.9, 1.2, 3.4, 4.9, 18.3, 7.9, 4.9, 4.0, 4.8, 0.4, 3.9];
    let points = (0..).zip(values).map(|(n, value)| {
        let period = Period::from_ordinal(Frequency::Quarterly, 2019 * 4 + n).unwrap();
        point(&period.to_string(), Value::Exact(value))
    });
    chart("Growth against the year before", "%", vec![line("Growth", Role::Main, points.collect())])
}

/// More lines than colours, whose ends are close together.
fn crowd() -> Chart {
    let of = |n: u8| years(2010, &[20.0, 30.0, 24.0, 32.0, 28.0].map(|value| value + f64::from(n * n) / 8.0));
    let other = |n: u8| line(&format!("Region number {n}"), Role::Other(n), of(n + 1));
    let mut lines = vec![line("The region itself", Role::Main, of(0))];
    lines.extend((0..8).map(other));
    chart("A crowd", "%", lines)
}

/// Figures of a few years, long ago and of late.
fn history() -> Chart {
    let years = [("1949", 12e4), ("1978", 53e4), ("2000", 70.6e4), ("2010", 104e4), ("2018", 126e4), ("2019", 127e4)];
    let points = years.map(|(year, value)| point(year, Value::Exact(value))).to_vec();
    chart("Inhabitants", "persons", vec![line("Guangdong", Role::Main, points)])
}

/// Small and great figures of weeks.
fn weeks(power: i32) -> Chart {
    let points = (0..30).map(|n| {
        let period = Period::from_ordinal(Frequency::Weekly, 2600 + n).unwrap();
        let value = f64::from(n * n + 400) * 10_f64.powi(power);
        point(&period.to_string(), if n % 7 == 3 { Value::Below(value) } else { Value::Exact(value) })
    });
    chart("Figures of weeks", "", vec![line("All", Role::Main, points.collect())])
}

/// Months of which none is known exactly.
fn lower_limits() -> Chart {
    let points = (0..150).map(|n| {
        let period = Period::from_ordinal(Frequency::Monthly, 2009 * 12 + n).unwrap();
        point(&period.to_string(), Value::Above(f64::from(n / 12) * 1e3 + 4e3))
    });
    chart("Charging stations", "stations", vec![line("All", Role::Main, points.collect())])
}

pub(super) fn empty() -> Chart {
    chart("Nothing yet", "yuan", vec![line("Guangdong", Role::Main, vec![point("2020", Value::Missing)])])
}

pub(super) fn all() -> Vec<(&'static str, Chart)> {
    let narrow = |chart: Chart| Chart { size: NARROW, ..chart };
    let chinese = |chart: Chart| Chart { language: Language::Zh, ..chart };
    let zh = |mut chart: Chart, title: &str, unit: &str, names: &[&str]| {
        (chart.title, chart.unit) = (title.to_owned(), unit.to_owned());
        for (line, name) in chart.lines.iter_mut().zip(names) {
            line.label = (*name).to_owned();
        }
        chinese(chart)
    };
    let compared_zh = || zh(compared(), "人均地区生产总值", "元/人", &["广东", "浙江", "山东", "贵州"]);
    let grouped = Chart { kind: Kind::Bars, ..compared() };
    let negative = Chart { kind: Kind::Bars, ..quarters() };
    let one = chart("One figure", "km", vec![line("Roads", Role::Main, vec![point("2021", Value::Above(9000.0))])]);
    vec![
        ("gdp", gdp()),
        ("gdp-narrow", narrow(gdp())),
        ("bars", digital()),
        ("bars-narrow", narrow(digital())),
        ("bars-zh", zh(digital(), "数字经济增加值", "元", &["广东"])),
        ("bounds", bounds()),
        ("bounds-narrow-zh", narrow(zh(bounds(), "数字经济增加值", "元", &["广东"]))),
        ("compared", compared()),
        ("compared-narrow", narrow(compared())),
        ("compared-zh", compared_zh()),
        ("grouped", grouped),
        ("vintages", vintages()),
        ("vintages-bars", Chart { kind: Kind::Bars, ..vintages() }),
        ("daily", daily(5000)),
        ("daily-narrow", narrow(daily(400))),
        ("daily-month", daily(45)),
        ("log", log()),
        ("log-narrow-zh", narrow(zh(log(), "晶体管", "个", &["全部"]))),
        ("negative", quarters()),
        ("negative-bars", negative),
        ("crowd", crowd()),
        ("crowd-narrow", narrow(crowd())),
        ("crowd-log", Chart { scale: Scale::Log, ..crowd() }),
        ("history", history()),
        ("history-line", Chart { kind: Kind::Line, ..history() }),
        ("small", weeks(-20)),
        ("great", weeks(24)),
        ("lower-limits", lower_limits()),
        ("one", one),
        ("empty", empty()),
    ]
}
