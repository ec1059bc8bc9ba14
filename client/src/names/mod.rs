//! Ids of what people type: an id, a code of any scheme, a name or an alias in any language; case, width and accents do not count.
//!
//! [`Names`] holds a whole catalog and resolves many texts without a call each; [`Client::resolve`] asks the service for one. Both
//! decide alike: what matches better wins, and what matches equally well is [`NameError::Ambiguous`], never a guess.

mod fold;
mod index;

use std::{collections::HashMap, fmt};

use futures::{StreamExt as _, TryStreamExt as _};
use indicator_proto::v1::{
    CatalogEntry, EntryKind, GetDimensionRequest, ListDimensionsRequest, ListIndicatorsRequest, ListRegionsRequest,
    ListSourcesRequest, ListUnitsRequest, MatchKind, SearchCatalogRequest, catalog_entry::Entry,
};

use self::index::{Index, Terms};
use crate::{Client, Error};

/// Hits to ask for when one text is resolved: more equally good matches than this are not worth listing.
const HITS: u32 = 100;

/// Why a text names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is called so.
    #[error("there is no {kind} {text:?} in the catalog{}", Suggestions(suggestions))]
    Unknown {
        /// What was looked for: `region`, `indicator`, `code of sex`, …
        kind: String,
        /// What was typed.
        text: String,
        /// What may have been meant, likeliest first. May be empty.
        suggestions: Vec<Candidate>,
    },
    /// Several are called so, equally well.
    #[error("the {kind} {text:?} may be {}: give the id", OneOf(candidates))]
    Ambiguous {
        /// What was looked for.
        kind: String,
        /// What was typed.
        text: String,
        /// What it may be, by id.
        candidates: Vec<Candidate>,
    },
}

/// Why a text could not be resolved by the service.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResolveError {
    /// The text names nothing, or several things.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The service could not be asked.
    #[error(transparent)]
    Call(#[from] Error),
}

/// Something that a text may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// Its name, in English where it has one.
    pub name: String,
}

/// The names of a catalog.
#[derive(Debug, Clone, Default)]
pub struct Names {
    entries: HashMap<(EntryKind, String), CatalogEntry>,
    kinds: HashMap<EntryKind, Index>,
    /// By dimension id.
    codes: HashMap<String, Index>,
}

impl Names {
    /// The names of the whole catalog.
    pub async fn load(client: &Client) -> Result<Self, Error> {
        let mut names = Self::default();
        for kind in [EntryKind::Dimension, EntryKind::Indicator, EntryKind::Region, EntryKind::Source, EntryKind::Unit] {
            names.add(entries(client, kind).await?);
        }
        Ok(names)
    }

    /// The names of these entries.
    pub fn from_entries(entries: Vec<CatalogEntry>) -> Self {
        let mut names = Self::default();
        names.add(entries);
        names
    }

    /// Adds entries, for example those that have just been created. One that is there already is replaced.
    pub fn add(&mut self, entries: Vec<CatalogEntry>) {
        for entry in entries {
            let Some((kind, terms)) = entry.entry.as_ref().map(terms) else { continue };
            if let Some(Entry::Dimension(dimension)) = &entry.entry {
                let codes = self.codes.entry(dimension.id.clone()).or_default();
                *codes = Index::default();
                dimension.codes.iter().for_each(|code| codes.add(Terms::new(&code.id, &code.names).aliases(&code.aliases)));
            }
            let id = terms.id().to_owned();
            self.kinds.entry(kind).or_default().add(terms);
            self.entries.insert((kind, id), entry);
        }
    }

    /// The id of what `text` names.
    pub fn resolve(&self, kind: EntryKind, text: &str) -> Result<String, NameError> {
        self.kinds.get(&kind).unwrap_or(&Index::default()).resolve(kind.noun(), text)
    }

    /// The id of the code of a dimension that `text` names.
    pub fn resolve_code(&self, dimension: &str, text: &str) -> Result<String, NameError> {
        let kind = format!("code of {dimension}");
        self.codes.get(dimension).unwrap_or(&Index::default()).resolve(&kind, text)
    }

    /// The entry of an id.
    pub fn entry(&self, kind: EntryKind, id: &str) -> Option<&CatalogEntry> {
        self.entries.get(&(kind, id.to_owned()))
    }
}

impl Client {
    /// The id of what `text` names, by asking the service. For many texts, [`Names::load`] is faster.
    pub async fn resolve(&self, kind: EntryKind, text: &str) -> Result<String, ResolveError> {
        let query = SearchCatalogRequest {
            query: text.trim().to_owned(),
            kinds: vec![kind.into()],
            limit: HITS,
            ..SearchCatalogRequest::default()
        };
        let mut hits = if query.query.is_empty() { Vec::new() } else { self.search_catalog(query).await?.hits };
        // What is spelt alike is another thing, and nothing to choose from: the text may name an entry as the search does not look
        // for it, by the scheme of a code.
        hits.retain(|hit| hit.r#match() != MatchKind::Similar);
        if hits.is_empty() {
            // Not even a part of a name: only the whole list tells what is spelt alike.
            return Ok(Names::from_entries(entries(self, kind).await?).resolve(kind, text)?);
        }
        Ok(Names::from_entries(hits.into_iter().filter_map(|hit| hit.entry).collect()).resolve(kind, text)?)
    }

    /// The id of the code of a dimension that `text` names, by asking the service. `dimension` is an id.
    pub async fn resolve_code(&self, dimension: &str, text: &str) -> Result<String, ResolveError> {
        let request = GetDimensionRequest { id: dimension.to_owned(), as_of: None };
        let found = self.get_dimension(request).await?.dimension;
        let entries = found.into_iter().map(|found| CatalogEntry { entry: Some(Entry::Dimension(found)) });
        Ok(Names::from_entries(entries.collect()).resolve_code(dimension, text)?)
    }
}

async fn entries(client: &Client, kind: EntryKind) -> Result<Vec<CatalogEntry>, Error> {
    let list = match kind {
        EntryKind::Unspecified => return Ok(Vec::new()),
        EntryKind::Region => client.all_regions(ListRegionsRequest::default()).map_ok(Entry::Region).boxed(),
        EntryKind::Source => client.all_sources(ListSourcesRequest::default()).map_ok(Entry::Source).boxed(),
        EntryKind::Unit => client.all_units(ListUnitsRequest::default()).map_ok(Entry::Unit).boxed(),
        EntryKind::Dimension => client.all_dimensions(ListDimensionsRequest::default()).map_ok(Entry::Dimension).boxed(),
        EntryKind::Indicator => client.all_indicators(ListIndicatorsRequest::default()).map_ok(Entry::Indicator).boxed(),
    };
    list.map_ok(|entry| CatalogEntry { entry: Some(entry) }).try_collect().await
}

fn terms(entry: &Entry) -> (EntryKind, Terms) {
    match entry {
        Entry::Region(it) => (EntryKind::Region, Terms::new(&it.id, &it.names).codes(&it.codes).aliases(&it.aliases)),
        Entry::Source(it) => (EntryKind::Source, Terms::new(&it.id, &it.names)),
        Entry::Unit(it) => (EntryKind::Unit, Terms::new(&it.id, &it.names).aliases(it.symbols.values())),
        Entry::Dimension(it) => (EntryKind::Dimension, Terms::new(&it.id, &it.names)),
        Entry::Indicator(it) => (EntryKind::Indicator, Terms::new(&it.id, &it.names).aliases(&it.aliases)),
    }
}

struct OneOf<'a>(&'a [Candidate]);

impl fmt::Display for OneOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, candidate) in self.0.iter().enumerate() {
            match position {
                0 => {}
                _ if position + 1 == self.0.len() => f.write_str(" or ")?,
                _ => f.write_str(", ")?,
            }
            write!(f, "{candidate}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.name)
    }
}

struct Suggestions<'a>(&'a [Candidate]);

impl fmt::Display for Suggestions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "; did you mean {}?", OneOf(self.0)) }
    }
}

#[cfg(test)]
mod tests;
