//! `indicator log`: who changed what, when, why and from where.

use indicator_proto::{
    to_json,
    v1::{Commit, ListCommitsRequest, ListCommitsResponse, WriteContext},
    words::Language,
};
use serde_json::{Map, Value};

use crate::{
    catalog::Labels,
    change::{Change, Changes, What},
    context::{Context, Format},
    output::{Column, View, clock, time},
};

/// The most commits that one call answers.
const PAGE: u32 = 1_000;

/// Arguments of `indicator log`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator log
  indicator log --changes --limit 3
  indicator log --after 17 --oldest-first --limit 0 -o ndjson")]
pub(crate) struct Args {
    /// Only commits after this revision
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "REVISION")]
    after: u64,
    /// Only commits up to this revision
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "REVISION")]
    until: u64,
    /// At most this many commits; 0 means all
    #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
    limit: u32,
    /// Oldest first instead of newest first
    #[arg(long)]
    oldest_first: bool,
    /// What each commit changed
    #[arg(long)]
    changes: bool,
}

/// Prints the commits, or their changes.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    // JSON shows a commit with its changes inside; rows and records are one or the other.
    if args.changes && matches!(cx.format, Format::Table | Format::Csv) {
        return changes(cx, &args).await;
    }
    let mut listing = cx.listing(Commits { language: cx.language })?;
    let mut pages = Pages::new(cx, &args);
    let mut head = 0;
    while let Some(page) = pages.next().await? {
        head = page.head_revision;
        for commit in &page.commits {
            listing.push(commit)?;
        }
    }
    listing.finish(Map::from_iter([("headRevision".to_owned(), Value::String(head.to_string()))]))?;
    Ok(())
}

async fn changes(cx: &Context, args: &Args) -> anyhow::Result<()> {
    let table = cx.format == Format::Table;
    let mut all: Vec<Change> = Vec::new();
    let mut pages = Pages::new(cx, args);
    while let Some(page) = pages.next().await? {
        all.extend(page.commits.into_iter().flat_map(changes_of));
    }
    // The records of a CSV file are those of figures.
    all.retain(|change| table || change.series().is_some());
    let labels = if table { Labels::of_series(cx, all.iter().filter_map(Change::series)).await? } else { Labels::default() };
    let mut listing = cx.listing(Changes::new(labels, cx.language))?;
    for change in &all {
        listing.push(change)?;
    }
    listing.finish(Map::new())?;
    Ok(())
}

fn changes_of(commit: Commit) -> impl Iterator<Item = Change> {
    let Commit { revision, recorded_at, context, changes, catalog_changes, .. } = commit;
    let context = context.unwrap_or_default();
    let whats = catalog_changes
        .into_iter()
        .map(|change| What::Entry(Box::new(change)))
        .chain(changes.into_iter().map(|change| What::Cell(Box::new(change))));
    whats.map(move |what| Change { revision, recorded_at, context: context.clone(), what })
}

/// Reads commits page by page, and no more of them than were asked for.
struct Pages<'a> {
    cx: &'a Context,
    request: Option<ListCommitsRequest>,
    /// `None` means no limit.
    left: Option<usize>,
}

impl<'a> Pages<'a> {
    fn new(cx: &'a Context, args: &Args) -> Self {
        let request = ListCommitsRequest {
            after_revision: args.after,
            until_revision: args.until,
            newest_first: !args.oldest_first,
            include_changes: args.changes,
            // The same for every page: a page token belongs to one request.
            page_size: if args.limit == 0 { PAGE } else { args.limit.min(PAGE) },
            ..ListCommitsRequest::default()
        };
        Self { cx, request: Some(request), left: (args.limit > 0).then_some(args.limit as usize) }
    }

    async fn next(&mut self) -> anyhow::Result<Option<ListCommitsResponse>> {
        let Some(mut request) = self.request.take() else { return Ok(None) };
        let mut page = self.cx.client.list_commits(request.clone()).await?;
        if let Some(left) = &mut self.left {
            page.commits.truncate(*left);
            *left -= page.commits.len();
        }
        if !page.next_page_token.is_empty() && self.left != Some(0) {
            request.page_token.clone_from(&page.next_page_token);
            self.request = Some(request);
        }
        Ok(Some(page))
    }
}

struct Commits {
    language: Language,
}

impl View for Commits {
    type Item = Commit;

    fn name(&self) -> &'static str {
        "commits"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::figure(word("REVISION", "修订号")),
            Column::text(word("RECORDED", "记录时间")),
            Column::figure(word("FIGURES", "数值")),
            Column::figure(word("SERIES", "序列")),
            Column::figure(word("ENTRIES", "目录项")),
            Column::text(word("ACTOR", "操作者")),
            Column::text(word("FROM", "来自")),
            Column::text(word("REASON", "原因")),
            Column::text(word("DOCUMENT", "文件")),
        ]
    }

    fn row(&self, commit: &Commit) -> Vec<String> {
        let count = |count: u32| if count == 0 { String::new() } else { count.to_string() };
        let WriteContext { actor, reason, document_uri } = commit.context.clone().unwrap_or_default();
        vec![
            commit.revision.to_string(),
            clock(commit.recorded_at.as_ref()),
            count(commit.cells),
            count(commit.series),
            count(commit.entries),
            actor,
            commit.client_address.clone(),
            reason,
            document_uri,
        ]
    }

    fn fields(&self) -> Vec<String> {
        let fields = [
            "revision",
            "recorded_at",
            "cells",
            "series",
            "entries",
            "actor",
            "reason",
            "document_uri",
            "request_id",
            "hash",
            "client_address",
        ];
        fields.map(str::to_owned).into()
    }

    fn record(&self, commit: &Commit) -> Vec<String> {
        let WriteContext { actor, reason, document_uri } = commit.context.clone().unwrap_or_default();
        vec![
            commit.revision.to_string(),
            time(commit.recorded_at.as_ref()),
            commit.cells.to_string(),
            commit.series.to_string(),
            commit.entries.to_string(),
            actor,
            reason,
            document_uri,
            commit.request_id.clone(),
            commit.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            commit.client_address.clone(),
        ]
    }

    fn json(&self, commit: &Commit) -> Value {
        to_json(commit)
    }
}
