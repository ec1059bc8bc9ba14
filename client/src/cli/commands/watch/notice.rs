//! What to tell people about the connection: what goes wrong, what goes on, and nothing while all is well.

use std::time::{Duration, Instant};

use indicator_client::{WatchEvent, WatchState};
use indicator_proto::{v1::WatchOutcome, words::grouped};

use super::is_live;

/// Being behind by less than this is how a busy stream is.
const NOTABLE: u64 = 1_000;

/// What goes on in the same way is told this often.
const PAUSE: Duration = Duration::from_secs(5);

/// Which notices have been given.
#[derive(Debug, Default)]
pub(super) struct Notices {
    opened: bool,
    /// Being live is news.
    live_owed: bool,
    behind_told: Option<Instant>,
    waiting_told: Option<(String, Instant)>,
}

impl Notices {
    /// Whether there has been a connection.
    pub(super) fn opened(&self) -> bool {
        self.opened
    }

    /// What to tell of an event. `state` is how the watch is after it.
    pub(super) fn of(&mut self, event: &WatchEvent, state: WatchState) -> Option<String> {
        Some(match event {
            WatchEvent::Connecting { error: None, wait, .. } => {
                format!("the server ends the watch; connecting again in {:.1} s", wait.as_secs_f64())
            }
            WatchEvent::Connecting { attempt: 1, error: Some(error), wait } if self.opened => {
                format!("lost the connection: {error}; connecting again in {:.1} s", wait.as_secs_f64())
            }
            WatchEvent::Connecting { error: Some(error), .. } => return self.waiting(error.to_string()),
            WatchEvent::Opened { revision, outcome, .. } => {
                let again = std::mem::replace(&mut self.opened, true);
                self.live_owed = !is_live(state);
                self.waiting_told = None;
                format!("{}{}", opened(*revision, *outcome, again), how(state))
            }
            WatchEvent::Reset { reason } => format!("what came before is void: {reason}"),
            WatchEvent::Diverged { revision, expected, actual } => format!(
                "error: at revision {revision} what was delivered is not what the server has (digest {actual:016x}, not {expected:016x})"
            ),
            WatchEvent::SnapshotEnd { .. } => {
                self.live_owed = true;
                return None;
            }
            WatchEvent::Live if std::mem::take(&mut self.live_owed) => "live".to_owned(),
            WatchEvent::Commit(_) | WatchEvent::Progress { .. } => return self.behind(state),
            WatchEvent::Live | WatchEvent::Snapshot(_) | WatchEvent::SnapshotEntry(_) => return None,
        })
    }

    fn waiting(&mut self, error: String) -> Option<String> {
        if self.waiting_told.as_ref().is_some_and(|(told, when)| *told == error && when.elapsed() < PAUSE) {
            return None;
        }
        let text = format!("waiting: {error}");
        self.waiting_told = Some((error, Instant::now()));
        Some(text)
    }

    fn behind(&mut self, state: WatchState) -> Option<String> {
        let WatchState::CatchingUp { behind } = state else { return None };
        if behind < NOTABLE || self.behind_told.is_some_and(|told| told.elapsed() < PAUSE) {
            return None;
        }
        self.behind_told = Some(Instant::now());
        self.live_owed = true;
        Some(format!("behind by {}", revisions(behind)))
    }
}

fn opened(revision: u64, outcome: WatchOutcome, again: bool) -> String {
    match outcome {
        WatchOutcome::Snapshot => format!("watching: the figures at revision {revision}, then their changes"),
        WatchOutcome::Delta => {
            format!("watching: what changed after revision {revision} in its latest state only, as replays begin later")
        }
        _ if again => "watching again, without a gap".to_owned(),
        _ => format!("watching: changes after revision {revision}"),
    }
}

fn how(state: WatchState) -> String {
    match state {
        WatchState::CatchingUp { behind } => format!(", behind by {}", revisions(behind)),
        _ => String::new(),
    }
}

fn revisions(count: u64) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} revision{s}", grouped(&count.to_string(), 0))
}

#[cfg(test)]
mod tests {
    use indicator_client::Error;

    use super::*;

    fn opened(outcome: WatchOutcome) -> WatchEvent {
        WatchEvent::Opened { epoch: "e".to_owned(), revision: 7, head_revision: 7, outcome }
    }

    fn lost(attempt: u32) -> WatchEvent {
        let error = Some(Error::Cut { what: "the watch", cause: None });
        WatchEvent::Connecting { attempt, error, wait: Duration::from_millis(340) }
    }

    fn progress() -> WatchEvent {
        WatchEvent::Progress { revision: 7, head_revision: 9_000, resume_token: String::new(), digest: None }
    }

    #[test]
    fn what_happens_to_the_connection_is_told_and_what_goes_well_is_not() {
        let mut notices = Notices::default();
        let behind = |behind| WatchState::CatchingUp { behind };
        let told = [
            (opened(WatchOutcome::Replay), WatchState::Live),
            (WatchEvent::Live, WatchState::Live),
            (progress(), behind(3)),
            (WatchEvent::Live, WatchState::Live),
            (progress(), behind(8_993)),
            (progress(), behind(8_000)),
            (WatchEvent::Live, WatchState::Live),
            (lost(1), WatchState::Connecting { attempt: 2 }),
            (lost(2), WatchState::Connecting { attempt: 3 }),
            (lost(3), WatchState::Connecting { attempt: 4 }),
            (opened(WatchOutcome::Replay), behind(1)),
            (WatchEvent::Live, WatchState::Live),
        ]
        .map(|(event, state)| notices.of(&event, state));
        insta::assert_snapshot!(told.into_iter().flatten().collect::<Vec<_>>().join("\n"), @r"
        watching: changes after revision 7
        behind by 8,993 revisions
        live
        lost the connection: the watch was cut off; connecting again in 0.3 s
        waiting: the watch was cut off
        watching again, without a gap, behind by 1 revision
        live
        ");
    }

    #[test]
    fn a_new_beginning_is_told_with_its_reason() {
        let mut notices = Notices::default();
        let (snapshot, live) = (WatchState::Snapshot { observations: 0 }, WatchState::Live);
        let told = [
            (opened(WatchOutcome::Delta), WatchState::CatchingUp { behind: 20 }),
            (WatchEvent::Live, live),
            (WatchEvent::Diverged { revision: 9, expected: 1, actual: 255 }, live),
            (WatchEvent::Reset { reason: "the state differs".to_owned() }, snapshot),
            (opened(WatchOutcome::Snapshot), snapshot),
            (WatchEvent::SnapshotEnd { revision: 9, observations: 4 }, live),
            (WatchEvent::Live, live),
        ]
        .map(|(event, state)| notices.of(&event, state));
        insta::assert_snapshot!(told.into_iter().flatten().collect::<Vec<_>>().join("\n"), @r"
        watching: what changed after revision 7 in its latest state only, as replays begin later, behind by 20 revisions
        live
        error: at revision 9 what was delivered is not what the server has (digest 00000000000000ff, not 0000000000000001)
        what came before is void: the state differs
        watching: the figures at revision 7, then their changes
        live
        ");
    }
}
