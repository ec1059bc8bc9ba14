//! The checker can fail: for each guarantee a recording that breaks it, made by hand, and the check that finds it.

mod bad;
mod story;

use std::collections::BTreeSet;

use self::story::{after, delta, every_change, latest, latest_withdrawal, log, preferred, reset, subtree};
use super::{
    Check, check,
    log::Log,
    recording::{Stream, Subscriber},
    view::View,
};

/// The checks that a subscriber's streams fail.
fn failed(log: &Log, streams: Vec<Stream>) -> BTreeSet<Check> {
    let request = streams[0].request.clone();
    let view = View::new(log, request.filter.as_ref(), request.preferred);
    let subscriber = Subscriber { name: "a subscriber".into(), streams };
    check(log, &view, &subscriber).into_iter().map(|violation| violation.check).collect()
}

#[test]
fn recordings_of_what_happened_pass() {
    let log = log();
    let whole = every_change();
    for streams in [
        vec![whole.clone()],
        vec![latest()],
        vec![latest_withdrawal()],
        vec![preferred()],
        vec![delta()],
        vec![reset()],
        vec![whole.clone(), after(&whole, 0, 9)],
        vec![whole.clone(), after(&whole, 0, whole.messages.len() - 1)],
    ] {
        let view = View::new(&log, streams[0].request.filter.as_ref(), streams[0].request.preferred);
        let subscriber = Subscriber { name: "a subscriber".into(), streams };
        assert_eq!(check(&log, &view, &subscriber), []);
    }
}

#[test]
fn a_view_shows_what_a_region_brings_and_takes() {
    let log = log();
    let view = View::new(&log, Some(&subtree()), false);
    let kinds: Vec<Vec<&str>> = (1..=log.head()).map(|r| view.steps(r).iter().map(|s| s.kind.as_str_name()).collect()).collect();
    let short: Vec<Vec<&str>> = kinds.iter().map(|c| c.iter().map(|k| k.trim_start_matches("CHANGE_KIND_")).collect()).collect();
    assert_eq!(
        short,
        [
            vec![],
            vec!["INSERTED"],
            vec!["REVISED", "INSERTED"],
            vec!["BACKFILLED"],
            vec!["ENTERED"],
            vec!["DELETED"],
            vec!["INSERTED"],
            vec!["LEFT"],
            vec!["INSERTED"],
            vec![],
            vec![],
        ]
    );
}
