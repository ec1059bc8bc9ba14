//! The latest figure, told in full.

use indicator_proto::{
    Time,
    v1::{Bound, MissingReason, Observation, UnitKind},
    words::{self, Language},
};
use maud::{Markup, html};

use super::{
    super::{
        address::{Address, Indicator},
        names::Names,
        parts,
    },
    data::Data,
};

/// Draws it.
pub(super) fn hero(address: &Address, view: &Indicator, data: &Data, names: Names<'_>) -> Markup {
    let language = names.language;
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    let description = names.description(&view.indicator);
    html! {
        header.head.hero id="head" data-figure=[data.recorded.latest().map(|(_, it)| names.figure(it, &view.indicator))] {
            (parts::trail(address, &view.region, names))
            h1 {
                (names.subject(&view.indicator, &data.dimensions))
                span.of { (names.region(&view.region)) }
            }
            @if !description.is_empty() { p.description { (description) } }
            (moment(address, view, names))
            @match data.recorded.latest() {
                Some((period, latest)) => {
                    @let headline = names.headline(latest, &view.indicator);
                    p.figure.missing[latest.missing() != MissingReason::Unspecified] { (parts::large(&headline.text)) }
                    p.under {
                        @if !headline.whole { span.whole { (names.figure(latest, &view.indicator)) } " · " }
                        span.period { (words::period(*period, language)) }
                        @let before = data.recorded.main_line().rev().nth(1);
                        @let kind = names.unit_of(latest, &view.indicator).map_or(UnitKind::Unspecified, |unit| unit.kind());
                        @if let Some((before, growth)) = before.and_then(|(before, it)| Some((*before, words::growth(it, latest, kind, language)?))) {
                            " · "
                            (parts::growth(&growth))
                            " " span.against { (word("on ", "较")) (words::period(before, language)) }
                        }
                        (parts::marks(latest, language))
                    }
                    @if let Some(meaning) = meaning(latest, language) { p.meaning { (meaning) } }
                    (facts(latest, names))
                },
                None => p.lead { (word("No figure is recorded.", "暂无数据。")) },
            }
        }
    }
}

fn moment(address: &Address, view: &Indicator, names: Names<'_>) -> Markup {
    let language = names.language;
    let source = view.source.as_ref().map(|source| names.source(source));
    html! {
        @if let Some(source) = source {
            p.only { (language.word("Only figures of ", "仅显示来源：")) strong { (source) } }
        }
        (parts::past(address))
    }
}

/// What a bound says.
fn meaning(observation: &Observation, language: Language) -> Option<&'static str> {
    if observation.interval.is_some() {
        return Some(language.word("The true figure lies between the two, both included.", "真实值介于两者之间（含两端）。"));
    }
    Some(match observation.bound() {
        Bound::Unspecified | Bound::Exact => return None,
        Bound::GreaterThan => {
            language.word("The source says “more than”: the true figure is above this one.", "来源称“超过”：真实值大于此数。")
        }
        Bound::AtLeast => language
            .word("The source says “at least”: the true figure is this one or above.", "来源称“不低于”：真实值不小于此数。"),
        Bound::LessThan => {
            language.word("The source says “less than”: the true figure is below this one.", "来源称“不足”：真实值小于此数。")
        }
        Bound::AtMost => language
            .word("The source says “at most”: the true figure is this one or below.", "来源称“不超过”：真实值不大于此数。"),
        Bound::Approximate => {
            language.word("The source says “about”: the true figure is near this one.", "来源称“约”：真实值接近此数。")
        }
    })
}

/// Who says so, since when, in which words.
fn facts(latest: &Observation, names: Names<'_>) -> Markup {
    let language = names.language;
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    let series = latest.series.clone().unwrap_or_default();
    let time = |stamp: Option<&prost_types::Timestamp>| stamp.and_then(|stamp| Time::try_from(stamp).ok());
    let equivalents = parts::equivalents(latest, names);
    html! {
        @if !latest.original_text.is_empty() { blockquote.words { (latest.original_text) } }
        dl.facts {
            @if !series.source.is_empty() {
                div { dt { (word("Source", "来源")) } dd { (names.source(&series.source)) } }
            }
            @if !equivalents.is_empty() { div { dt { (word("Also published as", "同时公布为")) } dd { (equivalents.join(word("; ", "；"))) } } }
            @if !latest.note.is_empty() { div { dt { (word("Note", "备注")) } dd { (latest.note) } } }
            @if let Some(published) = time(latest.published_at.as_ref()) {
                div { dt { (word("Published", "发布")) } dd { (words::day(published, language)) } }
            }
            @if let Some(recorded) = time(latest.recorded_at.as_ref()) {
                div { dt { (word("Recorded", "记录")) } dd { (parts::moment_of(recorded, language)) " · #" (latest.revision) } }
            }
            @if !latest.document_uri.is_empty() {
                div { dt { (word("Document", "文件")) } dd { (parts::document(&latest.document_uri, &latest.document_uri)) } }
            }
            @if let Some(derivation) = &latest.derivation {
                div { dt { (word("Computed as", "计算方法")) } dd { code { (derivation.formula) } } }
            }
        }
    }
}
