//! `indicator catalog`: what figures are about.

mod apply;
mod export;
mod list;
mod show;

use clap::Subcommand;

use crate::context::Context;

/// Arguments of `indicator catalog`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Insert, replace and delete entries as files say, all in one commit
    Apply(apply::Args),
    /// Write entries as a file that apply takes
    Export(export::Args),
    /// List the entries of a kind
    List(list::Args),
    /// Print everything known of one entry
    Show(show::Args),
}

/// Runs the subcommand.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Apply(args) => apply::run(cx, args).await,
        Command::Export(args) => export::run(cx, args).await,
        Command::List(args) => list::run(cx, args).await,
        Command::Show(args) => show::run(cx, args).await,
    }
}
