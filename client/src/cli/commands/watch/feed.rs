//! Changes as lines and records.

use std::{collections::BTreeSet, io::Write as _};

use indicator_client::{WatchEvent, retry::is_transient};
use indicator_proto::{
    SeriesKey,
    v1::{CatalogChange, CatalogEntry, CellChange, CommitEvents, SeriesObservations},
};

use crate::{
    catalog::Labels,
    change::{Change, Changes, What},
    context::{Context, Format, Output},
    output::{Listing, View as _, printable, with_series},
};

/// Writes changes as they come.
pub(super) enum Feed<'a> {
    /// Lines for people. The labels in `view` are those of the series in `known`.
    Lines { cx: &'a Context, out: Output, view: Changes, known: BTreeSet<SeriesKey> },
    /// Records or JSON for programs.
    Records(Box<Listing<Changes, Output>>),
}

impl<'a> Feed<'a> {
    pub(super) fn new(cx: &'a Context) -> anyhow::Result<Self> {
        let view = Changes::new(Labels::default(), cx.language);
        Ok(match cx.format {
            Format::Table => Self::Lines { cx, out: cx.stdout(), view, known: BTreeSet::new() },
            _ => Self::Records(Box::new(cx.listing(view)?)),
        })
    }

    /// Writes what an event says.
    pub(super) async fn take(&mut self, event: WatchEvent) -> anyhow::Result<()> {
        match event {
            WatchEvent::Snapshot(series) => self.write(of_series(series)).await,
            WatchEvent::SnapshotEntry(entry) => self.write(vec![of_entry(entry)]).await,
            WatchEvent::Commit(commit) => {
                if let (Self::Lines { known, .. }, false) = (&mut *self, commit.catalog_changes.is_empty()) {
                    // Names may have changed.
                    known.clear();
                }
                self.write(of_commit(commit)).await
            }
            _ => Ok(()),
        }
    }

    async fn write(&mut self, changes: Vec<Change>) -> anyhow::Result<()> {
        match self {
            Self::Records(listing) => changes.iter().try_for_each(|change| listing.push(change)),
            Self::Lines { cx, out, view, known } => {
                let series: BTreeSet<SeriesKey> = changes.iter().filter_map(Change::series).map(SeriesKey::from).collect();
                if !series.is_subset(known) {
                    let keys: Vec<_> = series.iter().map(indicator_proto::v1::SeriesKey::from).collect();
                    let labels = match Labels::of_series(cx, &keys).await {
                        Ok(labels) => {
                            *known = series;
                            labels
                        }
                        // The server has just gone. Ids are names too, and the watch outlives it.
                        Err(error) if is_transient(&error) => {
                            known.clear();
                            Labels::default()
                        }
                        Err(error) => return Err(error.into()),
                    };
                    *view = Changes::new(labels, cx.language);
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

    /// Hands over what has been written: whoever reads waits for it.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Records(listing) => listing.flush(),
            Self::Lines { out, .. } => Ok(out.flush()?),
        }
    }
}

fn of_series(series: SeriesObservations) -> Vec<Change> {
    let change = |observation: indicator_proto::v1::Observation| Change {
        revision: observation.revision,
        recorded_at: observation.recorded_at,
        context: Default::default(),
        what: What::Cell(Box::new(CellChange { observation: Some(observation), ..CellChange::default() })),
    };
    with_series(series).map(change).collect()
}

fn of_entry(entry: CatalogEntry) -> Change {
    let what = What::Entry(Box::new(CatalogChange { entry: Some(entry), ..CatalogChange::default() }));
    Change { revision: 0, recorded_at: None, context: Default::default(), what }
}

fn of_commit(commit: CommitEvents) -> Vec<Change> {
    let CommitEvents { revision, recorded_at, context, changes, catalog_changes } = commit;
    let context = context.unwrap_or_default();
    let entries = catalog_changes.into_iter().map(|change| What::Entry(Box::new(change)));
    let whats = entries.chain(changes.into_iter().map(|change| What::Cell(Box::new(change))));
    whats.map(|what| Change { revision, recorded_at, context: context.clone(), what }).collect()
}
