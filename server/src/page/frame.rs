//! The document around a view.

use indicator_proto::words::Language;
use maud::{DOCTYPE, Markup, html};

use super::{
    address::{Address, Theme, View},
    assets::{SCRIPT, STYLE, SYMBOL},
    picture::Picture,
};

/// Where a document stands in the history of the record.
pub(super) struct Place<'a> {
    /// The position from which its stream goes on.
    pub(super) position: &'a str,
    /// There is a credential to give up.
    pub(super) signed_in: bool,
}

/// A whole document.
pub(super) fn document(picture: &Picture, address: &Address, place: &Place<'_>) -> Markup {
    let manner = &address.manner;
    let language = manner.language;
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    let live = manner.is_live().then(|| address.to_string());
    html! {
        (DOCTYPE)
        html lang=(tag(language)) data-theme=[manner.theme.map(Theme::tag)] class=[manner.wall.then_some("wall")] {
            (head(&picture.title, language))
            body data-live=[live] data-position=(place.position) {
                a.skip href="#main" { (word("Skip to the figures", "跳到数据")) }
                (bar(address, place))
                main id="main" tabindex="-1" { (picture.render()) }
                @if manner.wall { footer.ticker id="ticker" { p id="ticker-text" { (word("Changes are told here as they happen", "变动将在此实时播报")) } p.clock id="clock" {} } }
                // What changes is read out from here.
                div.unseen id="said" role="log" aria-live="polite" aria-label=(word("Changes", "变动")) {}
                @if !manner.wall { (foot(language)) }
            }
        }
    }
}

/// A document that shows one message, and needs no stream.
pub(super) fn plain(title: &str, content: &Markup, language: Language) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(tag(language)) {
            (head(title, language))
            body { main.plain id="main" { (content) } }
        }
    }
}

fn tag(language: Language) -> &'static str {
    language.word("en", "zh-Hans")
}

fn head(title: &str, language: Language) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · " (language.word("Indicators", "统计指标")) }
            link rel="icon" type="image/svg+xml" href=(SYMBOL.path());
            link rel="stylesheet" href=(STYLE.path());
            script type="module" src=(SCRIPT.path()) {}
        }
    }
}

/// The bar at the top: where one is, how the stream is, and the manner of showing.
fn bar(address: &Address, place: &Place<'_>) -> Markup {
    let manner = &address.manner;
    let word = |en, zh| manner.language.word(en, zh);
    let query = match &address.view {
        View::Search { query } => query.as_str(),
        _ => "",
    };
    html! {
        header.bar {
            nav.main-nav aria-label=(word("Main", "主导航")) {
                a.home href=(address.to(View::Home)) {
                    img src=(SYMBOL.path()) width="28" height="28" alt="";
                    span { (word("Indicators", "统计指标")) }
                }
                a href=(address.to(View::Changes { before: None })) aria-current=[matches!(address.view, View::Changes { .. }).then_some("page")] {
                    (word("Changes", "变动记录"))
                }
            }
            form.search role="search" action="/search" method="get" {
                label.unseen for="q" { (word("Search regions and indicators", "搜索地区和指标")) }
                input #q type="search" name="q" value=(query) placeholder=(word("Search regions and indicators", "搜索地区和指标")) maxlength="200";
                @for (name, value) in address.to(View::Home).query() { input type="hidden" name=(name) value=(value); }
                button type="submit" { (word("Search", "搜索")) }
            }
            (state(address))
            nav.manner aria-label=(word("Display", "显示")) {
                @let other = manner.language.word(Language::Zh, Language::En);
                a href=(address.in_manner(|manner| manner.language = other)) hreflang=(other.tag()) lang=(other.word("en", "zh-Hans")) rel="alternate" {
                    (other.word("English", "中文"))
                }
                // That of the device is known there alone: the style shows the one that is not in use.
                @for (theme, name) in [(Theme::Dark, word("Dark", "深色")), (Theme::Light, word("Light", "浅色"))] {
                    a class={ "theme to-" (theme.tag()) } href=(address.in_manner(|manner| manner.theme = Some(theme))) { (name) }
                }
                @if manner.is_live() {
                    a.to-wall href=(address.in_manner(|manner| manner.wall = true)) { (word("Wall", "大屏")) }
                }
                @if place.signed_in {
                    form.leave action="/logout" method="post" { button type="submit" { (word("Sign out", "退出")) } }
                }
            }
        }
    }
}

/// How the stream is. The script keeps it true.
fn state(address: &Address) -> Markup {
    let word = |en: &'static str, zh: &'static str| address.manner.language.word(en, zh);
    html! {
        div.state id="state" data-state=(if address.manner.is_live() { "still" } else { "past" }) {
            span.lamp aria-hidden="true" {}
            span.state-text id="state-text" role="status" {
                @if address.manner.is_live() { (word("not live without its script", "未启用脚本，非实时")) } @else { (word("a past state", "历史状态")) }
            }
            span.last id="last-change" {}
            @if address.manner.is_live() {
                button.pause id="pause" type="button" aria-pressed="false" hidden { (word("Pause", "暂停")) }
            }
        }
    }
}

fn foot(language: Language) -> Markup {
    html! {
        footer.foot {
            p { (language.word(
                "Figures as their sources published them: “>” means more than, “≥” at least, “≈” about; a figure that is missing says why.",
                "数据按来源公布的口径展示：“超”表示大于，“至少”表示不小于，“约”表示近似；缺失的数据注明原因。",
            )) }
        }
    }
}
