//! What is computed of the record.
//!
//! - `arithmetic`: decimals, correctly rounded; `exact`: without any rounding, for sums. `estimate`: what is known of a figure, with its bounds.
//! - `line`: figures by period with how they came about. `reading`: lines from the record at a moment.
//! - `derived`: lines of derived indicators, by their formulas.
//! - `revisions`: how much first prints were revised.
//! - `transform`: what a line becomes, step after step. `query`: the cells of a filter, computed.
//! - `selection`: one indicator over regions, as cross-sections.

mod arithmetic;
pub(in crate::engine) mod derived;
mod estimate;
mod exact;
mod line;
mod query;
mod reading;
mod revisions;
#[cfg(test)]
mod samples;
mod selection;
mod transform;

pub use line::{Coverage, Derivation, Operand, Origin, Point};
pub use query::{Computation, ComputedChunk, ComputedCursor, ComputedSummary};
pub use reading::Reading;
pub use revisions::{RevisedCell, RevisionStatistics, Revisions, revisions};
pub use selection::{Periods, RegionSelection, Regions};
pub use transform::{Method, Span, Step};
