//! Every change to many subscribers.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{
    FIGURES,
    crowd::{Crowd, Stance},
    prepared,
    side::{Side, Start},
    writers::write_for,
};
use crate::{
    process::{self, Server},
    report::{self, Row, Turn},
};

const CONNECTIONS: usize = 10;
const ROUNDS: usize = 3;
/// Length of a turn; a quarter as long again goes before it unmeasured.
const TURN: Duration = Duration::from_secs(3);

pub(crate) async fn run() -> Result<()> {
    let (data, etcd_data) = (process::directory()?, process::directory()?);
    let ours = prepared(data.path()).await?;
    let etcd = Server::etcd(etcd_data.path()).await?;
    for subscribers in [10, 100, 1_000] {
        for in_flight in [1, 8] {
            report::title(&format!(
                "watch: every change to {} subscribers on {CONNECTIONS} connections; {in_flight} in flight of writes of one figure",
                report::count(subscribers as f64)
            ));
            let (mut our_row, mut etcd_row) = (Contestant::new(Side::Indicatord), Contestant::new(Side::Etcd));
            for _ in 0..ROUNDS {
                our_row.turn(&ours, subscribers, in_flight).await?;
                etcd_row.turn(&etcd, subscribers, in_flight).await?;
            }
            report::table("events/s", &[&our_row.events, &etcd_row.events]);
            report::table("writes/s", &[&our_row.writes, &etcd_row.writes]);
            let wanted = if subscribers == 1_000 { ("at least 5", "below 1") } else { ("not stated", "not stated") };
            report::ratio("events/s, indicatord / etcd", our_row.events.rate() / etcd_row.events.rate(), wanted.0);
            report::ratio("p99 latency, indicatord / etcd", our_row.events.p99() / etcd_row.events.p99(), wanted.1);
        }
    }
    Ok(())
}

struct Contestant {
    side: Side,
    events: Row,
    writes: Row,
}

impl Contestant {
    fn new(side: Side) -> Self {
        Self { side, events: Row::new(side.name()), writes: Row::new(side.name()) }
    }

    async fn turn(&mut self, server: &Server, subscribers: usize, in_flight: usize) -> Result<()> {
        let side = (self.side, server);
        let mut crowd = Crowd::open(side, (CONNECTIONS, subscribers), Start::Now, Stance::Reads).await?;
        let mut written = write_for(side, FIGURES, in_flight, TURN / 4).await?;
        crowd.wait(written.count).await?;

        let (from, computed) = (crowd.measure(), server.computed()?);
        let measured = write_for(side, FIGURES, in_flight, TURN).await?;
        let stopped = super::crowd::now();
        written.join(measured);
        crowd.wait(written.count).await?;
        let computed = server.computed()? - computed;
        let seen = crowd.close(written).await?;
        ensure!(seen.latencies.count() == measured.count * subscribers as u64, "not every event was measured");

        let events = seen.latencies.count().max(1);
        let per_second = |count: u64, until: u64| count as f64 * 1e9 / (until - from) as f64;
        let (p50, p99) = (seen.latencies.at(0.50), seen.latencies.at(0.99));
        let cpu = computed.div_f64(events as f64);
        self.events.add(Turn { rate: per_second(events, seen.until), p50, p99, cpu });
        let rate = per_second(measured.count, stopped);
        self.writes.add(Turn { rate, p50: Duration::ZERO, p99: Duration::ZERO, cpu: Duration::ZERO });
        Ok(())
    }
}
