//! Domain types as messages.

use std::sync::Arc;

use indicator_proto::{Bound, Decimal, SeriesKey, Time, v1};
use prost_types::Timestamp;

use crate::{
    engine::{CellChange, Commit, Context, Effect, Row, SeriesChanges, Shown, VintageDate, catalog},
    store::{Datum, Details, Header, Kind, Version},
};

fn decimal(value: Decimal) -> String {
    let mut text = String::with_capacity(24);
    value.write_to(&mut text);
    text
}

/// A version, with its series where the reader needs it.
pub(crate) fn observation(version: &Version, series: Option<v1::SeriesKey>) -> v1::Observation {
    let mut period = String::with_capacity(10);
    version.period.write_to(&mut period);
    let mut observation = v1::Observation {
        series,
        period,
        published_at: Some(Timestamp::from(version.published_at)),
        recorded_at: Some(Timestamp::from(version.recorded_at)),
        revision: version.revision,
        ..v1::Observation::default()
    };
    match version.figure.datum {
        Datum::Value(value, bound) => {
            observation.value = decimal(value);
            // An exact figure needs no word.
            if bound != Bound::Exact {
                observation.set_bound(bound.into());
            }
        }
        Datum::Interval(interval) => observation.interval = Some(interval.into()),
        Datum::Missing(reason) => observation.set_missing(reason),
        Datum::Withdrawn => observation.deleted = true,
    }
    observation.statuses = version.figure.statuses.iter().map(Into::into).collect();
    if let Some(details) = version.figure.details.as_deref() {
        add_details(&mut observation, details);
    }
    observation
}

fn add_details(observation: &mut v1::Observation, details: &Details) {
    observation.rounded_to = details.rounded_to.map_or_else(String::new, decimal);
    let equivalent = |e: &crate::store::Equivalent| v1::Equivalent { value: decimal(e.value), unit: e.unit.clone() };
    observation.equivalents = details.equivalents.iter().map(equivalent).collect();
    observation.original_text.clone_from(&details.original_text);
    observation.note.clone_from(&details.note);
    observation.document_uri.clone_from(&details.document_uri);
}

/// A row of a query.
pub(crate) fn row(row: &Row, series: Option<v1::SeriesKey>) -> v1::Observation {
    v1::Observation {
        other_sources: row.other_sources,
        sources_disagree: row.sources_disagree,
        ..observation(&row.version, series)
    }
}

/// What a version did.
pub(crate) fn kind(kind: Kind) -> v1::ChangeKind {
    match kind {
        Kind::Inserted => v1::ChangeKind::Inserted,
        Kind::Revised => v1::ChangeKind::Revised,
        Kind::Deleted => v1::ChangeKind::Deleted,
        Kind::Backfilled => v1::ChangeKind::Backfilled,
    }
}

/// A new version with its series, and with what it replaced if that is wanted.
pub(crate) fn change(key: &SeriesKey, change: &CellChange, with_previous: bool) -> v1::CellChange {
    let previous = change.previous.as_ref().filter(|_| with_previous);
    v1::CellChange {
        kind: kind(change.version.kind).into(),
        observation: Some(observation(&change.version, Some(key.into()))),
        previous: previous.map(|version| observation(version, None)),
    }
}

/// The changes of several series.
pub(crate) fn changes(series: &[SeriesChanges], with_previous: bool) -> Vec<v1::CellChange> {
    series.iter().flat_map(|s| s.changes.iter().map(move |c| change(&s.key, c, with_previous))).collect()
}

/// A changed entry.
pub(crate) fn entry_change(change: &catalog::Change) -> v1::CatalogChange {
    change.into()
}

/// Who and why.
pub(crate) fn context(context: &Context) -> v1::WriteContext {
    v1::WriteContext { actor: context.actor.clone(), reason: context.reason.clone(), document_uri: context.document_uri.clone() }
}

/// A commit, from its header alone.
pub(crate) fn commit_header(revision: u64, header: &Header) -> v1::Commit {
    let time = Time::from_micros(header.micros);
    v1::Commit {
        revision,
        recorded_at: time.map(Timestamp::from),
        context: Some(v1::WriteContext {
            actor: header.actor.clone(),
            reason: header.reason.clone(),
            document_uri: header.document_uri.clone(),
        }),
        request_id: header.request_id.clone(),
        cells: header.inserted + header.revised + header.deleted + header.backfilled,
        series: header.series,
        entries: header.entries,
        hash: header.hash.to_vec(),
        changes: Vec::new(),
        catalog_changes: Vec::new(),
        client_address: header.client.clone(),
    }
}

/// A commit with its changes.
pub(crate) fn commit(commit: &Arc<Commit>) -> v1::Commit {
    v1::Commit {
        revision: commit.revision,
        recorded_at: Some(commit.time.into()),
        context: Some(context(&commit.context)),
        request_id: commit.request_id.clone(),
        cells: commit.counts.total(),
        series: commit.series.len() as u32,
        entries: commit.entries.len() as u32,
        hash: commit.hash.to_vec(),
        changes: changes(&commit.series, true),
        catalog_changes: commit.entries.iter().map(entry_change).collect(),
        client_address: commit.context.client.clone(),
    }
}

/// A version and the time it was valid, as a view shows it.
pub(crate) fn vintage(shown: &Shown, series: &SeriesKey) -> v1::Vintage {
    let vintage = &shown.vintage;
    v1::Vintage {
        observation: Some(observation(&vintage.version, Some(series.into()))),
        kind: kind(vintage.version.kind).into(),
        published_until: vintage.published_until.map(Timestamp::from),
        superseded_revision: vintage.superseded_revision,
        current: vintage.current,
        vintage_date: shown.date.map(Timestamp::from),
        recorded_until: vintage.recorded_until.map(Timestamp::from),
        vintage_kind: shown.effect.map_or(v1::ChangeKind::Unspecified, effect).into(),
    }
}

fn effect(effect: Effect) -> v1::ChangeKind {
    match effect {
        Effect::Inserted => v1::ChangeKind::Inserted,
        Effect::Revised => v1::ChangeKind::Revised,
        Effect::Withdrawn => v1::ChangeKind::Deleted,
    }
}

/// What came out on one date.
pub(crate) fn vintage_date(date: &VintageDate) -> v1::VintageDate {
    v1::VintageDate { date: Some(date.date.into()), inserted: date.inserted, revised: date.revised, deleted: date.withdrawn }
}

/// The store's history, as text.
pub(crate) fn epoch(epoch: [u8; 16]) -> String {
    epoch.iter().map(|byte| format!("{byte:02x}")).collect()
}
