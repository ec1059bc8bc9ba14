use std::{sync::Arc, time::Duration};

use super::{
    Error, Receipt,
    changelog::{ChangeLog, Ended, Reply, Sequenced},
    record::Record,
    shared::Shared,
};
use crate::store;

/// A group of commits that share one flush is not made larger than this.
const GROUP_COMMANDS: usize = 1024;
const GROUP_BYTES: usize = 8 << 20;

/// How often the disk is looked at while there is nothing to write.
const LOOK: Duration = Duration::from_secs(1);

/// Applies commands until the log ends: takes all that wait, applies them in order, flushes once, then answers.
pub(super) fn run(shared: &Arc<Shared>, mut log: impl ChangeLog) {
    let mut record = Record::new(Arc::clone(shared));
    loop {
        shared.meter.beat();
        let mut next = match log.next(record.head(), LOOK) {
            Ok(next) => next,
            Err(Ended) => break,
        };
        // Before the group, not within it: once staged, it must reach the disk.
        let writable = shared.check_writable();
        let mut outcomes = Vec::new();
        while let Some(sequenced) = next {
            outcomes.push(apply(&mut record, sequenced, &writable));
            let room = outcomes.len() < GROUP_COMMANDS && record.staged_bytes() < GROUP_BYTES;
            next = if room { log.next_waiting(record.head()) } else { None };
        }
        if !outcomes.is_empty() {
            shared.meter.group_size.observe(outcomes.len() as f64);
            let published = record.publish();
            if published.is_err() {
                // Before the answers: who asks why then finds the alarm.
                let _ = shared.check_writable();
            }
            answer(outcomes, published);
        }
    }
}

fn apply(record: &mut Record, sequenced: Sequenced, writable: &Result<(), store::Error>) -> (Reply, Result<Receipt, Error>) {
    let Sequenced { revision, time, forget_before, command, reply } = sequenced;
    record.forget_requests_before(forget_before);
    let outcome = match writable {
        Ok(()) => record.apply(revision, time, &command),
        Err(error) => Err(error.again().into()),
    };
    (reply, outcome)
}

/// The same error for every caller of a group.
fn again(error: &Error) -> Error {
    match error {
        Error::Store(error) => error.again().into(),
        other => store::Error::Failed(other.to_string()).into(),
    }
}

/// A caller that has gone away is not an error: its command is applied all the same.
fn answer(outcomes: Vec<(Reply, Result<Receipt, Error>)>, published: Result<(), Error>) {
    match published {
        Ok(()) => {
            for (reply, outcome) in outcomes {
                let _ = reply.send(outcome);
            }
        }
        Err(error) => {
            tracing::error!(%error, "a group of commits did not reach the disk");
            for (reply, outcome) in outcomes {
                let _ = reply.send(outcome.and_then(|_| Err(again(&error))));
            }
        }
    }
}
