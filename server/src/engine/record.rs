//! The state machine: commands in, commits out. It has no clock and no randomness, and nothing in it depends on the order of
//! a hash map; the same commands at the same revisions and times make the same record anywhere.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Instant,
};

use indicator_proto::{SeriesKey, Time};

use super::{
    CatalogCommand, CellChange, Command, Commit, Counts, Error, Receipt, RequestId, SeriesChanged, SeriesChanges, WriteCommand,
    catalog, check,
    plan::{Past, Stamp, plan},
    read,
    shared::{Head, Shared},
};
use crate::store::{Batch, Equivalent, Header, RequestRecord, SeriesState, Touched};

/// A commit forgets up to this many old request ids: more than it can add, so that they do not pile up.
const FORGET_AT_ONCE: usize = 4;

/// The record and what is staged on top of it: commits that were applied but are not on disk yet.
pub(super) struct Record {
    shared: Arc<Shared>,
    head: Head,
    /// Requests that were made before may be forgotten.
    forget_before: Time,
    batch: Batch,
    states: HashMap<u32, SeriesState>,
    requests: HashMap<String, (RequestRecord, Option<Arc<Commit>>)>,
    commits: Vec<Arc<Commit>>,
}

impl Record {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let head = shared.head();
        let (batch, states, requests, commits) = (Batch::default(), HashMap::new(), HashMap::new(), Vec::new());
        Self { shared, head, forget_before: Time::MIN, batch, states, requests, commits }
    }

    /// The newest commit, staged ones included.
    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// About how many bytes are staged.
    pub(super) fn staged_bytes(&self) -> usize {
        self.batch.bytes()
    }

    /// From now on requests that were made before a time may be forgotten.
    pub(super) fn forget_requests_before(&mut self, time: Time) {
        self.forget_before = time;
    }

    /// Applies a command at a revision and a time, both later than those before. What it changed is staged.
    pub(super) fn apply(&mut self, revision: u64, time: Time, command: &Command) -> Result<Receipt, Error> {
        if let Some(request) = command.request()
            && let Some(receipt) = self.repeated(request)?
        {
            return Ok(receipt);
        }
        let receipt = match command {
            Command::Write(write) => self.write(revision, time, write)?,
            Command::Catalog(catalog) => self.catalog(revision, time, catalog)?,
        };
        let validate_only = match command {
            Command::Write(write) => write.validate_only,
            Command::Catalog(catalog) => catalog.validate_only,
        };
        if let Some(request) = command.request().filter(|_| !validate_only) {
            self.remember(request, time, &receipt)?;
        }
        Ok(receipt)
    }

    /// The answer to the same request before.
    fn repeated(&mut self, request: &RequestId) -> Result<Option<Receipt>, Error> {
        let staged = self.requests.get(&request.id);
        let (record, commit) = match staged {
            Some((record, commit)) => (record.clone(), commit.clone()),
            None => match self.shared.store.request(&request.id)? {
                Some(record) => (record, None),
                None => return Ok(None),
            },
        };
        if record.fingerprint != request.fingerprint {
            return Err(Error::RequestIdReused(request.id.clone()));
        }
        let commit = match commit {
            None if record.committed => Some(read::commit(&self.shared, record.revision, true)?),
            commit => commit,
        };
        Ok(Some(Receipt { revision: record.revision, commit, unchanged: record.unchanged, repeated: true }))
    }

    fn remember(&mut self, request: &RequestId, time: Time, receipt: &Receipt) -> Result<(), Error> {
        let record = RequestRecord {
            fingerprint: request.fingerprint,
            micros: time.micros(),
            revision: receipt.revision,
            committed: receipt.commit.is_some(),
            unchanged: receipt.unchanged,
        };
        self.batch.request(&request.id, &record);
        self.requests.insert(request.id.clone(), (record, receipt.commit.clone()));
        for (time, id) in self.shared.store.requests_before(self.forget_before, FORGET_AT_ONCE)? {
            self.batch.forget_request(time, &id);
        }
        Ok(())
    }

    fn write(&mut self, revision: u64, time: Time, command: &WriteCommand) -> Result<Receipt, Error> {
        self.check(command)?;
        let stamp = Stamp { revision, time, published_at: command.published_at.unwrap_or(time) };
        let mut changed: Vec<(&SeriesKey, Option<u32>, Vec<CellChange>)> = Vec::new();
        let mut unchanged = 0;
        for write in &command.series {
            let id = self.shared.index().id(&write.key);
            let (changes, same) = self.plan(id, write, stamp)?;
            unchanged += same;
            if !changes.is_empty() {
                changed.push((&write.key, id, changes));
            }
        }
        if changed.is_empty() {
            return Ok(Receipt { revision: self.head.revision, commit: None, unchanged, repeated: false });
        }
        if command.validate_only {
            let commit = Arc::new(self.would_be(revision, time, command, changed));
            return Ok(Receipt { revision: self.head.revision, commit: Some(commit), unchanged, repeated: false });
        }
        let series = changed.into_iter().map(|(key, id, changes)| self.stage_series(key, id, changes)).collect();
        let commit = self.commit(revision, time, command.request.as_ref(), &command.context, series, Vec::new());
        Ok(Receipt { revision, commit: Some(commit), unchanged, repeated: false })
    }

    /// What only the state at this revision can say: references, and expected revisions.
    fn check(&mut self, command: &WriteCommand) -> Result<(), Error> {
        let catalog = self.shared.catalog.load_full();
        let violations = check::references(catalog.at(self.head.revision), &self.shared.index(), command);
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        let mut stale = Vec::new();
        for (key, expected) in &command.expected {
            let id = self.shared.index().id(key);
            let actual = id.map_or(Ok(0), |id| self.with_state(id, |state| state.revision))?;
            if actual != *expected {
                stale.push(SeriesChanged { series: key.to_string(), expected: *expected, actual });
            }
        }
        if stale.is_empty() { Ok(()) } else { Err(Error::SeriesChanged(stale)) }
    }

    fn plan(&mut self, id: Option<u32>, write: &super::SeriesWrite, stamp: Stamp) -> Result<(Vec<CellChange>, u32), Error> {
        let Some(id) = id else {
            let state = SeriesState::default();
            return Ok(plan(write, stamp, &mut Past { state: &state, published: &mut |_| Ok(Vec::new()) })?);
        };
        self.with_state(id, |_| ())?;
        if needs_history(write, stamp, &self.states[&id]) {
            // History is read from the store, so what is staged must be there. It stays invisible: the head has not moved.
            self.spill()?;
        }
        let (store, state) = (&self.shared.store, &self.states[&id]);
        let mut published = |until| store.published_state(id, u64::MAX, until);
        Ok(plan(write, stamp, &mut Past { state, published: &mut published })?)
    }

    /// The newest state of a series, staged commits included.
    fn with_state<T>(&mut self, id: u32, read: impl FnOnce(&SeriesState) -> T) -> Result<T, Error> {
        if !self.states.contains_key(&id) {
            let state = self.shared.take_state(id, self.head.revision)?;
            self.states.insert(id, state);
        }
        Ok(read(&self.states[&id]))
    }

    /// The commit that a validated write would make. A series that is not there yet gets no id.
    fn would_be(
        &self,
        revision: u64,
        time: Time,
        command: &WriteCommand,
        changed: Vec<(&SeriesKey, Option<u32>, Vec<CellChange>)>,
    ) -> Commit {
        let series = changed.into_iter().map(|(key, id, changes)| SeriesChanges {
            id: id.unwrap_or(u32::MAX),
            key: Arc::new(key.clone()),
            changes,
        });
        let mut series: Vec<SeriesChanges> = series.collect();
        // As a commit has them; new series would be created in the order of the request.
        series.sort_by_key(|s| s.id);
        let counts = count(&series);
        Commit {
            revision,
            time,
            context: command.context.clone(),
            request_id: String::new(),
            hash: [0; 32],
            series,
            entries: Vec::new(),
            counts,
        }
    }

    fn stage_series(&mut self, key: &SeriesKey, id: Option<u32>, changes: Vec<CellChange>) -> SeriesChanges {
        let id = id.unwrap_or_else(|| {
            let id = self.shared.change_index(|index| index.insert(key.clone()));
            self.batch.series(id, key);
            id
        });
        let key = Arc::clone(self.shared.index().key(id));
        SeriesChanges { id, key, changes }
    }

    fn catalog(&mut self, revision: u64, time: Time, command: &CatalogCommand) -> Result<Receipt, Error> {
        let catalog = self.shared.catalog.load_full();
        let mut plan = catalog::plan(catalog.at(self.head.revision), &command.actions, &*self.shared.index())?;
        // As they are read back from the store.
        plan.changes.sort_by(|a, b| (a.entry().kind(), a.entry().id()).cmp(&(b.entry().kind(), b.entry().id())));
        let unchanged = plan.unchanged;
        if plan.changes.is_empty() {
            return Ok(Receipt { revision: self.head.revision, commit: None, unchanged, repeated: false });
        }
        if command.validate_only {
            let context = command.context.clone();
            let (request_id, series, counts, hash) = (String::new(), Vec::new(), Counts::default(), [0; 32]);
            let entries = plan.changes;
            let commit = Arc::new(Commit { revision, time, context, request_id, hash, series, entries, counts });
            return Ok(Receipt { revision: self.head.revision, commit: Some(commit), unchanged, repeated: false });
        }
        let mut next = (*catalog).clone();
        plan.record(revision, &mut next);
        self.shared.catalog.store(Arc::new(next));
        let commit = self.commit(revision, time, command.request.as_ref(), &command.context, Vec::new(), plan.changes);
        Ok(Receipt { revision, commit: Some(commit), unchanged, repeated: false })
    }

    /// Stages a commit: its blocks, its entries, its header.
    fn commit(
        &mut self,
        revision: u64,
        time: Time,
        request: Option<&RequestId>,
        context: &super::Context,
        mut series: Vec<SeriesChanges>,
        entries: Vec<catalog::Change>,
    ) -> Arc<Commit> {
        series.sort_by_key(|s| s.id);
        let mut hasher = blake3::Hasher::new();
        for changes in &series {
            self.stage_cells(revision, changes, &mut hasher);
        }
        let touched_entries = self.stage_entries(revision, &entries, &mut hasher);
        let counts = count(&series);
        let mut header = Header {
            micros: time.micros(),
            actor: context.actor.clone(),
            reason: context.reason.clone(),
            document_uri: context.document_uri.clone(),
            request_id: request.map_or_else(String::new, |r| r.id.clone()),
            inserted: counts.inserted,
            revised: counts.revised,
            deleted: counts.deleted,
            backfilled: counts.backfilled,
            series: series.len() as u32,
            entries: entries.len() as u32,
            previous_hash: self.head.hash,
            hash: [0; 32],
            client: context.client.clone(),
        };
        header.hash = header.chain(revision, *hasher.finalize().as_bytes());
        let touched = Touched { series: series.iter().map(|s| s.id).collect(), entries: touched_entries };
        self.batch.header(revision, &header, &touched);
        self.head = Head { revision, time: Some(time), hash: header.hash };
        let (context, request_id) = (context.clone(), header.request_id);
        let commit = Arc::new(Commit { revision, time, context, request_id, hash: header.hash, series, entries, counts });
        self.commits.push(Arc::clone(&commit));
        commit
    }

    fn stage_cells(&mut self, revision: u64, changes: &SeriesChanges, hasher: &mut blake3::Hasher) {
        self.batch.delta(changes.id, revision, &changes.changes, hasher);
        for details in changes.changes.iter().filter_map(|c| c.version.figure.details.as_deref()) {
            self.note_units(&details.equivalents);
        }
        let state = self.states.entry(changes.id).or_default();
        state.record(revision, &changes.changes);
        self.batch.base_if_due(changes.id, state);
    }

    /// A unit that a figure was published in stays in the catalog.
    fn note_units(&mut self, equivalents: &[Equivalent]) {
        for Equivalent { unit, .. } in equivalents {
            let known = self.shared.index().has_equivalents_in(unit);
            if !known && self.shared.change_index(|index| index.note_equivalent_unit(unit)) {
                self.batch.equivalent_unit(unit);
            }
        }
    }

    fn stage_entries(&mut self, revision: u64, changes: &[catalog::Change], hasher: &mut blake3::Hasher) -> Vec<(u8, String)> {
        let mut touched = BTreeMap::new();
        for change in changes {
            let entry = change.entry();
            touched.insert((entry.kind() as u8, entry.id().to_owned()), change.after().map(catalog::encode));
        }
        for ((kind, id), bytes) in &touched {
            self.batch.entry(*kind, id, revision, bytes.as_deref(), hasher);
        }
        touched.into_keys().collect()
    }

    /// Hands the staged batch to sled, not yet to the disk.
    fn spill(&mut self) -> Result<(), Error> {
        Ok(self.shared.store.write(std::mem::take(&mut self.batch))?)
    }

    /// Brings what is staged to the disk, then lets readers see it.
    pub(super) fn publish(&mut self) -> Result<(), Error> {
        let written = if self.batch.bytes() == 0 && self.commits.is_empty() {
            Ok(())
        } else {
            let begun = Instant::now();
            let written = self.spill().and_then(|()| Ok(self.shared.store.sync(self.head.revision, self.head.hash)?));
            self.shared.meter.flushed(begun.elapsed());
            written
        };
        self.requests.clear();
        let commits = std::mem::take(&mut self.commits);
        if let Err(error) = written {
            self.discard();
            return Err(error);
        }
        for (id, state) in self.states.drain() {
            if state.revision != 0 {
                self.shared.give_state(id, state);
            }
        }
        self.shared.publish(commits);
        Ok(())
    }

    /// Forgets what is staged: nothing of it may be seen.
    fn discard(&mut self) {
        self.states.clear();
        self.batch = Batch::default();
        self.head = self.shared.head();
    }
}

/// Whether any cell of the write was published before the one that is current, so that the past must be asked.
fn needs_history(write: &super::SeriesWrite, stamp: Stamp, state: &SeriesState) -> bool {
    let cells = write.cells.iter().any(|cell| {
        let published_at = cell.published_at.unwrap_or(stamp.published_at);
        state.cell(cell.period).is_some_and(|c| c.published_at > published_at)
    });
    let withdrawn_at = write.withdrawn_at.unwrap_or(stamp.published_at);
    cells || (write.withdraw_rest && state.cells().iter().any(|c| c.published_at > withdrawn_at))
}

fn count(series: &[SeriesChanges]) -> Counts {
    let mut counts = Counts::default();
    for change in series.iter().flat_map(|s| &s.changes) {
        counts.add(change.version.kind);
    }
    counts
}
