//! Analyses that are followed: how each commit changes their answer.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use indicator_proto::{SeriesKey, Time};
use jiff::{civil::Date, tz::Offset};

use super::{
    derived::leaves,
    milestones::{Milestone, MilestoneQuery},
    rank::{RankMove, RankQuery, Ranking},
    reading::{Reading, without_source},
    selection::Periods,
    transform::Step,
};
use crate::{
    engine::{Commit, Error, Moment, Sources, catalog::View, shared::Shared},
    store::{self, History, Touched},
};

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

    /// Makes of the answer before a commit the one after it, where the commit changed figures of these series of those concerned, and
    /// nothing else. Says what has changed. By itself it computes the answer anew.
    ///
    /// # Errors
    ///
    /// As [`Analysis::answer`].
    fn advance(
        &self,
        answer: &mut Self::Answer,
        reading: &Reading<'_>,
        touched: &[Arc<SeriesKey>],
    ) -> Result<Option<Self::Change>, Error> {
        let _ = touched;
        replace(self, answer, reading)
    }

    /// What can change the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    fn concerned(&self, reading: &Reading<'_>) -> Result<Concerned, Error>;
}

/// What can change an answer, beside the catalog.
#[derive(Debug, Clone, Default)]
pub struct Concerned {
    /// Figures of these recorded indicators.
    pub indicators: BTreeSet<String>,
    /// The first commit on this day or later: regions begin or end.
    pub day: Option<Date>,
}

/// Computes the answer anew.
fn replace<A: Analysis + ?Sized>(
    analysis: &A,
    answer: &mut A::Answer,
    reading: &Reading<'_>,
) -> Result<Option<A::Change>, Error> {
    let after = analysis.answer(reading)?;
    let change = analysis.change(answer, &after);
    *answer = after;
    Ok(change)
}

/// Goes through the commits, and takes the answer on at those that can change it.
#[derive(Debug)]
pub struct Follower<A: Analysis> {
    analysis: Arc<A>,
    revision: u64,
    answer: A::Answer,
    indicators: BTreeSet<String>,
    /// A commit at this time or later changes the answer by its time alone.
    until: Time,
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

/// What a commit has to do with an answer.
enum Touch {
    /// Nothing.
    Nothing,
    /// It changed figures of these series.
    Figures(Vec<Arc<SeriesKey>>),
    /// It may have changed anything.
    Everything,
}

impl<A: Analysis> Follower<A> {
    /// The answer at a revision. Blocks.
    pub(in crate::engine) fn at(shared: &Shared, analysis: Arc<A>, revision: u64) -> Result<Self, Error> {
        let reading = reading(shared, revision);
        let answer = analysis.answer(&reading)?;
        let mut follower = Self { analysis, revision, answer, indicators: BTreeSet::new(), until: Time::MAX };
        follower.look_around(&reading)?;
        Ok(follower)
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

    /// Passes by the commits up to `to` that are in memory and cannot change the answer, `most` at once. Does not block.
    pub(in crate::engine) fn pass(&mut self, shared: &Shared, to: u64, most: u64) {
        let gaps = shared.store.gaps();
        for _ in 0..most.min(gaps.between(self.revision, to)) {
            match shared.recent(gaps.next(self.revision)) {
                Some(commit) if matches!(self.touch(&commit), Touch::Nothing) => self.revision = commit.revision,
                _ => break,
            }
        }
    }

    /// Goes on, up to `to`, until a commit has changed the answer, or through `most` commits. Blocks.
    pub(in crate::engine) fn next(&mut self, shared: &Shared, to: u64, most: u64) -> Result<Option<Followed<A::Change>>, Error> {
        let gaps = shared.store.gaps();
        // Commit after commit: a look for each would decode the commits that lie beside it again and again.
        let mut log: Option<History> = None;
        for _ in 0..most.min(gaps.between(self.revision, to)) {
            let revision = gaps.next(self.revision);
            let (time, touch) = match shared.recent(revision) {
                Some(commit) => (commit.time, self.touch(&commit)),
                None => {
                    let logged = log.get_or_insert_with(|| shared.store.history(self.revision)).next().transpose()?;
                    let logged = logged.filter(|logged| logged.revision == revision);
                    let logged = logged.ok_or_else(|| store::Error::Corrupt(format!("commit {revision} is not in the log")))?;
                    let time = logged.header.time()?;
                    (time, self.touch_logged(shared, time, &logged.touched))
                }
            };
            let change = match touch {
                Touch::Nothing => None,
                Touch::Figures(series) => self.analysis.advance(&mut self.answer, &reading(shared, revision), &series)?,
                Touch::Everything => {
                    let reading = reading(shared, revision);
                    let change = replace(&*self.analysis, &mut self.answer, &reading)?;
                    self.look_around(&reading)?;
                    change
                }
            };
            self.revision = revision;
            if let Some(change) = change {
                return Ok(Some(Followed { revision, time, change }));
            }
        }
        Ok(None)
    }

    /// Finds out what can change the answer.
    fn look_around(&mut self, reading: &Reading<'_>) -> Result<(), Error> {
        let Concerned { indicators, day } = self.analysis.concerned(reading)?;
        let midnight = |day: Date| Time::from_micros(Offset::UTC.to_timestamp(day.into()).ok()?.as_microsecond());
        self.indicators = indicators;
        self.until = day.and_then(midnight).unwrap_or(Time::MAX);
        Ok(())
    }

    fn touch(&self, commit: &Commit) -> Touch {
        if !commit.entries.is_empty() || commit.time >= self.until {
            return Touch::Everything;
        }
        let keys = commit.series.iter().map(|series| &series.key);
        self.concerned(keys.filter(|key| self.indicators.contains(&key.indicator)).cloned().collect())
    }

    fn touch_logged(&self, shared: &Shared, time: Time, touched: &Touched) -> Touch {
        if !touched.entries.is_empty() || time >= self.until {
            return Touch::Everything;
        }
        let index = shared.index();
        let keys = touched.series.iter().map(|id| index.key(*id));
        self.concerned(keys.filter(|key| self.indicators.contains(&key.indicator)).cloned().collect())
    }

    fn concerned(&self, series: Vec<Arc<SeriesKey>>) -> Touch {
        if series.is_empty() { Touch::Nothing } else { Touch::Figures(series) }
    }
}

fn reading(shared: &Shared, revision: u64) -> Reading<'_> {
    Reading::new(shared, Moment { revision, published_at: None })
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

    fn advance(
        &self,
        answer: &mut Ranking,
        reading: &Reading<'_>,
        touched: &[Arc<SeriesKey>],
    ) -> Result<Option<RankMoves>, Error> {
        let regions: BTreeSet<&str> = touched.iter().map(|key| key.region.as_str()).collect();
        let Some(after) = reading.rank_again(self, answer, &regions)? else { return Ok(None) };
        let moves = self.change(answer, &after);
        *answer = after;
        Ok(moves)
    }

    fn concerned(&self, reading: &Reading<'_>) -> Result<Concerned, Error> {
        let indicators = behind(reading.catalog(), [&self.selection.indicator], &self.selection.steps);
        let day = match self.selection.periods {
            Periods::Latest => reading.next_beginning_or_end(&self.selection.regions)?,
            // Who existed in a period is not changed by time.
            Periods::One(_) | Periods::Within { .. } => None,
        };
        Ok(Concerned { indicators, day })
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

impl FollowedMilestones {
    /// What milestones are of: where sources compete, the subject, whoever reports on it now; else the series.
    fn followed(&self, key: &Arc<SeriesKey>) -> Arc<SeriesKey> {
        let competing = self.query.filter.sources == Sources::Preferred;
        if competing { without_source(key) } else { Arc::clone(key) }
    }
}

impl Analysis for FollowedMilestones {
    type Answer = Vec<Milestone>;
    type Change = MilestoneChanges;

    fn answer(&self, reading: &Reading<'_>) -> Result<Vec<Milestone>, Error> {
        reading.milestones(&self.query, self.most)
    }

    fn change(&self, before: &Vec<Milestone>, after: &Vec<Milestone>) -> Option<MilestoneChanges> {
        let name = |milestone: &Milestone| (self.followed(&milestone.key), milestone.threshold);
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

    fn advance(
        &self,
        answer: &mut Vec<Milestone>,
        reading: &Reading<'_>,
        touched: &[Arc<SeriesKey>],
    ) -> Result<Option<MilestoneChanges>, Error> {
        if !self.query.steps.is_empty() {
            return replace(self, answer, reading);
        }
        let after = reading.milestones_of(&self.query, touched)?;
        let touched: BTreeSet<Arc<SeriesKey>> = after.iter().map(|(key, _)| self.followed(key)).collect();
        let before: Vec<Milestone> =
            answer.extract_if(.., |milestone| touched.contains(&self.followed(&milestone.key))).collect();
        let after: Vec<Milestone> = after.into_iter().flat_map(|(_, milestones)| milestones).collect();
        let change = self.change(&before, &after);
        answer.extend(after);
        if answer.len() > self.most {
            return replace(self, answer, reading);
        }
        Ok(change)
    }

    fn concerned(&self, reading: &Reading<'_>) -> Result<Concerned, Error> {
        let indicators = behind(reading.catalog(), &self.query.filter.indicators, &self.query.steps);
        Ok(Concerned { indicators, day: None })
    }
}

#[cfg(test)]
mod tests;
