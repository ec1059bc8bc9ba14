//! `indicator query`: the figures that a filter selects.

use std::{collections::BTreeSet, io::Write as _};

use futures::{TryStreamExt as _, future::try_join_all};
use indicator_client::Query;
use indicator_proto::{
    Period, to_json,
    v1::{
        EntryKind, Frequency, Observation, ObservationFilter, QueryObservationsRequest, SeriesKey, SeriesObservations,
        catalog_entry::Entry,
    },
};
use serde_json::Map;

use crate::{
    catalog::{self, Labels, Selection},
    context::{Context, Format},
    moment::AsOfArgs,
    output::{JsonList, Observations, explanation, with_series},
    series::dimension,
    transform::{ComputeArgs, STEPS},
    typed::Typed as _,
};

const EXAMPLES: &str = "\
Examples:
  indicator query -r Shandong
  indicator query -i gdp -r China --subregions --level province --from 2010 --to 2020 -o csv
  indicator query -i 5g-base-stations --latest 1 --all-sources
  indicator query -i gdp -r China -T aggregate:annual,yoy --explain
  indicator query -i gdp -r CN -T convert:USD:usd-cny -T per:population
  indicator query --updated-after 1200 -o ndjson

Selections are joined by \"and\", repetitions of one by \"or\"; without any, everything is selected. Without --source, a cell
shows the figure of its preferred source.
Rows are written as they arrive, except for a table, which needs all of them for its widths.";

/// Arguments of `indicator query`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{STEPS}"))]
pub(crate) struct Args {
    /// Only the latest N periods of each series
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    latest: Option<u32>,
    #[command(flatten)]
    moment: AsOfArgs,
    /// Only what was inserted, revised or withdrawn after this revision
    #[arg(long, value_name = "REVISION")]
    updated_after: Option<u64>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// Which cells.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct FilterArgs {
    /// Only this indicator; may be repeated
    #[arg(short, long, value_name = "INDICATOR")]
    indicator: Vec<String>,
    #[command(flatten)]
    cells: CellArgs,
}

/// Which cells, whatever their indicator.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct CellArgs {
    /// Only this region; may be repeated
    #[arg(short, long, value_name = "REGION")]
    region: Vec<String>,
    /// Also the regions below those, at any depth
    #[arg(long, requires = "region")]
    subregions: bool,
    /// Only regions of this level, such as province
    #[arg(long, value_name = "LEVEL")]
    level: Option<String>,
    /// Only this source, with its own series; may be repeated
    #[arg(short, long, value_name = "SOURCE", conflicts_with = "all_sources")]
    source: Vec<String>,
    /// Every source, each with its own series
    #[arg(long)]
    all_sources: bool,
    /// Only this code of a dimension; may be repeated for other dimensions
    #[arg(long = "dim", value_name = "DIMENSION=CODE", value_parser = dimension)]
    dims: Vec<(String, String)>,
    /// Only periods that start in this one or later
    #[arg(long, value_name = "PERIOD")]
    from: Option<Period>,
    /// Only periods that end in this one or earlier
    #[arg(long, value_name = "PERIOD")]
    to: Option<Period>,
    /// Only periods of this frequency
    #[arg(short, long, value_name = "FREQUENCY", value_parser = Frequency::parser())]
    frequency: Option<Frequency>,
}

impl FilterArgs {
    /// The filter for a request: names become ids.
    pub(crate) async fn filter(&self, cx: &Context) -> anyhow::Result<ObservationFilter> {
        self.cells.filter(cx, &self.indicator).await
    }
}

impl CellArgs {
    /// The filter for a request, of these indicators: names become ids.
    pub(crate) async fn filter(&self, cx: &Context, indicators: &[String]) -> anyhow::Result<ObservationFilter> {
        let lists = [(EntryKind::Indicator, indicators), (EntryKind::Region, &self.region), (EntryKind::Source, &self.source)];
        let ids = try_join_all(lists.into_iter().map(|(kind, texts)| cx.ids(kind, texts))).await?;
        let [indicators, regions, sources] = <[_; 3]>::try_from(ids).expect("one answer for each list");
        Ok(ObservationFilter {
            indicators,
            regions,
            include_subregions: self.subregions,
            region_level: self.level.clone().unwrap_or_default(),
            sources,
            all_sources: self.all_sources,
            dimensions: cx.dimensions(&self.dims).await?,
            start_period: self.from.map(|period| period.to_string()).unwrap_or_default(),
            end_period: self.to.map(|period| period.to_string()).unwrap_or_default(),
            frequency: self.frequency.unwrap_or_default().into(),
        })
    }
}

/// Prints the figures.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let request = QueryObservationsRequest {
        filter: Some(args.filter.filter(cx).await?),
        as_of: args.moment.moment(),
        latest_n: args.latest.unwrap_or(0),
        updated_after: args.updated_after.unwrap_or(0),
        transforms: args.compute.transforms(cx).await?,
        explain: args.compute.explain,
        ..QueryObservationsRequest::default()
    };
    let indicators = request.filter.iter().flat_map(|filter| filter.indicators.clone()).collect();
    let query = cx.client.query_observations(request).await?;
    match cx.format {
        Format::Table => table(cx, query).await,
        Format::Json => json(cx, query).await,
        Format::Ndjson => rows(cx, query, BTreeSet::new()).await,
        Format::Csv => {
            let dimensions = dimensions(cx, indicators).await?;
            rows(cx, query, dimensions).await
        }
    }
}

async fn table(cx: &Context, mut query: Query) -> anyhow::Result<()> {
    let chunks = query.read_to_end().await?;
    let observations: Vec<Observation> = in_order(chunks).into_iter().flat_map(with_series).collect();
    let labels = Labels::of_observations(cx, &observations).await?;
    let mut listing = cx.listing(Observations::new(labels.clone(), BTreeSet::new(), cx.language))?;
    for observation in &observations {
        listing.push(observation)?;
    }
    if listing.finish(Map::new())? == 0 {
        cx.remark("no figure matches");
    }
    let told = |observation: &&Observation| observation.derivation.as_ref().is_some_and(|it| !it.operands.is_empty());
    let mut out = cx.stdout();
    for observation in observations.iter().filter(told) {
        writeln!(out)?;
        explanation::write(observation, &labels, cx.language, cx.style, &mut out)?;
    }
    Ok(out.flush()?)
}

/// People look for an indicator, then for a region; the service sends series in the order of their creation.
fn in_order(mut chunks: Vec<SeriesObservations>) -> Vec<SeriesObservations> {
    let key =
        |series: &SeriesKey| (series.indicator.clone(), series.region.clone(), series.dimensions.clone(), series.source.clone());
    chunks.sort_by_cached_key(|chunk| chunk.series.as_ref().map(key));
    chunks
}

async fn rows(cx: &Context, mut query: Query, dimensions: BTreeSet<String>) -> anyhow::Result<()> {
    let mut listing = cx.listing(Observations::new(Labels::default(), dimensions, cx.language))?;
    while let Some(chunk) = query.next_chunk().await? {
        for observation in with_series(chunk) {
            listing.push(&observation)?;
        }
    }
    listing.finish(Map::new())?;
    Ok(())
}

/// The chunks as they are: the object keeps the shape of the answer.
async fn json(cx: &Context, mut query: Query) -> anyhow::Result<()> {
    let mut series = JsonList::new("series", cx.stdout())?;
    while let Some(chunk) = query.next_chunk().await? {
        series.push(&to_json(&chunk))?;
    }
    let mut rest = Map::from_iter([("header".to_owned(), to_json(query.header()))]);
    rest.extend(query.summary().map(|summary| ("summary".to_owned(), to_json(summary))));
    Ok(series.finish(&rest)?)
}

/// The dimensions that the answer can have: a CSV header comes before the first row.
async fn dimensions(cx: &Context, indicators: Vec<String>) -> anyhow::Result<BTreeSet<String>> {
    let entries: Vec<Entry> = if indicators.is_empty() {
        catalog::list(&cx.client, EntryKind::Indicator, Selection::default()).try_collect().await?
    } else {
        let found = indicators.iter().map(|id| catalog::get(&cx.client, EntryKind::Indicator, id, None));
        try_join_all(found).await?.into_iter().flatten().map(|found| found.entry).collect()
    };
    let of_entry = |entry: Entry| match entry {
        Entry::Indicator(it) => [it.dimensions, it.optional_dimensions].concat(),
        _ => Vec::new(),
    };
    Ok(entries.into_iter().flat_map(of_entry).collect::<BTreeSet<String>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_sorted_by_what_people_look_for() {
        let chunk = |indicator: &str, region: &str| SeriesObservations {
            series: Some(SeriesKey { indicator: indicator.into(), region: region.into(), ..SeriesKey::default() }),
            observations: Vec::new(),
        };
        let sorted = in_order(vec![chunk("b", "CN"), chunk("a", "US"), chunk("a", "CN")]);
        assert_eq!(sorted, [chunk("a", "CN"), chunk("a", "US"), chunk("b", "CN")]);
    }
}
