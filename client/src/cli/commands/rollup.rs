//! `indicator rollup`: figures of regions as one of the region above them.

use std::{collections::BTreeSet, io::Write as _};

use indicator_proto::{
    to_json,
    v1::{EntryKind, Observation, RegionAggregation, RegionSelection, RolledUp, RollupRequest, SeriesKey},
    words::{Language, coverage, figure, remarks, symbol},
};
use serde_json::{Map, Value};

use crate::{
    catalog::Labels,
    context::{Context, Format, Output},
    moment::AsOfArgs,
    output::{Card, Column, Observations, View, explanation, number, printable},
    periods::PeriodArgs,
    series::SeriesArgs,
    transform::{ComputeArgs, STEPS},
    unreported,
};

const EXAMPLES: &str = "\
Examples:
  indicator rollup gdp 中国 --level province --from 2010 --to 2020
  indicator rollup gdp Shandong --period 2020 --explain
  indicator rollup unemployment-rate CN --weight labour-force --period 2020
  indicator rollup gdp CN --level province -T convert:USD:usd-cny -o csv

Without a period or limits, the latest figure of each region counts. Without a level, the regions directly below; with one, all of
it below the region, at any depth. Coverage tells how many of the regions that existed have a figure; those that have none are named
below the table. Beside it stands what is reported for the region itself, and how far the two are apart.";

/// Arguments of `indicator rollup`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{STEPS}"))]
pub(crate) struct Args {
    #[command(flatten)]
    series: SeriesArgs,
    /// Regions of this level below it, at any depth, such as province [default: those directly below it]
    #[arg(long, value_name = "LEVEL")]
    level: Option<String>,
    #[command(flatten)]
    periods: PeriodArgs,
    /// How figures make one [default: the indicator's rule; with --weight, weighted]
    #[arg(long, value_name = "METHOD", value_enum)]
    method: Option<Method>,
    /// The indicator that weighs in a weighted mean [default: the one that the indicator names]
    #[arg(long, value_name = "INDICATOR")]
    weight: Option<String>,
    /// Only figures of this source; may be repeated
    #[arg(short, long, value_name = "SOURCE")]
    source: Vec<String>,
    #[command(flatten)]
    moment: AsOfArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// How figures make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    /// Their sum
    Sum,
    /// Their weighted mean
    Weighted,
}

impl Args {
    fn method(&self) -> RegionAggregation {
        match self.method {
            Some(Method::Sum) => RegionAggregation::Sum,
            Some(Method::Weighted) => RegionAggregation::Weighted,
            None if self.weight.is_some() => RegionAggregation::Weighted,
            None => RegionAggregation::Unspecified,
        }
    }
}

/// Prints the figures.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let method = args.method();
    let SeriesKey { indicator, region, dimensions, .. } = cx.series(&args.series, None).await?;
    let selection = args.periods.of(RegionSelection {
        indicator,
        level: args.level.unwrap_or_default(),
        under: region,
        dimensions,
        sources: cx.ids(EntryKind::Source, &args.source).await?,
        transforms: args.compute.transforms(cx).await?,
        ..RegionSelection::default()
    });
    let weight = match &args.weight {
        Some(weight) => cx.id(EntryKind::Indicator, weight).await?,
        None => String::new(),
    };
    let request = RollupRequest {
        selection: Some(selection),
        method: method.into(),
        weight,
        as_of: args.moment.moment(),
        min_revision: 0,
        explain: args.compute.explain,
    };
    let response = cx.client.rollup(request).await?;
    match cx.format {
        Format::Json => cx.json(&response),
        Format::Ndjson => cx.ndjson(&response.figures),
        Format::Csv => list(cx, RolledUps::new(cx, Labels::default(), &response.figures), &response.figures),
        Format::Table => table(cx, &response.figures).await,
    }
}

fn list(cx: &Context, view: RolledUps, figures: &[RolledUp]) -> anyhow::Result<()> {
    let mut listing = cx.listing(view)?;
    figures.iter().try_for_each(|figure| listing.push(figure))?;
    if listing.finish(Map::new())? == 0 {
        cx.remark("no region has a figure");
    }
    Ok(())
}

async fn table(cx: &Context, figures: &[RolledUp]) -> anyhow::Result<()> {
    let told = figures.iter().flat_map(|it| [&it.observation, &it.reported, &it.difference, &it.difference_percent]).flatten();
    let mut labels = Labels::of_observations(cx, told).await?;
    let missing = figures.iter().flat_map(|it| &it.missing_regions);
    labels.load_names(cx, EntryKind::Region, missing.map(String::as_str)).await?;
    let sources = figures.iter().flat_map(|it| &it.sources);
    labels.load_names(cx, EntryKind::Source, sources.map(String::as_str)).await?;
    let mut out = cx.stdout();
    let series = figures.iter().find_map(|it| it.observation.as_ref()?.series.as_ref());
    if let Some(series) = series {
        let name = |kind, id| labels.name(kind, id, cx.language);
        let heading = [name(EntryKind::Indicator, &series.indicator), name(EntryKind::Region, &series.region)].join(", ");
        let breakdown = labels.dimensions(series, cx.language);
        let heading = if breakdown.is_empty() { heading } else { format!("{heading} ({breakdown})") };
        Card::new(heading).write(cx.style, &mut out)?;
        out.flush()?;
    }
    list(cx, RolledUps::new(cx, labels.clone(), figures), figures)?;
    write_missing(cx, &labels, figures, &mut out)?;
    let explained = |it: &&Observation| it.derivation.as_ref().is_some_and(|derivation| !derivation.operands.is_empty());
    let observations = figures.iter().flat_map(|it| [&it.observation, &it.difference, &it.difference_percent]).flatten();
    for observation in observations.filter(explained) {
        writeln!(out)?;
        explanation::write(observation, &labels, cx.language, cx.style, &mut out)?;
    }
    Ok(out.flush()?)
}

/// Names the regions without a figure, once for all periods that lack the same ones.
fn write_missing(cx: &Context, labels: &Labels, figures: &[RolledUp], out: &mut Output) -> anyhow::Result<()> {
    let lacking = figures.iter().map(|it| {
        let period = it.observation.as_ref().map_or("", |observation| observation.period.as_str());
        (period, it.missing_regions.as_slice())
    });
    let told = unreported::grouped(lacking);
    if !told.is_empty() {
        writeln!(out)?;
    }
    for (missing, periods) in told {
        let names: Vec<&str> = missing.iter().map(|id| labels.name(EntryKind::Region, id, cx.language)).collect();
        let line = match cx.language {
            Language::En => format!("no figure in {}: {}", unreported::listed(&periods, cx.language), names.join(", ")),
            Language::Zh => format!("{}无数据：{}", unreported::listed(&periods, cx.language), names.join("、")),
        };
        writeln!(out, "{}", printable(&line))?;
    }
    Ok(())
}

struct RolledUps {
    labels: Labels,
    records: Observations,
    language: Language,
}

impl RolledUps {
    fn new(cx: &Context, labels: Labels, figures: &[RolledUp]) -> Self {
        let series = figures.iter().filter_map(|it| it.observation.as_ref()?.series.as_ref());
        let dimensions: BTreeSet<String> = series.flat_map(|series| series.dimensions.keys().cloned()).collect();
        Self { labels, records: Observations::new(Labels::default(), dimensions, cx.language), language: cx.language }
    }

    fn figure(&self, observation: Option<&Observation>) -> String {
        let Some(observation) = observation else { return String::new() };
        let indicator = observation.series.as_ref().and_then(|series| self.labels.indicator(&series.indicator));
        figure(observation, indicator.and_then(|it| it.decimals), self.language)
    }

    /// What else there is to know; coverage has a column of its own.
    fn remarks(&self, made: &RolledUp, observation: Observation) -> String {
        let mut remarks = remarks(&Observation { coverage: None, ..observation }, self.language);
        if !made.periods.is_empty() {
            let mixed = self.language.word("mixed periods: ", "时期不一：");
            remarks.push(format!(
                "{mixed}{}",
                unreported::listed(&made.periods.iter().map(String::as_str).collect::<Vec<_>>(), self.language)
            ));
        }
        remarks.join(", ")
    }
}

impl View for RolledUps {
    type Item = RolledUp;

    fn name(&self) -> &'static str {
        "figures"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::text(word("PERIOD", "时期")),
            Column::figure(word("FIGURE", "数值")),
            Column::text(word("UNIT", "单位")),
            Column::text(word("COVERAGE", "覆盖")),
            Column::figure(word("REPORTED", "公布值")),
            Column::figure(word("DIFFERENCE", "差额")),
            Column::figure("%"),
            Column::text(word("SOURCES", "来源")),
            Column::text(word("REMARKS", "备注")),
        ]
    }

    fn row(&self, made: &RolledUp) -> Vec<String> {
        let observation = made.observation.clone().unwrap_or_default();
        let sources: Vec<&str> = made.sources.iter().map(|id| self.labels.name(EntryKind::Source, id, self.language)).collect();
        vec![
            observation.period.clone(),
            self.figure(Some(&observation)),
            self.labels.unit_shown(&observation).map(|it| symbol(it, self.language).to_owned()).unwrap_or_default(),
            observation.coverage.map(|it| coverage(it, self.language)).unwrap_or_default(),
            self.figure(made.reported.as_ref()),
            self.figure(made.difference.as_ref()),
            self.figure(made.difference_percent.as_ref()),
            sources.join(", "),
            self.remarks(made, observation),
        ]
    }

    fn fields(&self) -> Vec<String> {
        let made_of = ["regions_reported", "regions_expected", "missing_regions", "periods", "sources"].map(str::to_owned);
        let beside = ["reported", "difference", "difference_percent"];
        let beside = beside.iter().flat_map(|name| ["value", "bound", "lower", "upper"].map(|field| format!("{name}_{field}")));
        self.records.fields().into_iter().chain(made_of).chain(beside).collect()
    }

    fn record(&self, made: &RolledUp) -> Vec<String> {
        let observation = made.observation.clone().unwrap_or_default();
        let mut record = self.records.record(&observation);
        let coverage = observation.coverage.unwrap_or_default();
        record.extend([coverage.reported.to_string(), coverage.expected.to_string()]);
        record.extend([&made.missing_regions, &made.periods, &made.sources].map(|ids| ids.join(" ")));
        record
            .extend([&made.reported, &made.difference, &made.difference_percent].into_iter().flat_map(|it| number(it.as_ref())));
        record
    }

    fn json(&self, made: &RolledUp) -> Value {
        to_json(made)
    }
}

#[cfg(test)]
mod tests {
    use indicator_proto::v1::Coverage;

    use super::*;

    #[test]
    fn a_record_has_a_field_for_each_of_the_header() {
        let records = Observations::new(Labels::default(), BTreeSet::from(["sex".to_owned()]), Language::En);
        let view = RolledUps { labels: Labels::default(), records, language: Language::En };
        let observation = Observation { coverage: Some(Coverage { reported: 2, expected: 3 }), ..Observation::default() };
        let reported = Observation { value: "7".into(), ..Observation::default() };
        let made = RolledUp {
            observation: Some(observation),
            missing_regions: vec!["CN-XZ".into()],
            reported: Some(reported),
            ..RolledUp::default()
        };
        let (fields, record) = (view.fields(), view.record(&made));
        assert_eq!(fields.len(), record.len());
        let field = |name: &str| fields.iter().position(|field| field == name).map(|place| record[place].as_str());
        assert_eq!((field("regions_reported"), field("missing_regions")), (Some("2"), Some("CN-XZ")));
        assert_eq!((field("reported_value"), field("difference_value")), (Some("7"), Some("")));
    }
}
