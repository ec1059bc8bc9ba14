//! Whether a text is what was typed, but for a typing error.

use super::texts::Role;

/// Letters of a word from which it may be misspelt when it is typed among others. Below, nearly any word is like any other.
const SHORTEST_WORD: usize = 3;

/// A text with what tells at a glance that another is not like it. The distance itself is computed for the rest alone.
#[derive(Debug)]
struct Spelling<'a> {
    text: &'a str,
    length: usize,
    /// Which letters it has, each as one of 64 bits.
    letters: u64,
}

impl<'a> Spelling<'a> {
    fn new(text: &'a str) -> Self {
        let (mut length, mut letters) = (0, 0);
        for letter in text.chars() {
            length += 1;
            letters |= 1 << (u32::from(letter) % 64);
        }
        Self { text, length, letters }
    }

    /// The optimal string alignment distance to another text: how many letters were left out, put in, exchanged for another or with
    /// their neighbour. None if there are more than `most`.
    fn distance(&self, other: &str, most: usize) -> Option<usize> {
        let other = Spelling::new(other);
        // An error changes the length by one, and takes one letter away and brings another one in, at most.
        let is_hopeless =
            self.length.abs_diff(other.length) > most || (self.letters ^ other.letters).count_ones() as usize > 2 * most;
        if is_hopeless {
            return None;
        }
        Some(strsim::osa_distance(self.text, other.text)).filter(|distance| *distance <= most)
    }
}

/// How near a text is to what was typed: the lesser, the nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Nearness {
    errors: usize,
    /// What was typed is like a part of it.
    is_part: bool,
}

/// What was typed, if it is long enough to be recognised when it is misspelt.
#[derive(Debug)]
pub(super) struct Misspelt<'a> {
    whole: Spelling<'a>,
    /// Errors in it at most.
    most: usize,
    /// The words, where there are several, each with the errors in it at most.
    words: Vec<(Spelling<'a>, usize)>,
    /// It is written in a script that does not part words.
    is_unparted: bool,
}

impl<'a> Misspelt<'a> {
    /// Of a folded query.
    pub(super) fn new(query: &'a str) -> Option<Self> {
        let letters = query.chars().filter(|letter| !letter.is_whitespace()).count();
        let is_unparted = query.chars().any(is_of_an_unparted_script);
        let most = match letters {
            3.. if is_unparted => 1,
            8.. => 2,
            4.. => 1,
            _ => return None,
        };
        let word = |word: &'a str| {
            let spelling = Spelling::new(word);
            let most = match spelling.length {
                8.. => most,
                SHORTEST_WORD.. => 1,
                _ => 0,
            };
            (spelling, most)
        };
        Some(Self { whole: Spelling::new(query), most, words: query.split(' ').map(word).collect(), is_unparted })
    }

    /// How near it is to a folded text of an entry. None if that takes too many errors.
    pub(super) fn nearness(&self, role: Role, text: &str) -> Option<Nearness> {
        let parts = match role {
            // A part of a description is like nearly anything.
            Role::Description => return None,
            Role::Id | Role::Code => None,
            Role::Name | Role::Alias => self.errors_of_words(text).into_iter().chain(self.errors_of_parts(text)).min(),
        };
        let whole = self.whole.distance(text, self.most).map(|errors| Nearness { errors, is_part: false });
        whole.into_iter().chain(parts.map(|errors| Nearness { errors, is_part: true })).min()
    }

    /// Every word that was typed is in the text, or is a misspelt word of it, in any order.
    fn errors_of_words(&self, text: &str) -> Option<usize> {
        let errors = self.words.iter().try_fold(0, |sum, (word, most)| {
            if text.contains(word.text) {
                return Some(sum);
            }
            let errors = text.split(' ').filter_map(|other| word.distance(other, *most)).min()?;
            Some(sum + errors).filter(|sum| *sum <= self.most)
        });
        errors.filter(|errors| *errors > 0)
    }

    /// Where words are not parted, any part of the text that is as long as the query may be what was meant.
    fn errors_of_parts(&self, text: &str) -> Option<usize> {
        if !self.is_unparted {
            return None;
        }
        let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let parts = bounds.iter().zip(bounds.iter().skip(self.whole.length)).map(|(from, to)| &text[*from..*to]);
        parts.filter_map(|part| self.whole.distance(part, self.most)).min()
    }
}

/// Han and kana.
fn is_of_an_unparted_script(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn errors(query: &str, name: &str) -> Option<usize> {
        Some(Misspelt::new(query)?.nearness(Role::Name, name)?.errors)
    }

    #[test]
    fn a_letter_left_out_put_in_or_exchanged_is_one_error() {
        for query in ["shndong", "shangdong", "shamdong", "shadnong"] {
            assert_eq!(errors(query, "shandong"), Some(1), "{query}");
        }
    }

    #[test]
    fn the_longer_the_query_the_more_errors_are_allowed() {
        assert_eq!(errors("gpd", "gdp"), None, "three letters are like too much");
        assert_eq!(errors("ouptut", "output"), Some(1));
        assert_eq!(errors("ouptt", "output"), None);
        assert_eq!(errors("shangdon", "shandong"), Some(2));
        assert_eq!(errors("shagndon", "shandng"), None);
        assert_eq!(errors("populatoin densty", "population density"), Some(2));
    }

    #[test]
    fn words_are_misspelt_one_by_one_and_stand_in_any_order() {
        assert_eq!(errors("bse stations", "5g base stations"), Some(1));
        assert_eq!(errors("staions", "5g base stations"), Some(1));
        assert_eq!(errors("staions base 5g", "5g base stations"), Some(1));
        assert_eq!(errors("bse staions", "5g base stations"), Some(2));
        assert_eq!(errors("bse staons", "5g base stations"), None, "more errors than the whole may have");
        assert_eq!(errors("4g stations", "5g base stations"), None, "a short word is another word, not a misspelt one");
        assert_eq!(errors("bse prices", "5g base stations"), None);
    }

    #[test]
    fn a_whole_name_is_nearer_than_a_part_of_one_and_fewer_errors_are_nearer_still() {
        let near = |name| Misspelt::new("shangdong").unwrap().nearness(Role::Name, name).unwrap();
        assert!(near("shandong") < near("shandong bureau"));
        assert!(near("shandong bureau") < near("guangdong"));
    }

    #[test]
    fn of_scripts_that_do_not_part_words_any_part_may_be_meant() {
        assert_eq!(errors("山冻省", "山东省"), Some(1));
        assert_eq!(errors("大数居", "山东省大数据局"), Some(1));
        assert_eq!(errors("5g机站", "5g基站数"), Some(1));
        assert_eq!(errors("基占", "5g基站数"), None, "two characters are like too much");
        assert_eq!(errors("数子经挤总量", "数字经济总量"), None);
    }

    #[test]
    fn ids_and_codes_are_alike_as_a_whole_and_descriptions_never() {
        let query = Misspelt::new("37001").unwrap();
        assert_eq!(query.nearness(Role::Code, "370001"), Some(Nearness { errors: 1, is_part: false }));
        let query = Misspelt::new("staions").unwrap();
        assert_eq!(query.nearness(Role::Id, "5g-base-stations"), None);
        assert_eq!(query.nearness(Role::Description, "stations"), None);
    }

    proptest! {
        #[test]
        fn a_glance_dismisses_nothing_that_is_near(left in "[a-d基]{0,6}", right in "[a-d站]{0,6}", most in 0_usize..3) {
            let distance = strsim::osa_distance(&left, &right);
            prop_assert_eq!(Spelling::new(&left).distance(&right, most), (distance <= most).then_some(distance));
        }
    }
}
