//! Why an import cannot even begin: the file, its layout or its mapping. What is wrong with single rows is a
//! [`Problem`](super::Problem).

use std::path::PathBuf;

use super::mapping::{Column, InvalidMapping};
use super::problem::Problem;
use crate::catalog_file;

/// Why a file cannot be read as data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The declared encoding does not exist.
    #[error("{label:?} is not an encoding; write for example \"utf-8\" or \"gb18030\"")]
    UnknownEncoding {
        /// The label.
        label: String,
    },
    /// The bytes are not text in this encoding.
    #[error("{file} is not text in {encoding}; say its encoding with `read.encoding`")]
    NotText {
        /// The file.
        file: String,
        /// The encoding that was declared or found likeliest.
        encoding: &'static str,
    },
    /// The workbook is damaged, or of a kind that is not read.
    #[error("cannot read the workbook {file}")]
    Workbook {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: calamine::Error,
    },
    /// The workbook has no such sheet.
    #[error("{file} has no sheet {sheet:?}; it has {}", sheets.join(", "))]
    NoSheet {
        /// The file.
        file: String,
        /// The sheet that was asked for.
        sheet: String,
        /// Those that there are.
        sheets: Vec<String>,
    },
    /// The mapping is none.
    #[error("the mapping {} is not right", path.display())]
    Mapping {
        /// The mapping file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<InvalidMapping>,
    },
    /// The delimiter is not one ASCII character.
    #[error("{delimiter:?} cannot be a delimiter; it must be an ASCII character")]
    Delimiter {
        /// The delimiter.
        delimiter: char,
    },
    /// There is no header.
    #[error("{file} has no header{}", if *sought { ": no row's first cell matches `read.header_at`" } else { ", it is empty" })]
    NoHeader {
        /// The file.
        file: String,
        /// A header with certain text was looked for.
        sought: bool,
    },
    /// The header has no such column.
    #[error("{file} has no column {column}; its columns are {}", columns.join(", "))]
    NoColumn {
        /// The file.
        file: String,
        /// The column that the mapping names.
        column: Column,
        /// Those that there are.
        columns: Vec<String>,
    },
    /// The header has the column more than once.
    #[error("{file} has more than one column {column:?}; name it by its position")]
    AmbiguousColumn {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// A setting of the mapping is not what it should be.
    #[error("`{key}` of the mapping: {problem}")]
    Setting {
        /// Its key.
        key: &'static str,
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// Required fields are nowhere.
    #[error(
        "{file} does not say the {}: name a column or a constant for it, in a mapping or by a flag such as --{}-column; the columns are {}",
        fields.join(", the "), fields[0], columns.join(", ")
    )]
    Unmapped {
        /// The file.
        file: String,
        /// The fields, at least one.
        fields: Vec<&'static str>,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// The figures stand in a column and under headers at once.
    #[error("the figures are in a column or under several headers: either `fields.value` or a field with `headers`, not both")]
    ValueAndHeaders,
    /// No header is as the mapping says.
    #[error("no column of {file} that no other field uses has a header as `headers` says; its columns are {}", columns.join(", "))]
    NoHeaderMatches {
        /// The file.
        file: String,
        /// The columns that there are.
        columns: Vec<String>,
    },
    /// The name of the file is not as the mapping says.
    #[error("nothing in the file name {file:?} matches `fields.{field}.file_name`")]
    FileName {
        /// The file.
        file: String,
        /// The field.
        field: String,
    },
    /// The figure is no column.
    #[error("`fields.value` names a column; what is to be done to figures stands under `numbers`")]
    ValueOrigin,
    /// The catalog of the mapping is none.
    #[error(transparent)]
    Catalog(catalog_file::InvalidCatalog),
}
