//! A server from its start to its end: settings, ports, store, signals.

use std::{
    future,
    io::{self, IsTerminal as _},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use futures::future::Either;
use indicator_proto::Time;
use indicator_server::{
    access::{CredentialFile, Keyring},
    engine::{self, Engine},
    page,
    serve::{
        self, Access, Calls, Door, Private, Readiness,
        config::{Address, LogFormat, ServeArgs, Settings},
        systemd,
        tls::Tls,
        traces::{self, Traces},
    },
    service,
    watch::Hub,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    task,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::reload::{Reload, SetLog};

/// Connections to the private port: of whatever scrapes and probes.
const ADMIN_CONNECTIONS: usize = 64;

/// How long the private port, and what runs in the background, may take to end when everything else has.
pub(crate) const LAST_WAIT: Duration = Duration::from_secs(1);

/// Serves until a signal comes. `args` say how the settings are read again; `ready` runs when the port answers, and if it fails, the
/// server stops.
pub(crate) async fn run(
    settings: Settings,
    args: Option<ServeArgs>,
    ready: impl AsyncFnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (set_log, traces) = log(&settings)?;
    // From the beginning: it would end a server that is not listening for it yet.
    let hangup = signal(SignalKind::hangup())?;
    let tls = settings.tls().map(Tls::open).transpose()?.map(Arc::new);
    // The ports first: if one is taken, the store stays untouched.
    let listener = serve::bind(settings.listen).await?;
    let address = listener.local_addr()?;
    let (readiness, calls) = (Readiness::default(), Calls::default());
    let private = Private::new(&readiness, &calls);
    let closed = CancellationToken::new();
    let (admin, told) = tell(&settings, &private, closed.clone()).await?;
    tracing::debug!(%address, %admin, data = %settings.data.display(), "opening the store");

    let options = engine::Options { write_queue: settings.write_queue, clock: now, retention: settings.retention() };
    let engine = Arc::new(Engine::open(&settings.data, options)?);
    engine.set_disk_limits(settings.disk_limits());
    let keyring = settings.auth.then(|| Keyring::open(CredentialFile::of(&settings.data))).transpose()?.map(Arc::new);
    warn(&settings, keyring.as_deref());
    let (asked, stop) = (CancellationToken::new(), CancellationToken::new());
    let hub = Hub::new(Arc::clone(&engine), stop.clone());
    private.opened(&hub);
    let routes = service::add(serve::routes(&readiness, engine.alarms(), stop.clone()), &hub, settings.max_changes, now());
    let routes = page::beside(routes, &hub);
    drop(hub);
    serve::cancel_on_signal(asked.clone())?;
    tokio::spawn(systemd::keep_alive(Arc::downgrade(&engine)));
    readiness.serve();
    systemd::ready(&format!("Serving on {address}"));
    tracing::info!(%address, %admin, data = %settings.data.display(), "listening");

    let (options, grace) = (settings.options(), settings.options().grace);
    let door = Door { tls: tls.clone(), access: keyring.clone().map_or(Access::Open, Access::Known) };
    let serving = serve::run(listener, door, routes, options, calls, stop.cancelled());
    let keeping = tokio::spawn(keep(Reload { args, settings, set_log, tls, keyring, engine: Arc::downgrade(&engine), hangup }));
    let stopping = async {
        asked.cancelled().await;
        systemd::stopping();
        readiness.stop_when_asked(asked.clone(), stop.clone()).await;
    };
    let ready = async {
        tokio::select! {
            result = ready(address) => result.inspect_err(|_| asked.cancel()),
            () = asked.cancelled() => Ok(()),
        }
    };
    let ((), (), result) = tokio::join!(serving, stopping, ready);
    keeping.abort();
    // What waited for the writer is still written, if the disk lets it.
    let flushed = task::spawn_blocking(move || drop(engine));
    if timeout(grace.max(LAST_WAIT), flushed).await.is_err() {
        tracing::error!("the writer did not end; what it was at was not acknowledged");
    }
    if let Some(traces) = traces {
        traces.close().await;
    }
    tracing::info!("stopped");
    closed.cancel();
    told.await;
    result
}

/// Notices what changes while the server runs.
async fn keep(reload: Reload) {
    let (tls, keyring) = (reload.tls.clone(), reload.keyring.clone());
    let tls = async {
        if let Some(tls) = tls {
            tls.keep().await;
        }
    };
    let keyring = async {
        if let Some(keyring) = keyring {
            keyring.keep().await;
        }
    };
    tokio::join!(tls, keyring, reload.run());
}

/// What whoever starts the server should know.
fn warn(settings: &Settings, keyring: Option<&Keyring>) {
    if settings.insecure && !(settings.listen.ip().is_loopback() && settings.admin_listen.is_loopback()) {
        tracing::warn!("--insecure: other machines can reach this server without encryption, or without showing who they are");
    }
    if keyring.is_some_and(|keyring| keyring.active() == 0) {
        tracing::warn!("--auth, and there is no credential that is good: make one with `indicatord token create`");
    }
}

/// Answers on the private port, until `closed` is cancelled. Where, and when it has ended.
async fn tell(
    settings: &Settings,
    private: &Private,
    closed: CancellationToken,
) -> anyhow::Result<(Address, impl Future<Output = ()> + use<>)> {
    let Address::At(address) = settings.admin_listen else { return Ok((Address::Off, Either::Left(future::ready(())))) };
    let listener = serve::bind(address).await.map_err(|error| {
        anyhow::anyhow!("{error}; this is the port for health and metrics: --admin-listen gives it another address, or \"off\"")
    })?;
    let address = listener.local_addr()?;
    let options = serve::Options { max_connections: ADMIN_CONNECTIONS, grace: LAST_WAIT, ..settings.options() };
    let serving = serve::run(listener, Door::default(), private.routes(), options, Calls::default(), closed.cancelled_owned());
    let serving = tokio::spawn(serving);
    Ok((Address::At(address), Either::Right(async { drop(serving.await) })))
}

/// The only clock of the record.
fn now() -> Time {
    let micros = jiff::Timestamp::now().as_microsecond();
    Time::from_micros(micros).expect("the clock shows a year before 10000")
}

/// Begins to log; and to send traces, if there is somewhere to send them. Answers how to change what is logged.
fn log(settings: &Settings) -> anyhow::Result<(SetLog, Option<Traces>)> {
    let filter = EnvFilter::try_new(&settings.log).expect("the settings were checked");
    let color = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(color);
    // Where nobody reads stderr any more, it would complain there, and panic: SIGTERM, which is logged, was never obeyed.
    let lines = lines.log_internal_errors(false);
    let lines = match settings.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let (spans, traces) = settings.otlp_endpoint.as_deref().map(traces::layer).transpose()?.unzip();
    let (filter, handle) = tracing_subscriber::reload::Layer::new(filter);
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(spans).init();
    let set_log: SetLog = Box::new(move |filter| Ok(handle.reload(EnvFilter::try_new(filter)?)?));
    Ok((set_log, traces))
}
