use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;

use super::{Source, count, digest, named, restore::describe, sources};
use crate::store::{
    Error, Found, Scope, Store,
    archive::{Contents, Restoring},
};

/// Arguments of `indicatord verify`.
#[derive(Debug, Clone, Args)]
#[group(id = "what", required = true, multiple = false)]
pub struct VerifyArgs {
    /// Directory of a store that no server has open; a server compares its own, see AdminService.Verify
    #[arg(long, value_name = "DIR", group = "what")]
    data: Option<PathBuf>,
    /// A backup, and its increments, the oldest first; - reads standard input
    #[arg(value_name = "FILE", group = "what")]
    files: Vec<PathBuf>,
}

/// A store is not what it must be. What is wrong has been told.
#[derive(Debug, thiserror::Error)]
#[error("{}; restore a backup", count(*.0, "problem", "problems"))]
pub struct Damaged(pub u64);

/// Compares a store with its log, or reads archives through.
///
/// # Errors
///
/// [`Damaged`]; what keeps it from being read.
pub fn verify(args: &VerifyArgs) -> anyhow::Result<()> {
    match &args.data {
        Some(directory) => verify_store(directory),
        None => verify_archives(sources(&args.files)?),
    }
}

fn verify_store(directory: &Path) -> anyhow::Result<()> {
    let (found, digest) = match look(directory) {
        Ok(found) => found,
        // The store says itself what is wrong: that is what was asked.
        Err(Error::Corrupt(why)) => {
            writeln!(io::stdout(), "{why}")?;
            return Err(Damaged(1).into());
        }
        Err(error) => return Err(error.into()),
    };
    let mut out = io::stdout();
    for problem in found.problems.listed() {
        writeln!(out, "{problem}")?;
    }
    let (listed, all) = (found.problems.listed().len() as u64, found.problems.count());
    if all > listed {
        writeln!(out, "and {} more", all - listed)?;
    }
    let Contents { requests, .. } = found.contents;
    let bases = count(found.bases, "kept state", "kept states");
    writeln!(out, "checked:  {}, {bases}, {}", describe(&found.contents), count(requests, "request", "requests"))?;
    if all > 0 {
        return Err(Damaged(all).into());
    }
    match digest {
        Ok(digest) => Ok(writeln!(out, "digest:   {digest}")?),
        Err(error) => {
            writeln!(out, "{error:#}")?;
            Err(Damaged(1).into())
        }
    }
}

/// What is found, and the digest if nothing is wrong.
fn look(directory: &Path) -> Result<(Found, anyhow::Result<u64>), Error> {
    let (store, mut problems) = Store::examine(directory)?;
    let mut found = store.verify(Scope::Whole)?;
    problems.append(found.problems);
    found.problems = problems;
    let digest = if found.problems.count() == 0 { digest(store) } else { Ok(0) };
    Ok((found, digest))
}

fn verify_archives(archives: Vec<Source>) -> anyhow::Result<()> {
    let mut restoring = Restoring::nowhere();
    for Source { name, reader } in archives {
        let checked = restoring.add(reader).with_context(|| named(&name))?;
        let header = &checked.header;
        let span = match header.after_revision {
            0 => format!("up to commit {}", header.last_revision),
            after => format!("after commit {after} up to {}", header.last_revision),
        };
        writeln!(io::stdout(), "{}: {} of the history {}, {span}", named(&name), describe(&checked.contents), header.epoch)?;
    }
    Ok(())
}
