//! `indicatord` as a process.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::time::sleep;

use crate::{LONG, client::Client};

/// Lines of a log that are shown when a test fails.
const SHOWN: usize = 60;

/// The server's binary: `INDICATORD`, else the one that cargo built beside this test.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = env::var_os("INDICATORD") {
        return path.into();
    }
    let test = env::current_exe().unwrap();
    // target/<profile>/deps/<test>
    let path = test.parent().and_then(Path::parent).unwrap().join("indicatord");
    assert!(path.exists(), "{} is not there; build it: cargo build -p indicator-server", path.display());
    path
}

/// Variables that a server runs with, beside those of the test.
pub type Environment = Vec<(String, OsString)>;

/// A server over a data directory. Killed and waited for when dropped; its log is shown when a test panics.
#[derive(Debug)]
pub struct Server {
    process: Child,
    log: Arc<Mutex<Vec<String>>>,
    address: SocketAddr,
    admin: SocketAddr,
    directory: PathBuf,
    flags: Vec<String>,
    environment: Environment,
    /// Vanishes with the server.
    own: Option<TempDir>,
}

impl Server {
    /// A server over a fresh directory.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server over a fresh directory, with flags.
    #[must_use]
    pub fn start_with(flags: &[&str]) -> Self {
        let own = tempfile::tempdir().unwrap();
        let directory = own.path().join("data");
        let mut server = Self::start_in(&directory, flags);
        server.own = Some(own);
        server
    }

    /// A server over a directory.
    ///
    /// # Panics
    ///
    /// If it does not listen within [`LONG`].
    #[must_use]
    pub fn start_in(directory: &Path, flags: &[&str]) -> Self {
        Self::try_start_in(directory, flags, &Environment::new()).unwrap_or_else(|why| panic!("{why}"))
    }

    /// A server over a directory, with variables of the environment.
    ///
    /// # Errors
    ///
    /// What it says, if it ends instead of listening, or does not listen within [`LONG`].
    pub fn try_start_in(directory: &Path, flags: &[&str], environment: &Environment) -> Result<Self, String> {
        let (flags, environment): (Vec<String>, _) = (flags.iter().map(|&f| f.to_owned()).collect(), environment.clone());
        let (process, log, (address, admin)) = spawn(directory, &flags, &environment)?;
        Ok(Self { process, log, address, admin, directory: directory.to_owned(), flags, environment, own: None })
    }

    /// Starts one over a directory and kills it after a time, wherever it is with opening its store.
    pub fn start_and_kill(directory: &Path, after: Duration) {
        let mut process = command(directory, &[], &Environment::new()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(after);
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it answers those who run it.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// Its data directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A client with a connection of its own.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// A client over a small catalog, which it has written.
    pub async fn client_with_catalog(&self) -> Client {
        let client = self.client();
        client.apply(crate::catalog::small()).await;
        client
    }

    /// Sends a signal: "TERM", "INT", "STOP", "CONT".
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success(), "no signal {name}");
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Waits until it has ended by itself.
    pub async fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        // Not blocking: the clients of this test must go on reading.
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < LONG, "the server still runs after {LONG:?}");
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Stops it with SIGTERM; says how long that took.
    ///
    /// # Panics
    ///
    /// If its exit code is not 0.
    pub async fn stop(&mut self) -> Duration {
        let start = Instant::now();
        self.signal("TERM");
        let status = self.wait().await;
        assert_eq!(status.code(), Some(0), "{status}");
        start.elapsed()
    }

    /// Starts it again over the same directory, on another port; it must have ended.
    pub fn start_again(&mut self) {
        assert!(self.process.try_wait().unwrap().is_some(), "the server still runs");
        let started = spawn(&self.directory, &self.flags, &self.environment);
        (self.process, self.log, (self.address, self.admin)) = started.unwrap_or_else(|why| panic!("{why}"));
    }

    /// Starts it again with other flags.
    pub fn start_again_with(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|&f| f.to_owned()).collect();
        self.start_again();
    }

    /// Stops it and starts it again.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again();
    }

    /// Bytes of memory that it has now, and the most that it ever had.
    #[must_use]
    pub fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
        };
        (bytes("VmRSS:"), bytes("VmHWM:"))
    }

    /// How many files it has open, connections among them.
    #[must_use]
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process.id())).unwrap().count()
    }

    /// Starts it again with other variables of the environment; it must have ended.
    pub fn start_again_in(&mut self, environment: Environment) {
        self.environment = environment;
        self.start_again();
    }

    /// Its process, for `/proc`.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Nothing in it has panicked since it was started.
    ///
    /// # Panics
    ///
    /// If something has.
    pub fn assert_no_panic(&self) {
        let panicked: Vec<String> = self.log().into_iter().filter(|line| line.contains("panicked")).collect();
        assert!(panicked.is_empty(), "{panicked:#?}");
    }

    /// What it has logged, line by line.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            let log = self.log();
            let shown = log[log.len().saturating_sub(SHOWN)..].join("\n");
            #[expect(clippy::print_stderr, reason = "the test runner shows it with the failure")]
            {
                eprintln!("--- the server's log ---\n{shown}\n---");
            }
        }
    }
}

/// A run of `indicatord` that was expected to end by itself.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it printed on stdout.
    pub stdout: String,
    /// What it printed on stderr.
    pub stderr: String,
}

/// Runs `indicatord` to its end.
///
/// # Panics
///
/// If it is still running after [`LONG`].
pub fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Ended {
    let mut process = Command::new(binary()).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
    let start = Instant::now();
    let status = loop {
        match process.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if start.elapsed() > LONG => {
                process.kill().unwrap();
                process.wait().unwrap();
                break None;
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let (mut stdout, mut stderr) = (String::new(), String::new());
    out.read_to_string(&mut stdout).unwrap();
    err.read_to_string(&mut stderr).unwrap();
    let status = status.unwrap_or_else(|| panic!("still running after {LONG:?}:\n{stderr}"));
    Ended { code: status.code(), stdout, stderr }
}

/// Runs `indicatord serve` over a directory, which it is expected to refuse.
pub fn serve(directory: &Path) -> Ended {
    let listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"].map(OsStr::new);
    run(&[&[OsStr::new("serve"), OsStr::new("--data"), directory.as_os_str()], &listen[..]].concat())
}

type Log = Arc<Mutex<Vec<String>>>;

fn command(directory: &Path, flags: &[String], environment: &Environment) -> Command {
    let mut command = Command::new(binary());
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.arg("serve").arg("--data").arg(directory).args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    command.args(["--log-format", "json"]).args(flags);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Where it listens, for all and for those who run it.
type Addresses = (SocketAddr, SocketAddr);

fn spawn(directory: &Path, flags: &[String], environment: &Environment) -> Result<(Child, Log, Addresses), String> {
    let mut process = command(directory, flags, environment).stderr(Stdio::piped()).spawn().unwrap();
    let log = Log::default();
    let (sender, listening) = mpsc::channel();
    let stderr = process.stderr.take().unwrap();
    thread::spawn({
        let log = Arc::clone(&log);
        move || keep(stderr, &log, &sender)
    });
    match listening.recv_timeout(LONG) {
        Ok(addresses) => Ok((process, log, addresses)),
        Err(_) => {
            let _ = process.kill();
            let status = process.wait().unwrap();
            Err(format!("the server does not listen ({status}):\n{}", log.lock().unwrap().join("\n")))
        }
    }
}

/// Keeps the log, so that the server never waits for a reader, and tells the addresses in it.
fn keep(stderr: ChildStderr, log: &Log, listening: &mpsc::Sender<Addresses>) {
    for line in BufReader::new(stderr).lines() {
        let Ok(line) = line else { return };
        let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        log.lock().unwrap().push(line);
        if event["fields"]["message"] == "listening" {
            let address = |name: &str| event["fields"][name].as_str().unwrap().parse().unwrap();
            // The starter waits for one.
            let _ = listening.send((address("address"), address("admin")));
        }
    }
}
