//! The record: validates, applies commands, reads as of any moment. Knows nothing of gRPC.

pub mod catalog;
mod error;
mod token;

pub use error::{Error, SeriesChanged, Violation};
pub use token::{Purpose, TokenError, Tokens, fingerprint};
