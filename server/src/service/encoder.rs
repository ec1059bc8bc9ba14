//! Observations as bytes of the messages that carry them.
//!
//! Queries and watches send millions of them; made into messages first, each would be half a dozen allocations, and be walked twice
//! to be measured and written.

use bytes::Bytes;
use indicator_proto::{Bound, SeriesKey, Time, v1};
use prost::Message as _;
use prost_types::Timestamp;

use super::{encoded::PutField as _, wire};
use crate::{
    engine::Row,
    store::{Datum, Version},
};

/// Writes observations; keeps its buffers from one to the next.
#[derive(Default)]
pub(crate) struct ObservationEncoder {
    observation: Vec<u8>,
    part: Vec<u8>,
    text: String,
}

impl ObservationEncoder {
    /// `QueryObservationsResponse.chunk` with these rows of a series.
    pub(super) fn query_chunk(&mut self, key: &SeriesKey, rows: &[Row]) -> Bytes {
        let chunk = self.series_observations(key, rows.iter().map(|row| (&row.version, row.other_sources, row.sources_disagree)));
        // QueryObservationsResponse: chunk = 2.
        let mut message = Vec::with_capacity(chunk.len() + 8);
        message.put_bytes(2, &chunk);
        message.into()
    }

    /// `SeriesObservations`: each version with how many other sources there are, and whether they disagree.
    pub(crate) fn series_observations<'a>(
        &mut self,
        key: &SeriesKey,
        versions: impl ExactSizeIterator<Item = (&'a Version, u32, bool)>,
    ) -> Vec<u8> {
        // SeriesObservations: series = 1, observations = 2.
        let mut chunk = Vec::with_capacity(64 + versions.len() * 64);
        self.put_series(1, key, &mut chunk);
        for (version, other_sources, sources_disagree) in versions {
            self.write(None, version, other_sources, sources_disagree);
            chunk.put_bytes(2, &self.observation);
        }
        chunk
    }

    /// A field with `Observation`, of a series if one is given.
    pub(crate) fn put_observation(&mut self, field: u32, series: Option<&SeriesKey>, version: &Version, into: &mut Vec<u8>) {
        self.write(series, version, 0, false);
        into.put_bytes(field, &self.observation);
    }

    /// A field with `Observation` that has a series and a period alone.
    pub(crate) fn put_place(&mut self, field: u32, series: &SeriesKey, version: &Version, into: &mut Vec<u8>) {
        let mut observation = std::mem::take(&mut self.observation);
        observation.clear();
        self.put_series(1, series, &mut observation);
        self.put_period(version, &mut observation);
        into.put_bytes(field, &observation);
        self.observation = observation;
    }

    /// A field with `Timestamp`: seconds = 1, nanos = 2.
    pub(crate) fn put_time(&mut self, field: u32, time: Time, into: &mut Vec<u8>) {
        let Timestamp { seconds, nanos } = time.into();
        self.part.clear();
        self.part.put_number(1, seconds as u64);
        self.part.put_number(2, nanos as u64);
        into.put_bytes(field, &self.part);
    }

    /// A field with `SeriesKey`: indicator = 1, region = 2, source = 3, dimensions = 4, whose entries are key = 1, value = 2.
    fn put_series(&mut self, field: u32, key: &SeriesKey, into: &mut Vec<u8>) {
        self.part.clear();
        for (number, text) in [(1, &key.indicator), (2, &key.region), (3, &key.source)] {
            if !text.is_empty() {
                self.part.put_bytes(number, text.as_bytes());
            }
        }
        for (dimension, code) in &key.dimensions {
            let mut entry = Vec::with_capacity(dimension.len() + code.len() + 4);
            entry.put_bytes(1, dimension.as_bytes());
            entry.put_bytes(2, code.as_bytes());
            self.part.put_bytes(4, &entry);
        }
        into.put_bytes(field, &self.part);
    }

    fn put_period(&mut self, version: &Version, into: &mut Vec<u8>) {
        self.text.clear();
        version.period.write_to(&mut self.text);
        into.put_bytes(2, self.text.as_bytes());
    }

    /// Leaves the observation in the buffer: the fields of `Observation` in the order of their numbers, as prost writes them.
    fn write(&mut self, series: Option<&SeriesKey>, version: &Version, other_sources: u32, sources_disagree: bool) {
        let mut observation = std::mem::take(&mut self.observation);
        observation.clear();
        if let Some(series) = series {
            self.put_series(1, series, &mut observation);
        }
        match (&version.figure.details, version.figure.datum) {
            (None, Datum::Value(value, bound)) if version.figure.statuses.is_empty() => {
                self.put_period(version, &mut observation);
                self.text.clear();
                value.write_to(&mut self.text);
                observation.put_bytes(3, self.text.as_bytes());
                if bound != Bound::Exact {
                    observation.put_number(4, bound as u64);
                }
                self.put_time(13, version.published_at, &mut observation);
                self.put_time(14, version.recorded_at, &mut observation);
                observation.put_number(15, version.revision);
                observation.put_number(17, u64::from(other_sources));
                observation.put_number(18, u64::from(sources_disagree));
            }
            // What few figures have is left to the generated code.
            _ => v1::Observation { other_sources, sources_disagree, ..wire::observation(version, None) }
                .encode(&mut observation)
                .expect("a vector grows"),
        }
        self.observation = observation;
    }
}

#[cfg(test)]
mod tests {
    use indicator_proto::{Decimal, Frequency, Period, Statuses};
    use proptest::prelude::*;

    use super::*;
    use crate::store::{Figure, Kind};

    fn row() -> impl Strategy<Value = Row> {
        let times = -1_000_000_000_000_000_i64..2_000_000_000_000_000;
        let value = (any::<i64>(), 0_u32..=20, 1_u8..=6);
        (value, 0_i32..3000, times.clone(), times, any::<u64>(), 0_u32..3, any::<bool>(), 0_u32..4).prop_map(
            |((mantissa, scale, bound), ordinal, published, recorded, revision, other_sources, sources_disagree, statuses)| Row {
                version: Version {
                    period: Period::from_ordinal(Frequency::Monthly, 24000 + ordinal).unwrap(),
                    kind: Kind::Inserted,
                    published_at: Time::from_micros(published).unwrap(),
                    recorded_at: Time::from_micros(recorded).unwrap(),
                    revision,
                    figure: Figure {
                        datum: Datum::Value(
                            Decimal::from_parts(i128::from(mantissa), scale).unwrap(),
                            Bound::try_from(bound).unwrap(),
                        ),
                        statuses: Statuses::from_bits(statuses << 1).unwrap(),
                        details: None,
                    },
                },
                other_sources,
                sources_disagree,
            },
        )
    }

    proptest! {
        #[test]
        fn rows_are_written_as_the_generated_code_writes_them(rows in prop::collection::vec(row(), 1..20)) {
            let key = SeriesKey { indicator: "i".into(), region: "r".into(), source: "s".into(), ..SeriesKey::default() };
            let chunk = v1::SeriesObservations {
                series: Some(v1::SeriesKey::from(&key)),
                observations: rows.iter().map(|row| wire::row(row, None)).collect(),
            };
            let message = v1::QueryObservationsResponse {
                message: Some(v1::query_observations_response::Message::Chunk(chunk)),
            };
            prop_assert_eq!(ObservationEncoder::default().query_chunk(&key, &rows), Bytes::from(message.encode_to_vec()));
        }
    }
}
