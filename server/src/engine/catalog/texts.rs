//! The texts by which entries are found, and how texts are compared.

use indicator_proto::v1;
use unicode_normalization::{UnicodeNormalization as _, char::canonical_combining_class};

use super::Entry;

/// What a text is to its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its id.
    Id,
    /// A code of the region in some scheme, or a code of the dimension.
    Code,
    /// A name.
    Name,
    /// Another spelling: an alias, a symbol of the unit, a name or alias of a code of the dimension.
    Alias,
    /// A description.
    Description,
}

/// The texts of an entry, in an order that depends on nothing but the entry.
pub(super) fn texts(entry: &Entry) -> Vec<(Role, &str)> {
    let mut texts = Texts(vec![(Role::Id, entry.id())]);
    match entry {
        Entry::Region(region) => {
            texts.add(Role::Code, region.codes.values());
            texts.add(Role::Name, region.names.values());
            texts.add(Role::Alias, &region.aliases);
        }
        Entry::Source(source) => texts.add(Role::Name, source.names.values()),
        Entry::Unit(unit) => {
            texts.add(Role::Name, unit.names.values());
            texts.add(Role::Alias, unit.symbols.values());
        }
        Entry::Dimension(v1::Dimension { names, codes, .. }) => {
            texts.add(Role::Code, codes.iter().map(|code| &code.id));
            texts.add(Role::Name, names.values());
            texts.add(Role::Alias, codes.iter().flat_map(|code| code.names.values().chain(&code.aliases)));
        }
        Entry::Indicator(indicator) => {
            texts.add(Role::Name, indicator.names.values());
            texts.add(Role::Alias, &indicator.aliases);
            texts.add(Role::Description, indicator.descriptions.values());
        }
    }
    texts.0
}

struct Texts<'a>(Vec<(Role, &'a str)>);

impl<'a> Texts<'a> {
    fn add(&mut self, role: Role, values: impl IntoIterator<Item = &'a String>) {
        self.0.extend(values.into_iter().map(|value| (role, value.as_str())));
    }
}

/// What is left of a text when case, width and accents do not count: compatibility decomposition without accents, in folded
/// case, with one space for any white space.
pub(super) fn fold(text: &str) -> String {
    // Marks of a lower class are no accents: they make another letter (voiced kana) or carry the vowel (Indic scripts).
    let letters = text.nfkd().filter(|c| canonical_combining_class(*c) < FIRST_ACCENT);
    // Upper case first, since some letters differ in lower case only: the two sigmas.
    let folded = letters.flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let mut out = String::with_capacity(text.len());
    for c in folded {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// The lowest canonical combining class of an accent, tone or vowel point; 1 to 9 are overlays, nuktas, kana voicing and viramas.
const FIRST_ACCENT: u8 = 10;

/// The folded texts of an entry, in the order of [`texts`].
#[derive(Debug)]
pub(super) struct Keys {
    /// All of them, each followed by a line feed, which no folded text contains: a look here tells whether to look closer.
    all: Box<str>,
    roles: Box<[Role]>,
}

impl Keys {
    pub(super) fn of(entry: &Entry) -> Self {
        let texts = texts(entry);
        let mut all = String::new();
        for (_, text) in &texts {
            all.push_str(&fold(text));
            all.push('\n');
        }
        Self { all: all.into(), roles: texts.into_iter().map(|(role, _)| role).collect() }
    }

    /// Whether any of them can contain `folded`.
    pub(super) fn may_contain(&self, folded: &str) -> bool {
        self.all.contains(folded)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Role, &str)> {
        self.roles.iter().copied().zip(self.all.split_terminator('\n'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_width_and_accents_do_not_count() {
        assert_eq!(fold("Ｓｈāｎｄōｎｇ"), "shandong");
        assert_eq!(fold("CÔTE D’IVOIRE"), fold("Cote d’Ivoire"));
        assert_eq!(fold("ﾃｷｽﾄ"), fold("テキスト"));
        assert_eq!(fold("İstanbul"), "istanbul");
        assert_eq!(fold("ΟΔΟΣ"), fold("οδος"));
        assert_eq!(fold("Straße"), "strasse");
        assert_eq!(fold("㎢"), "km2");
        assert_eq!(fold("５G基站"), "5g基站");
    }

    #[test]
    fn letters_that_differ_stay_different() {
        assert_ne!(fold("が"), fold("か"));
        assert_ne!(fold("कि"), fold("कु"));
        assert_ne!(fold("陕西"), fold("山西"));
    }

    #[test]
    fn white_space_of_any_kind_is_one_space() {
        assert_eq!(fold(" a\u{3000}\n b\t"), "a b");
        assert_eq!(fold("\u{a0}"), "");
    }

    proptest! {
        #[test]
        fn a_folded_text_stays_as_it_is(text in ".*") {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded.clone());
            prop_assert!(!folded.contains('\n'));
        }
    }
}
