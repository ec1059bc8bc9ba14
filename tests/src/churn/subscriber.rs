//! Clients of every kind: fast, slow, stopped for a while; they break off, and come back with all sorts of tokens.

use std::{sync::Arc, time::Duration};

use crate::{
    check::recording::{Point, Subscriber, Token, position, token},
    recorder::{Opening, Recorder},
};
use fastrand::Rng;
use indicator_proto::v1::{
    Frequency, ObservationFilter, StartNow, StartSnapshot, WatchMode, WatchRequest, WatchResponse, watch_request::Start,
    watch_response::Message,
};
use tonic::Streaming;

use super::world::World;

/// How a client reads.
#[derive(Debug, Clone, Copy)]
enum Pace {
    Fast,
    /// Waits after each message.
    Slow,
    /// Reads nothing for seconds now and then, so that the windows of its connection fill up.
    Stopping,
}

/// A position that the client can go on from.
#[derive(Debug, Clone)]
struct Position {
    at: Point,
    revision: Option<u64>,
    token: String,
}

fn filter(number: usize) -> ObservationFilter {
    let regions = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
    let subtree = || ObservationFilter { regions: regions(&["CN-SD"]), include_subregions: true, ..Default::default() };
    match number {
        0 => ObservationFilter::default(),
        1 | 2 => subtree(),
        3 => ObservationFilter { region_level: "prefecture".into(), ..subtree() },
        4 => ObservationFilter { regions: regions(&["CN-SD", "CN-BJ"]), ..Default::default() },
        5 => ObservationFilter { indicators: regions(&["5g-base-stations"]), ..subtree() },
        6 => ObservationFilter { region_level: "county".into(), ..Default::default() },
        7 => ObservationFilter { dimensions: [("sex".to_owned(), "F".to_owned())].into(), ..Default::default() },
        8 => ObservationFilter { frequency: Frequency::Monthly.into(), ..Default::default() },
        _ => ObservationFilter { start_period: "2001".into(), end_period: "2003".into(), ..subtree() },
    }
}

fn duration(millis: u64) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(Duration::from_millis(millis)).ok()
}

/// A request of every kind: the first ones of each mode, then at random.
fn request(rng: &mut Rng, number: usize) -> WatchRequest {
    let mut filter = filter(if number < 20 { number / 2 } else { rng.usize(..10) });
    let latest = number % 2 == 1;
    let preferred = number % 5 < 2;
    if !preferred && rng.u8(..4) == 0 {
        filter.sources = vec!["bureau".into(), "media".into()];
    }
    WatchRequest {
        filter: Some(filter),
        mode: if latest { WatchMode::Latest } else { WatchMode::EveryChange }.into(),
        progress_interval: duration(rng.u64(100..500)),
        min_interval: duration(rng.u64(50..700)).filter(|_| latest && rng.bool()),
        include_previous: rng.bool(),
        include_catalog: rng.u8(..3) == 0,
        preferred,
        start: None,
    }
}

/// Watches until the end, and then until it has everything.
pub(crate) async fn watch(world: Arc<World>, mut rng: Rng, number: usize) -> Subscriber {
    let request = request(&mut rng, number);
    let pace = [Pace::Fast, Pace::Slow, Pace::Stopping][number % 3];
    let name = format!("subscriber {number} ({pace:?})");
    let mut recorder = Recorder::new(name, &world.common);
    let mut positions: Vec<Position> = Vec::new();
    let mut opening = fresh(&request);
    // Each kind of bad token comes once in any case.
    let mut first_return = Some([Token::Forged, Token::Foreign, Token::OtherFilter][number % 3]);
    loop {
        // A connection of its own: a client that stops reading stops itself alone.
        if let Some(mut streaming) = recorder.open(&world.client(), &opening).await {
            let patience = if rng.u8(..3) == 0 { rng.usize(..8) } else { rng.usize(..150) };
            read(&world, &mut rng, &mut recorder, &mut streaming, pace, patience).await;
        } else {
            world.pause(Duration::from_millis(rng.u64(..200))).await;
        }
        note(&recorder, &mut positions);
        if let Some(end) = world.end() {
            if (opening.token == Token::Genuine && has_all(&recorder, end)) || world.is_overdue() {
                return recorder.subscriber;
            }
            opening = positions.last().map_or_else(|| fresh(&request), |position| from_token(&request, position));
        } else {
            let bad = first_return.take_if(|_| !positions.is_empty());
            opening = next(&world, &mut rng, &request, &positions, bad);
        }
    }
}

/// Reads a stream for so many messages; in the end, until it has everything.
async fn read(
    world: &World,
    rng: &mut Rng,
    recorder: &mut Recorder<'_>,
    streaming: &mut Streaming<WatchResponse>,
    pace: Pace,
    patience: usize,
) {
    for number in 0.. {
        match world.end() {
            Some(end) if has_all(recorder, end) || world.is_overdue() => return,
            None if number >= patience => return,
            _ => {}
        }
        if !recorder.next(streaming).await {
            return;
        }
        match pace {
            Pace::Fast => {}
            Pace::Slow => world.pause(Duration::from_millis(rng.u64(..60))).await,
            Pace::Stopping if rng.u8(..12) == 0 => world.pause(Duration::from_millis(rng.u64(300..6000))).await,
            Pace::Stopping => {}
        }
    }
}

/// Whether the newest stream has told that everything has come.
fn has_all(recorder: &Recorder<'_>, end: u64) -> bool {
    recorder.last().and_then(|(_, message)| position(message)).is_some_and(|revision| revision >= end)
}

/// Keeps where the newest stream can be gone on from.
fn note(recorder: &Recorder<'_>, positions: &mut Vec<Position>) {
    let stream = recorder.subscriber.streams.len() - 1;
    let newest = &recorder.subscriber.streams[stream];
    let mut in_snapshot = false;
    for (message, response) in newest.messages.iter().enumerate() {
        match &response.message {
            Some(Message::Snapshot(_) | Message::Reset(_)) => in_snapshot = true,
            Some(Message::SnapshotEnd(_)) => in_snapshot = false,
            _ => {}
        }
        if let Some(token) = token(response).filter(|_| !in_snapshot) {
            positions.push(Position { at: Point { stream, message }, revision: position(response), token: token.to_owned() });
        }
    }
}

fn fresh(request: &WatchRequest) -> Opening {
    Opening::new(WatchRequest { start: Some(Start::Snapshot(StartSnapshot {})), ..request.clone() })
}

fn with_token(request: &WatchRequest, token: String) -> Opening {
    Opening::new(WatchRequest { start: Some(Start::ResumeToken(token)), ..request.clone() })
}

fn from_token(request: &WatchRequest, position: &Position) -> Opening {
    Opening { carried: Some(position.at), ..with_token(request, position.token.clone()) }
}

fn from_revision(request: &WatchRequest, revision: u64) -> Opening {
    Opening::new(WatchRequest { start: Some(Start::AfterRevision(revision)), ..request.clone() })
}

/// How a client comes back; with a bad token of this kind, if there is one.
fn next(world: &World, rng: &mut Rng, request: &WatchRequest, positions: &[Position], bad: Option<Token>) -> Opening {
    let (Some(newest), Some(any)) = (positions.last(), rng.choice(positions)) else { return fresh(request) };
    if let Some(token) = bad {
        return with_bad_token(world, rng, request, newest, token);
    }
    let head = world.common.head();
    match rng.u8(..100) {
        0..45 => from_token(request, newest),
        45..58 => from_token(request, any),
        58..64 => match newest.revision {
            Some(revision) => Opening { carried: Some(newest.at), ..from_revision(request, revision) },
            None => from_token(request, newest),
        },
        64..70 => from_revision(request, rng.u64(..=head)),
        70..78 => fresh(request),
        78..82 => Opening::new(WatchRequest { start: Some(Start::Now(StartNow {})), ..request.clone() }),
        // Near enough to be reached, or not.
        82..88 => {
            let deadline = Some(Duration::from_millis(rng.u64(800..2500)));
            Opening { deadline, ..from_revision(request, head + rng.u64(1..300)) }
        }
        88..93 => with_bad_token(world, rng, request, newest, Token::Forged),
        93..96 => with_bad_token(world, rng, request, newest, Token::Foreign),
        _ => with_bad_token(world, rng, request, newest, Token::OtherFilter),
    }
}

fn with_bad_token(world: &World, rng: &mut Rng, request: &WatchRequest, newest: &Position, token: Token) -> Opening {
    let opening = match token {
        Token::Genuine => from_token(request, newest),
        Token::Forged => with_token(request, forged(rng, &newest.token)),
        Token::Foreign => with_token(request, world.foreign_token.clone()),
        Token::OtherFilter => {
            let other = WatchRequest { include_previous: !request.include_previous, ..request.clone() };
            with_token(&other, newest.token.clone())
        }
    };
    Opening { token, ..opening }
}

/// A token that was altered behind its epoch.
fn forged(rng: &mut Rng, token: &str) -> String {
    const EPOCH_ENDS: usize = 24;
    let mut text = token.as_bytes().to_vec();
    let at = rng.usize(EPOCH_ENDS..text.len());
    text[at] = if text[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(text).unwrap()
}
