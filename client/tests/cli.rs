//! The command line as a process, where it needs no server: exit codes, streams, and what it prints.
#![cfg(feature = "cli")]

use std::{
    io::Write as _,
    net::TcpListener,
    process::{Command, Output, Stdio},
};

fn indicator(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_indicator"));
    command.args(arguments).env_remove("INDICATOR_SERVER").env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    indicator(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

#[test]
fn a_wrong_command_line_is_2_and_says_why_on_standard_error() {
    for arguments in [
        &["get"][..],
        &["frobnicate"],
        &["get", "gdp", "CN", "2021-Q5"],
        &["put", "gdp", "CN", "2021", "1,000", "-s", "nbs"],
        &["put", "gdp", "CN", "2021", "-s", "nbs"],
        &["query", "--subregions"],
        &["query", "--source", "a", "--all-sources"],
        &["delete", "gdp", "CN", "-s", "nbs"],
        &["replay", "a.csv", "--speed", "-1"],
        &["replay", "a.csv", "--by", "region"],
        &["status", "--server", "http://"],
        &["catalog", "list", "units", "--level", "province"],
        &["compare", "gdp"],
        &["compare", "gdp", "--regions", "CN", "--level", "province"],
        &["rollup", "gdp", "CN", "--period", "2020", "--from", "2019"],
        &["milestones", "gdp"],
        &["milestones", "gdp", "many"],
        &["discrepancies", "--tolerance", "1%%"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).starts_with("error: ") || arguments.len() == 1, "{}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{arguments:?} prints no data");
    }
}

#[test]
fn a_server_that_cannot_be_reached_is_4() {
    let output = run(&["status", "--server", &nobody()]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(text(&output.stderr).starts_with("error: cannot reach the server"), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_catalog_file_with_problems_is_5_and_lists_them_all() {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    write!(file, "[[region]]\nid = \"CN\"\nnmaes = {{ en = \"China\" }}\n[[unit]]\nid = \"CNY\"\nkind = \"money\"\n")
        .expect("written");
    let path = file.path().to_str().expect("UTF-8");
    let output = run(&["catalog", "apply", path, "--server", &nobody()]);
    assert_eq!(output.status.code(), Some(5));
    let told = text(&output.stderr);
    assert!(told.contains(&format!("{path}: region CN: there is no field \"nmaes\"")), "{told}");
    assert!(told.contains(&format!("{path}: unit CNY: kind: \"money\"")), "{told}");
}

#[test]
fn a_file_that_cannot_be_read_is_1() {
    let output = run(&["catalog", "apply", "no-such-file.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no-such-file.toml"), "{}", text(&output.stderr));
}

#[test]
fn a_reader_who_leaves_early_is_quiet_success() {
    let mut child =
        indicator(&["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn completions_need_no_server_and_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output =
            indicator(&["completions", shell]).env("INDICATOR_SERVER", "not a server").output().expect("the command runs");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("catalog"), "{shell}");
    }
}

#[test]
fn help_lists_every_exit_code() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    let codes: Vec<&str> = help.lines().skip_while(|line| *line != "Exit codes:").skip(1).collect();
    let numbers: Vec<&str> = codes.iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(numbers, ["0", "1", "2", "3", "4", "5", "6"], "{help}");
}
