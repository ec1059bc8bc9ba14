use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// Lets through what is told often at most once a period, and counts the rest.
#[derive(Debug)]
pub struct Throttle {
    period: Duration,
    last: Mutex<(Option<Instant>, u64)>,
}

impl Throttle {
    /// Once a period.
    #[must_use]
    pub fn new(period: Duration) -> Self {
        Self { period, last: Mutex::default() }
    }

    /// How many were held back since the last time, if this one may be told.
    pub fn pass(&self) -> Option<u64> {
        let mut last = self.last.lock().expect("nothing panics while it holds this lock");
        let now = Instant::now();
        if last.0.is_some_and(|then| now.duration_since(then) < self.period) {
            last.1 += 1;
            return None;
        }
        last.0 = Some(now);
        Some(std::mem::take(&mut last.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_back_is_counted() {
        let throttle = Throttle::new(Duration::from_secs(3600));
        assert_eq!(throttle.pass(), Some(0));
        assert_eq!((throttle.pass(), throttle.pass()), (None, None));
        let throttle = Throttle { period: Duration::ZERO, ..throttle };
        assert_eq!(throttle.pass(), Some(2));
        assert_eq!(throttle.pass(), Some(0));
    }
}
