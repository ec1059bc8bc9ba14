//! Messages of a watch as bytes that are ready to be sent: after their gRPC prefix, one after the other.

use bytes::Bytes;
use indicator_proto::{
    Time,
    v1::{self, ChangeKind, watch_response::Message},
};
use prost::Message as _;

use crate::{
    engine::{Context, PictureChange, Shift, catalog},
    service::{encoded::PutField as _, encoder::ObservationEncoder, wire},
};

/// Changes in one message, about: commits are put together up to this, and a larger one is split.
const CHANGES_PER_MESSAGE: usize = 1_000;

/// Commits that are put together in one message.
const COMMITS_PER_MESSAGE: usize = 256;

/// Compressed flag and length.
const PREFIX: usize = 5;

/// One message.
pub(super) fn frame(message: Message) -> Bytes {
    let mut out = Vec::new();
    put_frame(&v1::WatchResponse { message: Some(message) }.encode_to_vec(), &mut out);
    out.into()
}

/// A message's bytes after its prefix.
pub(super) fn put_frame(message: &[u8], out: &mut Vec<u8>) {
    out.reserve(PREFIX + message.len());
    out.push(0);
    out.extend((message.len() as u32).to_be_bytes());
    out.extend(message);
}

/// What one commit did, or several together.
#[derive(Clone, Copy)]
pub(super) struct Event<'a> {
    pub(super) revision: u64,
    pub(super) time: Time,
    /// `None` for several commits together.
    pub(super) context: Option<&'a Context>,
    pub(super) changes: &'a [PictureChange],
    pub(super) entries: &'a [catalog::Change],
    /// More of it comes in another one.
    pub(super) more: bool,
}

/// Writes events as `Changes` messages: small commits together, large ones in parts.
pub(super) struct Frames {
    with_previous: bool,
    encoder: ObservationEncoder,
    out: Vec<u8>,
    /// The open message: its events, the first and the last commit, and how much it has.
    events: Vec<u8>,
    span: Option<(u64, u64)>,
    commits: usize,
    changes: usize,
    /// Buffers.
    event: Vec<u8>,
    change: Vec<u8>,
}

impl Frames {
    pub(super) fn new(with_previous: bool) -> Self {
        Self {
            with_previous,
            encoder: ObservationEncoder::default(),
            out: Vec::new(),
            events: Vec::new(),
            span: None,
            commits: 0,
            changes: 0,
            event: Vec::new(),
            change: Vec::new(),
        }
    }

    /// About how many bytes are written.
    pub(super) fn len(&self) -> usize {
        self.out.len() + self.events.len()
    }

    /// Adds an event; one without changes is none.
    pub(super) fn push(&mut self, event: Event<'_>) {
        let size = event.changes.len() + event.entries.len();
        if size == 0 && !event.more {
            return;
        }
        if size > CHANGES_PER_MESSAGE || event.more {
            self.close(false);
            return self.split(event);
        }
        self.put_event(event);
        if self.changes >= CHANGES_PER_MESSAGE || self.commits >= COMMITS_PER_MESSAGE {
            self.close(false);
        }
    }

    /// A commit's changes in messages of their own, all but the last with `more`.
    fn split(&mut self, event: Event<'_>) {
        let entries = event.entries.chunks(CHANGES_PER_MESSAGE).map(|entries| (&[][..], entries));
        let changes = event.changes.chunks(CHANGES_PER_MESSAGE).map(|changes| (changes, &[][..]));
        let mut parts = entries.chain(changes).peekable();
        while let Some((changes, entries)) = parts.next() {
            self.put_event(Event { changes, entries, ..event });
            self.close(event.more || parts.peek().is_some());
        }
    }

    /// The messages so far.
    pub(super) fn take(&mut self) -> Bytes {
        self.close(false);
        std::mem::take(&mut self.out).into()
    }

    /// Ends the open message. Changes: first_revision = 1, last_revision = 2, events = 3, more = 4; WatchResponse: changes = 4.
    fn close(&mut self, more: bool) {
        let Some((first, last)) = self.span.take() else { return };
        let mut changes = std::mem::take(&mut self.change);
        changes.clear();
        changes.put_number(1, first);
        changes.put_number(2, last);
        changes.append(&mut self.events);
        changes.put_number(4, u64::from(more));
        self.event.clear();
        self.event.put_bytes(4, &changes);
        put_frame(&self.event, &mut self.out);
        self.change = changes;
        (self.commits, self.changes) = (0, 0);
    }

    /// CommitEvents: revision = 1, recorded_at = 2, context = 3, changes = 4, catalog_changes = 5.
    fn put_event(&mut self, event: Event<'_>) {
        let mut bytes = std::mem::take(&mut self.event);
        bytes.clear();
        bytes.put_number(1, event.revision);
        self.encoder.put_time(2, event.time, &mut bytes);
        if let Some(context) = event.context {
            bytes.put_bytes(3, &wire::context(context).encode_to_vec());
        }
        for change in event.changes {
            self.put_change(change);
            bytes.put_bytes(4, &self.change);
        }
        for entry in event.entries {
            bytes.put_bytes(5, &wire::entry_change(entry).encode_to_vec());
        }
        self.events.put_bytes(3, &bytes);
        self.event = bytes;
        self.commits += 1;
        self.changes += event.changes.len() + event.entries.len();
        let first = self.span.map_or(event.revision, |(first, _)| first);
        self.span = Some((first, event.revision));
    }

    /// CellChange: kind = 1, observation = 2, previous = 3.
    fn put_change(&mut self, change: &PictureChange) {
        self.change.clear();
        self.change.put_number(1, kind(change.shift) as u64);
        if change.shift == Shift::Left {
            self.encoder.put_place(2, &change.key, &change.version, &mut self.change);
        } else {
            self.encoder.put_observation(2, Some(&change.key), &change.version, &mut self.change);
        }
        if let Some((key, previous)) = change.previous.as_ref().filter(|_| self.with_previous) {
            let elsewhere = (*key != change.key).then_some(&**key);
            self.encoder.put_observation(3, elsewhere, previous, &mut self.change);
        }
    }
}

fn kind(shift: Shift) -> ChangeKind {
    match shift {
        Shift::Recorded(kind) => wire::kind(kind),
        Shift::Entered => ChangeKind::Entered,
        Shift::Left => ChangeKind::Left,
    }
}
