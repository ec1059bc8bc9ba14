//! The grammar of ids.

use crate::excerpt::Excerpt;

/// Longest id in bytes.
const LONGEST: usize = 64;

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("the id is empty; write {allowed}")]
    Empty {
        /// What it may consist of.
        allowed: &'static str,
    },
    /// Longer than 64 bytes.
    #[error("the id {id} has {length} bytes; shorten it to {LONGEST}")]
    TooLong {
        /// Its beginning.
        id: Excerpt,
        /// Its length in bytes.
        length: usize,
    },
    /// A character that ids do not have.
    #[error("the id {id} has {character:?} at character {position}; write {allowed}{}", example(.write))]
    Character {
        /// The id.
        id: Excerpt,
        /// The first character that is wrong.
        character: char,
        /// Where it is; the first character is 1.
        position: usize,
        /// What it may consist of.
        allowed: &'static str,
        /// The nearest id, where one can be guessed.
        write: Option<String>,
    },
}

fn example(write: &Option<String>) -> String {
    write.as_ref().map(|id| format!(", for example \"{id}\"")).unwrap_or_default()
}

/// Checks the id of a source, dimension, indicator or topic: lower-case letters, digits, "-", "_" and ".".
pub fn check_slug(id: &str) -> Result<(), IdError> {
    let allowed = "lower-case letters a to z, digits, \"-\", \"_\" and \".\"";
    check(id, |c| is_plain(c) && !c.is_ascii_uppercase(), allowed, |id| id.trim().to_lowercase())
}

/// Checks the id of a region: letters, digits, "-", "_" and ".".
pub fn check_region_id(id: &str) -> Result<(), IdError> {
    check_plain(id)
}

/// Checks the id of a unit: printable ASCII without spaces.
pub fn check_unit_id(id: &str) -> Result<(), IdError> {
    check(id, |c| c.is_ascii_graphic(), "printable ASCII without spaces", |id| id.trim().to_owned())
}

/// Checks the id of a code of a dimension: letters, digits, "-", "_" and ".".
pub fn check_code_id(id: &str) -> Result<(), IdError> {
    check_plain(id)
}

fn check_plain(id: &str) -> Result<(), IdError> {
    check(id, is_plain, "letters A to Z and a to z, digits, \"-\", \"_\" and \".\"", |id| id.trim().to_owned())
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn check(id: &str, is_allowed: fn(char) -> bool, allowed: &'static str, tidy: fn(&str) -> String) -> Result<(), IdError> {
    if id.is_empty() {
        return Err(IdError::Empty { allowed });
    }
    let excerpt = Excerpt::of(id);
    if let Some((index, character)) = id.chars().enumerate().find(|(_, c)| !is_allowed(*c)) {
        let guess = tidy(id).split_whitespace().collect::<Vec<_>>().join("-");
        let is_id = !guess.is_empty() && guess.len() <= LONGEST && guess.chars().all(is_allowed);
        return Err(IdError::Character { id: excerpt, character, position: index + 1, allowed, write: is_id.then_some(guess) });
    }
    if id.len() > LONGEST {
        return Err(IdError::TooLong { id: excerpt, length: id.len() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(result: Result<(), IdError>) -> String {
        result.expect_err("not an id").to_string()
    }

    #[test]
    fn ids_of_the_built_in_data_are_ids() {
        for slug in ["5g-base-stations", "local-media", "gdp_2024.v1", "0"] {
            assert_eq!(check_slug(slug), Ok(()));
        }
        for region in ["CN", "CN-SD", "CN-SD.3710", "world", "GB-ENG"] {
            assert_eq!(check_region_id(region), Ok(()));
        }
        for unit in ["%", "km2", "1", "CNY", "{station}", "10*6", "m/s"] {
            assert_eq!(check_unit_id(unit), Ok(()));
        }
        for code in ["F", "provincial", "Y15T24", "_T"] {
            assert_eq!(check_code_id(code), Ok(()));
        }
    }

    #[test]
    fn a_wrong_character_is_shown_with_its_place_and_the_nearest_id() {
        assert_eq!(
            message(check_slug("Local Media")),
            "the id \"Local Media\" has 'L' at character 1; write lower-case letters a to z, digits, \"-\", \"_\" and \".\", for \
             example \"local-media\""
        );
        assert_eq!(
            message(check_region_id("CN-山东")),
            "the id \"CN-山东\" has '山' at character 4; write letters A to Z and a to z, digits, \"-\", \"_\" and \".\""
        );
        assert_eq!(
            message(check_unit_id("km 2")),
            "the id \"km 2\" has ' ' at character 3; write printable ASCII without spaces, for example \"km-2\""
        );
        assert!(message(check_code_id("a/b")).contains("'/' at character 2"));
        assert!(message(check_slug("a\u{7}")).contains(r"'\u{7}' at character 2"));
    }

    #[test]
    fn an_id_has_1_to_64_bytes() {
        assert_eq!(check_slug(&"a".repeat(64)), Ok(()));
        assert!(message(check_slug(&"a".repeat(65))).ends_with("has 65 bytes; shorten it to 64"));
        assert!(message(check_region_id("")).starts_with("the id is empty; write letters A to Z"));
    }

    proptest! {
        #[test]
        fn a_suggested_id_is_an_id(text in "\\PC{0,70}") {
            for check in [check_slug, check_region_id, check_unit_id, check_code_id] {
                if let Err(IdError::Character { write: Some(id), .. }) = check(&text) {
                    prop_assert_eq!(check(&id), Ok(()));
                }
            }
        }

        #[test]
        fn every_slug_is_a_region_id_a_code_and_a_unit(slug in "[a-z0-9._-]{1,64}") {
            for check in [check_slug, check_region_id, check_unit_id, check_code_id] {
                prop_assert_eq!(check(&slug), Ok(()));
            }
        }
    }
}
