//! `indicatord` as a process: what it says, how it stops, its exit codes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader, Read as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
};

fn indicatord(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_indicatord"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    indicatord(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A server, killed at the end of its test if that did not stop it.
struct Server {
    process: Child,
    log: Box<dyn BufRead>,
    address: SocketAddr,
    _data: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().to_str().unwrap();
        let mut process = indicatord(&[
            "serve",
            "--data",
            path,
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
            "--grace",
            "60",
            "--log-format",
            "json",
        ])
        .spawn()
        .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended before it listened");
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            if line["fields"]["message"] == "listening" {
                break line["fields"]["address"].as_str().unwrap().parse().unwrap();
            }
        };
        Self { process, log: Box::new(log), address, _data: data }
    }

    fn signal(&self, name: &str) {
        let killed = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    fn wait_for_line(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "the server ended without saying {text:?}");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn either_signal_stops_the_server_with_exit_code_0() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start();
        server.signal(signal);
        assert_eq!(server.process.wait().unwrap().code(), Some(0), "{signal}");
        let mut rest = String::new();
        server.log.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("stopped"), "{rest}");
    }
}

#[test]
fn a_log_that_nobody_reads_any_more_keeps_no_server_from_stopping() {
    let mut server = Server::start();
    // Closes the other end of its stderr.
    server.log = Box::new(std::io::empty());
    server.signal("TERM");
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
}

#[test]
fn a_second_signal_stops_the_server_at_once() {
    let mut server = Server::start();
    // Acknowledges nothing, so that a graceful stop would take the whole grace.
    let mut client = TcpStream::connect(server.address).unwrap();
    std::io::Write::write_all(&mut client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    client.read_exact(&mut [0]).unwrap();
    server.signal("TERM");
    server.wait_for_line("stopping");
    server.signal("TERM");
    assert_eq!(server.process.wait().unwrap().code(), Some(1));
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let output = run(&["serve", "--data", data.path().to_str().unwrap(), "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(&address) && error.contains("in use"), "{error}");
}

#[test]
fn a_private_port_in_use_names_its_setting() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("data");
    let arguments =
        ["serve", "--data", path.to_str().unwrap(), "--listen", "127.0.0.1:0", "--log", "off", "--admin-listen", &address];
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(&address) && error.contains("in use") && error.contains("--admin-listen"), "{error}");
    assert!(!path.exists(), "the store stays untouched");
}

#[test]
fn the_example_of_a_settings_file_is_accepted_with_and_without_its_comments() {
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/indicatord.toml");
    let output = run(&["serve", "--check-config", "--config", example.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = std::fs::read_to_string(&example).unwrap();
    // Settings that are commented out have no space after the mark; their files need not be there for `config`.
    let lines: Vec<_> =
        text.lines().map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line)).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    let output = run(&["config", "--config", file.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let used = String::from_utf8(output.stdout).unwrap();
    assert!(used.contains("otlp-endpoint") && used.contains("tls-client-ca"), "{used}");
}

#[test]
fn the_service_manager_is_told_of_start_life_and_stop() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
    let next = || {
        let mut message = [0; 1024];
        let size = manager.recv(&mut message).expect("the service manager is told something");
        String::from_utf8(message[..size].to_vec()).unwrap()
    };
    let data = directory.path().join("data");
    let mut server = indicatord(&["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off", "--log", "off", "--data"])
        .arg(data)
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "2000000")
        .spawn()
        .unwrap();
    let told: Vec<_> = (0..2).map(|_| next()).collect();
    assert!(told.iter().any(|message| message.starts_with("READY=1\nSTATUS=Serving on 127.0.0.1:")), "{told:?}");
    for _ in 0..4 {
        assert_eq!(next(), "WATCHDOG=1\n");
    }
    let killed = Command::new("kill").args(["-s", "TERM", &server.id().to_string()]).status().unwrap();
    assert!(killed.success());
    while next() != "STOPPING=1\n" {}
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[test]
fn wrong_settings_are_exit_code_2_and_name_what_to_do() {
    let output = run(&["serve", "--data", "unused", "--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--insecure"), "{}", stderr(&output));
    assert_eq!(run(&["serve"]).status.code(), Some(2));
    assert_eq!(run(&["serve", "--no-such-flag"]).status.code(), Some(2));
}

#[test]
fn an_environment_variable_goes_before_the_file_and_a_flag_before_both() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("indicatord.toml");
    std::fs::write(&file, "data = \"from-file\"\ngrace = 1\nwrite-queue = 1\nlog = \"warn\"").unwrap();
    let output = indicatord(&["config", "--grace", "3", "--config", file.to_str().unwrap()])
        .env("INDICATORD_GRACE", "2")
        .env("INDICATORD_WRITE_QUEUE", "2")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let settings = String::from_utf8(output.stdout).unwrap();
    let file = file.to_str().unwrap();
    for (setting, origin) in [
        ("data = \"from-file\"", file),
        ("grace = 3", "--grace"),
        ("write-queue = 2", "INDICATORD_WRITE_QUEUE"),
        ("log = \"warn\"", file),
        ("log-format = \"text\"", "default"),
    ] {
        let told = settings.lines().any(|line| line.split_once("  # ").is_some_and(|(s, o)| (s.trim(), o) == (setting, origin)));
        assert!(told, "{setting} by {origin} is not in\n{settings}");
    }
}

#[test]
fn help_documents_the_exit_codes() {
    for arguments in [&["--help"][..], &["serve", "--help"], &["demo", "--help"], &["verify", "--help"]] {
        let help = String::from_utf8(run(arguments).stdout).unwrap();
        assert!(help.contains("Exit codes:"), "{help}");
    }
}
