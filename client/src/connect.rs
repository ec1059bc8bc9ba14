//! Where the server is, and the HTTP/2 connection to it.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use crate::{Client, Error, retry::Policy};

/// Messages up to this size are taken: a long series in one chunk, a commit of 100,000 figures.
pub(crate) const MAX_MESSAGE: usize = 64 << 20;

/// What one stream and all streams together may have in flight. The default of 64 KiB would halt a stream for a round trip
/// every few messages.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A peer that vanished without a word is found out after this, while a call is open.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Sets up a [`Client`].
#[derive(Debug, Clone)]
pub struct Builder {
    server: String,
    policy: Policy,
}

impl Default for Builder {
    fn default() -> Self {
        Self { server: "http://127.0.0.1:7430".to_owned(), policy: Policy::default() }
    }
}

impl Builder {
    /// The server: `http://127.0.0.1:7430`, or just `127.0.0.1:7430`. Without one, that address.
    pub fn server(mut self, server: &str) -> Self {
        self.server = server.to_owned();
        self
    }

    /// Time for one attempt of a call, and for the next message of a stream. Without it, 30 seconds.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.policy.deadline = deadline;
        self
    }

    /// How calls are repeated.
    pub fn retry(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The client. It connects at its first call; within a tokio runtime only.
    pub fn connect_lazy(self) -> Result<Client, Error> {
        let url = server_url(&self.server)?;
        let channel = endpoint(&url)?.connect_lazy();
        Ok(Client::new(url, channel, self.policy))
    }
}

fn endpoint(url: &str) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|_| invalid(url, NOT_AN_ADDRESS))?;
    let endpoint = endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    Ok(endpoint.user_agent(USER_AGENT).expect("a name and a version make a header value"))
}

const USER_AGENT: &str = concat!("indicator-client/", env!("CARGO_PKG_VERSION"));
const NOT_AN_ADDRESS: &str = "write HOST:PORT or http://HOST:PORT";

fn invalid(server: &str, problem: &'static str) -> Error {
    Error::Config { setting: "server", value: server.to_owned(), problem }
}

fn server_url(server: &str) -> Result<String, Error> {
    let text = server.trim();
    let url = match text.split_once("://") {
        Some(("http", _)) => text.to_owned(),
        Some(("https", _)) => return Err(invalid(server, "this version speaks plain HTTP/2 only; write http://HOST:PORT")),
        Some(_) => return Err(invalid(server, NOT_AN_ADDRESS)),
        None => format!("http://{text}"),
    };
    let uri: tonic::codegen::http::Uri = url.parse().map_err(|_| invalid(server, NOT_AN_ADDRESS))?;
    if uri.port_u16().is_none() || uri.path() != "/" || uri.query().is_some() {
        return Err(invalid(server, NOT_AN_ADDRESS));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// What all clones of a client share.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) server: String,
    pub(crate) channel: Channel,
    pub(crate) policy: Policy,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_be_given_with_or_without_its_scheme() {
        for text in ["127.0.0.1:7430", "http://127.0.0.1:7430", "http://127.0.0.1:7430/", " 127.0.0.1:7430 "] {
            assert_eq!(server_url(text).unwrap(), "http://127.0.0.1:7430", "{text}");
        }
        assert_eq!(server_url("[::1]:7430").unwrap(), "http://[::1]:7430");
        assert_eq!(server_url("records.example:80").unwrap(), "http://records.example:80");
    }

    #[test]
    fn a_server_that_cannot_be_meant_is_refused_with_a_remedy() {
        for text in ["", "localhost", "https://h:1", "unix:///tmp/s", "http://h:1/path", "h:1?q", "h:99999", "h :1"] {
            let error = server_url(text).unwrap_err().to_string();
            assert!(error.contains("http://HOST:PORT"), "{text}: {error}");
        }
    }
}
