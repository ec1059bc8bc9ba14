//! `indicator history`: every version that a figure had.

mod dates;
mod grid;
mod statistics;
mod vintages;

use std::io::Write as _;

use indicator_proto::{
    Period, Time,
    v1::{EntryKind, Frequency, ListVintagesRequest, SeriesKey, VintageAxis, VintageView},
    words::{Language, symbol},
};

use crate::{
    catalog::Labels,
    context::Context,
    failure::Failure,
    moment::{AsOfArgs, end},
    output::Card,
    series::SeriesArgs,
    typed::Typed as _,
};

/// Arguments of `indicator history`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator history gdp Egypt 1965
  indicator history digital-economy-output 山东 --source local-media
  indicator history gdp EGY 1965 --as-of 2024-10-20 -o csv
  indicator history real-gdp US --view all-by-vintage --from 2020-01-01
  indicator history real-gdp US --dates
  indicator history real-gdp US --statistics --from-period 2000 --to-period 2019

The views are the output types of ALFRED: each version with the time it was valid; every figure on each vintage date; what
each vintage date changed; the first figure of each period. Vintage dates are those on which the source published, or
with --axis recorded those on which the service recorded.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: SeriesArgs,
    /// Period: 2020, 2020-Q4, 2020-12, 2021-12-06, … [default: every period]
    period: Option<Period>,
    /// The figures of this source [default: the preferred one]
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// How to show the versions
    #[arg(long, value_name = "VIEW", value_parser = VintageView::parser(), default_value = "real-time-periods")]
    view: VintageView,
    /// Along which time: when the source published, or when the service recorded
    #[arg(long, value_name = "AXIS", value_parser = VintageAxis::parser(), default_value = "published")]
    axis: VintageAxis,
    /// Only vintage dates from this one on; of a view by vintage date
    #[arg(long, value_name = "TIME", conflicts_with_all = ["dates", "statistics"])]
    from: Option<Time>,
    /// Only vintage dates up to the end of this one; of a view by vintage date
    #[arg(long, value_name = "TIME", value_parser = end, conflicts_with_all = ["dates", "statistics"])]
    to: Option<Time>,
    /// List the vintage dates of the series, with what each brought
    #[arg(long, conflicts_with_all = ["statistics", "view", "period"])]
    dates: bool,
    /// Tell how much first prints were revised
    #[arg(long, conflicts_with_all = ["view", "period"])]
    statistics: bool,
    /// Statistics only of periods that start in this one or later
    #[arg(long, value_name = "PERIOD", requires = "statistics")]
    from_period: Option<Period>,
    /// Statistics only of periods that end in this one or earlier
    #[arg(long, value_name = "PERIOD", requires = "statistics")]
    to_period: Option<Period>,
    /// Statistics only of periods of this frequency
    #[arg(short, long, value_name = "FREQUENCY", value_parser = Frequency::parser(), requires = "statistics")]
    frequency: Option<Frequency>,
    #[command(flatten)]
    moment: AsOfArgs,
}

/// Prints the versions, or what is asked of them.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let by_date = matches!(args.view, VintageView::AllByVintage | VintageView::NewOrRevised);
    if (args.from.is_some() || args.to.is_some()) && !by_date {
        let limits = "--from and --to limit vintage dates";
        return Err(Failure::usage(limits).remedy("add --view all-by-vintage or --view new-or-revised").into());
    }
    let series = cx.series(&args.series, args.source.as_deref()).await?;
    if args.dates {
        return dates::run(cx, series, args.axis, args.moment.moment()).await;
    }
    if args.statistics {
        return statistics::run(cx, series, &args).await;
    }
    let request = ListVintagesRequest {
        series: Some(series),
        period: args.period.map(|period| period.to_string()).unwrap_or_default(),
        as_of: args.moment.moment(),
        view: args.view.into(),
        axis: args.axis.into(),
        start_date: args.from.map(Into::into),
        end_date: args.to.map(Into::into),
        ..ListVintagesRequest::default()
    };
    vintages::run(cx, request).await
}

/// There is nothing to tell.
fn nothing() -> Failure {
    let nothing = "there has never been a figure of this series and period";
    Failure::not_found(nothing).remedy("indicator query shows which periods and sources there are")
}

/// The word for an axis, as it stands after what is told along it.
fn along(axis: VintageAxis, language: Language) -> &'static str {
    match axis {
        VintageAxis::Unspecified | VintageAxis::Published => language.word("by date of publication", "按发布时间"),
        VintageAxis::Recorded => language.word("by time of recording", "按记录时间"),
    }
}

/// What a table needs to know of the series that all of it is about.
struct Subject {
    labels: Labels,
    language: Language,
    indicator: String,
    heading: String,
    decimals: Option<u32>,
    unit: String,
}

impl Subject {
    async fn new(cx: &Context, series: &SeriesKey) -> anyhow::Result<Self> {
        let language = cx.language;
        let labels = Labels::of_series(cx, [series]).await?;
        let name = |kind, id| labels.name(kind, id, language);
        let mut heading = format!(
            "{}, {}: {}",
            name(EntryKind::Indicator, &series.indicator),
            name(EntryKind::Region, &series.region),
            name(EntryKind::Source, &series.source),
        );
        if !series.dimensions.is_empty() {
            heading = format!("{heading} ({})", labels.dimensions(series, language));
        }
        Ok(Self {
            decimals: labels.indicator(&series.indicator).and_then(|indicator| indicator.decimals),
            unit: labels.unit_of(&series.indicator).map(|unit| symbol(unit, language).to_owned()).unwrap_or_default(),
            indicator: series.indicator.clone(),
            heading,
            labels,
            language,
        })
    }

    /// The series stands above the table: every row is about it. What holds for all of them stands beside it.
    fn write_heading(&self, cx: &Context, beside: &[&str]) -> anyhow::Result<()> {
        let (after, between) = (self.language.word("; ", "；"), self.language.word(", ", "，"));
        let beside: Vec<&str> = beside.iter().copied().filter(|text| !text.is_empty()).collect();
        let beside = if beside.is_empty() { String::new() } else { format!("{after}{}", beside.join(between)) };
        let mut out = cx.stdout();
        Card::new(format!("{}{beside}", self.heading)).write(cx.style, &mut out)?;
        Ok(out.flush()?)
    }
}
