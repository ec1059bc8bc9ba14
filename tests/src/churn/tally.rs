//! What a run was made of: a run that never met a case has not shown anything of it.

use std::{collections::BTreeMap, fmt};

use crate::check::recording::{End, Stream, Subscriber};
use indicator_proto::v1::watch_response::Message;

/// How often each thing was seen.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<String, u64>);

/// What every run must have met, however short.
const MET: [&str; 14] = [
    "REPLAY",
    "DELTA",
    "SNAPSHOT",
    "Closing",
    "digest",
    "INSERTED",
    "REVISED",
    "DELETED",
    "BACKFILLED",
    "ENTERED",
    "LEFT",
    "refused INVALID_RESUME_TOKEN",
    "refused OTHER_EPOCH",
    "refused RESUME_TOKEN_OTHER_FILTER",
];

impl Tally {
    pub(crate) fn of(subscribers: &[Subscriber]) -> Self {
        let mut tally = Self::default();
        for stream in subscribers.iter().flat_map(|s| &s.streams) {
            tally.add("streams");
            tally.stream(stream);
        }
        tally
    }

    fn add(&mut self, what: &str) {
        *self.0.entry(what.to_owned()).or_default() += 1;
    }

    fn stream(&mut self, stream: &Stream) {
        for (number, message) in stream.messages.iter().enumerate() {
            let Some(message) = &message.message else { continue };
            match message {
                Message::Opened(opened) => self.add(opened.outcome().as_str_name().trim_start_matches("WATCH_OUTCOME_")),
                Message::Reset(_) => self.add(if number == 1 { "Reset" } else { "Reset of a live stream" }),
                Message::Changes(changes) => {
                    if changes.more {
                        self.add("more");
                    }
                    let changes = changes.events.iter().flat_map(|e| &e.changes);
                    changes.for_each(|c| self.add(c.kind().as_str_name().trim_start_matches("CHANGE_KIND_")));
                }
                Message::Progress(progress) => {
                    self.add("progress");
                    if progress.digest.is_some() {
                        self.add("digest");
                    }
                }
                Message::Closing(_) => self.add("Closing"),
                Message::Snapshot(_) | Message::SnapshotEnd(_) => {}
            }
        }
        match &stream.end {
            End::Refused(refusal) => self.add(&format!("refused {}", refusal.reason)),
            other => self.add(&format!("{other:?}")),
        }
    }

    pub(crate) fn assert_complete(&self) {
        let missed: Vec<&str> = MET.into_iter().filter(|what| !self.0.contains_key(*what)).collect();
        assert!(missed.is_empty(), "this run has not met {missed:?}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(what, times)| format!("{what} {times}")).collect();
        f.write_str(&parts.join(", "))
    }
}
