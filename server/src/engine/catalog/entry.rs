//! Entries as they are stored and named. An entry is the validated message itself, so that it evolves by protobuf's rules.

use indicator_proto::v1::{self, EntryKind, ErrorReason};
use prost::Message as _;

pub use indicator_proto::v1::catalog_entry::Entry;

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

/// An entry's name in `language`, else in English, else in the first language by tag.
pub(super) fn name<'e>(entry: &'e Entry, language: &str) -> &'e str {
    let names = match entry {
        Entry::Region(v1::Region { names, .. })
        | Entry::Source(v1::Source { names, .. })
        | Entry::Unit(v1::Unit { names, .. })
        | Entry::Dimension(v1::Dimension { names, .. })
        | Entry::Indicator(v1::Indicator { names, .. }) => names,
    };
    names.get(language).or_else(|| names.get("en")).or_else(|| names.values().next()).map_or("", String::as_str)
}

/// An entry's stored form: the same bytes for the same entry, since generated maps are sorted.
pub fn encode(entry: &Entry) -> Vec<u8> {
    match entry {
        Entry::Region(region) => region.encode_to_vec(),
        Entry::Source(source) => source.encode_to_vec(),
        Entry::Unit(unit) => unit.encode_to_vec(),
        Entry::Dimension(dimension) => dimension.encode_to_vec(),
        Entry::Indicator(indicator) => indicator.encode_to_vec(),
    }
}

/// Reads the stored form.
///
/// # Errors
///
/// [`DecodeError`].
pub fn decode(kind: EntryKind, bytes: &[u8]) -> Result<Entry, DecodeError> {
    Ok(match kind {
        EntryKind::Region => Entry::Region(v1::Region::decode(bytes)?),
        EntryKind::Source => Entry::Source(v1::Source::decode(bytes)?),
        EntryKind::Unit => Entry::Unit(v1::Unit::decode(bytes)?),
        EntryKind::Dimension => Entry::Dimension(v1::Dimension::decode(bytes)?),
        EntryKind::Indicator => Entry::Indicator(v1::Indicator::decode(bytes)?),
        EntryKind::Unspecified => return Err(DecodeError::Kind),
    })
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
