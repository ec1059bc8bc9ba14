//! A turn: writers write for a while, and a crowd sees every change.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{
    FIGURES,
    crowd::{Crowd, now},
    side::Side,
    writers::write_for,
};
use crate::{
    process::{Server, computed_here},
    report::{Row, Turn, count, median, seconds},
};

/// A contestant and its turns.
pub(super) struct Contestant {
    /// Of delivered events: their rate, their latencies, what the server computed for each.
    pub(super) events: Row,
    writes: Vec<f64>,
    /// What the generator computed for each event, in seconds.
    generator: Vec<f64>,
}

impl Contestant {
    pub(super) fn new(name: &'static str) -> Self {
        Self { events: Row::new(name), writes: Vec::new(), generator: Vec::new() }
    }

    /// Writes of one figure, so many at once, for a while; a quarter as long goes before it unmeasured.
    pub(super) async fn turn(&mut self, to: (Side, &Server), mut crowd: Crowd, in_flight: usize, span: Duration) -> Result<()> {
        let mut written = write_for(to, FIGURES, in_flight, span / 4).await?;
        crowd.wait(written.count).await?;

        let (from, computed, computed_by_us) = (crowd.measure(), to.1.computed()?, computed_here()?);
        let measured = write_for(to, FIGURES, in_flight, span).await?;
        let stopped = now();
        written.join(measured);
        crowd.wait(written.count).await?;
        let (computed, computed_by_us) = (to.1.computed()? - computed, computed_here()? - computed_by_us);
        let subscribers = crowd.subscribers;
        let seen = crowd.close(written).await?;

        let events = seen.latencies.count();
        ensure!(events == measured.count * subscribers, "{events} events were measured");
        let per_second = |count: u64, until: u64| count as f64 * 1e9 / (until - from) as f64;
        let (p50, p99) = (seen.latencies.at(0.50), seen.latencies.at(0.99));
        let cpu = computed.div_f64(events as f64);
        self.events.add(Turn { rate: per_second(events, seen.until), p50, p99, cpu });
        self.writes.push(per_second(measured.count, stopped));
        self.generator.push(computed_by_us.as_secs_f64() / events as f64);
        Ok(())
    }

    /// Writes a second, while it was written.
    pub(super) fn writes(&self) -> f64 {
        median(self.writes.iter().copied())
    }
}

/// Writes a second and the generator's part, of each contestant.
pub(super) fn asides(contestants: &[&Contestant]) -> [(&'static str, String); 2] {
    let join = |one: &dyn Fn(&Contestant) -> String| contestants.iter().map(|c| one(c)).collect::<Vec<_>>().join(" / ");
    [
        ("writes a second meanwhile", join(&|c| count(c.writes()))),
        ("generator's cpu for an event", join(&|c| seconds(median(c.generator.iter().copied())))),
    ]
}
