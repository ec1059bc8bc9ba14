//! Analyses that are followed: how each commit changes their answer.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use indicator_proto::Time;

use super::{
    derived::leaves,
    milestones::{Milestone, MilestoneQuery},
    rank::{RankMove, RankQuery, Ranking},
    reading::{Reading, without_source},
    transform::Step,
};
use crate::engine::{Error, Moment, Sources, catalog::View, read, shared::Shared};

/// An analysis whose answer can be followed through the log.
pub trait Analysis: Send + Sync + 'static {
    /// The whole answer.
    type Answer: Send + Sync + 'static;
    /// What leads from one answer to the next.
    type Change: Send + 'static;

    /// The answer at a moment.
    ///
    /// # Errors
    ///
    /// As the analysis itself.
    fn answer(&self, reading: &Reading<'_>) -> Result<Self::Answer, Error>;

    /// What has changed; `None` if nothing that a follower is told of.
    fn change(&self, before: &Self::Answer, after: &Self::Answer) -> Option<Self::Change>;

    /// The recorded indicators whose figures can change the answer.
    fn concerned(&self, catalog: View<'_>) -> BTreeSet<String>;
}

/// Goes through the commits, and computes the answer anew at those that can change it.
#[derive(Debug)]
pub struct Follower<A: Analysis> {
    analysis: Arc<A>,
    revision: u64,
    answer: A::Answer,
    concerned: BTreeSet<String>,
}

/// A commit that changed an answer.
#[derive(Debug)]
pub struct Followed<C> {
    /// The commit.
    pub revision: u64,
    /// When it was recorded.
    pub time: Time,
    /// What it changed.
    pub change: C,
}

impl<A: Analysis> Follower<A> {
    /// The answer at a revision. Blocks.
    pub(in crate::engine) fn at(shared: &Shared, analysis: Arc<A>, revision: u64) -> Result<Self, Error> {
        let (answer, concerned) = compute(shared, &*analysis, revision)?;
        Ok(Self { analysis, revision, answer, concerned })
    }

    /// The revision of the answer.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self) -> &A::Answer {
        &self.answer
    }

    /// Goes on, up to `to`, until a commit has changed the answer, or through `most` commits. Blocks.
    pub(in crate::engine) fn next(&mut self, shared: &Shared, to: u64, most: u64) -> Result<Option<Followed<A::Change>>, Error> {
        let end = to.min(self.revision.saturating_add(most));
        while self.revision < end {
            let revision = self.revision + 1;
            if !self.is_touched(shared, revision)? {
                self.revision = revision;
                continue;
            }
            let (answer, concerned) = compute(shared, &*self.analysis, revision)?;
            let change = self.analysis.change(&self.answer, &answer);
            (self.revision, self.answer, self.concerned) = (revision, answer, concerned);
            if let Some(change) = change {
                let time = read::header(shared, revision)?.time()?;
                return Ok(Some(Followed { revision, time, change }));
            }
        }
        Ok(None)
    }

    /// Whether a commit can have changed the answer.
    fn is_touched(&self, shared: &Shared, revision: u64) -> Result<bool, Error> {
        if let Some(commit) = shared.recent(revision) {
            let concerned = |indicator: &str| self.concerned.contains(indicator);
            return Ok(!commit.entries.is_empty() || commit.series.iter().any(|series| concerned(&series.key.indicator)));
        }
        let touched = shared.store.touched(revision)?;
        let index = shared.index();
        Ok(!touched.entries.is_empty() || touched.series.iter().any(|id| self.concerned.contains(&index.key(*id).indicator)))
    }
}

fn compute<A: Analysis>(shared: &Shared, analysis: &A, revision: u64) -> Result<(A::Answer, BTreeSet<String>), Error> {
    let reading = Reading::new(shared, Moment { revision, published_at: None });
    Ok((analysis.answer(&reading)?, analysis.concerned(reading.catalog())))
}

/// The recorded indicators that figures of others, computed by steps, are made of.
fn behind<'i>(catalog: View<'_>, indicators: impl IntoIterator<Item = &'i String>, steps: &'i [Step]) -> BTreeSet<String> {
    let of_steps = steps.iter().filter_map(|step| match step {
        Step::PerUnit { indicator, .. } => Some(indicator),
        Step::Convert { exchange_rate, .. } if !exchange_rate.is_empty() => Some(exchange_rate),
        _ => None,
    });
    indicators.into_iter().chain(of_steps).flat_map(|id| leaves(catalog, id)).collect()
}

/// What a commit moved in a ranking.
#[derive(Debug, Clone)]
pub struct RankMoves {
    /// By rank after it, those that left at the end.
    pub moves: Vec<RankMove>,
    /// As many have a rank after it.
    pub ranked: u32,
}

impl Analysis for RankQuery {
    type Answer = Ranking;
    type Change = RankMoves;

    fn answer(&self, reading: &Reading<'_>) -> Result<Ranking, Error> {
        // One period, or the latest of each region: one ranking.
        let mut rankings = reading.rank(self)?;
        Ok(rankings.pop().unwrap_or_default())
    }

    fn change(&self, before: &Ranking, after: &Ranking) -> Option<RankMoves> {
        let moves = Ranking::moves(before, after);
        let ranked = after.rows.len() as u32;
        (!moves.is_empty()).then_some(RankMoves { moves, ranked })
    }

    fn concerned(&self, catalog: View<'_>) -> BTreeSet<String> {
        behind(catalog, [&self.selection.indicator], &self.selection.steps)
    }
}

/// Milestones that are followed: no more than so many.
#[derive(Debug, Clone)]
pub struct FollowedMilestones {
    /// Of what.
    pub query: MilestoneQuery,
    /// At most.
    pub most: usize,
}

/// What a commit did to milestones.
#[derive(Debug, Clone, Default)]
pub struct MilestoneChanges {
    /// New, or in another state or since another period.
    pub changed: Vec<Milestone>,
    /// No longer of what is selected, as they were.
    pub left: Vec<Milestone>,
}

impl Analysis for FollowedMilestones {
    type Answer = Vec<Milestone>;
    type Change = MilestoneChanges;

    fn answer(&self, reading: &Reading<'_>) -> Result<Vec<Milestone>, Error> {
        reading.milestones(&self.query, self.most)
    }

    fn change(&self, before: &Vec<Milestone>, after: &Vec<Milestone>) -> Option<MilestoneChanges> {
        // Where sources compete, the series is the subject, whoever reports it now.
        let competing = self.query.filter.sources == Sources::Preferred;
        let name = |milestone: &Milestone| {
            let key = if competing { without_source(&milestone.key) } else { Arc::clone(&milestone.key) };
            (key, milestone.threshold)
        };
        let mut known: HashMap<_, &Milestone> = before.iter().map(|milestone| (name(milestone), milestone)).collect();
        let mut changes = MilestoneChanges::default();
        for milestone in after {
            if known.remove(&name(milestone)).is_none_or(|before| milestone.differs(before)) {
                changes.changed.push(milestone.clone());
            }
        }
        let left = before.iter().filter(|milestone| known.contains_key(&name(milestone)));
        changes.left = left.cloned().collect();
        Some(changes).filter(|changes| !(changes.changed.is_empty() && changes.left.is_empty()))
    }

    fn concerned(&self, catalog: View<'_>) -> BTreeSet<String> {
        behind(catalog, &self.query.filter.indicators, &self.query.steps)
    }
}
