//! Small things that several views show.

use indicator_proto::{
    Time,
    v1::{self, Observation, ObservationStatus},
    words::{self, Direction, Growth, Language},
};
use maud::{Markup, html};

use super::{
    address::{Address, Overview, View},
    names::Names,
    picture::{Part, Picture, Section},
};

/// A figure printed large: its digits stand out from its words.
pub(super) fn large(text: &str) -> Markup {
    let is_digit = |word: &&str| word.chars().any(|character| character.is_ascii_digit());
    html! {
        @for (i, word) in text.split(' ').enumerate() {
            @if i > 0 { " " }
            @if is_digit(&word) { span.digits { (word) } } @else { span.unit { (word) } }
        }
    }
}

/// When a figure was recorded, for the script to say how long ago.
pub(super) fn age(observation: &Observation, language: Language) -> Markup {
    let recorded = observation.recorded_at.as_ref().and_then(|stamp| Time::try_from(stamp).ok());
    html! { @if let Some(time) = recorded { " · " (moment_of(time, language)) } }
}

/// A time, which the script turns into how long ago it was.
pub(super) fn moment_of(time: Time, language: Language) -> Markup {
    let text = words::time(time, language);
    html! { time.age datetime=(time) title=(text) { (text) } }
}

/// A change in words, with a sign and a colour for which way it goes.
pub(super) fn growth(growth: &Growth) -> Markup {
    let (class, sign) = match growth.direction {
        Direction::Up => ("up", "▲"),
        Direction::Down => ("down", "▼"),
        Direction::Level => ("level", "＝"),
        Direction::Open => ("open", "◇"),
    };
    html! { span class={ "growth " (class) } { span aria-hidden="true" { (sign) } " " (growth.words) } }
}

/// Chips for what a reader must know of a figure: its statuses, its rounding, how the other sources see it.
pub(super) fn marks(observation: &Observation, language: Language) -> Markup {
    html! {
        @for quality in words::qualities(observation, language) { " " span.remark { (quality) } }
        @if let Some(others) = words::other_sources(observation, language) {
            " " span.remark.warn[observation.sources_disagree] { (others) }
        }
    }
}

/// Chips for what makes a figure doubtful, where there is room for nothing else.
pub(super) fn doubts(observation: &Observation, language: Language) -> Markup {
    html! {
        @for status in words::statuses(observation, language) { " " span.remark { (status) } }
        @if observation.sources_disagree { " " span.remark.warn { (language.word("sources disagree", "来源不一致")) } }
    }
}

/// The figure in other units, as published.
pub(super) fn equivalents(observation: &Observation, names: Names<'_>) -> Vec<String> {
    let equivalent = |it: &v1::Equivalent| {
        let unit = names.catalog.unit(&it.unit);
        let figure = Observation { value: it.value.clone(), ..Observation::default() };
        let plain = || v1::Unit { id: it.unit.clone(), ..v1::Unit::default() };
        words::headline(&figure, None, Some(&unit.cloned().unwrap_or_else(plain)), names.language).text
    };
    observation.equivalents.iter().map(equivalent).collect()
}

/// The regions above one, each a link.
pub(super) fn trail(address: &Address, region: &str, names: Names<'_>) -> Markup {
    let mut above: Vec<&v1::Region> = names.catalog.ancestors(region).collect();
    above.reverse();
    let word = |en, zh| names.language.word(en, zh);
    html! {
        nav.trail aria-label=(word("Regions above", "上级地区")) {
            @for above in above.iter().filter(|above| above.id != region) {
                a href=(address.to(View::Overview(Overview { region: above.id.clone(), ..Overview::default() }))) { (names.region(&above.id)) }
                span aria-hidden="true" { " › " }
            }
        }
    }
}

/// A slug as words.
pub(super) fn topic(topic: &str, language: Language) -> String {
    let known = match topic {
        "digital-economy" => language.word("Digital economy", "数字经济"),
        "digital-government" => language.word("Digital government", "数字政府"),
        "digital-infrastructure" => language.word("Digital infrastructure", "数字基础设施"),
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let words = topic.replace(['-', '_'], " ");
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// That the figures are not those of now, if they are not.
pub(super) fn past(address: &Address) -> Markup {
    let manner = &address.manner;
    let language = manner.language;
    let mut said = Vec::new();
    if let Some(day) = manner.as_of {
        let day = words::period(day.period(), language);
        said.push(match language {
            Language::En => format!("as had been published by {day}"),
            Language::Zh => format!("截至{day}已发布的数据"),
        });
    }
    if let Some(revision) = manner.revision {
        said.push(match language {
            Language::En => format!("as recorded at revision {revision}"),
            Language::Zh => format!("第 {revision} 次提交时的记录"),
        });
    }
    html! {
        @if !said.is_empty() {
            p.past role="note" {
                strong { (language.word("Not the figures of now: ", "并非当前数据：")) }
                (said.join(language.word(", ", "，"))) ". "
                @let now = address.in_manner(|manner| { manner.as_of = None; manner.revision = None; });
                a href=(now) { (language.word("Show now", "显示当前")) }
            }
        }
    }
}

/// What there is none of.
pub(super) enum NoSuch<'a> {
    Region(&'a str),
    Indicator(&'a str),
}

/// A page that says that something is not there, and what to do.
pub(super) fn not_found(address: &Address, what: NoSuch<'_>) -> Picture {
    let language = address.manner.language;
    let (text, query) = match (what, language) {
        (NoSuch::Region(id), Language::En) => (format!("There is no region {id:?}."), id),
        (NoSuch::Region(id), Language::Zh) => (format!("没有地区“{id}”。"), id),
        (NoSuch::Indicator(id), Language::En) => (format!("There is no indicator {id:?}."), id),
        (NoSuch::Indicator(id), Language::Zh) => (format!("没有指标“{id}”。"), id),
    };
    let search = address.to(View::Search { query: query.to_owned() });
    let html = html! {
        header.head id="head" {
            h1 { (language.word("Not found", "未找到")) }
            p.lead { (text) " " a href=(search) { (language.word("Search for it", "搜索")) } }
        }
    };
    let title = language.word("Not found", "未找到");
    Picture { found: false, ..Picture::new(title, vec![Section::new("heading", "", vec![Part::new("head", html)])]) }
}

/// The words for a status.
pub(super) fn status(observation: &Observation, language: Language) -> String {
    let said = observation.statuses().filter(|status| *status != ObservationStatus::Unspecified);
    said.map(|status| words::status(status, language)).collect::<Vec<_>>().join(language.word(", ", "，"))
}

/// A link to a document, if it is one that a browser may follow.
pub(super) fn document(uri: &str, text: &str) -> Markup {
    let followed = ["https://", "http://"]
        .iter()
        .any(|scheme| uri.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    html! {
        @if followed { a.document href=(uri) rel="noopener noreferrer external" { (text) } }
        @else if !uri.is_empty() { span.document { (uri) } }
    }
}

/// A level of regions in words.
pub(super) fn level(level: &str, language: Language) -> String {
    let known = match level {
        "world" => "世界",
        "aggregate" => "汇总",
        "country" => "国家",
        "province" => "省级",
        "prefecture" => "地级",
        "county" => "县级",
        _ => "",
    };
    if language == Language::Zh && !known.is_empty() { known.to_owned() } else { level.to_owned() }
}

/// The manner of an address as fields of a form, so that it stays as it is.
pub(super) fn manner_fields(address: &Address) -> Markup {
    html! { @for (name, value) in address.to(View::Home).query() { input type="hidden" name=(name) value=(value); } }
}
