//! Figures, codes and times as people write them, in English and in Chinese: what every display has in common.

mod calendar;
mod code;
mod figure;
mod growth;
mod headline;
mod language;

pub use self::{
    calendar::{day, period, time},
    code::{bound_sign, change, entry_kind, matched, milestone, missing, status},
    figure::{
        coverage, figure, figure_with_unit, grouped, other_sources, qualities, readable, remarks, rounding, statuses, symbol,
        with_unit,
    },
    growth::{Direction, Growth, growth},
    headline::{Headline, headline, scaled},
    language::Language,
};
