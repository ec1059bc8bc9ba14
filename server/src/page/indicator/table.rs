//! The figures of a chart as a table.

use std::collections::{BTreeMap, BTreeSet};

use indicator_proto::{
    Period, Time,
    v1::Observation,
    words::{self, grouped},
};
use maud::{Markup, html};

use super::{
    super::{address::Indicator, names::Names, parts, reader::Figures},
    data::Data,
};

/// Rows in a page; the files have all.
const ROWS: usize = 300;

/// Draws it, newest first.
pub(super) fn table(view: &Indicator, data: &Data, names: Names<'_>) -> Markup {
    let language = names.language;
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    let mut columns: Vec<(String, BTreeMap<Period, &Observation>)> = vec![(names.region(&view.region), by_period(&data.shown))];
    columns.extend(data.others.iter().map(|(region, figures)| (names.region(region), by_period(figures))));
    columns.extend(data.vintages.iter().map(|(day, figures)| {
        let day = words::period(day.period(), language);
        (language.word(format!("as of {day}"), format!("截至{day}")), by_period(figures))
    }));
    let periods: BTreeSet<Period> = columns.iter().flat_map(|(_, figures)| figures.keys().copied()).collect();
    let count = periods.len();
    let main = &columns[0].1;
    let several =
        main.values().filter_map(|it| it.series.as_ref()).map(|series| &series.source).collect::<BTreeSet<_>>().len() > 1;
    html! {
        details.figures id="table" open[count <= 12] {
            summary { (word("Table of the figures", "数据表")) " " span.count { (grouped(&count.to_string(), 0)) } }
            div.scroll tabindex="0" role="region" aria-label=(word("Table of the figures", "数据表")) {
                table {
                    thead { tr {
                        th scope="col" { (word("Period", "时期")) }
                        @for (label, _) in &columns { th.number scope="col" { (label) } }
                        th scope="col" { (word("Remarks", "说明")) }
                        @if several { th scope="col" { (word("Source", "来源")) } }
                        th scope="col" { (word("Published", "发布")) }
                    } }
                    tbody {
                        @for period in periods.iter().rev().take(ROWS) {
                            tr {
                                th scope="row" { (words::period(*period, language)) }
                                @for (_, figures) in &columns {
                                    td.number { @if let Some(it) = figures.get(period) { (names.figure(it, &view.indicator)) } @else { span.absent { "–" } } }
                                }
                                @let it = main.get(period);
                                td.remarks { @if let Some(it) = it { (parts::status(it, language)) (note(it)) } }
                                @if several { td { @if let Some(series) = it.and_then(|it| it.series.as_ref()) { (names.source(&series.source)) } } }
                                td { @if let Some(time) = it.and_then(|it| Time::try_from(&it.published_at?).ok()) { (words::day(time, language)) } }
                            }
                        }
                    }
                }
            }
            @if count > ROWS {
                p.rest { (word("The newest rows; the files have all.", "仅显示最新数据；下载文件包含全部。")) }
            }
        }
    }
}

fn by_period(figures: &Figures) -> BTreeMap<Period, &Observation> {
    figures.by_period.iter().map(|(period, observation)| (*period, observation)).collect()
}

/// What there is to say of one figure.
fn note(observation: &Observation) -> Markup {
    html! { @if !observation.note.is_empty() { " " span.note { (observation.note) } } }
}
