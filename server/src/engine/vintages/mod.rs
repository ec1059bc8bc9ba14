//! The versions of a series: when each of them was valid, and what they were on each vintage date.
//!
//! A [`History`] has every version that a moment knows. Along an axis, the versions of a cell are a `timeline`; the views that ALFRED
//! knows, and the vintage dates, are told from those. They are made page by page: a series by vintage is as long as its dates times
//! its periods, and its versions are far fewer.

#[cfg(test)]
mod tests;
mod timeline;
mod view;

use std::collections::HashMap;

use indicator_proto::{Period, Time};

pub use self::timeline::Effect;
pub(super) use self::timeline::{Event, timeline};
pub use self::view::{Shown, VintageDate, VintagePage, VintagePlace, VintageQuery};
use super::{Error, Moment, shared::Shared, wanted};
use crate::store::Version;

/// The two times that a version has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Axis {
    /// When the source released it.
    #[default]
    Published,
    /// When the service recorded it.
    Recorded,
}

/// How a history is shown: the output types of ALFRED.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum VintageView {
    /// Each version once.
    #[default]
    RealTimePeriods,
    /// On each vintage date, every figure as it was then.
    AllByVintage,
    /// On each vintage date, what it changed.
    NewOrRevised,
    /// The first figure of each cell.
    InitialRelease,
}

impl VintageView {
    /// Whether it tells what was on each vintage date.
    #[must_use]
    pub fn is_by_date(self) -> bool {
        matches!(self, Self::AllByVintage | Self::NewOrRevised)
    }
}

/// A version and the time it was the record's word.
#[derive(Debug, Clone, PartialEq)]
pub struct Vintage {
    /// The version.
    pub version: Version,
    /// When the next version of the cell was published.
    pub published_until: Option<Time>,
    /// The commit that made another version current; 0 if none has.
    pub superseded_revision: u64,
    /// When that was recorded.
    pub recorded_until: Option<Time>,
    /// Whether this is the cell's current version.
    pub current: bool,
}

/// The versions of one series that a moment knows, by period, publication and revision.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    vintages: Vec<Vintage>,
}

impl History {
    /// Reads every version of a series. What later commits made of them is not told: as of a revision the answer is always the same.
    pub(super) fn read(shared: &Shared, series: u32, moment: Moment) -> Result<Self, Error> {
        wanted::check()?;
        Ok(Self::new(shared.store.versions(series, moment.revision)?, moment.published_at))
    }

    /// Of every version that there is, in any order.
    #[cfg(test)]
    pub(super) fn of(versions: Vec<Version>) -> Self {
        Self::new(versions, None)
    }

    /// Of versions in any order.
    fn new(mut versions: Vec<Version>, published_by: Option<Time>) -> Self {
        versions.sort_by_key(|v| (v.period, v.rank()));
        let mut vintages = Vec::with_capacity(versions.len());
        for cell in versions.chunk_by(|a, b| a.period == b.period) {
            let superseded = superseded(cell);
            for (index, version) in cell.iter().enumerate() {
                let by = superseded.get(&version.revision);
                vintages.push(Vintage {
                    version: version.clone(),
                    published_until: cell.get(index + 1).map(|next| next.published_at),
                    superseded_revision: by.map_or(0, |by| by.revision),
                    recorded_until: by.map(|by| by.recorded_at),
                    current: index + 1 == cell.len(),
                });
            }
        }
        // Filtered last: a version that came out later ends the time of one before it, whether or not it is shown.
        vintages.retain(|v| published_by.is_none_or(|until| v.version.published_at <= until));
        Self { vintages }
    }

    /// Every version.
    #[must_use]
    pub fn vintages(&self) -> &[Vintage] {
        &self.vintages
    }

    /// The versions of each cell.
    pub(super) fn cells(&self) -> impl Iterator<Item = &[Vintage]> {
        self.vintages.chunk_by(|a, b| a.version.period == b.version.period)
    }

    /// The versions of one cell.
    fn cell(&self, period: Period) -> &[Vintage] {
        let start = self.vintages.partition_point(|v| v.version.period < period);
        let end = self.vintages.partition_point(|v| v.version.period <= period);
        &self.vintages[start..end]
    }
}

/// For each version of a cell, by revision, the one that took its place as the current one; itself if it never was current.
fn superseded(cell: &[Version]) -> HashMap<u64, &Version> {
    let mut by_revision: Vec<&Version> = cell.iter().collect();
    by_revision.sort_by_key(|v| v.revision);
    let mut superseded = HashMap::new();
    let mut current: Option<&Version> = None;
    for version in by_revision {
        match current {
            Some(before) if before.rank() > version.rank() => {
                superseded.insert(version.revision, version);
            }
            before => {
                if let Some(before) = before {
                    superseded.insert(before.revision, version);
                }
                current = Some(version);
            }
        }
    }
    superseded
}
