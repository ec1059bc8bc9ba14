//! A well-behaved client, who must be answered whatever others do.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Buf as _, BufMut as _, Bytes};
use indicator_tests::{
    LONG,
    client::{Client, Transport},
    eventually,
    figures::{stations, value},
    refusal::Refusal,
    server::Server,
};
use tokio::task::JoinHandle;
use tonic::{
    Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// What an attack may cost in memory. A debug build, on a shared machine.
const MEMORY: u64 = 200 << 20;

/// As many answers show that the server goes on.
const ANSWERS: u64 = 20;

/// Another address of this machine than the attackers'.
pub(crate) const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A server under attack, and the client who must not notice.
pub(crate) struct Attacked {
    pub(crate) server: Server,
    answers: Arc<AtomicU64>,
    asking: JoinHandle<()>,
    /// The most that it had before.
    memory: u64,
    files: usize,
}

impl Attacked {
    /// Over a small catalog and one figure.
    pub(crate) async fn start(flags: &[&str]) -> Self {
        Self::over(flags, async |_| {}).await
    }

    /// And with what else is put in.
    pub(crate) async fn over(flags: &[&str], fill: impl AsyncFnOnce(&Client)) -> Self {
        let server = Server::start_with(flags);
        // And the bystander's connection.
        let files = server.open_files() + 1;
        let client = server.client_with_catalog().await;
        client.put(vec![value(&stations(), "2020", "1")]).await;
        fill(&client).await;
        drop(client);
        let client = Client::from_address(server.address(), ELSEWHERE);
        ask(&client).await;
        let answers = Arc::new(AtomicU64::new(0));
        let asking = tokio::spawn({
            let answers = Arc::clone(&answers);
            async move {
                loop {
                    ask(&client).await;
                    answers.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
        let (_, memory) = server.memory();
        Self { server, answers, asking, memory, files }
    }

    pub(crate) fn client(&self) -> Client {
        self.server.client()
    }

    /// The bystander is still answered.
    pub(crate) async fn goes_on(&self) {
        let before = self.answers.load(Ordering::Relaxed);
        eventually("the bystander is answered", async || {
            assert!(!self.asking.is_finished(), "the bystander was not answered");
            self.answers.load(Ordering::Relaxed) > before + ANSWERS
        })
        .await;
    }

    /// Nothing is left of the attack, and it did not cost much.
    pub(crate) async fn survived(self) {
        self.survived_within(MEMORY).await;
    }

    /// And it cost no more memory than this.
    pub(crate) async fn survived_within(self, memory: u64) {
        self.goes_on().await;
        eventually("its connections are closed", async || self.server.open_files() <= self.files).await;
        let (now, most) = self.server.memory();
        let grown = most.saturating_sub(self.memory);
        assert!(
            grown < memory,
            "{} MiB more memory at most, from {} MiB to {} MiB now",
            grown >> 20,
            self.memory >> 20,
            now >> 20
        );
        assert!(!self.server.log().iter().any(|line| line.contains("\"ERROR\"") || line.contains("panicked")));
        self.asking.abort();
    }
}

async fn ask(client: &Client) {
    assert_eq!(health(client).await.unwrap(), 1, "SERVING");
    assert_eq!(client.value(&stations(), "2020").await, "1");
    assert_eq!(client.vintages(&stations(), "2020").await.len(), 1);
}

/// The status in a health check.
pub(crate) async fn health(client: &Client) -> Result<i32, Status> {
    #[derive(Clone, PartialEq, prost::Message)]
    struct Health {
        #[prost(int32, tag = "1")]
        status: i32,
    }
    let answer = call(&client.channel(), "/grpc.health.v1.Health/Check", Bytes::new()).await?;
    Ok(<Health as prost::Message>::decode(answer).unwrap().status)
}

/// The first answer to a call with any bytes for its message.
pub(crate) async fn call(channel: &Transport, path: &str, message: Bytes) -> Result<Bytes, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone()).max_decoding_message_size(usize::MAX);
    grpc.ready().await.unwrap();
    let mut request = Request::new(message);
    request.set_timeout(LONG);
    let answers = grpc.server_streaming(request, path.parse().unwrap(), BytesCodec).await?;
    let mut answers = answers.into_inner();
    Ok(answers.message().await?.unwrap_or_default())
}

/// What a call with these bytes is refused with.
pub(crate) async fn refused(client: &Client, path: &str, message: impl Into<Bytes>) -> Refusal {
    call(&client.channel(), path, message.into()).await.expect_err(path).into()
}

/// Messages as bytes.
#[derive(Clone, Copy)]
pub(crate) struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
