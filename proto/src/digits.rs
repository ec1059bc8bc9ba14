//! Decimal digits of fixed width, read and written without the formatting machinery: this is the hot path of imports.

/// The value of ASCII digits, if all of them are such.
pub(crate) fn number(digits: &[u8]) -> Option<u16> {
    debug_assert!(digits.len() <= 4);
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u16::from(digit - b'0');
    }
    Some(value)
}

/// Two digits.
pub(crate) fn two(value: u8) -> [u8; 2] {
    [b'0' + value / 10 % 10, b'0' + value % 10]
}

/// Four digits.
pub(crate) fn four(value: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (two((value / 100) as u8), two((value % 100) as u8));
    [a, b, c, d]
}
