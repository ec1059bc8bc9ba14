//! Text in SVG: what may stand in it, and about how wide it is.

use unicode_width::UnicodeWidthChar;

/// The text with a mark for each character that XML forbids, that steers a terminal, or that turns the direction of what follows.
pub(super) fn clean(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// About how wide a text is, in units of a drawing: fonts differ, so rather more than less.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| of(c) * size).sum()
}

fn of(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' => 0.32,
        'm' | 'w' | 'M' | 'W' | '%' | '…' => 0.95,
        'A'..='Z' => 0.7,
        '0'..='9' => 0.64,
        _ => match c.width() {
            Some(0) | None => 0.0,
            Some(1) => 0.61,
            Some(_) => 1.03,
        },
    }
}

/// The text, or as much of its start as fits, with an ellipsis.
pub(super) fn cut(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let mut left = most - of('…') * size;
    let fits = |c: &char| {
        left -= of(*c) * size;
        left >= 0.0
    };
    let start: String = text.chars().take_while(fits).collect();
    format!("{}…", start.trim_end())
}

/// A coordinate: to a tenth of a unit, which is less than a pixel.
pub(super) fn number(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0;
    // Never "-0".
    if tenths == 0.0 { "0".to_owned() } else { tenths.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_it_no_longer_fits() {
        assert_eq!(cut("Guangdong", 10.0, 100.0), "Guangdong");
        assert_eq!(cut("Guangdong", 10.0, 40.0), "Guan…");
        assert_eq!(cut("广东省", 10.0, 25.0), "广…");
        assert_eq!(cut("Guangdong", 10.0, 0.0), "…");
    }

    #[test]
    fn what_steers_is_replaced() {
        assert_eq!(
            clean("a\u{0}b\nc\u{85}d\u{202e}e\u{2066}f\u{ffff}"),
            "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f\u{fffd}"
        );
        assert_eq!(clean("广东 <b>&amp;"), "广东 <b>&amp;");
    }

    #[test]
    fn coordinates_have_one_digit_after_the_point() {
        assert_eq!([number(-0.01), number(10.0), number(1.26)], ["0", "10", "1.3"]);
    }
}
