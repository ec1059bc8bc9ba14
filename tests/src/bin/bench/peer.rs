//! The bare tonic service: the same messages with nothing behind them, served by tonic's own server with the settings of ours.

use std::{pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use futures::{Stream, stream};
use indicator_proto::v1::{
    self,
    observation_service_server::{ObservationService, ObservationServiceServer},
};
use prost::Message as _;
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Server, server::TcpIncoming},
};

/// Makes this program the peer; a recording follows.
pub(crate) const ARGUMENT: &str = "--bare-tonic";

/// What the peer answers.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub(crate) get: v1::GetObservationResponse,
    pub(crate) query: Vec<v1::QueryObservationsResponse>,
}

impl Recording {
    /// As a file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.get.encode_length_delimited_to_vec();
        for message in &self.query {
            bytes.extend(message.encode_length_delimited_to_vec());
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Result<Self, prost::DecodeError> {
        let get = v1::GetObservationResponse::decode_length_delimited(&mut bytes)?;
        let mut query = Vec::new();
        while !bytes.is_empty() {
            query.push(v1::QueryObservationsResponse::decode_length_delimited(&mut bytes)?);
        }
        Ok(Self { get, query })
    }
}

/// Serves a recording until it is killed.
pub(crate) async fn serve(recording: &std::path::Path) -> Result<()> {
    let bytes = std::fs::read(recording).with_context(|| format!("cannot read {}", recording.display()))?;
    let service = Bare(Arc::new(Recording::decode(&bytes)?));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("address={}", listener.local_addr()?);
    Server::builder()
        .max_concurrent_streams(4096)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .add_service(ObservationServiceServer::new(service))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await?;
    Ok(())
}

struct Bare(Arc<Recording>);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

fn not_served<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("the peer only reads"))
}

#[tonic::async_trait]
impl ObservationService for Bare {
    type ImportObservationsStream = Answers<v1::ImportObservationsResponse>;
    type QueryObservationsStream = Answers<v1::QueryObservationsResponse>;

    async fn get_observation(
        &self,
        _: Request<v1::GetObservationRequest>,
    ) -> Result<Response<v1::GetObservationResponse>, Status> {
        Ok(Response::new(self.0.get.clone()))
    }

    async fn query_observations(
        &self,
        _: Request<v1::QueryObservationsRequest>,
    ) -> Result<Response<Self::QueryObservationsStream>, Status> {
        let recording = Arc::clone(&self.0);
        let messages = (0..recording.query.len()).map(move |index| Ok(recording.query[index].clone()));
        Ok(Response::new(Box::pin(stream::iter(messages))))
    }

    async fn write_observations(
        &self,
        _: Request<v1::WriteObservationsRequest>,
    ) -> Result<Response<v1::WriteObservationsResponse>, Status> {
        not_served()
    }

    async fn import_observations(
        &self,
        _: Request<Streaming<v1::ImportObservationsRequest>>,
    ) -> Result<Response<Self::ImportObservationsStream>, Status> {
        not_served()
    }

    async fn list_vintages(&self, _: Request<v1::ListVintagesRequest>) -> Result<Response<v1::ListVintagesResponse>, Status> {
        not_served()
    }

    async fn list_vintage_dates(
        &self,
        _: Request<v1::ListVintageDatesRequest>,
    ) -> Result<Response<v1::ListVintageDatesResponse>, Status> {
        not_served()
    }

    async fn list_commits(&self, _: Request<v1::ListCommitsRequest>) -> Result<Response<v1::ListCommitsResponse>, Status> {
        not_served()
    }
}
