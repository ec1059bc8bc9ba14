//! Addresses: every state of the display is in its address, so that a link is a saved view.

mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use indicator_proto::{Frequency, Period, Time, words::Language};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(super) use self::parse::Wrong;

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

impl Address {
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
