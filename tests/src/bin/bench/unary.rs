//! Reads of one figure by its key.

use anyhow::Result;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use indicator_proto::v1::{GetObservationRequest, observation_service_client::ObservationServiceClient};
use prost::Message as _;
use tonic::transport::Channel;

use crate::{
    etcd::{self, Etcd},
    figures::{Figures, period},
    indicator,
    load::{CONNECTIONS, IN_FLIGHT, Load, ROUNDS, connect},
    peer::Recording,
    process::{self, Server},
    report::{self, Row},
};

const FIGURES: Figures = Figures { indicators: 10, regions: 100, months: 40 };
const CELLS: u32 = FIGURES.observations() as u32;

pub(crate) async fn run() -> Result<()> {
    report::title(&format!(
        "unary: GetObservation of a random one of {} figures; {CONNECTIONS} connections x {IN_FLIGHT} in flight",
        report::count(FIGURES.observations() as f64)
    ));
    let (data, etcd_data, files) = (process::directory()?, process::directory()?, process::directory()?);
    let ours = Server::indicatord(data.path())?;
    let our_channels = connect(&ours.address, CONNECTIONS).await?;
    indicator::fill(&our_channels[0], FIGURES).await?;

    let answer = ObservationServiceClient::new(our_channels[0].clone()).get_observation(get(0)).await?.into_inner();
    let recording = files.path().join("recording");
    std::fs::write(&recording, Recording { get: answer.clone(), query: Vec::new() }.encode())?;
    let bare = Server::bare_tonic(&recording)?;

    let etcd = Server::etcd(etcd_data.path()).await?;
    let etcd_channels = connect(&etcd.address, CONNECTIONS).await?;
    let value = Bytes::from(answer.observation.unwrap_or_default().encode_to_vec());
    fill_etcd(&etcd_channels, &value).await?;

    let mut gets = Load::new("/indicator.v1.ObservationService/GetObservation", |random| get(random.u32(..CELLS)));
    let mut ranges = Load::new(etcd::RANGE, |random| etcd::RangeRequest { key: etcd_key(FIGURES, random.u32(..CELLS)) });
    let (mut our_row, mut bare_row, mut etcd_row) = (Row::new("indicatord"), Row::new("bare tonic"), Row::new("etcd Range"));
    for _ in 0..ROUNDS {
        our_row.add(gets.turn(&ours).await?);
        bare_row.add(gets.turn(&bare).await?);
        etcd_row.add(ranges.turn(&etcd).await?);
    }
    report::table("reads/s", &[&our_row, &bare_row, &etcd_row]);
    report::ratio("rate, indicatord / bare tonic", our_row.rate() / bare_row.rate(), "at least 0.8");
    report::ratio("rate, indicatord / etcd Range", our_row.rate() / etcd_row.rate(), "at least 4");
    Ok(())
}

fn get(cell: u32) -> GetObservationRequest {
    let series = Some(FIGURES.key(cell / FIGURES.months));
    GetObservationRequest { series, period: period(cell % FIGURES.months), ..GetObservationRequest::default() }
}

/// The key of the same cell in etcd.
pub(crate) fn etcd_key(figures: Figures, cell: u32) -> Bytes {
    let series = figures.key(cell / figures.months);
    format!("{}/{}/{}/{}", series.indicator, series.region, series.source, period(cell % figures.months)).into()
}

/// As many puts at once as there will be reads.
async fn fill_etcd(channels: &[Channel], value: &Bytes) -> Result<()> {
    let channels = channels.iter().cycle();
    let puts = (0..CELLS).zip(channels).map(|(cell, channel)| {
        let (mut client, value) = (Etcd::new(channel.clone()), value.clone());
        async move { client.put(etcd_key(FIGURES, cell), value).await }
    });
    Ok(stream::iter(puts).buffer_unordered(CONNECTIONS * IN_FLIGHT).try_collect().await?)
}
