//! Keys of the one sled tree. A tree of its own for each kind of record would be tidier, but a sled batch is atomic only
//! within a tree, and a commit must be whole.

/// What a key's first byte says. A byte that was ever used is never used for anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Space {
    /// Format version, epoch, token key.
    Meta = 0x01,
    /// Commits that were written together: `revision of the last, part`.
    Log = 0x02,
    /// Series blocks: `series, !revision, kind, part`.
    Block = 0x03,
    /// Series dictionary: `series`.
    Series = 0x04,
    /// Catalog versions: `kind, id, 0, revision`.
    Catalog = 0x05,
    /// Request ids: `id`.
    Request = 0x06,
    /// Request ids by time: `time, id`.
    RequestTime = 0x07,
    /// Units that published equivalents are in: `unit`.
    EquivalentUnit = 0x08,
}

/// Base before delta: a scan from the newest meets a revision's base first, and stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum BlockKind {
    /// The whole current state of the series at this revision.
    Base = 0,
    /// The versions that this revision made.
    Delta = 1,
}

/// `series` big-endian (4), inverted revision big-endian (8), kind (1), part big-endian (2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockKey {
    pub(crate) series: u32,
    pub(crate) revision: u64,
    pub(crate) kind: BlockKind,
    pub(crate) part: u16,
}

impl BlockKey {
    pub(crate) const LENGTH: usize = 16;

    pub(crate) fn encode(self) -> [u8; Self::LENGTH] {
        let mut key = [0; Self::LENGTH];
        key[0] = Space::Block as u8;
        key[1..5].copy_from_slice(&self.series.to_be_bytes());
        key[5..13].copy_from_slice(&(!self.revision).to_be_bytes());
        key[13] = self.kind as u8;
        key[14..16].copy_from_slice(&self.part.to_be_bytes());
        key
    }

    pub(crate) fn decode(key: &[u8]) -> Option<Self> {
        let key: &[u8; Self::LENGTH] = key.try_into().ok()?;
        let kind = match key[13] {
            0 => BlockKind::Base,
            1 => BlockKind::Delta,
            _ => return None,
        };
        (key[0] == Space::Block as u8).then_some(Self {
            series: u32::from_be_bytes([key[1], key[2], key[3], key[4]]),
            revision: !u64::from_be_bytes([key[5], key[6], key[7], key[8], key[9], key[10], key[11], key[12]]),
            kind,
            part: u16::from_be_bytes([key[14], key[15]]),
        })
    }

    /// The first key of a series whose revision is at most `revision`.
    pub(crate) fn newest_at(series: u32, revision: u64) -> [u8; Self::LENGTH] {
        Self { series, revision, kind: BlockKind::Base, part: 0 }.encode()
    }

    /// The first key after those of a series.
    pub(crate) fn end_of(series: u32) -> Vec<u8> {
        match series.checked_add(1) {
            Some(next) => Self::newest_at(next, u64::MAX).to_vec(),
            None => vec![Space::Block as u8 + 1],
        }
    }
}

pub(crate) fn log(revision: u64, part: u16) -> [u8; 11] {
    let mut key = [0; 11];
    key[0] = Space::Log as u8;
    key[1..9].copy_from_slice(&revision.to_be_bytes());
    key[9..11].copy_from_slice(&part.to_be_bytes());
    key
}

/// Revision and part of a log key.
pub(crate) fn decode_log(key: &[u8]) -> Option<(u64, u16)> {
    let key: &[u8; 11] = key.try_into().ok()?;
    (key[0] == Space::Log as u8).then(|| {
        (
            u64::from_be_bytes([key[1], key[2], key[3], key[4], key[5], key[6], key[7], key[8]]),
            u16::from_be_bytes([key[9], key[10]]),
        )
    })
}

pub(crate) fn series(id: u32) -> [u8; 5] {
    let mut key = [0; 5];
    key[0] = Space::Series as u8;
    key[1..5].copy_from_slice(&id.to_be_bytes());
    key
}

/// Ids hold no zero byte, so the versions of an entry lie together, oldest first.
pub(crate) fn catalog(kind: u8, id: &str, revision: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(11 + id.len());
    key.extend([Space::Catalog as u8, kind]);
    key.extend(id.as_bytes());
    key.push(0);
    key.extend(revision.to_be_bytes());
    key
}

/// Kind, id and revision of a catalog key.
pub(crate) fn decode_catalog(key: &[u8]) -> Option<(u8, &str, u64)> {
    let [space, kind, rest @ ..] = key else { return None };
    let (id, revision) = rest.split_at_checked(rest.len().checked_sub(9)?)?;
    let (zero, revision) = revision.split_first()?;
    (*space == Space::Catalog as u8 && *zero == 0).then_some((
        *kind,
        std::str::from_utf8(id).ok()?,
        u64::from_be_bytes(revision.try_into().ok()?),
    ))
}

pub(crate) fn request(id: &str) -> Vec<u8> {
    let mut key = vec![Space::Request as u8];
    key.extend(id.as_bytes());
    key
}

/// Times are after year 1 of the epoch that `Time` counts from only since the sign bit is flipped: order is kept.
pub(crate) fn request_time(micros: i64, id: &str) -> Vec<u8> {
    let mut key = vec![Space::RequestTime as u8];
    key.extend(((micros as u64) ^ (1 << 63)).to_be_bytes());
    key.extend(id.as_bytes());
    key
}

/// Time and id of a request-time key.
pub(crate) fn decode_request_time(key: &[u8]) -> Option<(i64, &str)> {
    let (time, id) = key.get(1..)?.split_at_checked(8)?;
    let time = u64::from_be_bytes(time.try_into().ok()?) ^ (1 << 63);
    Some((time as i64, std::str::from_utf8(id).ok()?))
}

pub(crate) fn equivalent_unit(unit: &str) -> Vec<u8> {
    let mut key = vec![Space::EquivalentUnit as u8];
    key.extend(unit.as_bytes());
    key
}

pub(crate) fn meta(name: &str) -> Vec<u8> {
    let mut key = vec![Space::Meta as u8];
    key.extend(name.as_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block_key() -> impl Strategy<Value = BlockKey> {
        let kind = prop_oneof![Just(BlockKind::Base), Just(BlockKind::Delta)];
        (any::<u32>(), any::<u64>(), kind, any::<u16>()).prop_map(|(series, revision, kind, part)| BlockKey {
            series,
            revision,
            kind,
            part,
        })
    }

    proptest! {
        #[test]
        fn a_block_key_is_read_back(key in block_key()) {
            prop_assert_eq!(BlockKey::decode(&key.encode()), Some(key));
        }

        #[test]
        fn block_keys_sort_by_series_then_newest_then_base_first(a in block_key(), b in block_key()) {
            let order = |k: BlockKey| (k.series, std::cmp::Reverse(k.revision), k.kind, k.part);
            prop_assert_eq!(a.encode().cmp(&b.encode()), order(a).cmp(&order(b)));
        }

        #[test]
        fn a_series_ends_before_the_next_begins(key in block_key(), other in block_key()) {
            let inside = key.encode() >= BlockKey::newest_at(other.series, u64::MAX)
                && key.encode().as_slice() < BlockKey::end_of(other.series).as_slice();
            prop_assert_eq!(inside, key.series == other.series);
        }

        #[test]
        fn log_catalog_and_request_keys_are_read_back(revision: u64, part: u16, kind: u8, id in "[a-zA-Z0-9._-]{1,20}", time: i64) {
            prop_assert_eq!(decode_log(&log(revision, part)), Some((revision, part)));
            let (entry, request) = (catalog(kind, &id, revision), request_time(time, &id));
            prop_assert_eq!(decode_catalog(&entry), Some((kind, id.as_str(), revision)));
            prop_assert_eq!(decode_request_time(&request), Some((time, id.as_str())));
        }

        #[test]
        fn request_times_sort_by_time(a: i64, b: i64) {
            prop_assert_eq!(request_time(a, "").cmp(&request_time(b, "")), a.cmp(&b));
        }
    }
}
