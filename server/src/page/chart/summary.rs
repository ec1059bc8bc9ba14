//! A chart in words, for those who do not see it.

use indicator_proto::words::{self, Language};

use super::{
    Chart, Line, Point, Value,
    frame::{is_bars, measure},
    scale::Measure,
    text::clean,
};

/// Lines that are told; a table tells the rest.
const MOST_LINES: usize = 8;

/// Periods that are named of those with something to say.
const MOST_PERIODS: usize = 5;

pub(super) fn of(chart: &Chart) -> String {
    let language = chart.language;
    let measure = measure(chart);
    let mut sentences = vec![opening(chart, measure)];
    let several = chart.lines.len() > 1;
    for line in chart.lines.iter().take(MOST_LINES) {
        sentences.push(told(line, measure, several, language));
    }
    let rest = chart.lines.len().saturating_sub(MOST_LINES);
    if rest > 0 {
        sentences.push(language.word(format!("{rest} more lines."), format!("另有 {rest} 条线。")));
    }
    sentences.join(language.word(" ", ""))
}

fn opening(chart: &Chart, measure: Measure) -> String {
    let language = chart.language;
    let kind = if is_bars(chart) { language.word("Bar chart", "柱形图") } else { language.word("Line chart", "折线图") };
    let mut text = kind.to_owned();
    let unit = clean(&chart.unit);
    if !unit.is_empty() {
        text.push_str(&language.word(format!(" in {unit}"), format!("，单位：{unit}")));
    }
    if measure == Measure::Log {
        text.push_str(language.word(", on a logarithmic scale", "，对数刻度"));
    }
    text.push_str(language.word(".", "。"));
    text
}

fn told(line: &Line, measure: Measure, several: bool, language: Language) -> String {
    let mut parts = Vec::new();
    if several {
        parts.push(clean(&line.label));
    }
    let drawn: Vec<(&Point, (f64, f64))> =
        line.points.iter().filter_map(|point| Some((point, point.value.ends(measure)?))).collect();
    let (Some((first, _)), Some((last, _))) = (drawn.first(), drawn.last()) else {
        parts.push(language.word("no figures", "没有数据").to_owned());
        return closed(&parts, several, language);
    };
    let figure = |point: &Point| {
        let (period, figure) = (words::period(point.period, language), clean(&point.words));
        language.word(format!("{figure} in {period}"), format!("{period} {figure}"))
    };
    let named = |en: &str, zh: &str, point: &Point| match language {
        Language::En => format!("{en} {}", figure(point)),
        Language::Zh => format!("{zh}{}", figure(point)),
    };
    if drawn.len() == 1 {
        parts.push(named("only", "仅有", first));
    } else {
        let count = drawn.len();
        parts.push(language.word(format!("{count} figures"), format!("{count} 个数据")));
        parts.push(named("first", "首个：", first));
        parts.push(named("last", "最新：", last));
        let greatest = drawn.iter().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
        let least = drawn.iter().min_by(|a, b| a.1.0.total_cmp(&b.1.0));
        if let (Some((greatest, _)), Some((least, _))) = (greatest, least) {
            parts.push(named("greatest", "最高：", greatest));
            parts.push(named("least", "最低：", least));
        }
    }
    let mut say = |en: &str, zh: &str, is: &dyn Fn(&Point) -> bool| {
        let found: Vec<&Point> = line.points.iter().filter(|point| is(point)).collect();
        if !found.is_empty() {
            parts.push(counted(&found, en, zh, language));
        }
    };
    let has = |point: &Point| point.value.ends(measure).is_some();
    say("without a figure", "无数据", &|point| !has(point));
    say("with only a bound", "仅有上限或下限", &|point| {
        has(point) && matches!(point.value, Value::Above(_) | Value::Below(_))
    });
    say("between two figures", "为区间", &|point| has(point) && matches!(point.value, Value::Between(..)));
    say("approximate", "为约数", &|point| has(point) && matches!(point.value, Value::Near(_)));
    say("provisional", "为初步数据", &|point| has(point) && point.provisional);
    say("after a break in the series", "之前序列中断", &|point| point.break_before);
    closed(&parts, several, language)
}

fn closed(parts: &[String], several: bool, language: Language) -> String {
    let (colon, semicolon, end) = language.word((": ", "; ", "."), ("：", "；", "。"));
    match parts {
        [name, rest @ ..] if several => format!("{name}{colon}{}{end}", rest.join(semicolon)),
        _ => {
            let text = format!("{}{end}", parts.join(semicolon));
            // A sentence begins with a capital letter.
            let mut letters = text.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    }
}

/// `2 without a figure (2013, 2014)`.
fn counted(found: &[&Point], en: &str, zh: &str, language: Language) -> String {
    let named: Vec<String> = found.iter().take(MOST_PERIODS).map(|point| words::period(point.period, language)).collect();
    let count = found.len();
    let more = if count > MOST_PERIODS { language.word(", …", "……") } else { "" };
    match language {
        Language::En => format!("{count} {en} ({}{more})", named.join(", ")),
        Language::Zh => format!("{count} 期{zh}（{}{more}）", named.join("、")),
    }
}
