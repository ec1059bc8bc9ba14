//! `indicator compact`: where replays begin.

use std::io::Write as _;

use indicator_proto::{to_json, v1::CompactRequest, words::grouped};

use crate::context::{Context, Format};

/// Arguments of `indicator compact`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator compact
  indicator compact 120000

Watches that go on after this revision or a later one get every change. Older ones get the latest state of what changed since, or a
snapshot. No figure and no version of one is lost: query, history and log show them all. What has once moved on never goes back.")]
pub(crate) struct Args {
    /// Up to which revision [default: the newest]
    #[arg(value_name = "REVISION", value_parser = clap::value_parser!(u64).range(1..))]
    revision: Option<u64>,
}

/// Moves the horizon and prints where it is.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let compacted = cx.client.compact(CompactRequest { revision: args.revision.unwrap_or(0) }).await?;
    let horizon = compacted.horizon_revision;
    let mut out = cx.stdout();
    match cx.format {
        Format::Table => {
            let text = cx.language.word("replays begin after revision", "可重放自修订号");
            writeln!(out, "{text} {}", grouped(&horizon.to_string(), 0))?;
        }
        Format::Json => writeln!(out, "{:#}", to_json(&compacted))?,
        Format::Ndjson => writeln!(out, "{}", to_json(&compacted))?,
        Format::Csv => writeln!(out, "horizon_revision\n{horizon}")?,
    }
    out.flush()?;
    Ok(())
}
