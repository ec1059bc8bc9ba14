//! The mapping: which column or constant of a file is what. Flags make one for the simple case, a TOML file says the rest.
//!
//! A field that a mapping does not mention is the column of that name, if the file has one; so a file in the canonical layout
//! (the one that exports have) needs no mapping. `client/examples/` has a mapping with everything explained.

mod field;
mod load;
mod pattern;

use std::collections::BTreeMap;

use serde::Deserialize;

#[cfg(any(test, fuzzing))]
pub(super) use self::load::parse;
pub use self::{
    field::{Column, Field, Fields, InvalidField, Origin, Rule},
    load::{InvalidMapping, load, saved_beside},
    pattern::{InvalidPattern, Pattern},
};

/// How one file is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// How the text is laid out.
    pub read: Layout,
    /// How figures are written.
    pub numbers: Numbers,
    /// What is where.
    pub fields: Fields,
    /// Catalog entries that the file needs, as in catalog files: `[[catalog.source]]`. Created if missing and allowed.
    pub catalog: toml::Table,
    /// How entries are made for texts that the catalog does not know, where that is allowed.
    pub create: Create,
}

/// How the text is laid out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Layout {
    /// WHATWG label of the encoding. Absent means found out.
    pub encoding: Option<String>,
    /// Sheet of a workbook. Absent means the first.
    pub sheet: Option<String>,
    /// What separates cells. Absent means found out.
    pub delimiter: Option<char>,
    /// Lines before the header that are skipped.
    pub skip_lines: u64,
    /// The header is the first row whose first cell matches; what is before it is skipped.
    pub header_at: Option<Pattern>,
    /// The file has no header: columns go by position.
    pub no_header: bool,
    /// The first row whose first cell matches, and everything after it, is no data.
    pub stop_at: Option<Pattern>,
}

/// How figures are written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Numbers {
    /// What a figure is multiplied by to be in the indicator's unit, exactly: `"100000000"` for 亿.
    pub factor: String,
    /// What separates thousands. Absent means nothing may.
    pub thousands: Option<char>,
    /// The decimal sign.
    pub decimal: char,
    /// Cells that mean "no figure".
    pub missing: Vec<String>,
    /// The missing reason such cells are recorded with. Absent means they are left out.
    pub missing_means: Option<String>,
    /// The last digit that is written is the last that the source knows: record its size as `rounded_to`.
    pub rounded_as_written: bool,
}

/// The markers of offices that have no figure for a cell.
pub const MISSING_MARKERS: [&str; 7] = ["", "..", "...", "…", "-", "NaN", "NA"];

impl Default for Numbers {
    fn default() -> Self {
        Self {
            factor: "1".to_owned(),
            thousands: None,
            decimal: '.',
            missing: MISSING_MARKERS.map(str::to_owned).to_vec(),
            missing_means: None,
            rounded_as_written: false,
        }
    }
}

/// How catalog entries are made, by kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Create {
    /// Regions: `id`, `parent`, `level`, `name`, `code`.
    pub region: Option<Template>,
    /// Indicators: `id`, `unit`, `topic`, `name`, `description`.
    pub indicator: Option<Template>,
    /// Sources: `id`, `kind`, `name`.
    pub source: Option<Template>,
    /// Codes of dimensions: `id`, `name`.
    pub dimension: BTreeMap<String, Template>,
}

/// How an entry is made for a text. Columns are those of the table that is looked up, or else of the row with the text; those of
/// the table are empty for a text that it does not have.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Template {
    /// Another file with a row for each text. Absent means the row of the data itself is used.
    pub lookup: Option<Lookup>,
    /// Its id; the first that is not empty. Absent means the text itself.
    pub id: Alternatives,
    /// Id of the parent, of regions.
    pub parent: Alternatives,
    /// Level, of regions.
    pub level: Alternatives,
    /// Kind, of sources.
    pub kind: Alternatives,
    /// Unit, of indicators.
    pub unit: Alternatives,
    /// Topic, of indicators.
    pub topic: Alternatives,
    /// Name by language. None means the text, in English.
    pub name: BTreeMap<String, Alternatives>,
    /// Description by language, of indicators.
    pub description: BTreeMap<String, Alternatives>,
    /// Code by scheme, of regions.
    pub code: BTreeMap<String, Alternatives>,
}

/// A table that says more about the texts of a field.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The file, relative to the mapping.
    pub file: std::path::PathBuf,
    /// The column with the text.
    pub key: Column,
}

/// One field, or several of which the first that is not empty counts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "OneOrMany")]
pub struct Alternatives(pub Vec<Field>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Box<Field>),
    Many(Vec<Field>),
}

impl From<OneOrMany> for Alternatives {
    fn from(fields: OneOrMany) -> Self {
        match fields {
            OneOrMany::One(field) => Self(vec![*field]),
            OneOrMany::Many(fields) => Self(fields),
        }
    }
}
