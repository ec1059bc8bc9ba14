//! Regular expressions of mappings. A pattern covers a whole cell, so that none matches by accident in the middle of another text.

use std::borrow::Cow;

use regex::Regex;
use serde::Deserialize;

/// A regular expression that a whole text must match.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    whole: Regex,
}

impl Pattern {
    /// Whether the text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// What the first group holds, or the whole text if there is no group. `None` if the text does not match.
    pub fn extract<'t>(&self, text: &'t str) -> Option<&'t str> {
        let captures = self.whole.captures(text)?;
        Some(captures.get(1).map_or(text, |group| group.as_str()))
    }

    /// The template with `$1`, `${1}` and `$name` filled in. `None` if the text does not match.
    pub fn rewrite(&self, text: &str, template: &str) -> Option<String> {
        let captures = self.whole.captures(text)?;
        let mut rewritten = String::new();
        captures.expand(template, &mut rewritten);
        Some(rewritten)
    }
}

/// A text that is no regular expression.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct InvalidPattern(#[from] regex::Error);

impl TryFrom<String> for Pattern {
    type Error = InvalidPattern;

    fn try_from(pattern: String) -> Result<Self, InvalidPattern> {
        // Checked alone first: the message must show what the person wrote, and a stray parenthesis must not escape the frame.
        Regex::new(&pattern)?;
        Ok(Self { whole: Regex::new(&format!("^(?s:{pattern})$"))? })
    }
}

/// `$1-Q2` would name a group "1-Q2" no more than people mean it to; but `$1Q2` would name "1Q2". Braces are added around the
/// digits that follow a dollar sign, so that a template reads as it looks.
pub(super) fn braced(template: &str) -> Cow<'_, str> {
    if !template.contains('$') {
        return Cow::Borrowed(template);
    }
    let mut out = String::with_capacity(template.len() + 4);
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        out.push_str(before);
        match digits {
            0 => out.push('$'),
            _ => out.extend(["${", &after[..digits], "}"]),
        }
        rest = &after[digits..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_pattern_covers_the_whole_text() {
        assert!(!pattern(r"\d{4}").matches("2017年"));
        assert!(!pattern("a|b").matches("ab"));
        assert!(pattern("注.*").matches("注：one\ntwo"), "also one with line breaks");
    }

    #[test]
    fn the_first_group_is_what_is_meant() {
        assert_eq!(pattern(r"(\d{4})年").extract("2017年"), Some("2017"));
        assert_eq!(pattern(r".*").extract("2017年"), Some("2017年"));
        assert_eq!(pattern(r"(\d{4})年").extract("地区"), None);
    }

    #[test]
    fn digits_after_a_dollar_sign_are_a_group_whatever_follows() {
        assert_eq!(pattern(r"(\d{4})0(\d)").rewrite("201902", &braced("$1Q$2")).as_deref(), Some("2019Q2"));
        assert_eq!(braced("${name} 5 $10"), "${name} 5 ${10}");
    }

    #[test]
    fn a_pattern_that_closes_a_group_it_did_not_open_is_refused() {
        assert!(Pattern::try_from("a)|(b".to_owned()).is_err());
    }
}
