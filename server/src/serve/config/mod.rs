//! The settings of `indicatord serve`: flags, then `INDICATORD_*` variables, then a TOML file, then defaults.

mod address;
mod given;
mod layers;

use std::{collections::BTreeSet, fmt, io, net::SocketAddr, path::PathBuf, time::Duration};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::tls::TlsFiles;
use crate::{engine::Retention, store::DiskLimits};

pub use address::Address;
pub use layers::{Effective, Origin, ServeArgs, data_directory};

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Complete settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Directory of the store.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to listen for those who run the service.
    pub admin_listen: Address,
    /// Whether `listen` may be an address that other machines reach, without TLS or tokens.
    pub insecure: bool,
    /// Whether callers must show who they are.
    pub auth: bool,
    /// Certificate chain of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// Authorities that sign certificates of clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_client_ca: Option<PathBuf>,
    /// Form of the log.
    pub log_format: LogFormat,
    /// What to log.
    pub log: String,
    /// Where traces are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<String>,
    /// Bytes of the file system that stay free.
    pub min_free_bytes: u64,
    /// Bytes that the store may take; 0 is no limit.
    pub quota_bytes: u64,
    /// Most bytes of one message that a client sends.
    pub max_message_bytes: usize,
    /// Most observations in one write.
    pub max_changes: usize,
    /// Most writes that wait.
    pub write_queue: usize,
    /// Most connections.
    pub max_connections: usize,
    /// Most connections from one address.
    pub max_connections_per_peer: usize,
    /// Most calls at once on one connection.
    pub max_streams: u32,
    /// Most calls at once.
    pub max_requests: usize,
    /// Most watches.
    pub max_subscribers: usize,
    /// Seconds that a call may take.
    pub max_call_seconds: u64,
    /// Seconds that the handshakes of a connection may take.
    pub handshake_seconds: u64,
    /// Seconds after which an idle connection is closed.
    pub idle_seconds: u64,
    /// Frames without content a second on one connection.
    pub max_control_frames: u32,
    /// Most commits that a watch is replayed one by one.
    pub replay_commits: u64,
    /// Days since the oldest commit that a watch is replayed one by one.
    pub replay_days: u32,
    /// Seconds that stopping may take.
    pub grace: u64,
}

/// The address to listen on if none is given.
pub const DEFAULT_LISTEN: SocketAddr = loopback(7430);

/// The address for those who run the service if none is given.
pub const DEFAULT_ADMIN_LISTEN: SocketAddr = loopback(7431);

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)
}

/// A length prefix could say more, but a message is held in memory whole.
const MAX_MESSAGE_BYTES: usize = 1 << 30;

/// Room for a group of commits, and for sled to move segments: it cannot go on after a failed write, and never meets a full disk.
const LEAST_FREE_BYTES: u64 = 64 << 20;

impl Settings {
    /// Settings with every default, for a store in `data`.
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            listen: DEFAULT_LISTEN,
            admin_listen: Address::At(DEFAULT_ADMIN_LISTEN),
            insecure: false,
            auth: false,
            tls_cert: None,
            tls_key: None,
            tls_client_ca: None,
            log_format: LogFormat::Text,
            log: "info".to_owned(),
            otlp_endpoint: None,
            min_free_bytes: LEAST_FREE_BYTES,
            quota_bytes: 0,
            max_message_bytes: 16 << 20,
            max_changes: 100_000,
            write_queue: 1024,
            max_connections: 10_000,
            max_connections_per_peer: 2_000,
            max_streams: 4096,
            max_requests: 8192,
            max_subscribers: 20_000,
            max_call_seconds: 300,
            handshake_seconds: 10,
            idle_seconds: 300,
            max_control_frames: 1_000,
            replay_commits: 10_000_000,
            replay_days: 90,
            grace: 10,
        }
    }

    /// How connections are treated.
    pub fn options(&self) -> super::Options {
        super::Options {
            max_message_bytes: self.max_message_bytes,
            max_connections: self.max_connections,
            max_connections_per_peer: self.max_connections_per_peer,
            max_streams: self.max_streams,
            max_requests: self.max_requests,
            max_subscribers: self.max_subscribers,
            max_control_frames: self.max_control_frames,
            max_call: Duration::from_secs(self.max_call_seconds),
            handshake_timeout: Duration::from_secs(self.handshake_seconds),
            idle_timeout: Duration::from_secs(self.idle_seconds),
            grace: Duration::from_secs(self.grace),
        }
    }

    /// When writes are stopped for want of room.
    pub fn disk_limits(&self) -> DiskLimits {
        DiskLimits { min_free: self.min_free_bytes, quota: self.quota_bytes }
    }

    /// How far back watches are replayed.
    pub fn retention(&self) -> Retention {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Retention { commits: self.replay_commits, age: DAY * self.replay_days }
    }

    /// Where keys and certificates are; `None` is no TLS.
    #[must_use]
    pub fn tls(&self) -> Option<TlsFiles> {
        let (cert, key) = (self.tls_cert.clone()?, self.tls_key.clone()?);
        Some(TlsFiles { cert, key, client_ca: self.tls_client_ca.clone() })
    }

    /// The names of the settings that are not the same.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let table = |settings: &Self| toml::Table::try_from(settings).expect("settings are a table");
        let (a, b) = (table(self), table(other));
        let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        names.into_iter().filter(|name| a.get(*name) != b.get(*name)).cloned().collect()
    }

    /// Finds every problem with these settings.
    pub fn check(&self) -> Result<(), Error> {
        let problems = self.problems();
        if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.data.as_os_str().is_empty() {
            problems.push(Problem::NoData);
        }
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            let (given, missing) = if self.tls_cert.is_some() { ("tls-cert", "tls-key") } else { ("tls-key", "tls-cert") };
            problems.push(Problem::HalfOfTls { given, missing });
        }
        if self.tls_client_ca.is_some() && self.tls_cert.is_none() {
            problems.push(Problem::ClientsWithoutTls);
        }
        let protected = self.tls_cert.is_some() && self.auth;
        if !self.listen.ip().is_loopback() && !protected && !self.insecure {
            problems.push(Problem::Exposed(self.listen));
        }
        if !self.admin_listen.is_loopback() && !self.insecure {
            problems.push(Problem::AdminExposed(self.admin_listen));
        }
        let least = [
            ("max-changes", self.max_changes as u64),
            ("write-queue", self.write_queue as u64),
            ("max-connections", self.max_connections as u64),
            ("max-connections-per-peer", self.max_connections_per_peer as u64),
            ("max-streams", self.max_streams.into()),
            ("max-requests", self.max_requests as u64),
            ("max-subscribers", self.max_subscribers as u64),
            ("max-call-seconds", self.max_call_seconds),
            ("handshake-seconds", self.handshake_seconds),
            ("idle-seconds", self.idle_seconds),
            ("max-control-frames", self.max_control_frames.into()),
        ];
        problems.extend(least.into_iter().filter(|(_, value)| *value == 0).map(|(name, _)| Problem::Zero(name)));
        if self.min_free_bytes < LEAST_FREE_BYTES {
            problems.push(Problem::MinFreeBytes(self.min_free_bytes));
        }
        if !(1..=MAX_MESSAGE_BYTES).contains(&self.max_message_bytes) {
            problems.push(Problem::MaxMessageBytes(self.max_message_bytes));
        }
        if let Err(error) = EnvFilter::try_new(&self.log) {
            problems.push(Problem::Log(error.to_string()));
        }
        if let Some(url) = self.otlp_endpoint.as_deref().filter(|url| !url.starts_with("http://")) {
            problems.push(Problem::Otlp(url.to_owned()));
        }
        if self.otlp_endpoint.is_some() && !super::traces::BUILT {
            problems.push(Problem::NoOtlp);
        }
        problems
    }
}

/// Why there are no settings to run with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the settings file {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not TOML, or has a key or a value that is none of ours.
    #[error("the settings file {path} is wrong: {source}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: Box<toml::de::Error>,
    },
    /// The settings themselves are wrong; every problem is listed.
    #[error("{}", Lines(.0))]
    Invalid(Vec<Problem>),
}

/// One thing wrong with the settings.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No data directory.
    #[error("no data directory: give --data DIR, INDICATORD_DATA, or data in the settings file")]
    NoData,
    /// Other machines would reach a server without TLS or tokens.
    #[error(
        "refusing to listen on {0}: other machines could reach it; give --tls-cert, --tls-key and --auth, or listen on 127.0.0.1, \
         or give --insecure if the network is trusted"
    )]
    Exposed(SocketAddr),
    /// Other machines would reach what is for those who run the service.
    #[error(
        "refusing to listen on {0} for metrics: other machines could reach it, and it has no authentication; listen on 127.0.0.1, \
         or give --insecure if the network is trusted"
    )]
    AdminExposed(Address),
    /// A certificate without its key, or the other way round.
    #[error("--{given} needs --{missing}: a certificate and its private key belong together")]
    HalfOfTls {
        /// What is there.
        given: &'static str,
        /// What is not.
        missing: &'static str,
    },
    /// Certificates of clients are asked for in TLS only.
    #[error("--tls-client-ca needs --tls-cert and --tls-key: clients show certificates in TLS only")]
    ClientsWithoutTls,
    /// A limit that no message meets, or that is no limit.
    #[error("--max-message-bytes is {0}; it must be from 1 to {MAX_MESSAGE_BYTES}")]
    MaxMessageBytes(usize),
    /// A limit that nothing meets.
    #[error("--{0} must be at least 1")]
    Zero(&'static str),
    /// Less room than the store needs to stop in time.
    #[error("--min-free-bytes is {0}; the store needs at least {LEAST_FREE_BYTES} to stop in time")]
    MinFreeBytes(u64),
    /// A collector that cannot be reached this way.
    #[error("--otlp-endpoint is {0:?}; write http://HOST:PORT, the collector's port for OTLP over HTTP")]
    Otlp(String),
    /// A build that cannot send traces.
    #[error("--otlp-endpoint is given, and this build cannot send traces; leave it out, or build with the feature otlp")]
    NoOtlp,
    /// A filter that cannot be read.
    #[error("--log is not a filter like \"info\" or \"warn,indicator_server=debug\": {0}")]
    Log(String),
}

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Command {
        #[command(flatten)]
        args: ServeArgs,
    }

    fn parse(flags: &[&str]) -> Result<Settings, Error> {
        effective(flags).map(|effective| effective.settings)
    }

    fn effective(flags: &[&str]) -> Result<Effective, Error> {
        Command::try_parse_from([&["indicatord"], flags].concat()).unwrap().args.settings()
    }

    fn parse_with_file(toml: &str, flags: &[&str]) -> Result<Settings, Error> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(toml.as_bytes()).unwrap();
        parse(&[&["--config", file.path().to_str().unwrap()], flags].concat())
    }

    #[test]
    fn a_data_directory_is_all_that_must_be_given() {
        assert_eq!(parse(&["--data", "d"]).unwrap(), Settings::new("d".into()));
    }

    #[test]
    fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
        let toml = "data = \"d\"\ngrace = 3\nwrite-queue = 7\nlog-format = \"json\"";
        let settings = parse_with_file(toml, &["--grace", "5"]).unwrap();
        assert_eq!((settings.grace, settings.write_queue, settings.max_message_bytes), (5, 7, 16 << 20));
        assert_eq!(settings.log_format, LogFormat::Json);
    }

    #[test]
    fn each_setting_is_printed_with_its_origin() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"write-queue = 7\ngrace = 3\n").unwrap();
        let path = file.path().to_str().unwrap();
        let printed = effective(&["--config", path, "--data", "d", "--grace", "5"]).unwrap().to_string();
        let line = |key: &str| {
            let line = printed.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("grace"), "grace = 5 # --grace");
        assert_eq!(line("write-queue"), format!("write-queue = 7 # {path}"));
        assert_eq!(line("max-streams"), "max-streams = 4096 # default");
        assert_eq!(line("admin-listen"), "admin-listen = \"127.0.0.1:7431\" # default");
    }

    #[test]
    fn tls_and_tokens_open_an_address_and_half_of_them_does_not() {
        let listen = ["--data", "d", "--listen", "0.0.0.0:7430"];
        let tls = ["--tls-cert", "c", "--tls-key", "k"];
        assert!(parse(&[&listen[..], &tls, &["--auth"]].concat()).is_ok());
        for half in [&tls[..], &["--auth"], &["--auth", "--tls-cert", "c"], &["--auth", "--tls-client-ca", "c"]] {
            assert!(parse(&[&listen[..], half].concat()).is_err(), "{half:?}");
        }
        assert!(parse(&["--data", "d", "--admin-listen", "0.0.0.0:7431"]).is_err());
    }

    #[test]
    fn an_unknown_key_in_the_file_is_named() {
        let error = parse_with_file("data = \"d\"\nlisten-adress = \"127.0.0.1:1\"", &[]).unwrap_err().to_string();
        assert!(error.contains("listen-adress") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn an_address_that_others_reach_needs_insecure() {
        let flags = ["--data", "d", "--listen", "0.0.0.0:7430"];
        let Err(Error::Invalid(problems)) = parse(&flags) else { panic!("accepted") };
        assert_eq!(problems, [Problem::Exposed("0.0.0.0:7430".parse().unwrap())]);
        assert!(parse(&[&flags[..], &["--insecure"]].concat()).unwrap().insecure);
        assert!(parse(&["--data", "d", "--listen", "[::1]:7430"]).is_ok());
    }

    #[test]
    fn a_flag_can_take_back_what_the_file_allows() {
        let toml = "data = \"d\"\nlisten = \"0.0.0.0:1\"\ninsecure = true";
        assert!(parse_with_file(toml, &[]).is_ok());
        assert!(parse_with_file(toml, &["--insecure=false"]).is_err());
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let Err(Error::Invalid(problems)) = parse(&["--write-queue", "0", "--max-message-bytes", "0", "--log", "a=b=c"]) else {
            panic!("accepted")
        };
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert_eq!(Error::Invalid(problems).to_string().lines().count(), 4);
    }

    #[test]
    fn printed_settings_are_a_file_that_gives_the_same_settings() {
        let flags = [
            "--data",
            "d",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "off",
            "--grace",
            "1",
            "--tls-cert",
            "c",
            "--tls-key",
            "k",
        ];
        let effective = effective(&flags).unwrap();
        assert_eq!(parse_with_file(&effective.to_string(), &[]).unwrap(), effective.settings);
    }
}
