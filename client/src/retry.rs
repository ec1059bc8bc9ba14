//! When to try again, and after how long.
//!
//! Full jitter: the wait before attempt *n* is uniform between nothing and a bound that doubles, so that clients which lost the same
//! server at the same moment do not come back at the same moment. A delay that the service asks for is waited in full, the
//! jitter comes on top.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};
use tonic::Code;

use crate::Error;

/// How calls are repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Bound of the first wait; the next ones double it. Not zero.
    pub base: Duration,
    /// No bound is above this.
    pub cap: Duration,
    /// Attempts of a call in all; 1 means never repeat. A watch goes on for ever.
    pub attempts: u32,
    /// Time for one attempt, sent to the server with it.
    pub deadline: Duration,
    /// Time for the call with all its attempts and waits.
    pub limit: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(5),
            attempts: 5,
            deadline: Duration::from_secs(30),
            limit: Duration::from_secs(60),
        }
    }
}

impl Policy {
    /// Bound of the wait after `failures` failures in a row.
    pub fn bound(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }

    /// The wait after `failures` failures in a row: what the service asked for, and up to [`Policy::bound`] more. `chance` is
    /// uniform in `0.0..1.0`.
    pub fn wait(&self, failures: u32, asked: Option<Duration>, chance: f64) -> Duration {
        asked.unwrap_or_default().saturating_add(self.bound(failures).mul_f64(chance))
    }
}

/// Whether a call that is safe to repeat may succeed if it is.
///
/// RESOURCE_EXHAUSTED alone is not worth a repetition: a full disk stays full. With RetryInfo the service says otherwise.
pub fn is_transient(error: &Error) -> bool {
    match error.code() {
        Code::Unavailable | Code::DeadlineExceeded => true,
        Code::ResourceExhausted => error.retry_after().is_some(),
        _ => false,
    }
}

/// Calls `attempt` until it succeeds, fails for good, or the policy's attempts or time run out. `attempt` gets the time it has.
///
/// Only for calls that are safe to repeat: reads, and writes with a request id.
pub(crate) async fn run<T, F, A>(policy: &Policy, mut attempt: A) -> Result<T, Error>
where
    A: FnMut(Duration) -> F,
    F: Future<Output = Result<T, Error>>,
{
    let end = Instant::now() + policy.limit;
    let mut failures = 0;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let error = match attempt(policy.deadline.min(left)).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        failures += 1;
        if failures >= policy.attempts || !is_transient(&error) {
            return Err(error);
        }
        let wait = policy.wait(failures, error.retry_after(), fastrand::f64());
        if Instant::now() + wait >= end {
            return Err(error);
        }
        tracing::debug!(failures, ?wait, %error, "trying again");
        sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    fn rpc(code: Code, retry_after: Option<Duration>) -> Error {
        Error::Rpc { code, reason: None, message: String::new(), violations: Vec::new(), retry_after }
    }

    async fn failing(policy: Policy, error: Error) -> (u32, Duration) {
        let (attempts, start) = (Cell::new(0), Instant::now());
        let outcome: Result<(), Error> = run(&policy, |_| {
            attempts.set(attempts.get() + 1);
            let error = error.clone();
            async move { Err(error) }
        })
        .await;
        assert!(outcome.is_err());
        (attempts.get(), start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn an_unavailable_service_is_tried_again_as_often_as_the_policy_says() {
        let (attempts, waited) = failing(Policy::default(), rpc(Code::Unavailable, None)).await;
        assert_eq!(attempts, 5);
        assert!(waited <= Duration::from_millis(100 + 200 + 400 + 800 + 5), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_request_is_not_tried_again() {
        for code in [Code::InvalidArgument, Code::NotFound, Code::Aborted, Code::Internal, Code::ResourceExhausted] {
            assert_eq!(failing(Policy::default(), rpc(code, None)).await, (1, Duration::ZERO), "{code:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_that_the_service_asks_for_is_waited_in_full() {
        let asked = Duration::from_secs(3);
        let policy = Policy { attempts: 3, ..Policy::default() };
        let (attempts, waited) = failing(policy, rpc(Code::ResourceExhausted, Some(asked))).await;
        assert_eq!(attempts, 3);
        assert!(waited >= 2 * asked && waited < 2 * asked + Duration::from_millis(310), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_goes_beyond_the_limit() {
        let policy = Policy { attempts: 1000, limit: Duration::from_secs(10), ..Policy::default() };
        let (attempts, waited) = failing(policy, rpc(Code::Unavailable, None)).await;
        assert!(attempts > 1 && waited <= Duration::from_secs(10), "{attempts} attempts in {waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_attempt_leaves_the_next_one_only_the_time_that_remains() {
        let policy = Policy { base: Duration::from_nanos(1), cap: Duration::from_nanos(1), ..Policy::default() };
        let policy = Policy { deadline: Duration::from_secs(40), ..policy };
        let given = Cell::new(Vec::new());
        let outcome: Result<(), Error> = run(&policy, |time| {
            let mut all = given.take();
            all.push(time.as_millis().div_ceil(1000));
            given.set(all);
            async move {
                sleep(time).await;
                Err(Error::Deadline { after: time })
            }
        })
        .await;
        assert!(matches!(outcome, Err(Error::Deadline { .. })));
        assert_eq!(given.take(), [40, 20]);
    }

    proptest! {
        #[test]
        fn a_wait_lies_between_what_was_asked_and_the_cap_beyond(failures in 0_u32.., asked in 0_u64..100_000, chance in 0.0..1.0) {
            let (policy, asked) = (Policy::default(), Duration::from_millis(asked));
            let wait = policy.wait(failures, Some(asked), chance);
            prop_assert!(wait >= asked && wait <= asked + policy.cap);
            prop_assert!(policy.bound(failures) <= policy.bound(failures.saturating_add(1)));
        }
    }
}
