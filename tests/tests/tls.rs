//! TLS: certificates that change under open streams, clients that are known by theirs, and those that do not speak it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    time::Duration,
};

use indicator_client::{Client, Error, WatchEvent};
use indicator_proto::v1::{GetStatusRequest, ListCommitsRequest, WatchRequest, WriteObservationsRequest};
use indicator_tests::{
    LONG, catalog,
    client::merge,
    eventually,
    figures::{stations, value},
    server::{Server, run},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tonic::Code;

/// An authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and private key for a name.
    fn sign(&self, name: &str) -> (String, String) {
        let mut params = CertificateParams::new([name.to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// A directory with what the server is to be started with.
struct Files {
    directory: TempDir,
}

impl Files {
    fn new(authority: &Authority) -> Self {
        let files = Self { directory: tempfile::tempdir().unwrap() };
        files.install(&authority.sign("localhost"));
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn install(&self, (cert, key): &(String, String)) {
        fs::write(self.path("cert.pem"), cert).unwrap();
        fs::write(self.path("key.pem"), key).unwrap();
    }

    fn start(&self, flags: &[&str]) -> Server {
        let (cert, key) = (self.path("cert.pem"), self.path("key.pem"));
        let tls = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        Server::start_with(&[&tls[..], flags].concat())
    }
}

fn url(server: &Server) -> String {
    format!("https://localhost:{}", server.address().port())
}

fn trusting(server: &Server, authority: &Authority) -> Client {
    Client::builder().server(&url(server)).certificate_authority(authority.pem()).connect_lazy().unwrap()
}

async fn head(client: &Client) -> Result<u64, Error> {
    Ok(client.get_status(GetStatusRequest {}).await?.head_revision)
}

async fn put(client: &Client, figure: &str) {
    let request: WriteObservationsRequest = merge(vec![value(&stations(), "2020", figure)]);
    client.write_observations(request).await.unwrap();
}

#[tokio::test]
async fn certificates_change_and_streams_go_on() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let files = Files::new(&old);
    let server = files.start(&[]);
    let client = trusting(&server, &old);
    client.apply_catalog(catalog::small()).await.unwrap();
    put(&client, "1").await;
    let mut watch = client.watch(WatchRequest::default());
    let mut next = async || tokio::time::timeout(LONG, watch.next()).await.expect("in time").expect("it goes on").unwrap();
    while !matches!(next().await, WatchEvent::Live) {}

    // The certificate comes before its key: what was there stays in use.
    let (cert, key) = new.sign("localhost");
    fs::write(files.path("cert.pem"), &cert).unwrap();
    eventually("the half is told", async || server.log().iter().any(|line| line.contains("the certificates stay as they were")))
        .await;
    assert_eq!(head(&trusting(&server, &old)).await.unwrap(), 2);
    fs::write(files.path("key.pem"), &key).unwrap();
    eventually("the new one is shown", async || head(&trusting(&server, &new)).await.is_ok()).await;
    assert!(matches!(head(&trusting(&server, &old)).await, Err(Error::Connect { .. })), "and the old one is not");

    // On the connection of before.
    put(&client, "2").await;
    loop {
        match next().await {
            WatchEvent::Commit(commit) => {
                assert_eq!(commit.changes[0].observation.as_ref().unwrap().value, "2");
                break;
            }
            WatchEvent::Connecting { error, .. } => panic!("the stream was cut: {error:?}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn clients_are_known_by_their_certificates() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("another"));
    let files = Files::new(&authority);
    fs::write(files.path("ca.pem"), authority.pem()).unwrap();
    let (gu, wall, nobody, forged) =
        (authority.sign("gu"), authority.sign("wall"), authority.sign("nobody"), stranger.sign("gu"));
    let ca = files.path("ca.pem");
    let server = files.start(&["--auth", "--tls-client-ca", ca.to_str().unwrap()]);
    for (name, role, (cert, _)) in [("gu", "admin", &gu), ("wall", "reader", &wall)] {
        let path = files.path(name);
        fs::write(&path, cert).unwrap();
        create(server.directory(), &["--role", role, "--name", name, "--certificate", path.to_str().unwrap()]);
    }
    let showing = |(cert, key): &(String, String)| {
        let builder = Client::builder().server(&url(&server)).certificate_authority(authority.pem());
        builder.identity(cert, key).connect_lazy().unwrap()
    };
    let admin = showing(&gu);
    eventually("the credentials are known", async || head(&admin).await.is_ok()).await;
    admin.apply_catalog(catalog::small()).await.unwrap();
    let commits = showing(&wall).list_commits(ListCommitsRequest::default()).await.unwrap().commits;
    assert_eq!(commits[0].context.as_ref().unwrap().actor, "gu");
    let refused = showing(&wall).apply_catalog(catalog::small()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let unknown = head(&showing(&nobody)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unauthenticated, "signed by our authority, and no credential");
    for client in [showing(&forged), trusting(&server, &authority)] {
        let error = head(&client).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "no connection without a certificate that our authority has signed: {error}");
    }
}

fn create(directory: &Path, arguments: &[&str]) {
    let ended = run(&[&["token", "create", "--data", directory.to_str().unwrap()], arguments].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
}

#[tokio::test]
async fn who_does_not_shake_hands_is_let_go_and_others_are_served() {
    let authority = Authority::new("ours");
    let files = Files::new(&authority);
    let server = files.start(&["--handshake-seconds", "1"]);
    let client = trusting(&server, &authority);
    head(&client).await.unwrap();
    let connect = |bytes: &[u8]| {
        let mut socket = TcpStream::connect(server.address()).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        socket.write_all(bytes).unwrap();
        socket
    };
    // Nothing; the beginning of a ClientHello; one that announces more than it sends; plain HTTP of both kinds; noise.
    let hello = [&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03][..], &[7; 32]].concat();
    let starts: [&[u8]; 6] =
        [b"", &hello[..5], &hello, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", &[0xff; 999]];
    let sockets: Vec<TcpStream> = starts.iter().map(|bytes| connect(bytes)).collect();
    // One byte at a time does not buy more of it.
    let mut slow = connect(&[]);
    let bytes = hello.clone();
    let slow = std::thread::spawn(move || {
        for byte in bytes.iter().cycle().take(1_000) {
            if slow.write_all(&[*byte]).is_err() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    });
    for (mut socket, start) in sockets.into_iter().zip(starts) {
        head(&client).await.unwrap();
        let ended = tokio::task::spawn_blocking(move || socket.read_to_end(&mut Vec::new())).await.unwrap();
        assert!(!ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "still open: {start:?}");
    }
    assert!(tokio::task::spawn_blocking(|| slow.join().unwrap()).await.unwrap(), "still open, byte by byte");
    head(&client).await.unwrap();
}

#[tokio::test]
async fn sighup_reads_the_settings_again_and_says_what_must_wait() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("indicatord.toml");
    fs::write(&file, "log = \"warn,indicatord=info\"\n").unwrap();
    let server = Server::start_with(&["--config", file.to_str().unwrap()]);
    let logged = |text: &str| server.log().iter().any(|line| line.contains(text));
    let client = server.client_with_catalog().await;
    fs::write(&file, "log = \"debug\"\nmax-streams = 5\nquota-bytes = 1\n").unwrap();
    server.signal("HUP");
    eventually("what must wait is told", async || logged("max-streams")).await;
    let refusal = client.try_write(merge(vec![value(&stations(), "2020", "1")])).await.unwrap_err();
    assert_eq!(refusal.what(), (Code::ResourceExhausted, "QUOTA_EXCEEDED"), "the quota is that of the file now");
    eventually("more is logged", async || logged("\"level\":\"DEBUG\"")).await;
    fs::write(&file, "log = 7\n").unwrap();
    server.signal("HUP");
    eventually("what is wrong is told", async || logged("the settings stay as they were")).await;
    server.client().head().await;
}

#[test]
fn wrong_files_are_told_before_anything_is_opened() {
    let (authority, other) = (Authority::new("ours"), Authority::new("another"));
    let files = Files::new(&authority);
    let data = files.path("data");
    let try_serve = |cert: &str, key: &str| {
        let (cert, key) = (files.path(cert), files.path(key));
        let flags = ["--listen", "127.0.0.1:0", "--admin-listen", "off", "--data", data.to_str().unwrap()];
        let tls = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        let ended = run(&[&["serve"], &flags[..], &tls].concat());
        let checked = run(&[&["serve", "--check-config"], &flags[..], &tls].concat());
        assert_eq!((ended.code, &ended.stderr), (checked.code, &checked.stderr), "checked as used");
        ended
    };
    fs::write(files.path("other.pem"), other.sign("localhost").1).unwrap();
    fs::write(files.path("empty.pem"), "").unwrap();
    for (cert, key, told) in [
        ("cert.pem", "other.pem", "do not make a TLS server"),
        ("cert.pem", "none.pem", "none.pem"),
        ("none.pem", "key.pem", "none.pem"),
        ("empty.pem", "key.pem", "empty.pem"),
        ("key.pem", "key.pem", "certificates from"),
        ("cert.pem", "cert.pem", "a private key"),
    ] {
        let ended = try_serve(cert, key);
        assert_eq!(ended.code, Some(2), "{cert} {key}: {}", ended.stderr);
        assert!(ended.stderr.contains(told) && ended.stderr.lines().count() == 1, "{cert} {key}: {}", ended.stderr);
    }
    assert!(!data.exists());
}
