use std::collections::BTreeMap;

use indicator_proto::v1::{
    CatalogAction, CatalogChange, CatalogEntry, ChangeKind, EntryKind, EntryReference, ErrorReason, catalog_action::Action,
};

pub use super::obstacles::Usage;
use super::{
    Catalog, Entry, View, derived, form,
    obstacles::{check_deletes, check_revision},
    references::After,
    units,
};
use crate::engine::{Error, Violation};

/// What a request would change, as found by [`plan`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The changes, in the order of the request.
    pub changes: Vec<Change>,
    /// How many entries are already as asked.
    pub unchanged: u32,
}

/// What becomes of one entry: it was inserted, revised or deleted.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a revision holds two entries; requests are small")]
pub enum Change {
    /// There was none, and now there is this.
    Inserted(Entry),
    /// The first became the second.
    Revised(Entry, Entry),
    /// This is no more.
    Deleted(Entry),
}

impl Change {
    /// What happened.
    pub fn kind(&self) -> ChangeKind {
        match self {
            Self::Inserted(_) => ChangeKind::Inserted,
            Self::Revised(..) => ChangeKind::Revised,
            Self::Deleted(_) => ChangeKind::Deleted,
        }
    }

    /// The entry before, if there was one.
    pub fn before(&self) -> Option<&Entry> {
        match self {
            Self::Inserted(_) => None,
            Self::Revised(before, _) | Self::Deleted(before) => Some(before),
        }
    }

    /// The entry after, if there is one.
    pub fn after(&self) -> Option<&Entry> {
        match self {
            Self::Inserted(after) | Self::Revised(_, after) => Some(after),
            Self::Deleted(_) => None,
        }
    }

    /// The entry after the change; before it, if it was deleted.
    pub fn entry(&self) -> &Entry {
        match self {
            Self::Inserted(entry) | Self::Revised(_, entry) | Self::Deleted(entry) => entry,
        }
    }
}

impl From<&Change> for CatalogChange {
    fn from(change: &Change) -> Self {
        Self { kind: change.kind().into(), entry: Some(change.entry().clone().into()) }
    }
}

impl Plan {
    /// Records the changes as those of commit `revision`.
    pub fn record(&self, revision: u64, catalog: &mut Catalog) {
        for change in &self.changes {
            let entry = change.entry();
            catalog.record(revision, entry.kind(), entry.id(), change.after().cloned());
        }
    }
}

/// What a request does to one entry.
pub(super) struct Step {
    /// Where the request says so, as the beginning of the names of its fields.
    pub(super) path: String,
    pub(super) kind: EntryKind,
    pub(super) id: String,
    /// The new entry, normalised; `None` to delete it.
    pub(super) entry: Option<Entry>,
}

/// Checks a request against the catalog and the figures, and says what it would change. Reports all problems at once:
/// [`Error::Invalid`] if anything is wrong with the request, [`Error::Forbidden`] if only the use of entries stands against it.
pub fn plan(view: View<'_>, actions: &[CatalogAction], usage: &dyn Usage) -> Result<Plan, Error> {
    let mut problems = Vec::new();
    if actions.is_empty() {
        problems.push(Violation::new("actions", ErrorReason::Required, "there is nothing to do; pass at least one action"));
    }
    let mut steps = Vec::with_capacity(actions.len());
    for (i, action) in actions.iter().enumerate() {
        steps.extend(step(&format!("actions[{i}]"), action, &mut problems));
    }
    let steps = each_once(steps, &mut problems);

    let after = After::new(view, &steps);
    for Step { path, kind, id, entry } in &steps {
        let Some(entry) = entry else { continue };
        after.check_references(path, entry, &mut problems);
        if let Some((_, before)) = view.entry(*kind, id) {
            check_revision(path, before, entry, usage, &mut problems);
        }
    }
    after.check_cycles(&steps, &mut problems);
    units::check(&after, &steps, &mut problems);
    derived::check(&after, &steps, &mut problems);
    let deletes: Vec<_> = steps.iter().filter(|s| s.entry.is_none() && view.entry(s.kind, &s.id).is_some()).collect();
    let obstacles = check_deletes(&after, &deletes, usage);

    if problems.is_empty() && obstacles.is_empty() {
        Ok(difference(view, steps))
    } else if problems.is_empty() {
        Err(Error::Forbidden(obstacles))
    } else {
        problems.extend(obstacles);
        Err(Error::Invalid(problems))
    }
}

/// Reads an action. `None` if it does not say which entry it is about.
fn step(path: &str, action: &CatalogAction, problems: &mut Vec<Violation>) -> Option<Step> {
    match &action.action {
        Some(Action::Upsert(entry)) => upsert(&format!("{path}.upsert"), entry, problems),
        Some(Action::Delete(reference)) => delete(format!("{path}.delete"), reference, problems),
        None => {
            problems.push(Violation::new(path, ErrorReason::Required, "the action is missing; pass an upsert or a delete"));
            None
        }
    }
}

fn upsert(path: &str, entry: &CatalogEntry, problems: &mut Vec<Violation>) -> Option<Step> {
    let Some(mut entry) = entry.entry.clone() else {
        let description = "the entry is missing; pass a region, source, unit, dimension or indicator";
        problems.push(Violation::new(path, ErrorReason::Required, description));
        return None;
    };
    let path = format!("{path}.{}", entry.kind().noun());
    form::check(&path, &entry, problems);
    form::normalise(&mut entry);
    let (kind, id) = (entry.kind(), entry.id().to_owned());
    (!id.is_empty()).then_some(Step { path, kind, id, entry: Some(entry) })
}

fn delete(path: String, reference: &EntryReference, problems: &mut Vec<Violation>) -> Option<Step> {
    let kind = EntryKind::try_from(reference.kind).ok().filter(|kind| *kind != EntryKind::Unspecified);
    let Some(kind) = kind else {
        let description = "pass the kind of the entry: region, source, unit, dimension or indicator";
        problems.push(Violation::new(format!("{path}.kind"), ErrorReason::InvalidEnum, description));
        return None;
    };
    if let Err(error) = form::check_id(kind, &reference.id) {
        let reason = if reference.id.is_empty() { ErrorReason::Required } else { ErrorReason::InvalidId };
        problems.push(Violation::new(format!("{path}.id"), reason, error.to_string()));
        return None;
    }
    Some(Step { path, kind, id: reference.id.clone(), entry: None })
}

/// Keeps the first step of each entry.
fn each_once(steps: Vec<Step>, problems: &mut Vec<Violation>) -> Vec<Step> {
    let mut first: BTreeMap<(EntryKind, String), String> = BTreeMap::new();
    let mut once = Vec::with_capacity(steps.len());
    for step in steps {
        if let Some(first) = first.get(&(step.kind, step.id.clone())) {
            let description = format!("the {} {:?} is named by {first} already; remove one of them", step.kind.noun(), step.id);
            problems.push(Violation::new(format!("{}.id", step.path), ErrorReason::ConflictingFields, description));
        } else {
            first.insert((step.kind, step.id.clone()), step.path.clone());
            once.push(step);
        }
    }
    once
}

fn difference(view: View<'_>, steps: Vec<Step>) -> Plan {
    let mut plan = Plan::default();
    for Step { kind, id, entry, .. } in steps {
        let before = view.entry(kind, &id).map(|(_, entry)| entry);
        match (before, entry) {
            (None, Some(after)) => plan.changes.push(Change::Inserted(after)),
            (Some(before), Some(after)) if *before != after => plan.changes.push(Change::Revised(before.clone(), after)),
            (Some(before), None) => plan.changes.push(Change::Deleted(before.clone())),
            (Some(_), Some(_)) | (None, None) => plan.unchanged += 1,
        }
    }
    plan
}
