use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

/// What is logged at most this often.
const INTERVAL: Duration = Duration::from_secs(10);

/// Lets an event be logged now and then only, whoever causes it how often.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: Option<Instant>,
    left_out: u64,
}

impl Seldom {
    /// Whether to log this event, and how many were left out before it.
    pub(crate) fn is_due(&self) -> Option<u64> {
        let mut state = self.0.lock().expect("nothing panics while it holds this lock");
        let now = Instant::now();
        if state.next.is_some_and(|next| now < next) {
            state.left_out += 1;
            return None;
        }
        state.next = Some(now + INTERVAL);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_event_is_logged_and_then_one_now_and_then_with_the_number_of_those_between() {
        let seldom = Seldom::default();
        assert_eq!(seldom.is_due(), Some(0));
        for _ in 0..1000 {
            assert_eq!(seldom.is_due(), None);
        }
        tokio::time::advance(INTERVAL).await;
        assert_eq!(seldom.is_due(), Some(1000));
        assert_eq!(seldom.is_due(), None);
    }
}
