//! What is computed of the record.
//!
//! - `arithmetic`: decimals, correctly rounded. `estimate`: what is known of a figure, with its bounds.
mod arithmetic;
mod estimate;
