//! The catalog: validated, versioned, searched, in memory.
//!
//! - [`Catalog`] holds every version of every entry; a [`View`] shows it at one revision.
//! - [`plan`] checks a request against a view and says what it would change; [`Plan::record`] makes the change.
//! - [`View::find`], [`list`] and [`Search`] answer the reads of the service.

mod derived;
mod entry;
mod form;
mod list;
mod obstacles;
mod references;
mod search;
mod spelling;
mod texts;
mod units;
mod validate;
mod view;

#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

pub use entry::{DecodeError, Entry, EntryMessage, decode, encode, unknown};
use indicator_proto::v1::EntryKind;
pub use list::{ListRequest, Page, list};
pub use search::Search;
use texts::Keys;
pub use validate::{Change, Plan, Usage, plan};
pub use view::View;

/// Every version of every entry. Cloning is cheap: readers keep a clone, the writer records into its own.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    tables: BTreeMap<EntryKind, Arc<Table>>,
    /// Region to the regions that have it as parent in any version; a view looks which of them have it at its revision.
    children: Arc<BTreeMap<Arc<str>, BTreeSet<Arc<str>>>>,
}

/// The entries of one kind by id, each with its versions, newest last.
type Table = BTreeMap<Arc<str>, Arc<Vec<Version>>>;

#[derive(Debug, Clone)]
struct Version {
    revision: u64,
    /// `None` where the entry was deleted.
    entry: Option<Arc<Stored>>,
}

/// An entry with what searches compare, which is made when a search first needs it.
#[derive(Debug)]
struct Stored {
    entry: Entry,
    keys: OnceLock<Keys>,
}

impl Stored {
    fn keys(&self) -> &Keys {
        self.keys.get_or_init(|| Keys::of(&self.entry))
    }
}

impl Catalog {
    /// Adds a version: what commit `revision` made of the entry, `None` if it deleted it. The versions of an entry come in the
    /// order of their revisions. Clones of the catalog made before stay as they are.
    pub fn record(&mut self, revision: u64, kind: EntryKind, id: &str, entry: Option<Entry>) {
        let table = Arc::make_mut(self.tables.entry(kind).or_default());
        let id: Arc<str> = table.get_key_value(id).map_or_else(|| id.into(), |(id, _)| id.clone());
        if let Some(Entry::Region(region)) = &entry
            && !region.parent.is_empty()
        {
            let children = Arc::make_mut(&mut self.children);
            match children.get_mut(region.parent.as_str()) {
                Some(children) => _ = children.insert(id.clone()),
                None => _ = children.insert(region.parent.as_str().into(), BTreeSet::from([id.clone()])),
            }
        }
        let versions = Arc::make_mut(table.entry(id).or_default());
        debug_assert!(versions.last().is_none_or(|last| last.revision < revision), "versions come in order");
        let entry = entry.map(|entry| Arc::new(Stored { entry, keys: OnceLock::new() }));
        versions.push(Version { revision, entry });
    }

    /// What the commits after `from`, up to `to`, made of the entries together, by kind, then id.
    pub fn changes_between(&self, from: u64, to: u64) -> Vec<Change> {
        let (before, after) = (self.at(from), self.at(to));
        let tables = self.tables.iter().flat_map(|(kind, table)| table.keys().map(move |id| (*kind, id)));
        let change = |(kind, id): (EntryKind, &Arc<str>)| match (before.entry(kind, id), after.entry(kind, id)) {
            (None, Some((_, after))) => Some(Change::Inserted(after.clone())),
            (Some((was, before)), Some((is, after))) if was != is => Some(Change::Revised(before.clone(), after.clone())),
            (Some((_, before)), None) => Some(Change::Deleted(before.clone())),
            (None, None) | (Some(_), Some(_)) => None,
        };
        tables.filter_map(change).collect()
    }

    /// The catalog as commit `revision` left it.
    pub fn at(&self, revision: u64) -> View<'_> {
        View::new(self, revision)
    }
}
