//! `indicator completions`: what Tab completes.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Cli;

/// Arguments of `indicator completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator completions bash > ~/.local/share/bash-completion/completions/indicator
  indicator completions zsh > ~/.zfunc/_indicator
  indicator completions fish > ~/.config/fish/completions/indicator.fish")]
pub(crate) struct Args {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    // The generator panics when it cannot write, as when its reader has left: it gets a buffer.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "indicator", &mut script);
    let mut out = io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(())
}
