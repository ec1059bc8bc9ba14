//! Texts that people take for the same.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// Case, width and composition folded, blanks at the ends and repeated ones removed.
pub(super) fn fold(text: &str) -> String {
    let lower: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    one_blank(&lower)
}

/// As [`fold`], and without the accents of Latin, Greek and Cyrillic letters. Marks of other scripts are letters of their own:
/// without them が would be か.
pub(super) fn fold_accents(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in fold(text).nfd() {
        if !(is_combining_mark(letter) && ('\u{300}'..='\u{36f}').contains(&letter)) {
            plain.push(letter);
        }
    }
    // A spacing accent is a blank with an accent on it: without the accent, the blank is left.
    one_blank(&plain.nfc().collect::<String>())
}

fn one_blank(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_width_composition_and_blanks_do_not_count() {
        assert_eq!(fold("  ＳＨＡＮＤＯＮＧ "), "shandong");
        assert_eq!(fold("Hong\u{3000}\u{3000}Kong"), "hong kong");
        assert_eq!(fold("Co\u{302}te d'Ivoire"), fold("CÔTE D'IVOIRE"));
        assert_eq!(fold("ｶﾞ"), "ガ");
    }

    #[test]
    fn accents_are_folded_only_where_they_are_accents() {
        assert_eq!(fold_accents("Côte d'Ivoire"), "cote d'ivoire");
        assert_eq!(fold_accents("São Tomé"), "sao tome");
        assert_eq!(fold_accents("が"), "が");
        assert_eq!(fold_accents("山东"), "山东");
    }

    #[test]
    fn an_accent_that_stands_alone_leaves_no_blank() {
        assert_eq!(fold_accents("a\u{ffe3}"), "a", "the full-width macron is a blank and a combining macron");
    }

    proptest! {
        #[test]
        fn folding_what_is_folded_changes_nothing(text in "\\PC*") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
            prop_assert_eq!(fold_accents(&fold_accents(&text)), fold_accents(&text));
        }
    }
}
