//! The digest of a state: what `Progress.digest` of the schema says.

use prost::Message as _;

use crate::v1;

/// An order-independent digest of cells: the sum of their hashes modulo 2^64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// A cell has this hash now.
    pub fn add(&mut self, cell_hash: u64) {
        self.0 = self.0.wrapping_add(cell_hash);
    }

    /// A cell has this hash no more.
    pub fn remove(&mut self, cell_hash: u64) {
        self.0 = self.0.wrapping_sub(cell_hash);
    }
}

/// The hash of a cell: of its series key, and of its observation without `series` and the output-only fields.
pub fn cell_hash(series: &v1::SeriesKey, observation: &v1::Observation) -> u64 {
    // Generated maps are sorted by key, so that equal keys have equal encodings.
    let mut bytes = series.encode_to_vec();
    bytes.push(0);
    recorded_fields(observation).encode(&mut bytes).expect("a vector grows");
    let hash = blake3::hash(&bytes);
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a BLAKE3 hash has 32 bytes"))
}

/// What the writer said, in one form.
fn recorded_fields(observation: &v1::Observation) -> v1::Observation {
    // As numbers: a client must agree on a status that its version does not know.
    let mut statuses = observation.statuses.clone();
    statuses.sort_unstable();
    statuses.dedup();
    v1::Observation {
        series: None,
        period: observation.period.clone(),
        value: observation.value.clone(),
        bound: observation.bound,
        interval: observation.interval.clone(),
        missing: observation.missing,
        statuses,
        rounded_to: observation.rounded_to.clone(),
        equivalents: observation.equivalents.clone(),
        original_text: observation.original_text.clone(),
        note: observation.note.clone(),
        document_uri: observation.document_uri.clone(),
        published_at: observation.published_at,
        recorded_at: None,
        revision: 0,
        deleted: false,
        other_sources: 0,
        sources_disagree: false,
        unit: String::new(),
        coverage: None,
        derivation: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost_types::Timestamp;

    use super::*;

    fn series() -> v1::SeriesKey {
        v1::SeriesKey {
            indicator: "industrial-internet-platforms".into(),
            region: "CN-SD".into(),
            source: "local-media".into(),
            dimensions: [("level", "provincial"), ("area", "all")].map(|(id, code)| (id.to_owned(), code.to_owned())).into(),
        }
    }

    fn platforms() -> v1::Observation {
        v1::Observation {
            period: "2021-12-06".into(),
            value: "115".into(),
            bound: v1::Bound::Exact.into(),
            statuses: vec![3, 10],
            published_at: Some(Timestamp { seconds: 1_638_748_800, nanos: 0 }),
            ..Default::default()
        }
    }

    fn hash(observation: v1::Observation) -> u64 {
        cell_hash(&series(), &observation)
    }

    #[test]
    fn it_is_computed_as_the_contract_says() {
        // Field by field, as a client in another language would.
        let mut bytes = Vec::new();
        let text = |tag: u8, text: &[u8]| [&[tag << 3 | 2, text.len() as u8][..], text].concat();
        bytes.extend(text(1, b"industrial-internet-platforms"));
        bytes.extend(text(2, b"CN-SD"));
        bytes.extend(text(3, b"local-media"));
        bytes.extend(text(4, &[text(1, b"area"), text(2, b"all")].concat()));
        bytes.extend(text(4, &[text(1, b"level"), text(2, b"provincial")].concat()));
        bytes.push(0);
        bytes.extend(text(2, b"2021-12-06"));
        bytes.extend(text(3, b"115"));
        bytes.extend([4 << 3, 1]);
        bytes.extend(text(7, &[3, 10]));
        bytes.extend(text(13, &[1 << 3, 0x80, 0xa5, 0xb5, 0x8d, 0x6]));
        let expected = u64::from_le_bytes(blake3::hash(&bytes).as_bytes()[..8].try_into().expect("8 bytes"));
        assert_eq!(hash(platforms()), expected);
    }

    #[test]
    fn output_only_fields_the_order_of_statuses_and_the_place_of_the_series_do_not_count() {
        let delivered = v1::Observation {
            series: Some(series()),
            statuses: vec![99, 10, 3, 10],
            recorded_at: Some(Timestamp::default()),
            revision: 7,
            other_sources: 2,
            sources_disagree: true,
            ..platforms()
        };
        assert_eq!(hash(delivered), hash(v1::Observation { statuses: vec![3, 10, 99], ..platforms() }));
    }

    #[test]
    fn what_the_writer_said_counts() {
        let others = [
            v1::Observation { period: "2021".into(), ..platforms() },
            v1::Observation { value: "116".into(), ..platforms() },
            v1::Observation { bound: v1::Bound::AtLeast.into(), ..platforms() },
            v1::Observation { interval: Some(v1::Interval::default()), ..platforms() },
            v1::Observation { missing: 1, ..platforms() },
            v1::Observation { statuses: vec![3], ..platforms() },
            v1::Observation { rounded_to: "1".into(), ..platforms() },
            v1::Observation { equivalents: vec![v1::Equivalent::default()], ..platforms() },
            v1::Observation { original_text: "115".into(), ..platforms() },
            v1::Observation { note: "x".into(), ..platforms() },
            v1::Observation { document_uri: "x".into(), ..platforms() },
            v1::Observation { published_at: None, ..platforms() },
        ];
        for other in others {
            assert_ne!(hash(other.clone()), hash(platforms()), "{other:?}");
        }
        let elsewhere = v1::SeriesKey { region: "CN".into(), ..series() };
        assert_ne!(cell_hash(&elsewhere, &platforms()), hash(platforms()));
    }

    proptest! {
        #[test]
        fn a_digest_does_not_depend_on_the_order_of_the_cells(hashes in prop::collection::vec(any::<u64>(), 0..20), removed in any::<u64>()) {
            let (mut forwards, mut backwards) = (Digest::default(), Digest::default());
            forwards.add(removed);
            hashes.iter().for_each(|hash| forwards.add(*hash));
            hashes.iter().rev().for_each(|hash| backwards.add(*hash));
            forwards.remove(removed);
            prop_assert_eq!(forwards, backwards);
        }
    }
}
