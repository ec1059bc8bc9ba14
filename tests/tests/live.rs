//! `indicator live`: the picture as text, and the display in a real terminal.
//!
//! Tests whose name ends in `under_tmux` need `tmux`, named by `TMUX_BIN` or in the path; `tests/run` leaves them out where there is none,
//! and says so.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use indicator_proto::v1::{Bound, WriteContext, WriteObservationsRequest};
use indicator_tests::{
    LONG, catalog,
    client::{Client, merge},
    eventually,
    figures::{bounded, key, stations, value},
    proxy::{Cut, Proxy},
    server::{Server, binary, run},
};
use tempfile::TempDir;
use tokio::time::sleep;

fn live(server: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary().with_file_name("indicator"));
    command.args(["--server", server, "live"]).args(arguments);
    command.env("LANG", "C.UTF-8").env_remove("INDICATOR_TOKEN").output().unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn with_figures() -> Server {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    let output = key("output", "CN-SD", "bureau");
    let weihai = key("5g-base-stations", "CN-SD.3710", "bureau");
    let of_shandong = bounded(&stations(), "2021-12-06", Bound::GreaterThan, "100000");
    client
        .put(vec![of_shandong, value(&output, "2019", "200"), value(&output, "2020", "250"), value(&weihai, "2021-12-06", "7")])
        .await;
    server
}

#[tokio::test]
async fn the_picture_is_printed_once_as_text() {
    let server = with_figures().await;
    let url = format!("http://{}", server.address());
    let picture = printed(&live(&url, &["山东", "--once", "--width", "80"]));
    let row =
        |name: &str| picture.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{picture}"));
    assert!(row("5g-base-stations").contains("> 100,000 station"), "{picture}");
    assert!(row("output").contains("▲ +25%") && row("output").contains("250 CNY"), "{picture}");
    assert!(!picture.contains("Weihai") && picture.contains("revision 2 · last change 20"), "{picture}");
    assert!(picture.lines().all(|line| line.chars().count() <= 80), "{picture}");

    let of_indicator = printed(&live(&url, &["5g-base-stations", "--once", "--lang", "zh"]));
    assert!(
        of_indicator.contains("超 10 万") && of_indicator.contains("威海") && of_indicator.contains("修订号 2"),
        "{of_indicator}"
    );
    let selected = printed(&live(&url, &["-r", "Shandong", "--subregions", "--level", "prefecture", "--once", "--ascii"]));
    assert!(selected.contains("Weihai") && selected.is_ascii() && !selected.contains("100,000"), "{selected}");
    let any = printed(&live(&url, &["--once"]));
    assert!(any.contains("Shandong") && any.contains("> 100,000"), "without a subject, a region that has figures: {any}");
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused_with_what_can() {
    let server = with_figures().await;
    let url = format!("http://{}", server.address());
    for (arguments, code, told) in [
        (&["Shandong"][..], 2, "indicator live --once"),
        (&["-o", "json", "--once"], 2, "-o ndjson"),
        (&["Atlantis", "--once"], 3, "Atlantis"),
        (&["Shandong", "-i", "output", "--once"], 2, "cannot be used with"),
        (&["--width", "80"], 2, "--once"),
    ] {
        let output = live(&url, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(code) && said.contains(told) && output.stdout.is_empty(), "{arguments:?}: {said}");
    }
    drop(server);
    assert_eq!(live(&url, &["--once"]).status.code(), Some(4));
}

/// A terminal with a shell in it.
struct Terminal {
    socket: TempDir,
}

impl Terminal {
    fn open(columns: u16, rows: u16) -> Self {
        let this = Self { socket: tempfile::tempdir().unwrap() };
        let size = [columns.to_string(), rows.to_string()];
        this.tmux(&["new-session", "-d", "-s", "t", "-x", &size[0], "-y", &size[1], "env PS1='$ ' ENV= sh"]);
        this
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let tmux = env::var_os("TMUX_BIN").unwrap_or_else(|| "tmux".into());
        let mut command = Command::new(tmux);
        command.args(["-u", "-f", "/dev/null", "-S"]).arg(self.socket.path().join("tmux")).args(arguments);
        // Not within the terminal of whoever runs the tests.
        command.env_remove("TMUX").env("LANG", "C.UTF-8").env_remove("LC_ALL").env_remove("NO_COLOR");
        let output = command.output().expect("this test needs tmux");
        assert!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys", "-t", "t"], keys].concat());
    }

    /// Types a command whose exit code is told when it has ended.
    fn run(&self, command: &str) {
        self.keys(&[&format!("clear; {command}; echo \"left with $?\""), "Enter"]);
    }

    fn shown(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-t", "t"])
    }

    async fn shows(&self, text: &str) {
        let start = Instant::now();
        loop {
            let shown = self.shown();
            // What was typed has the text of what it will print.
            if shown.lines().any(|line| line.contains(text) && !line.contains("clear;")) {
                return;
            }
            assert!(start.elapsed() < LONG, "not within {LONG:?}: {text:?} in\n{shown}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether it is as a shell left it: not the other screen, no mouse, keys as lines and echoed, the cursor to be seen.
    async fn is_as_before(&self) {
        self.tmux(&["send-keys", "-t", "t", "stty -a | tr -s ' ;' '\\n\\n' | grep -x -e icanon -e echo | tr '\\n' '+'", "Enter"]);
        self.shows("icanon+echo+").await;
        let flags = self.tmux(&["display-message", "-p", "-t", "t", "#{alternate_on}#{mouse_any_flag}#{cursor_flag}"]);
        assert_eq!(flags.trim(), "001");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let tmux = env::var_os("TMUX_BIN").unwrap_or_else(|| "tmux".into());
        let _ = Command::new(tmux).arg("-S").arg(self.socket.path().join("tmux")).arg("kill-server").output();
    }
}

fn command(server: SocketAddr, arguments: &str) -> String {
    format!("{} --server http://{server} live {arguments}", binary().with_file_name("indicator").display())
}

#[tokio::test]
async fn a_figure_appears_and_a_lost_server_comes_back_under_tmux() {
    let mut server = with_figures().await;
    let proxy = Proxy::start(server.address()).await;
    let terminal = Terminal::open(100, 40);
    terminal.run(&command(proxy.address(), "Shandong"));
    terminal.shows("● live").await;
    terminal.shows("> 100,000 station").await;

    let request = WriteObservationsRequest {
        context: Some(WriteContext { actor: "li".into(), reason: "a later \u{1b}[2Jcount".into(), ..WriteContext::default() }),
        ..merge(vec![bounded(&stations(), "2021-12-06", Bound::GreaterThan, "100500")])
    };
    server.client().write(request).await;
    terminal.shows("> 100,500 station").await;
    terminal.keys(&["Tab", "Tab", "Tab"]);
    terminal.shows("> 100,000 → > 100,500").await;
    terminal.shows("li · a later  [2Jcount").await;

    server.kill();
    terminal.shows("✕ lost").await;
    assert!(terminal.shown().contains("> 100,500 station"), "the last picture stays");
    server.start_again();
    proxy.lead_to(server.address());
    terminal.shows("● live").await;
    server.client().put(vec![bounded(&stations(), "2021-12-06", Bound::GreaterThan, "100900")]).await;
    terminal.shows("> 100,900 station").await;

    terminal.keys(&["q"]);
    terminal.shows("left with 0").await;
    terminal.is_as_before().await;
}

#[tokio::test]
async fn the_terminal_is_given_back_however_the_display_ends_under_tmux() {
    let server = with_figures().await;
    let terminal = Terminal::open(80, 24);
    terminal.run(&command(server.address(), "Shandong"));
    terminal.shows("● live").await;
    terminal.keys(&["C-c"]);
    terminal.shows("left with 130").await;
    terminal.is_as_before().await;

    let directory = tempfile::tempdir().unwrap();
    let noted = directory.path().join("pid");
    terminal.run(&format!("sh -c 'echo $$ >{}; exec {}'", noted.display(), command(server.address(), "Shandong --lang zh")));
    terminal.shows("● 实时").await;
    let process = fs::read_to_string(noted).unwrap();
    assert!(Command::new("kill").args(["-s", "TERM", process.trim()]).status().unwrap().success());
    terminal.shows("left with 143").await;
    terminal.is_as_before().await;
}

#[tokio::test]
async fn the_frame_is_saved_as_text_under_tmux() {
    let server = with_figures().await;
    let directory = tempfile::tempdir().unwrap();
    let terminal = Terminal::open(80, 24);
    terminal.run(&format!("cd {} && {}", directory.path().display(), command(server.address(), "Shandong")));
    terminal.shows("● live").await;
    terminal.keys(&["s"]);
    terminal.shows("saved indicator-live-").await;
    let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    let saved = fs::read_to_string(&files[0]).unwrap();
    assert!(files.len() == 1 && saved.lines().count() == 24 && saved.contains("> 100,000 station"), "{files:?}\n{saved}");
}

fn token(directory: &Path, arguments: &[&str]) -> String {
    let ended = run(&[&["token", "create", "--data", directory.to_str().unwrap()], arguments].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout.trim().to_owned()
}

#[tokio::test]
async fn a_credential_that_is_taken_away_is_told_with_its_remedy_under_tmux() {
    let server = Server::start_with(&["--auth"]);
    let admin = token(server.directory(), &["--role", "admin"]);
    let reader = token(server.directory(), &["--role", "reader", "--name", "wall"]);
    let client = Client::with_token(server.address(), &admin);
    // The server looks at the file once a second.
    eventually("the credential is known", async || client.try_apply(catalog::small()).await.is_ok()).await;
    client.put(vec![value(&stations(), "2020", "7")]).await;
    let proxy = Proxy::start(server.address()).await;
    let terminal = Terminal::open(80, 24);
    terminal.run(&format!("INDICATOR_TOKEN={reader} {}", command(proxy.address(), "Shandong")));
    terminal.shows("● live").await;
    let revoked = run(&["token", "revoke", "--data", server.directory().to_str().unwrap(), "wall"]);
    assert_eq!(revoked.code, Some(0), "{}", revoked.stderr);
    let told = async {
        loop {
            proxy.cut(Cut::Rst);
            sleep(Duration::from_millis(200)).await;
            if terminal.shown().contains("no more figures come") {
                break;
            }
        }
    };
    tokio::time::timeout(LONG, told).await.expect("the end is told");
    terminal.shows("--token-file FILE").await;
    assert!(terminal.shown().contains("7 station"), "the last picture stays");
    terminal.keys(&["q"]);
    terminal.shows("left with 1").await;
    terminal.shows("try: --token-file FILE").await;
    terminal.is_as_before().await;
}
