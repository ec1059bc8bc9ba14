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
        write!(f, "{indicator} / {region} / {source}")?;
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
