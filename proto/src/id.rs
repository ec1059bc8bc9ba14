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
