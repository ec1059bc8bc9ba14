//! Subscribers beside others who do not read.

use std::time::Duration;

use anyhow::Result;

use super::{
    CONNECTIONS,
    crowd::{Crowd, Stance},
    prepared,
    side::{Side, Wanted},
    turn::{Contestant, asides},
};
use crate::{process, report};

const HEALTHY: usize = 900;
const STALLED: usize = 100;
/// Few, so that what their sockets take is taken before anything is measured.
const STALLED_CONNECTIONS: usize = 4;
const IN_FLIGHT: usize = 8;
const ROUNDS: usize = 3;
const TURN: Duration = Duration::from_secs(20);

pub(crate) async fn run() -> Result<()> {
    report::title(&format!(
        "watch-stalled: every change to {HEALTHY} subscribers who read, and to {STALLED} others, on connections of their own, who do not; \
         writes of one figure, {IN_FLIGHT} in flight"
    ));
    let mut cases = [
        Case::new("nobody stalled", None),
        Case::new("streams left unread", Some(Stance::LeavesStreams)),
        Case::new("sockets left unread", Some(Stance::LeavesSockets)),
    ];
    for _ in 0..ROUNDS {
        for case in &mut cases {
            case.turn().await?;
        }
    }
    let [alone, streams, sockets] = &cases;
    report::table("events/s", &[&alone.row.events, &streams.row.events, &sockets.row.events]);
    for (what, values) in asides(&[&alone.row, &streams.row, &sockets.row]) {
        report::figure(what, &values, "not stated");
    }
    for case in &cases {
        let [before, after] = [0, 1].map(|at| report::median(case.memory.iter().map(|memory| memory[at] as f64)) as u64);
        let values = format!("{} .. {}", report::megabytes(before), report::megabytes(after));
        report::figure(&format!("resident memory, {}", case.name), &values, "bounded");
    }
    for case in [streams, sockets] {
        report::ratio(
            &format!("writes/s, {} / {}", case.name, alone.name),
            case.row.writes() / alone.row.writes(),
            "at least 0.9",
        );
        let p99 = alone.row.events.p99() / case.row.events.p99();
        report::ratio(&format!("p99 latency of readers, {} / {}", alone.name, case.name), p99, "at least 0.9");
    }
    Ok(())
}

struct Case {
    name: &'static str,
    stalled: Option<Stance>,
    row: Contestant,
    /// At the beginning and at the end of each turn.
    memory: Vec<[u64; 2]>,
}

impl Case {
    fn new(name: &'static str, stalled: Option<Stance>) -> Self {
        Self { name, stalled, row: Contestant::new(name), memory: Vec::new() }
    }

    /// On a server of its own, whose memory says nothing of the turns before.
    async fn turn(&mut self) -> Result<()> {
        let data = process::directory()?;
        let server = prepared(data.path()).await?;
        let side = (Side::Indicatord, &server);
        let stalled = match self.stalled {
            Some(stance) => Some(Crowd::open(side, (STALLED_CONNECTIONS, STALLED), Wanted::NewChanges, stance).await?),
            None => None,
        };
        let healthy = Crowd::open(side, (CONNECTIONS, HEALTHY), Wanted::NewChanges, Stance::Reads).await?;
        let before = server.resident_bytes()?;
        self.row.turn(side, healthy, IN_FLIGHT, TURN).await?;
        self.memory.push([before, server.resident_bytes()?]);
        if let Some(stalled) = stalled {
            stalled.dismiss().await?;
        }
        Ok(())
    }
}
