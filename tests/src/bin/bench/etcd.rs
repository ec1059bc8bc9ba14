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
