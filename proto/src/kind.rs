//! Catalog entries, whatever their kind, and what the kinds are called.

use crate::v1::{CatalogEntry, Dimension, EntryKind, Indicator, Region, Source, Unit, catalog_entry::Entry};

impl EntryKind {
    /// What people call entries of this kind, which is also their field in `CatalogEntry` and their table in catalog files.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Unspecified => "entry",
            Self::Region => "region",
            Self::Source => "source",
            Self::Unit => "unit",
            Self::Dimension => "dimension",
            Self::Indicator => "indicator",
        }
    }
}

impl Entry {
    /// Its kind.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Region(_) => EntryKind::Region,
            Self::Source(_) => EntryKind::Source,
            Self::Unit(_) => EntryKind::Unit,
            Self::Dimension(_) => EntryKind::Dimension,
            Self::Indicator(_) => EntryKind::Indicator,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Region(it) => &it.id,
            Self::Source(it) => &it.id,
            Self::Unit(it) => &it.id,
            Self::Dimension(it) => &it.id,
            Self::Indicator(it) => &it.id,
        }
    }
}

impl From<Entry> for CatalogEntry {
    fn from(entry: Entry) -> Self {
        Self { entry: Some(entry) }
    }
}

macro_rules! entries {
    ($($kind:ident),*) => {$(
        impl From<$kind> for Entry {
            fn from(message: $kind) -> Self {
                Self::$kind(message)
            }
        }
    )*};
}

entries!(Region, Source, Unit, Dimension, Indicator);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_called_as_its_field_in_a_catalog_entry() {
        let entry = crate::pool().get_message_by_name("indicator.v1.CatalogEntry").expect("in the schema");
        let kinds: Vec<EntryKind> = (1..=5).filter_map(|number| EntryKind::try_from(number).ok()).collect();
        assert_eq!(kinds.len(), entry.fields().len());
        for kind in kinds {
            assert!(entry.get_field_by_name(kind.noun()).is_some(), "{kind:?}");
        }
    }
}
