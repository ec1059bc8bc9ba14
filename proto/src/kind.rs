//! What the schema's kinds are called.

use crate::v1::{EntryKind, catalog_entry::Entry};

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
