//! `indicator backup`: the record as a file.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use futures::{StreamExt as _, stream::BoxStream};
use indicator_client::archive::{self, ArchiveFile, Check, Summary};
use indicator_proto::{to_json, v1::BackupRequest, words::grouped};

use super::import::progress;
use crate::{
    context::{Context, Format},
    failure::Failure,
};

/// Arguments of `indicator backup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator backup monday.ind
  indicator backup tuesday.ind --since-backup monday.ind
  indicator backup - | ssh elsewhere 'cat > records.ind'

A backup has every commit up to the newest when it begins; writers go on meanwhile. Nothing is left of one that is cut off. It is
read through before it gets its name; the command `indicatord verify` reads it again at any time, and `indicatord restore --data DIR
monday.ind tuesday.ind` makes a store of it. It is not encrypted: keep it as the store itself.")]
pub(crate) struct Args {
    /// The file to write, which only you may read; - is standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only the commits after this one
    #[arg(long, value_name = "REVISION", conflicts_with = "since_backup", value_parser = clap::value_parser!(u64).range(1..))]
    after: Option<u64>,
    /// Only the commits after those of this backup, which must be of the same history
    #[arg(long, value_name = "FILE")]
    since_backup: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

/// Writes a backup.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let request = request(&args)?;
    let to_stdout = args.file.as_os_str() == "-";
    // Before the server reads all that it has.
    let file = if to_stdout { None } else { Some(ArchiveFile::create(&args.file, args.force).map_err(usage)?) };
    let chunks = cx.client.backup(request).await?;
    let summary = match file {
        Some(file) => write_file(chunks, file).await?,
        None => write_out(chunks, io::stdout()).await?,
    };
    tell(cx, &summary, &args.file, to_stdout)
}

fn request(args: &Args) -> anyhow::Result<BackupRequest> {
    let Some(before) = &args.since_backup else {
        return Ok(BackupRequest { after_revision: args.after.unwrap_or(0), ..BackupRequest::default() });
    };
    let header = archive::check(before)?.header;
    Ok(BackupRequest { after_revision: header.last_revision, after_hash: header.last_hash, epoch: header.epoch })
}

type Chunks = BoxStream<'static, Result<Vec<u8>, indicator_client::Error>>;

async fn write_file(mut chunks: Chunks, mut file: ArchiveFile) -> anyhow::Result<Summary> {
    let bar = progress::bytes();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        file.write_all(&chunk).context("the backup cannot be written")?;
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    Ok(file.finish()?)
}

async fn write_out(mut chunks: Chunks, mut out: impl Write) -> anyhow::Result<Summary> {
    let mut check = Check::default();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        check.push(&chunk)?;
        out.write_all(&chunk)?;
    }
    out.flush()?;
    Ok(check.finish()?)
}

/// A name that cannot be written to is the caller's mistake; a disk that fails is not.
fn usage(error: archive::Error) -> anyhow::Error {
    match error {
        archive::Error::Name { .. } => Failure::usage(error.to_string()).into(),
        error => error.into(),
    }
}

fn tell(cx: &Context, summary: &Summary, file: &Path, to_stdout: bool) -> anyhow::Result<()> {
    let number = |number: u64| grouped(&number.to_string(), 0);
    let Summary { header, end, bytes } = summary;
    let mut out = cx.stdout();
    match cx.format {
        Format::Table => {
            let (word, commits) = (|en, zh| cx.language.word(en, zh), number(end.commits));
            let (revision, versions, bytes) = (number(header.last_revision), number(end.versions), number(*bytes));
            let of = match header.after_revision {
                0 => String::new(),
                after => format!("{} {}, ", word("after revision", "自修订号"), number(after)),
            };
            cx.remark(&format!(
                "{}: {of}{} {revision}; {commits} {}, {versions} {}, {bytes} {}",
                file.display(),
                word("up to revision", "至修订号"),
                word("commits", "次提交"),
                word("versions", "个版本"),
                word("bytes", "字节"),
            ));
        }
        _ if to_stdout => {}
        Format::Json => writeln!(out, "{:#}", to_json(header))?,
        Format::Ndjson => writeln!(out, "{}", to_json(header))?,
        Format::Csv => {
            let (after, last) = (header.after_revision, header.last_revision);
            writeln!(out, "epoch,after_revision,last_revision,commits,versions,bytes")?;
            writeln!(out, "{},{after},{last},{},{},{bytes}", header.epoch, end.commits, end.versions)?;
        }
    }
    Ok(out.flush()?)
}
