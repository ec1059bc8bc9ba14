//! The log as it happens: who, what, old → new, why.

use indicator_proto::{
    Time,
    v1::{CatalogChange, CellChange, Commit, EntryKind, catalog_entry::Entry},
    words::{self, Language, grouped},
};
use maud::{Markup, html};
use tonic::Status;

use super::{
    address::{Address, Indicator, View},
    names::Names,
    parts,
    picture::{Part, Picture, Section},
    reader::Reader,
    said,
};

/// Commits on one page.
const COMMITS: u32 = 40;
/// A commit with more changes is told of in numbers.
const FEW: u32 = 200;
/// Changes of one commit that are told one by one.
const TOLD: usize = 10;

/// Draws it: from the newest, or from the one before `before`.
pub(super) async fn draw(reader: &Reader, address: &Address, before: Option<u64>) -> Result<Picture, Status> {
    let word = |en: &'static str, zh: &'static str| reader.language.word(en, zh);
    let until = before.map_or(u64::MAX, |before| before.saturating_sub(1));
    let commits = reader.commits(until, COMMITS, FEW).await?;
    let names = reader.names();
    let rows = commits.iter().map(|commit| Part::new(format!("commit-{}", commit.revision), row(commit, address, names)));
    let rows: Vec<Part> = rows.collect();
    let head = html! {
        header.head id="head" {
            h1 { (word("Changes", "变动记录")) }
            p.lead { (word("Every change of the record, newest first: who made it, what it did, and why.", "记录的每次变动，最新的在前：何人、何事、为何。")) }
            (parts::past(address))
        }
    };
    let earlier = commits.last().map(|commit| commit.revision).filter(|revision| *revision > 1);
    let mut sections = vec![Section::new("heading", "", vec![Part::new("head", head)])];
    if rows.is_empty() {
        let nothing = html! { p.nothing id="no-commits" { (word("Nothing has been recorded yet.", "尚无记录。")) } };
        sections.push(Section::new("log", word("Commits", "提交"), vec![Part::new("no-commits", nothing)]));
    } else {
        sections.push(Section::list("log", word("Commits", "提交"), rows));
    }
    if before.is_some() || earlier.is_some() {
        let pager = html! {
            nav.pager id="pager" aria-label=(word("Pages", "分页")) {
                @if before.is_some() { a rel="first" href=(address.to(View::Changes { before: None })) { (word("← Newest", "← 最新")) } }
                @if let Some(revision) = earlier {
                    a rel="next" href=(address.to(View::Changes { before: Some(revision) })) { (word("Earlier →", "更早 →")) }
                }
            }
        };
        sections.push(Section::new("pages", "", vec![Part::new("pager", pager)]));
    }
    Ok(Picture::new(word("Changes", "变动记录"), sections))
}

fn row(commit: &Commit, address: &Address, names: Names<'_>) -> Markup {
    let language = names.language;
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    let context = commit.context.clone().unwrap_or_default();
    let time = commit.recorded_at.as_ref().and_then(|stamp| Time::try_from(stamp).ok());
    let told = commit.changes.len() + commit.catalog_changes.len();
    let all = (commit.cells + commit.entries) as usize;
    html! {
        li.commit id=(format!("commit-{}", commit.revision)) {
            header {
                span.revision { "#" (commit.revision) }
                " "
                @if let Some(time) = time { (parts::moment_of(time, language)) }
                " "
                span.actor { @if context.actor.is_empty() { (word("unknown", "未知")) } @else { (context.actor) } }
                @if !commit.client_address.is_empty() { " " span.from-address { (commit.client_address) } }
                " "
                span.count { (counts(commit, language)) }
            }
            @if !context.reason.is_empty() { p.reason { (context.reason) } }
            (parts::document(&context.document_uri, &context.document_uri))
            @if told > 0 {
                ul.changes {
                    @for change in commit.changes.iter().take(TOLD) { li { (cell(change, address, names)) } }
                    @for change in commit.catalog_changes.iter().take(TOLD) { li { (entry(change, names)) } }
                    @if all > commit.changes.len().min(TOLD) + commit.catalog_changes.len().min(TOLD) {
                        li.more { (more(all - commit.changes.len().min(TOLD) - commit.catalog_changes.len().min(TOLD), language)) }
                    }
                }
            }
        }
    }
}

/// How much a commit changed.
fn counts(commit: &Commit, language: Language) -> String {
    let number = |count: u32| grouped(&count.to_string(), 0);
    let mut counts = Vec::new();
    if commit.cells > 0 {
        counts.push(match language {
            Language::En if commit.cells == 1 => "1 figure".to_owned(),
            Language::En => format!("{} figures", number(commit.cells)),
            Language::Zh => format!("{} 项数据", number(commit.cells)),
        });
    }
    if commit.entries > 0 {
        counts.push(match language {
            Language::En if commit.entries == 1 => "1 catalog entry".to_owned(),
            Language::En => format!("{} catalog entries", number(commit.entries)),
            Language::Zh => format!("{} 个目录项", number(commit.entries)),
        });
    }
    counts.join(language.word(", ", "，"))
}

fn more(count: usize, language: Language) -> String {
    let count = grouped(&count.to_string(), 0);
    match language {
        Language::En => format!("and {count} more"),
        Language::Zh => format!("另有 {count} 项"),
    }
}

/// One figure: old → new.
fn cell(change: &CellChange, address: &Address, names: Names<'_>) -> Markup {
    let observation = change.observation.clone().unwrap_or_default();
    let series = observation.series.clone().unwrap_or_default();
    let old = said::old(change, &series.indicator, names);
    let new = names.headline(&observation, &series.indicator);
    let to = address.to(View::Indicator(Indicator {
        region: series.region.clone(),
        indicator: series.indicator.clone(),
        dimensions: Some(series.dimensions.clone().into_iter().collect()),
        ..Indicator::default()
    }));
    html! {
        span class={ "kind kind-" (change.kind) } { (said::what(change.kind(), names.language)) }
        " "
        a href=(to) { (said::subject(&observation, names)) }
        ": "
        @if !old.is_empty() { span.old { (old) } " → " }
        strong.new title=(names.figure(&observation, &series.indicator)) { (new.text) }
        " " span.source { (names.source(&series.source)) }
    }
}

/// One catalog entry.
fn entry(change: &CatalogChange, names: Names<'_>) -> Markup {
    let (kind, id, name) = match change.entry.as_ref().and_then(|entry| entry.entry.as_ref()) {
        Some(Entry::Region(it)) => (EntryKind::Region, it.id.as_str(), names.region(&it.id)),
        Some(Entry::Source(it)) => (EntryKind::Source, it.id.as_str(), names.source(&it.id)),
        Some(Entry::Unit(it)) => (EntryKind::Unit, it.id.as_str(), names.unit_name(&it.id)),
        Some(Entry::Indicator(it)) => (EntryKind::Indicator, it.id.as_str(), names.indicator(&it.id)),
        Some(Entry::Dimension(it)) => (EntryKind::Dimension, it.id.as_str(), names.dimension(&it.id)),
        None => return html! {},
    };
    html! {
        span class={ "kind kind-" (change.kind) } { (said::what(change.kind(), names.language)) }
        " " (words::entry_kind(kind, names.language)) " " strong { (name) } " " span.id { (id) }
    }
}
