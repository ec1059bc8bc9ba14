//! As much of etcd's gRPC interface as the benches call.

use std::time::Duration;

use anyhow::{Result, bail};
use prost::Message;
use tonic::{Request, Status, Streaming, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel};
use tonic_prost::ProstCodec;

/// The method that reads a key.
pub(crate) const RANGE: &str = "/etcdserverpb.KV/Range";
/// The method that sets a key.
pub(crate) const PUT: &str = "/etcdserverpb.KV/Put";

#[derive(Clone, PartialEq, Message)]
pub(crate) struct KeyValue {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) key: bytes::Bytes,
    #[prost(int64, tag = "2")]
    create_revision: i64,
    #[prost(int64, tag = "3")]
    mod_revision: i64,
    #[prost(int64, tag = "4")]
    version: i64,
    #[prost(bytes = "bytes", tag = "5")]
    pub(crate) value: bytes::Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RangeRequest {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) key: bytes::Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PutRequest {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) key: bytes::Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) value: bytes::Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct PutResponse {}

#[derive(Clone, PartialEq, Message)]
struct WatchRequest {
    /// One of several kinds of request; the others have other tags.
    #[prost(message, optional, tag = "1")]
    create_request: Option<WatchCreateRequest>,
}

#[derive(Clone, PartialEq, Message)]
struct WatchCreateRequest {
    #[prost(bytes = "bytes", tag = "1")]
    key: bytes::Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    range_end: bytes::Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct WatchResponse {
    #[prost(message, repeated, tag = "11")]
    pub(crate) events: Vec<Event>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Event {
    #[prost(message, optional, tag = "2")]
    pub(crate) kv: Option<KeyValue>,
}

/// A client on one connection.
#[derive(Clone)]
pub(crate) struct Etcd(Grpc<Channel>);

impl Etcd {
    pub(crate) fn new(channel: Channel) -> Self {
        Self(Grpc::new(channel))
    }

    /// Sets a key. When it answers, that is on disk.
    pub(crate) async fn put(&mut self, key: bytes::Bytes, value: bytes::Bytes) -> Result<(), Status> {
        ready(&mut self.0).await?;
        let codec = ProstCodec::<PutRequest, PutResponse>::default();
        self.0.unary(Request::new(PutRequest { key, value }), PathAndQuery::from_static(PUT), codec).await.map(drop)
    }

    /// Follows every key. The first message says that the watch is made.
    pub(crate) async fn watch(&mut self) -> Result<Streaming<WatchResponse>, Status> {
        ready(&mut self.0).await?;
        let everything = WatchCreateRequest { key: bytes::Bytes::from_static(&[0]), range_end: bytes::Bytes::from_static(&[0]) };
        let request = WatchRequest { create_request: Some(everything) };
        // The watch ends with the stream of requests, so that stays open.
        let requests = futures::StreamExt::chain(futures::stream::iter([request]), futures::stream::pending());
        let codec = ProstCodec::<WatchRequest, WatchResponse>::default();
        let path = PathAndQuery::from_static("/etcdserverpb.Watch/Watch");
        Ok(self.0.streaming(Request::new(requests), path, codec).await?.into_inner())
    }
}

async fn ready(grpc: &mut Grpc<Channel>) -> Result<(), Status> {
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))
}

/// Waits until the server takes writes.
pub(crate) async fn wait_until_ready(address: &str) -> Result<()> {
    for _ in 0..200 {
        if let Ok(mut channels) = crate::load::connect(address, 1).await
            && Etcd::new(channels.remove(0)).put("ready".into(), "".into()).await.is_ok()
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("etcd does not answer at {address}")
}
