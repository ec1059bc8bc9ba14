//! `/metrics` as Prometheus reads it.
//!
//! Needs `promtool`, named by `PROMTOOL` or in the path; `tests/run` leaves this out where there is none, and says so.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env,
    io::Write as _,
    process::{Command, Stdio},
};

use indicator_tests::{
    figures::{stations, value},
    http::get,
    server::Server,
    transcript::everything,
};

#[tokio::test]
async fn promtool_has_nothing_to_say_against_the_metrics() {
    let server = Server::start();
    let client = server.client_with_catalog().await;
    client.put(vec![value(&stations(), "2020", "1")]).await;
    client.get(&stations(), "1999").await.unwrap_err();
    let _watch = client.watch(everything()).await.unwrap();
    let page = get(server.admin_address(), "/metrics").await;

    let promtool = env::var_os("PROMTOOL").unwrap_or_else(|| "promtool".into());
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test needs promtool, of Debian's package prometheus");
    check.stdin.take().unwrap().write_all(page.text.as_bytes()).unwrap();
    let output = check.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}\n{}", page.text);
}
