//! Writing the canonical tidy CSV.

use std::collections::BTreeSet;
use std::io::{self, Write};

use indicator_proto::{
    Statuses, Time,
    v1::{MissingReason, Observation, SeriesKey, SeriesObservations},
};

use crate::import::words;

/// Columns of the canonical tidy CSV before those of the dimensions.
pub const COLUMNS_BEFORE: [&str; 4] = ["indicator", "region", "source", "period"];

/// Columns of the canonical tidy CSV after those of the dimensions.
pub const COLUMNS_AFTER: [&str; 12] = [
    "value",
    "bound",
    "lower",
    "upper",
    "missing",
    "statuses",
    "rounded_to",
    "equivalents",
    "original_text",
    "note",
    "document_uri",
    "published_at",
];

/// Writes observations as rows.
pub struct Writer<W: Write> {
    csv: csv::Writer<W>,
    dimensions: Vec<String>,
    text: String,
}

impl<W: Write> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("dimensions", &self.dimensions).finish_non_exhaustive()
    }
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    ///
    /// When `out` cannot be written; likewise the other methods.
    pub fn new(out: W, dimensions: BTreeSet<String>) -> Result<Self, csv::Error> {
        let mut csv = csv::Writer::from_writer(out);
        let dimensions: Vec<_> = dimensions.into_iter().collect();
        let columns = dimensions.iter().map(|id| format!("{}{id}", crate::import::DIMENSION_PREFIX));
        let before = COLUMNS_BEFORE.into_iter().map(str::to_owned);
        csv.write_record(before.chain(columns).chain(COLUMNS_AFTER.into_iter().map(str::to_owned)))?;
        Ok(Self { csv, dimensions, text: String::new() })
    }

    /// Writes the observations of a series. Withdrawn ones are left out: there is no figure to import again.
    pub fn write(&mut self, chunk: &SeriesObservations) -> Result<(), csv::Error> {
        let nowhere = SeriesKey::default();
        let series = chunk.series.as_ref().unwrap_or(&nowhere);
        for observation in chunk.observations.iter().filter(|observation| !observation.deleted) {
            self.row(observation.series.as_ref().unwrap_or(series), observation)?;
        }
        Ok(())
    }

    /// Writes what is still in memory.
    pub fn finish(mut self) -> io::Result<()> {
        self.csv.flush()
    }

    fn row(&mut self, series: &SeriesKey, observation: &Observation) -> Result<(), csv::Error> {
        for cell in [&series.indicator, &series.region, &series.source, &observation.period] {
            self.csv.write_field(cell)?;
        }
        for dimension in &self.dimensions {
            self.csv.write_field(series.dimensions.get(dimension).map_or("", String::as_str))?;
        }
        let interval = observation.interval.as_ref();
        self.csv.write_field(&observation.value)?;
        self.csv.write_field(words::bound_word(observation.bound()))?;
        self.csv.write_field(interval.map_or("", |interval| &interval.lower))?;
        self.csv.write_field(interval.map_or("", |interval| &interval.upper))?;
        self.csv.write_field(MissingReason::name(observation.missing()).unwrap_or_default())?;
        let statuses: Statuses = observation.statuses().collect();
        self.written(|text| words::write_statuses(statuses, text))?;
        self.csv.write_field(&observation.rounded_to)?;
        self.written(|text| words::write_equivalents(&observation.equivalents, text))?;
        for cell in [&observation.original_text, &observation.note, &observation.document_uri] {
            self.csv.write_field(cell)?;
        }
        // The service sends only times that it has checked.
        let published_at = observation.published_at.as_ref().and_then(|time| Time::try_from(time).ok());
        self.written(|text| text.extend(published_at.map(|time| time.date_or_time().to_string())))?;
        self.csv.write_record(None::<&[u8]>)
    }

    fn written(&mut self, write: impl FnOnce(&mut String)) -> Result<(), csv::Error> {
        self.text.clear();
        write(&mut self.text);
        self.csv.write_field(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use indicator_proto::v1::{Bound, Equivalent, Interval, ObservationStatus};

    use super::*;

    #[test]
    fn the_layout_is_the_one_that_files_out_there_have() {
        let series = SeriesKey {
            indicator: "stations".to_owned(),
            region: "CN-SD".to_owned(),
            source: "media".to_owned(),
            dimensions: [("level".to_owned(), "provincial".to_owned())].into(),
        };
        let first = Observation {
            period: "2021-12-06".to_owned(),
            value: "100000".to_owned(),
            bound: Bound::GreaterThan.into(),
            statuses: vec![ObservationStatus::Estimated.into(), ObservationStatus::Provisional.into()],
            rounded_to: "1000".to_owned(),
            equivalents: vec![Equivalent { value: "1".to_owned(), unit: "{set}".to_owned() }],
            original_text: "more than 100,000".to_owned(),
            published_at: Some(prost_types::Timestamp { seconds: 1_638_748_800, nanos: 0 }),
            ..Observation::default()
        };
        let interval = Some(Interval { lower: "1".to_owned(), upper: "2".to_owned() });
        let second = Observation { period: "2022".to_owned(), interval, ..Observation::default() };
        let third = Observation {
            period: "2023".to_owned(),
            missing: MissingReason::NotCollected.into(),
            published_at: Some(prost_types::Timestamp { seconds: 1, nanos: 500_000_000 }),
            ..Observation::default()
        };
        let withdrawn = Observation { period: "2024".to_owned(), deleted: true, ..Observation::default() };
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, ["age", "level"].map(str::to_owned).into()).unwrap();
        writer.write(&SeriesObservations { series: Some(series), observations: vec![first, second, third, withdrawn] }).unwrap();
        writer.finish().unwrap();
        let expected = "\
indicator,region,source,period,dim.age,dim.level,value,bound,lower,upper,missing,statuses,rounded_to,equivalents,original_text,note,document_uri,published_at
stations,CN-SD,media,2021-12-06,,provincial,100000,greater-than,,,,estimated provisional,1000,1 {set},\"more than 100,000\",,,2021-12-06
stations,CN-SD,media,2022,,provincial,,,1,2,,,,,,,,
stations,CN-SD,media,2023,,provincial,,,,,not-collected,,,,,,,1970-01-01T00:00:01.5Z
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
