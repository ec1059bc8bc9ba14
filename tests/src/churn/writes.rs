//! Random writes, and compactions.

use std::{sync::Arc, time::Duration};

use crate::{
    client::{merge, replace, withdraw},
    figures::{bounded, key, missing, published, value},
};
use fastrand::Rng;
use indicator_proto::v1::{
    Bound, CompactRequest, MissingReason, Observation, ObservationStatus, SeriesKey, WriteContext, WriteObservationsRequest,
};

use super::{catalog::SOURCES, world::World};

const PERIODS: [&str; 9] = ["2000", "2001", "2002", "2003", "2004", "2001-Q1", "2002-01", "2002-06", "2003-12-06"];

/// Days of publication, all before what is published as it is written.
const DAYS: [&str; 4] = ["2001-01-01", "2005-05-05", "2010-01-01", "2020-02-02"];

fn series(world: &World, rng: &mut Rng) -> SeriesKey {
    let regions = world.regions();
    let region = &regions[rng.usize(..regions.len())];
    let source = SOURCES[rng.usize(..SOURCES.len())];
    match rng.u8(..5) {
        0 => {
            let mut key = key("employment", region, source);
            key.dimensions.insert("sex".into(), ["F", "M", "T"][rng.usize(..3)].into());
            if rng.bool() {
                key.dimensions.insert("level".into(), "national".into());
            }
            key
        }
        1 | 2 => key("output", region, source),
        _ => key("5g-base-stations", region, source),
    }
}

fn figure(rng: &mut Rng, series: &SeriesKey, period: &str) -> Observation {
    let text = rng.u32(1..50).to_string();
    let figure = match rng.u8(..10) {
        0 => bounded(series, period, Bound::GreaterThan, &text),
        1 => missing(series, period, MissingReason::Suppressed),
        2 => Observation { statuses: vec![ObservationStatus::Provisional.into()], ..value(series, period, &text) },
        3 => Observation { note: "revised by the census".into(), ..value(series, period, &text) },
        _ => value(series, period, &text),
    };
    if rng.u8(..4) == 0 { published(DAYS[rng.usize(..DAYS.len())], figure) } else { figure }
}

/// Different periods.
fn periods(rng: &mut Rng) -> Vec<&'static str> {
    let mut periods: Vec<&str> = PERIODS.into_iter().filter(|_| rng.u8(..4) == 0).collect();
    periods.push(PERIODS[rng.usize(..PERIODS.len())]);
    periods.sort_unstable();
    periods.dedup();
    periods
}

/// Larger than a message, and a few of them larger than what the server keeps of one selection to share.
fn large(rng: &mut Rng) -> WriteObservationsRequest {
    let (one, start, text) = (key("output", "CN-SD", "bureau"), rng.u32(1000..1500), rng.u32(1..99).to_string());
    let note = "as published ".repeat(25);
    let figure = |year: u32| Observation { note: note.clone(), ..value(&one, &year.to_string(), &text) };
    merge((start..start + rng.u32(1500..3500)).map(figure).collect())
}

fn request(world: &World, rng: &mut Rng) -> WriteObservationsRequest {
    let one = series(world, rng);
    match rng.u16(..100) {
        0..2 => large(rng),
        2..8 => replace(periods(rng).into_iter().map(|p| figure(rng, &one, p)).collect()),
        8..10 => withdraw(&one, &[""]),
        10..35 => withdraw(&one, &periods(rng)),
        35..70 => merge(periods(rng).into_iter().map(|p| figure(rng, &one, p)).collect()),
        // What several sources say of the same cells.
        _ => {
            let mut keys: Vec<SeriesKey> =
                (0..3).map(|_| SeriesKey { source: SOURCES[rng.usize(..SOURCES.len())].into(), ..one.clone() }).collect();
            keys.sort_unstable_by(|a, b| a.source.cmp(&b.source));
            keys.dedup();
            let cells: Vec<_> = keys.iter().flat_map(|key| periods(rng).into_iter().map(move |p| (key, p))).collect();
            merge(cells.into_iter().map(|(key, p)| figure(rng, key, p)).collect())
        }
    }
}

/// Writes until nobody writes any more.
pub(crate) async fn write(world: Arc<World>, mut rng: Rng, name: String) {
    let mut client = world.client();
    let mut written = 0_u32;
    while world.is_writing() {
        let context = Some(WriteContext { actor: name.clone(), reason: format!("write {written}"), ..WriteContext::default() });
        let request = WriteObservationsRequest { context, omit_changes: true, ..request(&world, &mut rng) };
        // The server is away now and then.
        if let Ok(response) = client.observations().write_observations(request).await {
            let response = response.into_inner();
            world.common.told_head(response.revision);
            if response.recorded_at.is_some() {
                world.acknowledged(name.clone(), format!("write {written}"), response.revision);
            }
        } else {
            client = world.client();
        }
        written += 1;
        // In bursts, so that commits are sometimes put together and sometimes not.
        let wait = if rng.u8(..3) == 0 { rng.u64(50..200) } else { rng.u64(..15) };
        world.rest(Duration::from_millis(wait)).await;
    }
}

/// Moves the horizon now and then.
pub(crate) async fn compact(world: Arc<World>, mut rng: Rng) {
    while world.is_writing() {
        world.rest(Duration::from_millis(rng.u64(500..3000))).await;
        let head = world.common.head();
        let newest = rng.u8(..3) == 0;
        let revision = if newest { 0 } else { head.saturating_sub(rng.u64(1..200)).max(1) };
        world.common.moves_horizon();
        if let Ok(response) = world.client().admin().compact(CompactRequest { revision }).await {
            world.common.told_horizon(response.into_inner().horizon_revision);
        }
    }
}
