//! Tables of medians, and ratios of them.

use std::time::Duration;

/// What one turn of one contestant gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    /// Per second.
    pub(crate) rate: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// What the server's process computed for each; zero if it was not taken. Unlike the rest, it hardly depends on what else
    /// the machine does.
    pub(crate) cpu: Duration,
}

/// A contestant and its turns.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    turns: Vec<Turn>,
}

impl Row {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, turns: Vec::new() }
    }

    pub(crate) fn add(&mut self, turn: Turn) {
        self.turns.push(turn);
    }

    pub(crate) fn rate(&self) -> f64 {
        median(self.turns.iter().map(|t| t.rate))
    }

    pub(crate) fn p50(&self) -> f64 {
        median(self.turns.iter().map(|t| t.p50.as_secs_f64()))
    }

    pub(crate) fn p99(&self) -> f64 {
        median(self.turns.iter().map(|t| t.p99.as_secs_f64()))
    }

    fn cpu(&self) -> f64 {
        median(self.turns.iter().map(|t| t.cpu.as_secs_f64()))
    }
}

/// The middle one; the lower of the two middle ones.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// Prints what is measured.
pub(crate) fn title(text: &str) {
    println!("\n{text}");
}

/// Prints the contestants, the medians of their turns, and how far the rates of the turns lie apart.
pub(crate) fn table(unit: &str, rows: &[&Row]) {
    println!("  {:<24}{unit:>12}{:>11}{:>11}{:>12}{:>24}", "", "p50", "p99", "server cpu", "lowest .. highest");
    for row in rows {
        let rates = row.turns.iter().map(|t| t.rate);
        let (lowest, highest) = (rates.clone().fold(f64::INFINITY, f64::min), rates.fold(0.0, f64::max));
        let spread = format!("{} .. {}", count(lowest), count(highest));
        let cpu = if row.cpu() > 0.0 { seconds(row.cpu()) } else { String::new() };
        let (rate, p50, p99) = (count(row.rate()), seconds(row.p50()), seconds(row.p99()));
        println!("  {:<24}{rate:>12}{p50:>11}{p99:>11}{cpu:>12}{spread:>24}", row.name);
    }
}

/// Prints a ratio and the one that is wanted.
pub(crate) fn ratio(what: &str, ratio: f64, wanted: &str) {
    println!("  {what:<56}{ratio:>8.2}  (wanted: {wanted})");
}

/// Prints one figure.
pub(crate) fn figure(what: &str, value: &str, wanted: &str) {
    println!("  {what:<44}{value:>20}  (wanted: {wanted})");
}

/// A number as people write it.
pub(crate) fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(",")
}

/// A time in the unit that fits.
pub(crate) fn seconds(value: f64) -> String {
    match value {
        v if v < 1e-5 => format!("{:.2} µs", v * 1e6),
        v if v < 1e-3 => format!("{:.0} µs", v * 1e6),
        v if v < 1.0 => format!("{:.2} ms", v * 1e3),
        v => format!("{v:.2} s"),
    }
}

/// Bytes in the unit that fits.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
