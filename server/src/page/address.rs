//! Addresses: every state of the display is in its address, so that a link is a saved view.

use std::collections::BTreeMap;

use indicator_proto::{Frequency, Period, Time, words::Language};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in a part of a path: RFC 3986's unreserved characters.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What is shown, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Address {
    /// What is shown.
    pub(super) view: View,
    /// How.
    pub(super) manner: Manner,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum View {
    /// The beginning: the region with the most figures.
    Home,
    /// The indicators of a region.
    Overview(Overview),
    /// One indicator of one region.
    Indicator(Indicator),
    /// Regions by an indicator.
    Ranking(Ranking),
    /// The log, from the newest commit or the one before `before`.
    Changes { before: Option<u64> },
    /// Catalog entries that a text finds.
    Search { query: String },
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Overview {
    pub(super) region: String,
    /// Only indicators of this topic.
    pub(super) topic: Option<String>,
    /// From 1.
    pub(super) page: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Indicator {
    pub(super) region: String,
    pub(super) indicator: String,
    /// `None` is the preferred one for each period.
    pub(super) source: Option<String>,
    /// Dimension to code. `None` takes the broadest series there is.
    pub(super) dimensions: Option<BTreeMap<String, String>>,
    /// Regions beside it.
    pub(super) with: Vec<String>,
    pub(super) transform: Transform,
    pub(super) log: bool,
    pub(super) from: Option<Period>,
    pub(super) to: Option<Period>,
    pub(super) frequency: Option<Frequency>,
    /// As known at the end of these days: drawn beside what is known now.
    pub(super) vintages: Vec<Day>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Ranking {
    pub(super) indicator: String,
    /// `None` is the level at which the most regions have figures.
    pub(super) level: Option<String>,
    /// Only regions below this one.
    pub(super) under: Option<String>,
    /// `None` is the latest of each.
    pub(super) period: Option<Period>,
    pub(super) dimensions: Option<BTreeMap<String, String>>,
    /// `None` is what the unit asks for: ranks from the first, everything else from the greatest.
    pub(super) order: Option<Order>,
}

/// Which figure is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Order {
    GreatestFirst,
    LeastFirst,
}

impl Order {
    pub(super) const ALL: [Self; 2] = [Self::GreatestFirst, Self::LeastFirst];

    /// How it is written in an address.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::GreatestFirst => "greatest-first",
            Self::LeastFirst => "least-first",
        }
    }
}

/// What is computed of the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) enum Transform {
    #[default]
    None,
    Change,
    PercentChange,
    YearOnYear,
    Index,
}

impl Transform {
    pub(super) const ALL: [Self; 5] = [Self::None, Self::Change, Self::PercentChange, Self::YearOnYear, Self::Index];

    /// How it is written in an address.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Change => "change",
            Self::PercentChange => "percent-change",
            Self::YearOnYear => "year-on-year",
            Self::Index => "index",
        }
    }
}

/// A day, as `2018-12-31` or `2018` for its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day(Period);

impl Day {
    /// The day of a time.
    pub(super) fn of(time: Time) -> Option<Self> {
        time.to_string().get(..10)?.parse().ok()
    }

    /// Its last microsecond: whoever asks for a day means all of it.
    pub(super) fn end(self) -> Option<Time> {
        let start: Time = self.0.end().to_string().parse().ok()?;
        Time::from_micros(start.micros() + 86_400_000_000 - 1)
    }

    /// As it was given: a day or a longer period.
    pub(super) fn period(self) -> Period {
        self.0
    }
}

impl std::str::FromStr for Day {
    type Err = indicator_proto::ParsePeriodError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// How a view is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Manner {
    pub(super) language: Language,
    /// `None` is that of the device.
    pub(super) theme: Option<Theme>,
    /// For a display on the wall.
    pub(super) wall: bool,
    /// As had been published by the end of a day.
    pub(super) as_of: Option<Day>,
    /// As the record was at a revision.
    pub(super) revision: Option<u64>,
}

impl Manner {
    /// The figures are those of now, and change.
    pub(super) fn is_live(&self) -> bool {
        self.as_of.is_none() && self.revision.is_none()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// There is no such page.
    Nowhere,
    /// Parts of the query cannot be understood: the part, and what it takes.
    Query(Vec<(String, &'static str)>),
}

impl Address {
    /// Reads a path and a query. `language` is the reader's, where the address names none.
    pub(super) fn parse(path: &str, query: &str, language: Language) -> Result<Self, Wrong> {
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

    /// The same view in another manner.
    pub(super) fn in_manner(&self, change: impl FnOnce(&mut Manner)) -> Self {
        let mut address = self.clone();
        change(&mut address.manner);
        address
    }

    /// Another view in the same manner.
    pub(super) fn to(&self, view: View) -> Self {
        Self { view, manner: self.manner.clone() }
    }

    /// The path.
    pub(super) fn path(&self) -> String {
        let part = |text: &str| utf8_percent_encode(text, PART).to_string();
        match &self.view {
            View::Home => "/".to_owned(),
            View::Overview(Overview { region, .. }) => format!("/regions/{}", part(region)),
            View::Indicator(Indicator { region, indicator, .. }) => format!("/regions/{}/{}", part(region), part(indicator)),
            View::Ranking(Ranking { indicator, .. }) => format!("/rankings/{}", part(indicator)),
            View::Changes { .. } => "/changes".to_owned(),
            View::Search { .. } => "/search".to_owned(),
        }
    }

    /// The query, as pairs in one order.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        let mut pairs = Pairs(Vec::new());
        match &self.view {
            View::Home => {}
            View::Overview(Overview { topic, page, .. }) => {
                pairs.add("topic", topic.as_deref());
                pairs.add("page", (*page > 1).then(|| page.to_string()));
            }
            View::Indicator(it) => {
                pairs.add("source", it.source.as_deref());
                pairs.add_dimensions(it.dimensions.as_ref());
                pairs.add("with", (!it.with.is_empty()).then(|| it.with.join(",")));
                pairs.add("transform", Some(it.transform.tag()).filter(|tag| !tag.is_empty()));
                pairs.add("scale", it.log.then_some("log"));
                pairs.add("from", it.from.map(|period| period.to_string()));
                pairs.add("to", it.to.map(|period| period.to_string()));
                pairs.add("frequency", it.frequency.map(frequency_tag));
                let days: Vec<String> = it.vintages.iter().map(ToString::to_string).collect();
                pairs.add("vintages", (!days.is_empty()).then(|| days.join(",")));
            }
            View::Ranking(it) => {
                pairs.add("level", it.level.as_deref());
                pairs.add("under", it.under.as_deref());
                pairs.add("period", it.period.map(|period| period.to_string()));
                pairs.add_dimensions(it.dimensions.as_ref());
                pairs.add("order", it.order.map(Order::tag));
            }
            View::Changes { before } => pairs.add("before", before.map(|before| before.to_string())),
            View::Search { query } => pairs.add("q", Some(query.as_str())),
        }
        let Manner { language, theme, wall, as_of, revision } = &self.manner;
        pairs.add("as_of", as_of.map(|day| day.to_string()));
        pairs.add("revision", revision.map(|revision| revision.to_string()));
        pairs.add("wall", wall.then_some(""));
        pairs.add("theme", theme.map(Theme::tag));
        pairs.add("lang", Some(language.tag()));
        pairs.0
    }

    /// Path and query, with something after the path.
    pub(super) fn with_suffix(&self, suffix: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.query());
        // A flag has no value.
        let query = query.finish().replace("wall=&", "wall&");
        format!("{}{suffix}?{query}", self.path())
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.with_suffix(""))
    }
}

/// The pairs of a query.
struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn add(&mut self, name: &str, value: Option<impl Into<String>>) {
        self.0.extend(value.map(|value| (name.to_owned(), value.into())));
    }

    fn add_dimensions(&mut self, dimensions: Option<&BTreeMap<String, String>>) {
        for (dimension, code) in dimensions.into_iter().flatten() {
            self.add(&format!("dim.{dimension}"), Some(code.as_str()));
        }
    }
}

/// How a frequency is written in an address.
pub(super) fn frequency_tag(frequency: Frequency) -> &'static str {
    match frequency {
        Frequency::Annual => "annual",
        Frequency::HalfYearly => "half-yearly",
        Frequency::Trimestrial => "trimestrial",
        Frequency::Quarterly => "quarterly",
        Frequency::Monthly => "monthly",
        Frequency::Weekly => "weekly",
        Frequency::Daily => "daily",
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Address, Wrong> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        Address::parse(path, query, Language::En)
    }

    #[test]
    fn a_link_is_a_saved_view() {
        for text in [
            "/?lang=en",
            "/regions/CN-SD?lang=zh",
            "/regions/CN-SD?topic=digital-economy&page=2&theme=dark&lang=en",
            "/regions/CN-SD?wall&lang=en",
            "/regions/CN-SD/gdp?source=nbs&dim.sex=F&with=CN-JS%2CCN-ZJ&transform=year-on-year&scale=log&from=1990&to=2020-Q4&frequency=annual&vintages=2012%2C2018-12-31&as_of=2018&lang=en",
            "/rankings/gdp?level=province&under=CN&period=2020&order=least-first&lang=en",
            "/changes?before=17&revision=20&lang=en",
            "/search?q=%E5%B1%B1%E4%B8%9C&lang=en",
        ] {
            assert_eq!(parse(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn everything_wrong_with_a_query_is_said_at_once() {
        let Err(Wrong::Query(wrong)) = parse("/regions/CN-SD/gdp?scale=cubic&from=2021-Q5&transform=x&lang=fr&revision=-1")
        else {
            panic!("it is wrong");
        };
        let fields: Vec<&str> = wrong.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["lang=fr", "revision=-1", "transform=x", "scale=cubic", "from=2021-Q5"]);
        assert_eq!(parse("/nowhere"), Err(Wrong::Nowhere));
        assert_eq!(parse("/regions/%FF"), Err(Wrong::Nowhere));
    }

    #[test]
    fn empty_fields_of_a_form_say_nothing() {
        assert_eq!(parse("/regions/CN-SD/gdp?source=&from=&with=&scale="), parse("/regions/CN-SD/gdp"));
        let several = parse("/regions/CN-SD/gdp?with=CN-JS&with=CN-ZJ,CN-JS").unwrap();
        assert_eq!(several, parse("/regions/CN-SD/gdp?with=CN-JS,CN-ZJ").unwrap());
        let broadest = parse("/regions/CN-SD/gdp?dim.sex=").unwrap();
        assert!(matches!(broadest.view, View::Indicator(Indicator { dimensions: Some(none), .. }) if none.is_empty()));
    }

    #[test]
    fn a_day_ends_with_its_last_microsecond() {
        let end = |text: &str| text.parse::<Day>().unwrap().end().unwrap().to_string();
        assert_eq!(end("2018"), "2018-12-31T23:59:59.999999Z");
        assert_eq!(end("2020-02-29"), "2020-02-29T23:59:59.999999Z");
    }

    proptest! {
        #[test]
        fn any_text_of_a_search_comes_back(text in "\\PC{1,40}") {
            let text = text.trim().to_owned();
            prop_assume!(!text.is_empty());
            let address = Address { view: View::Search { query: text }, manner: Manner::default() };
            prop_assert_eq!(parse(&address.to_string()), Ok(address));
        }

        #[test]
        fn no_address_makes_it_panic(path in "/\\PC{0,40}", query in "\\PC{0,80}") {
            let _ = Address::parse(&path, &query, Language::Zh);
        }
    }
}
