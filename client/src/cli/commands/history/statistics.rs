//! How much first prints of a series were revised.

use std::io::{self, Write};

use indicator_proto::{
    to_json,
    v1::{
        ErrorReason, GetRevisionStatisticsRequest, GetRevisionStatisticsResponse, RevisedCell, RevisionStatistics, SeriesKey,
        VintageAxis,
    },
    words::{Language, figure, grouped, readable, with_unit},
};

use super::{Args, Subject, along, nothing};
use crate::{
    context::{Context, Format},
    output::{Card, Column, Table, clock},
};

/// Where the statistics are defined.
const SOURCE: &str = "McKenzie and Gamba, Interpreting the results of Revision Analyses: Recommended Summary Statistics, OECD/Eurostat, \
    2008, https://www.oecd.org/sdd/40315546.pdf";

/// Prints the statistics.
pub(super) async fn run(cx: &Context, series: SeriesKey, args: &Args) -> anyhow::Result<()> {
    let request = GetRevisionStatisticsRequest {
        series: Some(series),
        start_period: args.from_period.map(|period| period.to_string()).unwrap_or_default(),
        end_period: args.to_period.map(|period| period.to_string()).unwrap_or_default(),
        frequency: args.frequency.unwrap_or_default().into(),
        axis: args.axis.into(),
        as_of: args.moment.moment(),
    };
    let answer = match cx.client.get_revision_statistics(request).await {
        Err(error) if error.reason() == Some(ErrorReason::NotFound) => return Err(nothing().into()),
        answer => answer?,
    };
    let mut out = cx.stdout();
    match cx.format {
        Format::Table => {
            let subject = Subject::new(cx, answer.series.as_ref().unwrap_or(&SeriesKey::default())).await?;
            table(cx, &subject, args.axis, &answer, &mut out)?;
        }
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &to_json(&answer))?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            serde_json::to_writer(&mut out, &to_json(&answer))?;
            writeln!(out)?;
        }
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(&mut out);
            let (fields, record): (Vec<_>, Vec<_>) = fields(&answer.statistics.unwrap_or_default()).into_iter().unzip();
            writer.write_record(fields)?;
            writer.write_record(record)?;
            writer.flush()?;
        }
    }
    Ok(out.flush()?)
}

fn fields(statistics: &RevisionStatistics) -> [(&'static str, String); 11] {
    [
        ("cells", statistics.cells.to_string()),
        ("excluded", statistics.excluded.to_string()),
        ("share_revised", statistics.share_revised.clone()),
        ("mean_revision", statistics.mean_revision.clone()),
        ("mean_absolute_revision", statistics.mean_absolute_revision.clone()),
        ("relative_mean_absolute_revision", statistics.relative_mean_absolute_revision.clone()),
        ("standard_deviation", statistics.standard_deviation.clone()),
        ("least_revision", statistics.least_revision.clone()),
        ("greatest_revision", statistics.greatest_revision.clone()),
        ("share_upward", statistics.share_upward.clone()),
        ("median_days_to_latest", statistics.median_days_to_latest.clone()),
    ]
}

fn table(
    cx: &Context,
    subject: &Subject,
    axis: VintageAxis,
    answer: &GetRevisionStatisticsResponse,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(statistics) = &answer.statistics else {
        return writeln!(
            out,
            "{}",
            cx.language.word("no period has a first and a latest figure", "没有同时具备首次与最新数值的时期")
        );
    };
    card(subject, axis, statistics).write(cx.style, out)?;
    if answer.most_revised.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    most_revised(subject, &answer.most_revised).write(cx.style, out)
}

fn card(subject: &Subject, axis: VintageAxis, statistics: &RevisionStatistics) -> Card {
    let word = |en, zh| subject.language.word(en, zh);
    let number = |text: &str| if text.is_empty() { String::new() } else { grouped(&readable(text), 0) };
    let unit = subject.labels.unit_of(&subject.indicator);
    let figure = |text: &str| if text.is_empty() { String::new() } else { with_unit(&number(text), unit, subject.language) };
    let percent = |text: &str| if text.is_empty() { String::new() } else { format!("{}%", number(text)) };
    let left_out = match (statistics.excluded, subject.language) {
        (0, _) => String::new(),
        (excluded, Language::En) => format!("; {excluded} without an exact first or latest figure left out"),
        (excluded, Language::Zh) => format!("；另有 {excluded} 个因首次或最新数值不确切而未计入"),
    };
    let heading = format!(
        "{}{}{}",
        subject.heading,
        word("; revisions, latest less first print, ", "；修订幅度（最新值减首次值），"),
        along(axis, subject.language),
    );
    let mut card = Card::new(heading);
    card.line(word("periods", "时期数"), format!("{}{left_out}", statistics.cells))
        .line(word("revised", "曾修订"), percent(&statistics.share_revised))
        .line(word("mean", "平均"), figure(&statistics.mean_revision))
        .line(word("mean absolute", "平均绝对值"), figure(&statistics.mean_absolute_revision))
        .line(word("relative", "相对平均绝对值"), percent(&statistics.relative_mean_absolute_revision))
        .line(word("deviation", "标准差"), figure(&statistics.standard_deviation))
        .line(word("least", "最低"), figure(&statistics.least_revision))
        .line(word("greatest", "最高"), figure(&statistics.greatest_revision))
        .line(word("upward", "上调"), percent(&statistics.share_upward))
        .line(word("days to latest", "距最新天数"), number(&statistics.median_days_to_latest))
        .line(word("definitions", "定义"), SOURCE);
    card
}

fn most_revised(subject: &Subject, cells: &[RevisedCell]) -> Table {
    let word = |en, zh| subject.language.word(en, zh);
    let mut table = Table::new(vec![
        Column::text(word("PERIOD", "时期")),
        Column::figure(word("FIRST", "首次")),
        Column::text(word("PUBLISHED", "发布时间")),
        Column::figure(word("LATEST", "最新")),
        Column::text(word("PUBLISHED", "发布时间")),
        Column::figure(word("REVISION", "修订幅度")),
        Column::figure(word("PERCENT", "百分比")),
        Column::figure(word("VERSIONS", "版本数")),
    ]);
    for cell in cells {
        let (first, latest) = (cell.first.clone().unwrap_or_default(), cell.latest.clone().unwrap_or_default());
        let percent =
            if cell.revision_percent.is_empty() { String::new() } else { format!("{}%", readable(&cell.revision_percent)) };
        table.push(vec![
            first.period.clone(),
            figure(&first, subject.decimals, subject.language),
            clock(first.published_at.as_ref()),
            figure(&latest, subject.decimals, subject.language),
            clock(latest.published_at.as_ref()),
            grouped(&cell.revision, 0),
            percent,
            cell.versions.to_string(),
        ]);
    }
    table
}
