//! The rows of the table: which, and in which order.

use std::cmp::Ordering;

use indicator_proto::{
    SeriesKey,
    v1::{EntryKind, Region},
    words::Language,
};

use super::{Scope, Series, series::height};
use crate::{catalog::Labels, display::text::clean};

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Column {
    /// What the row is called.
    Name,
    /// The latest figure.
    Figure,
    /// How it stands to the one before.
    Change,
    /// The last periods.
    Trend,
    /// Its period.
    Period,
    /// Who says so.
    Source,
    /// How long ago it was recorded.
    Age,
}

impl Column {
    /// As they stand.
    pub(crate) const ALL: [Self; 7] =
        [Self::Name, Self::Figure, Self::Change, Self::Trend, Self::Period, Self::Source, Self::Age];

    /// What stands over it.
    pub(crate) fn title(self, by_region: bool, language: Language) -> &'static str {
        match self {
            Self::Name if by_region => language.word("Region", "地区"),
            Self::Name => language.word("Indicator", "指标"),
            Self::Figure => language.word("Figure", "数值"),
            Self::Change => language.word("Change", "变化"),
            Self::Trend => language.word("Trend", "走势"),
            Self::Period => language.word("Period", "时期"),
            Self::Source => language.word("Source", "来源"),
            Self::Age => language.word("Age", "更新"),
        }
    }
}

/// The order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    /// By this column.
    pub(crate) column: Column,
    /// The greatest first.
    pub(crate) descending: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self { column: Column::Name, descending: false }
    }
}

impl Order {
    /// By a column; by the same one, the other way round.
    pub(crate) fn toggled(self, column: Column) -> Self {
        if self.column == column {
            Self { descending: !self.descending, ..self }
        } else {
            // Of numbers and ages, the greatest and the newest are looked for.
            Self { column, descending: !matches!(column, Column::Name | Column::Source) }
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Row {
    /// A figure.
    Series {
        /// What it is called.
        name: String,
        /// The figures.
        series: Series,
    },
    /// A region to go into.
    Region {
        /// Its id.
        id: String,
        /// What it is called.
        name: String,
    },
}

/// What a row is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowKey {
    /// A series.
    Series(SeriesKey),
    /// A region.
    Region(String),
}

impl Row {
    /// What it is of.
    pub(crate) fn key(&self) -> RowKey {
        match self {
            Self::Series { series, .. } => RowKey::Series(series.key.clone()),
            Self::Region { id, .. } => RowKey::Region(id.clone()),
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Series { name, .. } | Self::Region { name, .. } => name,
        }
    }

    /// Its figures, if it has any.
    pub(crate) fn series(&self) -> Option<&Series> {
        match self {
            Self::Series { series, .. } => Some(series),
            Self::Region { .. } => None,
        }
    }
}

/// The rows of a picture: those whose name or id has the text, in the order asked for; regions to go into are last.
pub(crate) fn rows(
    picture: &[Series],
    scope: &Scope,
    catalog: &Labels,
    text: &str,
    order: Order,
    language: Language,
) -> Vec<Row> {
    let text = text.to_lowercase();
    let of_series = picture.iter().filter(|series| has(&series.key, catalog, &text)).map(|series| {
        let name = clean(&series_name(&series.key, scope, catalog, language));
        Row::Series { name, series: series.clone() }
    });
    let mut rows: Vec<Row> = of_series.collect();
    rows.sort_by(|a, b| {
        let by_column = compare(a, b, order.column, catalog, language);
        let by_column = if order.descending { by_column.reverse() } else { by_column };
        by_column.then_with(|| a.name().cmp(b.name()))
    });
    // Only in the whole view of a region: a selection has what was asked for.
    if let (Some(region), None) = (&scope.region, &scope.indicator) {
        let below = catalog.regions_in(region).filter(|below| region_has(below, &text));
        let of_region = |region: &Region| Row::Region {
            id: region.id.clone(),
            name: clean(catalog.name(EntryKind::Region, &region.id, language)),
        };
        rows.extend(below.map(of_region));
    }
    rows
}

/// What tells a series from the others of the scope.
pub(crate) fn series_name(key: &SeriesKey, scope: &Scope, catalog: &Labels, language: Language) -> String {
    let indicator = catalog.name(EntryKind::Indicator, &key.indicator, language);
    let region = catalog.name(EntryKind::Region, &key.region, language);
    let name = match (&scope.indicator, &scope.region) {
        (Some(_), None) => region.to_owned(),
        (_, Some(_)) => indicator.to_owned(),
        (None, None) => format!("{region} · {indicator}"),
    };
    if key.dimensions.is_empty() { name } else { format!("{name} ({})", catalog.codes(&key.dimensions, language)) }
}

fn has(key: &SeriesKey, catalog: &Labels, text: &str) -> bool {
    let names = [(EntryKind::Indicator, &key.indicator), (EntryKind::Region, &key.region)];
    let has = |name: &str| name.to_lowercase().contains(text);
    let dimensions = Language::ALL.map(|language| catalog.dimensions(&key.into(), language));
    names.iter().any(|(kind, id)| has(id) || Language::ALL.iter().any(|language| has(catalog.name(*kind, id, *language))))
        || dimensions.iter().any(|it| has(it))
}

fn region_has(region: &Region, text: &str) -> bool {
    let has = |name: &String| name.to_lowercase().contains(text);
    has(&region.id) || region.names.values().any(has)
}

fn compare(a: &Row, b: &Row, column: Column, catalog: &Labels, language: Language) -> Ordering {
    let (Some(a_series), Some(b_series)) = (a.series(), b.series()) else { return Ordering::Equal };
    let number = |series: &Series| height(&series.latest().1).unwrap_or(f64::NEG_INFINITY);
    let relative = |series: &Series| {
        let (old, new) = (height(&series.before()?.1)?, height(&series.latest().1)?);
        Some((new - old) / old.abs())
    };
    let source = |series: &Series| {
        let source = series.latest().1.series.as_ref().map(|it| it.source.clone()).unwrap_or_default();
        catalog.name(EntryKind::Source, &source, language).to_owned()
    };
    match column {
        Column::Name => a.name().cmp(b.name()),
        Column::Figure => number(a_series).total_cmp(&number(b_series)),
        Column::Change | Column::Trend => {
            let or_least = |it: Option<f64>| it.unwrap_or(f64::NEG_INFINITY);
            or_least(relative(a_series)).total_cmp(&or_least(relative(b_series)))
        }
        Column::Period => a_series.latest().0.end().cmp(&b_series.latest().0.end()),
        Column::Source => source(a_series).cmp(&source(b_series)),
        Column::Age => a_series.recorded_at().cmp(&b_series.recorded_at()),
    }
}
