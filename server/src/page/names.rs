//! Names of what figures are about, in the reader's language.

use std::{borrow::Cow, collections::BTreeMap};

use indicator_proto::{
    v1,
    words::{self, Headline, Language},
};

use crate::engine::catalog::View;

/// The catalog in one language.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) catalog: View<'a>,
    pub(super) language: Language,
}

impl<'a> Names<'a> {
    pub(super) fn new(catalog: View<'a>, language: Language) -> Self {
        Self { catalog, language }
    }

    /// A name in the reader's language, else in the other one, else in any, else the id.
    fn of(&self, names: Option<&BTreeMap<String, String>>, id: &str) -> String {
        let Some(names) = names else { return id.to_owned() };
        let other = self.language.word("zh", "en");
        let preferred = [self.language.tag(), other].into_iter().find_map(|tag| names.get(tag));
        let any = || names.iter().min_by_key(|(tag, _)| *tag).map(|(_, name)| name);
        preferred.or_else(any).cloned().unwrap_or_else(|| id.to_owned())
    }

    pub(super) fn region(&self, id: &str) -> String {
        self.of(self.catalog.region(id).map(|it| &it.names), id)
    }

    pub(super) fn source(&self, id: &str) -> String {
        self.of(self.catalog.source(id).map(|it| &it.names), id)
    }

    pub(super) fn indicator(&self, id: &str) -> String {
        self.of(self.catalog.indicator(id).map(|it| &it.names), id)
    }

    pub(super) fn unit_name(&self, id: &str) -> String {
        self.of(self.catalog.unit(id).map(|it| &it.names), id)
    }

    pub(super) fn dimension(&self, id: &str) -> String {
        self.of(self.catalog.dimension(id).map(|it| &it.names), id)
    }

    /// What exactly is counted. Empty if it is not stated.
    pub(super) fn description(&self, indicator: &str) -> String {
        let descriptions = self.catalog.indicator(indicator).map(|it| &it.descriptions).filter(|it| !it.is_empty());
        descriptions.map_or_else(String::new, |it| self.of(Some(it), ""))
    }

    /// Codes in words: `provincial`, `female, urban`. Empty if it is not broken down.
    pub(super) fn codes(&self, dimensions: &BTreeMap<String, String>) -> String {
        let code = |(dimension, code): (&String, &String)| {
            let dimension = self.catalog.dimension(dimension);
            let found = dimension.and_then(|it| it.codes.iter().find(|it| it.id == *code));
            self.of(found.map(|it| &it.names), code)
        };
        dimensions.iter().map(code).collect::<Vec<_>>().join(self.language.word(", ", "，"))
    }

    /// The indicator with what it is broken down by.
    pub(super) fn subject(&self, indicator: &str, dimensions: &BTreeMap<String, String>) -> String {
        let (name, codes) = (self.indicator(indicator), self.codes(dimensions));
        match (codes.is_empty(), self.language) {
            (true, _) => name,
            (false, Language::En) => format!("{name} ({codes})"),
            (false, Language::Zh) => format!("{name}（{codes}）"),
        }
    }

    /// The unit that a figure is in.
    pub(super) fn unit_of(&self, observation: &v1::Observation, indicator: &str) -> Option<Cow<'a, v1::Unit>> {
        let id = if observation.unit.is_empty() { self.indicator_unit(indicator)? } else { observation.unit.as_str() };
        let known = self.catalog.unit(id).map(Cow::Borrowed);
        Some(known.unwrap_or_else(|| Cow::Owned(v1::Unit { id: id.to_owned(), ..v1::Unit::default() })))
    }

    /// Unit id of an indicator.
    pub(super) fn indicator_unit(&self, indicator: &str) -> Option<&'a str> {
        self.catalog.indicator(indicator).map(|it| it.unit.as_str())
    }

    /// A figure in few words.
    pub(super) fn headline(&self, observation: &v1::Observation, indicator: &str) -> Headline {
        let unit = self.unit_of(observation, indicator);
        words::headline(observation, self.catalog.indicator(indicator), unit.as_deref(), self.language)
    }

    /// A figure with all its digits and its unit.
    pub(super) fn figure(&self, observation: &v1::Observation, indicator: &str) -> String {
        let unit = self.unit_of(observation, indicator);
        words::figure_with_unit(observation, self.catalog.indicator(indicator), unit.as_deref(), self.language)
    }

    /// A period in words.
    pub(super) fn period(&self, period: &str) -> String {
        period.parse().map_or_else(|_| period.to_owned(), |period| words::period(period, self.language))
    }
}
