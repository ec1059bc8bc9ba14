//! The watch checker at work: what clients of every kind saw of a server under everything at once is compared with the log.
//!
//! `INDICATOR_WATCH_SECONDS` sets how long (16), `INDICATOR_SEED` repeats a run's choices, `INDICATOR_WATCHERS` how many watch (24).

use std::time::Duration;

use indicator_tests::{
    churn::{self, Plan},
    setting,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_watchers_saw_through_writes_compactions_kills_and_restarts_is_what_the_log_has() {
    let time = Duration::from_secs(setting("INDICATOR_WATCH_SECONDS", 16));
    let watchers = usize::try_from(setting("INDICATOR_WATCHERS", 24)).expect("so many fit");
    churn::run(Plan { time, watchers, pace: 1, calm: 2500..5000 }, |_, _| Vec::new()).await;
}
