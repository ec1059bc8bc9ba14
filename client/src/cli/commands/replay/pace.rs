//! When each step of a replay is due.

use std::{str::FromStr, time::Duration};

use tokio::time::{Instant, sleep};

/// Steps a second; `None` is as many as the server takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Speed(Option<f64>);

/// A text that is no speed.
#[derive(Debug, thiserror::Error)]
#[error("write how many steps a second, such as 10 or 0.5, or max for as fast as the server takes them")]
pub(crate) struct ParseSpeedError;

impl FromStr for Speed {
    type Err = ParseSpeedError;

    fn from_str(text: &str) -> Result<Self, ParseSpeedError> {
        if text == "max" {
            return Ok(Self(None));
        }
        match text.parse() {
            Ok(0.0) => Ok(Self(None)),
            Ok(rate) if rate > 0.0 && f64::is_finite(rate) => Ok(Self(Some(rate))),
            _ => Err(ParseSpeedError),
        }
    }
}

impl Speed {
    /// The time that so many steps take.
    fn time_of(self, steps: u32) -> Duration {
        match self.0 {
            None => Duration::ZERO,
            Some(rate) => Duration::try_from_secs_f64(f64::from(steps) / rate).unwrap_or(Duration::MAX),
        }
    }
}

/// A schedule: each step is due at its own time after the start, so that small delays do not add up.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Speed,
    start: Instant,
    step: u32,
}

impl Pace {
    /// A schedule whose first step is due now.
    pub(super) fn new(speed: Speed) -> Self {
        Self { speed, start: Instant::now(), step: 0 }
    }

    /// Waits until the step is due.
    pub(super) async fn due(&self) {
        sleep(self.speed.time_of(self.step).saturating_sub(self.start.elapsed())).await;
    }

    /// Goes on to the next step.
    pub(super) fn advance(&mut self) {
        self.step += 1;
    }

    /// Makes the step due now, and the next ones after it, so that nothing is made up for.
    pub(super) fn restart(&mut self) {
        *self = Self::new(self.speed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_decimal_or_as_fast_as_it_goes() {
        let speed = |text: &str| text.parse::<Speed>().map(|it| it.0).ok();
        assert_eq!(speed("10"), Some(Some(10.0)));
        assert_eq!(speed("0.5"), Some(Some(0.5)));
        assert_eq!([speed("max"), speed("0"), speed("0.0")], [Some(None); 3]);
        assert_eq!([speed("-1"), speed("inf"), speed("NaN"), speed("fast"), speed("")], [None; 5]);
    }

    #[test]
    fn a_step_of_the_far_future_is_not_an_overflow() {
        assert_eq!(Speed(Some(1e-300)).time_of(1), Duration::MAX);
        assert_eq!(Speed(Some(1e-300)).time_of(0), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_step_takes_does_not_delay_the_next_ones() {
        let mut pace = Pace::new(Speed(Some(4.0)));
        let start = Instant::now();
        for step in 0..100 {
            pace.due().await;
            assert_eq!(start.elapsed(), Duration::from_millis(250 * step));
            sleep(Duration::from_millis(249)).await;
            pace.advance();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_start_makes_up_for_nothing() {
        let mut pace = Pace::new(Speed(Some(1.0)));
        sleep(Duration::from_secs(60)).await;
        let start = Instant::now();
        pace.restart();
        pace.due().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        pace.advance();
        pace.due().await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }
}
