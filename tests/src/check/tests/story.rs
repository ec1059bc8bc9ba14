//! A short history, and what subscribers saw of it.

use std::time::Duration;

use indicator_proto::{
    Digest, cell_hash,
    v1::{
        CatalogChange, CatalogEntry, CellChange, ChangeKind, Changes, Closing, Commit, CommitEvents, Observation,
        ObservationFilter, Progress, Reset, SeriesObservations, SnapshotChunk, SnapshotEnd, WatchMode, WatchOpened, WatchOutcome,
        WatchRequest, WatchResponse, watch_request::Start, watch_response::Message,
    },
};
use prost_types::Timestamp;

use super::super::{
    log::Log,
    recording::{End, Known, Point, Stream, Token},
};
use crate::{
    catalog::{indicator, region, source},
    figures::key,
};

fn time(revision: u64) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_700_000_000 + i64::try_from(revision).unwrap(), nanos: 0 })
}

fn figure(region: &str, source: &str, value: &str, revision: u64) -> Observation {
    Observation {
        series: Some(key("output", region, source)),
        period: "2020".into(),
        value: value.into(),
        deleted: value.is_empty(),
        published_at: time(revision),
        recorded_at: time(revision),
        revision,
        ..Observation::default()
    }
}

/// The bureau's figure of Shandong.
pub(super) fn a(value: &str, revision: u64) -> Observation {
    figure("CN-SD", "bureau", value, revision)
}

/// The bureau's figure of Beijing, which belongs to Shandong from 5 to 8.
pub(super) fn b(value: &str, revision: u64) -> Observation {
    figure("CN-BJ", "bureau", value, revision)
}

/// The media's figure of Shandong.
pub(super) fn c(value: &str, revision: u64) -> Observation {
    figure("CN-SD", "media", value, revision)
}

/// The bureau's figure of Shandong, a year later.
pub(super) fn d(value: &str, revision: u64) -> Observation {
    Observation { period: "2021".into(), ..a(value, revision) }
}

/// An old edition of [`a`].
pub(super) fn old(value: &str, revision: u64) -> Observation {
    Observation { published_at: time(0), ..a(value, revision) }
}

/// A figure's series and period alone.
pub(super) fn bare(observation: &Observation) -> Observation {
    Observation { series: observation.series.clone(), period: observation.period.clone(), ..Observation::default() }
}

pub(super) fn change(kind: ChangeKind, observation: Observation, previous: Option<Observation>) -> CellChange {
    let same = previous.as_ref().is_some_and(|p| p.series == observation.series);
    let previous = previous.map(|p| Observation { series: p.series.clone().filter(|_| !same), ..p });
    CellChange { kind: kind.into(), observation: Some(observation), previous }
}

fn entries(entries: Vec<CatalogEntry>) -> Vec<CatalogChange> {
    entries.into_iter().map(|e| CatalogChange { kind: ChangeKind::Revised.into(), entry: Some(e) }).collect()
}

use ChangeKind::{Backfilled, Deleted, Entered, Inserted, Left, Revised};

/// The commits, from 1.
pub(super) fn log() -> Log {
    let beijing = |parent: &str| region("CN-BJ", parent, "province", "Beijing", "北京");
    let first = vec![
        region("CN", "", "country", "China", "中国"),
        region("CN-SD", "CN", "province", "Shandong", "山东"),
        beijing("CN"),
        source("bureau", 1),
        source("media", 2),
        indicator("output", "CNY"),
    ];
    let did: Vec<(Vec<CellChange>, Vec<CatalogChange>)> = vec![
        (vec![], entries(first)),
        (vec![change(Inserted, a("1", 2), None), change(Inserted, b("5", 2), None)], vec![]),
        (vec![change(Revised, a("2", 3), Some(a("1", 2))), change(Inserted, c("9", 3), None)], vec![]),
        (vec![change(Backfilled, old("7", 4), Some(a("2", 3)))], vec![]),
        (vec![], entries(vec![beijing("CN-SD")])),
        (vec![change(Deleted, a("", 6), Some(a("2", 3)))], vec![]),
        (vec![change(Inserted, a("3", 7), None)], vec![]),
        (vec![], entries(vec![beijing("CN")])),
        (vec![change(Inserted, d("4", 9), None)], vec![]),
        (vec![change(Deleted, b("", 10), Some(b("5", 2)))], vec![]),
        (vec![], entries(vec![beijing("CN-SD")])),
    ];
    let commit = |(revision, (changes, catalog_changes))| Commit {
        revision,
        recorded_at: time(revision),
        changes,
        catalog_changes,
        ..Commit::default()
    };
    Log::new((1..).zip(did).map(commit).collect())
}

pub(super) fn message(message: Message) -> WatchResponse {
    WatchResponse { message: Some(message) }
}

pub(super) fn opened(outcome: WatchOutcome, revision: u64) -> WatchResponse {
    message(Message::Opened(WatchOpened { epoch: "e".into(), revision, outcome: outcome.into(), head_revision: 11 }))
}

pub(super) fn snapshot(figures: &[Observation], revision: u64) -> [WatchResponse; 2] {
    let one = |o: &Observation| SeriesObservations {
        series: o.series.clone(),
        observations: vec![Observation { series: None, ..o.clone() }],
    };
    let series = figures.iter().map(one).collect();
    let end = SnapshotEnd { revision, observations: figures.len() as u64 };
    [message(Message::Snapshot(SnapshotChunk { series, entries: vec![] })), message(Message::SnapshotEnd(end))]
}

pub(super) fn event(revision: u64, changes: Vec<CellChange>) -> CommitEvents {
    CommitEvents { revision, recorded_at: time(revision), changes, ..CommitEvents::default() }
}

pub(super) fn changes(events: Vec<CommitEvents>, more: bool) -> WatchResponse {
    let (first_revision, last_revision) = (events[0].revision, events[events.len() - 1].revision);
    message(Message::Changes(Changes { first_revision, last_revision, events, more }))
}

pub(super) fn progress(revision: u64, digest: Option<u64>) -> WatchResponse {
    let resume_token = format!("after {revision}");
    message(Message::Progress(Progress { revision, resume_token, head_revision: 11, digest }))
}

fn closing() -> WatchResponse {
    message(Message::Closing(Closing { resume_token: "the end".into(), retry_after: Some(prost_types::Duration::default()) }))
}

pub(super) fn digest(figures: &[Observation]) -> Option<u64> {
    let mut digest = Digest::default();
    figures.iter().for_each(|o| digest.add(cell_hash(o.series.as_ref().unwrap(), o)));
    Some(digest.0)
}

/// Shandong and what is below it.
pub(super) fn subtree() -> ObservationFilter {
    ObservationFilter { regions: vec!["CN-SD".into()], include_subregions: true, ..ObservationFilter::default() }
}

fn request() -> WatchRequest {
    WatchRequest { filter: Some(subtree()), include_previous: true, ..WatchRequest::default() }
}

fn recorded(request: WatchRequest, messages: Vec<WatchResponse>) -> Stream {
    let known = Known { head: 2, horizon: 0, asked_horizon: 0 };
    Stream { messages, known, ..Stream::new(request) }
}

/// Every change after a snapshot.
pub(super) fn every_change() -> Stream {
    let [chunk, end] = snapshot(&[a("1", 2)], 2);
    let messages = vec![
        opened(WatchOutcome::Snapshot, 2),
        chunk,
        end,
        progress(2, None),
        changes(vec![event(3, vec![change(Revised, a("2", 3), Some(a("1", 2)))])], true),
        changes(vec![event(3, vec![change(Inserted, c("9", 3), None)])], false),
        changes(
            vec![
                event(4, vec![change(Backfilled, old("7", 4), Some(a("2", 3)))]),
                event(5, vec![change(Entered, b("5", 2), None)]),
            ],
            false,
        ),
        progress(5, None),
        changes(vec![event(6, vec![change(Deleted, a("", 6), Some(a("2", 3)))])], false),
        progress(6, None),
        changes(
            vec![
                event(7, vec![change(Inserted, a("3", 7), None)]),
                event(8, vec![change(Left, bare(&b("", 0)), Some(b("5", 2)))]),
            ],
            false,
        ),
        changes(vec![event(9, vec![change(Inserted, d("4", 9), None)])], false),
        progress(10, None),
        closing(),
    ];
    Stream { end: End::Ended, ..recorded(request(), messages) }
}

/// The latest state after revision 2.
pub(super) fn latest() -> Stream {
    let request = WatchRequest { mode: WatchMode::Latest.into(), start: Some(Start::AfterRevision(2)), ..request() };
    let messages = vec![
        opened(WatchOutcome::Replay, 2),
        progress(2, digest(&[a("1", 2)])),
        changes(vec![event(3, vec![change(Revised, a("2", 3), Some(a("1", 2))), change(Inserted, c("9", 3), None)])], false),
        progress(4, digest(&[a("2", 3), c("9", 3)])),
        changes(vec![event(6, vec![change(Deleted, a("", 6), Some(a("2", 3))), change(Entered, b("5", 2), None)])], false),
        progress(6, digest(&[b("5", 2), c("9", 3)])),
        changes(
            vec![event(
                9,
                vec![
                    change(Inserted, a("3", 7), None),
                    change(Inserted, d("4", 9), None),
                    change(Left, bare(&b("", 0)), Some(b("5", 2))),
                ],
            )],
            false,
        ),
        progress(10, digest(&[a("3", 7), c("9", 3), d("4", 9)])),
    ];
    recorded(request, messages)
}

/// The latest state after revision 9: a figure that was withdrawn where it was not seen, and whose region came then.
pub(super) fn latest_withdrawal() -> Stream {
    let request = WatchRequest { mode: WatchMode::Latest.into(), start: Some(Start::AfterRevision(9)), ..request() };
    let messages = vec![
        opened(WatchOutcome::Replay, 9),
        changes(vec![event(11, vec![change(Deleted, b("", 10), None)])], false),
        progress(11, digest(&[a("3", 7), c("9", 3), d("4", 9)])),
    ];
    recorded(request, messages)
}

/// Every change of the preferred picture, from the beginning.
pub(super) fn preferred() -> Stream {
    let request = WatchRequest { preferred: true, start: Some(Start::AfterRevision(0)), ..request() };
    let messages = vec![
        opened(WatchOutcome::Replay, 0),
        changes(vec![event(2, vec![change(Inserted, a("1", 2), None)])], false),
        changes(vec![event(3, vec![change(Revised, a("2", 3), Some(a("1", 2)))])], false),
        changes(vec![event(5, vec![change(Entered, b("5", 2), None)])], false),
        progress(5, None),
        // The bureau withdraws its figure; the media's is shown.
        changes(vec![event(6, vec![change(Revised, c("9", 3), Some(a("2", 3)))])], false),
        progress(6, None),
        changes(vec![event(7, vec![change(Revised, a("3", 7), Some(c("9", 3)))])], false),
        changes(vec![event(8, vec![change(Left, bare(&b("", 0)), Some(b("5", 2)))])], false),
        changes(vec![event(9, vec![change(Inserted, d("4", 9), None)])], false),
        progress(10, None),
    ];
    recorded(request, messages)
}

/// What has changed since revision 2, which lies before the horizon, and then every change.
pub(super) fn delta() -> Stream {
    let request = WatchRequest { start: Some(Start::AfterRevision(2)), ..request() };
    let messages = vec![
        opened(WatchOutcome::Delta, 2),
        changes(vec![event(6, vec![change(Deleted, a("", 6), Some(a("1", 2)))])], true),
        changes(vec![event(6, vec![change(Entered, b("5", 2), None), change(Inserted, c("9", 3), None)])], false),
        progress(6, None),
        changes(vec![event(7, vec![change(Inserted, a("3", 7), None)])], false),
        progress(7, None),
    ];
    let known = Known { head: 6, horizon: 5, asked_horizon: 5 };
    Stream { known, ..recorded(request, messages) }
}

/// Every change after revision 2, until compaction passes it before it has told one.
pub(super) fn reset() -> Stream {
    let request = WatchRequest { start: Some(Start::AfterRevision(2)), ..request() };
    let [chunk, end] = snapshot(&[c("9", 3), b("5", 2)], 6);
    let reset = message(Message::Reset(Reset { reason: "compaction has passed it".into() }));
    let messages = vec![
        opened(WatchOutcome::Replay, 2),
        progress(2, None),
        reset,
        chunk,
        end,
        progress(6, None),
        changes(vec![event(7, vec![change(Inserted, a("3", 7), None)])], false),
        progress(7, None),
    ];
    recorded(request, messages)
}

/// A stream that goes on after a message of an earlier one: a Progress, or Closing.
pub(super) fn after(stream: &Stream, number: usize, at: usize) -> Stream {
    let revision = match &stream.messages[at].message {
        Some(Message::Progress(progress)) => progress.revision,
        Some(Message::Closing(_)) => 10,
        other => panic!("nothing goes on after {other:?}"),
    };
    let request = WatchRequest { start: Some(Start::ResumeToken("a token".into())), ..stream.request.clone() };
    let messages = [&[opened(WatchOutcome::Replay, revision)], &stream.messages[at + 1..]].concat();
    let end = if messages.len() == 1 { End::Cut } else { stream.end.clone() };
    let carried = Some(Point { stream: number, message: at });
    Stream { carried, messages, end, known: stream.known, ..Stream::new(request) }
}

/// A stream that was refused.
pub(super) fn refused(token: Token, refusal: crate::refusal::Refusal, waited: Duration) -> Stream {
    let request = WatchRequest { start: Some(Start::ResumeToken("a token".into())), ..request() };
    Stream { token, end: End::Refused(refusal), waited, ..recorded(request, vec![]) }
}
