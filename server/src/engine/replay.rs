//! Commit after commit, from memory while they are recent and else from the log.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{CellChange, Commit, Error, SeriesChanges, read::entry_changes, shared::Shared};
use crate::store::{self, Header, Logged, SeriesState, Version};

/// The versions of a series by commit, the newest first.
type Deltas = Vec<(u64, Vec<Version>)>;

/// Cells of the states that are carried along.
const CARRIED_CELLS: usize = 100_000;

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

    /// Drops the states that are carried along: they take megabytes, and whoever reads on may never do so.
    pub fn rest(&mut self) {
        self.states = HashMap::new();
        self.cells = 0;
    }

    /// Visits the next commits, up to `to`, until they have changed about as many cells as `enough`, or are as many. Blocks.
    pub(super) fn read(
        &mut self,
        shared: &Shared,
        to: u64,
        enough: usize,
        mut visit: impl FnMut(&Commit) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut cells = 0;
        while self.position < to && cells < enough {
            let Some(commit) = shared.recent(shared.store.gaps().next(self.position)) else { break };
            cells += commit.counts.total() as usize + 1;
            self.carry(&commit);
            visit(&commit)?;
            self.position = commit.revision;
        }
        if cells > 0 || self.position >= to {
            return Ok(());
        }
        let logged = self.window(shared, to, enough)?;
        let mut deltas = deltas(shared, &logged)?;
        for Logged { revision, header, touched } in logged {
            let mut series = Vec::with_capacity(touched.series.len());
            for id in touched.series {
                let key = Arc::clone(shared.index().key(id));
                let delta = deltas.get_mut(&id).and_then(Vec::pop).filter(|(of, _)| *of == revision);
                let (_, versions) = delta.ok_or_else(|| missing(&format!("commit {revision} has no block of series {id}")))?;
                series.push(SeriesChanges { id, key, changes: self.changes(shared, id, revision, versions)? });
            }
            let entries = entry_changes(shared, revision, &touched.entries);
            visit(&Commit::logged(revision, header, series, entries)?)?;
            self.position = revision;
        }
        Ok(())
    }

    /// The next commits, as the log has them.
    fn window(&self, shared: &Shared, to: u64, enough: usize) -> Result<Vec<Logged>, Error> {
        let (mut window, mut cells, mut last) = (Vec::new(), 0, self.position);
        for logged in shared.store.history(self.position) {
            let logged = logged?;
            let expected = shared.store.gaps().next(last);
            if logged.revision != expected {
                return Err(missing(&format!("commit {expected} is not in the log")));
            }
            let Header { inserted, revised, deleted, backfilled, .. } = logged.header;
            cells += (inserted + revised + deleted + backfilled) as usize + 1;
            window.push(logged);
            last = expected;
            if cells >= enough || expected == to {
                return Ok(window);
            }
        }
        Err(missing(&format!("the log ends before commit {to}")))
    }

    fn changes(&mut self, shared: &Shared, id: u32, revision: u64, versions: Vec<Version>) -> Result<Vec<CellChange>, Error> {
        if !self.with_previous {
            return Ok(versions.into_iter().map(|version| CellChange { version, previous: None }).collect());
        }
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

fn missing(what: &str) -> Error {
    store::Error::Corrupt(what.to_owned()).into()
}

/// The versions that these commits made, by series. One look for each series, and not for each commit: a series' blocks lie side
/// by side, and a descent into the tree costs more than reading a block.
fn deltas(shared: &Shared, window: &[Logged]) -> Result<HashMap<u32, Deltas>, Error> {
    // In the order of the series: neighbours lie in the same leaves.
    let mut spans: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for logged in window {
        for &id in &logged.touched.series {
            spans.entry(id).or_insert((logged.revision, 0)).1 = logged.revision;
        }
    }
    let read = |(id, (first, last)): (u32, (u64, u64))| {
        let store = &shared.store;
        Ok((id, if first == last { vec![(first, store.delta(id, first)?)] } else { store.deltas(id, first, last)? }))
    };
    spans.into_iter().map(read).collect()
}
