//! The latest state to many subscribers: what is left out costs nothing.

use std::time::Duration;

use anyhow::Result;

use super::{
    CONNECTIONS, FIGURES,
    crowd::{Crowd, Stance, now},
    prepared,
    side::{Side, Wanted},
    writers::{write_for, write_last},
};
use crate::{
    process::{self, Server},
    report::{self, Row, Turn},
};

const SUBSCRIBERS: usize = 1_000;
const IN_FLIGHT: usize = 8;
const ROUNDS: usize = 3;
const TURN: Duration = Duration::from_secs(3);

pub(crate) async fn run() -> Result<()> {
    report::title(&format!(
        "watch-latest: {} subscribers on {CONNECTIONS} connections; writes of one figure, {IN_FLIGHT} in flight; latencies of what was \
         delivered, the server's cpu for each write",
        report::count(SUBSCRIBERS as f64)
    ));
    let data = process::directory()?;
    let server = prepared(data.path()).await?;
    let cases = [
        ("every change", Wanted::NewChanges),
        ("latest", Wanted::Latest(Duration::ZERO)),
        ("latest, once in 100 ms", Wanted::Latest(Duration::from_millis(100))),
        ("latest, once in 1 s", Wanted::Latest(Duration::from_secs(1))),
    ];
    let mut rows = cases.map(|(name, _)| (Row::new(name), Vec::new()));
    for _ in 0..ROUNDS {
        for ((row, delivered), (_, wanted)) in rows.iter_mut().zip(cases) {
            let (turn, events) = turn(&server, wanted).await?;
            row.add(turn);
            delivered.push(events);
        }
    }
    report::table("writes/s", &rows.each_ref().map(|(row, _)| row));
    for (name, (_, delivered)) in cases.map(|(name, _)| name).iter().zip(rows) {
        report::figure(&format!("events/s, {name}"), &report::count(report::median(delivered.into_iter())), "not stated");
    }
    Ok(())
}

/// The turn, and the events a second of all subscribers.
async fn turn(server: &Server, wanted: Wanted) -> Result<(Turn, f64)> {
    let side = (Side::Indicatord, server);
    let mut crowd = Crowd::open(side, (CONNECTIONS, SUBSCRIBERS), wanted, Stance::Reads).await?;
    write_for(side, FIGURES, IN_FLIGHT, TURN / 4).await?;
    let (from, computed) = (crowd.measure(), server.computed()?);
    let written = write_for(side, FIGURES, IN_FLIGHT, TURN).await?;
    let stopped = now();
    write_last(side, FIGURES).await?;
    crowd.wait_for_last().await?;
    let computed = server.computed()? - computed;
    let seen = crowd.dismiss().await?;
    let per_second = |count: u64, until: u64| count as f64 * 1e9 / (until - from) as f64;
    let (p50, p99) = (seen.latencies.at(0.50), seen.latencies.at(0.99));
    let cpu = computed.div_f64(written.count as f64);
    Ok((Turn { rate: per_second(written.count, stopped), p50, p99, cpu }, per_second(seen.latencies.count(), seen.until)))
}
