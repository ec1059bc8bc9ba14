//! The load: callers in closed loops over a few connections.
//!
//! It speaks HTTP/2 itself and does not decode the answers' messages: the generator has the same processors as the servers, and
//! what it needs would count against each of them alike and so draw their figures together.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::{BufMut as _, Bytes, BytesMut};
use fastrand::Rng;
use futures::future::try_join_all;
use h2::client::SendRequest;
use prost::Message;
use tokio::{net::TcpStream, task::JoinSet};
use tonic::{
    codegen::http::{HeaderMap, Request, Uri},
    transport::{Channel, Endpoint},
};

use crate::{process::Server, report::Turn};

/// As DESIGN asks: 8 connections, 32 calls in flight on each.
pub(crate) const CONNECTIONS: usize = 8;
pub(crate) const IN_FLIGHT: usize = 32;

/// Turns of each contestant.
pub(crate) const ROUNDS: usize = 5;
/// Length of a turn; a quarter as long again goes before it unmeasured.
const TURN: Duration = Duration::from_secs(3);

/// What to call, and how much at once.
pub(crate) struct Load<F> {
    path: &'static str,
    message: F,
    connections: usize,
    in_flight: usize,
    seeds: Rng,
}

impl<M: Message + 'static, F: Fn(&mut Rng) -> M + Copy + Send + 'static> Load<F> {
    /// Calls of one method with messages made by `message`; [`CONNECTIONS`] with [`IN_FLIGHT`] each.
    pub(crate) fn new(path: &'static str, message: F) -> Self {
        Self { path, message, connections: CONNECTIONS, in_flight: IN_FLIGHT, seeds: Rng::with_seed(0) }
    }

    /// One call after the other.
    pub(crate) fn alone(self) -> Self {
        // Other numbers: a figure that is there already would not be written.
        Self { connections: 1, in_flight: 1, seeds: Rng::with_seed(1), ..self }
    }

    /// One turn at a server: warm-up, then measurement.
    pub(crate) async fn turn(&mut self, server: &Server) -> Result<Turn> {
        self.drive(server, TURN / 4).await?;
        let (began, computed) = (Instant::now(), server.computed()?);
        let mut micros = self.drive(server, TURN).await?;
        let (elapsed, computed) = (began.elapsed(), server.computed()? - computed);
        micros.sort_unstable();
        let calls = micros.len();
        let at = |share: f64| Duration::from_micros(micros.get((calls as f64 * share) as usize).copied().unwrap_or(0).into());
        let cpu = computed / calls.max(1) as u32;
        Ok(Turn { rate: calls as f64 / elapsed.as_secs_f64(), p50: at(0.50), p99: at(0.99), cpu })
    }

    /// Lets every caller call for a while. Answers the time each call took, in microseconds.
    async fn drive(&mut self, server: &Server, span: Duration) -> Result<Vec<u32>> {
        let uri: Uri = format!("http://{}{}", server.address, self.path).parse()?;
        let end = Instant::now() + span;
        let mut connections = JoinSet::new();
        for _ in 0..self.connections {
            let sender = open(server).await?;
            let callers = (0..self.in_flight).map(|_| {
                let random = Rng::with_seed(self.seeds.u64(..));
                call_until(end, sender.clone(), uri.clone(), random, self.message)
            });
            // All in one task, which no call leaves.
            connections.spawn(try_join_all(callers.collect::<Vec<_>>()));
        }
        let mut micros = Vec::new();
        while let Some(taken) = connections.join_next().await {
            taken??.into_iter().for_each(|taken| micros.extend(taken));
        }
        Ok(micros)
    }
}

/// A connection for calls.
pub(crate) async fn open(server: &Server) -> Result<SendRequest<Bytes>> {
    let socket = TcpStream::connect(&server.address).await.with_context(|| format!("cannot connect to {}", server.address))?;
    socket.set_nodelay(true)?;
    let (sender, connection) = h2::client::handshake(socket).await?;
    // Its errors come to the calls.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

async fn call_until<M: Message>(
    end: Instant,
    mut sender: SendRequest<Bytes>,
    uri: Uri,
    mut random: Rng,
    message: impl Fn(&mut Rng) -> M,
) -> Result<Vec<u32>> {
    let mut micros = Vec::with_capacity(4096);
    let mut began = Instant::now();
    while began < end {
        sender = sender.ready().await?;
        call(&mut sender, &uri, frame(&message(&mut random))).await?;
        let ended = Instant::now();
        micros.push((ended - began).as_micros() as u32);
        began = ended;
    }
    Ok(micros)
}

/// A message after its gRPC prefix.
pub(crate) fn frame(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(5 + length);
    frame.put_u8(0);
    frame.put_u32(length as u32);
    message.encode(&mut frame).expect("there is room for the message");
    frame.freeze()
}

/// Makes a call, and waits for its end.
pub(crate) async fn call(sender: &mut SendRequest<Bytes>, uri: &Uri, frame: Bytes) -> Result<()> {
    let request = Request::post(uri.clone()).header("content-type", "application/grpc").header("te", "trailers").body(())?;
    let (response, mut body) = sender.send_request(request, false)?;
    body.send_data(frame, true)?;
    let (head, mut body) = response.await?.into_parts();
    while let Some(data) = body.data().await {
        let length = data?.len();
        body.flow_control().release_capacity(length)?;
    }
    check(&body.trailers().await?.unwrap_or(head.headers))
}

fn check(trailers: &HeaderMap) -> Result<()> {
    let message = trailers.get("grpc-message").map_or(&b""[..], |message| message.as_bytes());
    let ok = trailers.get("grpc-status").is_some_and(|status| status == "0");
    ensure!(ok, "a call failed: {}", String::from_utf8_lossy(message));
    Ok(())
}

/// Connections for tonic's clients, with equal settings to whoever serves at an address.
pub(crate) async fn connect(address: &str, connections: usize) -> Result<Vec<Channel>> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?
        .tcp_nodelay(true)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20);
    let mut channels = Vec::with_capacity(connections);
    for _ in 0..connections {
        channels.push(endpoint.connect().await.with_context(|| format!("cannot connect to {address}"))?);
    }
    Ok(channels)
}
