//! `indicatord`, the server. Only wires: arguments, log, store, listener, exit code.

mod demo;

use std::{
    io::{self, IsTerminal as _, Write as _},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Parser, Subcommand};
use indicator_proto::Time;
use indicator_server::{
    engine::{self, Engine},
    serve::{
        self,
        config::{self, DEFAULT_LISTEN, LogFormat, ServeArgs, Settings},
    },
    service, store,
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// Serve the built-in data set from a fresh store, which vanishes at the end
    #[command(after_help = EXIT_CODES)]
    Demo {
        /// Address and port to listen on
        #[arg(long, value_name = "ADDR", default_value_t = DEFAULT_LISTEN)]
        listen: SocketAddr,
    },
}

/// How long what still computes, although nobody waits for it, may hold up the end.
const LAST_WAIT: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(io::stderr(), "indicatord: cannot start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(start());
    // A runtime that is dropped waits for every read that has begun, however long it computes. What was acknowledged is on disk.
    runtime.shutdown_timeout(LAST_WAIT);
    code
}

async fn start() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => serve(args).await,
        Command::Demo { listen } => demo(listen).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told when stderr is closed.
            let _ = writeln!(io::stderr(), "indicatord: {error}");
            exit_code(&error)
        }
    }
}

async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let settings = args.settings()?;
    if args.check_config {
        write!(io::stdout(), "{}", toml::to_string(&settings)?)?;
        return Ok(());
    }
    run(settings, async |_| Ok(())).await
}

async fn demo(listen: SocketAddr) -> anyhow::Result<()> {
    let directory = tempfile::Builder::new().prefix("indicatord-demo-").tempdir()?;
    let settings = Settings { listen, log: "warn".to_owned(), ..Settings::new(directory.path().to_owned()) };
    settings.check()?;
    run(settings, async |address| {
        let loaded = demo::load(address).await?;
        Ok(write!(io::stdout(), "{}", demo::invitation(address, loaded))?)
    })
    .await
}

/// Serves until a signal comes. `ready` runs when the port answers; if it fails, the server stops.
async fn run(settings: Settings, ready: impl AsyncFnOnce(SocketAddr) -> anyhow::Result<()>) -> anyhow::Result<()> {
    log(&settings);
    // The port first: if it is taken, the store stays untouched.
    let listener = serve::bind(settings.listen).await?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let options = engine::Options { write_queue: settings.write_queue, clock: now, retention: settings.retention() };
    let engine = Arc::new(Engine::open(&settings.data, options)?);
    let routes = serve::routes(stop.clone());
    let routes = service::add(routes, &engine, now(), &stop);
    serve::cancel_on_signal(stop.clone())?;
    tracing::info!(%address, data = %settings.data.display(), "listening");
    let serving = serve::run(listener, routes, settings.options(), stop.cancelled());
    let ready = async {
        tokio::select! {
            result = ready(address) => result.inspect_err(|_| stop.cancel()),
            () = stop.cancelled() => Ok(()),
        }
    };
    let ((), result) = tokio::join!(serving, ready);
    tracing::info!("stopped");
    result
}

/// The only clock of the record.
fn now() -> Time {
    let micros = jiff::Timestamp::now().as_microsecond();
    Time::from_micros(micros).expect("the clock shows a year before 10000")
}

fn log(settings: &Settings) {
    let filter = EnvFilter::try_new(&settings.log).expect("the settings were checked");
    let color = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(color);
    // Where nobody reads stderr any more, it would complain there, and panic: SIGTERM, which is logged, was never obeyed.
    let subscriber = subscriber.log_internal_errors(false);
    match settings.log_format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
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
        Some(store::Error::Full { .. } | store::Error::Refused(_) | store::Error::Failed(_) | store::Error::Io(_)) | None => {
            ExitCode::FAILURE
        }
    }
}
