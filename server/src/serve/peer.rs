use std::net::SocketAddr;

/// The other end of a connection. Every request carries it as an extension.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// SHA-256 fingerprint of the certificate that it has shown and TLS has verified, in hexadecimal.
    pub certificate: Option<String>,
    /// It speaks TLS.
    pub encrypted: bool,
}
