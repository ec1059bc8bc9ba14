//! The load: callers in closed loops over a few connections, as many calls in flight as there are callers.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use crate::report::Turn;

/// As DESIGN asks: 8 connections, 32 calls in flight on each.
pub(crate) const CONNECTIONS: usize = 8;
pub(crate) const IN_FLIGHT: usize = 32;

/// Turns of each contestant.
pub(crate) const ROUNDS: usize = 5;
/// Length of a turn; a quarter as long again goes before it unmeasured.
pub(crate) const TURN: Duration = Duration::from_secs(3);

/// Makes one call after the other.
pub(crate) trait Caller: Send + 'static {
    /// Makes the next call.
    fn call(&mut self) -> impl Future<Output = Result<(), Status>> + Send;
}

/// Connections with equal settings to whoever serves at an address.
pub(crate) async fn connect(address: &str, connections: usize) -> Result<Vec<Channel>> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?
        .tcp_nodelay(true)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20);
    let mut channels = Vec::with_capacity(connections);
    for _ in 0..connections {
        channels.push(endpoint.connect().await.with_context(|| format!("cannot connect to {address}"))?);
    }
    Ok(channels)
}

/// One turn: warm-up, then measurement.
pub(crate) async fn turn<C: Caller>(callers: &mut Vec<C>, span: Duration) -> Result<Turn> {
    drive(callers, span / 4).await?;
    let began = Instant::now();
    let mut micros = drive(callers, span).await?;
    let elapsed = began.elapsed();
    micros.sort_unstable();
    let at = |share: f64| Duration::from_micros(micros.get((micros.len() as f64 * share) as usize).copied().unwrap_or(0).into());
    Ok(Turn { rate: micros.len() as f64 / elapsed.as_secs_f64(), p50: at(0.50), p99: at(0.99) })
}

/// Lets every caller call for a while. Answers the time each call took, in microseconds.
async fn drive<C: Caller>(callers: &mut Vec<C>, span: Duration) -> Result<Vec<u32>> {
    let end = Instant::now() + span;
    let tasks: Vec<_> = callers.drain(..).map(|caller| tokio::spawn(call_until(caller, end))).collect();
    let mut micros = Vec::new();
    for task in tasks {
        let (caller, taken) = task.await??;
        callers.push(caller);
        micros.extend(taken);
    }
    Ok(micros)
}

async fn call_until<C: Caller>(mut caller: C, end: Instant) -> Result<(C, Vec<u32>), Status> {
    let mut micros = Vec::with_capacity(4096);
    let mut began = Instant::now();
    while began < end {
        caller.call().await?;
        let ended = Instant::now();
        micros.push((ended - began).as_micros() as u32);
        began = ended;
    }
    Ok((caller, micros))
}
