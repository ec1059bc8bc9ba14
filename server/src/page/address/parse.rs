//! Addresses from paths and queries.

use std::collections::BTreeMap;

use indicator_proto::{Frequency, words::Language};
use percent_encoding::percent_decode_str;

use super::{Address, Indicator, Manner, Order, Overview, Ranking, Theme, Transform, View, frequency_tag};

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::page) enum Wrong {
    /// There is no such page.
    Nowhere,
    /// Parts of the query cannot be understood: the part, and what it takes.
    Query(Vec<(String, &'static str)>),
}

impl Address {
    /// Reads a path and a query. `language` is the reader's, where the address names none.
    pub(in crate::page) fn parse(path: &str, query: &str, language: Language) -> Result<Self, Wrong> {
        let mut fields = Fields::new(query);
        let manner = Manner {
            language: match fields.take("lang").as_deref() {
                None => language,
                Some("zh") => Language::Zh,
                Some("en") => Language::En,
                Some(other) => {
                    fields.wrong("lang", other, "en or zh");
                    language
                }
            },
            theme: match fields.take("theme").as_deref() {
                None => None,
                Some("light") => Some(Theme::Light),
                Some("dark") => Some(Theme::Dark),
                Some(other) => {
                    fields.wrong("theme", other, "light or dark");
                    None
                }
            },
            wall: fields.take_flag("wall"),
            as_of: fields.parse("as_of", "a day or a longer period, such as 2018-12-31 or 2018"),
            revision: fields.parse::<u64>("revision", "the number of a commit, from 1").filter(|revision| *revision > 0),
        };
        let view = view(path, &mut fields).ok_or(Wrong::Nowhere)?;
        if fields.wrong.is_empty() { Ok(Self { view, manner }) } else { Err(Wrong::Query(fields.wrong)) }
    }
}

fn view(path: &str, fields: &mut Fields) -> Option<View> {
    let parts: Option<Vec<String>> = path.split('/').skip(1).filter(|part| !part.is_empty()).map(decoded).collect();
    let parts = parts?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    Some(match parts[..] {
        [] => View::Home,
        ["regions", region] => View::Overview(Overview {
            region: region.to_owned(),
            topic: fields.take("topic"),
            page: fields.parse("page", "the number of a page, from 1").unwrap_or(1).max(1),
        }),
        ["regions", region, indicator] => View::Indicator(Indicator {
            region: region.to_owned(),
            indicator: indicator.to_owned(),
            source: fields.take("source"),
            dimensions: fields.dimensions(),
            with: fields.list("with"),
            transform: fields
                .take("transform")
                .and_then(|tag| {
                    let found = Transform::ALL.into_iter().find(|transform| transform.tag() == tag);
                    if found.is_none() {
                        fields.wrong("transform", &tag, "change, percent-change, year-on-year or index");
                    }
                    found
                })
                .unwrap_or_default(),
            log: fields.one_of("scale", "log", "log, or nothing"),
            from: fields.parse("from", PERIOD),
            to: fields.parse("to", PERIOD),
            frequency: fields.take("frequency").and_then(|tag| {
                let found = Frequency::ALL.into_iter().find(|frequency| frequency_tag(*frequency) == tag);
                if found.is_none() {
                    fields.wrong("frequency", &tag, "annual, half-yearly, trimestrial, quarterly, monthly, weekly or daily");
                }
                found
            }),
            vintages: {
                let mut days = Vec::new();
                for text in fields.list("vintages") {
                    match text.parse() {
                        Ok(day) => days.push(day),
                        Err(_) => fields.wrong("vintages", &text, "days or longer periods with commas between"),
                    }
                }
                days.sort_unstable();
                days.dedup();
                days
            },
        }),
        ["rankings", indicator] => View::Ranking(Ranking {
            indicator: indicator.to_owned(),
            level: fields.take("level"),
            under: fields.take("under"),
            period: fields.parse("period", PERIOD),
            dimensions: fields.dimensions(),
            order: fields.take("order").and_then(|tag| {
                let found = Order::ALL.into_iter().find(|order| order.tag() == tag);
                if found.is_none() {
                    fields.wrong("order", &tag, "greatest-first or least-first");
                }
                found
            }),
        }),
        ["changes"] => View::Changes { before: fields.parse("before", "the number of a commit") },
        ["search"] => View::Search { query: fields.take("q").unwrap_or_default() },
        _ => return None,
    })
}

const PERIOD: &str = "a period: 2020, 2020-Q4, 2020-12, 2021-12-06, …";

fn decoded(part: &str) -> Option<String> {
    percent_decode_str(part).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// The fields of a query that are still to be read, and what was wrong with those that were.
struct Fields {
    pairs: Vec<(String, String)>,
    wrong: Vec<(String, &'static str)>,
}

impl Fields {
    fn new(query: &str) -> Self {
        Self { pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect(), wrong: Vec::new() }
    }

    fn wrong(&mut self, name: &str, value: &str, takes: &'static str) {
        let value: String = value.chars().take(60).collect();
        self.wrong.push((format!("{name}={value}"), takes));
    }

    /// The value of a field, if it has one. Forms send every field, empty or not.
    fn take(&mut self, name: &str) -> Option<String> {
        let found = self.pairs.iter_mut().find(|(field, value)| field == name && !value.is_empty());
        found.map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn take_flag(&self, name: &str) -> bool {
        self.pairs.iter().any(|(field, value)| field == name && value != "0")
    }

    fn one_of(&mut self, name: &str, expected: &str, takes: &'static str) -> bool {
        match self.take(name) {
            None => false,
            Some(value) if value == expected => true,
            Some(value) => {
                self.wrong(name, &value, takes);
                false
            }
        }
    }

    fn parse<T: std::str::FromStr>(&mut self, name: &str, takes: &'static str) -> Option<T> {
        let text = self.take(name)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.wrong(name, &text, takes);
        }
        parsed
    }

    /// A list with commas between, or the same field several times, as forms send it.
    fn list(&self, name: &str) -> Vec<String> {
        let values = self.pairs.iter().filter(|(field, _)| field == name).flat_map(|(_, value)| value.split([',', '，']));
        let mut list: Vec<String> = Vec::new();
        for value in values.map(str::trim).filter(|value| !value.is_empty()) {
            if !list.iter().any(|known| known == value) {
                list.push(value.to_owned());
            }
        }
        list
    }

    /// `None` where the query does not say.
    fn dimensions(&self) -> Option<BTreeMap<String, String>> {
        let given = self.pairs.iter().filter_map(|(field, code)| Some((field.strip_prefix("dim.")?, code)));
        let given: Vec<_> = given.collect();
        let codes = given.iter().filter(|(_, code)| !code.is_empty());
        let codes = codes.map(|(dimension, code)| ((*dimension).to_owned(), (*code).clone())).collect();
        (!given.is_empty()).then_some(codes)
    }
}
