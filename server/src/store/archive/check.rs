//! What a history must be, record by record.

use std::collections::HashSet;

use indicator_proto::{Period, SeriesKey, Time, v1, v1::EntryKind};
use prost::Message as _;

use super::Record;
use crate::store::{
    Gaps, Header, Kind, RequestRecord, Touched, block,
    keys::{BlockKey, BlockKind},
    problems::Problems,
    write,
};

/// No block is larger: it would take too much memory when it is decoded.
const MAX_BLOCK: usize = 256 << 10;

/// As the service allows.
const MAX_REQUEST_ID: usize = 100;

/// How much there was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contents {
    /// Commits.
    pub commits: u64,
    /// Versions of cells.
    pub versions: u64,
    /// What commits did to series: each is a block.
    pub blocks: u64,
    /// Versions of catalog entries.
    pub entries: u64,
    /// New series.
    pub series: u64,
    /// Requests.
    pub requests: u64,
}

impl Contents {
    /// Together with those of another archive.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self {
            commits: self.commits + other.commits,
            versions: self.versions + other.versions,
            blocks: self.blocks + other.blocks,
            entries: self.entries + other.entries,
            series: self.series + other.series,
            // Each archive has all that were kept then.
            requests: other.requests,
        }
    }
}

/// Goes through the records of a history, recomputes every hash, and notes what is wrong.
#[derive(Debug)]
pub(in crate::store) struct Checker {
    pub(in crate::store) problems: Problems,
    pub(in crate::store) contents: Contents,
    /// The numbers left out since the beginning.
    pub(in crate::store) gaps: Gaps,
    revision: u64,
    hash: [u8; 32],
    micros: i64,
    /// How many series there are.
    series: u32,
    /// Hashes of the keys of those that were new: they tell two alike, in less memory than the keys.
    keys: HashSet<[u8; 16]>,
    open: Option<Open>,
    requests_begun: bool,
}

/// A commit whose records are coming.
#[derive(Debug)]
struct Open {
    revision: u64,
    header: Header,
    hasher: blake3::Hasher,
    touched: Touched,
    /// Of these series, the commit must have blocks.
    new_from: u32,
    /// The last part of the last series.
    part: u16,
    last_period: Option<Period>,
    /// Inserted, revised, deleted, backfilled.
    kinds: [u32; 4],
}

/// A commit that is whole, and what it touched.
#[derive(Debug)]
pub(in crate::store) struct Whole {
    pub(super) revision: u64,
    pub(super) header: Header,
    pub(super) touched: Touched,
}

impl Checker {
    /// From a commit on, whose hash and number of series are known.
    pub(in crate::store) fn after(revision: u64, hash: [u8; 32], series: u32) -> Self {
        Self {
            problems: Problems::default(),
            contents: Contents::default(),
            gaps: Gaps::default(),
            revision,
            hash,
            micros: i64::MIN,
            series,
            keys: HashSet::new(),
            open: None,
            requests_begun: false,
        }
    }

    /// The last commit, its hash, its time, and how many series there were.
    pub(super) fn head(&self) -> (u64, [u8; 32], i64, u32) {
        (self.revision, self.hash, self.micros, self.series)
    }

    /// Another part of the same history begins.
    pub(super) fn go_on(&mut self) {
        self.requests_begun = false;
        self.contents = Contents::default();
    }

    /// Takes the next record in. Answers the commit that is whole by that.
    pub(in crate::store) fn take(&mut self, record: &Record) -> Option<Whole> {
        if self.requests_begun && !matches!(record, Record::Request(..)) {
            self.problems.note(|| "a record comes after the requests".into());
        }
        let whole = match record {
            Record::Commit(..) | Record::Request(..) => self.close(),
            Record::Series(..) | Record::Block { .. } | Record::Entry(..) => None,
        };
        match record {
            Record::Commit(revision, header) => self.commit(*revision, header),
            Record::Series(id, key) => self.new_series(*id, key),
            Record::Block { series, part, bytes } => self.block(*series, *part, bytes),
            Record::Entry(kind, id, bytes) => self.entry(*kind, id, bytes.as_deref()),
            Record::Request(id, request) => self.request(id, request),
        }
        whole
    }

    fn commit(&mut self, revision: u64, header: &Header) {
        let (before, problems) = (self.revision, &mut self.problems);
        if revision <= before {
            problems.note(|| format!("commit {revision} comes after commit {before}"));
        }
        let empty = header.series == 0 && header.entries == 0;
        if before.checked_add(1).is_some_and(|next| next < revision) && !empty {
            problems.note(|| format!("the commits between {before} and {revision} are missing"));
        }
        if let Err(error) = self.gaps.follow(before, revision) {
            problems.note(|| error.to_string());
        }
        if header.previous_hash != self.hash {
            problems
                .note(|| format!("commit {revision} does not follow commit {before}: one of them is altered, or one is missing"));
        }
        if header.micros < self.micros {
            problems.note(|| format!("commit {revision} was recorded before commit {before}"));
        }
        if Time::from_micros(header.micros).is_none() {
            problems.note(|| format!("the time of commit {revision} is out of range"));
        }
        // After what is wrong, what follows is compared with what is there.
        (self.revision, self.hash, self.micros) = (revision, header.hash, header.micros);
        self.contents.commits += 1;
        self.open = Some(Open {
            revision,
            header: header.clone(),
            hasher: blake3::Hasher::new(),
            touched: Touched::default(),
            new_from: self.series,
            part: 0,
            last_period: None,
            kinds: [0; 4],
        });
    }

    fn new_series(&mut self, id: u32, key: &SeriesKey) {
        let Some(open) = &self.open else { return self.problems.note(|| format!("series {id} belongs to no commit")) };
        let revision = open.revision;
        if id == self.series {
            self.series = self.series.saturating_add(1);
        } else {
            let expected = self.series;
            self.problems.note(|| format!("series {id} comes in commit {revision} where {expected} is the next"));
        }
        let hash = blake3::hash(&v1::SeriesKey::from(key).encode_to_vec());
        let short = *hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
        if !self.keys.insert(short) {
            self.problems.note(|| format!("series {id}, {key}, is in the dictionary twice"));
        }
        self.contents.series += 1;
    }

    fn block(&mut self, series: u32, part: u16, bytes: &[u8]) {
        let Some(open) = &mut self.open else {
            return self.problems.note(|| format!("a block of series {series} belongs to no commit"));
        };
        let (revision, problems) = (open.revision, &mut self.problems);
        let block = || format!("the block of series {series} in commit {revision}");
        open.hasher.update(&BlockKey { series, revision, kind: BlockKind::Delta, part }.encode());
        open.hasher.update(bytes);
        let goes_on = open.touched.series.last() == Some(&series);
        if goes_on {
            if open.part.checked_add(1) != Some(part) {
                problems.note(|| format!("{} lacks a part", block()));
            }
        } else {
            if part != 0 {
                problems.note(|| format!("{} lacks its first part", block()));
            }
            if open.touched.series.last().is_some_and(|last| *last > series) || !open.touched.entries.is_empty() {
                problems.note(|| format!("{} is out of order", block()));
            }
            if series >= self.series {
                problems.note(|| format!("{} is of a series that is not in the dictionary", block()));
            }
            open.touched.series.push(series);
            open.last_period = None;
            self.contents.blocks += 1;
        }
        open.part = part;
        if bytes.len() > MAX_BLOCK {
            return problems.note(|| format!("{} is too large", block()));
        }
        let mut versions = Vec::new();
        if let Err(error) = block::decode(bytes, &mut versions) {
            return problems.note(|| format!("{}: {error}", block()));
        }
        if versions.is_empty() {
            problems.note(|| format!("{} is empty", block()));
        }
        for version in &versions {
            if open.last_period.is_some_and(|last| last >= version.period) {
                problems.note(|| format!("{} is not in the order of periods at {}", block(), version.period));
            }
            open.last_period = Some(version.period);
            if version.revision != revision || version.recorded_at.micros() != open.header.micros {
                problems.note(|| format!("{} has a version of another commit for {}", block(), version.period));
            }
            let kind = match version.kind {
                Kind::Inserted => 0,
                Kind::Revised => 1,
                Kind::Deleted => 2,
                Kind::Backfilled => 3,
            };
            open.kinds[kind] += 1;
        }
        self.contents.versions += versions.len() as u64;
    }

    fn entry(&mut self, kind: u8, id: &str, bytes: Option<&[u8]>) {
        let Some(open) = &mut self.open else {
            return self.problems.note(|| format!("catalog entry {id:?} belongs to no commit"));
        };
        let (revision, problems) = (open.revision, &mut self.problems);
        let known = EntryKind::try_from(i32::from(kind)).is_ok_and(|kind| kind != EntryKind::Unspecified);
        if !known || id.is_empty() || id.contains('\0') {
            problems.note(|| format!("catalog entry {id:?} of kind {kind} in commit {revision} cannot be one"));
        }
        let (key, value) = write::entry(kind, id, revision, bytes);
        open.hasher.update(&key);
        open.hasher.update(&value);
        let entry = (kind, id.to_owned());
        if open.touched.entries.last().is_some_and(|last| *last >= entry) {
            problems.note(|| format!("catalog entry {id:?} in commit {revision} is out of order"));
        }
        open.touched.entries.push(entry);
        self.contents.entries += 1;
    }

    fn request(&mut self, id: &str, request: &RequestRecord) {
        self.requests_begun = true;
        self.contents.requests += 1;
        let (head, problems) = (self.revision, &mut self.problems);
        if id.is_empty() || id.len() > MAX_REQUEST_ID {
            problems.note(|| "a request id is empty or too long".into());
        }
        if request.revision > head || (request.committed && request.revision == 0) {
            problems.note(|| format!("request {id:?} was answered revision {}, which does not exist", request.revision));
        }
        if Time::from_micros(request.micros).is_none() {
            problems.note(|| format!("the time of request {id:?} is out of range"));
        }
    }

    /// The last commit is whole.
    pub(in crate::store) fn close(&mut self) -> Option<Whole> {
        let Open { revision, header, hasher, touched, new_from, kinds, .. } = self.open.take()?;
        let problems = &mut self.problems;
        let told = [header.inserted, header.revised, header.deleted, header.backfilled];
        if (header.series as usize, header.entries as usize) != (touched.series.len(), touched.entries.len()) || told != kinds {
            problems.note(|| {
                format!(
                    "commit {revision} says that it changed {} cells in {} series and {} catalog entries, and there are {}, {} and {}",
                    told.iter().map(|n| u64::from(*n)).sum::<u64>(),
                    header.series,
                    header.entries,
                    kinds.iter().map(|n| u64::from(*n)).sum::<u64>(),
                    touched.series.len(),
                    touched.entries.len()
                )
            });
        }
        if header.hash != header.chain(revision, *hasher.finalize().as_bytes()) {
            problems.note(|| format!("commit {revision} is not as it was made: its hash is another"));
        }
        for id in new_from..self.series {
            if touched.series.binary_search(&id).is_err() {
                problems.note(|| format!("series {id} comes with commit {revision}, which has no figure of it"));
            }
        }
        Some(Whole { revision, header, touched })
    }
}
