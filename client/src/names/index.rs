//! From texts to ids, for the entries of one kind.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Candidate, NameError,
    fold::{fold, fold_accents},
};

/// At most this many suggestions: more are not read.
const SUGGESTIONS: usize = 5;

/// Jaro–Winkler similarity from which a text may be a misspelling: "Shangdong" and "Shandong" have 0.97, "Guangxi" and "Guangdong" 0.84.
const ALIKE: f64 = 0.86;

/// What one entry is called.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    candidate: Candidate,
    terms: Vec<(Rank, String)>,
}

/// How a text matches, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Rank {
    Id,
    Code,
    Name,
    Alias,
    /// Any of these, if accents do not count.
    Unaccented,
}

const RANKS: [Rank; 5] = [Rank::Id, Rank::Code, Rank::Name, Rank::Alias, Rank::Unaccented];

impl Terms {
    pub(super) fn new(id: &str, names: &BTreeMap<String, String>) -> Self {
        let name = names.get("en").or_else(|| names.values().next());
        let candidate = Candidate { id: id.to_owned(), name: name.map_or(id, String::as_str).to_owned() };
        let mut terms = Self { candidate, terms: Vec::new() };
        terms.push(Rank::Id, id);
        names.values().for_each(|name| terms.push(Rank::Name, name));
        terms
    }

    /// Codes, as they are and with their scheme: `370000`, `gbt2260:370000`.
    pub(super) fn codes(mut self, codes: &BTreeMap<String, String>) -> Self {
        for (scheme, code) in codes {
            self.push(Rank::Code, code);
            self.push(Rank::Code, &format!("{scheme}:{code}"));
        }
        self
    }

    pub(super) fn aliases<'a>(mut self, aliases: impl IntoIterator<Item = &'a String>) -> Self {
        aliases.into_iter().for_each(|alias| self.push(Rank::Alias, alias));
        self
    }

    pub(super) fn id(&self) -> &str {
        &self.candidate.id
    }

    fn push(&mut self, rank: Rank, text: &str) {
        self.terms.push((rank, fold(text)));
        if rank != Rank::Code {
            self.terms.push((Rank::Unaccented, fold_accents(text)));
        }
    }
}

/// The texts of all entries of one kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    entries: BTreeMap<String, Terms>,
    terms: HashMap<(Rank, String), BTreeSet<String>>,
}

impl Index {
    /// Adds an entry, in place of one with its id.
    pub(super) fn add(&mut self, terms: Terms) {
        let id = terms.id().to_owned();
        if let Some(old) = self.entries.remove(&id) {
            for term in old.terms {
                if let Some(ids) = self.terms.get_mut(&term) {
                    ids.remove(&id);
                }
            }
        }
        for term in &terms.terms {
            self.terms.entry(term.clone()).or_default().insert(id.clone());
        }
        self.entries.insert(id, terms);
    }

    pub(super) fn resolve(&self, kind: &str, text: &str) -> Result<String, NameError> {
        // Two ids may differ by case alone: an exact one is never ambiguous.
        if self.entries.contains_key(text.trim()) {
            return Ok(text.trim().to_owned());
        }
        let (folded, plain) = (fold(text), fold_accents(text));
        for rank in RANKS {
            let term = if rank == Rank::Unaccented { &plain } else { &folded };
            let Some(ids) = self.terms.get(&(rank, term.clone())) else { continue };
            let mut ids = ids.iter();
            match (ids.next(), ids.len()) {
                (None, _) => {}
                (Some(only), 0) => return Ok(only.clone()),
                (Some(first), _) => {
                    let candidates = std::iter::once(first).chain(ids).map(|id| self.entries[id].candidate.clone());
                    return Err(NameError::Ambiguous {
                        kind: kind.to_owned(),
                        text: text.trim().to_owned(),
                        candidates: candidates.collect(),
                    });
                }
            }
        }
        let suggestions = self.suggestions(&plain);
        Err(NameError::Unknown { kind: kind.to_owned(), text: text.trim().to_owned(), suggestions })
    }

    fn suggestions(&self, plain: &str) -> Vec<Candidate> {
        let likeness = |entry: &Terms| entry.terms.iter().map(|(_, term)| likeness(term, plain)).fold(0.0, f64::max);
        let mut alike: Vec<_> = self.entries.values().map(|entry| (likeness(entry), entry)).collect();
        alike.retain(|(likeness, _)| *likeness >= ALIKE);
        alike.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        alike.truncate(SUGGESTIONS);
        alike.into_iter().map(|(_, entry)| entry.candidate.clone()).collect()
    }
}

/// 0 to 1. A part of a name counts as alike: the longer the part, the more.
fn likeness(term: &str, text: &str) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    let part = if term.contains(text) { text.len() as f64 / term.len() as f64 } else { 0.0 };
    let spelling = strsim::jaro_winkler(term, text);
    if part > 0.0 { spelling.max(ALIKE + (1.0 - ALIKE) * part) } else { spelling }
}
