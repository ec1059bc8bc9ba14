//! The README's tour shows what the programs print.
//!
//! Each `console` block is run as it stands, against the demo, in order. Where the README is behind, `UPDATE_README=1` writes into it what
//! was printed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use indicator_tests::server::binary;

/// A demo on a free port; killed when dropped.
struct Demo {
    process: Child,
    address: String,
}

impl Demo {
    fn start() -> Self {
        let mut process =
            Command::new(binary()).args(["demo", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
        // "indicatord serves ... on 127.0.0.1:43210, from a store that vanishes with it."
        let address = first.split(" on ").nth(1).and_then(|rest| rest.split(',').next()).expect("the demo says where it listens");
        Self { address: address.to_owned(), process }
    }

    /// What a command prints, on both streams.
    fn run(&self, command: &str) -> String {
        let directory = binary().parent().unwrap().to_owned();
        let path = format!("{}:{}", directory.display(), env::var("PATH").unwrap_or_default());
        let output = Command::new("sh")
            .args(["-c", &format!("{command} 2>&1")])
            // A stranger types them where the README is.
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .env("PATH", path)
            .env("INDICATOR_SERVER", format!("http://{}", self.address))
            .env("NO_COLOR", "1")
            .env("LANG", "C.UTF-8")
            .env("USER", "you")
            .env_remove("INDICATOR_LANG")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Stopped, not killed: its store vanishes with it.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// The README with each console block as it is printed now.
fn as_printed(readme: &str, demo: &Demo) -> String {
    let mut printed = String::new();
    let mut in_block = false;
    for line in readme.lines() {
        if line == "```console" {
            in_block = true;
        } else if line == "```" {
            in_block = false;
        }
        match line.strip_prefix("$ ") {
            Some(command) if in_block => {
                printed += &format!("$ {command}\n");
                for line in demo.run(command).lines() {
                    printed += &format!("{}\n", line.trim_end());
                }
            }
            _ if in_block && line != "```console" => {}
            _ => printed += &format!("{line}\n"),
        }
    }
    printed
}

/// Without what differs from run to run: the moment of recording, and the room that it takes in a table.
fn without_times(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("20") {
        let (before, from) = rest.split_at(at);
        plain += before;
        let moment = moment_length(from);
        if moment == 0 {
            plain += "20";
            rest = &from[2..];
        } else {
            plain += "<moment>";
            rest = &from[moment..];
        }
    }
    plain + rest
}

/// The length of the point in time that a text begins with; 0 if it begins with none.
fn moment_length(text: &str) -> usize {
    let shape = |pattern: &str| {
        text.len() >= pattern.len()
            && text.bytes().zip(pattern.bytes()).all(|(c, p)| if p == b'0' { c.is_ascii_digit() } else { c == p })
    };
    if shape("0000-00-00 00:00:00") {
        return "0000-00-00 00:00:00".len();
    }
    if !shape("0000-00-00T00:00:00") {
        return 0;
    }
    let date_and_time = "0000-00-00T00:00:00".len();
    let fraction = text[date_and_time..].bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b'Z')).count();
    // Midnight is a day of publication, which does not change.
    if text[..date_and_time].ends_with("T00:00:00") { 0 } else { date_and_time + fraction }
}

#[test]
fn the_tour_shows_what_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let printed = as_printed(&readme, &Demo::start());
    if env::var_os("UPDATE_README").is_some() {
        fs::write(&path, &printed).unwrap();
        return;
    }
    assert!(readme.matches("\n$ ").count() >= 8, "the README has no tour");
    for (shown, printed) in without_times(&readme).lines().zip(without_times(&printed).lines()) {
        assert_eq!(shown, printed, "\nthe README is behind: UPDATE_README=1 cargo test -p indicator-tests --test readme");
    }
    assert_eq!(without_times(&readme).lines().count(), without_times(&printed).lines().count());
}
