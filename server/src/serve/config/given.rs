use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::{Address, LogFormat};

/// Settings as one place gives them: the command line with the environment, or the file. The doc comments are the help.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Given {
    /// Directory of the store; created if it does not exist
    #[arg(long, env = "INDICATORD_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:7430]
    #[arg(long, env = "INDICATORD_LISTEN", value_name = "ADDR")]
    listen: Option<std::net::SocketAddr>,
    /// Address and port of /metrics, /livez and /readyz, for this machine or a private network; or "off" [default: 127.0.0.1:7431]
    #[arg(long, env = "INDICATORD_ADMIN_LISTEN", value_name = "ADDR")]
    admin_listen: Option<Address>,
    /// Listen on an address that other machines reach, without TLS or tokens
    #[arg(long, env = "INDICATORD_INSECURE", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    insecure: Option<bool>,
    /// Ask every caller for a token, or for a certificate, made known by `indicatord token create`
    #[arg(long, env = "INDICATORD_AUTH", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Security")]
    auth: Option<bool>,
    /// Certificate chain of the server in PEM form; read again when it changes
    #[arg(long, env = "INDICATORD_TLS_CERT", value_name = "FILE", help_heading = "Security")]
    tls_cert: Option<PathBuf>,
    /// Private key of that certificate in PEM form
    #[arg(long, env = "INDICATORD_TLS_KEY", value_name = "FILE", help_heading = "Security")]
    tls_key: Option<PathBuf>,
    /// Accept only clients with a certificate that one of these authorities has signed, in PEM form
    #[arg(long, env = "INDICATORD_TLS_CLIENT_CA", value_name = "FILE", help_heading = "Security")]
    tls_client_ca: Option<PathBuf>,
    /// Form of the log on stderr [default: text]
    #[arg(long, env = "INDICATORD_LOG_FORMAT", value_name = "FORMAT", help_heading = "Observing")]
    log_format: Option<LogFormat>,
    /// What to log: a level, or a list of target=level [default: info]
    #[arg(long, env = "INDICATORD_LOG", value_name = "FILTER", help_heading = "Observing")]
    log: Option<String>,
    /// Send traces to this OTLP collector, as http://HOST:4318
    #[arg(long, env = "INDICATORD_OTLP_ENDPOINT", value_name = "URL", help_heading = "Observing")]
    otlp_endpoint: Option<String>,
    /// Stop writes while fewer bytes of the file system are free [default: 67108864]
    #[arg(long, env = "INDICATORD_MIN_FREE_BYTES", value_name = "N", help_heading = "Disk")]
    min_free_bytes: Option<u64>,
    /// Stop writes while the store takes more bytes; 0 is no quota [default: 0]
    #[arg(long, env = "INDICATORD_QUOTA_BYTES", value_name = "N", help_heading = "Disk")]
    quota_bytes: Option<u64>,
    /// Most bytes of one message that a client sends [default: 16777216]
    #[arg(long, env = "INDICATORD_MAX_MESSAGE_BYTES", value_name = "N", help_heading = "Limits")]
    max_message_bytes: Option<usize>,
    /// Most observations in one write or one batch of an import [default: 100000]
    #[arg(long, env = "INDICATORD_MAX_CHANGES", value_name = "N", help_heading = "Limits")]
    max_changes: Option<usize>,
    /// Most writes that wait; more are answered RESOURCE_EXHAUSTED [default: 1024]
    #[arg(long, env = "INDICATORD_WRITE_QUEUE", value_name = "N", help_heading = "Limits")]
    write_queue: Option<usize>,
    /// Most connections; more wait until others end [default: 10000]
    #[arg(long, env = "INDICATORD_MAX_CONNECTIONS", value_name = "N", help_heading = "Limits")]
    max_connections: Option<usize>,
    /// Most connections from one address, or one /64 of IPv6; more are closed [default: 2000]
    #[arg(long, env = "INDICATORD_MAX_CONNECTIONS_PER_PEER", value_name = "N", help_heading = "Limits")]
    max_connections_per_peer: Option<usize>,
    /// Most calls at once on one connection [default: 4096]
    #[arg(long, env = "INDICATORD_MAX_STREAMS", value_name = "N", help_heading = "Limits")]
    max_streams: Option<u32>,
    /// Most calls at once, watches aside, and half of them from one address; more are answered RESOURCE_EXHAUSTED [default: 8192]
    #[arg(long, env = "INDICATORD_MAX_REQUESTS", value_name = "N", help_heading = "Limits")]
    max_requests: Option<usize>,
    /// Most watches, and half of them from one address; more are answered RESOURCE_EXHAUSTED [default: 20000]
    #[arg(long, env = "INDICATORD_MAX_SUBSCRIBERS", value_name = "N", help_heading = "Limits")]
    max_subscribers: Option<usize>,
    /// Longest time that one call may take, watches, imports and backups aside [default: 300]
    #[arg(long, env = "INDICATORD_MAX_CALL_SECONDS", value_name = "SECONDS", help_heading = "Limits")]
    max_call_seconds: Option<u64>,
    /// Longest time that a client may take for its TLS and HTTP handshakes [default: 10]
    #[arg(long, env = "INDICATORD_HANDSHAKE_SECONDS", value_name = "SECONDS", help_heading = "Limits")]
    handshake_seconds: Option<u64>,
    /// Time after which a connection without calls is closed [default: 300]
    #[arg(long, env = "INDICATORD_IDLE_SECONDS", value_name = "SECONDS", help_heading = "Limits")]
    idle_seconds: Option<u64>,
    /// Most frames a second without content (PING, SETTINGS, RST_STREAM, ...) on one connection, ten times as many in a burst [default: 1000]
    #[arg(long, env = "INDICATORD_MAX_CONTROL_FRAMES", value_name = "N", help_heading = "Limits")]
    max_control_frames: Option<u32>,
    /// Most commits that a watch is replayed one by one; it gets what changed before them as a difference [default: 10000000]
    #[arg(long, env = "INDICATORD_REPLAY_COMMITS", value_name = "N", help_heading = "Watches")]
    replay_commits: Option<u64>,
    /// Age of the oldest commits that a watch is replayed one by one [default: 90]
    #[arg(long, env = "INDICATORD_REPLAY_DAYS", value_name = "DAYS", help_heading = "Watches")]
    replay_days: Option<u32>,
    /// How long stopping may take, whatever clients do [default: 10]
    #[arg(long, env = "INDICATORD_GRACE", value_name = "SECONDS")]
    grace: Option<u64>,
}
