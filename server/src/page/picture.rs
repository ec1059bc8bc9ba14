//! What a view shows at one revision, in parts that can be exchanged one by one while the reader looks on.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use maud::{Markup, PreEscaped, html};

/// A view at one revision.
#[derive(Debug)]
pub(super) struct Picture {
    /// Of the document.
    pub(super) title: String,
    /// From top to bottom.
    pub(super) sections: Vec<Section>,
    /// Whether there was something to show.
    pub(super) found: bool,
}

/// Parts in an order that may change.
#[derive(Debug)]
pub(super) struct Section {
    /// Unique in the document.
    pub(super) id: &'static str,
    /// The element around its parts.
    pub(super) kind: Kind,
    /// Read to those who cannot see it; empty where a heading within says it.
    pub(super) label: String,
    pub(super) parts: Vec<Part>,
}

/// The element around parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// An ordered list, whose parts are its items.
    List,
}

/// One element, with an id of its own.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) id: String,
    pub(super) html: String,
    /// Of the HTML: equal parts are not sent again.
    pub(super) hash: u64,
}

impl Part {
    pub(super) fn new(id: impl Into<String>, html: Markup) -> Self {
        let PreEscaped(html) = html;
        let hash = hash(&html);
        Self { id: id.into(), html, hash }
    }
}

/// Of a text, the same as long as the server runs.
pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// An id for an element that is named by something from the record: letters and digits stay, others become numbers.
pub(super) fn element_id(prefix: &str, names: &[&str]) -> String {
    let mut id = prefix.to_owned();
    for name in names {
        id.push('-');
        for character in name.chars() {
            match character {
                'a'..='z' | 'A'..='Z' | '0'..='9' => id.push(character),
                other => id.push_str(&format!("_{:x}_", u32::from(other))),
            }
        }
    }
    id
}

impl Section {
    pub(super) fn new(id: &'static str, label: impl Into<String>, parts: Vec<Part>) -> Self {
        Self { id, kind: Kind::Plain, label: label.into(), parts }
    }

    pub(super) fn list(id: &'static str, label: impl Into<String>, parts: Vec<Part>) -> Self {
        Self { id, kind: Kind::List, label: label.into(), parts }
    }

    fn render(&self) -> Markup {
        let label = Some(self.label.as_str()).filter(|label| !label.is_empty());
        html! {
            @match self.kind {
                Kind::Plain => section id=(self.id) class=(self.id) aria-label=[label] {
                    @for part in &self.parts { (PreEscaped(&part.html)) }
                },
                Kind::List => ol id=(self.id) class=(self.id) aria-label=[label] {
                    @for part in &self.parts { (PreEscaped(&part.html)) }
                },
            }
        }
    }
}

impl Picture {
    pub(super) fn new(title: impl Into<String>, sections: Vec<Section>) -> Self {
        Self { title: title.into(), sections, found: true }
    }

    pub(super) fn render(&self) -> Markup {
        html! { @for section in &self.sections { (section.render()) } }
    }

    /// Bytes, for the cache.
    pub(super) fn weight(&self) -> usize {
        self.sections.iter().flat_map(|section| &section.parts).map(|part| part.html.len() + 64).sum()
    }
}
