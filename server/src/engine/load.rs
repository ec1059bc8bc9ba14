//! What is kept in memory, from the store.

use indicator_proto::{Time, v1::EntryKind};

use super::{Error, Head, SeriesIndex, catalog, shared::Shared};
use crate::store::{self, Store};

/// Reads the series, the catalog with all its versions, and where the log ends.
pub(super) fn load(store: Store, clock: fn() -> Time) -> Result<Shared, Error> {
    let mut index = SeriesIndex::default();
    for item in store.series() {
        let (id, key) = item?;
        if index.insert(key) != id {
            return Err(store::Error::Corrupt(format!("series {id} is out of order")).into());
        }
    }
    for unit in store.equivalent_units() {
        index.note_equivalent_unit(&unit?);
    }
    let mut catalog = catalog::Catalog::default();
    for item in store.entries() {
        let (kind, id, revision, bytes) = item?;
        let corrupt = |why: String| store::Error::Corrupt(format!("catalog entry {id} of kind {kind}: {why}"));
        let kind = EntryKind::try_from(i32::from(kind)).map_err(|e| corrupt(e.to_string()))?;
        let entry = bytes.map(|bytes| catalog::decode(kind, &bytes)).transpose().map_err(|e| corrupt(e.to_string()))?;
        catalog.record(revision, kind, &id, entry);
    }
    let head = match store.newest()? {
        Some((revision, header)) => Head { revision, time: Some(header.time()?), hash: header.hash },
        None => Head { revision: 0, time: None, hash: [0; 32] },
    };
    Ok(Shared::new(store, catalog, index, head, clock))
}
