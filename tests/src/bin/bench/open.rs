//! A large store: what it takes, and how soon it answers.

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::{
    figures::Figures,
    indicator,
    load::connect,
    process::{self, Server, open},
    report::{self, median},
};

const FIGURES: Figures = Figures { indicators: 20, regions: 1_000, months: 500 };
const OPENINGS: usize = 5;

pub(crate) async fn run() -> Result<()> {
    report::title(&format!(
        "open: a store of {} figures in {} series; from the start of the process to its first answer",
        report::count(FIGURES.observations() as f64),
        report::count(f64::from(FIGURES.series()))
    ));
    let data = process::directory()?;
    let server = Server::indicatord(data.path())?;
    let channel = connect(&server.address, 1).await?.remove(0);
    let began = Instant::now();
    indicator::fill(&channel, FIGURES).await?;
    let loaded = began.elapsed();
    let after_load = server.resident_bytes()?;
    server.stop()?;

    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..OPENINGS {
        let (server, status, time) = open(data.path()).await?;
        ensure!(status.series == u64::from(FIGURES.series()), "the store has {} series", status.series);
        times.push(time.as_secs_f64());
        memory.push(server.resident_bytes()? as f64);
        server.stop()?;
    }
    let rate = FIGURES.observations() as f64 / loaded.as_secs_f64();
    report::figure("loaded by ImportObservations, figures/s", &report::count(rate), "not stated");
    report::figure("size on disk", &report::megabytes(process::disk_bytes(data.path())?), "below 300 MB");
    report::figure("opened, median", &report::seconds(median(times.iter().copied())), "below 1 s");
    report::figure("opened, longest", &report::seconds(times.iter().copied().fold(0.0, f64::max)), "below 1 s");
    report::figure("resident memory when idle", &report::megabytes(median(memory.into_iter()) as u64), "below 300 MB");
    report::figure("resident memory after the load", &report::megabytes(after_load), "not stated");
    Ok(())
}
