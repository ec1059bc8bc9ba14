//! `indicatord`, the server. Only wires: arguments, log, store, listener, exit code.

mod demo;
mod doctor;
mod reload;
mod token;

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
    access::{CredentialFile, FileError, Keyring},
    engine::{self, Engine},
    offline::{self, ExportArgs, ImportArgs, RestoreArgs, VerifyArgs},
    serve::{
        self, Access, Calls, Door, Private, Readiness,
        config::{self, Address, DEFAULT_ADMIN_LISTEN, DEFAULT_LISTEN, LogFormat, ServeArgs, Settings},
        systemd,
        tls::{self, Tls},
        traces::{self, Traces},
    },
    service, store,
    watch::Hub,
};
use reload::{Reload, SetLog};
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
  2  wrong arguments, settings, certificates or credentials
  3  the data directory is in use, damaged, or holds something else; an archive is damaged";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a data directory
    #[command(after_help = EXIT_CODES)]
    Serve(ServeArgs),
    /// Make, list and revoke the credentials of callers
    #[command(subcommand)]
    Token(token::Command),
    /// Look at the machine, the disk and the files that `serve` would use, and say what to mend
    Doctor(ServeArgs),
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
    /// Make a new store of a backup and its increments
    #[command(after_help = RESTORE_HELP)]
    Restore(RestoreArgs),
    /// Write the whole history of a stopped server into a file
    #[command(after_help = MOVE_HELP)]
    ExportLog(ExportArgs),
    /// Make a new store of a history that export-log wrote, as it is
    #[command(after_help = MOVE_HELP)]
    ImportLog(ImportArgs),
    /// Compare a stopped server's store with its log, or read backups through
    #[command(after_help = EXIT_CODES)]
    Verify(VerifyArgs),
}

const RESTORE_HELP: &str = "\
A backup is made of a running server by `indicator backup FILE`.

The new store has a new epoch: tokens of before are refused, and watches start anew. A commit that changes nothing is added, far after \
the last of the backup: revisions between them, which the history that was lost may have used, are refused. What is asked as of a \
revision of the backup is answered as it was. Credentials are not in backups: make new ones, or copy credentials.json.

A restore that is interrupted leaves a directory that no server opens; restore into it again.";

const MOVE_HELP: &str = "\
Same revisions, same hashes, same digest, on any machine and in any later release. The new store has a new epoch, so that tokens of \
before are refused: nobody can know that the old machine does not go on writing. To move tokens too, copy the data directory of the \
stopped server instead.";

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
            let _ = writeln!(io::stderr(), "indicatord: {error:#}");
            exit_code(&error)
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve(args).await,
        Command::Config(args) => config(&args),
        Command::Doctor(args) => doctor(&args),
        Command::Token(command) => token::run(command),
        Command::Ready { admin_listen } => ready(admin_listen),
        Command::Demo { listen } => demo(listen).await,
        Command::Restore(args) => offline::restore(&args),
        Command::ExportLog(args) => offline::export(&args),
        Command::ImportLog(args) => offline::import(&args),
        Command::Verify(args) => offline::verify(&args),
    }
}

async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let settings = args.settings()?.settings;
    if args.check_config {
        settings.tls().map(|files| files.read()).transpose()?;
        return Ok(());
    }
    run_server(settings, Some(args), async |_| Ok(())).await
}

fn doctor(args: &ServeArgs) -> anyhow::Result<()> {
    let healthy = doctor::run(&args.settings()?.settings)?;
    anyhow::ensure!(healthy, "something must be mended before this is a server to rely on");
    Ok(())
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
    run_server(settings, None, async |address| {
        let loaded = demo::load(address).await?;
        Ok(write!(io::stdout(), "{}", demo::invitation(address, loaded))?)
    })
    .await
}

/// Serves until a signal comes. `args` say how the settings are read again; `ready` runs when the port answers, and if it fails, the
/// server stops.
async fn run_server(
    settings: Settings,
    args: Option<ServeArgs>,
    ready: impl AsyncFnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (set_log, traces) = log(&settings)?;
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
    drop(hub);
    serve::cancel_on_signal(asked.clone())?;
    tokio::spawn(systemd::keep_alive(Arc::downgrade(&engine)));
    readiness.serve();
    systemd::ready(&format!("Serving on {address}"));
    tracing::info!(%address, %admin, data = %settings.data.display(), "listening");

    let (options, grace) = (settings.options(), settings.options().grace);
    let door = Door { tls: tls.clone(), access: keyring.clone().map_or(Access::Open, Access::Known) };
    let serving = serve::run(listener, door, routes, options, calls, stop.cancelled());
    let keeping = tokio::spawn(keep(Reload { args, settings, set_log, tls, keyring, engine: Arc::downgrade(&engine) }));
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

fn exit_code(error: &anyhow::Error) -> ExitCode {
    let store = error.downcast_ref::<store::Error>().or_else(|| match error.downcast_ref::<engine::Error>() {
        Some(engine::Error::Store(error)) => Some(error),
        _ => None,
    });
    match store {
        _ if error.is::<config::Error>() || error.is::<tls::Error>() || error.is::<FileError>() => ExitCode::from(2),
        _ if error.is::<offline::Damaged>() => ExitCode::from(3),
        Some(
            store::Error::Archive(_)
            | store::Error::Directory { .. }
            | store::Error::InUse(_)
            | store::Error::Corrupt(_)
            | store::Error::Foreign { .. },
        ) => ExitCode::from(3),
        Some(
            store::Error::Full { .. }
            | store::Error::OverQuota { .. }
            | store::Error::Refused(_)
            | store::Error::Failed(_)
            | store::Error::Io(_),
        )
        | None => ExitCode::FAILURE,
    }
}
