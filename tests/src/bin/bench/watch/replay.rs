//! The whole log to one subscriber who comes late.

use std::{path::Path, time::Duration};

use anyhow::{Result, ensure};

use super::{
    crowd::{Crowd, Numbers, Stance, now},
    side::{Side, Wanted},
    writers::{Commit, write_all},
};
use crate::{
    figures::Figures,
    indicator,
    load::{CONNECTIONS, IN_FLIGHT, connect},
    process::{self, Server},
    report::{self, Row, Turn},
};

const FIGURES: Figures = Figures { indicators: 10, regions: 100, months: 1_000 };
const ROUNDS: usize = 3;
/// etcd reads its whole log anew for every thousand of its revisions that it sends, so what it can do in a while has to do.
const LONGEST: Duration = Duration::from_secs(60);

pub(crate) async fn run() -> Result<()> {
    for (commit, shape) in [
        (Commit::Series, "1,000 figures of a series"),
        (Commit::Month, "a figure of each of 1,000 series"),
        (Commit::Figure, "one figure"),
    ] {
        report::title(&format!(
            "watch-replay: {} changes, in commits of {shape}, to one subscriber who comes late",
            report::count(FIGURES.observations() as f64)
        ));
        let (warm, cold) = ours(commit).await?;
        report::table("events/s", &[&warm, &cold]);
        for (what, row) in [("events/s after writing", &warm), ("events/s after a restart", &cold)] {
            report::figure(what, &report::count(row.rate()), "at least 500,000");
        }
    }
    etcds().await
}

async fn ours(commit: Commit) -> Result<(Row, Row)> {
    let data = process::directory()?;
    let mut server = Server::indicatord(data.path())?;
    indicator::apply_catalog(&connect(&server.address, 1).await?[0], FIGURES).await?;
    // Large commits need no others beside them to fill the writer's batches.
    let load = if commit == Commit::Figure { (CONNECTIONS, IN_FLIGHT) } else { (1, CONNECTIONS) };
    let written = write_all((Side::Indicatord, &server), FIGURES, commit, load).await?;
    let (mut warm, mut cold) = (Row::new("after writing"), Row::new("after a restart"));
    for _ in 0..ROUNDS {
        warm.add(replay(&server, written).await?);
    }
    for _ in 0..ROUNDS {
        server = restarted(server, data.path())?;
        cold.add(replay(&server, written).await?);
    }
    Ok((warm, cold))
}

fn restarted(server: Server, data: &Path) -> Result<Server> {
    server.stop()?;
    Server::indicatord(data)
}

/// p50 stands for the time to the first event, p99 for the time to the last.
async fn replay(server: &Server, written: Numbers) -> Result<Turn> {
    let (from, computed) = (now(), server.computed()?);
    let mut crowd = Crowd::open((Side::Indicatord, server), (1, 1), Wanted::AllChanges, Stance::Reads).await?;
    crowd.wait(written.count).await?;
    let computed = server.computed()? - computed;
    let seen = crowd.close(written).await?;
    let rate = written.count as f64 * 1e9 / (seen.until - from) as f64;
    let after = |moment: u64| Duration::from_nanos(moment - from);
    Ok(Turn { rate, p50: after(seen.since), p99: after(seen.until), cpu: computed.div_f64(written.count as f64) })
}

async fn etcds() -> Result<()> {
    report::title("watch-replay: as many puts in etcd, to one subscriber from revision 1");
    let data = process::directory()?;
    let server = Server::etcd(data.path()).await?;
    let side = (Side::Etcd, &server);
    let written = write_all(side, FIGURES, Commit::Figure, (CONNECTIONS, IN_FLIGHT)).await?;
    ensure!(written.count == FIGURES.observations(), "{} puts", written.count);
    let from = now();
    let mut crowd = Crowd::open(side, (1, 1), Wanted::AllChanges, Stance::Reads).await?;
    let events = crowd.wait_at_most(written.count, LONGEST).await?;
    let seen = crowd.dismiss().await?;
    let rate = events as f64 * 1e9 / (seen.until.saturating_sub(from)).max(1) as f64;
    let what = format!("events/s, of the first {} events", report::count(events as f64));
    report::figure(&what, &report::count(rate), "not stated");
    Ok(())
}
