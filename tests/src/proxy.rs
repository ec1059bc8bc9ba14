//! A TCP proxy between a client and a server, which cuts, stalls and delays what goes through it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::sleep,
};

/// How a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Both sides see the end of the stream (FIN), wherever in a message that is.
    Fin,
    /// Both sides see a reset (RST), and lose what is under way.
    Rst,
}

/// What is done to what goes through.
#[derive(Debug, Clone, Copy, Default)]
struct Weather {
    /// Nothing goes through.
    stalled: bool,
    /// Everything waits for this long first.
    delay: Duration,
}

/// The connections that are open, and how each is told to end.
type Open = Arc<Mutex<BTreeMap<u64, watch::Sender<Option<Cut>>>>>;

/// A proxy to one server. Its connections end with it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    open: Open,
    weather: watch::Sender<Weather>,
    accepted: Arc<AtomicU64>,
    /// Where new connections lead.
    server: Arc<Mutex<SocketAddr>>,
    listener: JoinHandle<()>,
}

impl Proxy {
    /// A proxy on a free port.
    ///
    /// # Panics
    ///
    /// If it cannot listen.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, accepted, weather) = (Open::default(), Arc::new(AtomicU64::new(0)), watch::Sender::new(Weather::default()));
        let server = Arc::new(Mutex::new(server));
        let listener = tokio::spawn({
            let server = Arc::clone(&server);
            let (open, accepted, weather) = (Arc::clone(&open), Arc::clone(&accepted), weather.subscribe());
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let number = accepted.fetch_add(1, Ordering::SeqCst);
                    let (cut, told) = watch::channel(None);
                    open.lock().unwrap().insert(number, cut);
                    let (open, weather) = (Arc::clone(&open), weather.clone());
                    let server = *server.lock().unwrap();
                    tokio::spawn(async move {
                        carry(client, server, told, weather).await;
                        open.lock().unwrap().remove(&number);
                    });
                }
            }
        });
        Self { address, open, weather, accepted, server, listener }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections lead to this server: the one before was started again on another port.
    pub fn lead_to(&self, server: SocketAddr) {
        *self.server.lock().unwrap() = server;
    }

    /// Connections that it has taken so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Cuts every open connection; says how many there were.
    pub fn cut(&self, how: Cut) -> usize {
        let open = std::mem::take(&mut *self.open.lock().unwrap());
        // One that has just ended by itself is not cut.
        open.into_values().filter(|cut| cut.send(Some(how)).is_ok()).count()
    }

    /// From now on nothing goes through, or everything again.
    pub fn stall(&self, stalled: bool) {
        self.weather.send_modify(|weather| weather.stalled = stalled);
    }

    /// From now on everything waits for this long.
    pub fn delay(&self, delay: Duration) {
        self.weather.send_modify(|weather| weather.delay = delay);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
        self.cut(Cut::Rst);
    }
}

/// Carries one connection until it ends or is cut.
async fn carry(client: TcpStream, server: SocketAddr, mut told: watch::Receiver<Option<Cut>>, weather: watch::Receiver<Weather>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.into_split(), server.into_split());
    let cut = tokio::select! {
        () = pump(&mut from_client, &mut to_server, weather.clone()) => Some(Cut::Fin),
        () = pump(&mut from_server, &mut to_client, weather) => Some(Cut::Fin),
        told = told.wait_for(Option::is_some) => told.ok().and_then(|how| *how),
    };
    if cut == Some(Cut::Rst) {
        // Closing a socket that does not linger resets it.
        let _ = (to_client.as_ref().set_zero_linger(), to_server.as_ref().set_zero_linger());
    } else {
        let _ = (to_client.shutdown().await, to_server.shutdown().await);
    }
}

/// Carries one direction, as the weather is.
async fn pump(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, mut weather: watch::Receiver<Weather>) {
    let mut buffer = vec![0; 4 << 10];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let Ok(now) = weather.wait_for(|weather| !weather.stalled).await.map(|weather| *weather) else { return };
        if !now.delay.is_zero() {
            sleep(now.delay).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
