//! How a computed figure came about, as a tree.

use std::io::{self, Write};

use clap::builder::styling::Style as Paint;
use indicator_proto::{
    v1::{EntryKind, Observation, SeriesKey},
    words::{Language, figure_with_unit},
};

use super::{Style, clock, printable};
use crate::catalog::Labels;

/// Writes what an observation was computed of, indented below it; nothing if it was recorded.
pub(crate) fn write(
    observation: &Observation,
    labels: &Labels,
    language: Language,
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(derivation) = &observation.derivation else { return Ok(()) };
    let bold = if style.color { Paint::new().bold() } else { Paint::default() };
    let heading = format!("{}: {}", place(observation, labels, language), told(observation, labels, language));
    writeln!(out, "{bold}{}{bold:#}", printable(&heading))?;
    writeln!(out, "  = {}", printable(&derivation.formula))?;
    operands(observation, labels, language, 1, out)
}

/// Writes the operands alone, where the figure and its formula are told already.
pub(crate) fn write_operands(
    observation: &Observation,
    labels: &Labels,
    language: Language,
    out: &mut impl Write,
) -> io::Result<()> {
    operands(observation, labels, language, 1, out)
}

fn operands(
    observation: &Observation,
    labels: &Labels,
    language: Language,
    depth: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    for operand in observation.derivation.iter().flat_map(|derivation| &derivation.operands) {
        let Some(figure) = &operand.observation else { continue };
        let line = format!("{}: {}{}", operand.name, told(figure, labels, language), provenance(figure, labels, language));
        writeln!(out, "{indent}{}", printable(&line))?;
        if let Some(derivation) = &figure.derivation {
            writeln!(out, "{indent}  = {}", printable(&derivation.formula))?;
            operands(figure, labels, language, depth + 1, out)?;
        }
    }
    Ok(())
}

fn told(observation: &Observation, labels: &Labels, language: Language) -> String {
    let indicator = observation.series.as_ref().and_then(|series| labels.indicator(&series.indicator));
    figure_with_unit(observation, indicator, labels.unit_shown(observation), language)
}

/// Indicator, region, breakdown and period.
fn place(observation: &Observation, labels: &Labels, language: Language) -> String {
    let none = SeriesKey::default();
    let series = observation.series.as_ref().unwrap_or(&none);
    let mut parts = vec![
        labels.name(EntryKind::Indicator, &series.indicator, language).to_owned(),
        labels.name(EntryKind::Region, &series.region, language).to_owned(),
        labels.dimensions(series, language),
        observation.period.clone(),
    ];
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// Where it is from: the series, the period, the source and since when it is known.
fn provenance(observation: &Observation, labels: &Labels, language: Language) -> String {
    let mut text = format!(" · {}", place(observation, labels, language));
    let source = observation.series.as_ref().map_or("", |series| series.source.as_str());
    if !source.is_empty() {
        text += &format!(" · {}", labels.name(EntryKind::Source, source, language));
    }
    if observation.revision != 0 {
        let published = clock(observation.published_at.as_ref());
        text += &match language {
            Language::En => format!(" · published {published}, revision {}", observation.revision),
            Language::Zh => format!(" · 发布于 {published}，修订号 {}", observation.revision),
        };
    }
    text
}
