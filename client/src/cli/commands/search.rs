//! `indicator search`: what is it called?

use indicator_proto::{
    to_json,
    v1::{EntryKind, SearchCatalogRequest, SearchHit},
    words::{self, Language},
};
use serde_json::{Map, Value};

use crate::{
    context::Context,
    failure::{Failure, quoted},
    moment::AsOfArgs,
    output::{Column, View},
    typed::Typed as _,
};

/// Arguments of `indicator search`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator search 'base stations'
  indicator search 山 --kind region
  indicator search 'bse staions'
  indicator search 370000 --as-of 2024-12-31 -o json")]
pub(crate) struct Args {
    /// An id, a code, a name or a part of one, in any language; typing errors are forgiven
    #[arg(required = true)]
    text: Vec<String>,
    /// Only entries of this kind; may be repeated
    #[arg(long, value_parser = EntryKind::parser(), value_name = "KIND")]
    kind: Vec<EntryKind>,
    /// At most this many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    limit: u32,
    #[command(flatten)]
    moment: AsOfArgs,
}

/// Searches the catalog.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let query = args.text.join(" ");
    let request = SearchCatalogRequest {
        query: query.clone(),
        kinds: args.kind.iter().map(|kind| (*kind).into()).collect(),
        language: cx.language.tag().to_owned(),
        limit: args.limit,
        as_of: args.moment.moment(),
    };
    let response = cx.client.search_catalog(request).await?;
    let mut listing = cx.listing(Hits { language: cx.language })?;
    for hit in &response.hits {
        listing.push(hit)?;
    }
    let found = listing.finish(Map::from_iter([("revision".to_owned(), Value::String(response.revision.to_string()))]))?;
    if found == 0 {
        let failure = Failure::not_found(format!("nothing in the catalog matches {}", quoted(&query)));
        return Err(failure.remedy("a shorter part of the name, or another language").into());
    }
    Ok(())
}

struct Hits {
    language: Language,
}

impl View for Hits {
    type Item = SearchHit;

    fn name(&self) -> &'static str {
        "hits"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::text(word("KIND", "类别")),
            Column::text(word("ID", "标识")),
            Column::text(word("NAME", "名称")),
            Column::text(word("MATCH", "匹配")),
        ]
    }

    fn row(&self, hit: &SearchHit) -> Vec<String> {
        let (kind, id) = subject(hit);
        let matched = words::matched(hit.r#match(), self.language);
        let told = hit.matched_text == id || hit.matched_text == hit.display_name;
        let matched = if told { matched.to_owned() } else { format!("{matched}: {}", hit.matched_text) };
        vec![words::entry_kind(kind, self.language).to_owned(), id.to_owned(), hit.display_name.clone(), matched]
    }

    fn fields(&self) -> Vec<String> {
        ["kind", "id", "name", "match", "matched_text"].map(str::to_owned).into()
    }

    fn record(&self, hit: &SearchHit) -> Vec<String> {
        let (kind, id) = subject(hit);
        let matched = hit.r#match().as_str_name().trim_start_matches("MATCH_KIND_").to_ascii_lowercase();
        vec![kind.typed().to_owned(), id.to_owned(), hit.display_name.clone(), matched, hit.matched_text.clone()]
    }

    fn json(&self, hit: &SearchHit) -> Value {
        to_json(hit)
    }
}

fn subject(hit: &SearchHit) -> (EntryKind, &str) {
    match hit.entry.as_ref().and_then(|entry| entry.entry.as_ref()) {
        Some(entry) => (entry.kind(), entry.id()),
        None => (EntryKind::Unspecified, ""),
    }
}
