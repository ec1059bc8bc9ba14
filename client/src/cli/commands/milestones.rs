//! `indicator milestones`: when figures crossed thresholds.

use std::{collections::BTreeSet, io::Write as _};

use futures::StreamExt as _;
use indicator_proto::{
    Decimal, to_json,
    v1::{
        self, EntryKind, ListMilestonesRequest, Milestone, MilestoneState, Observation, SeriesKey, WatchMilestonesRequest,
        watch_milestones_response::Message,
    },
    words::{self, Language, figure, figure_with_unit, grouped, with_unit},
};
use serde_json::{Map, Value};

use super::query::CellArgs;
use crate::{
    catalog::Labels,
    context::{Context, Format},
    failure::Failure,
    moment::AsOfArgs,
    output::{Column, View, clock, number, time},
    transform::{STEPS, StepArgs},
};

const EXAMPLES: &str = "\
Examples:
  indicator milestones 5g-base-stations 100000 200000
  indicator milestones gdp 1e12 1e13 -r China --subregions --level province
  indicator milestones unemployment-rate 5 --fell-to -r 山东 --frequency monthly
  indicator milestones 5g-base-stations 100000 --published-at 2021-12-31
  indicator milestones gdp 10 -r 山东 -T yoy
  indicator milestones 5g-base-stations 200000 --level province --watch

\"More than 100,000\" proves at least 100,000; where bounds leave it open, the milestone is in the making. \"Published\" is the first
version ever, of any period, that proved it, whether or not it still stands.";

/// Arguments of `indicator milestones`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{STEPS}"))]
pub(crate) struct Args {
    /// Indicator: its id, a name or an alias
    indicator: String,
    /// Numbers to reach, in the indicator's unit
    #[arg(required = true, value_name = "THRESHOLD", value_parser = Decimal::parse_lenient, allow_negative_numbers = true)]
    thresholds: Vec<Decimal>,
    /// At or below the thresholds, not at or above
    #[arg(long)]
    fell_to: bool,
    /// Print the milestones, and then each that is reached or taken back
    #[arg(long, conflicts_with_all = ["transforms", "as_of", "published_at"])]
    watch: bool,
    #[command(flatten)]
    moment: AsOfArgs,
    #[command(flatten)]
    cells: CellArgs,
    #[command(flatten)]
    steps: StepArgs,
}

/// Prints the milestones.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let crossing = if args.fell_to { v1::Crossing::FellTo } else { v1::Crossing::Reached };
    let filter = Some(args.cells.filter(cx, std::slice::from_ref(&args.indicator)).await?);
    let thresholds = args.thresholds.iter().map(Decimal::to_string).collect();
    if args.watch {
        let request =
            WatchMilestonesRequest { filter, thresholds, crossing: crossing.into(), ..WatchMilestonesRequest::default() };
        return watch(cx, request, crossing).await;
    }
    let request = ListMilestonesRequest {
        filter,
        thresholds,
        crossing: crossing.into(),
        as_of: args.moment.moment(),
        transforms: args.steps.transforms(cx).await?,
        ..ListMilestonesRequest::default()
    };
    let response = cx.client.list_milestones(request).await?;
    match cx.format {
        Format::Json => cx.json(&response),
        Format::Ndjson => cx.ndjson(&response.milestones),
        Format::Table | Format::Csv => {
            let mut listing = cx.listing(Milestones::new(cx, &response.milestones, crossing).await?)?;
            response.milestones.iter().try_for_each(|milestone| listing.push(milestone))?;
            if listing.finish(Map::new())? == 0 {
                cx.remark("no figure matches");
            }
            Ok(())
        }
    }
}

/// Prints the milestones and what becomes of them, until the reader goes away.
async fn watch(cx: &Context, request: WatchMilestonesRequest, crossing: v1::Crossing) -> anyhow::Result<()> {
    if !matches!(cx.format, Format::Table | Format::Ndjson) {
        return Err(Failure::usage("milestones come one by one, without an end").remedy("-o ndjson, or no -o").into());
    }
    let mut messages = cx.client.watch_milestones(request);
    let mut out = cx.stdout();
    while let Some(message) = messages.next().await {
        let message = message?;
        if cx.format == Format::Ndjson {
            serde_json::to_writer(&mut out, &to_json(&message))?;
            writeln!(out)?;
            out.flush()?;
            continue;
        }
        let told = match message.message {
            Some(Message::Milestones(all)) => all.milestones,
            Some(Message::Changes(changes)) => {
                writeln!(out, "{}  {}", changes.revision, clock(changes.recorded_at.as_ref()))?;
                out.flush()?;
                changes.milestones
            }
            _ => continue,
        };
        let mut listing = cx.listing(Milestones::new(cx, &told, crossing).await?)?;
        told.iter().try_for_each(|milestone| listing.push(milestone))?;
        listing.finish(Map::new())?;
    }
    Ok(())
}

/// The figures of a milestone, by their names in CSV.
fn figures(milestone: &Milestone) -> [(&'static str, Option<&Observation>); 4] {
    [
        ("first", milestone.first.as_ref()),
        ("first_published", milestone.first_published.as_ref()),
        ("possible", milestone.possible.as_ref()),
        ("latest", milestone.latest.as_ref()),
    ]
}

/// What CSV says of each figure.
const OF_FIGURE: [&str; 7] = ["period", "source", "value", "bound", "lower", "upper", "published_at"];

struct Milestones {
    labels: Labels,
    dimensions: BTreeSet<String>,
    crossing: v1::Crossing,
    language: Language,
}

impl Milestones {
    async fn new(cx: &Context, milestones: &[Milestone], crossing: v1::Crossing) -> anyhow::Result<Self> {
        let series = || milestones.iter().filter_map(|milestone| milestone.series.as_ref());
        let told = milestones.iter().flat_map(figures).filter_map(|(_, figure)| figure);
        // Only a table shows names.
        let mut labels = Labels::default();
        if cx.format == Format::Table {
            labels = Labels::of_observations(cx, told).await?;
            labels.load_series(cx, series()).await?;
        }
        let dimensions = series().flat_map(|series| series.dimensions.keys().cloned()).collect();
        Ok(Self { labels, dimensions, crossing, language: cx.language })
    }

    fn figure(&self, observation: Option<&Observation>) -> String {
        let Some(observation) = observation else { return String::new() };
        let indicator = observation.series.as_ref().and_then(|series| self.labels.indicator(&series.indicator));
        figure(observation, indicator.and_then(|it| it.decimals), self.language)
    }

    fn threshold(&self, milestone: &Milestone, series: &SeriesKey) -> String {
        let shown = milestone.latest.as_ref().or(milestone.first_published.as_ref());
        let unit = shown.map_or(self.labels.unit_of(&series.indicator), |it| self.labels.unit_shown(it));
        with_unit(&grouped(&milestone.threshold, 0), unit, self.language)
    }

    /// What may have crossed before.
    fn remark(&self, milestone: &Milestone, series: &SeriesKey) -> String {
        let (Some(possible), Some(_)) = (&milestone.possible, &milestone.first) else { return String::new() };
        let indicator = self.labels.indicator(&series.indicator);
        let figure = figure_with_unit(possible, indicator, self.labels.unit_shown(possible), self.language);
        format!("{}{}: {figure}", self.language.word("perhaps from ", "可能始于 "), possible.period)
    }
}

impl View for Milestones {
    type Item = Milestone;

    fn name(&self) -> &'static str {
        "milestones"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::text(word("INDICATOR", "指标")),
            Column::text(word("REGION", "地区")),
            Column::text(word("BREAKDOWN", "分类")),
            Column::text(word("SOURCE", "来源")),
            Column::figure(word("THRESHOLD", "门槛")),
            Column::text(word("STATE", "状态")),
            Column::text(word("PERIOD", "时期")),
            Column::figure(word("FIGURE", "数值")),
            Column::text(word("PUBLISHED", "首次发布")),
            Column::text(word("FOR", "所属时期")),
            Column::figure(word("LATEST", "最新数值")),
            Column::text(word("IN", "最新时期")),
            Column::text(word("REMARKS", "备注")),
        ]
    }

    fn row(&self, milestone: &Milestone) -> Vec<String> {
        let series = milestone.series.clone().unwrap_or_default();
        let name = |kind, id: &str| self.labels.name(kind, id, self.language).to_owned();
        let period = |observation: Option<&Observation>| observation.map(|it| it.period.clone()).unwrap_or_default();
        let crossed = milestone.first.as_ref().or(milestone.possible.as_ref());
        let published = milestone.first_published.as_ref();
        vec![
            name(EntryKind::Indicator, &series.indicator),
            name(EntryKind::Region, &series.region),
            self.labels.dimensions(&series, self.language),
            name(EntryKind::Source, &series.source),
            self.threshold(milestone, &series),
            words::milestone(milestone.state(), self.crossing, self.language).to_owned(),
            period(crossed),
            self.figure(crossed),
            published.map(|it| time(it.published_at.as_ref()).chars().take("2021-12-06".len()).collect()).unwrap_or_default(),
            period(published),
            self.figure(milestone.latest.as_ref()),
            period(milestone.latest.as_ref()),
            self.remark(milestone, &series),
        ]
    }

    fn fields(&self) -> Vec<String> {
        let series = ["indicator", "region", "source"].map(str::to_owned);
        let dimensions = self.dimensions.iter().map(|dimension| format!("dim.{dimension}"));
        let of_figures = figures(&Milestone::default()).map(|(name, _)| OF_FIGURE.map(|field| format!("{name}_{field}")));
        let threshold = ["threshold", "state"].map(str::to_owned);
        series.into_iter().chain(dimensions).chain(threshold).chain(of_figures.into_iter().flatten()).collect()
    }

    fn record(&self, milestone: &Milestone) -> Vec<String> {
        let series = milestone.series.clone().unwrap_or_default();
        let mut record = vec![series.indicator, series.region, series.source];
        record.extend(self.dimensions.iter().map(|it| series.dimensions.get(it).cloned().unwrap_or_default()));
        record.extend([milestone.threshold.clone(), state(milestone.state()).to_owned()]);
        for (_, figure) in figures(milestone) {
            let of = |text: fn(&Observation) -> String| figure.map(text).unwrap_or_default();
            record.push(of(|figure| figure.period.clone()));
            record.push(of(|figure| figure.series.as_ref().map(|series| series.source.clone()).unwrap_or_default()));
            record.extend(number(figure));
            record.push(of(|figure| time(figure.published_at.as_ref())));
        }
        record
    }

    fn json(&self, milestone: &Milestone) -> Value {
        to_json(milestone)
    }
}

/// The word for programs.
fn state(state: MilestoneState) -> &'static str {
    match state {
        MilestoneState::Unspecified => "",
        MilestoneState::NotReached => "not-reached",
        MilestoneState::Possible => "possible",
        MilestoneState::Proven => "proven",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_a_field_for_each_of_the_header() {
        let labels = Labels::default();
        let dimensions = BTreeSet::from(["sex".to_owned()]);
        let view = Milestones { labels, dimensions, crossing: v1::Crossing::Reached, language: Language::En };
        let first = Observation { period: "2020".into(), value: "3".into(), ..Observation::default() };
        let milestone =
            Milestone { threshold: "2".into(), state: MilestoneState::Proven.into(), first: Some(first), ..Milestone::default() };
        let record = view.record(&milestone);
        assert_eq!(record.len(), view.fields().len());
        let field = |name: &str| view.fields().iter().position(|field| field == name).map(|place| record[place].as_str());
        assert_eq!((field("state"), field("first_period"), field("latest_period")), (Some("proven"), Some("2020"), Some("")));
    }
}
