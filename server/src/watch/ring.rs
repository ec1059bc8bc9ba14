//! The newest frames of a selection, encoded once and shared by all who take them.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Segments of one size that are put together into one, so that a reader who catches up is sent a slice of many.
const TOGETHER: usize = 16;

/// No segment is made larger than this by putting others together: a reader who stands still holds the one that it has a piece of.
const LARGEST_SEGMENT: usize = 256 << 10;

/// A reader gets no more than about this at once.
const TAKEN_AT_ONCE: usize = 256 << 10;

/// The frames of a run of commits, which are taken together or not at all.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// It has what happened after this revision ...
    after: u64,
    /// ... up to this one.
    last: u64,
    /// Where it ends in its segment.
    end: usize,
}

/// Runs after one another, in one piece of memory.
#[derive(Debug)]
struct Segment {
    bytes: Bytes,
    /// At least one.
    runs: Vec<Run>,
    /// How often it was put together from others.
    level: u8,
}

impl Segment {
    fn last(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.last)
    }
}

/// What a reader at a position gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// These bytes, which bring it to this revision. No bytes: nothing that it takes has happened.
    Frames(Bytes, u64),
    /// It has to read the log, up to this revision.
    Behind(u64),
}

/// The frames of the commits after `start`, up to `end`; the commits that have none are left out.
#[derive(Debug)]
pub(super) struct Ring {
    start: u64,
    end: u64,
    segments: VecDeque<Segment>,
    size: usize,
    /// The last pieces that were put together for readers a little behind: there are many at the same place.
    joined: Option<(u64, u64, Bytes)>,
}

impl Ring {
    /// Empty, from a revision on.
    pub(super) fn new(start: u64) -> Self {
        Self { start, end: start, segments: VecDeque::new(), size: 0, joined: None }
    }

    /// Adds the frames of the commits up to `revision`; there may be none. Forgets the oldest beyond `capacity` bytes.
    pub(super) fn push(&mut self, revision: u64, bytes: Bytes, capacity: usize) {
        if !bytes.is_empty() {
            self.size += bytes.len();
            let run = Run { after: self.end, last: revision, end: bytes.len() };
            self.segments.push_back(Segment { bytes, runs: vec![run], level: 0 });
            self.put_together();
        }
        self.end = revision;
        while self.size > capacity && self.segments.len() > 1 {
            let Some(oldest) = self.segments.pop_front() else { break };
            self.size -= oldest.bytes.len();
            self.start = oldest.last();
        }
    }

    /// Makes one of the newest segments, if enough of them are of one level.
    fn put_together(&mut self) {
        loop {
            let Some(level) = self.segments.back().map(|s| s.level) else { return };
            let tail = self.segments.iter().rev().take_while(|s| s.level == level).take(TOGETHER);
            let (count, size) = tail.fold((0, 0), |(count, size), s| (count + 1, size + s.bytes.len()));
            if count < TOGETHER || size > LARGEST_SEGMENT {
                return;
            }
            let parts: Vec<Segment> = self.segments.drain(self.segments.len() - count..).collect();
            let (mut bytes, mut runs) = (BytesMut::with_capacity(size), Vec::new());
            for part in &parts {
                runs.extend(part.runs.iter().map(|run| Run { end: bytes.len() + run.end, ..*run }));
                bytes.extend_from_slice(&part.bytes);
            }
            self.segments.push_back(Segment { bytes: bytes.freeze(), runs, level: level + 1 });
        }
    }

    /// What a reader gets that has everything up to `position`.
    pub(super) fn take(&mut self, position: u64) -> Take {
        if position >= self.end {
            return Take::Frames(Bytes::new(), position);
        }
        if position < self.start {
            return Take::Behind(self.start);
        }
        let at = self.segments.partition_point(|s| s.last() <= position);
        let Some(segment) = self.segments.get(at) else { return Take::Frames(Bytes::new(), self.end) };
        let next = segment.runs.partition_point(|run| run.last <= position);
        let run = segment.runs[next];
        if run.after < position {
            // In the middle of it: it joins where the run ends.
            return Take::Behind(run.last);
        }
        let first = segment.bytes.slice(next.checked_sub(1).map_or(0, |before| segment.runs[before].end)..);
        if at + 1 == self.segments.len() || first.len() >= TAKEN_AT_ONCE {
            let last = segment.last();
            return Take::Frames(first, if at + 1 == self.segments.len() { self.end } else { last });
        }
        self.join(position, at, first)
    }

    /// The rest of a segment with those after it.
    fn join(&mut self, position: u64, at: usize, first: Bytes) -> Take {
        if let Some((from, to, bytes)) = &self.joined
            && *from == position
            && *to == self.end
        {
            return Take::Frames(bytes.clone(), *to);
        }
        let mut bytes = BytesMut::from(&*first);
        let mut last = self.segments[at].last();
        let mut all = true;
        for segment in self.segments.range(at + 1..) {
            if bytes.len() >= TAKEN_AT_ONCE {
                all = false;
                break;
            }
            bytes.extend_from_slice(&segment.bytes);
            last = segment.last();
        }
        let (bytes, to) = (bytes.freeze(), if all { self.end } else { last });
        self.joined = Some((position, to, bytes.clone()));
        Take::Frames(bytes, to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Frames whose bytes are the revisions that they cover, and have something.
    fn frames(after: u64, last: u64, has: impl Fn(u64) -> bool) -> Bytes {
        (after + 1..=last).filter(|r| has(*r)).flat_map(u64::to_be_bytes).collect()
    }

    fn revisions(bytes: &Bytes) -> Vec<u64> {
        bytes.chunks(8).map(|chunk| u64::from_be_bytes(chunk.try_into().unwrap())).collect()
    }

    /// Reads on from a position; the log stands in where the ring is behind.
    fn read(ring: &mut Ring, mut position: u64, has: impl Fn(u64) -> bool) -> Vec<u64> {
        let mut all = Vec::new();
        while position < ring.end {
            match ring.take(position) {
                Take::Frames(bytes, to) => {
                    assert!(to > position);
                    all.extend(revisions(&bytes));
                    position = to;
                }
                Take::Behind(until) => {
                    assert!(until > position && until <= ring.end);
                    all.extend((position + 1..=until).filter(|r| has(*r)));
                    position = until;
                }
            }
        }
        all
    }

    proptest! {
        #[test]
        fn whoever_reads_gets_every_revision_once_and_in_order(
            runs in prop::collection::vec((1_u64..6, any::<u8>()), 1..600),
            capacity in 100_usize..20_000,
            start in 0_u64..5,
            from in 0_u64..2_000,
        ) {
            // Some runs have nothing that is taken, and some revisions of others.
            let mut quiet = std::collections::BTreeSet::new();
            let (mut ring, mut end) = (Ring::new(start), start);
            let mut spans = Vec::new();
            for (length, odds) in runs {
                let last = end + length;
                quiet.extend((end + 1..=last).filter(|r| odds % 3 == 0 || (odds % 3 == 1 && r % 2 == 0)));
                spans.push((end, last));
                end = last;
            }
            let has = |revision: u64| !quiet.contains(&revision);
            for (after, last) in spans {
                ring.push(last, frames(after, last, has), capacity);
                prop_assert!(ring.size <= capacity.max(6 * 8) || ring.segments.len() == 1);
            }
            let from = from.min(end);
            let expected: Vec<u64> = (from + 1..=end).filter(|r| has(*r)).collect();
            prop_assert_eq!(read(&mut ring, from, has), expected);
        }
    }

    #[test]
    fn a_reader_far_behind_gets_many_frames_in_one_piece() {
        let mut ring = Ring::new(0);
        for revision in 1..=5_000 {
            ring.push(revision, frames(revision - 1, revision, |_| true), usize::MAX);
        }
        let Take::Frames(bytes, to) = ring.take(0) else { panic!("it is all there") };
        assert!(to > 4_000 && bytes.len() as u64 == to * 8, "{to}");
        assert!(ring.segments.len() < 4 * TOGETHER, "{} segments", ring.segments.len());
    }
}
