//! What is said about an import: what is not taken, and what became of the rest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use indicator_client::import::{File, Import, Summary};

/// Different faults that are listed.
const FAULTS: usize = 12;

/// Lines that are named for a fault.
const LINES: usize = 5;

/// What is not taken, the same fault of many rows only once.
pub(super) fn rejects(import: &Import) -> String {
    let faults: Vec<String> = import.files().iter().flat_map(faults).collect();
    let mut text = String::new();
    for fault in faults.iter().take(FAULTS) {
        text.push_str("\n  ");
        text.push_str(fault);
    }
    if faults.len() > FAULTS {
        // Writing to a String does not fail.
        let _ = write!(text, "\n  … and {} other faults; --rejects FILE lists all of them", faults.len() - FAULTS);
    }
    text
}

/// The faults of a file, in the order of their first line.
fn faults(file: &File) -> Vec<String> {
    let mut faults: BTreeMap<(&str, String), Vec<u64>> = BTreeMap::new();
    for reject in file.rejects() {
        faults.entry((&reject.field, reject.problem.to_string())).or_default().push(reject.line);
    }
    let mut faults: Vec<_> = faults.into_iter().collect();
    faults.sort_by_key(|(_, lines)| lines[0]);
    let told = |((field, problem), lines): ((&str, String), Vec<u64>)| {
        format!("{} {}: {field}: {problem}", file.name(), self::lines(lines))
    };
    faults.into_iter().map(told).collect()
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
pub(super) fn outcome(import: &Import, summary: &Summary, dry_run: bool) -> String {
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
