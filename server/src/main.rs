//! `indicatord`, the server: arguments in, exit code out.

mod demo;
mod doctor;
mod reload;
mod run;
mod token;

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};
use indicator_server::{
    access::FileError,
    engine,
    offline::{self, ExportArgs, ImportArgs, RestoreArgs, VerifyArgs},
    serve::{
        config::{self, Address, DEFAULT_ADMIN_LISTEN, DEFAULT_LISTEN, ServeArgs, Settings},
        tls,
    },
    store,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
        runtime.shutdown_timeout(run::LAST_WAIT);
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
    run::run(settings, Some(args), async |_| Ok(())).await
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
    run::run(settings, None, async |address| {
        let loaded = demo::load(address).await?;
        Ok(write!(io::stdout(), "{}", demo::invitation(address, loaded))?)
    })
    .await
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
