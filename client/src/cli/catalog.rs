//! Entries of the catalog, whatever their kind.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream::BoxStream};
use indicator_client::{Client, Error};
use indicator_proto::{
    to_json,
    v1::{
        self, EntryKind, GetDimensionRequest, GetIndicatorRequest, GetRegionRequest, GetSourceRequest, GetUnitRequest, Indicator,
        ListDimensionsRequest, ListIndicatorsRequest, ListRegionsRequest, ListSourcesRequest, ListUnitsRequest, Observation,
        SeriesKey, Unit, catalog_entry::Entry,
    },
    words::Language,
};

use crate::context::Context;

/// Up to this many entries of a kind are asked for one by one; for more, the whole list is read.
const ONE_BY_ONE: usize = 8;

/// The name of an entry, in the language if it has one in it.
pub(crate) fn name(entry: &Entry, language: Language) -> &str {
    let names = match entry {
        Entry::Region(it) => &it.names,
        Entry::Source(it) => &it.names,
        Entry::Unit(it) => &it.names,
        Entry::Dimension(it) => &it.names,
        Entry::Indicator(it) => &it.names,
    };
    best(names, language).unwrap_or(entry.id())
}

/// The text in the language, else in English, else in any.
pub(crate) fn best(texts: &BTreeMap<String, String>, language: Language) -> Option<&str> {
    let tag = language.tag();
    // A regional variant, such as "zh-Hans", is the language too.
    let variant = || texts.iter().find(|(other, _)| other.split('-').next() == Some(tag)).map(|(_, text)| text);
    let text = texts.get(tag).or_else(variant).or_else(|| texts.get("en")).or_else(|| texts.values().next());
    text.map(String::as_str)
}

/// The entry in the proto3 JSON mapping.
pub(crate) fn json(entry: &Entry) -> serde_json::Value {
    match entry {
        Entry::Region(it) => to_json(it),
        Entry::Source(it) => to_json(it),
        Entry::Unit(it) => to_json(it),
        Entry::Dimension(it) => to_json(it),
        Entry::Indicator(it) => to_json(it),
    }
}

/// What defines a unit: `1000000 m2`, `CNY / {person}`. Empty if no other does.
pub(crate) fn definition(unit: &Unit) -> String {
    if !unit.base_unit.is_empty() {
        format!("{} {}", unit.factor, unit.base_unit)
    } else if !unit.numerator.is_empty() {
        format!("{} / {}", unit.numerator, unit.denominator)
    } else {
        String::new()
    }
}

/// An enum's name in the schema as it stands in catalog files: `UNIT_KIND_COUNT` is `count`.
pub(crate) fn short(schema_name: &str, prefix: &str) -> String {
    schema_name.trim_start_matches(prefix).to_ascii_lowercase().replace('_', "-")
}

/// An entry and the commit that made this version of it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) entry: Entry,
    pub(crate) revision: u64,
}

/// One entry. NOT_FOUND if there is none.
pub(crate) async fn get(client: &Client, kind: EntryKind, id: &str, as_of: Option<v1::AsOf>) -> Result<Option<Found>, Error> {
    let id = id.to_owned();
    let (entry, revision) = match kind {
        EntryKind::Unspecified => (None, 0),
        EntryKind::Region => {
            let found = client.get_region(GetRegionRequest { id, as_of }).await?;
            (found.region.map(Entry::Region), found.revision)
        }
        EntryKind::Source => {
            let found = client.get_source(GetSourceRequest { id, as_of }).await?;
            (found.source.map(Entry::Source), found.revision)
        }
        EntryKind::Unit => {
            let found = client.get_unit(GetUnitRequest { id, as_of }).await?;
            (found.unit.map(Entry::Unit), found.revision)
        }
        EntryKind::Dimension => {
            let found = client.get_dimension(GetDimensionRequest { id, as_of }).await?;
            (found.dimension.map(Entry::Dimension), found.revision)
        }
        EntryKind::Indicator => {
            let found = client.get_indicator(GetIndicatorRequest { id, as_of }).await?;
            (found.indicator.map(Entry::Indicator), found.revision)
        }
    };
    Ok(entry.map(|entry| Found { entry, revision }))
}

/// Which entries of a kind. Fields that a kind does not have must be empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Only this region and those below it.
    pub(crate) under: String,
    /// Only regions of this level.
    pub(crate) level: String,
    /// Only indicators of this topic.
    pub(crate) topic: String,
    /// Only entries with this text.
    pub(crate) filter: String,
    /// At which moment.
    pub(crate) as_of: Option<v1::AsOf>,
}

/// The entries of a kind, page by page, sorted by id.
pub(crate) fn list(client: &Client, kind: EntryKind, selection: Selection) -> BoxStream<'static, Result<Entry, Error>> {
    let Selection { under, level, topic, filter, as_of } = selection;
    match kind {
        EntryKind::Unspecified => futures::stream::empty().boxed(),
        EntryKind::Region => {
            let request = ListRegionsRequest { under, level, filter, as_of, ..ListRegionsRequest::default() };
            client.all_regions(request).map_ok(Entry::Region).boxed()
        }
        EntryKind::Source => {
            let request = ListSourcesRequest { filter, as_of, ..ListSourcesRequest::default() };
            client.all_sources(request).map_ok(Entry::Source).boxed()
        }
        EntryKind::Unit => {
            let request = ListUnitsRequest { filter, as_of, ..ListUnitsRequest::default() };
            client.all_units(request).map_ok(Entry::Unit).boxed()
        }
        EntryKind::Dimension => {
            let request = ListDimensionsRequest { filter, as_of, ..ListDimensionsRequest::default() };
            client.all_dimensions(request).map_ok(Entry::Dimension).boxed()
        }
        EntryKind::Indicator => {
            let request = ListIndicatorsRequest { topic, filter, as_of, ..ListIndicatorsRequest::default() };
            client.all_indicators(request).map_ok(Entry::Indicator).boxed()
        }
    }
}

/// What the ids of an answer are called, for people.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    entries: BTreeMap<(EntryKind, String), Entry>,
}

impl Labels {
    /// The labels of series: their indicators with units, regions, sources and dimensions.
    pub(crate) async fn of_series<'a>(cx: &Context, series: impl IntoIterator<Item = &'a SeriesKey>) -> Result<Self, Error> {
        let mut labels = Self::default();
        labels.load_series(cx, series).await?;
        Ok(labels)
    }

    /// Adds those of series.
    pub(crate) async fn load_series<'a>(
        &mut self,
        cx: &Context,
        series: impl IntoIterator<Item = &'a SeriesKey>,
    ) -> Result<(), Error> {
        let mut wanted = Wanted::default();
        for key in series {
            wanted.add(EntryKind::Indicator, &key.indicator);
            wanted.add(EntryKind::Region, &key.region);
            wanted.add(EntryKind::Source, &key.source);
            key.dimensions.keys().for_each(|dimension| wanted.add(EntryKind::Dimension, dimension));
        }
        self.load(cx, wanted).await?;
        self.load_units(cx, []).await
    }

    /// The labels of observations, of what they were computed of, and of their units.
    pub(crate) async fn of_observations<'a>(
        cx: &Context,
        observations: impl IntoIterator<Item = &'a Observation>,
    ) -> Result<Self, Error> {
        let (mut series, mut units) = (Vec::new(), Vec::new());
        let mut open: Vec<&Observation> = observations.into_iter().collect();
        while let Some(observation) = open.pop() {
            series.extend(&observation.series);
            units.extend(Some(observation.unit.as_str()).filter(|unit| !unit.is_empty()));
            let operands = observation.derivation.iter().flat_map(|derivation| &derivation.operands);
            open.extend(operands.filter_map(|operand| operand.observation.as_ref()));
        }
        let mut labels = Self::of_series(cx, series).await?;
        labels.load_units(cx, units.iter().copied()).await?;
        labels.add_composed_units(units);
        Ok(labels)
    }

    /// A ratio that has no entry of its own is shown by its id: "CNY/{person}".
    fn add_composed_units(&mut self, units: Vec<&str>) {
        for id in units {
            if self.unit(id).is_none() {
                self.add([Entry::Unit(Unit { id: id.to_owned(), ..Unit::default() })]);
            }
        }
    }

    /// Adds entries of a kind.
    pub(crate) async fn load_names<'a>(
        &mut self,
        cx: &Context,
        kind: EntryKind,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Error> {
        let mut wanted = Wanted::default();
        ids.into_iter().filter(|id| self.entry(kind, id).is_none()).for_each(|id| wanted.add(kind, id));
        self.load(cx, wanted).await
    }

    /// Adds the units of the indicators that are there, and others.
    pub(crate) async fn load_units<'a>(&mut self, cx: &Context, others: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
        let mut wanted = Wanted::default();
        for entry in self.entries.values() {
            if let Entry::Indicator(indicator) = entry {
                wanted.add(EntryKind::Unit, &indicator.unit);
            }
        }
        others.into_iter().for_each(|unit| wanted.add(EntryKind::Unit, unit));
        self.load(cx, wanted).await
    }

    async fn load(&mut self, cx: &Context, wanted: Wanted) -> Result<(), Error> {
        for (kind, ids) in wanted.0 {
            if ids.len() > ONE_BY_ONE {
                let all: Vec<Entry> = list(&cx.client, kind, Selection::default()).try_collect().await?;
                self.add(all);
                continue;
            }
            let found = try_join_all(ids.iter().map(|id| async move {
                match get(&cx.client, kind, id, None).await {
                    // An entry that has been deleted since is shown by its id.
                    Err(error) if error.is_not_found() => Ok(None),
                    answer => answer,
                }
            }));
            self.add(found.await?.into_iter().flatten().map(|found| found.entry));
        }
        Ok(())
    }

    /// Adds entries.
    pub(crate) fn add(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.entries.extend(entries.into_iter().map(|entry| ((entry.kind(), entry.id().to_owned()), entry)));
    }

    fn entry(&self, kind: EntryKind, id: &str) -> Option<&Entry> {
        self.entries.get(&(kind, id.to_owned()))
    }

    /// The name of an id; the id itself where nothing is known of it.
    pub(crate) fn name<'a>(&'a self, kind: EntryKind, id: &'a str, language: Language) -> &'a str {
        self.entry(kind, id).map_or(id, |entry| name(entry, language))
    }

    /// A region.
    pub(crate) fn region(&self, id: &str) -> Option<&v1::Region> {
        match self.entry(EntryKind::Region, id) {
            Some(Entry::Region(region)) => Some(region),
            _ => None,
        }
    }

    /// The regions that are part of another, by id; with an empty id, those that are part of none.
    pub(crate) fn regions_in<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a v1::Region> {
        self.entries.values().filter_map(move |entry| match entry {
            Entry::Region(region) if region.parent == parent => Some(region),
            _ => None,
        })
    }

    /// Everything that the catalog has.
    pub(crate) async fn all(client: &Client) -> Result<Self, Error> {
        let mut labels = Self::default();
        let kinds = [EntryKind::Region, EntryKind::Source, EntryKind::Unit, EntryKind::Dimension, EntryKind::Indicator];
        let lists = try_join_all(kinds.map(|kind| list(client, kind, Selection::default()).try_collect::<Vec<_>>())).await?;
        lists.into_iter().for_each(|entries| labels.add(entries));
        Ok(labels)
    }

    /// An indicator.
    pub(crate) fn indicator(&self, id: &str) -> Option<&Indicator> {
        match self.entry(EntryKind::Indicator, id) {
            Some(Entry::Indicator(indicator)) => Some(indicator),
            _ => None,
        }
    }

    /// A unit.
    pub(crate) fn unit(&self, id: &str) -> Option<&Unit> {
        match self.entry(EntryKind::Unit, id) {
            Some(Entry::Unit(unit)) => Some(unit),
            _ => None,
        }
    }

    /// The unit of an indicator.
    pub(crate) fn unit_of(&self, indicator: &str) -> Option<&Unit> {
        self.indicator(indicator).and_then(|indicator| self.unit(&indicator.unit))
    }

    /// The unit that an observation is shown in: its own if it was computed in another than the indicator's.
    pub(crate) fn unit_shown(&self, observation: &Observation) -> Option<&Unit> {
        if observation.unit.is_empty() {
            return observation.series.as_ref().and_then(|series| self.unit_of(&series.indicator));
        }
        self.unit(&observation.unit)
    }

    /// The dimension values of a series: `Level: Provincial`.
    pub(crate) fn dimensions(&self, series: &SeriesKey, language: Language) -> String {
        let texts: Vec<String> = series.dimensions.iter().map(|(id, code)| self.dimension(id, code, language)).collect();
        texts.join(", ")
    }

    fn dimension(&self, id: &str, code: &str, language: Language) -> String {
        let code = self.code(id, code, language);
        match self.entry(EntryKind::Dimension, id) {
            Some(Entry::Dimension(dimension)) => format!("{}: {code}", best(&dimension.names, language).unwrap_or(id)),
            _ => format!("{id}: {code}"),
        }
    }

    /// The codes of a series alone, where there is little room: `Provincial`.
    pub(crate) fn codes(&self, dimensions: &BTreeMap<String, String>, language: Language) -> String {
        let texts: Vec<&str> = dimensions.iter().map(|(id, code)| self.code(id, code, language)).collect();
        texts.join(", ")
    }

    fn code<'a>(&'a self, dimension: &str, code: &'a str, language: Language) -> &'a str {
        let Some(Entry::Dimension(dimension)) = self.entry(EntryKind::Dimension, dimension) else { return code };
        let found = dimension.codes.iter().find(|known| known.id == code);
        found.and_then(|found| best(&found.names, language)).unwrap_or(code)
    }
}

#[derive(Debug, Default)]
struct Wanted(BTreeMap<EntryKind, std::collections::BTreeSet<String>>);

impl Wanted {
    fn add(&mut self, kind: EntryKind, id: &str) {
        if !id.is_empty() {
            self.0.entry(kind).or_default().insert(id.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(language, text)| ((*language).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_name_in_the_language_wins_then_a_variant_then_english_then_any() {
        let all = texts(&[("de", "Schantung"), ("en", "Shandong"), ("zh", "山东"), ("zh-Hant", "山東")]);
        assert_eq!(best(&all, Language::Zh), Some("山东"));
        assert_eq!(best(&texts(&[("en", "Shandong"), ("zh-Hant", "山東")]), Language::Zh), Some("山東"));
        assert_eq!(best(&texts(&[("en", "Shandong"), ("de", "Schantung")]), Language::Zh), Some("Shandong"));
        assert_eq!(best(&texts(&[("de", "Schantung")]), Language::En), Some("Schantung"));
        assert_eq!(best(&texts(&[]), Language::En), None);
    }

    #[test]
    fn an_id_without_an_entry_labels_itself() {
        let mut labels = Labels::default();
        labels
            .add([Entry::Region(v1::Region { id: "CN-SD".into(), names: texts(&[("zh", "山东")]), ..v1::Region::default() })]);
        assert_eq!(labels.name(EntryKind::Region, "CN-SD", Language::En), "山东");
        assert_eq!(labels.name(EntryKind::Region, "CN-XX", Language::En), "CN-XX");
        let series = SeriesKey { dimensions: texts(&[("level", "provincial")]), ..SeriesKey::default() };
        assert_eq!(labels.dimensions(&series, Language::En), "level: provincial");
    }
}
