//! Reads of one figure by its key.

use anyhow::Result;
use bytes::Bytes;
use indicator_proto::v1::{GetObservationRequest, observation_service_client::ObservationServiceClient};
use prost::Message as _;
use tonic::{Status, transport::Channel};

use crate::{
    etcd::Etcd,
    figures::{Figures, period},
    indicator,
    load::{CONNECTIONS, Caller, IN_FLIGHT, ROUNDS, TURN, connect, turn},
    peer::Recording,
    process::{self, Server},
    random::Random,
    report::{self, Row},
};

const FIGURES: Figures = Figures { indicators: 10, regions: 100, months: 40 };

pub(crate) async fn run() -> Result<()> {
    report::title(&format!(
        "unary: GetObservation of a random one of {} figures; {CONNECTIONS} connections x {IN_FLIGHT} in flight",
        report::count(FIGURES.observations() as f64)
    ));
    let (data, etcd_data, files) = (process::directory()?, process::directory()?, process::directory()?);
    let ours = Server::indicatord(data.path())?;
    let our_channels = connect(&ours.address, CONNECTIONS).await?;
    indicator::fill(&our_channels[0], FIGURES).await?;

    let answer = ObservationServiceClient::new(our_channels[0].clone()).get_observation(request(0)).await?.into_inner();
    let recording = files.path().join("recording");
    std::fs::write(&recording, Recording { get: answer.clone(), query: Vec::new() }.encode())?;
    let bare = Server::bare_tonic(&recording)?;

    let etcd = Server::etcd(etcd_data.path()).await?;
    let etcd_channels = connect(&etcd.address, CONNECTIONS).await?;
    let value = Bytes::from(answer.observation.unwrap_or_default().encode_to_vec());
    fill_etcd(&etcd_channels, &value).await?;

    let mut our_callers =
        callers(&our_channels, |channel, random| Get { client: ObservationServiceClient::new(channel), random });
    let mut bare_callers = callers(&connect(&bare.address, CONNECTIONS).await?, |channel, random| Get {
        client: ObservationServiceClient::new(channel),
        random,
    });
    let mut etcd_callers = callers(&etcd_channels, |channel, random| Range { client: Etcd::new(channel), random });

    let (mut our_row, mut bare_row, mut etcd_row) = (Row::new("indicatord"), Row::new("bare tonic"), Row::new("etcd Range"));
    for _ in 0..ROUNDS {
        our_row.add(turn(&mut our_callers, TURN).await?);
        bare_row.add(turn(&mut bare_callers, TURN).await?);
        etcd_row.add(turn(&mut etcd_callers, TURN).await?);
    }
    report::table("reads/s", &[&our_row, &bare_row, &etcd_row]);
    report::ratio("rate, indicatord / bare tonic", our_row.rate() / bare_row.rate(), "at least 0.8");
    report::ratio("rate, indicatord / etcd Range", our_row.rate() / etcd_row.rate(), "at least 4");
    Ok(())
}

/// A caller for each call in flight, each with its own random numbers.
pub(crate) fn callers<C>(channels: &[Channel], caller: impl Fn(Channel, Random) -> C) -> Vec<C> {
    let channels = channels.iter().flat_map(|channel| std::iter::repeat_n(channel, IN_FLIGHT)).cloned();
    channels.enumerate().map(|(number, channel)| caller(channel, Random::new(number as u64))).collect()
}

fn request(cell: u32) -> GetObservationRequest {
    let series = Some(FIGURES.key(cell / FIGURES.months));
    GetObservationRequest { series, period: period(cell % FIGURES.months), ..GetObservationRequest::default() }
}

/// The key of the same cell in etcd.
pub(crate) fn etcd_key(figures: Figures, cell: u32) -> Bytes {
    let series = figures.key(cell / figures.months);
    format!("{}/{}/{}/{}", series.indicator, series.region, series.source, period(cell % figures.months)).into()
}

async fn fill_etcd(channels: &[Channel], value: &Bytes) -> Result<()> {
    let cells = FIGURES.observations() as u32;
    let workers = (CONNECTIONS * IN_FLIGHT) as u32;
    let fillers = callers(channels, |channel, _| Etcd::new(channel)).into_iter().zip(0..).map(|(mut client, worker)| {
        let value = value.clone();
        tokio::spawn(async move {
            for cell in (worker..cells).step_by(workers as usize) {
                client.put(etcd_key(FIGURES, cell), value.clone()).await?;
            }
            Ok::<_, Status>(())
        })
    });
    for filler in fillers.collect::<Vec<_>>() {
        filler.await??;
    }
    Ok(())
}

struct Get {
    client: ObservationServiceClient<Channel>,
    random: Random,
}

impl Caller for Get {
    async fn call(&mut self) -> Result<(), Status> {
        let request = request(self.random.below(FIGURES.observations() as u32));
        self.client.get_observation(request).await.map(drop)
    }
}

struct Range {
    client: Etcd,
    random: Random,
}

impl Caller for Range {
    async fn call(&mut self) -> Result<(), Status> {
        let found = self.client.range(etcd_key(FIGURES, self.random.below(FIGURES.observations() as u32))).await?;
        found.map(drop).ok_or_else(|| Status::not_found("the key is not there"))
    }
}
