//! Durable writes of one figure.

use std::path::Path;

use anyhow::Result;
use bytes::Bytes;
use indicator_proto::v1::{Observation, WriteObservationsRequest, observation_service_client::ObservationServiceClient};
use prost::Message as _;
use tonic::{Status, transport::Channel};

use crate::{
    etcd::Etcd,
    figures::{Figures, decimal, period},
    indicator,
    load::{CONNECTIONS, Caller, IN_FLIGHT, ROUNDS, TURN, connect, turn},
    process::{self, Server},
    random::Random,
    report::{self, Row},
    unary::{callers, etcd_key},
};

const FIGURES: Figures = Figures { indicators: 10, regions: 100, months: 40 };

pub(crate) async fn run() -> Result<()> {
    let (data, etcd_data) = (process::directory()?, process::directory()?);
    let ours = Server::indicatord(data.path())?;
    let our_channels = connect(&ours.address, CONNECTIONS).await?;
    indicator::fill(&our_channels[0], FIGURES).await?;
    let etcd = Server::etcd(etcd_data.path()).await?;
    let etcd_channels = connect(&etcd.address, CONNECTIONS).await?;
    let write = |channel, random| Write { client: ObservationServiceClient::new(channel), random };
    let put = |channel, random| Put { client: Etcd::new(channel), random };

    report::title(&format!(
        "writes: WriteObservations of one new figure, answered when on disk; {CONNECTIONS} connections x {IN_FLIGHT} in flight"
    ));
    let (our_row, etcd_row) = contest(callers(&our_channels, write), callers(&etcd_channels, put)).await?;
    report::ratio("rate, indicatord / etcd Put", our_row.rate() / etcd_row.rate(), "at least 1.5");

    report::title("writes: the same, alone");
    let (our_one, etcd_one) = (write(our_channels[0].clone(), Random::new(1)), put(etcd_channels[0].clone(), Random::new(1)));
    let (our_row, etcd_row) = contest(vec![our_one], vec![etcd_one]).await?;
    report::ratio("median latency, indicatord / etcd Put", our_row.p50() / etcd_row.p50(), "at most 1.2");
    size("size on disk after it, indicatord", data.path())?;
    size("size on disk after it, etcd", etcd_data.path())
}

async fn contest(mut ours: Vec<Write>, mut etcds: Vec<Put>) -> Result<(Row, Row)> {
    let (mut our_row, mut etcd_row) = (Row::new("indicatord"), Row::new("etcd Put"));
    for _ in 0..ROUNDS {
        our_row.add(turn(&mut ours, TURN).await?);
        etcd_row.add(turn(&mut etcds, TURN).await?);
    }
    report::table("writes/s", &[&our_row, &etcd_row]);
    Ok((our_row, etcd_row))
}

fn size(what: &str, directory: &Path) -> Result<()> {
    report::figure(what, &report::megabytes(process::disk_bytes(directory)?), "not stated");
    Ok(())
}

/// A random cell with a random figure.
fn observation(random: &mut Random) -> (u32, Observation) {
    let cell = random.below(FIGURES.observations() as u32);
    let series = Some(FIGURES.key(cell / FIGURES.months));
    let value = decimal(random.below(100_000_000));
    (cell, Observation { series, period: period(cell % FIGURES.months), value, ..Observation::default() })
}

struct Write {
    client: ObservationServiceClient<Channel>,
    random: Random,
}

impl Caller for Write {
    async fn call(&mut self) -> Result<(), Status> {
        // etcd does not answer with what it wrote either.
        let changes = vec![observation(&mut self.random).1];
        let request = WriteObservationsRequest { changes, omit_changes: true, ..WriteObservationsRequest::default() };
        self.client.write_observations(request).await.map(drop)
    }
}

struct Put {
    client: Etcd,
    random: Random,
}

impl Caller for Put {
    async fn call(&mut self) -> Result<(), Status> {
        let (cell, observation) = observation(&mut self.random);
        self.client.put(etcd_key(FIGURES, cell), Bytes::from(observation.encode_to_vec())).await
    }
}
