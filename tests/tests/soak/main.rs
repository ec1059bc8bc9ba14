//! The soak: everything that the watch checker does, and besides importers, queries, readers of pages, clients that stop reading, and
//! clients that mean ill, for as long as one likes; then what all of them saw is checked, and that the server's memory and its open
//! files have levelled off.
//!
//! `INDICATOR_SOAK_MINUTES` sets how long; without it the run takes 20 seconds, too short to tell a level. `INDICATOR_SEED` repeats a
//! run's choices. By hand:
//! `INDICATOR_SOAK_MINUTES=20 cargo test --workspace --test soak -- --nocapture`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ill;
mod load;
mod vitals;

use std::{sync::Arc, time::Duration};

use indicator_tests::{
    churn::{self, Plan, World},
    setting,
};

use self::vitals::Vitals;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_under_everything_at_once_keeps_the_record_and_its_memory() {
    let minutes = setting("INDICATOR_SOAK_MINUTES", 0);
    let long = minutes > 0;
    // A long run writes little more than a short one: what is to be seen in it is what piles up on the same record.
    let (time, pace, calm) = match u32::try_from(minutes) {
        Ok(minutes) if long => (Duration::from_secs(60) * minutes, minutes, 90_000..240_000),
        _ => (Duration::from_secs(20), 1, 4_000..7_000),
    };
    let vitals = Arc::new(Vitals::default());
    churn::run(Plan { time, watchers: 16, pace, calm }, |world, rng| {
        let mut tasks = vec![tokio::spawn(vitals::watch(Arc::clone(&vitals), Arc::clone(world)))];
        for n in 0..2 {
            tasks.push(tokio::spawn(load::import(Arc::clone(world), rng.fork(), n)));
            tasks.push(tokio::spawn(load::query(Arc::clone(world), rng.fork())));
            tasks.push(tokio::spawn(load::turn_pages(Arc::clone(world), rng.fork())));
        }
        for _ in 0..3 {
            tasks.push(tokio::spawn(load::stop_reading(Arc::clone(world), rng.fork())));
        }
        for _ in 0..4 {
            tasks.push(tokio::spawn(ill::vex(Arc::clone(world), rng.fork())));
        }
        tasks
    })
    .await;
    vitals.assert_bounded();
    if long {
        vitals.assert_level();
    }
}

/// Whether a task is to go on; it rests first, so that an absent server is not asked without a pause.
async fn goes_on(world: &World, rest: Duration) -> bool {
    world.wait(rest).await;
    world.is_writing()
}
