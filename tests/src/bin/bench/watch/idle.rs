//! Subscribers to whom nothing happens.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::{
    crowd::{Crowd, Stance},
    prepared,
    side::{Side, Wanted},
};
use crate::{
    process::{self, Server},
    report,
};

const SUBSCRIBERS: usize = 10_000;
const QUIET: Duration = Duration::from_secs(4);
/// Longer than the server's progress interval, together with [`QUIET`].
const PROGRESS: Duration = Duration::from_secs(10);

pub(crate) async fn run() -> Result<()> {
    report::title(&format!(
        "watch-idle: server's resident memory for each of {} subscribers to whom nothing happens",
        report::count(SUBSCRIBERS as f64)
    ));
    for connections in [10, 100] {
        let data = process::directory()?;
        measure((Side::Indicatord, &prepared(data.path()).await?), connections).await?;
        let data = process::directory()?;
        measure((Side::Etcd, &Server::etcd(data.path()).await?), connections).await?;
    }
    Ok(())
}

async fn measure((side, server): (Side, &Server), connections: usize) -> Result<()> {
    let before = server.resident_bytes()?;
    let crowd = Crowd::open((side, server), (connections, SUBSCRIBERS), Wanted::NewChanges, Stance::Reads).await?;
    let mut each = Vec::new();
    for quiet in [QUIET, PROGRESS] {
        sleep(quiet).await;
        let bytes = server.resident_bytes()?.saturating_sub(before) as f64 / SUBSCRIBERS as f64;
        each.push(format!("{:.1} kB", bytes / 1e3));
    }
    crowd.dismiss().await?;
    let what =
        format!("{} on {connections} connections, {} s / {} s", side.name(), QUIET.as_secs(), (QUIET + PROGRESS).as_secs());
    report::figure(&what, &each.join(" / "), "not stated");
    Ok(())
}
