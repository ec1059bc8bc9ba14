//! Which entries an entry refers to, and whether those are there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use indicator_proto::v1::{EntryKind, ErrorReason, Region};

use super::{Entry, EntryMessage, View, unknown, validate::Step};
use crate::engine::{Violation, formula};

/// A field that names another entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    field: &'static str,
    /// Its index, where the field is a list.
    index: Option<usize>,
    /// Kind of the entry it names.
    pub(super) kind: EntryKind,
    /// Id of the entry it names.
    pub(super) id: &'a str,
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "{}[{index}]", self.field),
            None => f.write_str(self.field),
        }
    }
}

/// The entries that `entry` refers to, in the order of its fields.
pub(super) fn references(entry: &Entry) -> Vec<Reference<'_>> {
    let one = |field, kind, id| Reference { field, index: None, kind, id };
    let references = match entry {
        Entry::Region(region) => vec![one("parent", EntryKind::Region, &*region.parent)],
        Entry::Source(source) => vec![one("region", EntryKind::Region, &*source.region)],
        Entry::Unit(unit) => vec![
            one("base_unit", EntryKind::Unit, &*unit.base_unit),
            one("numerator", EntryKind::Unit, &*unit.numerator),
            one("denominator", EntryKind::Unit, &*unit.denominator),
        ],
        Entry::Dimension(_) => Vec::new(),
        Entry::Indicator(indicator) => {
            let mut references = vec![one("unit", EntryKind::Unit, &*indicator.unit)];
            references.extend(each("dimensions", EntryKind::Dimension, &indicator.dimensions));
            references.extend(each("optional_dimensions", EntryKind::Dimension, &indicator.optional_dimensions));
            references.push(one("region_weight", EntryKind::Indicator, &*indicator.region_weight));
            references.extend(each("source_order", EntryKind::Source, &indicator.source_order));
            let operands = formula::mentions(&indicator.formula).into_iter();
            references.extend(operands.map(|id| one(FORMULA, EntryKind::Indicator, id)));
            references
        }
    };
    references.into_iter().filter(|reference| !reference.id.is_empty()).collect()
}

/// The field whose text names indicators.
const FORMULA: &str = "formula";

fn each<'a>(field: &'static str, kind: EntryKind, ids: &'a [String]) -> impl Iterator<Item = Reference<'a>> {
    ids.iter().enumerate().map(move |(index, id)| Reference { field, index: Some(index), kind, id })
}

/// The catalog as it would be after a request.
pub(super) struct After<'a> {
    pub(super) view: View<'a>,
    /// The entries that the request names, with what it does to them.
    pub(super) changed: BTreeMap<(EntryKind, &'a str), &'a Step>,
}

impl<'a> After<'a> {
    pub(super) fn new(view: View<'a>, steps: &'a [Step]) -> Self {
        Self { view, changed: steps.iter().map(|step| ((step.kind, step.id.as_str()), step)).collect() }
    }

    /// An entry as it would be.
    pub(super) fn entry(&self, kind: EntryKind, id: &str) -> Option<&'a Entry> {
        match self.changed.get(&(kind, id)) {
            Some(step) => step.entry.as_ref(),
            None => self.view.entry(kind, id).map(|(_, entry)| entry),
        }
    }

    /// An entry of the kind `T` as it would be.
    pub(super) fn get<T: EntryMessage + 'a>(&self, id: &str) -> Option<&'a T> {
        T::of(self.entry(T::KIND, id)?)
    }

    /// An entry of the kind `T` as it is before the request.
    pub(super) fn before<T: EntryMessage + 'a>(&self, id: &str) -> Option<&'a T> {
        Some(self.view.get(id)?.1)
    }

    fn parent(&self, region: &Region) -> Option<&'a Region> {
        self.get(&region.parent)
    }

    /// Finds references of the entry at `path` to entries that would not be there.
    pub(super) fn check_references(&self, path: &str, entry: &Entry, problems: &mut Vec<Violation>) {
        for reference in references(entry) {
            let Reference { field, kind, id, .. } = reference;
            if self.entry(kind, id).is_some() {
                continue;
            }
            let noun = kind.noun();
            let description = match self.changed.get(&(kind, id)) {
                Some(step) => format!("the {noun} {id:?} is deleted by {}; keep it, or refer to another one", step.path),
                None => {
                    let is_known = |id: &str| self.entry(kind, id).is_some();
                    let subtraction = formula::looks_like_subtraction(id, is_known).filter(|_| field == FORMULA);
                    let remedy = subtraction.map_or_else(
                        || "add it in the same request, or correct the id".to_owned(),
                        |subtraction| format!("to subtract, put spaces around the minus: {subtraction}"),
                    );
                    format!("the catalog has no {noun} {id:?}; {remedy}")
                }
            };
            problems.push(Violation::new(format!("{path}.{reference}"), unknown(kind), description));
        }
    }

    /// Finds circles of parents: one problem each, at the first region of the request that leads into it.
    pub(super) fn check_cycles(&self, steps: &'a [Step], problems: &mut Vec<Violation>) {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        for step in steps {
            let mut walk: Vec<&str> = Vec::new();
            let mut next = step.entry.as_ref().and_then(Region::of);
            while let Some(region) = next
                && done.insert(&region.id)
            {
                walk.push(&region.id);
                next = self.parent(region);
            }
            // The walk ended at a root, or where one was before, or in itself: a cycle.
            let start = next.and_then(|region| walk.iter().position(|id| *id == region.id));
            if let Some(start) = start {
                problems.push(cycle(&step.path, &walk[start..]));
            }
        }
    }
}

/// The problem of regions each of which is the parent of the one before, and the first that of the last.
fn cycle(path: &str, ids: &[&str]) -> Violation {
    let description = format!("its parents lead in a circle: {}; give one of them another parent", circle(ids));
    Violation::new(format!("{path}.parent"), ErrorReason::InvalidEntry, description)
}

/// Ids each of which leads to the next, and the last to the first.
pub(super) fn circle(ids: &[&str]) -> String {
    const SHOWN: usize = 8;
    let mut steps: Vec<_> = ids.iter().take(SHOWN).copied().collect();
    if ids.len() > SHOWN {
        steps.push("...");
    }
    steps.push(ids[0]);
    steps.join(" > ")
}
