//! Catalog entries that a text finds.

use indicator_proto::v1::{EntryKind, SearchCatalogRequest, catalog_entry::Entry};
use maud::html;

use super::{
    address::{Address, Overview, Ranking, View},
    picture::{Part, Picture, Section},
    reader::Reader,
};
use crate::engine::catalog::Search;

const HITS: u32 = 50;

/// Draws it.
pub(super) fn draw(reader: &Reader, address: &Address, query: &str) -> Picture {
    let names = reader.names();
    let word = |en: &'static str, zh: &'static str| reader.language.word(en, zh);
    let request = SearchCatalogRequest {
        query: query.to_owned(),
        kinds: vec![EntryKind::Region.into(), EntryKind::Indicator.into()],
        limit: HITS,
        language: reader.language.tag().to_owned(),
        as_of: None,
    };
    let mut problems = Vec::new();
    let search = Search::read(&request, &mut problems);
    let hits = if problems.is_empty() { search.hits(names.catalog) } else { Vec::new() };
    let html = html! {
        div.results id="results" {
            h1 { (word("Search", "搜索")) @if !query.is_empty() { ": " q { (query) } } }
            @if query.is_empty() {
                p.lead { (word("Type the name of a region or of an indicator, in English or Chinese.", "请输入地区或指标的中文或英文名称。")) }
            } @else if let Some(problem) = problems.first() {
                p.lead lang="en" { (problem.description) }
            } @else if hits.is_empty() {
                p.lead { (word("Nothing of that name. Try another word, an id or a code.", "未找到。请尝试其他词语、标识或代码。")) }
            }
            ul.hits {
                @for hit in &hits {
                    @match hit.entry.as_ref().and_then(|entry| entry.entry.as_ref()) {
                        Some(Entry::Region(region)) => li {
                            a href=(address.to(View::Overview(Overview { region: region.id.clone(), ..Overview::default() }))) { (hit.display_name) }
                            " " span.kind { (word("region", "地区")) " · " (region.id) }
                        },
                        Some(Entry::Indicator(indicator)) => li {
                            a href=(address.to(View::Ranking(Ranking { indicator: indicator.id.clone(), ..Ranking::default() }))) { (hit.display_name) }
                            " " span.kind { (word("indicator", "指标")) " · " (indicator.id) }
                            p.description { (names.description(&indicator.id)) }
                        },
                        _ => {},
                    }
                }
            }
        }
    };
    Picture::new(word("Search", "搜索"), vec![Section::new("found", "", vec![Part::new("results", html)])])
}
