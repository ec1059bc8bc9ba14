//! The chart of an indicator, and what one can choose of it.

use std::collections::BTreeMap;

use indicator_proto::{
    Frequency, Period,
    words::{self, Language},
};
use maud::{Markup, html};

use super::{
    super::{
        address::{Address, Day, Indicator, Transform, frequency_tag},
        chart::{Chart, Kind, Line, Role, Scale, Size},
        names::Names,
        parts,
        points::point,
        reader::Figures,
    },
    data::Data,
    transform_words,
};

/// The drawing on wide screens, and on narrow ones, which show it with larger letters.
const WIDE: Size = Size { width: 960, height: 420 };
const NARROW: Size = Size { width: 400, height: 300 };
/// Earlier states to choose from, the newest ones.
const DATES: usize = 250;

/// The drawing, twice: each screen shows the one that fits it.
pub(super) fn plot(address: &Address, view: &Indicator, data: &Data, names: Names<'_>) -> Markup {
    let word = |en: &'static str, zh: &'static str| names.language.word(en, zh);
    let file = |suffix: &str| address.with_suffix(suffix);
    let name = names.subject(&view.indicator, &data.dimensions);
    html! {
        figure.plot id="plot" {
            figcaption {
                strong { (name) }
                @if view.transform != Transform::None { " · " (transform_words(view.transform, names.language)) }
                @if view.log { " · " (word("logarithmic", "对数坐标")) }
            }
            div.drawing.wide { (chart(view, data, names, "wide", WIDE).render()) }
            div.drawing.narrow { (chart(view, data, names, "narrow", NARROW).render()) }
            p.tooltip id="tooltip" hidden {}
            p.files {
                (word("Download", "下载")) ": "
                a href=(file("/figures.csv")) download { "CSV" } " "
                a href=(file("/figures.json")) download { "JSON" } " "
                a href=(file("/chart.svg")) download { "SVG" } " "
                button.png type="button" data-svg=(file("/chart.svg")) hidden { "PNG" }
            }
        }
    }
}

/// The drawing.
pub(super) fn chart(view: &Indicator, data: &Data, names: Names<'_>, id: &str, size: Size) -> Chart {
    let line = |label: String, role: Role, figures: &Figures| Line {
        label,
        role,
        points: gaps(figures.main_line().map(|(period, figure)| point(*period, figure, &view.indicator, names)).collect()),
    };
    let mut lines = Vec::new();
    for (i, (day, figures)) in data.vintages.iter().enumerate() {
        let day = words::period(day.period(), names.language);
        let label = names.language.word(format!("as of {day}"), format!("截至{day}"));
        lines.push(line(label, Role::Vintage(small(i)), figures));
    }
    for (i, (region, figures)) in data.others.iter().enumerate() {
        lines.push(line(names.region(region), Role::Other(small(i)), figures));
    }
    lines.push(line(names.region(&view.region), Role::Main, &data.shown));
    let unit = data.shown.latest().or(data.recorded.latest()).and_then(|(_, it)| names.unit_of(it, &view.indicator));
    let unit = unit.map_or_else(String::new, |unit| words::symbol(&unit, names.language));
    let transform = match view.transform {
        Transform::None => String::new(),
        transform => format!(" · {}", transform_words(transform, names.language)),
    };
    Chart {
        language: names.language,
        title: format!("{} – {}{transform}", names.subject(&view.indicator, &data.dimensions), names.region(&view.region)),
        unit,
        lines,
        scale: if view.log { Scale::Log } else { Scale::Linear },
        kind: Kind::Auto,
        size,
        id: id.to_owned(),
    }
}

fn small(i: usize) -> u8 {
    u8::try_from(i).unwrap_or(u8::MAX)
}

/// Periods without a figure between two that have one are gaps. Of daily figures only those that are recorded as missing are: many
/// are of working days, or of the days on which somebody spoke.
fn gaps(points: Vec<super::super::chart::Point>) -> Vec<super::super::chart::Point> {
    use super::super::chart::{Point, Value};
    let mut filled: Vec<Point> = Vec::with_capacity(points.len());
    for point in points {
        if let Some(last) = filled.last()
            && point.period.frequency() != Frequency::Daily
            && let Some(next) = last.period.succ().filter(|next| *next < point.period)
        {
            // One mark is enough to part the line.
            filled.push(Point {
                period: next,
                value: Value::Missing,
                provisional: false,
                break_before: false,
                words: String::new(),
            });
        }
        filled.push(point);
    }
    filled
}

/// What one can choose.
pub(super) fn controls(address: &Address, view: &Indicator, data: &Data, names: Names<'_>) -> Markup {
    let language = names.language;
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    let text = |period: Option<Period>| period.map(|period| period.to_string()).unwrap_or_default();
    html! {
        form.controls id="controls" action=(address.path()) method="get" {
            label {
                span { (word("Show", "显示")) }
                select name="transform" {
                    @for transform in Transform::ALL {
                        option value=(transform.tag()) selected[view.transform == transform] { (transform_words(transform, language)) }
                    }
                }
            }
            label {
                span { (word("Scale", "坐标")) }
                select name="scale" {
                    option value="" { (word("Linear", "线性")) }
                    option value="log" selected[view.log] { (word("Logarithmic", "对数")) }
                }
            }
            @if data.frequencies.len() > 1 || view.frequency.is_some() {
                label {
                    span { (word("Frequency", "频率")) }
                    select name="frequency" {
                        option value="" { (word("That of the latest", "与最新数据相同")) }
                        @for frequency in &data.frequencies {
                            option value=(frequency_tag(*frequency)) selected[view.frequency == Some(*frequency)] { (frequency_words(*frequency, language)) }
                        }
                    }
                }
            }
            label { span { (word("From", "起始")) } input type="text" name="from" value=(text(view.from)) size="8" placeholder="1990" autocomplete="off"; }
            label { span { (word("To", "截止")) } input type="text" name="to" value=(text(view.to)) size="8" placeholder="2020-Q4" autocomplete="off"; }
            label {
                span { (word("Compare with", "对比地区")) }
                input type="text" name="with" value=(view.with.join(", ")) size="16" placeholder=(word("CN-JS, Zhejiang", "江苏，CN-ZJ")) autocomplete="off"
                    aria-describedby=[(!data.unknown.is_empty()).then_some("unknown-regions")];
            }
            @if data.choices.len() > 1 { (breakdown(data, names)) }
            @if data.by_source.len() > 1 || view.source.is_some() {
                label {
                    span { (word("Source", "来源")) }
                    select name="source" {
                        option value="" { (word("Preferred", "首选来源")) }
                        @for source in data.by_source.iter().filter_map(|it| it.series.as_ref()).map(|series| &series.source) {
                            option value=(source) selected[view.source.as_ref() == Some(source)] { (names.source(source)) }
                        }
                    }
                }
            }
            @if data.dates.len() > 1 { (travel(address, view, data, language)) }
            (parts::manner_fields(&address.in_manner(|manner| if data.dates.len() > 1 { manner.as_of = None; })))
            button type="submit" { (word("Apply", "应用")) }
            @if !data.unknown.is_empty() {
                p.wrong id="unknown-regions" role="alert" {
                    (word("No region is called: ", "没有这些地区：")) (data.unknown.join(word(", ", "，")))
                }
            }
        }
    }
}

/// Going back in time, and laying earlier states beside that of now.
fn travel(address: &Address, view: &Indicator, data: &Data, language: Language) -> Markup {
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    let dates: Vec<Day> = data.dates.iter().rev().take(DATES).copied().collect();
    let chosen = address.manner.as_of;
    html! {
        label.travel {
            span { (word("As known on", "截至")) }
            select.dates name="as_of" {
                option value="" { (word("Now", "现在")) }
                @if let Some(day) = chosen.filter(|day| !dates.contains(day)) {
                    option value=(day) selected { (words::period(day.period(), language)) }
                }
                @for day in &dates {
                    option value=(day) selected[chosen == Some(*day)] { (words::period(day.period(), language)) }
                }
            }
        }
        details.overlay open[!view.vintages.is_empty()] {
            summary { (word("Lay earlier states beside it", "叠加历史版本")) }
            div.choices {
                @for day in view.vintages.iter().filter(|day| !dates.contains(day)) {
                    label { input type="checkbox" name="vintages" value=(day) checked; " " (words::period(day.period(), language)) }
                }
                @for day in &dates {
                    label { input type="checkbox" name="vintages" value=(day) checked[view.vintages.contains(day)]; " " (words::period(day.period(), language)) }
                }
            }
        }
    }
}

/// The breakdowns that there are, one choice each dimension.
fn breakdown(data: &Data, names: Names<'_>) -> Markup {
    let mut dimensions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (dimension, code) in data.choices.iter().flatten() {
        let codes = dimensions.entry(dimension).or_default();
        if !codes.contains(&code.as_str()) {
            codes.push(code);
        }
    }
    let whole = names.language.word("not broken down", "不分组");
    html! {
        @for (dimension, codes) in dimensions {
            @let chosen = data.dimensions.get(dimension);
            label {
                span { (names.dimension(dimension)) }
                select name={ "dim." (dimension) } {
                    @if data.choices.iter().any(|choice| !choice.contains_key(dimension)) { option value="" { (whole) } }
                    @for code in codes {
                        @let of = BTreeMap::from([(dimension.to_owned(), code.to_owned())]);
                        option value=(code) selected[chosen.is_some_and(|chosen| chosen == code)] { (names.codes(&of)) }
                    }
                }
            }
        }
    }
}

fn frequency_words(frequency: Frequency, language: Language) -> &'static str {
    match frequency {
        Frequency::Annual => language.word("Years", "年"),
        Frequency::HalfYearly => language.word("Half years", "半年"),
        Frequency::Trimestrial => language.word("Four months", "四个月"),
        Frequency::Quarterly => language.word("Quarters", "季"),
        Frequency::Monthly => language.word("Months", "月"),
        Frequency::Weekly => language.word("Weeks", "周"),
        Frequency::Daily => language.word("Days", "日"),
    }
}
