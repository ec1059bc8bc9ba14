//! A tidy file, from the file to the disk, by the command line of each.

use std::{
    fs::{self, File, Permissions},
    io::BufWriter,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{
    figures::Figures,
    indicator,
    load::connect,
    process::{self, Server, run as finish, sibling},
    report::{self, Row, Turn},
};

const FIGURES: Figures = Figures { indicators: 1, regions: 2_000, months: 500 };
const ROUNDS: usize = 3;

pub(crate) async fn run() -> Result<()> {
    report::title(&format!(
        "import: a tidy file of {} rows (region, period, value), from the file to the disk; whole processes",
        report::count(FIGURES.observations() as f64)
    ));
    let files = process::directory()?;
    // PostgreSQL refuses to run as root, so others read it.
    fs::set_permissions(files.path(), Permissions::from_mode(0o755))?;
    let file = files.path().join("figures.csv");
    FIGURES.write_csv(BufWriter::new(File::create(&file)?))?;

    let postgres = Postgres::start()?;
    let (mut our_row, mut postgres_row) = (Row::new("indicator import"), Row::new("psql \\copy"));
    for _ in 0..ROUNDS {
        our_row.add(turn(import(&file).await?));
        postgres_row.add(turn(postgres.copy(&file)?));
    }
    report::table("rows/s", &[&our_row, &postgres_row]);
    report::ratio("rate, indicator import / psql \\copy", our_row.rate() / postgres_row.rate(), "at least 2");
    Ok(())
}

fn turn(took: Duration) -> Turn {
    Turn { rate: FIGURES.observations() as f64 / took.as_secs_f64(), p50: took, p99: took, cpu: Duration::ZERO }
}

/// Into a fresh server, whose catalog is there as the table is in PostgreSQL.
async fn import(file: &Path) -> Result<Duration> {
    let data = process::directory()?;
    let server = Server::indicatord(data.path())?;
    let channel = connect(&server.address, 1).await?.remove(0);
    indicator::apply_catalog(&channel, FIGURES).await?;
    let series = FIGURES.key(0);
    let mut command = Command::new(sibling("indicator")?);
    command.args(["--server", &format!("http://{}", server.address), "import"]).arg(file);
    command.args(["--indicator", &series.indicator, "--source", &series.source]);
    finish(&mut command)
}

/// A cluster of its own, with the settings that initdb gives it.
struct Postgres {
    directory: tempfile::TempDir,
    programs: PathBuf,
}

impl Postgres {
    fn start() -> Result<Self> {
        let programs = programs()?;
        let directory = process::directory()?;
        finish(Command::new("chown").arg("postgres").arg(directory.path()))?;
        let postgres = Self { directory, programs };
        finish(postgres.command("initdb").args(["--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"]))?;
        let options = format!("-c listen_addresses= -c unix_socket_directories={}", postgres.directory.path().display());
        let log = postgres.directory.path().join("log");
        finish(postgres.command("pg_ctl").args(["--wait", "start", "--options", &options, "--log"]).arg(log))?;
        Ok(postgres)
    }

    /// One of its programs, as the user that it runs as.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(self.programs.join(program));
        command.env("PGDATA", self.directory.path().join("data")).env("PGHOST", self.directory.path());
        command.current_dir("/");
        command
    }

    fn sql(&self, statement: &str) -> Result<Duration> {
        finish(self.command("psql").args(["--quiet", "--no-psqlrc", "--command", statement, "postgres"]))
    }

    /// Into a fresh table.
    fn copy(&self, file: &Path) -> Result<Duration> {
        self.sql("drop table if exists observation")?;
        self.sql("create table observation (series text, period text, value numeric, primary key (series, period))")?;
        self.sql("checkpoint")?;
        self.sql(&format!("\\copy observation from '{}' with (format csv, header)", file.display()))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At worst it goes with the machine: the files are temporary.
        let _ = finish(self.command("pg_ctl").args(["--wait", "--mode", "immediate", "stop"]));
    }
}

/// Where Debian keeps the programs of the newest version.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed; tests/bench does that")?;
    let mut versions: Vec<PathBuf> = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    versions.retain(|path| path.join("initdb").exists());
    versions.sort();
    versions.pop().context("PostgreSQL's server is not installed; tests/bench does that")
}
