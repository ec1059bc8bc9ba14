use std::{io, net::SocketAddr, path::PathBuf, pin::pin, sync::Arc, time::Duration};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::service::Routes;
use tower::ServiceBuilder;

use super::{
    Access, Peer,
    admission::{Admission, Busy, Capacity},
    auth::Authenticate,
    calls::Calls,
    calm::Calm,
    config::Settings,
    deadline::Deadlines,
    explained, files,
    gather::Gather,
    message_limit::MessageLimit,
    peers::{Peers, Share},
    plain::Plain,
    preface::Preface,
    tls::{self, Tls},
};
use crate::seldom::Seldom;

/// How connections are treated.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Most bytes of one message that a client sends.
    pub max_message_bytes: usize,
    /// Most connections at once; more wait to be accepted.
    pub max_connections: usize,
    /// Most connections from one address; more are closed.
    pub max_connections_per_peer: usize,
    /// Most calls at once on one connection: thousands of watches, and still an end to what one client can ask for.
    pub max_streams: u32,
    /// Most calls at once, watches aside; half of them from one address.
    pub max_requests: usize,
    /// Most watches at once; half of them from one address.
    pub max_subscribers: usize,
    /// Most frames without content a second on one connection; ten times as many in a burst.
    pub max_control_frames: u32,
    /// How long a call may take, watches, imports and backups aside.
    pub max_call: Duration,
    /// How long a client may take for its TLS handshake, and again to begin speaking HTTP.
    pub handshake_timeout: Duration,
    /// How long a connection may stay without calls.
    pub idle_timeout: Duration,
    /// How long stopping may take, whatever clients do.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Settings::new(PathBuf::new()).options()
    }
}

/// What a client may send ahead on one stream, and on all streams of a connection: enough for an import to fill a fast line.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// What a stream may have waiting for a socket that takes nothing; hyper's 400 KiB would be gigabytes for some thousand readers who
/// stand still.
const SEND_BUFFER: usize = 64 << 10;
/// Names and values of one call's headers, and what keeping them takes.
const HEADER_LIST: u32 = 16 << 10;
/// Calls that a client may make wrongly on one connection, before it is closed.
const ERROR_RESETS: usize = 1024;
/// A client that vanished without a word is noticed within the sum of these.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to leave the listener alone when it fails, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Part of the grace, at its end, for telling the calls still open that the server goes.
const FAREWELL: Duration = Duration::from_secs(1);

/// A listener on `address`. The error says what to do about a port in use.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AddrInUse => "; stop the process that listens there, or listen elsewhere",
            io::ErrorKind::PermissionDenied => "; ports below 1024 need a privilege, listen on another",
            io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
            _ => "",
        };
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}{remedy}"))
    })
}

/// Who comes in, and how.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// Speaks TLS; `None` is plain TCP.
    pub tls: Option<Arc<Tls>>,
    /// Who is let in.
    pub access: Access,
}

/// Serves `routes` on `listener`, and has their calls counted, until `shutdown` is ready and the open calls have ended, or the grace has.
///
/// Stopping has three steps: no new connections and calls, while those in flight run on; near the end of the grace the rest is
/// answered UNAVAILABLE; at its end connections are cut. Streams that watch for ever should end by themselves at the first step.
pub async fn run(
    listener: TcpListener,
    door: Door,
    routes: Routes,
    options: Options,
    calls: Calls,
    shutdown: impl Future<Output = ()>,
) {
    let stages = Stages::default();
    let connections = TaskTracker::new();
    let entrance = Entrance::new(&options);
    let site = Site {
        authenticate: Authenticate::new(door.access),
        capacity: Capacity::new(options.max_requests, options.max_subscribers),
        routes: routes.prepare(),
        options,
        calls,
        stages: stages.clone(),
    };
    let accept_all = async {
        loop {
            let (socket, address, entry) = entrance.accept(&listener).await;
            connections.spawn(greet(socket, address, entry, door.tls.clone(), site.clone()));
        }
    };
    tokio::select! {
        biased;
        () = shutdown => {}
        () = accept_all => {}
    }
    // Closes the port: who comes now is refused at once, and does not wait for an answer.
    drop(listener);
    connections.close();
    stop(&stages, &connections, options.grace).await;
}

/// The steps of stopping.
#[derive(Debug, Clone, Default)]
struct Stages {
    /// No new calls.
    going_away: CancellationToken,
    /// No more waiting for calls.
    last_call: CancellationToken,
    /// No more waiting for clients.
    cut: CancellationToken,
}

async fn stop(stages: &Stages, connections: &TaskTracker, grace: Duration) {
    let farewell = FAREWELL.min(grace / 4);
    stages.going_away.cancel();
    if timeout(grace - farewell, connections.wait()).await.is_ok() {
        return;
    }
    tracing::warn!(connections = connections.len(), "ending the calls that are still open");
    stages.last_call.cancel();
    if timeout(farewell, connections.wait()).await.is_err() {
        stages.cut.cancel();
        connections.wait().await;
    }
}

/// Where connections come in, as many as there is room for.
struct Entrance {
    slots: Arc<Semaphore>,
    peers: Arc<Peers>,
    full: Seldom,
    closed: Seldom,
}

/// The place of one connection.
struct Entry {
    _slot: OwnedSemaphorePermit,
    share: Arc<Share>,
}

impl Entrance {
    fn new(options: &Options) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(files::room_for_connections(options.max_connections))),
            peers: Peers::new(options.max_connections_per_peer),
            full: Seldom::default(),
            closed: Seldom::default(),
        }
    }

    async fn accept(&self, listener: &TcpListener) -> (TcpStream, SocketAddr, Entry) {
        if self.slots.available_permits() == 0
            && let Some(left_out) = self.full.is_due()
        {
            tracing::warn!(left_out, "too many connections; new ones wait until others end");
        }
        let slot = self.slots.clone().acquire_owned().await.expect("the semaphore is never closed");
        loop {
            match listener.accept().await {
                Ok((socket, address)) => match self.peers.connect(address.ip()) {
                    Some(share) => return (socket, address, Entry { _slot: slot, share: Arc::new(share) }),
                    None => {
                        if let Some(left_out) = self.closed.is_due() {
                            tracing::warn!(peer = %address.ip(), left_out, "too many connections from one address; closed one");
                        }
                    }
                },
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Whether it was the client that gave up between connecting and being accepted.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// What every connection is served with.
#[derive(Clone)]
struct Site {
    authenticate: Authenticate,
    capacity: Arc<Capacity>,
    routes: Routes,
    options: Options,
    calls: Calls,
    stages: Stages,
}

/// Shakes hands, in time, and serves what comes then.
async fn greet(socket: TcpStream, address: SocketAddr, entry: Entry, tls: Option<Arc<Tls>>, site: Site) {
    let _open = site.calls.connection();
    // Answers are small and written whole; waiting to fill a packet only delays them.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let Some(tls) = tls else { return serve(socket, Peer { address, certificate: None, encrypted: false }, entry, site).await };
    let accepted = tokio::select! {
        biased;
        accepted = timeout(site.options.handshake_timeout, tls.accept(socket)) => accepted,
        () = site.stages.going_away.cancelled() => return,
    };
    match accepted {
        Ok(Ok(stream)) => {
            let certificate = tls::certificate(&stream);
            serve(stream, Peer { address, certificate, encrypted: true }, entry, site).await;
        }
        Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS handshake"),
        Err(_) => tracing::debug!(%address, "no TLS handshake in time"),
    }
}

/// Serves one connection.
async fn serve(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer, entry: Entry, site: Site) {
    let Site { authenticate, capacity, routes, options, calls, stages } = site;
    let busy = Busy::new();
    let service = ServiceBuilder::new()
        // Before all else, so that what is refused is counted too.
        .layer(calls.of(Some(peer.address)))
        .map_request(move |mut request: http::Request<_>| {
            request.extensions_mut().insert(peer.clone());
            request
        })
        .layer(Plain)
        .layer(authenticate)
        .layer(Admission { capacity, share: Arc::clone(&entry.share), busy: Arc::clone(&busy) })
        .layer(Deadlines { most: options.max_call, last_call: stages.last_call })
        .map_response(explained)
        .layer(MessageLimit(options.max_message_bytes))
        .service(routes);
    let builder = builder(&options);
    let io = TokioIo::new(guarded(io, &options));
    let mut connection = pin!(builder.serve_connection(io, TowerToHyperService::new(service)));
    let served = async {
        let idle = tokio::select! {
            biased;
            result = connection.as_mut() => return result,
            () = stages.going_away.cancelled() => false,
            () = busy.idle_for(options.idle_timeout) => true,
        };
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            biased;
            result = connection => result,
            // One that does not answer does not hold its place.
            () = busy.idle_for(options.handshake_timeout), if idle => Ok(()),
        }
    };
    tokio::select! {
        biased;
        result = served => {
            if let Err(error) = result {
                tracing::debug!(error, "a connection ended early");
            }
        }
        () = stages.cut.cancelled() => {}
    }
}

/// What stands between the bytes of a client and hyper.
fn guarded<IO: AsyncRead + AsyncWrite + Unpin>(io: IO, options: &Options) -> Preface<Calm<Gather<IO>>> {
    Preface::new(Calm::new(Gather::new(io), options.max_control_frames), options.handshake_timeout)
}

fn builder(options: &Options) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(options.handshake_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.max_streams)
        // All that a client has under way, cancelled at once, is no attack.
        .max_pending_accept_reset_streams(options.max_streams as usize)
        .max_local_error_reset_streams(ERROR_RESETS)
        .max_header_list_size(HEADER_LIST)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}
