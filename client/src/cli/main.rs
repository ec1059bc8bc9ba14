//! The command line `indicator`: arguments in, data out on standard output, everything else on standard error.
//!
//! `args` says what can be asked, `commands` has one file a command, `output` writes the answers, and `failure` turns an
//! error into a message and an exit code. This file only wires them.

mod args;
mod catalog;
mod change;
mod commands;
mod context;
#[path = "../display/mod.rs"]
mod display;
mod failure;
mod moment;
mod output;
mod periods;
mod series;
mod server;
mod stop;
mod transform;
mod typed;
mod unreported;
mod value;
mod write;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;

use crate::{args::Cli, output::Style};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let Err(error) = run(cli) else { return ExitCode::SUCCESS };
    let Some((exit, message)) = failure::explain(&error, Style::of_stderr()) else { return ExitCode::SUCCESS };
    // Standard error may be closed; there is no other place to say so.
    let _ = writeln!(io::stderr(), "{message}");
    exit.into()
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(commands::run(cli))
}
