//! The settings of `indicatord serve`: flags, then `INDICATORD_*` variables, then a TOML file, then defaults.

use std::{fmt, fs, io, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use crate::engine::Retention;

/// What `indicatord serve` takes on its command line.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    given: Given,
    /// Read settings from this TOML file; its keys are the names of the flags
    #[arg(long, env = "INDICATORD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings, print them as a TOML file, and exit
    #[arg(long)]
    pub check_config: bool,
}

/// Settings as one place gives them: the command line with the environment, or the file.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Given {
    /// Directory of the store; created if it does not exist
    #[arg(long, env = "INDICATORD_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:7430]
    #[arg(long, env = "INDICATORD_LISTEN", value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Listen on an address that other machines reach, without TLS or tokens
    #[arg(long, env = "INDICATORD_INSECURE", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure: Option<bool>,
    /// Form of the log on stderr [default: text]
    #[arg(long, env = "INDICATORD_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// What to log: a level, or a list of target=level [default: info]
    #[arg(long, env = "INDICATORD_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Most bytes of one message that a client sends [default: 16777216]
    #[arg(long, env = "INDICATORD_MAX_MESSAGE_BYTES", value_name = "N")]
    max_message_bytes: Option<usize>,
    /// Most writes that wait; more are answered RESOURCE_EXHAUSTED [default: 1024]
    #[arg(long, env = "INDICATORD_WRITE_QUEUE", value_name = "N")]
    write_queue: Option<usize>,
    /// Most commits that a watch is replayed one by one; it gets what changed before them as a difference [default: 10000000]
    #[arg(long, env = "INDICATORD_REPLAY_COMMITS", value_name = "N")]
    replay_commits: Option<u64>,
    /// Age of the oldest commits that a watch is replayed one by one [default: 90]
    #[arg(long, env = "INDICATORD_REPLAY_DAYS", value_name = "DAYS")]
    replay_days: Option<u32>,
    /// How long stopping may take, whatever clients do [default: 10]
    #[arg(long, env = "INDICATORD_GRACE", value_name = "SECONDS")]
    grace: Option<u64>,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Complete, checked settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// Directory of the store.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Whether `listen` may be an address that other machines reach.
    pub insecure: bool,
    /// Form of the log.
    pub log_format: LogFormat,
    /// What to log.
    pub log: String,
    /// Most bytes of one message that a client sends.
    pub max_message_bytes: usize,
    /// Most writes that wait.
    pub write_queue: usize,
    /// Most commits that a watch is replayed one by one.
    pub replay_commits: u64,
    /// Days since the oldest commit that a watch is replayed one by one.
    pub replay_days: u32,
    /// Seconds that stopping may take.
    pub grace: u64,
}

/// The address to listen on if none is given.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7430);

/// A length prefix could say more, but a message is held in memory whole.
const MAX_MESSAGE_BYTES: usize = 1 << 30;

impl Settings {
    /// Settings with every default, for a store in `data`.
    pub fn new(data: PathBuf) -> Self {
        Self {
            data,
            listen: DEFAULT_LISTEN,
            insecure: false,
            log_format: LogFormat::Text,
            log: "info".to_owned(),
            max_message_bytes: 16 << 20,
            write_queue: 1024,
            replay_commits: 10_000_000,
            replay_days: 90,
            grace: 10,
        }
    }

    /// How connections are treated.
    pub fn options(&self) -> super::Options {
        super::Options {
            max_message_bytes: self.max_message_bytes,
            grace: Duration::from_secs(self.grace),
            ..super::Options::default()
        }
    }

    /// How far back watches are replayed.
    pub fn retention(&self) -> Retention {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Retention { commits: self.replay_commits, age: DAY * self.replay_days }
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
        if !self.listen.ip().is_loopback() && !self.insecure {
            problems.push(Problem::Exposed(self.listen));
        }
        if !(1..=MAX_MESSAGE_BYTES).contains(&self.max_message_bytes) {
            problems.push(Problem::MaxMessageBytes(self.max_message_bytes));
        }
        if self.write_queue == 0 {
            problems.push(Problem::WriteQueue);
        }
        if let Err(error) = EnvFilter::try_new(&self.log) {
            problems.push(Problem::Log(error.to_string()));
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
        "refusing to listen on {0}: other machines could reach it, and there is neither encryption nor authentication; \
         listen on 127.0.0.1, or give --insecure if the network is trusted"
    )]
    Exposed(SocketAddr),
    /// A limit that no message meets, or that is no limit.
    #[error("--max-message-bytes is {0}; it must be from 1 to {MAX_MESSAGE_BYTES}")]
    MaxMessageBytes(usize),
    /// A queue without room.
    #[error("--write-queue must be at least 1")]
    WriteQueue,
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

impl ServeArgs {
    /// Reads the file, if there is one, and puts the settings together.
    pub fn settings(&self) -> Result<Settings, Error> {
        let file = match &self.config {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.clone(), source })?;
                toml::from_str(&text).map_err(|source| Error::Malformed { path: path.clone(), source: Box::new(source) })?
            }
            None => Given::default(),
        };
        self.given.clone().or(file).complete()
    }
}

impl Given {
    fn or(self, other: Self) -> Self {
        Self {
            data: self.data.or(other.data),
            listen: self.listen.or(other.listen),
            insecure: self.insecure.or(other.insecure),
            log_format: self.log_format.or(other.log_format),
            log: self.log.or(other.log),
            max_message_bytes: self.max_message_bytes.or(other.max_message_bytes),
            write_queue: self.write_queue.or(other.write_queue),
            replay_commits: self.replay_commits.or(other.replay_commits),
            replay_days: self.replay_days.or(other.replay_days),
            grace: self.grace.or(other.grace),
        }
    }

    fn complete(self) -> Result<Settings, Error> {
        let defaults = Settings::new(self.data.unwrap_or_default());
        let settings = Settings {
            listen: self.listen.unwrap_or(defaults.listen),
            insecure: self.insecure.unwrap_or(defaults.insecure),
            log_format: self.log_format.unwrap_or(defaults.log_format),
            log: self.log.unwrap_or(defaults.log),
            max_message_bytes: self.max_message_bytes.unwrap_or(defaults.max_message_bytes),
            write_queue: self.write_queue.unwrap_or(defaults.write_queue),
            replay_commits: self.replay_commits.unwrap_or(defaults.replay_commits),
            replay_days: self.replay_days.unwrap_or(defaults.replay_days),
            grace: self.grace.unwrap_or(defaults.grace),
            data: defaults.data,
        };
        settings.check().map(|()| settings)
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
        let settings = parse(&["--data", "d", "--listen", "127.0.0.1:0", "--grace", "1"]).unwrap();
        let printed = toml::to_string(&settings).unwrap();
        assert_eq!(parse_with_file(&printed, &[]).unwrap(), settings);
    }
}
