//! Changes to many subscribers, as they happen.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use futures::StreamExt as _;
use indicator_proto::v1::{
    Observation, StartNow, WatchRequest, WriteObservationsRequest, observation_service_client::ObservationServiceClient,
    watch_request::Start, watch_response::Message, watch_service_client::WatchServiceClient,
};
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::{
    etcd::Etcd,
    figures::{Figures, period},
    indicator,
    load::{CONNECTIONS, connect},
    process::{self, Server},
    report::{self, Row, Turn},
};

const FIGURES: Figures = Figures { indicators: 1, regions: 10, months: 10 };
const SUBSCRIBERS: usize = 1_000;
const WRITERS: usize = 8;
const ROUNDS: usize = 3;
const TURN: Duration = Duration::from_secs(4);

pub(crate) async fn run() -> Result<()> {
    report::title(&format!(
        "watching: every change to {SUBSCRIBERS} subscribers on {CONNECTIONS} connections, {WRITERS} writes in flight; from sending to delivery"
    ));
    let (data, etcd_data) = (process::directory()?, process::directory()?);
    let ours = Server::indicatord(data.path())?;
    let our_channels = connect(&ours.address, CONNECTIONS).await?;
    indicator::apply_catalog(&our_channels[0], FIGURES).await?;
    let etcd = Server::etcd(etcd_data.path()).await?;
    let etcd_channels = connect(&etcd.address, CONNECTIONS).await?;

    let (mut our_row, mut etcd_row) = (Row::new("indicatord"), Row::new("etcd watch"));
    for _ in 0..ROUNDS {
        our_row.add(our_turn(&ours, &our_channels).await?);
        etcd_row.add(etcd_turn(&etcd, &etcd_channels).await?);
    }
    report::table("events/s", &[&our_row, &etcd_row]);
    report::ratio("delivered events, indicatord / etcd watch", our_row.rate() / etcd_row.rate(), "at least 5");
    report::ratio("p99 from sending to delivery, indicatord / etcd", our_row.p99() / etcd_row.p99(), "below 1");
    Ok(())
}

async fn our_turn(server: &Server, channels: &[Channel]) -> Result<Turn> {
    let clock = Clock::default();
    let mut readers = JoinSet::new();
    for channel in channels.iter().cycle().take(SUBSCRIBERS) {
        let request = WatchRequest { start: Some(Start::Now(StartNow {})), ..WatchRequest::default() };
        let mut messages = WatchServiceClient::new(channel.clone()).watch(request).await?.into_inner();
        // Opened: what is written from now on will come.
        messages.next().await.transpose()?;
        let clock = clock.clone();
        readers.spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let Some(Message::Changes(changes)) = message.message else { continue };
                let observations = changes.events.iter().flat_map(|e| &e.changes).filter_map(|c| c.observation.as_ref());
                observations.for_each(|o| clock.delivered(&o.value));
            }
        });
    }
    let writers = channels.iter().cycle().take(WRITERS).zip(0..).map(|(channel, number)| {
        let (mut client, clock) = (ObservationServiceClient::new(channel.clone()), clock.clone());
        async move { while client.write_observations(write(number, &clock)).await.is_ok() {} }
    });
    measure(server, writers, &clock, readers).await
}

fn write(number: u32, clock: &Clock) -> WriteObservationsRequest {
    let (series, period, value) = (Some(FIGURES.key(number)), period(0), clock.micros().to_string());
    let changes = vec![Observation { series, period, value, ..Observation::default() }];
    WriteObservationsRequest { changes, omit_changes: true, ..WriteObservationsRequest::default() }
}

async fn etcd_turn(server: &Server, channels: &[Channel]) -> Result<Turn> {
    let clock = Clock::default();
    let mut readers = JoinSet::new();
    for channel in channels.iter().cycle().take(SUBSCRIBERS) {
        let mut messages = Etcd::new(channel.clone()).watch().await?;
        messages.next().await.transpose()?;
        let clock = clock.clone();
        readers.spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let values = message.events.iter().filter_map(|e| e.kv.as_ref());
                values.for_each(|kv| clock.delivered(&String::from_utf8_lossy(&kv.value)));
            }
        });
    }
    let writers = channels.iter().cycle().take(WRITERS).zip(0..).map(|(channel, number)| {
        let (mut client, clock) = (Etcd::new(channel.clone()), clock.clone());
        async move { while client.put(format!("key-{number}").into(), clock.micros().to_string().into()).await.is_ok() {} }
    });
    measure(server, writers, &clock, readers).await
}

/// Counts deliveries, and takes the time of each: what is written is the time of its sending.
#[derive(Clone)]
struct Clock {
    began: Instant,
    measuring: Arc<AtomicBool>,
    delivered: Arc<AtomicU64>,
    /// Deliveries by the milliseconds they took; the last is for all that took longer.
    took: Arc<[AtomicU64; 10_000]>,
}

impl Default for Clock {
    fn default() -> Self {
        let took = Arc::new(std::array::from_fn(|_| AtomicU64::new(0)));
        Self { began: Instant::now(), measuring: Arc::default(), delivered: Arc::default(), took }
    }
}

impl Clock {
    fn micros(&self) -> u32 {
        self.began.elapsed().as_micros() as u32
    }

    fn delivered(&self, sent: &str) {
        let sent: u32 = sent.parse().unwrap_or(0);
        if self.measuring.load(Relaxed) {
            self.delivered.fetch_add(1, Relaxed);
            let millis = self.micros().saturating_sub(sent) / 1000;
            self.took[(millis as usize).min(self.took.len() - 1)].fetch_add(1, Relaxed);
        }
    }

    fn percentile(&self, share: f64) -> Duration {
        let total: u64 = self.took.iter().map(|n| n.load(Relaxed)).sum();
        let mut left = (total as f64 * share) as u64;
        let reached = self.took.iter().position(|n| {
            let n = n.load(Relaxed);
            let here = left < n;
            left = left.saturating_sub(n);
            here
        });
        Duration::from_millis(reached.unwrap_or(0) as u64)
    }
}

/// Lets the writers write while the readers read. A writer goes on until a write fails.
async fn measure(
    server: &Server,
    writers: impl Iterator<Item = impl Future<Output = ()> + Send + 'static>,
    clock: &Clock,
    mut readers: JoinSet<()>,
) -> Result<Turn> {
    let mut tasks: JoinSet<()> = writers.collect();
    tokio::time::sleep(TURN / 4).await;
    clock.measuring.store(true, Relaxed);
    let (began, computed) = (Instant::now(), server.computed()?);
    tokio::select! {
        () = tokio::time::sleep(TURN) => {}
        Some(_) = tasks.join_next() => bail!("a write failed"),
    }
    clock.measuring.store(false, Relaxed);
    let (elapsed, computed) = (began.elapsed(), server.computed()? - computed);
    tasks.shutdown().await;
    readers.shutdown().await;
    let delivered = clock.delivered.load(Relaxed);
    let (rate, cpu) = (delivered as f64 / elapsed.as_secs_f64(), computed / delivered.max(1) as u32);
    Ok(Turn { rate, p50: clock.percentile(0.50), p99: clock.percentile(0.99), cpu })
}
