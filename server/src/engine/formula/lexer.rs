//! The words of a formula.

use std::collections::BTreeSet;

use super::{BYTES, Operator, ParseFormulaError};

/// A word of a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Digits with at most one point among them.
    Number(&'a str),
    /// Any other run of the characters that ids have.
    Indicator(&'a str),
    /// One of the four operators.
    Operator(Operator),
    Open,
    Close,
}

/// Takes a text apart, word by word, each with the byte where it begins.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Result<(usize, Token<'a>), ParseFormulaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text[self.at..].trim_start();
        let at = self.text.len() - rest.len();
        let first = rest.chars().next()?;
        let run = rest.find(|c| !in_ids(c)).unwrap_or(rest.len());
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '+' => (Token::Operator(Operator::Add), 1),
            // A minus that begins a run is a sign: whoever writes "a -b" or "(-b)" means it, and hardly any id begins so.
            '-' => (Token::Operator(Operator::Subtract), 1),
            '*' => (Token::Operator(Operator::Multiply), 1),
            '/' => (Token::Operator(Operator::Divide), 1),
            _ if run > 0 && is_number(&rest[..run]) => (Token::Number(&rest[..run]), run),
            _ if run > 0 => (Token::Indicator(&rest[..run]), run),
            character => {
                // Nothing after it is understood.
                self.at = self.text.len();
                return Some(Err(ParseFormulaError::Character { at, character }));
            }
        };
        self.at = at + length;
        Some(Ok((at, token)))
    }
}

fn in_ids(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')
}

fn is_number(run: &str) -> bool {
    let points = run.bytes().filter(|byte| *byte == b'.').count();
    points <= 1 && run.len() > points && run.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The ids of the indicators that a text names; of a text with a character that no formula has, or longer than any, none.
pub fn mentions(text: &str) -> BTreeSet<&str> {
    if text.len() > BYTES {
        return BTreeSet::new();
    }
    let tokens: Result<Vec<_>, _> = Lexer::new(text).collect();
    let ids = tokens.unwrap_or_default().into_iter().filter_map(|(_, token)| match token {
        Token::Indicator(id) => Some(id),
        _ => None,
    });
    ids.collect()
}

/// The subtraction that may have been meant by an id with a minus in it: `a-b` as `a - b`, where both are known. `is_known` is asked
/// for what is no number.
pub fn looks_like_subtraction(id: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
    let known = |side: &str| is_number(side) || is_known(side);
    let minuses = id.match_indices('-').map(|(at, _)| (&id[..at], &id[at + 1..]));
    minuses.filter(|(left, right)| known(left) && known(right)).map(|(left, right)| format!("{left} - {right}")).next()
}
