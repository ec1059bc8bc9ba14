//! `indicator export`: figures as the tidy CSV that `indicator import` takes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use futures::future::try_join_all;
use indicator_client::export;
use indicator_proto::v1::{GetIndicatorRequest, QueryObservationsRequest};

use super::query::FilterArgs;
use crate::{
    context::Context,
    failure::{Failure, quoted},
    moment::AsOfArgs,
};

/// Arguments of `indicator export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator export --file everything.csv
  indicator export -i gdp -r China --subregions > gdp.csv
  indicator export -i gdp --as-of 2024-10-20 --file gdp-as-it-was.csv

The file has a row for each figure, the same columns whatever is exported, and needs no mapping to be imported
again. Every source is exported unless --source says otherwise.")]
pub(crate) struct Args {
    /// Where to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    moment: AsOfArgs,
    #[command(flatten)]
    filter: FilterArgs,
}

/// What is computed cannot be imported again.
async fn refuse_derived(cx: &Context, indicators: &[String]) -> anyhow::Result<()> {
    let requests = indicators.iter().map(|id| GetIndicatorRequest { id: id.clone(), as_of: None });
    let found = try_join_all(requests.map(|request| cx.client.get_indicator(request))).await?;
    let derived = found.into_iter().filter_map(|it| it.indicator).find(|it| !it.formula.is_empty());
    let Some(derived) = derived else { return Ok(()) };
    let what = format!("{} is computed as {}, and could not be imported again", derived.id, derived.formula);
    Err(Failure::usage(what).remedy(format!("indicator query -i {} -o csv", quoted(&derived.id))).into())
}

/// Writes the figures.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let mut filter = args.filter.filter(cx).await?;
    // The preferred figure of each cell would be a view of the record, not the record.
    filter.all_sources = filter.sources.is_empty();
    refuse_derived(cx, &filter.indicators).await?;
    let request =
        QueryObservationsRequest { filter: Some(filter), as_of: args.moment.moment(), ..QueryObservationsRequest::default() };
    let written = match &args.file {
        None => write(cx, request, cx.stdout()).await?,
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            let written = write(cx, request, BufWriter::new(&file)).await?;
            // Whoever exports to keep it is told of a full disk now, and not never.
            file.sync_all().or_else(ignore_unsupported).with_context(|| format!("cannot write {}", path.display()))?;
            written
        }
    };
    cx.remark(&format!("{written} {}", if written == 1 { "figure" } else { "figures" }));
    Ok(())
}

async fn write<W: Write>(cx: &Context, request: QueryObservationsRequest, out: W) -> anyhow::Result<u64> {
    let progress = super::import::progress::spinner();
    let written = export::export(&cx.client, request, out, |written| progress.set_position(written)).await;
    progress.finish_and_clear();
    Ok(written?)
}

/// Devices and pipes cannot be synchronised, and need not be.
fn ignore_unsupported(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => Ok(()),
        _ => Err(error),
    }
}
