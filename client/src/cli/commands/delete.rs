//! `indicator delete`: a figure is withdrawn; its history stays.

use indicator_proto::{
    Period,
    v1::{Observation, WriteMode, WriteObservationsRequest},
};

use crate::{
    context::Context,
    series::SeriesArgs,
    write::{ReasonArgs, write},
};

/// Arguments of `indicator delete`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator delete data-centers Shandong 2021-12-06 -s local-media --reason 'counted twice'
  indicator delete data-centers Shandong --all-periods -s local-media --dry-run

Nothing is lost: the figure stays in the history, and `indicator get --as-of` still shows it.")]
pub(crate) struct Args {
    #[command(flatten)]
    series: SeriesArgs,
    /// Period: 2020, 2020-Q4, 2020-12, 2021-12-06, …
    #[arg(required_unless_present = "all_periods", conflicts_with = "all_periods")]
    period: Option<Period>,
    /// Withdraw every figure of the series
    #[arg(long)]
    all_periods: bool,
    /// Whose figure
    #[arg(short, long, value_name = "SOURCE")]
    source: String,
    #[command(flatten)]
    reason: ReasonArgs,
    /// Check everything and show what would change, but write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Withdraws the figure.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let cell = Observation {
        series: Some(cx.series(&args.series, Some(&args.source)).await?),
        period: args.period.map(|period| period.to_string()).unwrap_or_default(),
        ..Observation::default()
    };
    let request = WriteObservationsRequest {
        changes: vec![cell],
        mode: WriteMode::Delete.into(),
        validate_only: args.dry_run,
        context: Some(args.reason.context()),
        ..WriteObservationsRequest::default()
    };
    write(cx, request).await
}
