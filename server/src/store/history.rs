//! The log as a sequence: for those who read commit after commit.

use std::vec;

use sled::IVec;

use super::{Error, Store, Version, block, keys, keys::BlockKey, keys::BlockKind, log, log::Header, log::Touched};

/// A commit as the log has it.
#[derive(Debug)]
pub struct Logged {
    /// Its number.
    pub revision: u64,
    /// Who, when, why.
    pub header: Header,
    /// What it touched.
    pub touched: Touched,
}

/// The commits after one, oldest first. Each value of the log is read and decoded once, however many commits lie in it.
pub struct History {
    db: sled::Db,
    values: sled::Iter,
    records: vec::IntoIter<log::Record>,
    after: u64,
}

impl Iterator for History {
    type Item = Result<Logged, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.records.next() {
                if record.revision > self.after {
                    return Some(self.logged(record));
                }
                continue;
            }
            match self.next_value()? {
                Ok(records) => self.records = records.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl History {
    fn next_value(&mut self) -> Option<Result<Vec<log::Record>, Error>> {
        loop {
            let (key, value) = match self.values.next()? {
                Ok(item) => item,
                Err(error) => return Some(Err(error.into())),
            };
            match keys::decode_log(&key) {
                Some((_, 0)) => return Some(log::decode_records(&value)),
                // What a large commit touched lies behind its record, and is read with it.
                Some(_) => {}
                None => return Some(Err(Error::Corrupt("a log key is malformed".into()))),
            }
        }
    }

    fn logged(&self, record: log::Record) -> Result<Logged, Error> {
        let (revision, header, beside) = record.into_parts();
        let touched = touched(&self.db, revision, beside)?;
        Ok(Logged { revision, header, touched })
    }
}

/// What a commit touched; `beside` is what lies beside its header.
pub(super) fn touched(db: &sled::Db, revision: u64, beside: Option<Touched>) -> Result<Touched, Error> {
    if beside.is_some() {
        return Touched::read(beside, std::iter::empty());
    }
    let behind = db.range(keys::log(revision, 1)..=keys::log(revision, u16::MAX)).values();
    let behind = behind.collect::<Result<Vec<IVec>, _>>()?;
    Touched::read(None, behind.iter().map(AsRef::as_ref))
}

impl Store {
    /// The commits after one, oldest first.
    #[must_use]
    pub fn history(&self, after: u64) -> History {
        let from = after.saturating_add(1);
        let values = self.db.range(keys::log(from, 0)..=keys::log(u64::MAX, u16::MAX));
        History { db: self.db.clone(), values, records: Vec::new().into_iter(), after }
    }

    /// The versions that the commits from one to another made in a series, by commit, the newest first. They lie side by side.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Corrupt`].
    pub fn deltas(&self, series: u32, from: u64, to: u64) -> Result<Vec<(u64, Vec<Version>)>, Error> {
        let first = BlockKey::newest_at(series, to);
        let last = BlockKey { series, revision: from, kind: BlockKind::Delta, part: u16::MAX }.encode();
        let mut deltas: Vec<(u64, Vec<Version>)> = Vec::new();
        for item in self.db.range(first.as_slice()..=last.as_slice()) {
            let (key, value) = item?;
            let key = BlockKey::decode(&key).ok_or_else(|| Error::Corrupt("a block key is malformed".into()))?;
            if key.kind == BlockKind::Base {
                continue;
            }
            match deltas.last_mut() {
                Some((revision, versions)) if *revision == key.revision => block::decode(&value, versions)?,
                _ => {
                    let mut versions = Vec::new();
                    block::decode(&value, &mut versions)?;
                    deltas.push((key.revision, versions));
                }
            }
        }
        Ok(deltas)
    }

    /// The versions that one commit made in a series, by period.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Corrupt`].
    pub fn delta(&self, series: u32, revision: u64) -> Result<Vec<Version>, Error> {
        let key = |part| BlockKey { series, revision, kind: BlockKind::Delta, part }.encode();
        let mut versions = Vec::new();
        let Some(first) = self.db.get(key(0))? else { return Ok(versions) };
        block::decode(&first, &mut versions)?;
        // Most commits touch a few cells of a series: a look for more parts would cost as much again.
        if block::may_have_more_parts(&versions) {
            for value in self.db.range(key(1)..=key(u16::MAX)).values() {
                block::decode(&value?, &mut versions)?;
            }
        }
        Ok(versions)
    }
}
