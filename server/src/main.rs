//! `indicatord`, the server. Only wires: arguments, log, store, listener, exit code.

mod demo;
mod doctor;
mod reload;
mod token;

use std::{
    io::{self, IsTerminal as _, Write as _},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use futures::future;
use indicator_proto::Time;
use indicator_server::{
    access::{CredentialFile, FileError, Keyring},
    engine::{self, Engine},
    offline::{self, ExportArgs, ImportArgs, RestoreArgs, VerifyArgs},
    serve::{
        self, Access, Door,
        config::{self, Address, DEFAULT_LISTEN, LogFormat, ServeArgs, Settings},
        tls::{self, Tls},
    },
    service, store,
};
use reload::{Reload, SetLog};
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
revision of the backup is answered as it was.

A restore that is interrupted leaves a directory that no server opens; restore into it again.";

const MOVE_HELP: &str = "\
Same revisions, same hashes, same digest, on any machine and in any later release. The new store has a new epoch, so that tokens of \
before are refused: nobody can know that the old machine does not go on writing. To move tokens too, copy the data directory of the \
stopped server instead.";

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => serve(args).await,
        Command::Config(args) => config(&args),
        Command::Doctor(args) => doctor(&args),
        Command::Token(command) => token::run(command),
        Command::Demo { listen } => demo(listen).await,
        Command::Restore(args) => offline::restore(&args),
        Command::ExportLog(args) => offline::export(&args),
        Command::ImportLog(args) => offline::import(&args),
        Command::Verify(args) => offline::verify(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told when stderr is closed.
            let _ = writeln!(io::stderr(), "indicatord: {error:#}");
            exit_code(&error)
        }
    }
}

async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let settings = args.settings()?.settings;
    if args.check_config {
        settings.tls().map(|files| files.read()).transpose()?;
        return Ok(());
    }
    run(settings, Some(args), async |_| Ok(())).await
}

fn doctor(args: &ServeArgs) -> anyhow::Result<()> {
    let healthy = doctor::run(&args.settings()?.settings)?;
    anyhow::ensure!(healthy, "something must be mended before this is a server to rely on");
    Ok(())
}

fn config(args: &ServeArgs) -> anyhow::Result<()> {
    Ok(write!(io::stdout(), "{}", args.settings()?)?)
}

async fn demo(listen: SocketAddr) -> anyhow::Result<()> {
    let directory = tempfile::Builder::new().prefix("indicatord-demo-").tempdir()?;
    let settings =
        Settings { listen, admin_listen: Address::Off, log: "warn".to_owned(), ..Settings::new(directory.path().to_owned()) };
    settings.check()?;
    run(settings, None, async |address| {
        let loaded = demo::load(address).await?;
        Ok(write!(io::stdout(), "{}", demo::invitation(address, loaded))?)
    })
    .await
}

/// Serves until a signal comes. `args` say how the settings are read again; `ready` runs when the port answers, and if it fails, the
/// server stops.
async fn run(
    settings: Settings,
    args: Option<ServeArgs>,
    ready: impl AsyncFnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let set_log = log(&settings);
    let tls = settings.tls().map(Tls::open).transpose()?.map(Arc::new);
    // The port first: if it is taken, the store stays untouched.
    let listener = serve::bind(settings.listen).await?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let options = engine::Options { write_queue: settings.write_queue, clock: now, retention: settings.retention() };
    let engine = Arc::new(Engine::open(&settings.data, options)?);
    let keyring = settings.auth.then(|| Keyring::open(CredentialFile::of(&settings.data))).transpose()?.map(Arc::new);
    warn(&settings, keyring.as_deref());
    let routes = serve::routes(stop.clone());
    let routes = service::add(routes, &engine, now(), &stop);
    serve::cancel_on_signal(stop.clone())?;
    tracing::info!(%address, data = %settings.data.display(), "listening");
    let door = Door { tls: tls.clone(), access: keyring.clone().map_or(Access::Open, Access::Known) };
    let serving = serve::run(listener, door, routes, settings.options(), stop.cancelled());
    let keeping = keep(Reload { args, settings, set_log, tls, keyring });
    let ready = async {
        tokio::select! {
            result = ready(address) => result.inspect_err(|_| stop.cancel()),
            () = stop.cancelled() => Ok(()),
        }
    };
    let ((), result) = tokio::select! {
        ended = async { tokio::join!(serving, ready) } => ended,
        never = keeping => never,
    };
    tracing::info!("stopped");
    result
}

/// Notices what changes while the server runs. Never returns.
async fn keep<T>(reload: Reload) -> T {
    let (tls, keyring) = (reload.tls.clone(), reload.keyring.clone());
    let tls = async {
        if let Some(tls) = tls {
            tls.keep().await
        }
    };
    let keyring = async {
        if let Some(keyring) = keyring {
            keyring.keep().await
        }
    };
    tokio::join!(tls, keyring, reload.run());
    future::pending().await
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

/// The only clock of the record.
fn now() -> Time {
    let micros = jiff::Timestamp::now().as_microsecond();
    Time::from_micros(micros).expect("the clock shows a year before 10000")
}

/// Begins to log. Answers how to change what is logged.
fn log(settings: &Settings) -> SetLog {
    let filter = EnvFilter::try_new(&settings.log).expect("the settings were checked");
    let color = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(color);
    // Where nobody reads stderr any more, it would complain there, and panic: SIGTERM, which is logged, was never obeyed.
    let subscriber = subscriber.log_internal_errors(false);
    match settings.log_format {
        LogFormat::Text => {
            let subscriber = subscriber.with_filter_reloading();
            let handle = subscriber.reload_handle();
            subscriber.init();
            Box::new(move |filter| Ok(handle.reload(EnvFilter::try_new(filter)?)?))
        }
        LogFormat::Json => {
            let subscriber = subscriber.json().with_filter_reloading();
            let handle = subscriber.reload_handle();
            subscriber.init();
            Box::new(move |filter| Ok(handle.reload(EnvFilter::try_new(filter)?)?))
        }
    }
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
        Some(store::Error::Full { .. } | store::Error::Failed(_) | store::Error::Io(_)) | None => ExitCode::FAILURE,
    }
}
