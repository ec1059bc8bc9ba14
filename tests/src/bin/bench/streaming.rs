//! Many figures in one stream.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Buf as _;
use futures::StreamExt as _;
use indicator_proto::v1::{
    QueryObservationsRequest, QueryObservationsResponse, observation_service_client::ObservationServiceClient,
    query_observations_response::Message as Part,
};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};
use tonic_prost::ProstCodec;

use crate::{
    figures::Figures,
    indicator,
    load::{ROUNDS, connect},
    peer::Recording,
    process::{self, Server},
    report::{self, Row, Turn},
};

const FIGURES: Figures = Figures { indicators: 20, regions: 100, months: 500 };

pub(crate) async fn run() -> Result<()> {
    let (data, files) = (process::directory()?, process::directory()?);
    let ours = Server::indicatord(data.path())?;
    let our_channel = connect(&ours.address, 1).await?.remove(0);
    indicator::fill(&our_channel, FIGURES).await?;
    let query = record(&our_channel).await?;
    let recording = files.path().join("recording");
    std::fs::write(&recording, Recording { query, ..Recording::default() }.encode())?;
    let bare = Server::bare_tonic(&recording)?;
    let bare_channel = connect(&bare.address, 1).await?.remove(0);

    let (mut our_row, mut bare_row) = (Row::new("indicatord"), Row::new("bare tonic"));
    let (mut our_decoded, mut bare_decoded) = (Row::new("indicatord, decoded"), Row::new("bare tonic, decoded"));
    let mut bytes = 0;
    for round in 0..=ROUNDS {
        let (our_turn, our_bytes) = counted(&ours, &our_channel).await?;
        let (bare_turn, bare_bytes) = counted(&bare, &bare_channel).await?;
        ensure!(our_bytes == bare_bytes, "the answers differ: {our_bytes} bytes, {bare_bytes} bytes");
        bytes = our_bytes;
        let (our_turn_too, bare_turn_too) = (decoded(&ours, &our_channel).await?, decoded(&bare, &bare_channel).await?);
        // The first round warms up.
        if round > 0 {
            our_row.add(our_turn);
            bare_row.add(bare_turn);
            our_decoded.add(our_turn_too);
            bare_decoded.add(bare_turn_too);
        }
    }
    report::title(&format!(
        "streaming: QueryObservations of {} figures in one stream of {}; one reader, which counts bytes or decodes them",
        report::count(FIGURES.observations() as f64),
        report::megabytes(bytes)
    ));
    report::table("figures/s", &[&our_row, &bare_row, &our_decoded, &bare_decoded]);
    report::ratio("rate, indicatord / bare tonic", our_row.rate() / bare_row.rate(), "at least 0.6");
    report::ratio("rate when decoded, indicatord / bare tonic", our_decoded.rate() / bare_decoded.rate(), "at least 0.6");
    report::figure(
        "server's memory after it, resident",
        &report::megabytes(ours.resident_bytes()?),
        "does not grow with the result",
    );
    Ok(())
}

async fn record(channel: &Channel) -> Result<Vec<QueryObservationsResponse>> {
    let mut client = ObservationServiceClient::new(channel.clone());
    let mut messages = client.query_observations(QueryObservationsRequest::default()).await?.into_inner();
    let mut query = Vec::new();
    while let Some(message) = messages.next().await {
        query.push(message?);
    }
    let Some(Part::Summary(summary)) = query.last().and_then(|m| m.message.as_ref()) else {
        anyhow::bail!("the stream was cut off");
    };
    ensure!(summary.observations == FIGURES.observations(), "the answer has {} observations", summary.observations);
    Ok(query)
}

/// The turn of a reader that only counts, which leaves the processor to the server; and the bytes.
async fn counted(server: &Server, channel: &Channel) -> Result<(Turn, u64)> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await?;
    let (began, computed) = (Instant::now(), server.computed()?);
    let path = PathAndQuery::from_static("/indicator.v1.ObservationService/QueryObservations");
    let request = Request::new(QueryObservationsRequest::default());
    let mut lengths = grpc.server_streaming(request, path, Lengths).await?.into_inner();
    let (mut bytes, mut first) = (0, None);
    while let Some(length) = lengths.next().await {
        bytes += length? as u64;
        first.get_or_insert_with(|| began.elapsed());
    }
    Ok((finished(began.elapsed(), first, server.computed()? - computed), bytes))
}

/// The turn of a reader with the generated client.
async fn decoded(server: &Server, channel: &Channel) -> Result<Turn> {
    let mut client = ObservationServiceClient::new(channel.clone());
    let (began, computed) = (Instant::now(), server.computed()?);
    let mut messages = client.query_observations(QueryObservationsRequest::default()).await?.into_inner();
    let mut first = None;
    while let Some(message) = messages.next().await {
        message?;
        first.get_or_insert_with(|| began.elapsed());
    }
    Ok(finished(began.elapsed(), first, server.computed()? - computed))
}

/// p50 stands for the time to the first message, p99 for the time to the last.
fn finished(elapsed: Duration, first: Option<Duration>, computed: Duration) -> Turn {
    let rate = FIGURES.observations() as f64 / elapsed.as_secs_f64();
    Turn { rate, p50: first.unwrap_or_default(), p99: elapsed, cpu: computed / FIGURES.observations() as u32 }
}

/// Messages as their lengths.
#[derive(Debug, Clone, Copy)]
struct Lengths;

impl Codec for Lengths {
    type Encode = QueryObservationsRequest;
    type Decode = usize;
    type Encoder = <ProstCodec<QueryObservationsRequest, QueryObservationsResponse> as Codec>::Encoder;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<QueryObservationsRequest, QueryObservationsResponse>::default().encoder()
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Decoder for Lengths {
    type Item = usize;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<usize>, Status> {
        let length = source.remaining();
        source.advance(length);
        Ok(Some(length))
    }
}
