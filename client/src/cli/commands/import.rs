//! `indicator import`: data files in.

pub(super) mod data;
pub(super) mod progress;
pub(super) mod report;

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use indicator_client::import::{Event, Import, Settings, Stopped, Summary};
use indicator_proto::v1::{CellChange, WriteContext, WriteMode, WriteObservationsResponse};

use self::data::DataArgs;
use crate::{
    catalog::Labels,
    change::{Change, Changes, What},
    context::{Context, Format, Output},
    failure::Failure,
    output::{Listing, fields},
    write::ReasonArgs,
};

/// Arguments of `indicator import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator import figures.csv
  indicator import gdp.csv --indicator gdp --source nbs --region-column 地区 --period-headers '(\\d{4})年' --factor 100000000
  indicator import gdp_*.csv --mapping gdp.toml --dry-run
  indicator export | indicator --server http://other:7430 import -

A file with the columns that exports have needs nothing said. Of other files, flags or a mapping say which column
or constant is what; a mapping named FILE.import.toml, or import.toml beside the file, is found by itself.
Everything is checked first, and nothing is written if any row is bad, unless --rejects says where to write
those. An interrupted import is finished by running it again: figures that are there already make no version.

Editions go in from the oldest to the newest; those of one import do, however they are named. An edition that repeats a
figure makes no version, so an older one that is imported later, with another figure, stands in its place until the newer
one is imported again.")]
pub(crate) struct Args {
    /// What becomes of the cells that are named, and of the others of their series
    #[arg(long, value_enum, default_value_t = Mode::Merge, value_name = "MODE")]
    mode: Mode,
    /// Check everything and show what would change, but write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Print every change, and not only how many there are
    #[arg(short, long)]
    verbose: bool,
    /// Write the rows that are not taken to this file, each with its line and the reason, and take the others
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    #[command(flatten)]
    reason: ReasonArgs,
    #[command(flatten)]
    data: DataArgs,
}

/// What becomes of cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Insert or replace the cells that are named, leave the others
    Merge,
    /// As merge, and withdraw every other figure of the series that are named
    Replace,
    /// Withdraw the cells that are named
    Delete,
}

impl From<Mode> for WriteMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Merge => Self::Merge,
            Mode::Replace => Self::Replace,
            Mode::Delete => Self::Delete,
        }
    }
}

/// Imports the files.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let include_changes = args.verbose || cx.format != Format::Table;
    let mut import = args.data.prepare(cx, args.mode.into(), include_changes).await?;
    refuse(&args, &import, &Summary::default())?;
    let settings =
        Settings { context: Some(args.reason.context()), validate_only: args.dry_run, skip_rejected: args.rejects.is_some() };
    let summary = match send(cx, &mut import, &settings).await {
        Ok(summary) => summary,
        Err(error) => {
            if let Some(Stopped::Rejected { done }) = error.downcast_ref() {
                refuse(&args, &import, done)?;
            }
            return Err(error);
        }
    };
    cx.remark(&report::outcome(&import, &summary, args.dry_run));
    match &args.rejects {
        None => Ok(()),
        Some(path) => told_apart(&import, path),
    }
}

/// Refuses an import that has rejects, unless they are wanted in a file of their own.
fn refuse(args: &Args, import: &Import, done: &Summary) -> Result<(), Failure> {
    if import.rejected() == 0 {
        return Ok(());
    }
    let written = if done.figures == 0 { "nothing was written" } else { "their batch was not written" };
    match (&args.rejects, import.options().mode) {
        (None, _) => Err(report::refusal(import, written).remedy("correct them, or take the others with --rejects FILE")),
        // What is left of a series would withdraw the rest of it.
        (Some(_), WriteMode::Replace) => {
            Err(report::refusal(import, "nothing was replaced").remedy("correct them, or take the others with --mode merge"))
        }
        (Some(_), _) => Ok(()),
    }
}

/// Writes the rejects, and says so by the exit code too: a script must not take a part for the whole.
fn told_apart(import: &Import, path: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    import.write_rejects(File::create(path).with_context(cannot)?).with_context(cannot)?;
    match import.rejected() {
        0 => Ok(()),
        rejected => Err(Failure::rejected(format!("{rejected} figures were not taken; they are in {}", path.display())).into()),
    }
}

async fn send(cx: &Context, import: &mut Import, settings: &Settings) -> anyhow::Result<Summary> {
    let progress = progress::bar(import.figures());
    let mut printer = import.options().include_changes.then(|| Printer::new(cx, settings)).transpose()?;
    let mut printed = Ok(());
    let sent = import
        .run(&cx.client, settings, |event| match event {
            Event::Progress(summary) => progress.set_position(summary.figures),
            Event::Changes(changes) => {
                if let (Some(printer), Ok(())) = (&mut printer, &printed) {
                    printed = progress.suspend(|| printer.print(changes));
                }
            }
        })
        .await;
    progress.finish_and_clear();
    printed?;
    let summary = sent?;
    if let Some(printer) = printer {
        printer.finish(cx, &summary).await?;
    }
    Ok(summary)
}

/// Prints changes: as they come, but for a table, which needs all of them for its widths.
struct Printer {
    context: WriteContext,
    listing: Option<Listing<Changes, Output>>,
    kept: Vec<Change>,
}

impl Printer {
    fn new(cx: &Context, settings: &Settings) -> anyhow::Result<Self> {
        let listing = match cx.format {
            Format::Table => None,
            _ => Some(cx.listing(Changes::new(Labels::default(), cx.language))?),
        };
        Ok(Self { context: settings.context.clone().unwrap_or_default(), listing, kept: Vec::new() })
    }

    fn print(&mut self, changes: Vec<CellChange>) -> anyhow::Result<()> {
        for change in changes {
            let (revision, context) = (change.observation.as_ref().map_or(0, |new| new.revision), self.context.clone());
            let change = Change { revision, recorded_at: None, context, what: What::Cell(Box::new(change)) };
            match &mut self.listing {
                Some(listing) => listing.push(&change)?,
                None => self.kept.push(change),
            }
        }
        Ok(())
    }

    async fn finish(self, cx: &Context, summary: &Summary) -> anyhow::Result<()> {
        let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let counts = WriteObservationsResponse {
            revision: summary.revision,
            inserted: count(summary.inserted),
            revised: count(summary.revised),
            deleted: count(summary.deleted),
            backfilled: count(summary.backfilled),
            unchanged: count(summary.unchanged),
            ..WriteObservationsResponse::default()
        };
        let listing = match self.listing {
            Some(listing) => listing,
            None => {
                let labels = Labels::of_series(cx, self.kept.iter().filter_map(Change::series)).await?;
                let mut listing = cx.listing(Changes::new(labels, cx.language))?;
                for change in &self.kept {
                    listing.push(change)?;
                }
                listing
            }
        };
        listing.finish(fields(&counts))?;
        Ok(())
    }
}
