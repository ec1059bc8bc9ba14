//! How the latest figure came to be what it is, and what the other sources say.

use indicator_proto::{
    Time,
    v1::{ChangeKind, Discrepancy, Observation, Vintage},
    words::{self, grouped, readable},
};
use maud::{Markup, html};

use super::{
    super::{
        address::{Address, Indicator, View},
        names::Names,
        parts,
    },
    data::Data,
};

/// The versions of the latest figure, newest first.
pub(super) fn versions(view: &Indicator, data: &Data, names: Names<'_>) -> Markup {
    let language = names.language;
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    let period = data.recorded.latest().map(|(period, _)| words::period(*period, language)).unwrap_or_default();
    html! {
        section.versions id="versions" {
            h2 { (word("Versions of this figure", "本数据的各版本")) " " span.count { (data.versions.len()) } }
            p.lead { (language.word(format!("Every figure for {period} that was ever recorded, newest first. Nothing is overwritten."), format!("{period}曾记录的全部数据，最新的在前。任何数据都不会被覆盖。"))) }
            ol.timeline {
                @for vintage in data.versions.iter().rev() { (version(vintage, view, names)) }
            }
        }
    }
}

fn version(vintage: &Vintage, view: &Indicator, names: Names<'_>) -> Markup {
    let language = names.language;
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    let observation = vintage.observation.clone().unwrap_or_default();
    let day = |stamp: Option<prost_types::Timestamp>| {
        stamp.and_then(|stamp| Time::try_from(&stamp).ok()).map(|time| words::day(time, language))
    };
    html! {
        li.current[vintage.current] {
            strong.figure { (names.figure(&observation, &view.indicator)) }
            @if vintage.current { " " span.remark { (word("current", "当前")) } }
            " " span class={ "kind kind-" (vintage.kind) } { (words::change(ChangeKind::try_from(vintage.kind).unwrap_or_default(), language)) }
            p {
                @if let Some(published) = day(observation.published_at) { (word("published ", "发布于 ")) (published) }
                @if let Some(until) = day(vintage.published_until) { (word(", until ", "，至 ")) (until) }
                " · #" (observation.revision)
                (parts::age(&observation, language))
            }
            @if !observation.original_text.is_empty() { q.words { (observation.original_text) } }
        }
    }
}

/// What each source says of the latest, and where they disagree.
pub(super) fn sources(address: &Address, view: &Indicator, data: &Data, names: Names<'_>) -> Markup {
    let language = names.language;
    let word = |en: &'static str, zh: &'static str| language.word(en, zh);
    html! {
        section.sources id="sources" {
            h2 { (word("Sources", "来源")) " " span.count { (data.by_source.len()) } }
            ul.by-source {
                @for (i, observation) in data.by_source.iter().enumerate() {
                    (of_source(observation, i == 0, address, view, names))
                }
            }
            @if data.discrepancies.is_empty() {
                p { (word("They do not contradict each other, as far as their bounds and roundings tell.", "在界限与舍入范围内，各来源并不矛盾。")) }
            } @else {
                h3.warn { (word("Where they cannot all be true", "相互矛盾之处")) }
                ul.discrepancies {
                    @for discrepancy in &data.discrepancies { (disagreement(discrepancy, view, names)) }
                }
            }
        }
    }
}

fn of_source(observation: &Observation, preferred: bool, address: &Address, view: &Indicator, names: Names<'_>) -> Markup {
    let source = observation.series.as_ref().map(|series| series.source.clone()).unwrap_or_default();
    let word = |en: &'static str, zh: &'static str| names.language.word(en, zh);
    let to = address.to(View::Indicator(Indicator { source: Some(source.clone()), ..view.clone() }));
    html! {
        li {
            a href=(to) { (names.source(&source)) }
            @if preferred { " " span.remark { (word("preferred", "首选")) } }
            ": " strong { (names.figure(observation, &view.indicator)) }
            " " span.period { (names.period(&observation.period)) }
            @if !observation.original_text.is_empty() { " " q.words { (observation.original_text) } }
        }
    }
}

fn disagreement(discrepancy: &Discrepancy, view: &Indicator, names: Names<'_>) -> Markup {
    let language = names.language;
    let unit = names.indicator_unit(&view.indicator).and_then(|unit| names.catalog.unit(unit));
    let gap = words::with_unit(&grouped(&readable(&discrepancy.gap), 0), unit, language);
    html! {
        li.discrepancy {
            strong { (names.period(&discrepancy.period)) } ": "
            @for (i, side) in discrepancy.sides.iter().enumerate() {
                @if i > 0 { (language.word(" against ", " 对 ")) }
                @let source = side.series.as_ref().map(|series| series.source.clone()).unwrap_or_default();
                (names.figure(side, &view.indicator)) " (" (names.source(&source)) ")"
            }
            " – " (language.word("at least ", "至少相差 ")) (gap)
            @if !discrepancy.gap_percent.is_empty() { " (" (readable(&discrepancy.gap_percent)) "%)" }
            (language.word(" apart", ""))
        }
    }
}
