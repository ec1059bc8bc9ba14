use std::{collections::HashMap, hash::Hash};

use serde::{Deserialize, Serialize};

/// A column that knows when its cells are alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Column<T> {
    /// Every cell has this.
    Uniform(T),
    /// Few distinct values, in order of appearance, and each cell's index among them.
    Table(Vec<T>, Vec<u32>),
    /// A value a cell.
    Each(Vec<T>),
}

impl<T: Copy + Eq + Hash> Column<T> {
    /// The smallest form of these cells. There is at least one, or nothing will be read.
    pub(super) fn of(cells: Vec<T>) -> Self {
        match cells.first() {
            None => Self::Each(cells),
            Some(&first) if cells.iter().all(|c| *c == first) => Self::Uniform(first),
            Some(_) => Self::table(cells),
        }
    }

    fn table(cells: Vec<T>) -> Self {
        let mut numbers = HashMap::new();
        let mut values = Vec::new();
        let mut index = Vec::with_capacity(cells.len());
        for &cell in &cells {
            let number = *numbers.entry(cell).or_insert_with(|| {
                values.push(cell);
                values.len() as u32 - 1
            });
            if values.len() * 2 > cells.len() {
                return Self::Each(cells);
            }
            index.push(number);
        }
        Self::Table(values, index)
    }

    /// The value of a cell. `None` if the column is shorter.
    pub(super) fn get(&self, cell: usize) -> Option<T> {
        match self {
            Self::Uniform(value) => Some(*value),
            Self::Table(values, index) => values.get(*index.get(cell)? as usize).copied(),
            Self::Each(values) => values.get(cell).copied(),
        }
    }
}
