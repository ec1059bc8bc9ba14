//! Where the server is, and the HTTP/2 connection to it.

use std::{net::IpAddr, time::Duration};

use tonic::{
    Request, Status,
    codegen::http::Uri,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

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
    bearer: Bearer,
    authority: Option<Vec<u8>>,
    identity: Option<Identity>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            server: "http://127.0.0.1:7430".to_owned(),
            policy: Policy::default(),
            bearer: Bearer::default(),
            authority: None,
            identity: None,
        }
    }
}

impl Builder {
    /// The server: `https://records.example:7430`, `http://127.0.0.1:7430`, or just `127.0.0.1:7430`, which is without TLS. Without
    /// one, that address.
    pub fn server(mut self, server: &str) -> Self {
        self.server = server.to_owned();
        self
    }

    /// The token that says who calls. It is sent over TLS only, or to this machine.
    pub fn token(mut self, token: &str) -> Result<Self, Error> {
        let header = format!("Bearer {}", token.trim()).parse::<MetadataValue<Ascii>>();
        let mut header = header.map_err(|_| Error::Config {
            setting: "token",
            // A secret is in no message.
            value: String::new(),
            problem: "a token is letters, digits, \"-\" and \"_\", on one line",
        })?;
        header.set_sensitive(true);
        self.bearer = Bearer(Some(header));
        Ok(self)
    }

    /// The authorities, in PEM form, that sign the certificate of the server. Without them, those that this machine trusts.
    pub fn certificate_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authority = Some(pem.into());
        self
    }

    /// The certificate, and its private key, that say who calls; in PEM form.
    pub fn identity(mut self, certificate: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        self.identity = Some(Identity::from_pem(certificate, key));
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
        let secure = url.starts_with("https://");
        if !secure && (self.authority.is_some() || self.identity.is_some()) {
            return Err(invalid(&self.server, "certificates are for TLS; write https://HOST:PORT"));
        }
        if !secure && self.bearer.0.is_some() && !is_here(&url) {
            return Err(invalid(&self.server, "a token would be sent for everybody to read; write https://HOST:PORT"));
        }
        let mut endpoint = endpoint(&url)?;
        if secure {
            let tls = ClientTlsConfig::new();
            let tls = match self.authority {
                Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
                None => tls.with_native_roots(),
            };
            let tls = match self.identity {
                Some(identity) => tls.identity(identity),
                None => tls,
            };
            let unusable = |_| Error::Config {
                setting: "certificates",
                value: self.server.clone(),
                problem: "they, or the private key, are not what they should be in PEM form",
            };
            endpoint = endpoint.tls_config(tls).map_err(unusable)?;
        }
        let transport = InterceptedService::new(endpoint.connect_lazy(), self.bearer);
        Ok(Client::new(url, transport, self.policy))
    }
}

/// A connection that says who calls.
pub(crate) type Transport = InterceptedService<Channel, Bearer>;

/// The header with the token, if there is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.0 {
            request.metadata_mut().insert("authorization", header.clone());
        }
        Ok(request)
    }
}

/// Whether the server is on this machine.
fn is_here(url: &str) -> bool {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
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
const NOT_AN_ADDRESS: &str = "write HOST:PORT, http://HOST:PORT or https://HOST:PORT";

fn invalid(server: &str, problem: &'static str) -> Error {
    Error::Config { setting: "server", value: server.to_owned(), problem }
}

fn server_url(server: &str) -> Result<String, Error> {
    let text = server.trim();
    let url = match text.split_once("://") {
        Some(("http" | "https", _)) => text.to_owned(),
        Some(_) => return Err(invalid(server, NOT_AN_ADDRESS)),
        None => format!("http://{text}"),
    };
    let uri: Uri = url.parse().map_err(|_| invalid(server, NOT_AN_ADDRESS))?;
    if uri.port_u16().is_none() || uri.path() != "/" || uri.query().is_some() {
        return Err(invalid(server, NOT_AN_ADDRESS));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// What all clones of a client share.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) server: String,
    pub(crate) transport: Transport,
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
        assert_eq!(server_url("https://records.example:7430").unwrap(), "https://records.example:7430");
        assert_eq!(server_url("[::1]:7430").unwrap(), "http://[::1]:7430");
        assert_eq!(server_url("records.example:80").unwrap(), "http://records.example:80");
    }

    #[tokio::test]
    async fn a_token_leaves_this_machine_over_tls_only() {
        let connect = |server: &str| Client::builder().server(server).token("indicator_1_x").unwrap().connect_lazy().map(drop);
        for server in ["127.0.0.1:1", "[::1]:1", "http://localhost:1", "https://records.example:1"] {
            connect(server).unwrap();
        }
        for server in ["records.example:1", "http://10.0.0.1:1", "http://localhost.example:1"] {
            assert!(connect(server).unwrap_err().to_string().contains("https://"), "{server}");
        }
        let error = Client::builder().token("two\nlines").map(drop).unwrap_err().to_string();
        assert!(!error.contains("lines\"") && error.contains("one line"), "{error}");
    }

    #[test]
    fn a_server_that_cannot_be_meant_is_refused_with_a_remedy() {
        for text in ["", "localhost", "ftp://h:1", "unix:///tmp/s", "http://h:1/path", "h:1?q", "h:99999", "h :1"] {
            let error = server_url(text).unwrap_err().to_string();
            assert!(error.contains("http://HOST:PORT"), "{text}: {error}");
        }
    }
}
