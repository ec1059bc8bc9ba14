//! One indicator in small.

use indicator_proto::{
    v1::{MissingReason, Observation, UnitKind},
    words,
};
use maud::{Markup, html};

use super::{
    address::{Address, Indicator, View},
    chart::{self, Size},
    names::Names,
    parts,
    points::point,
    reader::Figures,
};

/// What a tile is of.
pub(super) struct Tile<'a> {
    pub(super) id: &'a str,
    pub(super) address: &'a Address,
    pub(super) indicator: &'a str,
    pub(super) region: &'a str,
    pub(super) figures: &'a Figures,
    pub(super) names: Names<'a>,
}

/// Draws it.
pub(super) fn tile(tile: &Tile<'_>) -> Markup {
    let Tile { id, address, indicator, region, figures, names } = *tile;
    let language = names.language;
    let word = |en, zh| language.word(en, zh);
    let dimensions = Some(figures.dimensions.clone()).filter(|dimensions| !dimensions.is_empty());
    let to = address.to(View::Indicator(Indicator {
        region: region.to_owned(),
        indicator: indicator.to_owned(),
        dimensions,
        ..Indicator::default()
    }));
    let Some((period, latest)) = figures.latest() else {
        return html! { article.tile id=(id) {} };
    };
    let headline = names.headline(latest, indicator);
    let line: Vec<_> = figures.main_line().collect();
    let kind = names.unit_of(latest, indicator).map_or(UnitKind::Unspecified, |unit| unit.kind());
    let before = line.iter().rev().nth(1);
    let grown = before.and_then(|(before, earlier)| Some((*before, words::growth(earlier, latest, kind, language)?)));
    let source = latest.series.as_ref().map(|series| series.source.as_str()).unwrap_or_default();
    let missing = latest.missing() != MissingReason::Unspecified;
    let full = names.figure(latest, indicator);
    html! {
        article.tile id=(id) data-figure=(full) {
            h2.name { a href=(to) { (names.subject(indicator, &figures.dimensions)) } }
            p.figure.missing[missing] {
                (parts::large(&headline.text))
                @if !headline.whole { span.whole { (full) } }
            }
            p.change {
                @match &grown {
                    Some((before, growth)) => {
                        (parts::growth(growth))
                        " "
                        span.against { (word("on ", "较")) (words::period(*before, language)) }
                    },
                    None => span.against { (word("no earlier figure", "尚无更早数据")) },
                }
            }
            @if line.len() > 1 {
                @let points: Vec<_> = line.iter().map(|(period, figure)| point(*period, figure, indicator, names)).collect();
                div.spark { (chart::sparkline(&points, Size { width: 240, height: 56 })) }
            } @else {
                div.spark.single { (words_of(latest)) }
            }
            footer.from {
                span.period { (words::period(*period, language)) }
                " · "
                span.source { (names.source(source)) }
                (parts::marks(latest, language))
                (parts::age(latest, language))
            }
            (said(latest, line.len() > 1, names))
        }
    }
}

/// Characters of the source's words that stand in a tile without a line to draw.
const WORDS: usize = 120;

/// The beginning of the source's own words.
fn words_of(observation: &Observation) -> Markup {
    let text = observation.original_text.as_str();
    let short: String = text.chars().take(WORDS).collect();
    let cut = short.len() < text.len();
    html! {
        @if !text.is_empty() { q.words { (short) @if cut { "…" } } }
    }
}

/// What is told of the figure on hover and focus: the source's words, the note, what was published beside it.
fn said(observation: &Observation, has_line: bool, names: Names<'_>) -> Markup {
    let language = names.language;
    let word = |en, zh| language.word(en, zh);
    let equivalents = parts::equivalents(observation, names);
    // Without a line they stand in the tile, as far as they fit.
    let quoted = has_line || observation.original_text.chars().count() > WORDS;
    let quoted = quoted && !observation.original_text.is_empty();
    let anything = quoted || !observation.note.is_empty() || !equivalents.is_empty();
    html! {
        @if anything {
            details.said {
                summary { @if quoted { (word("In the source's words", "来源原文")) } @else { (word("More of it", "更多说明")) } }
                @if quoted { blockquote { (observation.original_text) } }
                @if !equivalents.is_empty() { p { (word("Also published as ", "同时公布为 ")) (equivalents.join(word("; ", "；"))) } }
                @if !observation.note.is_empty() { p.note { (observation.note) } }
            }
        }
    }
}
