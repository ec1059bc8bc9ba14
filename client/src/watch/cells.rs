//! The cells that an application has, as hashes: enough to compare with the server's digest.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
};

use indicator_proto::{
    Digest, cell_hash,
    v1::{CellChange, ChangeKind, Observation, SeriesKey, SeriesObservations},
};

/// Each cell as 16 bytes in a hash table: under 40 bytes a cell, however long its key.
///
/// Two cells with one id would be told as a difference that is none. Ids of 64 bits make that unlikely, and the random key of their
/// hash keeps it from happening again after the snapshot that follows.
#[derive(Debug)]
pub(super) struct Cells {
    ids: RandomState,
    preferred: bool,
    hashes: HashMap<u64, u64>,
    digest: Digest,
}

impl Cells {
    /// No cells yet. In the preferred picture a cell is the same whatever its source.
    pub(super) fn new(preferred: bool) -> Self {
        Self { ids: RandomState::new(), preferred, hashes: HashMap::new(), digest: Digest::default() }
    }

    /// Adds what a snapshot says of a series.
    pub(super) fn add(&mut self, chunk: &SeriesObservations) {
        let none = SeriesKey::default();
        let series = chunk.series.as_ref().unwrap_or(&none);
        for observation in &chunk.observations {
            self.put(series, observation);
        }
    }

    /// Follows a change.
    pub(super) fn apply(&mut self, change: &CellChange) {
        let Some(observation) = &change.observation else { return };
        let none = SeriesKey::default();
        let series = observation.series.as_ref().unwrap_or(&none);
        match change.kind() {
            // The current figure stays.
            ChangeKind::Backfilled => {}
            ChangeKind::Deleted | ChangeKind::Left => self.take(series, &observation.period),
            _ if observation.deleted => self.take(series, &observation.period),
            // Also a kind of tomorrow that carries a figure.
            ChangeKind::Unspecified | ChangeKind::Inserted | ChangeKind::Revised | ChangeKind::Entered => {
                self.put(series, observation);
            }
        }
    }

    /// The digest of all of them.
    pub(super) fn digest(&self) -> u64 {
        self.digest.0
    }

    fn put(&mut self, series: &SeriesKey, observation: &Observation) {
        let hash = cell_hash(series, observation);
        self.digest.add(hash);
        if let Some(old) = self.hashes.insert(self.id(series, &observation.period), hash) {
            self.digest.remove(old);
        }
    }

    fn take(&mut self, series: &SeriesKey, period: &str) {
        if let Some(old) = self.hashes.remove(&self.id(series, period)) {
            self.digest.remove(old);
        }
    }

    fn id(&self, series: &SeriesKey, period: &str) -> u64 {
        let SeriesKey { indicator, region, source, dimensions } = series;
        let source = if self.preferred { "" } else { source };
        self.ids.hash_one((indicator, region, source, dimensions, period))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn observation(source: &str, period: &str, value: &str) -> Observation {
        let series = SeriesKey { indicator: "gdp".into(), source: source.into(), ..SeriesKey::default() };
        Observation { series: Some(series), period: period.into(), value: value.into(), ..Observation::default() }
    }

    fn change(kind: ChangeKind, observation: Observation) -> CellChange {
        CellChange { kind: kind.into(), observation: Some(observation), previous: None }
    }

    fn of(observations: &[Observation]) -> u64 {
        observations.iter().fold(0, |sum, it| sum.wrapping_add(cell_hash(it.series.as_ref().unwrap(), it)))
    }

    #[test]
    fn the_digest_is_that_of_the_cells_that_are_left() {
        let mut cells = Cells::new(false);
        cells.apply(&change(ChangeKind::Inserted, observation("a", "2020", "1")));
        cells.apply(&change(ChangeKind::Inserted, observation("b", "2020", "2")));
        cells.apply(&change(ChangeKind::Entered, observation("b", "2021", "3")));
        cells.apply(&change(ChangeKind::Revised, observation("a", "2020", "4")));
        cells.apply(&change(ChangeKind::Backfilled, observation("a", "2020", "0")));
        assert_eq!(
            cells.digest(),
            of(&[observation("a", "2020", "4"), observation("b", "2020", "2"), observation("b", "2021", "3")])
        );
        // What has left comes with series and period alone.
        cells.apply(&change(ChangeKind::Left, observation("b", "2021", "")));
        cells.apply(&change(ChangeKind::Deleted, Observation { deleted: true, ..observation("b", "2020", "") }));
        assert_eq!(cells.digest(), of(&[observation("a", "2020", "4")]));
        // Withdrawn, and known of by nobody: it may have come and gone between two deliveries.
        cells.apply(&change(ChangeKind::Deleted, Observation { deleted: true, ..observation("c", "2020", "") }));
        assert_eq!(cells.digest(), of(&[observation("a", "2020", "4")]));
    }

    #[test]
    fn in_the_preferred_picture_another_source_takes_the_place() {
        let mut cells = Cells::new(true);
        cells.apply(&change(ChangeKind::Inserted, observation("a", "2020", "1")));
        cells.apply(&change(ChangeKind::Revised, observation("b", "2020", "2")));
        assert_eq!(cells.digest(), of(&[observation("b", "2020", "2")]), "its hash is of the whole key");
        cells.apply(&change(ChangeKind::Deleted, Observation { deleted: true, ..observation("a", "2020", "") }));
        assert_eq!(cells.digest(), 0);
    }

    #[test]
    fn a_cell_takes_less_than_forty_bytes() {
        let mut cells = Cells::new(false);
        for n in 0..100_000 {
            cells.hashes.insert(n, 0);
            // The table keeps an eighth of its places free, and has a byte beside each.
            let bytes = (cells.hashes.capacity() * 8 / 7) * (size_of::<(u64, u64)>() + 1);
            assert!(n < 1_000 || bytes <= 40 * cells.hashes.len(), "{bytes} for {}", cells.hashes.len());
        }
    }

    proptest! {
        #[test]
        fn a_snapshot_and_its_changes_have_the_digest_of_a_later_snapshot(
            first in prop::collection::btree_map("[0-9]", "[0-9]{1,2}", 0..8),
            then in prop::collection::btree_map("[0-9]", "[0-9]{1,2}", 0..8),
        ) {
            let chunk = |state: &std::collections::BTreeMap<String, String>| SeriesObservations {
                series: observation("a", "", "").series,
                observations: state.iter().map(|(period, value)| Observation { series: None, ..observation("a", period, value) }).collect(),
            };
            let (mut followed, mut anew) = (Cells::new(false), Cells::new(false));
            followed.add(&chunk(&first));
            for period in first.keys().filter(|period| !then.contains_key(*period)) {
                followed.apply(&change(ChangeKind::Left, observation("a", period, "")));
            }
            for (period, value) in &then {
                followed.apply(&change(ChangeKind::Revised, observation("a", period, value)));
            }
            anew.add(&chunk(&then));
            prop_assert_eq!(followed.digest(), anew.digest());
            prop_assert_eq!(followed.hashes.len(), anew.hashes.len());
        }
    }
}
