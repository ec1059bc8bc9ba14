//! Protobuf bytes that depend only on what a message says.
//!
//! A map field is encoded as a run of entries in the order of its hash table, which is another one in every process. Whatever is
//! compared or hashed as bytes (stored entries, requests bound to a token) therefore has its map entries sorted first. That moves
//! bytes but adds none, so the result is an encoding of the same message.

use std::ops::Range;

use prost::Message;

/// Which fields of a message are maps.
#[derive(Debug)]
pub(crate) enum Maps {
    /// Field numbers of its maps, and of the messages in it that have maps themselves.
    Known {
        /// Field numbers of maps.
        maps: &'static [u32],
        /// Field numbers of messages, with their maps.
        inside: &'static [(u32, Maps)],
    },
    /// Not known: every run of one field is sorted, wherever there may be a map down to `depth`. Lists count as sets.
    Unknown {
        /// How many messages deep to look.
        depth: u8,
    },
}

/// No request nests maps deeper; and a hostile text cannot make the stack any deeper.
const ANY: Maps = Maps::Unknown { depth: 8 };

/// Encodes `message` with its maps sorted.
pub(crate) fn encode(message: &impl Message, maps: &Maps) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    sorted(&bytes, maps).expect("what prost has encoded is well-formed")
}

/// A number for what a request or filter says, to bind a token to it. Lists count as sets, as filters read them. It is the same
/// in every process and release: a field that is absent does not count.
pub fn fingerprint(message: &impl Message) -> u64 {
    let hash = blake3::hash(&encode(message, &ANY));
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("8 of 32 bytes"))
}

/// One field as encoded.
struct Field {
    number: u32,
    /// The whole field, or for a length-delimited one what stands before its content.
    head: Range<usize>,
    /// The content of a length-delimited field, sorted.
    content: Option<Vec<u8>>,
}

fn sorted(message: &[u8], maps: &Maps) -> Option<Vec<u8>> {
    let mut fields = Vec::new();
    let mut at = 0;
    while at < message.len() {
        let field = field(message, at, maps)?;
        at = field.head.end + field.content.as_ref().map_or(0, Vec::len);
        fields.push(field);
    }
    for run in fields.chunk_by_mut(|a, b| a.number == b.number && a.content.is_some() && b.content.is_some()) {
        let is_map = match maps {
            Maps::Known { maps, .. } => maps.contains(&run[0].number),
            Maps::Unknown { .. } => true,
        };
        if is_map {
            run.sort_by(|a, b| a.content.cmp(&b.content));
        }
    }
    let mut out = Vec::with_capacity(message.len());
    for field in fields {
        out.extend_from_slice(&message[field.head]);
        out.extend_from_slice(field.content.as_deref().unwrap_or_default());
    }
    Some(out)
}

/// Reads the field at `at`; `None` if there is none.
fn field(message: &[u8], at: usize, maps: &Maps) -> Option<Field> {
    let (tag, mut end) = varint(message, at)?;
    let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
    let mut content = None;
    match tag & 7 {
        0 => end = varint(message, end)?.1,
        1 => end = end.checked_add(8).filter(|end| *end <= message.len())?,
        5 => end = end.checked_add(4).filter(|end| *end <= message.len())?,
        2 => {
            let (length, start) = varint(message, end)?;
            let bytes = message.get(start..start.checked_add(usize::try_from(length).ok()?)?)?;
            content = Some(inner(bytes, number, maps));
            end = start;
        }
        _ => return None,
    }
    Some(Field { number, head: at..end, content })
}

/// The content of field `number`, sorted if it is a message with maps.
fn inner(bytes: &[u8], number: u32, maps: &Maps) -> Vec<u8> {
    let sorted = match maps {
        Maps::Known { inside, .. } => inside.iter().find(|(field, _)| *field == number).and_then(|(_, maps)| sorted(bytes, maps)),
        // Texts and messages look alike here. But a message with a map of two entries holds the tag of a key, a control
        // character, so a text without control characters is never taken for a message.
        Maps::Unknown { depth: depth @ 1.. } if bytes.iter().any(u8::is_ascii_control) => {
            sorted(bytes, &Maps::Unknown { depth: depth - 1 })
        }
        Maps::Unknown { .. } => None,
    };
    sorted.unwrap_or_else(|| bytes.to_vec())
}

fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (i, byte) in bytes.get(at..)?.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, at + i + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use indicator_proto::v1;
    use proptest::prelude::*;

    use super::*;

    fn query(pairs: impl IntoIterator<Item = (String, String)>) -> v1::QueryObservationsRequest {
        let filter = v1::ObservationFilter {
            regions: vec!["CN-SD".into()],
            dimensions: pairs.into_iter().collect(),
            start_period: "2020".into(),
            ..Default::default()
        };
        v1::QueryObservationsRequest { filter: Some(filter), latest_n: 3, ..Default::default() }
    }

    #[test]
    fn every_way_of_building_a_map_has_one_fingerprint() {
        let pairs: Vec<_> = (0..20).map(|i| (format!("dimension-{i}"), format!("code-{i}"))).collect();
        let first = fingerprint(&query(pairs.clone()));
        for _ in 0..20 {
            assert_eq!(fingerprint(&query(pairs.iter().rev().cloned())), first);
        }
    }

    #[test]
    fn the_fingerprint_is_the_same_in_every_release() {
        let pairs = [("sex".to_owned(), "F".to_owned()), ("age".to_owned(), "Y15".to_owned())];
        assert_eq!(fingerprint(&query(pairs)), 1_942_799_869_746_816_082);
    }

    #[test]
    fn texts_that_look_like_fields_are_not_rearranged() {
        let ask = |filter: &str| v1::ListUnitsRequest { filter: filter.into(), ..Default::default() };
        assert_ne!(fingerprint(&ask("b0a0")), fingerprint(&ask("a0b0")));
        assert_ne!(fingerprint(&ask("H1P2")), fingerprint(&ask("P2H1")));
    }

    #[test]
    fn fields_nested_without_end_are_not_followed_to_the_end() {
        let mut backwards = vec![b'x'];
        for _ in 0..100_000 {
            let mut tag_and_length = vec![0x0a];
            prost::encoding::encode_varint(backwards.len() as u64, &mut tag_and_length);
            backwards.extend(tag_and_length.iter().rev());
        }
        backwards.reverse();
        assert_eq!(sorted(&backwards, &ANY), Some(backwards));
    }

    proptest! {
        #[test]
        fn another_filter_has_another_fingerprint(
            a in proptest::collection::btree_map("[a-z]{1,3}", "[A-Z]{0,2}", 0..6),
            b in proptest::collection::btree_map("[a-z]{1,3}", "[A-Z]{0,2}", 0..6),
        ) {
            prop_assert_eq!(fingerprint(&query(a.clone())) == fingerprint(&query(b.clone())), a == b);
        }

        #[test]
        fn sorting_keeps_the_message(pairs in proptest::collection::btree_map(".{0,9}", ".{0,9}", 0..6)) {
            let message = query(pairs);
            let back = v1::QueryObservationsRequest::decode(encode(&message, &ANY).as_slice());
            prop_assert_eq!(back.unwrap(), message);
        }

        #[test]
        fn garbage_is_refused_without_a_panic(bytes: Vec<u8>) {
            if let Some(out) = sorted(&bytes, &ANY) {
                prop_assert_eq!(out.len(), bytes.len());
            }
        }
    }
}
