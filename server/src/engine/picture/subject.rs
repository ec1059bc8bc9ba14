//! What several sources say of one indicator, region and breakdown, and whose word the picture shows.

use std::{collections::BTreeSet, sync::Arc};

use indicator_proto::{Period, SeriesKey};

use super::{PictureChange, Shift};
use crate::{
    engine::{
        CellChange, Commit, Error,
        catalog::View,
        preferred::{Candidate, SourceRank, by_period, choose, source_rank},
        shared::Shared,
    },
    store::{Kind, Version},
};

/// The series of one subject, in the order of their creation.
pub(super) struct Subject {
    ids: Vec<u32>,
    keys: Vec<Arc<SeriesKey>>,
    ranks: Vec<SourceRank>,
}

impl Subject {
    /// The subject that a series is of, its sources in the order of a catalog.
    pub(super) fn of(shared: &Shared, view: View<'_>, series: u32) -> Self {
        let index = shared.index();
        let ids = index.same_subject(index.key(series)).to_vec();
        let keys: Vec<Arc<SeriesKey>> = ids.iter().map(|id| Arc::clone(index.key(*id))).collect();
        let ranks = keys.iter().map(|key| source_rank(view, key)).collect();
        Self { ids, keys, ranks }
    }

    /// By which the picture knows it.
    pub(super) fn first(&self) -> u32 {
        self.ids[0]
    }

    pub(super) fn is_uncontested(&self) -> bool {
        self.ids.len() == 1
    }

    pub(super) fn ids(&self) -> &[u32] {
        &self.ids
    }

    pub(super) fn ranks(&self) -> &[SourceRank] {
        &self.ranks
    }

    /// The preferred figure of each cell at a revision, by period; a withdrawal where every source has withdrawn.
    pub(super) fn cells(&self, shared: &Shared, revision: u64) -> Result<Vec<(Arc<SeriesKey>, Version)>, Error> {
        let states = self.ids.iter().map(|id| shared.state_uncached(*id, revision)).collect::<Result<Vec<_>, _>>()?;
        let series: Vec<(SourceRank, &[Version])> =
            self.ranks.iter().zip(&states).map(|(rank, state)| (*rank, state.cells())).collect();
        let mut cells = Vec::new();
        by_period(&series, |_, candidates| {
            let preferred = choose(candidates).map(|verdict| verdict.preferred);
            // Where every source has withdrawn, the last one to do so took the figure away.
            let preferred = match preferred {
                Some(p) if p.version.figure.is_withdrawn() => candidates.iter().max_by_key(|c| c.version.revision).copied(),
                preferred => preferred,
            };
            cells.extend(preferred.map(|p| (Arc::clone(&self.keys[p.series]), p.version.clone())));
        });
        Ok(cells)
    }

    /// What a commit changed in the preferred figures of the periods that are taken.
    pub(super) fn changes(
        &self,
        shared: &Shared,
        commit: &Commit,
        takes: impl Fn(Period) -> bool,
        into: &mut Vec<PictureChange>,
    ) -> Result<(), Error> {
        let changed: Vec<&[CellChange]> = self.ids.iter().map(|id| of_series(commit, *id)).collect();
        let periods: BTreeSet<Period> =
            changed.iter().flat_map(|c| c.iter().map(|c| c.version.period)).filter(|p| takes(*p)).collect();
        let states = self.ids.iter().map(|id| shared.state(*id, commit.revision)).collect::<Result<Vec<_>, _>>()?;
        for period in periods {
            let change_of = |series: usize| changed[series].iter().find(|c| c.version.period == period);
            let after = self.preferred(|series| states[series].cell(period).filter(|v| !v.figure.is_withdrawn()));
            let before = self.preferred(|series| match change_of(series) {
                Some(change) => change.previous.as_deref(),
                None => states[series].cell(period).filter(|v| !v.figure.is_withdrawn()),
            });
            let (kind, (series, version)) = match (before, after) {
                (None, None) => continue,
                (Some((a, before)), Some((b, after))) if a == b && before.revision == after.revision => continue,
                (None, Some(after)) => (Kind::Inserted, after),
                (Some(_), Some(after)) => (Kind::Revised, after),
                // The last figure went because its own source withdrew it.
                (Some((series, before)), None) => (Kind::Deleted, (series, change_of(series).map_or(before, |c| &c.version))),
            };
            into.push(PictureChange {
                place: (self.first(), period),
                shift: Shift::Recorded(kind),
                key: Arc::clone(&self.keys[series]),
                version: version.clone(),
                previous: before.map(|(series, version)| (Arc::clone(&self.keys[series]), Box::new(version.clone()))),
            });
        }
        Ok(())
    }

    /// The preferred one of the figures that the series have.
    fn preferred<'a>(&self, figure: impl Fn(usize) -> Option<&'a Version>) -> Option<(usize, &'a Version)> {
        let candidate = |(series, rank): (usize, &SourceRank)| Some(Candidate { series, rank: *rank, version: figure(series)? });
        let candidates: Vec<Candidate<'a>> = self.ranks.iter().enumerate().filter_map(candidate).collect();
        choose(&candidates).map(|verdict| (verdict.preferred.series, verdict.preferred.version))
    }
}

/// What a commit changed in a series.
fn of_series(commit: &Commit, id: u32) -> &[CellChange] {
    commit.series.binary_search_by_key(&id, |s| s.id).map_or(&[], |at| &commit.series[at].changes)
}
