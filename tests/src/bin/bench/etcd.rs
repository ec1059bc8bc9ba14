//! As much of etcd's gRPC interface as the benches call.

use std::time::Duration;

use anyhow::{Result, bail};
use prost::Message;
use tonic::{Request, Status, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel};
use tonic_prost::ProstCodec;

/// The method that reads a key.
pub(crate) const RANGE: &str = "/etcdserverpb.KV/Range";
/// The method that sets a key.
pub(crate) const PUT: &str = "/etcdserverpb.KV/Put";
/// The method that streams changes.
pub(crate) const WATCH: &str = "/etcdserverpb.Watch/Watch";

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

/// Asks for a watch. In etcd it is one of several things to ask for on the same stream, of which the benches need no other.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct WatchRequest {
    #[prost(message, optional, tag = "1")]
    create: Option<WatchCreateRequest>,
}

#[derive(Clone, PartialEq, Message)]
struct WatchCreateRequest {
    #[prost(bytes = "bytes", tag = "1")]
    key: bytes::Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    range_end: bytes::Bytes,
    #[prost(int64, tag = "3")]
    start_revision: i64,
}

impl WatchRequest {
    /// A watch of every key, from a revision on; from the next one if it is 0.
    pub(crate) fn of_all_keys(start_revision: i64) -> Self {
        // A zero byte stands for the first key, and as the end for the end of all.
        let all = bytes::Bytes::from_static(b"\0");
        Self { create: Some(WatchCreateRequest { key: all.clone(), range_end: all, start_revision }) }
    }
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
