//! `indicator catalog apply`: catalog files become one commit.

use std::{fs, io, path::PathBuf};

use anyhow::Context as _;
use indicator_client::{
    Error,
    catalog_file::{self, InvalidCatalog},
};
use indicator_proto::{
    to_json,
    v1::{ApplyCatalogRequest, ApplyCatalogResponse, CatalogAction, CatalogChange, ChangeKind, EntryKind, catalog_entry::Entry},
    words::{self, Language},
};
use serde_json::Value;

use crate::{
    catalog,
    context::Context,
    failure::Failure,
    output::{Column, View, fields},
    typed::Typed as _,
    write::{ReasonArgs, conclusion, counted},
};

/// Arguments of `indicator catalog apply`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator catalog apply regions.toml indicators.toml --reason 'first catalog'
  indicator catalog apply indicators.toml --dry-run
  generate-catalog | indicator catalog apply -

A file has the tables [[region]], [[source]], [[unit]], [[dimension]], [[indicator]] and [[delete]], in TOML or
JSON. Entries have the fields of the messages of these names; an entry replaces the one with its id as a whole:
  [[region]]
  id = \"CN-SD\"
  parent = \"CN\"
  level = \"province\"
  names = { en = \"Shandong\", zh = \"山东\" }")]
pub(crate) struct Args {
    /// Catalog files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    reason: ReasonArgs,
    /// Check everything and show what would change, but write nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Applies the files.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let files = read(&args.files)?;
    let origins: Vec<String> = files
        .iter()
        .flat_map(|(file, actions)| actions.iter().map(move |action| format!("{file}: {}", catalog_file::title(action))))
        .collect();
    let request = ApplyCatalogRequest {
        actions: files.into_iter().flat_map(|(_, actions)| actions).collect(),
        validate_only: args.dry_run,
        request_id: String::new(),
        context: Some(args.reason.context()),
    };
    if request.actions.is_empty() {
        return Err(Failure::rejected("the files have no entries").into());
    }
    let response = cx.client.apply_catalog(request).await.map_err(|error| located(error, &origins))?;
    print(cx, &response, args.dry_run)
}

/// The actions of each file, or the problems of all of them.
fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, Vec<CatalogAction>)>> {
    let mut files = Vec::with_capacity(paths.len());
    let mut problems = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let text = if name == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) };
        let name = if name == "-" { "standard input".to_owned() } else { name };
        let text = text.with_context(|| format!("cannot read {name}"))?;
        match catalog_file::parse(&name, &text) {
            Ok(actions) => files.push((name, actions)),
            Err(invalid) => problems.extend(invalid.problems),
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(Failure::rejected(InvalidCatalog { problems }.to_string()).into()) }
}

/// The service names fields by the index of their action; people know them by file and entry.
fn located(error: Error, origins: &[String]) -> anyhow::Error {
    let Error::Rpc { violations, .. } = &error else { return error.into() };
    let lines: Vec<String> = violations
        .iter()
        .map(|violation| match locate(&violation.field, origins) {
            Some((origin, field)) => {
                format!("{origin}: {field}{}{}", if field.is_empty() { "" } else { ": " }, violation.description)
            }
            None => violation.to_string(),
        })
        .collect();
    if lines.is_empty() { error.into() } else { Failure::rejected(lines.join("\n")).into() }
}

/// Splits `actions[17].upsert.region.parent` into the origin of action 17 and `parent`.
fn locate<'a>(field: &'a str, origins: &'a [String]) -> Option<(&'a str, &'a str)> {
    let (index, path) = field.strip_prefix("actions[")?.split_once(']')?;
    let origin = origins.get(index.parse::<usize>().ok()?)?;
    let path = path.trim_start_matches('.');
    let path = path.strip_prefix("upsert").or(path.strip_prefix("delete")).unwrap_or(path).trim_start_matches('.');
    let mut kinds = EntryKind::ALL.iter().map(|(kind, _)| kind.noun());
    let inner = kinds.find_map(|kind| path.strip_prefix(kind).filter(|rest| rest.is_empty() || rest.starts_with('.')));
    Some((origin, inner.unwrap_or(path).trim_start_matches('.')))
}

fn print(cx: &Context, response: &ApplyCatalogResponse, dry_run: bool) -> anyhow::Result<()> {
    let mut listing = cx.listing(Changes { language: cx.language })?;
    for change in &response.changes {
        listing.push(change)?;
    }
    let counts = ApplyCatalogResponse { changes: Vec::new(), ..response.clone() };
    listing.finish(fields(&counts))?;
    let count = |kind| response.changes.iter().filter(|change| change.kind() == kind).count() as u32;
    let counts = counted(&[
        (count(ChangeKind::Inserted), "inserted"),
        (count(ChangeKind::Revised), "revised"),
        (count(ChangeKind::Deleted), "deleted"),
        (response.unchanged, "already so"),
    ]);
    cx.remark(&conclusion(&counts, !response.changes.is_empty(), response.revision, dry_run));
    Ok(())
}

struct Changes {
    language: Language,
}

impl View for Changes {
    type Item = CatalogChange;

    fn name(&self) -> &'static str {
        "changes"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        let texts = [word("CHANGE", "变更"), word("KIND", "类别"), word("ID", "标识"), word("NAME", "名称")];
        texts.into_iter().map(Column::text).collect()
    }

    fn row(&self, change: &CatalogChange) -> Vec<String> {
        // In the catalog, an entry is deleted; "withdrawn" is said of figures.
        let kind = match change.kind() {
            ChangeKind::Deleted => self.language.word("deleted", "删除"),
            other => words::change(other, self.language),
        };
        let Some(entry) = entry(change) else { return vec![kind.to_owned(), String::new(), String::new(), String::new()] };
        let what = words::entry_kind(entry.kind(), self.language);
        let name = catalog::name(entry, self.language);
        [kind, what, entry.id(), name].map(str::to_owned).into()
    }

    fn fields(&self) -> Vec<String> {
        ["change", "kind", "id", "name"].map(str::to_owned).into()
    }

    fn record(&self, change: &CatalogChange) -> Vec<String> {
        let Some(entry) = entry(change) else { return vec![String::new(); 4] };
        let name = catalog::name(entry, self.language);
        [change.kind().typed(), entry.kind().typed(), entry.id(), name].map(str::to_owned).into()
    }

    fn json(&self, change: &CatalogChange) -> Value {
        to_json(change)
    }
}

fn entry(change: &CatalogChange) -> Option<&Entry> {
    change.entry.as_ref()?.entry.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_is_located_by_file_entry_and_field() {
        let origins = ["a.toml: region CN".to_owned(), "a.toml: unit region".to_owned(), "b.toml: delete unit x".to_owned()];
        assert_eq!(locate("actions[0].upsert.region.parent", &origins), Some(("a.toml: region CN", "parent")));
        assert_eq!(locate("actions[0].upsert.region", &origins), Some(("a.toml: region CN", "")));
        assert_eq!(locate("actions[0].region_weight", &origins), Some(("a.toml: region CN", "region_weight")));
        assert_eq!(locate("actions[2].delete.id", &origins), Some(("b.toml: delete unit x", "id")));
        assert_eq!(locate("actions[9].upsert", &origins), None);
        assert_eq!(locate("request_id", &origins), None);
    }
}
