//! The pages as HTTP: what they show, who may see it, and what is told of changes. What a browser makes of them is in `tests/browser`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod limits;
mod many;
mod streams;
mod tokens;
mod views;
