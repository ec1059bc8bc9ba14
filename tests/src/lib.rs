//! What the end-to-end tests share.
//!
//! - [`server`]: `indicatord` as a process, started on a free port, stopped, killed, started again.
//! - [`client`]: the generated stubs behind calls that fit on a line, and [`refusal`], what an error says.
//! - [`catalog`] and [`figures`]: a small catalog, and observations to write.
//! - [`transcript`]: reads a watch and checks on the way what holds on every stream.
//! - [`check`]: what clients recorded of their watches against the log, guarantee by guarantee.
//! - [`churn`]: a server under everything at once, and whether all that was seen of it is true.
//! - [`recorder`]: records what a client sees of its watches, for the checker.
//! - [`http`]: asks for pages of the private port.
//! - [`proxy`]: cuts, stalls and delays connections.
//! - [`acknowledged`]: writers that note what was acknowledged, and what must be there of it after a crash.
//! - [`disk`]: small file systems that fill up, turn read-only, and lose their power; [`faults`]: system calls that fail.
//! - [`record`]: the record as a plain list of versions, which real servers must agree with.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod acknowledged;
pub mod catalog;
pub mod check;
pub mod churn;
pub mod client;
pub mod disk;
pub mod faults;
pub mod figures;
pub mod http;
pub mod proxy;
pub mod record;
pub mod recorder;
pub mod refusal;
pub mod server;
pub mod transcript;

use std::{
    env,
    fmt::Debug,
    time::{Duration, Instant},
};
use std::{fs, path::Path};

use tokio::time::sleep;

/// Far more than anything here takes; a test that waits this long has failed.
pub const LONG: Duration = Duration::from_secs(30);

/// A number from the environment, for long runs and to repeat one.
///
/// # Panics
///
/// If it is no number.
#[must_use]
pub fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

/// Asks until the answer is yes.
///
/// # Panics
///
/// If it is not within [`LONG`].
pub async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !ask().await {
        assert!(start.elapsed() < LONG, "{what}: not within {LONG:?}");
        sleep(Duration::from_millis(2)).await;
    }
}

/// Copies a directory with all that is in it.
///
/// # Panics
///
/// If something of it cannot be read or written.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// As `assert_eq!`, but shows the first difference alone: lists of commits are long.
///
/// # Panics
///
/// If the lists differ.
pub fn assert_same<T: PartialEq + Debug>(told: &[T], expected: &[T], what: &str) {
    for (index, (told, expected)) in told.iter().zip(expected).enumerate() {
        assert_eq!(told, expected, "{what}: at {index}");
    }
    assert_eq!(told.len(), expected.len(), "{what}: how many");
}
