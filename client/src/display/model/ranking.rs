//! A ranking and its moves, as the stream tells them.

use std::{collections::BTreeMap, sync::Arc};

use indicator_proto::{
    Time,
    v1::{Observation, RankMove, RankMoveKind, RankRow, Ranking, RegionSelection, watch_rank_response::Message},
};

use super::{Series, series::height};

/// The regions of a level in order of an indicator.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Standing {
    /// Of what.
    pub(crate) selection: RegionSelection,
    /// By figure. `None` until the first answer.
    pub(crate) rows: Option<Vec<RankRow>>,
    /// Regions without a figure.
    pub(crate) unranked: usize,
    /// The last move of each region.
    pub(crate) moves: BTreeMap<String, Moved>,
    /// The figures as they are now: a figure that changes and moves nobody is no move.
    figures: BTreeMap<String, Arc<Observation>>,
}

/// A move of a region.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moved {
    /// Best place before. 0 when it had none.
    pub(crate) from: u32,
    /// Best place after.
    pub(crate) to: u32,
    /// When the commit was recorded.
    pub(crate) at: Time,
}

impl Standing {
    /// Before the first answer.
    pub(crate) fn of(selection: RegionSelection) -> Self {
        Self { selection, ..Self::default() }
    }

    /// Follows the stream.
    pub(crate) fn follow(&mut self, message: Message) {
        match message {
            Message::Ranking(Ranking { rows, unranked_regions, .. }) => {
                (self.rows, self.unranked) = (Some(rows), unranked_regions.len());
                self.moves.clear();
            }
            Message::Moves(moves) => {
                let at = moves.recorded_at.as_ref().and_then(|time| Time::try_from(time).ok()).unwrap_or(Time::MIN);
                moves.moves.into_iter().for_each(|it| self.step(it, at));
                if let Some(rows) = &mut self.rows {
                    // As the first answer came: a bound stands where its figure does, however many places it may have.
                    let size = |row: &RankRow| row.observation.as_ref().and_then(height).unwrap_or(f64::NEG_INFINITY);
                    rows.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.region.cmp(&b.region)));
                }
            }
            Message::Opened(_) | Message::Progress(_) | Message::Reset(_) | Message::Closing(_) => {}
        }
    }

    fn step(&mut self, step: RankMove, at: Time) {
        let (kind, from) = (step.kind(), step.previous_from);
        let (Some(rows), Some(row)) = (&mut self.rows, step.row) else { return };
        let had = rows.iter().position(|other| other.region == row.region).map(|place| rows.remove(place));
        match (had, kind) {
            (Some(_), RankMoveKind::Left) => self.unranked += 1,
            (None, RankMoveKind::Entered) => self.unranked = self.unranked.saturating_sub(1),
            _ => {}
        }
        if kind == RankMoveKind::Left {
            self.moves.remove(&row.region);
            return;
        }
        if from != row.rank_from {
            self.moves.insert(row.region.clone(), Moved { from, to: row.rank_from, at });
        }
        rows.push(row);
    }

    /// The figures of the regions are these now.
    pub(crate) fn show(&mut self, series: &[Series]) {
        self.figures = series.iter().map(|it| (it.key.region.clone(), it.latest().1.clone())).collect();
    }

    /// The figure of a row.
    pub(crate) fn figure<'a>(&'a self, row: &'a RankRow) -> Option<&'a Observation> {
        let ranked = row.observation.as_ref();
        // The latest of a region may be of another period than the one it is ranked by, or be missing.
        let now = self.figures.get(&row.region).filter(|now| ranked.is_none_or(|ranked| ranked.period == now.period));
        now.map(AsRef::as_ref).or(ranked)
    }
}
