//! TLS, with certificates that may change while the server runs.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{VerifierBuilderError, WebPkiClientVerifier},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use x509_cert::{Certificate, der::Decode as _};

use crate::stamp::Stamp;

/// The files are looked at this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Where keys and certificates are, in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain of the server.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities that sign the certificates of clients; `None` asks clients for none.
    pub client_ca: Option<PathBuf>,
}

/// Speaks TLS with what the files have now.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    config: ArcSwap<ServerConfig>,
    /// What the files were like when they were read.
    seen: Mutex<Vec<Option<Stamp>>>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read, or has nothing of the kind.
    #[error("cannot read {what} from {path}: {why}", path = path.display())]
    File {
        /// What should be in it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it is not.
        why: String,
    },
    /// They do not fit together.
    #[error("{cert} and {key} do not make a TLS server: {why}", cert = cert.display(), key = key.display())]
    Pair {
        /// The certificate.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
        /// What is wrong.
        why: rustls::Error,
    },
    /// Not authorities.
    #[error("{path} has no certificates of authorities that can be used: {why}", path = path.display())]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: VerifierBuilderError,
    },
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn open(files: TlsFiles) -> Result<Self, Error> {
        let seen = Mutex::new(files.stamps());
        Ok(Self { config: ArcSwap::from_pointee(files.read()?), files, seen })
    }

    /// Reads the files again whenever they change; connections that are open stay as they are. Never returns.
    pub async fn keep(&self) {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            self.refresh();
        }
    }

    /// Reads the files again if they have changed. While they do not fit together, of which one is written before the other, what was
    /// read before stays.
    pub fn refresh(&self) {
        let stamps = self.files.stamps();
        if stamps == *self.seen.lock().expect("nothing panics while it holds this lock") {
            return;
        }
        match self.files.read() {
            Ok(config) => {
                self.config.store(Arc::new(config));
                tracing::info!(cert = %self.files.cert.display(), "read the certificates");
            }
            Err(error) => tracing::error!(%error, "the certificates stay as they were"),
        }
        *self.seen.lock().expect("nothing panics while it holds this lock") = stamps;
    }

    /// Shakes hands. The certificate of the client, if it was asked for one, is verified.
    pub(super) async fn accept<IO: AsyncRead + AsyncWrite + Unpin>(&self, io: IO) -> io::Result<TlsStream<IO>> {
        TlsAcceptor::from(self.config.load_full()).accept(io).await
    }
}

/// The fingerprint of the certificate that the client has shown.
pub(super) fn certificate<IO>(stream: &TlsStream<IO>) -> Option<String> {
    let (_, connection) = stream.get_ref();
    connection.peer_certificates()?.first().map(|certificate| fingerprint(certificate))
}

/// SHA-256 of a certificate, in hexadecimal.
#[must_use]
pub fn fingerprint(certificate: &[u8]) -> String {
    let digest = ::ring::digest::digest(&::ring::digest::SHA256, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The fingerprint of the first certificate in a PEM file.
///
/// # Errors
///
/// [`Error::File`].
pub fn fingerprint_of(path: &Path) -> Result<String, Error> {
    let chain = certificates(path)?;
    chain.first().map(|certificate| fingerprint(certificate)).ok_or_else(|| unreadable(path, "nothing is there"))
}

/// When the first certificate in a PEM file ends.
///
/// # Errors
///
/// [`Error::File`].
pub fn expiry(path: &Path) -> Result<Timestamp, Error> {
    let chain = certificates(path)?;
    let first = chain.first().ok_or_else(|| unreadable(path, "it has none"))?;
    let certificate = Certificate::from_der(first).map_err(|error| unreadable(path, &error.to_string()))?;
    let end = certificate.tbs_certificate.validity.not_after.to_unix_duration().as_secs();
    let end = i64::try_from(end).ok().and_then(|end| Timestamp::from_second(end).ok());
    end.ok_or_else(|| unreadable(path, "its end is no time"))
}

impl TlsFiles {
    fn stamps(&self) -> Vec<Option<Stamp>> {
        [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten().map(|path| Stamp::of(path)).collect()
    }

    /// What they have now.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn read(&self) -> Result<ServerConfig, Error> {
        let chain = certificates(&self.cert)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| Error::File {
            what: "a private key",
            path: self.key.clone(),
            why: error.to_string(),
        })?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().expect("ring has the suites of TLS 1.2 and 1.3");
        let builder = match &self.client_ca {
            Some(path) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates(path)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|why| Error::ClientCa { path: path.clone(), why })?)
            }
            None => builder.with_no_client_auth(),
        };
        let config = builder.with_single_cert(chain, key);
        let mut config = config.map_err(|why| Error::Pair { cert: self.cert.clone(), key: self.key.clone(), why })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| unreadable(path, &error.to_string()))?;
    if chain.is_empty() { Err(unreadable(path, "it has none")) } else { Ok(chain) }
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::File { what: "certificates", path: path.to_owned(), why: why.to_owned() }
}
