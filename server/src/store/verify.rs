//! Whether a store has what its log says, all of it, and nothing else.

use std::collections::{BTreeSet, HashSet};

use indicator_proto::Time;

use super::{
    Error, Gaps, Problems, RequestRecord, SeriesState, Store, Version,
    archive::{Checker, Contents, Span, records},
    block,
    disk::{GAPS, HORIZON},
    keys::{self, BlockKey, BlockKind, Space},
    log,
};

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything; nobody writes.
    Whole,
    /// The commits up to this one, while others may be written; not what is kept of requests, which come and go.
    UpTo(u64),
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// What the log has.
    pub contents: Contents,
    /// Base blocks that were compared.
    pub bases: u64,
    /// What is wrong.
    pub problems: Problems,
}

/// Reads on after damage, which is noted.
macro_rules! or_note {
    ($problems:expr, $result:expr, $otherwise:expr) => {
        match $result {
            Ok(value) => value,
            Err(Error::Corrupt(why)) => {
                $problems.note(|| why);
                $otherwise
            }
            Err(error) => return Err(error),
        }
    };
}

impl Store {
    /// Recomputes every hash, and compares the blocks, the dictionary, the catalog and the rest with the log. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]. Damage is noted in the answer.
    pub fn verify(&self, scope: Scope) -> Result<Found, Error> {
        let last = match scope {
            Scope::Whole => u64::MAX,
            Scope::UpTo(last) => last,
        };
        let mut checker = Checker::after(0, [0; 32], 0);
        let read = records(self, Span { after: 0, series: 0, last }, |record| {
            checker.take(&record);
            Ok(())
        });
        checker.close();
        or_note!(checker.problems, read, ());
        let Checker { mut problems, contents, gaps, .. } = checker;
        let bases = self.verify_blocks(last, &contents, scope, &mut problems)?;
        self.verify_catalog(last, &contents, &mut problems)?;
        self.verify_series(&contents, scope, &mut problems)?;
        if scope == Scope::Whole {
            self.verify_requests(&mut problems)?;
            self.verify_rest(&gaps, &mut problems)?;
        }
        Ok(Found { contents, bases, problems })
    }

    /// Every base block is what the blocks before it make, and no block is of a commit that did not touch its series.
    fn verify_blocks(&self, last: u64, contents: &Contents, scope: Scope, problems: &mut Problems) -> Result<u64, Error> {
        let (mut state, mut of, mut deltas, mut bases) = (SeriesState::default(), None, 0, 0);
        let mut units = BTreeSet::new();
        self.fold_noting(problems, |key, versions, problems| {
            let BlockKey { series, revision, .. } = key;
            if revision > last {
                return Ok(());
            }
            if of.replace(series) != Some(series) {
                state = SeriesState::default();
            }
            if key.kind == BlockKind::Base {
                bases += 1;
                if state.revision != revision || state.cells() != versions {
                    problems.note(|| {
                        format!("the base block of series {series} at commit {revision} is not what the blocks before it make")
                    });
                }
                return Ok(());
            }
            deltas += 1;
            let details = versions.iter().filter_map(|version| version.figure.details.as_deref());
            units.extend(details.flat_map(|details| details.equivalents.iter().map(|equivalent| equivalent.unit.clone())));
            state.record(revision, &versions);
            Ok(())
        })?;
        // Those that the log names were found, so a difference is what it does not name.
        if deltas != contents.blocks {
            self.unnamed_blocks(last, problems)?;
        }
        self.verify_units(&units, scope, problems)?;
        Ok(bases)
    }

    fn unnamed_blocks(&self, last: u64, problems: &mut Problems) -> Result<(), Error> {
        for key in self.db.scan_prefix([Space::Block as u8]).keys() {
            let Some(BlockKey { series, revision, kind: BlockKind::Delta, part: 0 }) = BlockKey::decode(&key?) else { continue };
            let touched = or_note!(problems, self.touched(revision), continue);
            if revision <= last && touched.series.binary_search(&series).is_err() {
                problems.note(|| format!("series {series} has a block of commit {revision}, which did not touch it"));
            }
        }
        Ok(())
    }

    fn verify_units(&self, units: &BTreeSet<String>, scope: Scope, problems: &mut Problems) -> Result<(), Error> {
        let mut found = BTreeSet::new();
        for unit in self.equivalent_units() {
            found.insert(or_note!(problems, unit, continue));
        }
        for unit in units.difference(&found) {
            problems.note(|| format!("figures have equivalents in {unit}, which is not among the units of equivalents"));
        }
        // Later commits may have brought more.
        for unit in found.difference(units).filter(|_| scope == Scope::Whole) {
            problems.note(|| format!("{unit} is among the units of equivalents, and no figure has one"));
        }
        Ok(())
    }

    fn verify_catalog(&self, last: u64, contents: &Contents, problems: &mut Problems) -> Result<(), Error> {
        let mut count = 0;
        for item in self.db.scan_prefix([Space::Catalog as u8]) {
            let (key, _) = item?;
            match keys::decode_catalog(&key) {
                Some((.., revision)) => count += u64::from(revision <= last),
                None => problems.note(|| format!("the catalog key {key:02x?} is malformed")),
            }
        }
        if count == contents.entries {
            return Ok(());
        }
        for key in self.db.scan_prefix([Space::Catalog as u8]).keys() {
            let key = key?;
            let Some((kind, id, revision)) = keys::decode_catalog(&key) else { continue };
            let touched = or_note!(problems, self.touched(revision), continue);
            if revision <= last && touched.entries.binary_search(&(kind, id.to_owned())).is_err() {
                problems.note(|| format!("catalog entry {id} has a version of commit {revision}, which did not touch it"));
            }
        }
        Ok(())
    }

    fn verify_series(&self, contents: &Contents, scope: Scope, problems: &mut Problems) -> Result<(), Error> {
        let mut count = 0_u64;
        for item in self.series() {
            let (id, _) = or_note!(problems, item, continue);
            if u64::from(id) != count {
                problems.note(|| format!("series {count} is missing from the dictionary"));
                count = u64::from(id);
            }
            if scope == Scope::Whole && u64::from(id) >= contents.series {
                problems.note(|| format!("series {id} is in the dictionary, and no commit has figures of it"));
            }
            count += 1;
        }
        Ok(())
    }

    fn verify_requests(&self, problems: &mut Problems) -> Result<(), Error> {
        let mut timed = HashSet::new();
        for key in self.db.scan_prefix([Space::RequestTime as u8]).keys() {
            let key = key?;
            match keys::decode_request_time(&key).and_then(|(micros, id)| Some((Time::from_micros(micros)?, id))) {
                Some((time, id)) if !timed.insert(id.to_owned()) => {
                    problems.note(|| format!("request {id:?} is listed at more than one time, one being {time}"));
                }
                Some(_) => {}
                None => problems.note(|| format!("the request key {key:02x?} is malformed")),
            }
        }
        for item in self.db.scan_prefix([Space::Request as u8]) {
            let (key, value) = item?;
            let Some(id) = key.get(1..).and_then(|id| std::str::from_utf8(id).ok()) else {
                problems.note(|| format!("the request key {key:02x?} is malformed"));
                continue;
            };
            let request: RequestRecord = or_note!(problems, log::decode(&value, "a request"), continue);
            if !timed.remove(id) || self.db.get(keys::request_time(request.micros, id))?.is_none() {
                problems.note(|| format!("request {id:?} is not listed at its time, and would be kept for ever"));
            }
            let header = or_note!(problems, self.header(request.revision), continue);
            if request.committed && header.is_none_or(|header| header.request_id != id) {
                problems.note(|| format!("request {id:?} is said to have made commit {}, which has another", request.revision));
            }
        }
        for id in timed {
            problems.note(|| format!("request {id:?} is listed at a time, and nothing is kept of it"));
        }
        Ok(())
    }

    fn verify_rest(&self, gaps: &Gaps, problems: &mut Problems) -> Result<(), Error> {
        if self.gaps() != gaps {
            problems.note(|| "the list of numbers that restores left out is not what the log shows".into());
        }
        let head = or_note!(problems, self.newest(), None).map_or(0, |(revision, _)| revision);
        let horizon = or_note!(problems, self.horizon(), 0);
        if horizon > head {
            problems.note(|| format!("the horizon of replays, {horizon}, is beyond the newest commit, {head}"));
        }
        let known: Vec<Vec<u8>> = ["epoch", "token-key", HORIZON, GAPS].map(keys::meta).into();
        for key in self.db.scan_prefix([Space::Meta as u8]).keys() {
            let key = key?;
            if !known.iter().any(|known| key == *known) {
                problems.note(|| format!("the key {key:02x?} is unknown"));
            }
        }
        let outside = [self.db.range(..[Space::Meta as u8]), self.db.range([Space::EquivalentUnit as u8 + 1]..)];
        for key in outside.into_iter().flat_map(sled::Iter::keys) {
            let key = key?;
            problems.note(|| format!("the key {key:02x?} is unknown"));
        }
        for key in self.db.scan_prefix([Space::Log as u8]).keys() {
            let key = key?;
            if keys::decode_log(&key).is_none() {
                problems.note(|| format!("the log key {key:02x?} is malformed"));
            }
        }
        Ok(())
    }

    /// Visits the blocks of each series, the oldest first, a base block after the delta of its commit. The key is that of the first part.
    pub(super) fn fold(&self, mut visit: impl FnMut(BlockKey, Vec<Version>) -> Result<(), Error>) -> Result<(), Error> {
        let mut problems = Problems::default();
        self.fold_noting(&mut problems, |key, versions, _| visit(key, versions))?;
        problems.check().map_err(Error::Corrupt)
    }

    fn fold_noting(
        &self,
        problems: &mut Problems,
        mut visit: impl FnMut(BlockKey, Vec<Version>, &mut Problems) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // sled cannot go backwards through these keys: it looks for the leaf before one with a guess that their 0xff bytes mislead, and
        // panics. So the keys of a series are listed, and its blocks looked up.
        let mut series: Vec<BlockKey> = Vec::new();
        for key in self.db.scan_prefix([Space::Block as u8]).keys() {
            let key = key?;
            let Some(key) = BlockKey::decode(&key) else {
                problems.note(|| format!("the block key {key:02x?} is malformed"));
                continue;
            };
            if series.last().is_some_and(|last| last.series != key.series) {
                self.fold_series(&series, problems, &mut visit)?;
                series.clear();
            }
            series.push(key);
        }
        self.fold_series(&series, problems, &mut visit)
    }

    /// Visits the blocks of one series, whose keys are these.
    fn fold_series(
        &self,
        keys: &[BlockKey],
        problems: &mut Problems,
        visit: &mut impl FnMut(BlockKey, Vec<Version>, &mut Problems) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let kind = |kind| if kind == BlockKind::Base { "base block" } else { "block" };
        for block in keys.chunk_by(|a, b| (a.revision, a.kind) == (b.revision, b.kind)).rev() {
            let (first, mut versions, mut whole) = (block[0], Vec::new(), true);
            let BlockKey { series, revision, .. } = first;
            for (number, key) in block.iter().enumerate() {
                if usize::from(key.part) != number {
                    problems.note(|| format!("the {} of series {series} at commit {revision} lacks a part", kind(key.kind)));
                    whole = false;
                    break;
                }
                let Some(value) = self.db.get(key.encode())? else { continue };
                if let Err(error) = block::decode(&value, &mut versions) {
                    problems.note(|| format!("the {} of series {series} at commit {revision}: {error}", kind(key.kind)));
                    whole = false;
                }
            }
            if whole {
                visit(first, versions, problems)?;
            }
        }
        Ok(())
    }
}
