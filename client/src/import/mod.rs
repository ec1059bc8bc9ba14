//! Reading data files and turning them into writes.

mod details;
mod error;
mod intern;
pub mod mapping;
mod numbers;
mod plan;
mod problem;
pub mod rows;
pub mod source;
pub mod table;
pub mod words;
mod workbook;

pub use self::{
    details::Details,
    error::Error,
    problem::{Problem, Reject},
};
