//! `indicator get`: one figure, told in full.

use std::io::Write as _;

use anyhow::Context as _;
use indicator_proto::{
    Bound, Decimal, Extent, Interval, Period,
    v1::{
        self, EntryKind, ErrorReason, GetObservationRequest, MissingReason, Observation, ObservationFilter,
        QueryObservationsRequest, SeriesKey,
    },
    words::{figure_with_unit, grouped, rounding, statuses, with_unit},
};

use crate::{
    catalog::Labels,
    context::{Context, Format},
    failure::{Failure, quoted},
    moment::AsOfArgs,
    output::{Card, Observations, clock, explanation, with_series},
    series::SeriesArgs,
};

/// Arguments of `indicator get`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator get 5g-base-stations 山东
  indicator get digital-economy-output Shandong 2020
  indicator get industrial-internet-platforms CN-SD --dim level=provincial
  indicator get gdp Egypt 1965 --as-of 2024-10-20")]
pub(crate) struct Args {
    #[command(flatten)]
    series: SeriesArgs,
    /// Period: 2020, 2020-Q4, 2020-12, 2021-12-06, … [default: the latest]
    period: Option<Period>,
    /// The figure of this source [default: the preferred one]
    #[arg(short, long, value_name = "SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    moment: AsOfArgs,
    /// Tell how the figure of a derived indicator came about
    #[arg(long)]
    explain: bool,
}

/// Prints the figure.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let series = cx.series(&args.series, args.source.as_deref()).await?;
    let request = GetObservationRequest {
        series: Some(series),
        period: args.period.map(|period| period.to_string()).unwrap_or_default(),
        as_of: args.moment.moment(),
        min_revision: 0,
        explain: args.explain,
    };
    let response = match cx.client.get_observation(request.clone()).await {
        Err(error) if error.reason() == Some(ErrorReason::NotFound) => return Err(no_figure(&request).into()),
        answer => answer?,
    };
    match cx.format {
        Format::Json => cx.json(&response),
        Format::Ndjson | Format::Csv => {
            let observation = response.observation.unwrap_or_default();
            let dimensions = observation.series.iter().flat_map(|series| series.dimensions.keys().cloned()).collect();
            let mut listing = cx.listing(Observations::new(Labels::default(), dimensions, cx.language))?;
            listing.push(&observation)?;
            listing.finish(serde_json::Map::new())?;
            Ok(())
        }
        Format::Table => {
            let observation = response.observation.context("the server answered without a figure")?;
            let series = observation.series.clone().unwrap_or_default();
            let others = other_sources(cx, &series, &observation, &args).await?;
            let mut labels = Labels::of_observations(cx, others.iter().chain([&observation])).await?;
            labels.load_units(cx, observation.equivalents.iter().map(|it| &*it.unit)).await?;
            let mut out = cx.stdout();
            card(cx, &series, &observation, &others, &labels).write(cx.style, &mut out)?;
            explanation::write_operands(&observation, &labels, cx.language, &mut out)?;
            Ok(out.flush()?)
        }
    }
}

fn no_figure(request: &GetObservationRequest) -> Failure {
    let SeriesKey { indicator, region, source, dimensions } = request.series.clone().unwrap_or_default();
    let mut what = format!("there is no figure of {indicator} for {region}");
    for (dimension, code) in &dimensions {
        what += &format!(", {dimension} {code}");
    }
    if !request.period.is_empty() {
        what += &format!(", in {}", request.period);
    }
    if !source.is_empty() {
        what += &format!(", by {source}");
    }
    if request.as_of.is_some() {
        what += ", at that moment";
    }
    // It lists the periods, sources and breakdowns that there are.
    Failure::not_found(what).remedy(format!("indicator query -i {} -r {} --all-sources", quoted(&indicator), quoted(&region)))
}

/// What the other sources say of the same cell.
async fn other_sources(
    cx: &Context,
    series: &SeriesKey,
    observation: &Observation,
    args: &Args,
) -> anyhow::Result<Vec<Observation>> {
    // A derived figure has no other sources: its operands have.
    if observation.derivation.is_some() {
        return Ok(Vec::new());
    }
    let filter = ObservationFilter {
        indicators: vec![series.indicator.clone()],
        regions: vec![series.region.clone()],
        all_sources: true,
        dimensions: series.dimensions.clone(),
        start_period: observation.period.clone(),
        end_period: observation.period.clone(),
        ..ObservationFilter::default()
    };
    let request =
        QueryObservationsRequest { filter: Some(filter), as_of: args.moment.moment(), ..QueryObservationsRequest::default() };
    let chunks = cx.client.query_observations(request).await?.read_to_end().await?;
    // A dimension that the filter does not name matches every code, and a period matches the shorter ones within it.
    let same_cell = |other: &Observation| {
        let key = other.series.as_ref();
        other.period == observation.period
            && key.is_some_and(|key| key.dimensions == series.dimensions && key.source != series.source)
    };
    Ok(chunks.into_iter().flat_map(with_series).filter(same_cell).collect())
}

fn card(cx: &Context, series: &SeriesKey, observation: &Observation, others: &[Observation], labels: &Labels) -> Card {
    let language = cx.language;
    let word = |en, zh| language.word(en, zh);
    let indicator = labels.indicator(&series.indicator);
    let unit = labels.unit_of(&series.indicator);
    let named = |kind, id: &str| match labels.name(kind, id, language) {
        name if name == id => id.to_owned(),
        name => format!("{name} ({id})"),
    };
    let mut card = Card::new(figure_with_unit(observation, indicator, unit, language));
    card.line(word("indicator", "指标"), named(EntryKind::Indicator, &series.indicator))
        .line(word("region", "地区"), named(EntryKind::Region, &series.region))
        .line(word("breakdown", "分类"), labels.dimensions(series, language))
        .line(word("period", "时期"), &*observation.period)
        .line(word("source", "来源"), named(EntryKind::Source, &series.source))
        .line(word("computed", "计算"), observation.derivation.as_ref().map_or("", |derivation| &*derivation.formula))
        .line(word("status", "状态"), statuses(observation, language).join(", "));
    if !observation.rounded_to.is_empty() {
        card.line(word("precision", "精度"), rounding(&observation.rounded_to, language));
    }
    for equivalent in &observation.equivalents {
        let figure = with_unit(&grouped(&equivalent.value, 0), labels.unit(&equivalent.unit), language);
        card.line(word("equivalent", "折合"), figure);
    }
    if !observation.original_text.is_empty() {
        card.line(word("words", "原文"), format!("“{}”", observation.original_text));
    }
    card.line(word("note", "说明"), &*observation.note)
        .line(word("document", "文件"), &*observation.document_uri)
        .line(word("published", "发布"), clock(observation.published_at.as_ref()));
    let recorded = clock(observation.recorded_at.as_ref());
    card.line(word("recorded", "记录"), format!("{recorded}{}{}", word(", revision ", "，修订号 "), observation.revision));
    for other in others {
        let key = other.series.clone().unwrap_or_default();
        let figure = figure_with_unit(other, indicator, unit, language);
        let source = labels.name(EntryKind::Source, &key.source, language);
        let verdict = if disagree(observation, other) { word(" – disagrees", " – 不一致") } else { "" };
        card.line(word("elsewhere", "其他来源"), format!("{source}: {figure}{verdict}"));
    }
    card
}

/// Whether two figures cannot be the same one, their bounds and rounding considered.
fn disagree(one: &Observation, other: &Observation) -> bool {
    match (extent(one), extent(other)) {
        (Some(one), Some(other)) => !one.can_equal(&other),
        _ => false,
    }
}

/// What an observation allows the figure to be. `None` if it says nothing of it.
fn extent(observation: &Observation) -> Option<Extent> {
    if observation.missing() != MissingReason::Unspecified || observation.deleted {
        return None;
    }
    if let Some(v1::Interval { lower, upper }) = &observation.interval {
        return Some(Interval::new(lower.parse().ok()?, upper.parse().ok()?).ok()?.into());
    }
    let rounded_to: Option<Decimal> = observation.rounded_to.parse().ok();
    Some(Extent::of_value(observation.value.parse().ok()?, Bound::from(observation.bound()), rounded_to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(value: &str, bound: v1::Bound, rounded_to: &str) -> Observation {
        let bound = bound.into();
        Observation { value: value.into(), bound, rounded_to: rounded_to.into(), ..Observation::default() }
    }

    #[test]
    fn sources_disagree_only_if_no_figure_fits_both() {
        let rounded = value("1710000", v1::Bound::Exact, "10000");
        let above = value("1700000", v1::Bound::GreaterThan, "");
        let below = value("1700000", v1::Bound::AtMost, "");
        let interval = v1::Interval { lower: "1".into(), upper: "1704999".into() };
        let between = Observation { interval: Some(interval), ..Observation::default() };
        let missing = Observation { missing: MissingReason::Suppressed.into(), ..Observation::default() };
        assert!(!disagree(&rounded, &above), "1.71 million is more than 1.7 million");
        assert!(disagree(&rounded, &below));
        assert!(disagree(&above, &below));
        assert!(disagree(&rounded, &between));
        assert!(!disagree(&above, &between));
        assert!(!disagree(&rounded, &missing), "a figure that is missing says nothing");
    }

    #[test]
    fn a_figure_that_is_not_there_is_described_and_what_there_is_can_be_listed() {
        let dimensions = [("level".to_owned(), "county".to_owned())].into();
        let series = SeriesKey { indicator: "platforms".into(), region: "CN-SD".into(), source: "media".into(), dimensions };
        let request = GetObservationRequest {
            series: Some(series),
            period: "1999".into(),
            as_of: Some(v1::AsOf::default()),
            ..GetObservationRequest::default()
        };
        let failure = no_figure(&request).to_string();
        assert_eq!(failure, "there is no figure of platforms for CN-SD, level county, in 1999, by media, at that moment");
    }
}
