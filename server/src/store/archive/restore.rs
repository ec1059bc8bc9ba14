//! From archives into a store.

use std::{
    collections::{BTreeSet, HashSet},
    io::Read,
};

use indicator_proto::Time;

use super::{Archive, Checked, Checker, Record, check::Whole};
use crate::store::{
    Batch, Error, Header, RequestRecord, Scope, SeriesState, Store, Touched,
    keys::{BlockKey, BlockKind},
};

/// Writes are handed to sled in pieces of about this size.
const PIECE: usize = 4 << 20;

/// Takes archives in, one after the other, each of which goes on where the one before ends. They are checked, and written into a store
/// if there is one.
pub struct Restoring {
    store: Option<Store>,
    batch: Batch,
    checker: Option<Checker>,
    epoch: String,
    horizon: u64,
    /// Of the last archive: what was kept of requests when it was made.
    requests: HashSet<String>,
}

impl Restoring {
    /// Into a store that was begun.
    #[must_use]
    pub fn into_store(store: Store) -> Self {
        Self { store: Some(store), ..Self::nowhere() }
    }

    /// Into nothing: the archives are checked alone.
    #[must_use]
    pub fn nowhere() -> Self {
        let (batch, epoch, requests) = (Batch::default(), String::new(), HashSet::new());
        Self { store: None, batch, checker: None, epoch, horizon: 0, requests }
    }

    /// The last commit so far, and its hash.
    #[must_use]
    pub fn head(&self) -> (u64, [u8; 32]) {
        self.checker.as_ref().map_or((0, [0; 32]), |checker| (checker.head().0, checker.head().1))
    }

    /// The history that the archives are of.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Takes an archive in.
    ///
    /// # Errors
    ///
    /// [`Error::Archive`] if it is not right, or does not follow; [`Error::Io`].
    pub fn add(&mut self, reader: impl Read) -> Result<Checked, Error> {
        let archive = Archive::open(reader)?;
        let mut checker = self.follow(&archive)?;
        self.epoch.clone_from(&archive.header().epoch);
        // Those of the archives before were kept longer, or are in this one again.
        self.forget_requests()?;
        let Self { store, batch, requests, .. } = self;
        let mut revision = 0;
        let (checked, whole, end) = archive.read(&mut checker, |record, whole| {
            let Some(store) = store else { return Ok(()) };
            stage(batch, whole);
            match record {
                Record::Commit(number, _) => revision = number,
                Record::Series(id, key) => batch.series(id, &key),
                Record::Block { series, part, bytes } => {
                    batch.encoded_part(BlockKey { series, revision, kind: BlockKind::Delta, part }, bytes);
                }
                Record::Entry(kind, id, bytes) => batch.encoded_entry(kind, &id, revision, bytes.as_deref()),
                Record::Request(id, request) => {
                    batch.request(&id, &request);
                    requests.insert(id);
                }
            }
            if batch.bytes() > PIECE {
                write(store, batch)?;
            }
            Ok(())
        })?;
        stage(&mut self.batch, whole);
        self.horizon = self.horizon.max(end.horizon_revision);
        self.checker = Some(checker);
        Ok(checked)
    }

    /// The checker for an archive, which must go on where the one before ended.
    fn follow<R>(&mut self, archive: &Archive<R>) -> Result<Checker, Error>
    where
        R: Read,
    {
        let header = archive.header();
        let hash: [u8; 32] = header.after_hash[..].try_into().map_err(|_| super::read::malformed())?;
        let after = header.after_revision;
        let does_not_follow = |why: String| Error::Archive(format!("the archive does not follow: {why}"));
        match self.checker.take() {
            None if after == 0 && hash == [0; 32] && header.after_series == 0 => Ok(Checker::after(0, hash, 0)),
            None if self.store.is_some() => Err(Error::Archive(format!(
                "the archive is an increment, with the commits after {after}; name the full backup first, then its increments in order"
            ))),
            None => Ok(Checker::after(after, hash, header.after_series)),
            Some(checker) => {
                let (head, head_hash, _, series) = checker.head();
                if header.epoch != self.epoch {
                    let (epoch, before) = (&header.epoch, &self.epoch);
                    return Err(does_not_follow(format!("it is of the history {epoch}, and the one before of {before}")));
                }
                if after != head {
                    let why = format!("it goes on after commit {after}, and the one before ends at commit {head}");
                    return Err(does_not_follow(why));
                }
                if hash != head_hash || header.after_series != series {
                    return Err(does_not_follow(format!("commit {after} is another in the one before")));
                }
                Ok(checker)
            }
        }
    }

    fn forget_requests(&mut self) -> Result<(), Error> {
        let Some(store) = &self.store else { return Ok(()) };
        write(store, &mut self.batch)?;
        for id in std::mem::take(&mut self.requests) {
            if let Some(RequestRecord { micros, .. }) = store.request(&id)?
                && let Some(time) = Time::from_micros(micros)
            {
                self.batch.forget_request(time, &id);
            }
        }
        Ok(())
    }

    /// Adds a commit that changes nothing, `gap` numbers after the last, so that no number of the history that was lost comes to mean
    /// something else. Answers its revision.
    ///
    /// # Errors
    ///
    /// [`Error::Archive`] if there is no such number.
    pub fn go_on_after(&mut self, gap: u64, now: Time, actor: &str, reason: String) -> Result<u64, Error> {
        let checker = self.checker.get_or_insert_with(|| Checker::after(0, [0; 32], 0));
        checker.go_on();
        let (head, previous_hash, micros, _) = checker.head();
        // A number is left for whoever asks for the next.
        let revision = head.checked_add(gap).filter(|revision| *revision < u64::MAX && gap > 0);
        let revision = revision.ok_or_else(|| Error::Archive(format!("there is no revision {gap} after {head}")))?;
        let mut header =
            Header { micros: now.micros().max(micros), actor: actor.to_owned(), reason, previous_hash, ..Header::default() };
        header.hash = header.chain(revision, *blake3::Hasher::new().finalize().as_bytes());
        checker.take(&Record::Commit(revision, header));
        stage(&mut self.batch, checker.close());
        checker.problems.check().map_err(Error::Archive)?;
        Ok(revision)
    }

    /// Writes what follows from the commits, and compares all of the store with them. It is on disk then, and is to be completed.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] if the store does not have what was written; [`Error::Io`].
    ///
    /// # Panics
    ///
    /// If it restores into nothing.
    pub fn finish(mut self) -> Result<Store, Error> {
        let mut store = self.store.take().expect("the caller restores into a store");
        write(&store, &mut self.batch)?;
        if let Some(checker) = &self.checker {
            let (revision, hash, ..) = checker.head();
            store.set_numbers(checker.gaps.clone(), self.horizon)?;
            derive(&store)?;
            store.sync(revision, hash)?;
        }
        let found = store.verify(Scope::Whole)?;
        found.problems.check().map_err(Error::Corrupt)?;
        Ok(store)
    }
}

fn stage(batch: &mut Batch, whole: Option<Whole>) {
    if let Some(Whole { revision, header, touched }) = whole {
        batch.header(revision, &header, &touched as &Touched);
    }
}

fn write(store: &Store, batch: &mut Batch) -> Result<(), Error> {
    store.check_writable()?;
    store.write(std::mem::take(batch))
}

/// Writes the base blocks and the units of equivalents, which the deltas imply.
fn derive(store: &Store) -> Result<(), Error> {
    let (mut batch, mut state, mut of) = (Batch::default(), SeriesState::default(), None);
    let mut units = BTreeSet::new();
    store.fold(|key, versions| {
        if key.kind == BlockKind::Base {
            return Ok(());
        }
        if of.replace(key.series) != Some(key.series) {
            state = SeriesState::default();
        }
        let details = versions.iter().filter_map(|version| version.figure.details.as_deref());
        for unit in details.flat_map(|details| &details.equivalents).map(|equivalent| &equivalent.unit) {
            if !units.contains(unit) {
                batch.equivalent_unit(unit);
                units.insert(unit.clone());
            }
        }
        state.record(key.revision, &versions);
        batch.base_if_due(key.series, &mut state);
        if batch.bytes() > PIECE {
            write(store, &mut batch)?;
        }
        Ok(())
    })?;
    write(store, &mut batch)
}
