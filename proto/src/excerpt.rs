//! The piece of an input that an error message shows.

use std::fmt;

/// Characters that are shown of a longer text.
const LIMIT: usize = 60;

/// The beginning of a refused text, so that an error does not repeat a whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        match text.char_indices().nth(LIMIT) {
            None => Self(text.to_owned()),
            Some((end, _)) => Self(format!("{}…", &text[..end])),
        }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_character_and_control_characters_are_escaped() {
        assert_eq!(Excerpt::of("a\n").to_string(), r#""a\n""#);
        assert_eq!(Excerpt::of(&"年".repeat(100)).to_string(), format!("\"{}…\"", "年".repeat(60)));
    }
}
