//! Periods down, vintages across: what ALFRED's download looks like.

use std::collections::BTreeMap;

use indicator_proto::{
    Period,
    v1::Vintage,
    words::{Language, figure},
};

use crate::output::{Column, Table, clock};

/// The figures by period and vintage date. The versions are sorted by vintage date.
pub(super) fn grid(vintages: &[Vintage], decimals: Option<u32>, language: Language) -> Table {
    let dates: Vec<&[Vintage]> = vintages.chunk_by(|a, b| a.vintage_date == b.vintage_date).collect();
    let mut columns = vec![Column::text(language.word("PERIOD", "时期"))];
    let mut rows: BTreeMap<Period, Vec<String>> = BTreeMap::new();
    for (at, of_date) in dates.iter().enumerate() {
        columns.push(Column::figure(clock(of_date[0].vintage_date.as_ref())));
        for observation in of_date.iter().filter_map(|vintage| vintage.observation.as_ref()) {
            // A server that keeps its contract sends no other periods.
            let Ok(period) = observation.period.parse() else { continue };
            let row = rows.entry(period).or_insert_with(|| vec![String::new(); dates.len()]);
            row[at] = figure(observation, decimals, language);
        }
    }
    let mut table = Table::new(columns);
    for (period, figures) in rows {
        table.push([vec![period.to_string()], figures].concat());
    }
    table
}
