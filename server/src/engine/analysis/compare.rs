//! Regions by indicators as one table.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use indicator_proto::{
    Period,
    v1::{EntryKind, ErrorReason, Indicator},
};

use super::{
    line::{Coverage, Point},
    reading::{Reading, sources_of, subject},
    selection::Regions,
};
use crate::engine::{Error, Sources, Violation, catalog::View, check};

/// Asks for a table.
#[derive(Debug, Clone)]
pub struct CompareQuery {
    /// Its rows.
    pub rows: Rows,
    /// Its columns: indicator ids.
    pub indicators: Vec<String>,
    /// Code by dimension: the series broken down so, and not otherwise.
    pub dimensions: BTreeMap<String, String>,
    /// Whose figures. The preferred one of them counts.
    pub sources: Sources,
    /// Of which period; the latest of each cell if absent.
    pub period: Option<Period>,
}

/// The rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// These regions, in this order.
    Named(Vec<String>),
    /// Those that existed in the period, by id; without a period, those that exist at the moment.
    Selected(Regions),
}

/// Regions by indicators.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// As asked for.
    pub columns: Vec<CompareColumn>,
    /// As asked for, or by region id.
    pub rows: Vec<CompareRow>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct CompareColumn {
    /// Its id.
    pub indicator: String,
    /// Unit id.
    pub unit: String,
    /// Of its figures.
    pub periods: BTreeSet<Period>,
    /// Of its figures, by id.
    pub sources: BTreeSet<String>,
    /// How many rows have a figure, of all.
    pub coverage: Coverage,
}

/// A row of a table.
#[derive(Debug, Clone)]
pub struct CompareRow {
    /// Its id.
    pub region: String,
    /// One for each column; nothing where nothing is recorded.
    pub cells: Vec<Option<Arc<Point>>>,
}

impl CompareQuery {
    /// What it names and the catalog does not have, and what does not fit together.
    #[must_use]
    pub fn check(&self, catalog: View<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut unknown = |field: String, kind, id: &str| violations.push(Violation::unknown(field, kind, id));
        let mut known: Vec<&Indicator> = Vec::new();
        for (index, id) in self.indicators.iter().enumerate() {
            match catalog.indicator(id) {
                Some(indicator) => known.push(indicator),
                None => unknown(format!("indicators[{index}]"), EntryKind::Indicator, id),
            }
        }
        if let Sources::Named(sources) = &self.sources {
            for id in sources.iter().filter(|id| catalog.source(id).is_none()) {
                unknown(format!("sources[{id:?}]"), EntryKind::Source, id);
            }
        }
        match &self.rows {
            Rows::Named(regions) => {
                for (index, id) in regions.iter().enumerate().filter(|(_, id)| catalog.region(id).is_none()) {
                    unknown(format!("regions[{index}]"), EntryKind::Region, id);
                }
            }
            Rows::Selected(regions) => violations.extend(regions.check(catalog, "")),
        }
        for indicator in known {
            let codes = self.dimensions.iter().map(|(dimension, code)| (dimension.as_str(), code.as_str()));
            check::breakdown(catalog, indicator, codes, |field, reason, description| {
                violations.push(Violation::new(field, reason, description));
            });
        }
        violations
    }
}

impl Reading<'_> {
    /// The table.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it would have more than `most` cells; [`Error::Store`].
    pub fn compare(&self, query: &CompareQuery, most: usize) -> Result<Comparison, Error> {
        let regions: Vec<String> = match &query.rows {
            Rows::Named(regions) => regions.clone(),
            Rows::Selected(regions) => {
                self.existing(regions, query.period)?.into_iter().map(|region| region.id.clone()).collect()
            }
        };
        if regions.len().saturating_mul(query.indicators.len()) > most {
            let (rows, columns) = (regions.len(), query.indicators.len());
            let description = format!("{rows} regions by {columns} indicators are more than {most} cells; ask in parts");
            return Err(Violation::new("indicators", ErrorReason::RequestTooLarge, description).into());
        }
        let row = |region: String| {
            let cells = query.indicators.iter().map(|indicator| self.compared(query, indicator, &region));
            Ok::<_, Error>(CompareRow { cells: cells.collect::<Result<_, _>>()?, region })
        };
        let rows = regions.into_iter().map(row).collect::<Result<Vec<_>, _>>()?;
        let columns =
            query.indicators.iter().enumerate().map(|(index, indicator)| self.column(indicator, index, &rows)).collect();
        Ok(Comparison { columns, rows })
    }

    fn compared(&self, query: &CompareQuery, indicator: &str, region: &str) -> Result<Option<Arc<Point>>, Error> {
        let line = self.line(&subject(indicator, region, &query.dimensions), &query.sources)?;
        let point = match query.period {
            Some(period) => line.at(period),
            // Where there has never been a figure, why there is none.
            None => line.latest_known().or_else(|| line.latest()),
        };
        Ok(point.cloned())
    }

    fn column(&self, indicator: &str, index: usize, rows: &[CompareRow]) -> CompareColumn {
        let figures: Vec<&Arc<Point>> =
            rows.iter().filter_map(|row| row.cells[index].as_ref()).filter(|point| point.estimate().is_some()).collect();
        CompareColumn {
            indicator: indicator.to_owned(),
            unit: self.catalog().indicator(indicator).map(|indicator| indicator.unit.clone()).unwrap_or_default(),
            periods: figures.iter().map(|point| point.period()).collect(),
            sources: sources_of(figures.iter().copied()),
            coverage: Coverage::of(figures.len(), rows.len()),
        }
    }
}

#[cfg(test)]
mod tests;
