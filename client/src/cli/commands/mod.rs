//! One file a command. Each reads its arguments, asks the server, and writes the answer; this file only dispatches.

mod backup;
mod catalog;
mod compact;
mod compare;
mod completions;
mod delete;
mod discrepancies;
mod export;
mod get;
mod history;
mod import;
mod live;
mod log;
mod milestones;
mod put;
mod query;
mod rank;
mod replay;
mod rollup;
mod search;
mod status;
mod verify;
mod watch;

use clap::Subcommand;

use crate::{
    args::{Cli, Global},
    context::Context,
    output::Style,
};
use indicator_proto::words::Language;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print one figure with everything known of it
    Get(get::Args),
    /// List the figures that a selection of indicators, regions, sources and periods has
    Query(query::Args),
    /// Write one figure
    Put(put::Args),
    /// Withdraw a figure, or all of a series; their history stays
    Delete(delete::Args),
    /// Write the figures of data files
    Import(import::Args),
    /// Write the figures of data files as a stream, period by period or edition by edition
    Replay(replay::Args),
    /// Print figures as the tidy CSV that import takes
    Export(export::Args),
    /// Find indicators, regions, sources, units and dimensions by name
    Search(search::Args),
    /// Read and write the catalog: regions, sources, units, dimensions, indicators
    Catalog(catalog::Args),
    /// Put regions in order of a figure, or follow how they move
    Rank(rank::Args),
    /// Make figures of regions into one of the region above them
    Rollup(rollup::Args),
    /// Print regions by indicators as one table
    Compare(compare::Args),
    /// List the cells of which sources say what cannot all be true
    Discrepancies(discrepancies::Args),
    /// Tell when figures crossed thresholds, for certain or perhaps
    Milestones(milestones::Args),
    /// Print every version that a figure had
    History(history::Args),
    /// Print the commits: who changed what, when and why
    Log(log::Args),
    /// Print changes as they happen
    Watch(watch::Args),
    /// Show figures on the terminal as they change
    Live(live::Args),
    /// Let replays of changes begin later; figures and their history stay
    Compact(compact::Args),
    /// Write the record, or what was added to it, into a file
    Backup(backup::Args),
    /// Compare the store with its log
    Verify(verify::Args),
    /// Print how the service is
    Status(status::Args),
    /// Print the completion script of a shell
    Completions(completions::Args),
}

/// Runs the command that was asked for.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    // Completions must work wherever a shell starts, whatever the server's address is.
    let cx = || context(&cli.global);
    match cli.command {
        Command::Get(args) => get::run(&cx()?, args).await,
        Command::Query(args) => query::run(&cx()?, args).await,
        Command::Put(args) => put::run(&cx()?, args).await,
        Command::Delete(args) => delete::run(&cx()?, args).await,
        Command::Import(args) => import::run(&cx()?, args).await,
        Command::Replay(args) => replay::run(&cx()?, args).await,
        Command::Export(args) => export::run(&cx()?, args).await,
        Command::Search(args) => search::run(&cx()?, args).await,
        Command::Catalog(args) => catalog::run(&cx()?, args).await,
        Command::Rank(args) => rank::run(&cx()?, args).await,
        Command::Rollup(args) => rollup::run(&cx()?, args).await,
        Command::Compare(args) => compare::run(&cx()?, args).await,
        Command::Discrepancies(args) => discrepancies::run(&cx()?, args).await,
        Command::Milestones(args) => milestones::run(&cx()?, args).await,
        Command::History(args) => history::run(&cx()?, args).await,
        Command::Log(args) => log::run(&cx()?, args).await,
        Command::Watch(args) => watch::run(&cx()?, args).await,
        Command::Live(args) => live::run(&cx()?, args).await,
        Command::Compact(args) => compact::run(&cx()?, args).await,
        Command::Backup(args) => backup::run(&cx()?, args).await,
        Command::Verify(args) => verify::run(&cx()?, args).await,
        Command::Status(args) => status::run(&cx()?, args).await,
        Command::Completions(args) => completions::run(&args),
    }
}

fn context(global: &Global) -> anyhow::Result<Context> {
    Ok(Context {
        client: global.server.client()?,
        format: global.output,
        language: global.lang.unwrap_or_else(Language::of_environment),
        style: Style::of_stdout(),
    })
}
