use indicator_proto::v1::{self, EntryKind, ErrorReason, catalog_entry};
use prost::Message as _;

/// An entry of the catalog: the validated message itself, so that it evolves by protobuf's rules.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A place.
    Region(v1::Region),
    /// Who says so.
    Source(v1::Source),
    /// What figures are in.
    Unit(v1::Unit),
    /// A breakdown.
    Dimension(v1::Dimension),
    /// What is measured.
    Indicator(v1::Indicator),
}

/// Why bytes are not an entry.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No kind of entries has this number.
    #[error("there are no entries of this kind")]
    Kind,
    /// Not the message of that kind.
    #[error(transparent)]
    Message(#[from] prost::DecodeError),
}

impl Entry {
    /// Its kind; never `UNSPECIFIED`.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Region(_) => EntryKind::Region,
            Self::Source(_) => EntryKind::Source,
            Self::Unit(_) => EntryKind::Unit,
            Self::Dimension(_) => EntryKind::Dimension,
            Self::Indicator(_) => EntryKind::Indicator,
        }
    }

    /// Its id, unique among its kind.
    pub fn id(&self) -> &str {
        match self {
            Self::Region(v1::Region { id, .. })
            | Self::Source(v1::Source { id, .. })
            | Self::Unit(v1::Unit { id, .. })
            | Self::Dimension(v1::Dimension { id, .. })
            | Self::Indicator(v1::Indicator { id, .. }) => id,
        }
    }

    /// Its name in `language`, else in English, else in the first language by tag.
    pub fn name(&self, language: &str) -> &str {
        let names = match self {
            Self::Region(v1::Region { names, .. })
            | Self::Source(v1::Source { names, .. })
            | Self::Unit(v1::Unit { names, .. })
            | Self::Dimension(v1::Dimension { names, .. })
            | Self::Indicator(v1::Indicator { names, .. }) => names,
        };
        names.get(language).or_else(|| names.get("en")).or_else(|| names.values().next()).map_or("", String::as_str)
    }

    /// Its stored form: the same bytes for the same entry, since generated maps are sorted.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Region(region) => region.encode_to_vec(),
            Self::Source(source) => source.encode_to_vec(),
            Self::Unit(unit) => unit.encode_to_vec(),
            Self::Dimension(dimension) => dimension.encode_to_vec(),
            Self::Indicator(indicator) => indicator.encode_to_vec(),
        }
    }

    /// Reads the stored form.
    pub fn decode(kind: EntryKind, bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(match kind {
            EntryKind::Region => Self::Region(v1::Region::decode(bytes)?),
            EntryKind::Source => Self::Source(v1::Source::decode(bytes)?),
            EntryKind::Unit => Self::Unit(v1::Unit::decode(bytes)?),
            EntryKind::Dimension => Self::Dimension(v1::Dimension::decode(bytes)?),
            EntryKind::Indicator => Self::Indicator(v1::Indicator::decode(bytes)?),
            EntryKind::Unspecified => return Err(DecodeError::Kind),
        })
    }

    /// The message that carries any entry; `None` if it carries none.
    pub fn from_proto(entry: v1::CatalogEntry) -> Option<Self> {
        Some(match entry.entry? {
            catalog_entry::Entry::Region(region) => Self::Region(region),
            catalog_entry::Entry::Source(source) => Self::Source(source),
            catalog_entry::Entry::Unit(unit) => Self::Unit(unit),
            catalog_entry::Entry::Dimension(dimension) => Self::Dimension(dimension),
            catalog_entry::Entry::Indicator(indicator) => Self::Indicator(indicator),
        })
    }
}

impl From<Entry> for v1::CatalogEntry {
    fn from(entry: Entry) -> Self {
        let entry = match entry {
            Entry::Region(region) => catalog_entry::Entry::Region(region),
            Entry::Source(source) => catalog_entry::Entry::Source(source),
            Entry::Unit(unit) => catalog_entry::Entry::Unit(unit),
            Entry::Dimension(dimension) => catalog_entry::Entry::Dimension(dimension),
            Entry::Indicator(indicator) => catalog_entry::Entry::Indicator(indicator),
        };
        Self { entry: Some(entry) }
    }
}

/// The message of one kind of entries.
pub trait EntryMessage: Clone {
    /// Its kind.
    const KIND: EntryKind;

    /// The message in `entry`, if that is of this kind.
    fn of(entry: &Entry) -> Option<&Self>;

    /// Its id, unique among its kind.
    fn id(&self) -> &str;
}

macro_rules! entry_messages {
    ($($kind:ident),*) => {$(
        impl EntryMessage for v1::$kind {
            const KIND: EntryKind = EntryKind::$kind;

            fn of(entry: &Entry) -> Option<&Self> {
                match entry {
                    Entry::$kind(message) => Some(message),
                    _ => None,
                }
            }

            fn id(&self) -> &str {
                &self.id
            }
        }

        impl From<v1::$kind> for Entry {
            fn from(message: v1::$kind) -> Self {
                Self::$kind(message)
            }
        }
    )*};
}
entry_messages!(Region, Source, Unit, Dimension, Indicator);

/// The reason of an error about an id that no entry of this kind has.
pub fn unknown(kind: EntryKind) -> ErrorReason {
    match kind {
        EntryKind::Unspecified => ErrorReason::InvalidEnum,
        EntryKind::Region => ErrorReason::UnknownRegion,
        EntryKind::Source => ErrorReason::UnknownSource,
        EntryKind::Unit => ErrorReason::UnknownUnit,
        EntryKind::Dimension => ErrorReason::UnknownDimension,
        EntryKind::Indicator => ErrorReason::UnknownIndicator,
    }
}
