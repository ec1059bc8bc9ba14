use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use clap::Args;
use indicator_client::archive::ArchiveFile;

use super::{digest, hex, now, restore::describe};
use crate::store::{Store, archive::Since};

/// Arguments of `indicatord export-log`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// Directory of the store
    #[arg(long, env = "INDICATORD_DATA", value_name = "DIR")]
    data: PathBuf,
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

/// Writes the whole history of a store into a file.
///
/// # Errors
///
/// What is wrong with the store or the file; none is left then.
pub fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let mut file = ArchiveFile::create(&args.file, args.force)?;
    let (store, problems) = Store::examine(&args.data)?;
    problems.into_result()?;
    let (revision, hash) = store.newest()?.map_or((0, [0; 32]), |(revision, header)| (revision, header.hash));
    let backup = store.backup(Since::default(), (revision, hash), hex(&store.epoch()), now())?;
    let contents = backup.write(&mut file).with_context(|| args.file.display().to_string())?;
    let summary = file.finish()?;
    let digest = digest(store)?;
    let mut out = io::stdout();
    writeln!(out, "exported: {}", describe(&contents))?;
    writeln!(out, "file:     {}, {} bytes", args.file.display(), summary.bytes)?;
    writeln!(out, "revision: {revision}")?;
    writeln!(out, "hash:     {}", hex(&hash))?;
    writeln!(out, "digest:   {digest}")?;
    Ok(out.flush()?)
}
