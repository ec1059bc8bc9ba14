//! `indicator history`: every version that a figure had.

use std::{collections::BTreeSet, io::Write as _};

use indicator_proto::{
    Period, to_json,
    v1::{EntryKind, ErrorReason, ListVintagesRequest, ListVintagesResponse, SeriesKey, Vintage},
};
use serde_json::{Map, Value};

use crate::{
    catalog::Labels,
    context::{Context, Format, Language},
    failure::Failure,
    figure::{figure, remarks, symbol},
    moment::AsOfArgs,
    output::{Card, Column, Observations, View, clock, time},
    series::SeriesArgs,
    words::{self, Typed as _},
};

/// Arguments of `indicator history`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator history gdp Egypt 1965
  indicator history digital-economy-output 山东 --source local-media
  indicator history gdp EGY 1965 --as-of 2024-10-20 -o csv")]
pub(crate) struct Args {
    #[command(flatten)]
    series: SeriesArgs,
    /// Period: 2020, 2020-Q4, 2020-12, 2021-12-06, … [default: every period]
    period: Option<Period>,
    /// The figures of this source [default: the preferred one]
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    moment: AsOfArgs,
}

/// Prints the versions.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let series = cx.series(&args.series, args.source.as_deref()).await?;
    let mut request = ListVintagesRequest {
        series: Some(series.clone()),
        period: args.period.map(|period| period.to_string()).unwrap_or_default(),
        as_of: args.moment.moment(),
        ..ListVintagesRequest::default()
    };
    let mut page = match cx.client.list_vintages(request.clone()).await {
        Err(error) if error.reason() == Some(ErrorReason::NotFound) => ListVintagesResponse::default(),
        answer => answer?,
    };
    let Some(first) = page.vintages.first() else {
        let nothing = "there has never been a figure of this series and period";
        return Err(Failure::not_found(nothing).remedy("indicator query shows which periods and sources there are").into());
    };
    // Where no source was asked for, the answer names the preferred one.
    let series = first.observation.as_ref().and_then(|it| it.series.clone()).unwrap_or(series);
    let view = Vintages::new(cx, &series).await?;
    if cx.format == Format::Table {
        view.heading(&series, cx)?;
    }
    let mut listing = cx.listing(view)?;
    loop {
        for vintage in &page.vintages {
            listing.push(vintage)?;
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        page = cx.client.list_vintages(request.clone()).await?;
    }
    listing.finish(Map::from_iter([("revision".to_owned(), Value::String(page.revision.to_string()))]))?;
    Ok(())
}

struct Vintages {
    labels: Labels,
    records: Observations,
    language: Language,
    decimals: Option<u32>,
    unit: String,
}

impl Vintages {
    async fn new(cx: &Context, series: &SeriesKey) -> anyhow::Result<Self> {
        let language = cx.language;
        // Only a table shows names.
        let labels = if cx.format == Format::Table { Labels::of_series(cx, [series]).await? } else { Labels::default() };
        let dimensions: BTreeSet<String> = series.dimensions.keys().cloned().collect();
        Ok(Self {
            records: Observations::new(Labels::default(), dimensions, language),
            decimals: labels.indicator(&series.indicator).and_then(|indicator| indicator.decimals),
            unit: labels.unit_of(&series.indicator).map(|unit| symbol(unit, language).to_owned()).unwrap_or_default(),
            labels,
            language,
        })
    }

    /// The series stands above the table: every row is about it.
    fn heading(&self, series: &SeriesKey, cx: &Context) -> anyhow::Result<()> {
        let name = |kind, id| self.labels.name(kind, id, self.language);
        let mut heading = format!(
            "{}, {}: {}",
            name(EntryKind::Indicator, &series.indicator),
            name(EntryKind::Region, &series.region),
            name(EntryKind::Source, &series.source),
        );
        if !series.dimensions.is_empty() {
            heading = format!("{heading} ({})", self.labels.dimensions(series, self.language));
        }
        let mut out = cx.stdout();
        Card::new(heading).write(cx.style, &mut out)?;
        out.flush()?;
        Ok(())
    }
}

impl View for Vintages {
    type Item = Vintage;

    fn name(&self) -> &'static str {
        "vintages"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::text(word("PERIOD", "时期")),
            Column::figure(word("FIGURE", "数值")),
            Column::text(word("UNIT", "单位")),
            Column::text(word("PUBLISHED", "发布时间")),
            Column::text(word("RECORDED", "记录时间")),
            Column::figure(word("REVISION", "修订号")),
            Column::text(word("CHANGE", "变更")),
            Column::text(word("NOW", "现行")),
            Column::text(word("REMARKS", "备注")),
        ]
    }

    fn row(&self, vintage: &Vintage) -> Vec<String> {
        let observation = vintage.observation.clone().unwrap_or_default();
        let current = if vintage.current { self.language.word("current", "现行") } else { "" };
        let note = (!observation.note.is_empty()).then(|| observation.note.clone());
        vec![
            observation.period.clone(),
            figure(&observation, self.decimals, self.language),
            self.unit.clone(),
            clock(observation.published_at.as_ref()),
            clock(observation.recorded_at.as_ref()),
            observation.revision.to_string(),
            words::change(vintage.kind(), self.language).to_owned(),
            current.to_owned(),
            remarks(&observation, self.language).into_iter().chain(note).collect::<Vec<_>>().join(", "),
        ]
    }

    fn fields(&self) -> Vec<String> {
        let validity = ["change", "published_until", "superseded_revision", "current"].map(str::to_owned);
        self.records.fields().into_iter().chain(validity).collect()
    }

    fn record(&self, vintage: &Vintage) -> Vec<String> {
        let mut record = self.records.record(&vintage.observation.clone().unwrap_or_default());
        let superseded = if vintage.superseded_revision == 0 { String::new() } else { vintage.superseded_revision.to_string() };
        record.extend([
            vintage.kind().typed().to_owned(),
            time(vintage.published_until.as_ref()),
            superseded,
            vintage.current.to_string(),
        ]);
        record
    }

    fn json(&self, vintage: &Vintage) -> Value {
        to_json(vintage)
    }
}
