use std::{
    collections::BTreeSet,
    iter,
    ops::Bound::{Excluded, Unbounded},
};

use indicator_proto::v1::{Dimension, EntryKind, Indicator, Region, Source, Unit};

use super::{Catalog, Entry, EntryMessage, Stored, Table, Version, unknown};
use crate::engine::Error;

/// The catalog as one commit left it.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    catalog: &'a Catalog,
    revision: u64,
}

impl<'a> View<'a> {
    pub(super) fn new(catalog: &'a Catalog, revision: u64) -> Self {
        Self { catalog, revision }
    }

    /// The revision that it shows.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// An entry, with the revision of the commit that made this version of it.
    pub fn entry(&self, kind: EntryKind, id: &str) -> Option<(u64, &'a Entry)> {
        let (revision, stored) = self.current(self.table(kind)?.get(id)?)?;
        Some((revision, &stored.entry))
    }

    /// An entry of the kind `T`, with the revision of the commit that made this version of it.
    pub fn get<T: EntryMessage>(&self, id: &str) -> Option<(u64, &'a T)> {
        let (revision, entry) = self.entry(T::KIND, id)?;
        Some((revision, T::of(entry)?))
    }

    /// As [`View::get`].
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is none.
    pub fn find<T: EntryMessage>(&self, id: &str) -> Result<(u64, &'a T), Error> {
        let absent = || Error::NotFound { reason: unknown(T::KIND), kind: T::KIND.noun(), name: id.to_owned() };
        self.get(id).ok_or_else(absent)
    }

    /// A region.
    pub fn region(&self, id: &str) -> Option<&'a Region> {
        Some(self.get(id)?.1)
    }

    /// A source.
    pub fn source(&self, id: &str) -> Option<&'a Source> {
        Some(self.get(id)?.1)
    }

    /// A unit.
    pub fn unit(&self, id: &str) -> Option<&'a Unit> {
        Some(self.get(id)?.1)
    }

    /// A dimension.
    pub fn dimension(&self, id: &str) -> Option<&'a Dimension> {
        Some(self.get(id)?.1)
    }

    /// An indicator.
    pub fn indicator(&self, id: &str) -> Option<&'a Indicator> {
        Some(self.get(id)?.1)
    }

    /// The entries of a kind, by id.
    pub fn entries(&self, kind: EntryKind) -> impl Iterator<Item = &'a Entry> + use<'a> {
        self.stored_after(kind, "").map(|stored| &stored.entry)
    }

    /// The entries of the kind `T`, by id.
    pub fn all<T: EntryMessage + 'a>(&self) -> impl Iterator<Item = &'a T> + use<'a, T> {
        self.entries(T::KIND).filter_map(T::of)
    }

    /// How many entries of a kind there are.
    pub fn count(&self, kind: EntryKind) -> usize {
        self.entries(kind).count()
    }

    /// The regions whose parent is `region`, by id.
    pub fn children(&self, region: &str) -> impl Iterator<Item = &'a Region> + use<'a> {
        let view = *self;
        let known = self.catalog.children.get_key_value(region);
        known.into_iter().flat_map(move |(parent, children)| {
            children.iter().filter_map(move |child| view.region(child)).filter(move |child| *child.parent == **parent)
        })
    }

    /// The regions above `region`, nearest first.
    pub fn ancestors(&self, region: &str) -> impl Iterator<Item = &'a Region> + use<'a> {
        let view = *self;
        let parent = move |region: &Region| view.region(&region.parent);
        // Validation keeps cycles out; the bound keeps a damaged store from holding a reader for ever.
        let bound = self.table(EntryKind::Region).map_or(0, Table::len);
        iter::successors(self.region(region).and_then(parent), move |region| parent(region)).take(bound)
    }

    /// Whether `region` lies below `ancestor`, at any depth. A region does not lie below itself.
    pub fn is_under(&self, region: &str, ancestor: &str) -> bool {
        self.ancestors(region).any(|above| above.id == ancestor)
    }

    /// The ids of the regions below any of these, at any depth.
    pub fn subregions<'i>(&self, regions: impl IntoIterator<Item = &'i str>) -> BTreeSet<&'a str> {
        let mut below = BTreeSet::new();
        let mut open: Vec<&Region> = regions.into_iter().flat_map(|region| self.children(region)).collect();
        while let Some(region) = open.pop() {
            if below.insert(region.id.as_str()) {
                open.extend(self.children(&region.id));
            }
        }
        below
    }

    /// The entries of a kind whose ids come after `id`, by id.
    pub(super) fn stored_after(&self, kind: EntryKind, id: &str) -> impl Iterator<Item = &'a Stored> + use<'a> {
        let view = *self;
        let rest = self.table(kind).map(|table| table.range::<str, _>((Excluded(id), Unbounded)));
        rest.into_iter().flatten().filter_map(move |(_, versions)| Some(view.current(versions)?.1))
    }

    fn table(&self, kind: EntryKind) -> Option<&'a Table> {
        self.catalog.tables.get(&kind).map(|table| &**table)
    }

    fn current(&self, versions: &'a [Version]) -> Option<(u64, &'a Stored)> {
        let newer = versions.iter().rev().take_while(|version| version.revision > self.revision).count();
        let version = versions[..versions.len() - newer].last()?;
        Some((version.revision, version.entry.as_deref()?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{region, unit};
    use super::*;

    fn ids<'a>(regions: impl Iterator<Item = &'a Region>) -> Vec<&'a str> {
        regions.map(|region| region.id.as_str()).collect()
    }

    fn china() -> Catalog {
        let mut catalog = Catalog::default();
        for (id, parent) in [("CN", ""), ("CN-SD", "CN"), ("CN-SD.3710", "CN-SD"), ("CN-SD.3701", "CN-SD"), ("CN-GD", "CN")] {
            catalog.record(1, EntryKind::Region, id, Some(region(id, parent).into()));
        }
        catalog
    }

    #[test]
    fn a_view_shows_the_newest_version_up_to_its_revision() {
        let mut catalog = Catalog::default();
        catalog.record(2, EntryKind::Unit, "CNY", Some(unit("CNY", "Yuan").into()));
        catalog.record(5, EntryKind::Unit, "CNY", Some(unit("CNY", "Renminbi yuan").into()));
        catalog.record(7, EntryKind::Unit, "CNY", None);
        catalog.record(9, EntryKind::Unit, "CNY", Some(unit("CNY", "Chinese yuan").into()));
        let name = |revision| catalog.at(revision).unit("CNY").map(|unit| unit.names["en"].as_str());
        assert_eq!([name(1), name(2), name(4)], [None, Some("Yuan"), Some("Yuan")]);
        assert_eq!([name(5), name(6), name(7), name(8)], [Some("Renminbi yuan"), Some("Renminbi yuan"), None, None]);
        assert_eq!([name(9), name(u64::MAX)], [Some("Chinese yuan"), Some("Chinese yuan")]);
        assert_eq!(catalog.at(8).count(EntryKind::Unit), 0);
        assert_eq!(catalog.at(6).entry(EntryKind::Unit, "CNY").map(|(revision, _)| revision), Some(5));
    }

    #[test]
    fn a_reader_keeps_its_catalog_while_the_writer_records() {
        let mut catalog = china();
        let reader = catalog.clone();
        catalog.record(2, EntryKind::Region, "CN-GD", None);
        assert!(reader.at(u64::MAX).region("CN-GD").is_some());
        assert!(catalog.at(u64::MAX).region("CN-GD").is_none());
    }

    #[test]
    fn subregions_lie_below_at_any_depth() {
        let catalog = china();
        let view = catalog.at(1);
        assert_eq!(ids(view.children("CN")), ["CN-GD", "CN-SD"]);
        assert_eq!(view.subregions(["CN"]), BTreeSet::from(["CN-GD", "CN-SD", "CN-SD.3701", "CN-SD.3710"]));
        assert_eq!(view.subregions(["CN-GD", "nowhere"]), BTreeSet::new());
        assert_eq!(ids(view.ancestors("CN-SD.3710")), ["CN-SD", "CN"]);
        assert!(view.is_under("CN-SD.3710", "CN"));
        assert!(!view.is_under("CN", "CN"));
        assert!(!view.is_under("CN-SD.3710", "CN-GD"));
    }

    #[test]
    fn a_region_that_moved_is_below_its_old_parent_only_in_the_past() {
        let mut catalog = china();
        catalog.record(4, EntryKind::Region, "CN-SD.3710", Some(region("CN-SD.3710", "CN-GD").into()));
        assert_eq!(ids(catalog.at(3).children("CN-SD")), ["CN-SD.3701", "CN-SD.3710"]);
        assert_eq!(ids(catalog.at(4).children("CN-SD")), ["CN-SD.3701"]);
        assert_eq!(ids(catalog.at(4).children("CN-GD")), ["CN-SD.3710"]);
    }

    #[test]
    fn a_cycle_in_a_damaged_store_does_not_hold_a_reader() {
        let mut catalog = Catalog::default();
        catalog.record(1, EntryKind::Region, "A", Some(region("A", "B").into()));
        catalog.record(1, EntryKind::Region, "B", Some(region("B", "A").into()));
        assert!(!catalog.at(1).is_under("A", "C"));
        assert_eq!(catalog.at(1).subregions(["A"]), BTreeSet::from(["A", "B"]));
    }

    proptest! {
        #[test]
        fn subregions_are_those_that_are_under(parents in proptest::collection::vec(0_usize..40, 0..40)) {
            let mut catalog = Catalog::default();
            let name = |i: usize| format!("R{i}");
            for (i, parent) in parents.iter().enumerate() {
                let parent = if *parent < i { name(*parent) } else { String::new() };
                catalog.record(1, EntryKind::Region, &name(i), Some(region(&name(i), &parent).into()));
            }
            let view = catalog.at(1);
            for ancestor in view.all::<Region>() {
                let under: BTreeSet<_> =
                    view.all::<Region>().map(|r| r.id.as_str()).filter(|r| view.is_under(r, &ancestor.id)).collect();
                prop_assert_eq!(view.subregions([ancestor.id.as_str()]), under);
            }
        }
    }
}
