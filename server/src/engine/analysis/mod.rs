//! What is computed of the record.
//!
//! - `arithmetic`: decimals, correctly rounded; `exact`: without any rounding, for sums. `estimate`: what is known of a figure, with its bounds.
//! - `line`: figures by period with how they came about. `reading`: lines from the record at a moment.
//! - `derived`: lines of derived indicators, by their formulas.
//! - `revisions`: how much first prints were revised.
//! - `transform`: what a line becomes, step after step. `query`: the cells of a filter, computed.
//! - `selection`: one indicator over regions, as cross-sections.
//! - `discrepancies`: where sources disagree. `milestones`: when figures crossed thresholds.
//! - `rollup`: figures of regions as one. `compare`: regions by indicators.

mod arithmetic;
mod compare;
pub(in crate::engine) mod derived;
mod discrepancies;
mod estimate;
mod exact;
mod line;
mod live;
mod milestones;
mod query;
mod rank;
mod reading;
mod revisions;
mod rollup;
#[cfg(test)]
mod samples;
mod selection;
mod transform;

pub use compare::{CompareColumn, CompareQuery, CompareRow, Comparison, Rows};
pub use discrepancies::{Discrepancy, DiscrepancyQuery, Gap, Tolerance};
pub use line::{Coverage, Derivation, Operand, Origin, Point};
pub use live::{Analysis, Followed, FollowedMilestones, Follower, MilestoneChanges, RankMoves};
pub use milestones::{Crossing, Milestone, MilestoneQuery, Thresholds};
pub use query::{Computation, ComputedChunk, ComputedCursor, ComputedSummary};
pub use rank::{RankMove, RankQuery, RankRow, Ranking};
pub use reading::Reading;
pub use revisions::{RevisedCell, RevisionStatistics, Revisions, revisions};
pub use rollup::{Combination, RolledUp, Rollup, RollupQuery};
pub use selection::{Periods, RegionSelection, Regions};
pub use transform::{Method, Span, Step};
