//! Exact decimals of up to 28 significant digits.

mod parse;
#[cfg(test)]
mod tests;

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

pub use self::parse::ParseDecimalError;

/// Most significant digits, and most digits after the point.
const DIGITS: u32 = 28;

/// Above every mantissa.
const LIMIT: u128 = 10u128.pow(DIGITS);

/// A figure: exact, at most 28 significant digits, none of them after the 28th decimal place.
///
/// There is one representation of each number, without trailing fraction zeros and without a negative zero; equality, order and
/// hash are those of the number. [`FromStr`](std::str::FromStr) takes only the canonical text that [`Display`](fmt::Display)
/// gives; [`parse_lenient`](Self::parse_lenient) takes what data files contain.
#[derive(Clone, Copy)]
pub struct Decimal(rust_decimal::Decimal);

impl Decimal {
    /// `mantissa` / 10^`scale`; `None` if that has too many digits.
    pub fn from_parts(mut mantissa: i128, mut scale: u32) -> Option<Self> {
        while scale > 0 && mantissa % 10 == 0 && mantissa != 0 {
            mantissa /= 10;
            scale -= 1;
        }
        if mantissa == 0 {
            scale = 0;
        }
        (mantissa.unsigned_abs() < LIMIT && scale <= DIGITS)
            .then(|| Self::canonical(mantissa < 0, mantissa.unsigned_abs(), scale))
    }

    /// Of parts that are in range and have no trailing fraction zero.
    #[inline]
    fn canonical(negative: bool, magnitude: u128, scale: u32) -> Self {
        let word = |shift: u32| (magnitude >> shift) as u32;
        Self(rust_decimal::Decimal::from_parts(word(0), word(32), word(64), negative && magnitude != 0, scale))
    }

    /// The number without its point: 12.5 has the mantissa 125.
    pub fn mantissa(&self) -> i128 {
        self.0.mantissa()
    }

    /// Digits after the point: 12.5 has the scale 1.
    pub fn scale(&self) -> u32 {
        self.0.scale()
    }

    /// For arithmetic; [`from_parts`](Self::from_parts) takes the result back.
    pub fn inner(&self) -> rust_decimal::Decimal {
        self.0
    }

    /// Below zero.
    pub fn is_negative(&self) -> bool {
        self.0.is_sign_negative()
    }

    /// Zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// The exact product; `None` if it has too many digits.
    pub fn checked_mul(&self, other: &Self) -> Option<Self> {
        let (mut a, mut b) = (self.mantissa(), other.mantissa());
        let mut scale = self.scale() + other.scale();
        if let Some(product) = a.checked_mul(b) {
            return Self::from_parts(product, scale);
        }
        // Each pair of a 2 and a 5 is a factor 10: without them, a product that overflows has too many digits.
        let mut zeros = 0;
        for (two, five) in [(2, 5), (5, 2), (10, 1), (1, 10)] {
            while a % two == 0 && b % five == 0 {
                (a, b) = (a / two, b / five);
                zeros += 1;
            }
        }
        let restored = zeros.min(scale);
        scale -= restored;
        let product = a.checked_mul(b)?.checked_mul(10i128.checked_pow(zeros - restored)?)?;
        Self::from_parts(product, scale)
    }

    /// Appends its canonical text.
    pub fn write_to(&self, out: &mut String) {
        let mut buffer = [0; 32];
        out.push_str(self.encode(&mut buffer));
    }

    /// Its canonical text, at the end of the buffer: a sign, a point, a zero before it and 28 digits fit.
    fn encode<'a>(&self, buffer: &'a mut [u8; 32]) -> &'a str {
        let mut writer = Backwards { buffer, start: 32, point: self.scale() };
        let magnitude = self.mantissa().unsigned_abs();
        // Division of 64 bits is many times faster than of 128, and nearly every figure fits.
        match u64::try_from(magnitude) {
            Ok(small) => writer.digits(small, 0),
            Err(_) => {
                const LOW: u128 = 10u128.pow(18);
                writer.digits((magnitude % LOW) as u64, 18);
                writer.digits((magnitude / LOW) as u64, 0);
            }
        }
        writer.finish(self.is_negative())
    }
}

/// Writes a number from its last digit to its first.
struct Backwards<'a> {
    buffer: &'a mut [u8; 32],
    start: usize,
    /// Digits still to come after the point; 0 when it is written or there is none.
    point: u32,
}

impl<'a> Backwards<'a> {
    fn byte(&mut self, byte: u8) {
        self.start -= 1;
        self.buffer[self.start] = byte;
    }

    fn digit(&mut self, digit: u8) {
        self.byte(b'0' + digit);
        if self.point > 0 {
            self.point -= 1;
            if self.point == 0 {
                self.byte(b'.');
            }
        }
    }

    /// The digits of a number, at least so many.
    fn digits(&mut self, mut number: u64, at_least: u32) {
        let mut written = 0;
        while number > 0 || written < at_least {
            self.digit((number % 10) as u8);
            number /= 10;
            written += 1;
        }
    }

    fn finish(mut self, negative: bool) -> &'a str {
        while self.point > 0 {
            self.digit(0);
        }
        if matches!(self.buffer.get(self.start), None | Some(b'.')) {
            self.byte(b'0');
        }
        if negative {
            self.byte(b'-');
        }
        str::from_utf8(&self.buffer[self.start..]).expect("a decimal is ASCII")
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.encode(&mut [0; 32]))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self::canonical(number < 0, number.unsigned_abs().into(), 0)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        // One representation a number: no rescaling.
        self.scale() == other.scale() && self.mantissa() == other.mantissa()
    }
}

impl Eq for Decimal {}

impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.mantissa(), self.scale()).hash(state);
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
