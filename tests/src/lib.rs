//! What the end-to-end tests share.
//!
//! - [`server`]: `indicatord` as a process, started on a free port, stopped, killed, started again.
//! - [`client`]: the generated stubs behind calls that fit on a line, and [`refusal`], what an error says.
//! - [`catalog`] and [`figures`]: a small catalog, and observations to write.
//! - [`transcript`]: reads a watch and checks on the way what holds on every stream.
//! - [`record`]: the record as a plain list of versions, which real servers must agree with.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod catalog;
pub mod client;
pub mod figures;
pub mod record;
pub mod refusal;
pub mod server;
pub mod transcript;

use std::{
    thread,
    time::{Duration, Instant},
};

/// Far more than anything here takes; a test that waits this long has failed.
pub const LONG: Duration = Duration::from_secs(30);

/// Asks until there is an answer.
///
/// # Panics
///
/// If there is none within [`LONG`].
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < LONG, "{what}: not within {LONG:?}");
        thread::sleep(Duration::from_millis(2));
    }
}
