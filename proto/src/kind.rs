//! What the schema's kinds are called.

use crate::v1::EntryKind;

impl EntryKind {
    /// What people call entries of this kind, which is also their field in `CatalogEntry` and their table in catalog files.
    pub fn noun(self) -> &'static str {
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
