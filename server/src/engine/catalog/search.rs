use indicator_proto::v1::{EntryKind, ErrorReason, MatchKind, SearchCatalogRequest, SearchHit};

use super::{
    Stored, View,
    form::NAME_BYTES,
    spelling::{Misspelt, Nearness},
    texts::{Role, fold, texts},
};
use crate::engine::Violation;

/// Hits of an answer where the request does not say how many.
const DEFAULT_LIMIT: usize = 20;
/// Hits of an answer at most.
const GREATEST_LIMIT: usize = 1_000;

/// Kinds in the order in which hits of equal match are listed.
const ORDER: [EntryKind; 5] = [EntryKind::Indicator, EntryKind::Region, EntryKind::Source, EntryKind::Dimension, EntryKind::Unit];

/// What a search asks for.
#[derive(Debug)]
pub struct Search {
    query: Query,
    kinds: Vec<EntryKind>,
    limit: usize,
    language: String,
}

impl Search {
    /// Reads a request. Where it adds problems, it is not to be carried out.
    pub fn read(request: &SearchCatalogRequest, problems: &mut Vec<Violation>) -> Self {
        let query = Query::new(&request.query);
        if query.words.is_empty() {
            let remedy = "there is nothing to look for; pass an id, a code, a name or a part of one";
            problems.push(Violation::new("query", ErrorReason::Required, remedy));
        }
        let bytes = request.query.len();
        if bytes > NAME_BYTES {
            let description = format!("it has {bytes} bytes, and no name has more than {NAME_BYTES}; shorten it");
            problems.push(Violation::new("query", ErrorReason::TextTooLong, description));
        }
        let mut asked = Vec::new();
        for (i, number) in request.kinds.iter().enumerate() {
            match EntryKind::try_from(*number) {
                Ok(kind) => asked.push(kind),
                Err(_) => {
                    let description =
                        format!("there is no kind of entries with the number {number}; pass 1 to 5, or none for all");
                    problems.push(Violation::new(format!("kinds[{i}]"), ErrorReason::InvalidEnum, description));
                }
            }
        }
        let all = asked.is_empty() || asked.contains(&EntryKind::Unspecified);
        let limit = match request.limit as usize {
            0 => DEFAULT_LIMIT,
            limit => limit.min(GREATEST_LIMIT),
        };
        let language = if request.language.is_empty() { "en" } else { &request.language };
        let kinds = ORDER.into_iter().filter(|kind| all || asked.contains(kind)).collect();
        Self { query, kinds, limit, language: language.to_owned() }
    }

    /// The entries that it finds, best first; equals by kind, then id.
    pub fn hits(&self, view: View<'_>) -> Vec<SearchHit> {
        let mut hits = self.matching(view, |stored| {
            let (kind, text) = self.query.best(stored)?;
            Some(Hit { kind, nearness: None, text, stored })
        });
        // Who spelt it right is not shown what is only spelt alike: Shaanxi is no answer to Shanxi.
        if hits.is_empty()
            && let Some(misspelt) = Misspelt::new(&self.query.whole)
        {
            hits = self.matching(view, |stored| {
                let texts = stored.keys().iter().enumerate();
                let (nearness, text) = texts.filter_map(|(i, (role, text))| Some((misspelt.nearness(role, text)?, i))).min()?;
                Some(Hit { kind: MatchKind::Similar, nearness: Some(nearness), text, stored })
            });
        }
        // The entries came by kind, then id, and the sort keeps that among equals.
        hits.sort_by_key(|hit| (hit.kind, hit.nearness));
        hits.truncate(self.limit);
        hits.iter().map(|hit| hit.to_proto(&self.language)).collect()
    }

    fn matching<'a>(&self, view: View<'a>, hit: impl Fn(&'a Stored) -> Option<Hit<'a>>) -> Vec<Hit<'a>> {
        self.kinds.iter().flat_map(|kind| view.stored_after(*kind, "")).filter_map(hit).collect()
    }
}

/// An entry that matched.
struct Hit<'a> {
    kind: MatchKind,
    /// Of texts that are only spelt alike, how near they are.
    nearness: Option<Nearness>,
    /// Which of its texts matched.
    text: usize,
    stored: &'a Stored,
}

impl Hit<'_> {
    fn to_proto(&self, language: &str) -> SearchHit {
        let entry = &self.stored.entry;
        SearchHit {
            r#match: self.kind.into(),
            matched_text: texts(entry)[self.text].1.to_owned(),
            display_name: super::entry::name(entry, language).to_owned(),
            entry: Some(entry.clone().into()),
        }
    }
}

/// What is looked for, folded.
#[derive(Debug)]
struct Query {
    whole: String,
    words: Vec<String>,
}

impl Query {
    fn new(query: &str) -> Self {
        let whole = fold(query);
        let words = whole.split_whitespace().map(str::to_owned).collect();
        Self { whole, words }
    }

    /// The best match among the texts of an entry, and which text that is.
    fn best(&self, stored: &Stored) -> Option<(MatchKind, usize)> {
        let keys = stored.keys();
        if !self.words.iter().all(|word| keys.may_contain(word)) {
            return None;
        }
        let matches = keys.iter().enumerate().filter_map(|(i, (role, text))| Some((self.matches(role, text)?, i)));
        matches.min()
    }

    fn matches(&self, role: Role, text: &str) -> Option<MatchKind> {
        let exact = match role {
            Role::Id => MatchKind::Id,
            Role::Code => return (text == self.whole).then_some(MatchKind::Code),
            Role::Name => MatchKind::Name,
            Role::Alias => MatchKind::Alias,
            Role::Description => return self.is_in(text).then_some(MatchKind::Description),
        };
        if text == self.whole {
            Some(exact)
        } else if text.starts_with(&self.whole) {
            Some(MatchKind::Prefix)
        } else {
            self.is_in(text).then_some(MatchKind::Contains)
        }
    }

    fn is_in(&self, text: &str) -> bool {
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use indicator_proto::v1;
    use proptest::prelude::*;

    use super::super::{Catalog, Entry, samples};
    use super::*;

    fn search(view: View<'_>, request: &SearchCatalogRequest) -> Result<Vec<SearchHit>, Vec<Violation>> {
        let mut problems = Vec::new();
        let search = Search::read(request, &mut problems);
        if problems.is_empty() { Ok(search.hits(view)) } else { Err(problems) }
    }

    fn found(catalog: &Catalog, query: &str) -> Vec<(String, MatchKind, String)> {
        let request = SearchCatalogRequest { query: query.into(), language: "zh".into(), ..Default::default() };
        let hits = search(catalog.at(u64::MAX), &request).unwrap();
        let id = |hit: &SearchHit| hit.entry.clone().unwrap().entry.unwrap().id().to_owned();
        hits.iter().map(|hit| (id(hit), hit.r#match(), hit.matched_text.clone())).collect()
    }

    fn first(query: &str) -> (String, MatchKind, String) {
        found(&samples::catalog(), query).swap_remove(0)
    }

    fn is(id: &str, kind: MatchKind, text: &str) -> (String, MatchKind, String) {
        (id.to_owned(), kind, text.to_owned())
    }

    #[test]
    fn shandong_is_found_by_id_code_name_and_alias_in_any_language() {
        assert_eq!(first("cn-sd"), is("CN-SD", MatchKind::Id, "CN-SD"));
        assert_eq!(first("370000"), is("CN-SD", MatchKind::Code, "370000"));
        assert_eq!(first("shandong"), is("CN-SD", MatchKind::Name, "Shandong"));
        assert_eq!(first("山东"), is("CN-SD", MatchKind::Name, "山东"));
        assert_eq!(first("ＳＨĀＮＤＯＮＧ　ｐｒｏｖｉｎｃｅ"), is("CN-SD", MatchKind::Alias, "Shandong Province"));
        assert_eq!(first("山东省"), is("CN-SD", MatchKind::Alias, "山东省"));
    }

    #[test]
    fn a_part_of_a_name_finds_the_indicator_that_contains_it() {
        assert_eq!(
            found(&samples::catalog(), "基站"),
            [is("{station}", MatchKind::Name, "基站"), is("5g-base-stations", MatchKind::Contains, "5G基站数"),]
        );
        assert_eq!(first("stations base 5g"), is("5g-base-stations", MatchKind::Contains, "5g-base-stations"));
        assert_eq!(first("masts"), is("5g-base-stations", MatchKind::Description, "Masts and small cells in operation."));
    }

    #[test]
    fn a_typing_error_finds_what_is_alike_the_nearest_first_where_nothing_else_matches() {
        assert_eq!(first("shangdong"), is("CN-SD", MatchKind::Similar, "Shandong"));
        assert_eq!(first("bse stations"), is("5g-base-stations", MatchKind::Similar, "5G base stations"));
        assert_eq!(first("5G base staions"), is("5g-base-stations", MatchKind::Similar, "5G base stations"));
        assert_eq!(first("5G机站"), is("5g-base-stations", MatchKind::Similar, "5G基站数"));
        assert_eq!(first("37000O"), is("CN-SD", MatchKind::Similar, "370000"));
        assert_eq!(found(&samples::catalog(), "prices"), []);

        let mut catalog = Catalog::default();
        for (id, name) in [("CN-SN", "Shaanxi"), ("CN-SX", "Shanxi")] {
            let region = v1::Region { names: [("en".to_owned(), name.to_owned())].into(), ..samples::region(id, "") };
            catalog.record(1, EntryKind::Region, id, Some(region.into()));
        }
        assert_eq!(found(&catalog, "shanxi"), [is("CN-SX", MatchKind::Name, "Shanxi")]);
        let near = ["CN-SN", "CN-SX"].map(|id| is(id, MatchKind::Similar, if id == "CN-SN" { "Shaanxi" } else { "Shanxi" }));
        assert_eq!(found(&catalog, "shaanxxi"), near);
    }

    #[test]
    fn units_are_found_by_symbol_and_dimensions_by_their_codes() {
        assert_eq!(first("元"), is("CNY", MatchKind::Alias, "元"));
        assert_eq!(first("Ｆ"), is("sex", MatchKind::Code, "F"));
        assert_eq!(first("female"), is("sex", MatchKind::Alias, "Female"));
    }

    #[test]
    fn equals_are_listed_by_kind_then_id() {
        let mut catalog = Catalog::default();
        for (revision, id) in ["x2", "x1"].into_iter().enumerate() {
            let names = || [("en".to_owned(), "Same".to_owned())].into();
            let entries: [Entry; 5] = [
                v1::Unit { id: id.into(), names: names(), ..Default::default() }.into(),
                v1::Dimension { id: id.into(), names: names(), ..Default::default() }.into(),
                v1::Source { id: id.into(), names: names(), ..Default::default() }.into(),
                v1::Region { id: id.into(), names: names(), ..Default::default() }.into(),
                v1::Indicator { id: id.into(), names: names(), ..Default::default() }.into(),
            ];
            for entry in entries {
                catalog.record(revision as u64 + 1, entry.kind(), id, Some(entry));
            }
        }
        let request = SearchCatalogRequest { query: "same".into(), ..Default::default() };
        let hits = search(catalog.at(2), &request).unwrap();
        let order: Vec<_> = hits.into_iter().map(|hit| hit.entry.unwrap().entry.unwrap()).collect();
        let order: Vec<_> = order.iter().map(|entry| (entry.kind(), entry.id())).collect();
        let expected: Vec<_> = ORDER.into_iter().flat_map(|kind| [(kind, "x1"), (kind, "x2")]).collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn only_the_kinds_asked_for_are_searched_and_only_as_many_hits_are_sent() {
        let catalog = samples::catalog();
        let ask = |kinds: &[EntryKind], limit| {
            let kinds = kinds.iter().map(|kind| (*kind).into()).collect();
            let request = SearchCatalogRequest { query: "n".into(), kinds, limit, ..Default::default() };
            search(catalog.at(1), &request).unwrap()
        };
        let regions = ask(&[EntryKind::Region], 0);
        assert!(regions.iter().all(|hit| matches!(hit.entry.clone().unwrap().entry, Some(Entry::Region(_)))));
        assert_eq!(regions.len(), 4);
        assert_eq!(ask(&[EntryKind::Region], 2), regions[..2]);
        assert!(ask(&[], 0).len() > regions.len());
        assert_eq!(ask(&[EntryKind::Region, EntryKind::Unspecified], 0), ask(&[], 0));
    }

    #[test]
    fn the_display_name_falls_back_to_english_and_then_to_any() {
        let name = |language: &str| {
            let request = SearchCatalogRequest { query: "CN-SD".into(), language: language.into(), ..Default::default() };
            search(samples::catalog().at(1), &request).unwrap()[0].display_name.clone()
        };
        assert_eq!([name("zh"), name("en"), name(""), name("fr")], ["山东", "Shandong", "Shandong", "Shandong"]);
    }

    #[test]
    fn a_search_for_nothing_or_in_an_unknown_kind_lists_each_problem() {
        let request = SearchCatalogRequest { query: " \u{301}".into(), kinds: vec![1, 9], ..Default::default() };
        let Err(problems) = search(samples::catalog().at(1), &request) else { panic!("taken") };
        let problems: Vec<_> = problems.iter().map(|problem| (problem.field.as_str(), problem.reason)).collect();
        assert_eq!(problems, [("query", ErrorReason::Required), ("kinds[1]", ErrorReason::InvalidEnum)]);
        let long = SearchCatalogRequest { query: "x".repeat(501), ..Default::default() };
        assert!(search(samples::catalog().at(1), &long).is_err());
    }

    proptest! {
        #[test]
        fn every_part_of_a_name_finds_its_region(from in 0_usize..8, length in 1_usize..8) {
            let name = "Shandong";
            let part = &name[from..(from + length).min(name.len())];
            prop_assert!(found(&samples::catalog(), part).iter().any(|(id, ..)| id == "CN-SD"));
        }

        #[test]
        fn no_query_panics(query in ".{0,40}") {
            let request = SearchCatalogRequest { query, ..Default::default() };
            let _ = search(samples::catalog().at(1), &request);
        }
    }
}
