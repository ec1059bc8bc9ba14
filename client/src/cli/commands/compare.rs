//! `indicator compare`: regions by indicators.

use std::{collections::BTreeSet, io::Write as _};

use indicator_proto::{
    Period,
    v1::{CompareColumn, CompareRequest, CompareResponse, EntryKind, Observation},
    words::{coverage, figure, symbol},
};
use serde_json::Map;

use crate::{
    catalog::Labels,
    context::{Context, Format},
    moment::AsOfArgs,
    output::{Column, Observations, Table, printable},
    series::dimension,
};

/// Arguments of `indicator compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator compare gdp population --regions 山东,Guangdong,CN-JS
  indicator compare gdp population --under CN --level province --period 2020
  indicator compare 5g-base-stations data-centers --under Shandong -o csv

Without a period, each cell shows its latest figure. Where a column has figures of different periods or sources, each cell says of
which it is; below the table stands how many regions have a figure.")]
#[command(group(clap::ArgGroup::new("rows").args(["regions", "level", "under"]).required(true).multiple(true)))]
pub(crate) struct Args {
    /// Columns: indicators by id, name or alias
    #[arg(required = true, value_name = "INDICATOR")]
    indicators: Vec<String>,
    /// Rows: these regions, in this order
    #[arg(long, value_name = "REGION,…", value_delimiter = ',', conflicts_with_all = ["level", "under"])]
    regions: Vec<String>,
    /// Rows: the regions of this level, such as province [default: those directly below --under]
    #[arg(long, value_name = "LEVEL")]
    level: Option<String>,
    /// Rows: only regions below this one [default: anywhere]
    #[arg(long, value_name = "REGION")]
    under: Option<String>,
    /// Only this period: 2020, 2020-Q4, 2020-12, … [default: the latest of each cell]
    #[arg(long, value_name = "PERIOD")]
    period: Option<Period>,
    /// Only figures of this source; may be repeated [default: the preferred one for each cell]
    #[arg(short, long, value_name = "SOURCE")]
    source: Vec<String>,
    /// Series with this code of a dimension; may be repeated for other dimensions
    #[arg(long = "dim", value_name = "DIMENSION=CODE", value_parser = dimension)]
    dims: Vec<(String, String)>,
    #[command(flatten)]
    moment: AsOfArgs,
}

/// Prints the table.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let under = match &args.under {
        Some(under) => cx.id(EntryKind::Region, under).await?,
        None => String::new(),
    };
    let request = CompareRequest {
        regions: cx.ids(EntryKind::Region, &args.regions).await?,
        level: args.level.unwrap_or_default(),
        under,
        indicators: cx.ids(EntryKind::Indicator, &args.indicators).await?,
        dimensions: cx.dimensions(&args.dims).await?,
        sources: cx.ids(EntryKind::Source, &args.source).await?,
        period: args.period.map(|period| period.to_string()).unwrap_or_default(),
        as_of: args.moment.moment(),
        ..CompareRequest::default()
    };
    let dimensions: BTreeSet<String> = request.dimensions.keys().cloned().collect();
    let response = cx.client.compare(request).await?;
    match cx.format {
        Format::Json => cx.json(&response),
        Format::Ndjson => cx.ndjson(&response.rows),
        Format::Csv => {
            let mut listing = cx.listing(Observations::new(Labels::default(), dimensions, cx.language))?;
            figures(&response).try_for_each(|observation| listing.push(observation))?;
            listing.finish(Map::new())?;
            Ok(())
        }
        Format::Table => table(cx, &response).await,
    }
}

fn figures(response: &CompareResponse) -> impl Iterator<Item = &Observation> {
    response.rows.iter().flat_map(|row| &row.cells).filter_map(|cell| cell.observation.as_ref())
}

async fn table(cx: &Context, response: &CompareResponse) -> anyhow::Result<()> {
    let mut labels = Labels::of_observations(cx, figures(response)).await?;
    let ids = response.columns.iter().map(|column| column.indicator.as_str());
    labels.load_names(cx, EntryKind::Indicator, ids).await?;
    labels.load_units(cx, []).await?;
    labels.load_names(cx, EntryKind::Region, response.rows.iter().map(|row| row.region.as_str())).await?;
    let mut out = cx.stdout();
    rows(cx, response, &labels).write(cx.style, &mut out)?;
    if response.rows.is_empty() {
        cx.remark("no region is selected");
    } else {
        writeln!(out)?;
        for column in &response.columns {
            writeln!(out, "{}", printable(&footnote(cx, column, &labels)))?;
        }
    }
    Ok(out.flush()?)
}

/// A column for each indicator; where its figures are mixed, a column for their periods and one for their sources.
fn rows(cx: &Context, response: &CompareResponse, labels: &Labels) -> Table {
    let word = |en, zh| cx.language.word(en, zh);
    let mut columns = vec![Column::text(word("REGION", "地区"))];
    for column in &response.columns {
        let name = labels.name(EntryKind::Indicator, &column.indicator, cx.language);
        let unit = labels.unit(&column.unit).map_or_else(String::new, |unit| symbol(unit, cx.language));
        let header = if unit.is_empty() { name.to_owned() } else { format!("{name} ({unit})") };
        columns.extend([Column::figure(header), Column::text(word("PERIOD", "时期")), Column::text(word("SOURCE", "来源"))]);
    }
    let mut table = Table::new(columns);
    for row in &response.rows {
        let mut texts = vec![labels.name(EntryKind::Region, &row.region, cx.language).to_owned()];
        for (column, cell) in response.columns.iter().zip(&row.cells) {
            texts.extend(cell_texts(cx, column, cell.observation.as_ref(), labels));
        }
        table.push(texts);
    }
    table
}

/// Figure, period and source; the last two only where the column has several.
fn cell_texts(cx: &Context, column: &CompareColumn, observation: Option<&Observation>, labels: &Labels) -> [String; 3] {
    // A dash, so that a column without any figure is there all the same.
    let Some(observation) = observation else { return ["–".to_owned(), String::new(), String::new()] };
    let decimals = labels.indicator(&column.indicator).and_then(|it| it.decimals);
    let source = observation.series.as_ref().map_or("", |series| series.source.as_str());
    let mixed = |list: &[String], text: &str| if list.len() > 1 { text.to_owned() } else { String::new() };
    [
        figure(observation, decimals, cx.language),
        mixed(&column.periods, &observation.period),
        mixed(&column.sources, labels.name(EntryKind::Source, source, cx.language)),
    ]
}

/// `GDP: 30 of 31; mixed periods: 2019, 2020; Bureau of Statistics`.
fn footnote(cx: &Context, column: &CompareColumn, labels: &Labels) -> String {
    let word = |en, zh| cx.language.word(en, zh);
    let list = |items: Vec<&str>, mixed: &'static str| match items.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("{mixed}{}", several.join(", ")),
    };
    let mut parts = vec![column.coverage.map(|it| coverage(it, cx.language)).unwrap_or_default()];
    if !column.periods.is_empty() {
        parts.push(list(column.periods.iter().map(String::as_str).collect(), word("mixed periods: ", "时期不一：")));
    }
    if !column.sources.is_empty() {
        let names = column.sources.iter().map(|id| labels.name(EntryKind::Source, id, cx.language)).collect();
        parts.push(list(names, word("mixed sources: ", "来源不一：")));
    }
    let name = labels.name(EntryKind::Indicator, &column.indicator, cx.language);
    format!("{name}: {}", parts.join("; "))
}
