//! What is said about an import: what is not taken, and what became of the rest.

use std::{
    collections::HashMap,
    fmt::Write as _,
    mem::{Discriminant, discriminant},
};

use indicator_client::import::{File, Import, Problem, Summary};

use crate::failure::Failure;

/// Kinds of faults that are listed.
const KINDS: usize = 12;

/// Faults of one kind that are told in full.
const ALIKE: usize = 2;

/// Lines that are named for a fault.
const LINES: usize = 5;

/// The failure of what is not taken, with all that is wrong. `so` says what that means for the record.
pub(crate) fn refusal(import: &Import, so: &str) -> Failure {
    Failure::rejected(format!("{} figures are not taken, so {so}:{}", import.rejected(), rejects(import)))
}

/// What is not taken: the same fault of many rows once, and of many like it the first ones.
fn rejects(import: &Import) -> String {
    let kinds: Vec<Vec<String>> = import.files().iter().flat_map(kinds).collect();
    let mut text = String::new();
    for line in kinds.iter().take(KINDS).flatten() {
        text.push_str("\n  ");
        text.push_str(line);
    }
    if kinds.len() > KINDS {
        // Writing to a String does not fail.
        let _ = write!(text, "\n  … and {} other kinds of faults", kinds.len() - KINDS);
    }
    text
}

/// The faults of a file by field and kind, in the order of their first line.
fn kinds(file: &File) -> Vec<Vec<String>> {
    type Kind<'f> = (&'f str, Discriminant<Problem>);
    let mut kinds: Vec<(Kind<'_>, Vec<Fault>)> = Vec::new();
    let mut places: HashMap<Kind<'_>, usize> = HashMap::new();
    for reject in file.rejects() {
        let kind = (&*reject.field, discriminant(&*reject.problem));
        let place = *places.entry(kind).or_insert_with(|| {
            kinds.push((kind, Vec::new()));
            kinds.len() - 1
        });
        let faults = &mut kinds[place].1;
        let told = reject.problem.to_string();
        // Beyond the first ones, a last entry without words takes all others.
        let at = faults.iter().position(|fault| fault.told == told).unwrap_or(faults.len().min(ALIKE));
        if at == faults.len() {
            faults.push(Fault { told: if at < ALIKE { told } else { String::new() }, lines: Vec::new() });
        }
        faults[at].lines.push(reject.line);
    }
    let lines = |((field, _), faults): (Kind<'_>, Vec<Fault>)| faults.into_iter().map(|fault| fault.line(file, field)).collect();
    kinds.into_iter().map(lines).collect()
}

/// A fault and where it is. Without words it stands for others of its kind.
struct Fault {
    told: String,
    lines: Vec<u64>,
}

impl Fault {
    fn line(self, file: &File, field: &str) -> String {
        let Self { told, lines } = self;
        let told = if told.is_empty() { "likewise" } else { &told };
        format!("{} {}: {field}: {told}", file.name(), self::lines(lines))
    }
}

/// `line 7`, or `lines 7, 9, 12, 13, 15 and 60 more`.
fn lines(mut lines: Vec<u64>) -> String {
    lines.dedup();
    let named: Vec<_> = lines.iter().take(LINES).map(u64::to_string).collect();
    let more = lines.len() - named.len();
    let word = if lines.len() == 1 { "line" } else { "lines" };
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{word} {}{more}", named.join(", "))
}

/// What became of the figures.
pub(crate) fn outcome(import: &Import, summary: &Summary, dry_run: bool) -> String {
    let skipped: u64 = import.files().iter().map(File::skipped).sum();
    let counts = [
        (summary.created, "catalog entries created"),
        (summary.inserted, "new"),
        (summary.revised, "revised"),
        (summary.backfilled, "added to the history"),
        (summary.deleted, "removed"),
        (summary.unchanged, "unchanged"),
        (skipped, "cells without a figure"),
        (import.rejected() as u64, "rejected"),
    ];
    let counts: Vec<_> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let counts = if counts.is_empty() { "no figures".to_owned() } else { counts.join(", ") };
    match (dry_run, summary.changed() + summary.created > 0) {
        (true, true) => format!("would be: {counts}; nothing was written"),
        (_, false) => format!("{counts}; nothing was written"),
        (false, true) => format!("{counts}; revision {}", summary.revision),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_named_as_far_as_people_read() {
        assert_eq!(lines(vec![7]), "line 7");
        assert_eq!(lines(vec![7, 7]), "line 7", "a wide row may have a fault in several columns");
        assert_eq!(lines(vec![1, 2, 3, 4, 5, 6, 7]), "lines 1, 2, 3, 4, 5 and 2 more");
    }
}
