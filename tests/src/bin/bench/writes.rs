//! Durable writes of one figure.

use std::path::Path;

use anyhow::Result;
use fastrand::Rng;
use indicator_proto::v1::{Observation, WriteObservationsRequest};
use prost::Message;

use crate::{
    etcd,
    figures::{Figures, decimal, period},
    indicator,
    load::{CONNECTIONS, IN_FLIGHT, Load, ROUNDS, connect},
    process::{self, Server},
    report::{self, Row},
    unary::etcd_key,
};

const FIGURES: Figures = Figures { indicators: 10, regions: 100, months: 40 };

pub(crate) async fn run() -> Result<()> {
    let (data, etcd_data) = (process::directory()?, process::directory()?);
    let ours = Server::indicatord(data.path())?;
    indicator::fill(&connect(&ours.address, 1).await?[0], FIGURES).await?;
    let etcd = Server::etcd(etcd_data.path()).await?;
    let writes = || Load::new("/indicator.v1.ObservationService/WriteObservations", write);
    let puts = || Load::new(etcd::PUT, put);

    report::title(&format!(
        "writes: WriteObservations of one new figure, answered when on disk; {CONNECTIONS} connections x {IN_FLIGHT} in flight"
    ));
    let (our_row, etcd_row) = contest((&ours, writes()), (&etcd, puts())).await?;
    report::ratio("rate, indicatord / etcd Put", our_row.rate() / etcd_row.rate(), "at least 1.5");

    report::title("writes: the same, alone");
    let (our_row, etcd_row) = contest((&ours, writes().alone()), (&etcd, puts().alone())).await?;
    report::ratio("median latency, indicatord / etcd Put", our_row.p50() / etcd_row.p50(), "at most 1.2");
    size("size on disk after it, indicatord", data.path())?;
    size("size on disk after it, etcd", etcd_data.path())
}

async fn contest<W: Message + 'static, P: Message + 'static>(
    (ours, mut writes): (&Server, Load<impl Fn(&mut Rng) -> W + Copy + Send + 'static>),
    (etcd, mut puts): (&Server, Load<impl Fn(&mut Rng) -> P + Copy + Send + 'static>),
) -> Result<(Row, Row)> {
    let (mut our_row, mut etcd_row) = (Row::new("indicatord"), Row::new("etcd Put"));
    for _ in 0..ROUNDS {
        our_row.add(writes.turn(ours).await?);
        etcd_row.add(puts.turn(etcd).await?);
    }
    report::table("writes/s", &[&our_row, &etcd_row]);
    Ok((our_row, etcd_row))
}

fn size(what: &str, directory: &Path) -> Result<()> {
    report::figure(what, &report::megabytes(process::disk_bytes(directory)?), "not stated");
    Ok(())
}

/// A random cell with a random figure.
fn observation(random: &mut Rng) -> (u32, Observation) {
    let cell = random.u32(..FIGURES.observations() as u32);
    let series = Some(FIGURES.key(cell / FIGURES.months));
    let value = decimal(random.u32(..100_000_000));
    (cell, Observation { series, period: period(cell % FIGURES.months), value, ..Observation::default() })
}

fn write(random: &mut Rng) -> WriteObservationsRequest {
    // etcd does not answer with what it wrote either.
    WriteObservationsRequest { changes: vec![observation(random).1], omit_changes: true, ..WriteObservationsRequest::default() }
}

fn put(random: &mut Rng) -> etcd::PutRequest {
    let (cell, observation) = observation(random);
    etcd::PutRequest { key: etcd_key(FIGURES, cell), value: observation.encode_to_vec().into() }
}
