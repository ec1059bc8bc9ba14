use std::sync::Arc;

use indicator_proto::{Time, v1::AlarmKind};
use tokio::sync::watch;

use crate::store::Error;

/// Something that stops writes; reads go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// What is wrong.
    pub kind: AlarmKind,
    /// Since when.
    pub since: Time,
    /// What is wrong, with figures, and what to do about it.
    pub message: String,
}

/// What stops writes now. Whoever follows it is woken when an alarm begins or ends.
#[derive(Debug)]
pub(super) struct Alarms {
    clock: fn() -> Time,
    current: watch::Sender<Arc<[Alarm]>>,
}

impl Alarms {
    pub(super) fn new(clock: fn() -> Time) -> Self {
        Self { clock, current: watch::Sender::new(Arc::new([])) }
    }

    pub(super) fn follow(&self) -> watch::Receiver<Arc<[Alarm]>> {
        self.current.subscribe()
    }

    /// Takes note of what the store says.
    pub(super) fn note(&self, obstacles: &[Error]) {
        if obstacles.is_empty() && self.current.borrow().is_empty() {
            return;
        }
        self.current.send_if_modified(|current| {
            let next: Arc<[Alarm]> = obstacles.iter().map(|obstacle| self.alarm(obstacle, current)).collect();
            let kinds = |alarms: &[Alarm]| alarms.iter().map(|alarm| alarm.kind).collect::<Vec<_>>();
            let (before, after) = (kinds(current), kinds(&next));
            for alarm in next.iter().filter(|alarm| !before.contains(&alarm.kind)) {
                tracing::error!(kind = alarm.kind.as_str_name(), reason = alarm.message, "writes are stopped");
            }
            for kind in before.iter().filter(|kind| !after.contains(kind)) {
                tracing::info!(kind = kind.as_str_name(), writes = after.is_empty(), "a reason for stopping writes is gone");
            }
            *current = next;
            before != after
        });
    }

    fn alarm(&self, obstacle: &Error, current: &[Alarm]) -> Alarm {
        let kind = match obstacle {
            Error::Full { .. } => AlarmKind::LowDisk,
            Error::OverQuota { .. } => AlarmKind::Quota,
            _ => AlarmKind::StoreFailed,
        };
        let since = current.iter().find(|alarm| alarm.kind == kind).map(|alarm| alarm.since);
        Alarm { kind, since: since.unwrap_or_else(self.clock), message: obstacle.to_string() }
    }
}
