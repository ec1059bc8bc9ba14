//! Reading decimals: the strict wire form, and the many forms of data files.

use std::str::FromStr;

use super::{DIGITS, Decimal};
use crate::excerpt::Excerpt;

/// Why a text is not a decimal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseDecimalError {
    /// Nothing there.
    #[error("the figure is empty; write a decimal such as \"1234.5\", or say why it is missing")]
    Empty,
    /// A number, but not in the one form of the wire.
    #[error("{text} is not canonical; write \"{canonical}\"")]
    NotCanonical {
        /// The text.
        text: Excerpt,
        /// The same number in canonical form.
        canonical: Decimal,
    },
    /// A not-a-number or an infinity.
    #[error("{0} is not a figure; leave the value out and say why it is missing")]
    NotFinite(Excerpt),
    /// Thousands separators or a decimal comma.
    #[error("{0} has a separator; write the digits without any and \".\" before the decimals, such as \"1234.5\"")]
    Separator(Excerpt),
    /// Digits of another script.
    #[error("{0} is not written with the digits 0 to 9; write it with those, such as \"1234.5\"")]
    ForeignDigits(Excerpt),
    /// More than 28 significant digits.
    #[error("{0} has more than 28 significant digits; round it to 28, or use a larger unit")]
    TooManyDigits(Excerpt),
    /// Digits after the 28th decimal place.
    #[error("{0} has digits after the 28th decimal place; round it to 28, or use a smaller unit")]
    TooFine(Excerpt),
    /// Not a number.
    #[error("{0} is not a decimal; write such as \"1234.5\" or \"-3\"")]
    Form(Excerpt),
}

/// Takes the canonical form only.
impl FromStr for Decimal {
    type Err = ParseDecimalError;

    fn from_str(text: &str) -> Result<Self, ParseDecimalError> {
        strict(text.as_bytes()).ok_or_else(|| match lenient(text) {
            Ok(canonical) => ParseDecimalError::NotCanonical { text: Excerpt::of(text), canonical },
            Err(error) => error,
        })
    }
}

impl Decimal {
    /// Takes what data files contain: white space around it, a leading "+", leading and trailing zeros, a bare point, an exponent.
    /// Exact or an error: never rounds.
    pub fn parse_lenient(text: &str) -> Result<Self, ParseDecimalError> {
        strict(text.as_bytes()).map_or_else(|| lenient(text), Ok)
    }
}

/// The canonical form; `None` for everything else.
fn strict(text: &[u8]) -> Option<Decimal> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        None => (digits, &[][..]),
        Some(point) if digits.len() > point + 1 => (&digits[..point], &digits[point + 1..]),
        Some(_) => return None,
    };
    let canonical_whole = matches!(whole, [b'0'] | [b'1'..=b'9', ..]);
    if !canonical_whole || fraction.last() == Some(&b'0') || fraction.len() > DIGITS as usize {
        return None;
    }
    let magnitude = match whole.len() + fraction.len() {
        // A canonical text of n digits has at most n significant ones.
        0..=18 => u128::from(fold(whole, fraction, 0u64)?),
        length if length - usize::from(whole == b"0") <= DIGITS as usize => fold(whole, fraction, 0u128)?,
        _ => return None,
    };
    if negative && magnitude == 0 {
        return None;
    }
    Some(Decimal::canonical(negative, magnitude, fraction.len() as u32))
}

/// The digits as one number; `None` if a byte is no digit.
#[inline]
fn fold<N>(whole: &[u8], fraction: &[u8], zero: N) -> Option<N>
where
    N: From<u8> + std::ops::Mul<Output = N> + std::ops::Add<Output = N>,
{
    whole.iter().chain(fraction).try_fold(zero, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * N::from(10) + N::from(digit))
    })
}

/// Any form that data files use.
#[cold]
fn lenient(text: &str) -> Result<Decimal, ParseDecimalError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(ParseDecimalError::Empty);
    }
    let Some(Scientific { negative, digits, exponent }) = Scientific::read(trimmed) else { return Err(refusal(text)) };
    // From here: 0.d1d2d3... with no zero at either end, times 10^exponent.
    let digits = digits.trim_end_matches('0');
    let scale = digits.len() as i64 - exponent;
    if digits.is_empty() {
        Ok(Decimal::canonical(false, 0, 0))
    } else if digits.len() > DIGITS as usize || exponent > i64::from(DIGITS) {
        Err(ParseDecimalError::TooManyDigits(Excerpt::of(text)))
    } else if scale > i64::from(DIGITS) {
        Err(ParseDecimalError::TooFine(Excerpt::of(text)))
    } else {
        let magnitude = fold(digits.as_bytes(), &[], 0u128).expect("only digits were kept");
        let zeros = u32::try_from(-scale).unwrap_or_default();
        let scale = u32::try_from(scale).unwrap_or_default();
        Ok(Decimal::canonical(negative, magnitude * 10u128.pow(zeros), scale))
    }
}

/// 0.`digits` times 10^`exponent`, `digits` without a leading zero.
struct Scientific {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Scientific {
    fn read(text: &str) -> Option<Self> {
        let (negative, unsigned) = sign(text);
        let (number, exponent) = match unsigned.split_once(['e', 'E']) {
            None => (unsigned, 0),
            Some((number, exponent)) => (number, read_exponent(exponent)?),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let all = [whole, fraction].concat();
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = all.trim_start_matches('0');
        let exponent = whole.len() as i64 - (all.len() - digits.len()) as i64 + exponent;
        Some(Self { negative, digits: digits.to_owned(), exponent })
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// An exponent; beyond a million, where no decimal is, it stops to grow.
fn read_exponent(text: &str) -> Option<i64> {
    const MANY: i64 = 1 << 40;
    let (negative, digits) = sign(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude = digits.bytes().fold(0, |number, byte| (number * 10 + i64::from(byte - b'0')).min(MANY));
    Some(if negative { -magnitude } else { magnitude })
}

/// Why a text that is not a number is none.
fn refusal(text: &str) -> ParseDecimalError {
    let excerpt = Excerpt::of(text);
    let word = sign(text.trim()).1.to_ascii_lowercase();
    if ["nan", "inf", "infinity", "∞"].contains(&word.as_str()) {
        return ParseDecimalError::NotFinite(excerpt);
    }
    if text.chars().any(|c| !c.is_ascii() && c.is_numeric()) {
        return ParseDecimalError::ForeignDigits(excerpt);
    }
    let separator = |c: char| matches!(c, ',' | '\'' | '_' | '，' | '’' | '٬' | '٫') || c.is_whitespace();
    let rest = word.replace(separator, "");
    if rest != word && Scientific::read(&rest.replace('.', "")).is_some() {
        return ParseDecimalError::Separator(excerpt);
    }
    ParseDecimalError::Form(excerpt)
}
