//! Rows of a query as bytes of `QueryObservationsResponse`.

use bytes::Bytes;
use indicator_proto::{Bound, SeriesKey, Time, v1};
use prost::Message as _;
use prost_types::Timestamp;

use super::{encoded::PutField as _, wire};
use crate::{
    engine::Row,
    store::{Datum, Version},
};

/// Writes chunks; keeps its buffers from one to the next.
#[derive(Default)]
pub(super) struct RowEncoder {
    observation: Vec<u8>,
    time: Vec<u8>,
    text: String,
}

impl RowEncoder {
    /// `QueryObservationsResponse.chunk` with these rows of a series.
    pub(super) fn chunk(&mut self, key: &SeriesKey, rows: &[Row]) -> Bytes {
        // SeriesObservations: series = 1, observations = 2.
        let mut chunk = Vec::with_capacity(64 + rows.len() * 64);
        chunk.put_bytes(1, &v1::SeriesKey::from(key).encode_to_vec());
        for row in rows {
            self.row(row);
            chunk.put_bytes(2, &self.observation);
        }
        // QueryObservationsResponse: chunk = 2.
        let mut message = Vec::with_capacity(chunk.len() + 8);
        message.put_bytes(2, &chunk);
        message.into()
    }

    /// Leaves the row in the buffer.
    fn row(&mut self, row: &Row) {
        self.observation.clear();
        match (&row.version.figure.details, row.version.figure.datum) {
            (None, Datum::Value(value, bound)) if row.version.figure.statuses.is_empty() => {
                self.text.clear();
                value.write_to(&mut self.text);
                self.plain(&row.version, bound, row.other_sources, row.sources_disagree);
            }
            // What few figures have is left to the generated code.
            _ => wire::row(row, None).encode(&mut self.observation).expect("a vector grows"),
        }
    }

    /// Fields of `Observation` in the order of their numbers, as prost writes them. The value is in the text buffer.
    fn plain(&mut self, version: &Version, bound: Bound, other_sources: u32, sources_disagree: bool) {
        let value = std::mem::take(&mut self.text);
        let mut period = String::with_capacity(10);
        version.period.write_to(&mut period);
        self.observation.put_bytes(2, period.as_bytes());
        self.observation.put_bytes(3, value.as_bytes());
        if bound != Bound::Exact {
            self.observation.put_number(4, bound as u64);
        }
        self.time(13, version.published_at);
        self.time(14, version.recorded_at);
        self.observation.put_number(15, version.revision);
        self.observation.put_number(17, u64::from(other_sources));
        self.observation.put_number(18, u64::from(sources_disagree));
        self.text = value;
    }

    /// `Timestamp`: seconds = 1, nanos = 2.
    fn time(&mut self, field: u32, time: Time) {
        let Timestamp { seconds, nanos } = time.into();
        self.time.clear();
        self.time.put_number(1, seconds as u64);
        self.time.put_number(2, nanos as u64);
        self.observation.put_bytes(field, &self.time);
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
            prop_assert_eq!(RowEncoder::default().chunk(&key, &rows), Bytes::from(message.encode_to_vec()));
        }
    }
}
