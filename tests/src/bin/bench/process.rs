//! The contestants' processes. Each is killed when its guard is dropped, and its files go with it.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use indicator_proto::v1::{GetStatusRequest, GetStatusResponse, admin_service_client::AdminServiceClient};
use tempfile::TempDir;

/// A process that serves, and the address it serves at.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts a command that tells its address on stderr or stdout, in a line with `mark` before it.
    fn start(command: &mut Command, on_stderr: bool, mark: &str) -> Result<Self> {
        let program = command.get_program().to_owned();
        if on_stderr {
            command.stderr(Stdio::piped())
        } else {
            command.stdout(Stdio::piped())
        };
        let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let output: Box<dyn std::io::Read + Send> = match (out, err) {
            (Some(out), _) => Box::new(out),
            (None, Some(err)) => Box::new(err),
            (None, None) => bail!("{} has no output", program.display()),
        };
        let mut lines = BufReader::new(output).lines();
        let mut said = String::new();
        let address = loop {
            let Some(line) = lines.next().transpose()? else {
                bail!("{} ended before it served: {said}", program.display());
            };
            if let Some((_, rest)) = line.split_once(mark) {
                break rest.split_whitespace().next().unwrap_or_default().to_owned();
            }
            said.push_str(&line);
        };
        // Whoever writes into a closed pipe dies of it.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address })
    }

    /// This project's server on a data directory.
    pub(crate) fn indicatord(data: &Path) -> Result<Self> {
        let mut command = Command::new(sibling("indicatord")?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off", "--data"]).arg(data).env("NO_COLOR", "1");
        Self::start(&mut command, true, "address=")
    }

    /// The bare tonic service, which answers with what was recorded.
    pub(crate) fn bare_tonic(recording: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        Self::start(command.arg(crate::peer::ARGUMENT).arg(recording), false, "address=")
    }

    /// Debian's etcd with its default settings.
    pub(crate) async fn etcd(data: &Path) -> Result<Self> {
        // etcd takes no port 0: these were free a moment ago.
        let (client, peer) = (free_address()?, free_address()?);
        let mut command = Command::new("etcd");
        command.arg("--data-dir").arg(data).args(["--log-level", "error"]);
        command.args([
            "--listen-client-urls",
            &format!("http://{client}"),
            "--advertise-client-urls",
            &format!("http://{client}"),
        ]);
        command.args([
            "--listen-peer-urls",
            &format!("http://{peer}"),
            "--initial-advertise-peer-urls",
            &format!("http://{peer}"),
        ]);
        command.args(["--initial-cluster", &format!("default=http://{peer}")]);
        let child = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().context("cannot start etcd")?;
        let server = Self { child, address: client };
        crate::etcd::wait_until_ready(&server.address).await?;
        Ok(server)
    }

    /// Resident memory.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes * 1024)
    }

    /// Processor time so far.
    pub(crate) fn computed(&self) -> Result<Duration> {
        computed(&self.child.id().to_string())
    }

    /// Asks to stop and waits: the next one on the same directory finds it as a clean end leaves it.
    pub(crate) fn stop(mut self) -> Result<()> {
        run(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        self.child.wait()?;
        Ok(())
    }
}

/// Processor time of this process so far: the generator's.
pub(crate) fn computed_here() -> Result<Duration> {
    computed("self")
}

fn computed(process: &str) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name may hold anything; the fields after it are numbered from 3. Times are in hundredths of a second.
    let (_, fields) = stat.rsplit_once(')').context("no name in stat")?;
    let ticks: u64 = fields.split_whitespace().skip(14 - 3).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// Starts this project's server on a directory. Answers the time from its start to its first answer, too.
pub(crate) async fn open(data: &Path) -> Result<(Server, GetStatusResponse, Duration)> {
    let began = Instant::now();
    let server = Server::indicatord(data)?;
    let channel = crate::load::connect(&server.address, 1).await?.remove(0);
    let status = AdminServiceClient::new(channel).get_status(GetStatusRequest {}).await?.into_inner();
    Ok((server, status, began.elapsed()))
}

/// A program of this project, built beside this one.
pub(crate) fn sibling(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    if !path.exists() {
        bail!("{} is not there; build it first, as tests/bench does", path.display());
    }
    Ok(path)
}

fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// Runs a command to its end. Answers how long it took.
pub(crate) fn run(command: &mut Command) -> Result<Duration> {
    let began = Instant::now();
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed: {said}", command.get_program().display());
    }
    Ok(began.elapsed())
}

/// A directory for a contestant, on the same disk as those of the others.
pub(crate) fn directory() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("indicator-bench-").tempdir()?)
}

/// What a directory takes on the disk.
pub(crate) fn disk_bytes(directory: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}
