use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;

use super::{Source, count, digest, hex, named, now, sources};
use crate::store::{
    Store,
    archive::{Contents, Restoring},
};

/// Who makes the commit of a restore.
const ACTOR: &str = "indicatord restore";

/// Arguments of `indicatord restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// Directory of the new store: absent or empty
    #[arg(long, env = "INDICATORD_DATA", value_name = "DIR")]
    data: PathBuf,
    /// The full backup; - reads it from standard input
    #[arg(value_name = "FILE")]
    full: PathBuf,
    /// Its increments, the oldest first
    #[arg(value_name = "INCREMENT")]
    increments: Vec<PathBuf>,
    /// How many numbers to leave out after the backup's last revision. The history that was lost may have used them, so that they must not
    /// come to mean something else: more than it can have written. Restoring the same backup a second time, give more than the first time
    #[arg(long, value_name = "N", default_value_t = 1_000_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    revision_gap: u64,
}

/// Arguments of `indicatord import-log`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// Directory of the new store: absent or empty
    #[arg(long, env = "INDICATORD_DATA", value_name = "DIR")]
    data: PathBuf,
    /// What export-log wrote; - reads it from standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Restores backups into a new store.
///
/// # Errors
///
/// What is wrong with the files or the directory; nothing is left of the store then.
pub fn restore(args: &RestoreArgs) -> anyhow::Result<()> {
    let files: Vec<PathBuf> = std::iter::once(&args.full).chain(&args.increments).cloned().collect();
    let restored = take_in(&args.data, sources(&files)?, |restoring| {
        let (last, _) = restoring.head();
        let reason = format!("restored from a backup of {} at revision {last}", restoring.epoch());
        restoring.go_on_after(args.revision_gap, now(), ACTOR, reason).map(drop)
    })?;
    restored.tell("restored")
}

/// Takes in a history as it is.
///
/// # Errors
///
/// As [`restore`].
pub fn import(args: &ImportArgs) -> anyhow::Result<()> {
    take_in(&args.data, sources(std::slice::from_ref(&args.file))?, |_| Ok(()))?.tell("imported")
}

struct Restored {
    contents: Contents,
    directory: PathBuf,
    head: (u64, [u8; 32]),
    epoch: [u8; 16],
    digest: u64,
}

/// Makes a store of archives; `last` is done when all are in. A store that is not whole is removed again.
fn take_in(
    directory: &Path,
    sources: Vec<Source>,
    last: impl FnOnce(&mut Restoring) -> Result<(), crate::store::Error>,
) -> anyhow::Result<Restored> {
    let was_there = directory.exists();
    let store = Store::begin(directory)?;
    let restored = fill(store, directory, sources, last);
    if restored.is_err() {
        Store::abandon(directory, !was_there);
    }
    restored
}

fn fill(
    store: Store,
    directory: &Path,
    sources: Vec<Source>,
    last: impl FnOnce(&mut Restoring) -> Result<(), crate::store::Error>,
) -> anyhow::Result<Restored> {
    let mut restoring = Restoring::into_store(store);
    let mut contents = Contents::default();
    for Source { name, reader } in sources {
        let checked = restoring.add(reader).with_context(|| named(&name))?;
        contents = contents.with(&checked.contents);
    }
    last(&mut restoring)?;
    let head = restoring.head();
    let store = restoring.finish()?;
    let epoch = store.epoch();
    let completion = store.completion();
    // Whatever keeps a server from starting shows here, while nothing opens the store yet.
    let digest = digest(store)?;
    completion.complete()?;
    Ok(Restored { contents, directory: directory.to_owned(), head, epoch, digest })
}

impl Restored {
    fn tell(&self, what: &str) -> anyhow::Result<()> {
        let Self { contents, directory, head: (revision, hash), epoch, digest } = self;
        let mut out = io::stdout();
        writeln!(out, "{what}: {}", describe(contents))?;
        writeln!(out, "data:     {}", directory.display())?;
        writeln!(out, "epoch:    {} (new: tokens of before are refused)", hex(epoch))?;
        writeln!(out, "revision: {revision}")?;
        writeln!(out, "hash:     {}", hex(hash))?;
        writeln!(out, "digest:   {digest}")?;
        Ok(out.flush()?)
    }
}

/// What an archive or a store has.
pub(super) fn describe(contents: &Contents) -> String {
    format!(
        "{}, {} of figures in {}, {} of catalog entries",
        count(contents.commits, "commit", "commits"),
        count(contents.versions, "version", "versions"),
        count(contents.series, "series", "series"),
        count(contents.entries, "version", "versions"),
    )
}
