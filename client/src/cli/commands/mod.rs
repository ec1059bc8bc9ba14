//! One file a command. Each reads its arguments, asks the server, and writes the answer; this file only dispatches.

mod completions;

use clap::Subcommand;
use indicator_client::Client;

use crate::{
    args::{Cli, Global},
    context::{Context, Language},
    output::Style,
};

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the completion script of a shell
    Completions(completions::Args),
}

/// Runs the command that was asked for.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    let cx = context(&cli.global)?;
    match cli.command {
        Command::Completions(args) => completions::run(&cx, args).await,
    }
}

fn context(global: &Global) -> anyhow::Result<Context> {
    Ok(Context {
        client: Client::connect_lazy(&global.server)?,
        format: global.output,
        language: global.lang.unwrap_or_else(Language::of_environment),
        style: Style::of_stdout(),
    })
}
