//! `indicator watch`: changes as they happen, for as long as somebody reads them.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
};

use indicator_client::{Error, WatchEvent};
use indicator_proto::{
    SeriesKey,
    v1::{
        CellChange, CommitEvents, SeriesObservations, StartNow, StartSnapshot, WatchOutcome, WatchRequest, watch_request::Start,
    },
};

use crate::{
    catalog::Labels,
    change::{Change, Changes, What},
    commands::query::FilterArgs,
    context::{Context, Format, Output},
    failure::Failure,
    output::{Listing, View as _, printable, with_series},
};

/// A server that was never there is given up after this many attempts; one that was is waited for.
const ATTEMPTS: u32 = 5;

/// Arguments of `indicator watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator watch
  indicator watch --region 山东 --snapshot
  indicator watch --indicator 5g-base-stations --after 17 -o ndjson

A line a change, the figure before and the figure after. When the connection breaks, the watch goes on by itself where it
was, without a gap or a repeat, and says so on standard error. Without --source, every source is watched. Ctrl-C stops it.")]
pub(crate) struct Args {
    #[command(flatten)]
    filter: FilterArgs,
    /// Print the current figures first
    #[arg(long, conflicts_with = "after")]
    snapshot: bool,
    /// Print the changes after this revision first; 0 means all there ever were
    #[arg(long, value_name = "REVISION")]
    after: Option<u64>,
}

/// Prints changes until it is stopped.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    if cx.format == Format::Json {
        let failure = Failure::usage("a watch has no end, and so cannot be one JSON object");
        return Err(failure.remedy("-o ndjson: one JSON object a change").into());
    }
    let start = match args.after {
        Some(revision) => Start::AfterRevision(revision),
        None if args.snapshot => Start::Snapshot(StartSnapshot {}),
        None => Start::Now(StartNow {}),
    };
    let filter = Some(args.filter.filter(cx).await?);
    let request = WatchRequest { filter, start: Some(start), include_previous: true, ..WatchRequest::default() };
    let mut watch = cx.client.watch(request);
    let mut feed = Feed::new(cx)?;
    let mut opened = false;
    while let Some(event) = watch.next().await {
        match event? {
            WatchEvent::Connecting { attempt, error: Some(error), .. } if !opened && attempt >= ATTEMPTS => {
                return Err(error.into());
            }
            // A server that is not there is told once, at the end.
            WatchEvent::Connecting { error: Some(Error::Connect { .. }), .. } if !opened => {}
            WatchEvent::Snapshot(series) => feed.snapshot(series).await?,
            WatchEvent::SnapshotEnd { .. } => feed.flush()?,
            WatchEvent::Commit(commit) => feed.commit(commit).await?,
            other => {
                if let Some(text) = notice(&other, opened) {
                    // Standard error may be closed: the data go on.
                    let _ = writeln!(io::stderr(), "{}", printable(&text));
                }
                opened |= matches!(other, WatchEvent::Opened { .. });
            }
        }
    }
    Ok(())
}

/// What to tell about the connection. `again` if it has been open before.
fn notice(event: &WatchEvent, again: bool) -> Option<String> {
    Some(match event {
        WatchEvent::Connecting { error: None, wait, .. } => {
            format!("the server ends the watch; connecting again in {:.1} s", wait.as_secs_f64())
        }
        WatchEvent::Connecting { attempt, error: Some(error), wait } => {
            format!("waiting: {error}; attempt {} in {:.1} s", attempt + 1, wait.as_secs_f64())
        }
        WatchEvent::Opened { revision, outcome: WatchOutcome::Snapshot, .. } => {
            format!("watching: the figures at revision {revision}, then their changes")
        }
        WatchEvent::Opened { outcome: WatchOutcome::Delta, .. } => {
            "watching again: what changed meanwhile follows in its latest state only".to_owned()
        }
        WatchEvent::Opened { .. } if again => "watching again, without a gap".to_owned(),
        WatchEvent::Opened { revision, .. } => format!("watching: changes after revision {revision}"),
        WatchEvent::Reset { reason } => format!("starting again: {reason}"),
        _ => return None,
    })
}

/// Writes changes as they come.
enum Feed<'a> {
    /// Lines for people. The labels in `view` are those of the series in `known`.
    Lines { cx: &'a Context, out: Output, view: Changes, known: BTreeSet<SeriesKey> },
    /// Records or JSON for programs.
    Records(Box<Listing<Changes, Output>>),
}

impl<'a> Feed<'a> {
    fn new(cx: &'a Context) -> anyhow::Result<Self> {
        let view = Changes::new(Labels::default(), cx.language);
        Ok(match cx.format {
            Format::Table => Self::Lines { cx, out: cx.stdout(), view, known: BTreeSet::new() },
            _ => Self::Records(Box::new(cx.listing(view)?)),
        })
    }

    async fn snapshot(&mut self, series: SeriesObservations) -> anyhow::Result<()> {
        let changes = with_series(series).map(|observation| Change {
            revision: observation.revision,
            recorded_at: observation.recorded_at,
            context: Default::default(),
            what: What::Cell(Box::new(CellChange { observation: Some(observation), ..CellChange::default() })),
        });
        self.write(changes.collect()).await
    }

    async fn commit(&mut self, commit: CommitEvents) -> anyhow::Result<()> {
        let CommitEvents { revision, recorded_at, context, changes, .. } = commit;
        let context = context.unwrap_or_default();
        let changes = changes.into_iter().map(|change| Change {
            revision,
            recorded_at,
            context: context.clone(),
            what: What::Cell(Box::new(change)),
        });
        self.write(changes.collect()).await?;
        // Whoever reads waits for this.
        self.flush()
    }

    async fn write(&mut self, changes: Vec<Change>) -> anyhow::Result<()> {
        match self {
            Self::Records(listing) => changes.iter().try_for_each(|change| listing.push(change)),
            Self::Lines { cx, out, view, known } => {
                let series: BTreeSet<SeriesKey> = changes.iter().filter_map(Change::series).map(SeriesKey::from).collect();
                if !series.is_subset(known) {
                    let keys: Vec<_> = series.iter().map(indicator_proto::v1::SeriesKey::from).collect();
                    *view = Changes::new(Labels::of_series(cx, &keys).await?, cx.language);
                    *known = series;
                }
                for change in &changes {
                    let row = view.row(change);
                    let cells: Vec<_> = row.iter().filter(|cell| !cell.is_empty()).map(|cell| printable(cell)).collect();
                    writeln!(out, "{}", cells.join("  "))?;
                }
                Ok(())
            }
        }
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Records(listing) => listing.flush(),
            Self::Lines { out, .. } => Ok(out.flush()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_happens_to_the_connection_is_told_and_what_goes_well_is_not() {
        let wait = Duration::from_millis(340);
        let error = Some(Error::Cut { what: "the watch", cause: None });
        let lost = WatchEvent::Connecting { attempt: 1, error, wait };
        assert_eq!(notice(&lost, true).as_deref(), Some("waiting: the watch was cut off; attempt 2 in 0.3 s"));
        let opened = |outcome| WatchEvent::Opened { epoch: "e".to_owned(), revision: 7, head_revision: 7, outcome };
        let first = notice(&opened(WatchOutcome::Replay), false);
        assert_eq!(first.as_deref(), Some("watching: changes after revision 7"));
        assert_eq!(notice(&opened(WatchOutcome::Replay), true).as_deref(), Some("watching again, without a gap"));
        assert_eq!(notice(&WatchEvent::Live, true), None);
    }
}
