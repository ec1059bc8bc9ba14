//! Commit after commit, from memory while they are recent and else from the log.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use super::{CellChange, Commit, Error, SeriesChanges, read::entry_changes, shared::Shared};
use crate::store::{Logged, SeriesState, Version};

/// Cells of the states that are carried along.
const CARRIED_CELLS: usize = 500_000;

/// Reads commits in their order. Where previous versions are wanted it carries the states of the series along, so that each is read
/// once and not again for every commit.
#[derive(Debug)]
pub struct Replay {
    position: u64,
    with_previous: bool,
    states: HashMap<u32, SeriesState>,
    cells: usize,
}

impl Replay {
    /// After a commit; 0 is the beginning.
    #[must_use]
    pub fn after(revision: u64, with_previous: bool) -> Self {
        Self { position: revision, with_previous, states: HashMap::new(), cells: 0 }
    }

    /// The last commit that was visited.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Visits the next commits, up to `to`, until told to stop. Blocks.
    pub(super) fn read(
        &mut self,
        shared: &Shared,
        to: u64,
        mut visit: impl FnMut(&Commit) -> Result<ControlFlow<()>, Error>,
    ) -> Result<(), Error> {
        let mut log = None;
        while self.position < to {
            let revision = self.position + 1;
            let flow = match shared.recent(revision) {
                Some(commit) => {
                    self.carry(&commit);
                    visit(&commit)
                }
                None => {
                    let log = log.get_or_insert_with(|| shared.store.history(self.position));
                    // Where memory has answered meanwhile, the log is behind.
                    let logged = log.find(|logged| logged.as_ref().map_or(true, |logged| logged.revision >= revision));
                    let missing = || crate::store::Error::Corrupt(format!("commit {revision} is missing from the log"));
                    let commit = self.commit(shared, logged.ok_or_else(missing)??)?;
                    visit(&commit)
                }
            };
            self.position = revision;
            if flow?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn commit(&mut self, shared: &Shared, logged: Logged) -> Result<Commit, Error> {
        let Logged { revision, header, touched } = logged;
        let mut series = Vec::with_capacity(touched.series.len());
        for id in touched.series {
            let key = Arc::clone(shared.index().key(id));
            let versions = shared.store.delta(id, revision)?;
            let changes = if self.with_previous {
                self.changes(shared, id, revision, versions)?
            } else {
                versions.into_iter().map(|version| CellChange { version, previous: None }).collect()
            };
            series.push(SeriesChanges { id, key, changes });
        }
        Ok(Commit::logged(revision, header, series, entry_changes(shared, revision, &touched.entries))?)
    }

    fn changes(&mut self, shared: &Shared, id: u32, revision: u64, versions: Vec<Version>) -> Result<Vec<CellChange>, Error> {
        if self.cells > CARRIED_CELLS {
            self.states.clear();
            self.cells = 0;
        }
        if let std::collections::hash_map::Entry::Vacant(vacant) = self.states.entry(id) {
            let state = shared.store.state(id, revision - 1)?;
            self.cells += state.cells().len();
            vacant.insert(state);
        }
        let state = self.states.get_mut(&id).expect("it was inserted if it was not there");
        let with_previous = |version: Version| {
            let previous = state.cell(version.period).filter(|v| !v.figure.is_withdrawn()).cloned().map(Box::new);
            CellChange { version, previous }
        };
        let changes: Vec<CellChange> = versions.into_iter().map(with_previous).collect();
        self.cells += changes.len();
        state.record(revision, &changes);
        Ok(changes)
    }

    /// Keeps the carried states true past a commit that was read from memory.
    fn carry(&mut self, commit: &Commit) {
        for series in &commit.series {
            if let Some(state) = self.states.get_mut(&series.id) {
                self.cells += series.changes.len();
                state.record(commit.revision, &series.changes);
            }
        }
    }
}
