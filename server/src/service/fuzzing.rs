//! What must hold for any request: nothing panics, every violation names a field of it, and what is taken is taken again as it is told.

use std::sync::OnceLock;

use indicator_proto::{Time, v1};
use prost::{Message, Name};

use super::{analytics::fuzzing as analytics, filter, gate, moment, observation::named_series, transform, watch, wire};
use crate::{
    access::Caller,
    engine::{
        Error, Mode, Violation, WriteCommand,
        catalog::{self, Catalog, Usage, View},
    },
    store::{Kind, Version},
};

/// The first byte says which request the others are.
pub(crate) fn requests(bytes: &[u8]) {
    let Some((&what, bytes)) = bytes.split_first() else { return };
    match what % 12 {
        0 => each(bytes, write),
        1 => each(bytes, |batch, violations| import(batch, &[Mode::Merge, Mode::Replace, Mode::Delete], violations)),
        2 => each(bytes, query),
        3 => each(bytes, watching),
        4 => each(bytes, |request, violations| analytics::milestones(request, view(), violations)),
        5 => each(bytes, |request, violations| analytics::rank(request, view(), violations)),
        6 => each(bytes, |request, violations| analytics::compare(request, view(), violations)),
        7 => each(bytes, |request, violations| apply(&request, violations)),
        8 => each(bytes, |request: v1::SearchCatalogRequest, violations| {
            let hits = catalog::Search::read(&request, violations).hits(view());
            assert!(hits.iter().all(|hit| hit.entry.is_some()));
        }),
        9 => each(bytes, |request: v1::ListRegionsRequest, violations| list(&request, violations)),
        10 => each(bytes, |request: v1::ListIndicatorsRequest, violations| list(&request, violations)),
        _ => each(bytes, |request: v1::GetRevisionStatisticsRequest, violations| {
            named_series(request.series, violations);
            filter::days(&request.start_period, &request.end_period, "", violations);
            filter::frequency(request.frequency, "frequency", violations);
            moment::axis(request.axis, violations);
            moment::check(request.as_of.as_ref(), violations);
        }),
    }
}

/// Checks a request, and what is said of it.
fn each<M: Message + Name + Default>(bytes: &[u8], check: impl FnOnce(M, &mut Vec<Violation>)) {
    let Ok(message) = M::decode(bytes) else { return };
    let mut violations = Vec::new();
    check(message, &mut violations);
    for violation in violations {
        assert!(!violation.description.is_empty(), "{violation:?}");
        let mut message = indicator_proto::pool().get_message_by_name(&M::full_name());
        for name in names(&violation.field) {
            let of = message.unwrap_or_else(|| panic!("{violation:?}: what is before {name} has no fields"));
            let field = of.get_field_by_name(name).unwrap_or_else(|| panic!("{violation:?}: {} has no such field", of.name()));
            let kind = field.kind();
            message = kind.as_message().cloned();
            if field.is_map() {
                message = message.and_then(|entry| entry.map_entry_value_field().kind().as_message().cloned());
            }
        }
    }
}

/// The names in the path of a field, without indexes and keys.
fn names(path: &str) -> Vec<&str> {
    let (mut names, mut rest) = (Vec::new(), path);
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        names.push(&rest[..end]);
        rest = &rest[end..];
        if let Some(key) = rest.strip_prefix("[\"") {
            let mut escaped = false;
            let end = key.find(|c| {
                c == '"' && !std::mem::take(&mut escaped) || {
                    escaped = c == '\\' && !escaped;
                    false
                }
            });
            rest = key[end.expect("a key ends") + 1..].strip_prefix(']').expect("a key is followed by its end");
        } else if let Some(index) = rest.strip_prefix('[') {
            let end = index.find(']').expect("an index ends");
            assert!(index[..end].parse::<u32>().is_ok(), "{path}");
            rest = &index[end + 1..];
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => return names,
            None => panic!("{path} is no path"),
        }
    }
}

fn write(request: v1::WriteObservationsRequest, violations: &mut Vec<Violation>) {
    let (mode, caller) = (request.mode(), Caller::anybody(None));
    let (command, found) = gate::write(request, &caller, 1_000);
    assert_eq!(gate::permitted(&caller, &command.series).map_err(|error| error.to_string()), Ok(()));
    if found.is_empty() && mode != v1::WriteMode::Delete {
        told_again(&command);
    }
    violations.extend(found);
}

/// What is to be written is taken as the service itself tells it.
fn told_again(command: &WriteCommand) {
    for series in &command.series {
        assert!(series.cells.is_sorted_by(|a, b| a.period < b.period));
        let observation = |cell: &crate::engine::CellWrite| {
            let version = Version {
                period: cell.period,
                kind: Kind::Inserted,
                published_at: cell.published_at.unwrap_or(Time::MIN),
                recorded_at: Time::MAX,
                revision: 1,
                figure: cell.figure.clone(),
            };
            wire::observation(&version, None)
        };
        let key = v1::SeriesKey::from(&series.key);
        let told = v1::SeriesObservations { series: Some(key), observations: series.cells.iter().map(observation).collect() };
        let (again, violations) = gate::batch(v1::ImportBatch { series: vec![told] }, Mode::Merge);
        assert_eq!(violations, []);
        let figures = |write: &crate::engine::SeriesWrite| {
            write.cells.iter().map(|cell| (cell.period, cell.figure.clone())).collect::<Vec<_>>()
        };
        assert_eq!(again.iter().map(figures).collect::<Vec<_>>(), [figures(series)]);
    }
}

fn import(batch: v1::ImportBatch, modes: &[Mode], violations: &mut Vec<Violation>) {
    for mode in modes {
        let (series, found) = gate::batch(batch.clone(), *mode);
        assert!(series.iter().all(|write| write.cells.is_sorted_by(|a, b| a.period < b.period)));
        assert!(found.iter().all(|violation| violation.place.is_some()));
        violations.extend(found);
    }
}

fn query(request: v1::QueryObservationsRequest, violations: &mut Vec<Violation>) {
    let filter = filter::check(request.filter, violations);
    moment::check(request.as_of.as_ref(), violations);
    transform::check(&request.transforms, "transforms", violations);
    violations.extend(filter.check(view()));
}

fn watching(mut request: v1::WatchRequest, violations: &mut Vec<Violation>) {
    let identity = watch::identity(&request);
    watch::progress_interval(request.progress_interval.as_ref(), violations);
    let mode = watch::mode(request.mode, violations);
    watch::min_interval(request.min_interval.as_ref(), mode, violations);
    let filter = filter::check(request.filter.clone(), violations);
    violations.extend(filter.check(view()));
    let filter = request.filter.get_or_insert_default();
    for list in [&mut filter.indicators, &mut filter.regions, &mut filter.sources] {
        list.reverse();
        list.extend(list.first().cloned());
    }
    assert_eq!(watch::identity(&request), identity);
}

/// What is applied is there, and is a catalog that can be changed.
fn apply(request: &v1::ApplyCatalogRequest, violations: &mut Vec<Violation>) {
    match catalog::plan(view(), &request.actions, &Used) {
        Ok(plan) => {
            let mut after = catalog().clone();
            plan.record(2, &mut after);
            let again = catalog::plan(after.at(2), &request.actions, &Used);
            let again = again.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(again.changes, []);
            assert_eq!(again.unchanged as usize, plan.changes.len() + plan.unchanged as usize);
            for change in &plan.changes {
                let entry = change.entry();
                let decoded = catalog::decode(entry.kind(), &catalog::encode(entry));
                assert_eq!(decoded.ok().as_ref(), Some(entry));
            }
        }
        Err(Error::Invalid(found) | Error::Forbidden(found)) => violations.extend(found),
        Err(error) => panic!("{error}"),
    }
}

fn list<R: catalog::ListRequest>(request: &R, violations: &mut Vec<Violation>) {
    match catalog::list(view(), request, "", 3) {
        Ok(page) => assert!(page.entries.len() <= 3),
        Err(Error::Invalid(found)) => violations.extend(found),
        Err(error) => panic!("{error}"),
    }
}

/// A small catalog.
fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let serde_json::Value::Array(actions) = serde_json::json!([
            {"upsert": {"region": {"id": "CN", "level": "country", "names": {"en": "China", "zh": "中国"}}}},
            {"upsert": {"region": {"id": "CN-SD", "parent": "CN", "level": "province", "names": {"en": "Shandong"},
                "codes": {"gbt2260": "370000"}, "aliases": ["山东省"]}}},
            {"upsert": {"source": {"id": "office", "names": {"en": "Office"}, "kind": "report", "precedence": 1}}},
            {"upsert": {"unit": {"id": "1", "names": {"en": "number"}, "kind": "UNIT_KIND_COUNT"}}},
            {"upsert": {"unit": {"id": "CNY", "names": {"en": "yuan"}, "kind": "UNIT_KIND_CURRENCY"}}},
            {"upsert": {"dimension": {"id": "sex", "names": {"en": "Sex"}, "codes": [{"id": "F", "names": {"en": "female"}}]}}},
            {"upsert": {"indicator": {"id": "gdp", "names": {"en": "GDP"}, "unit": "CNY"}}},
            {"upsert": {"indicator": {"id": "people", "names": {"en": "People"}, "unit": "1", "optionalDimensions": ["sex"]}}},
        ]) else {
            unreachable!("it is a list")
        };
        let actions = actions.into_iter().map(|action| indicator_proto::from_json(action).expect("it is an action"));
        let actions: Vec<v1::CatalogAction> = actions.collect();
        let mut catalog = Catalog::default();
        let plan = catalog::plan(catalog.at(0), &actions, &Used).unwrap_or_else(|error| panic!("{error}"));
        plan.record(1, &mut catalog);
        catalog
    })
}

fn view() -> View<'static> {
    catalog().at(1)
}

/// There are figures of one indicator.
struct Used;

impl Usage for Used {
    fn series_of(&self, _: v1::EntryKind, id: &str) -> u64 {
        ["people", "CN", "office", "sex", "1"].contains(&id).into()
    }

    fn series_with_code(&self, dimension: &str, code: &str) -> u64 {
        (dimension == "sex" && code == "F").into()
    }

    fn series_broken_down(&self, indicator: &str, dimension: &str) -> u64 {
        (indicator == "people" && dimension == "sex").into()
    }
}
