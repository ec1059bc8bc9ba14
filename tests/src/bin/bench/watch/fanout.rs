//! Every change to many subscribers.

use std::time::Duration;

use anyhow::Result;

use super::{
    CONNECTIONS,
    crowd::{Crowd, Stance},
    prepared,
    side::{Side, Wanted},
    turn::{Contestant, asides},
};
use crate::{
    process::{self, Server},
    report,
};

const ROUNDS: usize = 3;
const TURN: Duration = Duration::from_secs(3);

pub(crate) async fn run() -> Result<()> {
    let (data, etcd_data) = (process::directory()?, process::directory()?);
    let ours = prepared(data.path()).await?;
    let etcd = Server::etcd(etcd_data.path()).await?;
    let (ours, etcd) = ((Side::Indicatord, &ours), (Side::Etcd, &etcd));
    for subscribers in [10, 100, 1_000] {
        for in_flight in [1, 8] {
            report::title(&format!(
                "watch: every change to {} subscribers on {CONNECTIONS} connections; writes of one figure, {in_flight} in flight",
                report::count(subscribers as f64)
            ));
            let (mut our_row, mut etcd_row) = (Contestant::new("indicatord"), Contestant::new("etcd"));
            for _ in 0..ROUNDS {
                for (row, side) in [(&mut our_row, ours), (&mut etcd_row, etcd)] {
                    let crowd = Crowd::open(side, (CONNECTIONS, subscribers), Wanted::NewChanges, Stance::Reads).await?;
                    row.turn(side, crowd, in_flight, TURN).await?;
                }
            }
            report::table("events/s", &[&our_row.events, &etcd_row.events]);
            for (what, values) in asides(&[&our_row, &etcd_row]) {
                report::figure(&format!("{what}, indicatord / etcd"), &values, "not stated");
            }
            let wanted = if subscribers == 1_000 { ("at least 5", "below 1") } else { ("not stated", "not stated") };
            report::ratio("events/s, indicatord / etcd", our_row.events.rate() / etcd_row.events.rate(), wanted.0);
            report::ratio("p99 latency, indicatord / etcd", our_row.events.p99() / etcd_row.events.p99(), wanted.1);
        }
    }
    Ok(())
}
