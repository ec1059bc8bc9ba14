//! Rendering: tables for people, JSON and CSV for programs.
//!
//! A command describes its items once with a [`View`]; [`Listing`] writes them in whichever format was asked for. Everything but
//! a table is written as it arrives, so that an answer of any size takes no memory.

mod card;
pub(crate) mod explanation;
mod json;
mod listing;
mod observations;
mod table;

use std::io::{self, IsTerminal as _};

pub(crate) use self::{
    card::Card,
    json::{JsonList, fields},
    listing::{Listing, View},
    observations::{Observations, clock, number, time, with_series},
    table::{Column, Table},
};

/// Whether and how the terminal is used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    /// Print in colour.
    pub(crate) color: bool,
    /// Fit tables into the terminal's width.
    pub(crate) fit: bool,
}

impl Style {
    /// The style for standard output: colour and fitting on a terminal only, and no colour where NO_COLOR is set.
    pub(crate) fn of_stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        Self { color: terminal && colors_wanted(), fit: terminal }
    }

    /// The style for standard error.
    pub(crate) fn of_stderr() -> Self {
        let terminal = io::stderr().is_terminal();
        Self { color: terminal && colors_wanted(), fit: terminal }
    }
}

fn colors_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A text that is safe to print: control characters, which could steer the terminal or break a column, become spaces, and so do those
/// that turn the direction of writing or break a line, which could make a text look like another.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}
