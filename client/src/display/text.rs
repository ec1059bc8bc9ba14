//! Texts that fit into columns: safe to print, measured by what they take on a terminal.

use indicator_proto::{Time, words::Language};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::output::printable;

/// A text of somebody else's, safe to print. Everything that comes from the server passes here.
pub(crate) fn clean(text: &str) -> String {
    printable(text)
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A text cut to a number of columns; what is cut is said by an ellipsis.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut taken = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if taken + wide + 1 > columns {
            break;
        }
        taken += wide;
        cut.push(c);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// A text in a column, at its left end.
pub(crate) fn left(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    let room = columns.saturating_sub(width(&text));
    text + &" ".repeat(room)
}

/// A text in a column, at its right end.
pub(crate) fn right(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    " ".repeat(columns.saturating_sub(width(&text))) + &text
}

/// How long ago a time was, in few words: `12 s`, `3 min`, `5 h`, `2 d`.
pub(crate) fn age(from: Time, now: Time, language: Language) -> String {
    let seconds = (now.micros() - from.micros()).max(0) / 1_000_000;
    let (number, unit) = match seconds {
        0..60 => (seconds, language.word(" s", "秒")),
        60..3600 => (seconds / 60, language.word(" min", "分钟")),
        3600..86_400 => (seconds / 3600, language.word(" h", "小时")),
        86_400..31_536_000 => (seconds / 86_400, language.word(" d", "天")),
        _ => (seconds / 31_536_000, language.word(" y", "年")),
    };
    format!("{number}{unit}")
}

/// The same as a sentence has it: `12 s ago`.
pub(crate) fn ago(from: Time, now: Time, language: Language) -> String {
    match language {
        Language::En => format!("{} ago", age(from, now, language)),
        Language::Zh => format!("{}前", age(from, now, language)),
    }
}

/// The moment that a clock shows.
pub(crate) fn now() -> Time {
    Time::from_micros(jiff::Timestamp::now().as_microsecond()).unwrap_or(Time::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_the_columns_it_is_given() {
        for text in ["5G基站数", "Online retail stores", "é", "", "山"] {
            for columns in 0..12 {
                assert_eq!(width(&left(text, columns)), columns, "{text} in {columns}");
                assert_eq!(width(&right(text, columns)), columns, "{text} in {columns}");
            }
        }
        assert_eq!(fit("数字经济总量", 6), "数字…");
        assert_eq!(right("数字", 6), "  数字");
    }

    #[test]
    fn what_could_steer_a_terminal_is_gone() {
        assert_eq!(clean("a\u{1b}[2Jb\u{9b}c\u{202e}d\r\ne"), "a [2Jb c d  e");
    }

    #[test]
    fn ages_are_told_in_the_greatest_unit_that_fits() {
        let at = |seconds: i64| Time::from_micros(seconds * 1_000_000).unwrap();
        for (seconds, en, zh) in
            [(0, "0 s", "0秒"), (59, "59 s", "59秒"), (60, "1 min", "1分钟"), (7200, "2 h", "2小时"), (200_000, "2 d", "2天")]
        {
            assert_eq!((age(at(0), at(seconds), Language::En), age(at(0), at(seconds), Language::Zh)), (en.into(), zh.into()));
        }
        // The clocks of two machines differ.
        assert_eq!(age(at(5), at(0), Language::En), "0 s");
    }
}
