//! `indicator live`: figures on the terminal as they change.

use std::io::{self, IsTerminal as _};

use indicator_client::names::{NameError, ResolveError};
use indicator_proto::v1::{EntryKind, ObservationFilter, QueryObservationsRequest};

use crate::{
    catalog::Labels,
    commands::query::FilterArgs,
    context::{Context, Format},
    display::{self, Look, Scope},
    failure::Failure,
};

/// Arguments of `indicator live`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator live
  indicator live 山东
  indicator live 5g-base-stations
  indicator live -i gdp -r China --subregions --level province
  indicator live Shandong --once --width 120

Shows the indicators of a region, or one indicator over regions, and follows them: the latest figures with their bounds, how they
stand to the period before, the last periods as a line, who says so. A row whose figure changes lights up. Enter goes into a row,
Esc back and up; Tab goes from pane to pane: chart, ranking, changes with who and why, everything about one figure with its history.
? explains the keys.

When the connection breaks, the last picture stays, the status line says since when, and the display goes on by itself.

Exit codes: those of every command; 130 after Ctrl-C and 143 after SIGTERM, with the terminal as it was before.")]
pub(crate) struct Args {
    /// Region or indicator to begin with: an id, a name or another spelling [default: a region that has figures]
    #[arg(value_name = "REGION|INDICATOR", conflicts_with_all = ["region", "indicator"])]
    subject: Option<String>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Print the picture once, as text, and end
    #[arg(long)]
    once: bool,
    /// How many columns the picture of --once has [default: those of the terminal, else 100]
    #[arg(long, value_name = "COLUMNS", requires = "once", value_parser = clap::value_parser!(u16).range(40..=500))]
    width: Option<u16>,
    /// No other characters than those of ASCII, but for names
    #[arg(long)]
    ascii: bool,
}

/// Shows figures until the user leaves, or prints them once.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    if cx.format != Format::Table {
        let failure = Failure::usage("a display is for people, and has one form");
        return Err(failure.remedy("indicator watch -o ndjson, or indicator query -o json").into());
    }
    if !args.once && !io::stdout().is_terminal() {
        let failure = Failure::usage("a display needs a terminal, and standard output is none");
        return Err(failure.remedy("indicator live --once").into());
    }
    let scope = args.scope(cx).await?;
    let catalog = Labels::all(&cx.client).await?;
    let look = Look { ascii: args.ascii, color: cx.style.color, still: args.once };
    if !args.once {
        return display::run(cx, scope, catalog, look).await;
    }
    let of_terminal = || ratatui::crossterm::terminal::size().ok().filter(|_| io::stdout().is_terminal());
    let width = args.width.or_else(|| of_terminal().map(|(columns, _)| columns)).unwrap_or(100);
    display::once(cx, scope, catalog, look, width.max(40)).await
}

impl Args {
    async fn scope(&self, cx: &Context) -> anyhow::Result<Scope> {
        if let Some(text) = &self.subject {
            let scope = subject(cx, text).await?;
            let narrowed = self.filter.filter(cx).await?;
            return Ok(Scope {
                filter: ObservationFilter { indicators: scope.filter.indicators, regions: scope.filter.regions, ..narrowed },
                ..scope
            });
        }
        let filter = self.filter.filter(cx).await?;
        if filter != ObservationFilter::default() {
            return Ok(Scope::of_filter(filter));
        }
        let region = some_region(cx).await?;
        Ok(region.map_or_else(Scope::default, |region| Scope::of_region(&region)))
    }
}

/// The region or the indicator of this name.
async fn subject(cx: &Context, text: &str) -> anyhow::Result<Scope> {
    match cx.client.resolve(EntryKind::Region, text).await {
        Ok(region) => Ok(Scope::of_region(&region)),
        Err(ResolveError::Name(problem @ NameError::Unknown { .. })) => {
            match cx.client.resolve(EntryKind::Indicator, text).await {
                Ok(indicator) => Ok(Scope::of_indicator(&indicator)),
                Err(ResolveError::Name(other)) => Err(Failure::names(&[problem, other]).into()),
                Err(ResolveError::Call(error)) => Err(error.into()),
            }
        }
        Err(ResolveError::Name(problem)) => Err(Failure::names(&[problem]).into()),
        Err(ResolveError::Call(error)) => Err(error.into()),
    }
}

/// The region of the first figure that there is.
async fn some_region(cx: &Context) -> anyhow::Result<Option<String>> {
    let request = QueryObservationsRequest { latest_n: 1, page_size: 1, ..QueryObservationsRequest::default() };
    let first = cx.client.query_observations(request).await?.next_chunk().await?;
    Ok(first.and_then(|chunk| chunk.series).map(|series| series.region))
}
