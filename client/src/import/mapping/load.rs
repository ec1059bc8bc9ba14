//! Finding and reading mapping files.
//!
//! A file may hold the mappings of a whole directory: each `[[when]]` table has a pattern on file names and what differs for them.

use std::path::{Path, PathBuf};

use regex::Regex;
use toml::{Table, Value};

use super::Mapping;
use crate::import::Error;

/// The mapping that is saved beside a data file: `FILE.import.toml`, else `import.toml` in its directory.
pub fn saved_beside(data: &Path) -> Option<PathBuf> {
    let mut own = data.file_name()?.to_owned();
    own.push(".import.toml");
    [data.with_file_name(own), data.with_file_name("import.toml")].into_iter().find(|path| path.is_file())
}

/// The mapping that the TOML file at `path` has for a data file of this name.
///
/// # Errors
///
/// When it cannot be read or is not a mapping.
pub fn load(path: &Path, data_name: &str) -> Result<Mapping, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    parse(&text, data_name).map_err(|source| Error::Mapping { path: path.to_owned(), source: Box::new(source) })
}

/// Why a text is not a mapping.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMapping {
    /// Not TOML, or not the tables and keys of a mapping.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// A `[[when]]` without a pattern on file names.
    #[error("each [[when]] needs `file`, a regular expression on file names")]
    WhenWithoutFile,
    /// The pattern of a `[[when]]` is none.
    #[error(transparent)]
    Pattern(#[from] regex::Error),
}

pub(in crate::import) fn parse(text: &str, data_name: &str) -> Result<Mapping, InvalidMapping> {
    let mut whole: Table = text.parse()?;
    let exceptions = match whole.remove("when") {
        Some(Value::Array(tables)) => tables,
        Some(_) => return Err(InvalidMapping::WhenWithoutFile),
        // The whole text is read again so that an error can show the line.
        None => return Ok(toml::from_str(text)?),
    };
    for exception in exceptions {
        let Value::Table(mut exception) = exception else { return Err(InvalidMapping::WhenWithoutFile) };
        let Some(Value::String(pattern)) = exception.remove("file") else { return Err(InvalidMapping::WhenWithoutFile) };
        if Regex::new(&pattern)?.is_match(data_name) {
            overlay(&mut whole, exception);
        }
    }
    Ok(Value::Table(whole).try_into()?)
}

/// Lays the sections of `over` on those of `base`. The entries of a section are replaced whole: half of one field and half of
/// another would make no sense.
fn overlay(base: &mut Table, over: Table) {
    for (section, value) in over {
        match (base.get_mut(&section), value) {
            (Some(Value::Table(base)), Value::Table(over)) => base.extend(over),
            (Some(Value::Array(base)), Value::Array(over)) => base.extend(over),
            (_, value) => {
                base.insert(section, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::mapping::{Column, Origin};

    const OF_A_DIRECTORY: &str = r#"
        [numbers]
        factor = "100000000"
        [fields]
        indicator.constant = "gdp"
        region.column = "地区"
        period.headers = '(\d{4})年'

        [[when]]
        file = 'transposed'
        fields.region.headers = '.+'
        fields.period.column = 1

        [[when]]
        file = '^employment'
        numbers.factor = "10000"
        fields.indicator.constant = "employment"
    "#;

    #[test]
    fn a_mapping_for_a_directory_says_what_differs_by_file_name() {
        let ordinary = parse(OF_A_DIRECTORY, "gdp_2024.csv").unwrap();
        assert!(matches!(&ordinary.fields.region.unwrap().origin, Origin::Column(Column::Name(name)) if name == "地区"));
        let transposed = parse(OF_A_DIRECTORY, "gdp_transposed.csv").unwrap();
        assert!(matches!(transposed.fields.region.unwrap().origin, Origin::Headers(_)));
        assert!(matches!(transposed.fields.period.unwrap().origin, Origin::Column(Column::Position(1))));
        let employment = parse(OF_A_DIRECTORY, "employment.csv").unwrap();
        assert_eq!(employment.numbers.factor, "10000");
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_shows_it() {
        let error = parse("[fields]\nregoin.column = \"geo\"\n", "a.csv").unwrap_err().to_string();
        assert!(error.contains("regoin"), "{error}");
    }

    #[test]
    fn a_field_has_one_origin() {
        let error = parse("[fields]\nregion = { column = \"geo\", constant = \"CN\" }\n", "a.csv").unwrap_err().to_string();
        assert!(error.contains("exactly one of"), "{error}");
    }

    #[test]
    fn the_mapping_beside_the_file_is_its_own_or_that_of_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("a.csv");
        assert_eq!(saved_beside(&data), None);
        let shared = directory.path().join("import.toml");
        std::fs::write(&shared, "").unwrap();
        assert_eq!(saved_beside(&data), Some(shared));
        let own = directory.path().join("a.csv.import.toml");
        std::fs::write(&own, "").unwrap();
        assert_eq!(saved_beside(&data), Some(own));
    }
}
