//! What is computed of the record.
//!
//! - `arithmetic`: decimals, correctly rounded. `estimate`: what is known of a figure, with its bounds.
//! - `line`: figures by period with how they came about. `reading`: lines from the record at a moment.
//! - `transform`: what a line becomes, step after step. `query`: the cells of a filter, computed.
//! - `selection`: one indicator over regions, as cross-sections.

mod arithmetic;
mod estimate;
mod line;
mod query;
mod reading;
#[cfg(test)]
mod samples;
mod selection;
mod transform;

pub use line::{Coverage, Derivation, Operand, Origin, Point};
pub use query::{Computation, ComputedChunk, ComputedCursor, ComputedSummary};
pub use reading::Reading;
pub use selection::{Periods, RegionSelection, Regions};
pub use transform::{Method, Span, Step};
