//! The key of a series.

use std::{collections::BTreeMap, fmt};

use crate::v1;

/// Names one series of figures: indicator × region × source × dimension values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// Indicator id.
    pub indicator: String,
    /// Region id.
    pub region: String,
    /// Source id.
    pub source: String,
    /// Dimension id to code.
    pub dimensions: BTreeMap<String, String>,
}

/// As people read it: `5g-base-stations / CN-SD / local-media [level=provincial]`.
impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { indicator, region, source, dimensions } = self;
        write!(f, "{indicator} / {region}")?;
        // A lookup may leave the source open.
        if !source.is_empty() {
            write!(f, " / {source}")?;
        }
        let mut opening = " [";
        for (dimension, code) in dimensions {
            write!(f, "{opening}{dimension}={code}")?;
            opening = ", ";
        }
        if dimensions.is_empty() { Ok(()) } else { f.write_str("]") }
    }
}

impl From<v1::SeriesKey> for SeriesKey {
    fn from(key: v1::SeriesKey) -> Self {
        let v1::SeriesKey { indicator, region, source, dimensions } = key;
        Self { indicator, region, source, dimensions: dimensions.into_iter().collect() }
    }
}

impl From<&v1::SeriesKey> for SeriesKey {
    fn from(key: &v1::SeriesKey) -> Self {
        key.clone().into()
    }
}

impl From<SeriesKey> for v1::SeriesKey {
    fn from(key: SeriesKey) -> Self {
        let SeriesKey { indicator, region, source, dimensions } = key;
        Self { indicator, region, source, dimensions: dimensions.into_iter().collect() }
    }
}

impl From<&SeriesKey> for v1::SeriesKey {
    fn from(key: &SeriesKey) -> Self {
        key.clone().into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*};

    use super::*;

    fn key(dimensions: &[(&str, &str)]) -> SeriesKey {
        SeriesKey {
            indicator: "5g-base-stations".into(),
            region: "CN-SD".into(),
            source: "local-media".into(),
            dimensions: dimensions.iter().map(|(dimension, code)| ((*dimension).into(), (*code).into())).collect(),
        }
    }

    #[test]
    fn it_is_printed_as_people_read_it() {
        assert_eq!(key(&[]).to_string(), "5g-base-stations / CN-SD / local-media");
        assert_eq!(key(&[("level", "provincial")]).to_string(), "5g-base-stations / CN-SD / local-media [level=provincial]");
        assert_eq!(
            key(&[("sex", "F"), ("age", "Y15T24")]).to_string(),
            "5g-base-stations / CN-SD / local-media [age=Y15T24, sex=F]"
        );
    }

    proptest! {
        #[test]
        fn it_goes_over_the_wire_unchanged(
            indicator in ".{0,8}", region in ".{0,8}", source in ".{0,8}", dimensions in btree_map(".{0,4}", ".{0,4}", 0..4)
        ) {
            let key = SeriesKey { indicator, region, source, dimensions };
            prop_assert_eq!(&SeriesKey::from(v1::SeriesKey::from(&key)), &key);
            prop_assert_eq!(&SeriesKey::from(&v1::SeriesKey::from(key.clone())), &key);
        }
    }
}
