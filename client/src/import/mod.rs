//! Reading data files and turning them into writes.

mod error;
pub mod mapping;
pub mod source;
pub mod table;
mod workbook;

pub use error::Error;
