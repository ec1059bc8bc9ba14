//! Links to the pages of a long view.

use indicator_proto::words::Language;
use maud::{Markup, html};

/// Before, here, after.
pub(super) fn pager(page: usize, pages: usize, language: Language, link: impl Fn(usize) -> String) -> Markup {
    let word = |en, zh| language.word(en, zh);
    let here = match language {
        Language::En => format!("Page {page} of {pages}"),
        Language::Zh => format!("第 {page} 页，共 {pages} 页"),
    };
    html! {
        nav.pager id="pager" aria-label=(word("Pages", "分页")) {
            @if page > 1 { a rel="prev" href=(link(page - 1)) { (word("← Before", "← 上一页")) } }
            span { (here) }
            @if page < pages { a rel="next" href=(link(page + 1)) { (word("Next →", "下一页 →")) } }
        }
    }
}
