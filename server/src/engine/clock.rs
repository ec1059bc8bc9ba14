//! The clock of the record, and what is done about its jumps.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use indicator_proto::Time;

/// A request id is kept at least this long.
const REQUEST_KEPT: Duration = Duration::from_secs(25 * 3600);

/// A smaller difference from the monotonic clock is that of a clock being set right, or of a pause.
const JUMP: i64 = 10_000_000;

/// Tells times that never go back, and which requests are old.
pub(super) struct Clock {
    wall: fn() -> Time,
    /// The last reading.
    last: (Time, Instant),
    /// Whether it showed a time before the record's.
    behind: bool,
    /// Jumps forward, in microseconds: requests made before one look older than they are, until it is itself as old as they may be.
    forward: VecDeque<(Instant, i64)>,
}

impl Clock {
    pub(super) fn new(wall: fn() -> Time) -> Self {
        Self { wall, last: (wall(), Instant::now()), behind: false, forward: VecDeque::new() }
    }

    /// The time of the next commit, and the time before which requests may be forgotten.
    ///
    /// The record's time never goes back, whatever the clock does: the log is sorted by it.
    pub(super) fn next(&mut self, last: Option<Time>) -> (Time, Time) {
        let (wall, now) = ((self.wall)(), Instant::now());
        let time = last.map_or(wall, |last| last.max(wall));
        self.notice(wall, now, time);
        let jumped: i64 = self.forward.iter().map(|(_, micros)| *micros).sum();
        let kept = micros(REQUEST_KEPT).saturating_add(jumped);
        (time, Time::from_micros(time.micros().saturating_sub(kept)).unwrap_or(Time::MIN))
    }

    fn notice(&mut self, wall: Time, now: Instant, time: Time) {
        let behind = time.micros() - wall.micros();
        if behind > JUMP && !self.behind {
            let seconds = behind / 1_000_000;
            tracing::warn!(seconds, recorded_at = %time, "the clock is behind the record; recorded_at stays until it has caught up");
        }
        self.behind = behind > JUMP;
        let (before, then) = std::mem::replace(&mut self.last, (wall, now));
        let jump = wall.micros() - before.micros() - micros(now - then);
        if jump > JUMP {
            let seconds = jump / 1_000_000;
            tracing::warn!(seconds, recorded_at = %time, "the clock jumped forward; recorded_at will not go back if it does");
            self.forward.push_back((now, jump));
        }
        while self.forward.front().is_some_and(|(when, _)| now - *when > REQUEST_KEPT) {
            self.forward.pop_front();
        }
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
