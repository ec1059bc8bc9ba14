//! Data files to writes: CSV in every dialect, sheets of workbooks, tidy and wide, in the encodings that offices use.
//!
//! An import is a pipeline of pure stages, and one that talks to the service:
//!
//! 1. [`source`]: bytes to text.
//! 2. [`table`]: text to records with their lines.
//! 3. [`mapping`]: what is where in a record.
//! 4. [`rows`]: records to figures, which still go by the names that the file has for things.
//! 5. `resolve`: names to ids, and entries for those that the catalog does not have.
//! 6. [`Import`]: figures in batches, sorted and without duplicates, ready to be sent.
//! 7. [`Import::run`]: sends them, and tells what became of them; or [`Steps`]: puts them into the order in which they came about.
//!
//! Everything is read and checked before anything is written. What is wrong with a row is a [`Reject`] with its line; what makes a
//! file unreadable is an [`Error`].

mod batch;
mod create;
mod details;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod intern;
mod lookup;
pub mod mapping;
mod numbers;
mod plan;
mod prepare;
mod problem;
mod rejects;
mod resolve;
pub mod rows;
mod run;
pub mod source;
mod steps;
pub mod table;
pub mod words;
mod workbook;

#[cfg(test)]
mod canonical_tests;

pub(crate) use self::plan::DIMENSION_PREFIX;
pub use self::{
    details::Details,
    error::Error,
    prepare::{File, Import, Input, Options},
    problem::{Problem, Reject},
    run::{Event, Settings, Stopped, Summary},
    steps::{Order, Step, Steps, Topic},
};
