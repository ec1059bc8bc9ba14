//! `indicatord`, the server. Only wires: arguments, log, store, listener, exit code.

mod demo;

use std::{
    future,
    io::{self, IsTerminal as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Parser, Subcommand};
use futures::future::Either;
use indicator_proto::Time;
use indicator_server::{
    engine::{self, Engine},
    serve::{
        self, Calls, Private, Readiness,
        config::{self, Address, DEFAULT_ADMIN_LISTEN, DEFAULT_LISTEN, LogFormat, ServeArgs, Settings},
        systemd,
        traces::{self, Traces},
    },
    service, store,
    watch::Hub,
};
use tokio::{task, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Connections to the private port: of whatever scrapes and probes.
const ADMIN_CONNECTIONS: usize = 64;

/// How long the private port, and what runs in the background, may take to end when everything else has.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// How long a server may take to say whether it is ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// The service of record for statistical indicators
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  stopped as asked
  1  failed, or stopped at once by a second signal
  2  wrong arguments or settings
  3  the data directory is in use, damaged, or holds something else";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a data directory
    #[command(after_help = EXIT_CODES)]
    Serve(ServeArgs),
    /// Print the settings that `serve` would use, and where each is from
    Config(ServeArgs),
    /// Ask a server on this machine whether it is ready: exit code 0 if it is, 1 if not
    Ready {
        /// The server's port for those who run it
        #[arg(long, env = "INDICATORD_ADMIN_LISTEN", value_name = "ADDR", default_value_t = DEFAULT_ADMIN_LISTEN)]
        admin_listen: SocketAddr,
    },
    /// Serve the built-in data set from a fresh store, which vanishes at the end
    #[command(after_help = EXIT_CODES)]
    Demo {
        /// Address and port to listen on
        #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_LISTEN)]
        listen: SocketAddr,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = tokio::runtime::Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        let result = runtime.block_on(run(cli.command));
        // What still runs then was told to end long ago, and nothing that was acknowledged depends on it.
        runtime.shutdown_timeout(LAST_WAIT);
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told when stderr is closed.
            let _ = writeln!(io::stderr(), "indicatord: {error}");
            exit_code(&error)
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve(args).await,
        Command::Config(args) => config(&args),
        Command::Ready { admin_listen } => ready(admin_listen),
        Command::Demo { listen } => demo(listen).await,
    }
}

async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let settings = args.settings()?.settings;
    if args.check_config {
        return Ok(());
    }
    run_server(settings, async |_| Ok(())).await
}

fn config(args: &ServeArgs) -> anyhow::Result<()> {
    Ok(write!(io::stdout(), "{}", args.settings()?)?)
}

/// For probes where there is nothing else to ask with, as in a container without a shell.
fn ready(mut address: SocketAddr) -> anyhow::Result<()> {
    // Where it listens on every address, this is one of them.
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    let ask = || {
        let mut server = TcpStream::connect_timeout(&address, PATIENCE)?;
        server.set_read_timeout(Some(PATIENCE))?;
        write!(server, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        io::read_to_string(server)
    };
    let answer = ask().map_err(|error| anyhow::anyhow!("nothing answers on {address}: {error}"))?;
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if !head.starts_with("HTTP/1.1 200 ") {
        anyhow::bail!("{}", text.trim_end());
    }
    Ok(write!(io::stdout(), "{text}")?)
}

async fn demo(listen: SocketAddr) -> anyhow::Result<()> {
    let directory = tempfile::Builder::new().prefix("indicatord-demo-").tempdir()?;
    let settings =
        Settings { listen, admin_listen: Address::Off, log: "warn".to_owned(), ..Settings::new(directory.path().to_owned()) };
    settings.check()?;
    run_server(settings, async |address| {
        let loaded = demo::load(address).await?;
        Ok(write!(io::stdout(), "{}", demo::invitation(address, loaded))?)
    })
    .await
}

/// Serves until a signal comes. `ready` runs when the port answers; if it fails, the server stops.
async fn run_server(settings: Settings, ready: impl AsyncFnOnce(SocketAddr) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let traces = log(&settings)?;
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
    let (asked, stop) = (CancellationToken::new(), CancellationToken::new());
    let hub = Hub::new(Arc::clone(&engine), stop.clone());
    private.opened(&hub);
    let routes = service::add(serve::routes(&readiness, engine.alarms(), stop.clone()), &hub, now());
    drop(hub);
    serve::cancel_on_signal(asked.clone())?;
    tokio::spawn(systemd::keep_alive(Arc::downgrade(&engine)));
    readiness.serve();
    systemd::ready(&format!("Serving on {address}"));
    tracing::info!(%address, %admin, data = %settings.data.display(), "listening");

    let serving = serve::run(listener, routes, settings.options(), calls, stop.cancelled());
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
    // What waited for the writer is still written, if the disk lets it.
    let flushed = task::spawn_blocking(move || drop(engine));
    if timeout(settings.options().grace.max(LAST_WAIT), flushed).await.is_err() {
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
    let serving = serve::run(listener, private.routes(), options, Calls::default(), closed.cancelled_owned());
    let serving = tokio::spawn(serving);
    Ok((Address::At(address), Either::Right(async { drop(serving.await) })))
}

/// The only clock of the record.
fn now() -> Time {
    let micros = jiff::Timestamp::now().as_microsecond();
    Time::from_micros(micros).expect("the clock shows a year before 10000")
}

/// Begins to log; and to send traces, if there is somewhere to send them.
fn log(settings: &Settings) -> anyhow::Result<Option<Traces>> {
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
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(spans).init();
    Ok(traces)
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    let store = error.downcast_ref::<store::Error>().or_else(|| match error.downcast_ref::<engine::Error>() {
        Some(engine::Error::Store(error)) => Some(error),
        _ => None,
    });
    match store {
        _ if error.is::<config::Error>() => ExitCode::from(2),
        Some(
            store::Error::Directory { .. } | store::Error::InUse(_) | store::Error::Corrupt(_) | store::Error::Foreign { .. },
        ) => ExitCode::from(3),
        Some(store::Error::Full { .. } | store::Error::OverQuota { .. } | store::Error::Failed(_) | store::Error::Io(_))
        | None => ExitCode::FAILURE,
    }
}
