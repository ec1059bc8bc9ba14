use indicator_proto::v1::{self, EntryKind, ErrorReason, Indicator, Region};

use super::{
    EntryMessage, View,
    texts::{Keys, Role, fold},
};
use crate::engine::{Error, Violation};

/// What the requests for lists ask of the entries.
pub trait ListRequest {
    /// What is listed.
    type Entry: EntryMessage;

    /// Text to look for in the entries; empty passes all.
    fn filter(&self) -> &str;

    /// What else is asked of an entry.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the request names what is not in the catalog.
    fn selection<'a>(&'a self, _view: View<'a>) -> Result<impl Fn(&Self::Entry) -> bool + 'a, Error> {
        Ok(|_: &Self::Entry| true)
    }
}

/// A part of a list.
#[derive(Debug, PartialEq)]
pub struct Page<'a, T> {
    /// Sorted by id.
    pub entries: Vec<&'a T>,
    /// There are more.
    pub more: bool,
}

/// The entries that a request asks for and whose ids come after `after`, at most `size`.
///
/// # Errors
///
/// [`Error::Invalid`] if the request names what is not in the catalog.
pub fn list<'a, R: ListRequest>(view: View<'a>, request: &R, after: &str, size: usize) -> Result<Page<'a, R::Entry>, Error> {
    let kind = R::Entry::KIND;
    let selected = request.selection(view)?;
    let filter = fold(request.filter());
    let mut found = view
        .stored_after(kind, after)
        .filter(|stored| filter.is_empty() || passes(kind, stored.keys(), &filter))
        .filter_map(|stored| R::Entry::of(&stored.entry))
        .filter(|entry| selected(entry));
    Ok(Page { entries: found.by_ref().take(size).collect(), more: found.next().is_some() })
}

/// Whether one of the texts that the filter of this kind looks at contains it.
fn passes(kind: EntryKind, keys: &Keys, filter: &str) -> bool {
    let looks_at = |role| match role {
        Role::Id | Role::Name => true,
        Role::Code => kind == EntryKind::Region,
        Role::Alias => matches!(kind, EntryKind::Region | EntryKind::Indicator),
        Role::Description => false,
    };
    keys.may_contain(filter) && keys.iter().any(|(role, text)| looks_at(role) && text.contains(filter))
}

impl ListRequest for v1::ListRegionsRequest {
    type Entry = Region;

    fn filter(&self) -> &str {
        &self.filter
    }

    fn selection<'a>(&'a self, view: View<'a>) -> Result<impl Fn(&Region) -> bool + 'a, Error> {
        if !self.under.is_empty() && view.region(&self.under).is_none() {
            let description = format!("there is no region {:?} in the catalog at revision {}", self.under, view.revision());
            return Err(Violation::new("under", ErrorReason::UnknownRegion, description).into());
        }
        let below = view.subregions([self.under.as_str()]);
        Ok(move |region: &Region| {
            (self.level.is_empty() || region.level == self.level)
                && (self.under.is_empty() || region.id == self.under || below.contains(region.id.as_str()))
        })
    }
}

impl ListRequest for v1::ListIndicatorsRequest {
    type Entry = Indicator;

    fn filter(&self) -> &str {
        &self.filter
    }

    fn selection<'a>(&'a self, _view: View<'a>) -> Result<impl Fn(&Indicator) -> bool + 'a, Error> {
        Ok(|indicator: &Indicator| self.topic.is_empty() || indicator.topic == self.topic)
    }
}

impl ListRequest for v1::ListSourcesRequest {
    type Entry = v1::Source;

    fn filter(&self) -> &str {
        &self.filter
    }
}

impl ListRequest for v1::ListUnitsRequest {
    type Entry = v1::Unit;

    fn filter(&self) -> &str {
        &self.filter
    }
}

impl ListRequest for v1::ListDimensionsRequest {
    type Entry = v1::Dimension;

    fn filter(&self) -> &str {
        &self.filter
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Catalog, samples};
    use super::*;

    fn ids<R: ListRequest>(request: &R) -> Vec<String> {
        let catalog = samples::catalog();
        list(catalog.at(1), request, "", 100).unwrap().entries.iter().map(|entry| entry.id().to_owned()).collect()
    }

    fn regions(under: &str, level: &str, filter: &str) -> v1::ListRegionsRequest {
        let (under, level, filter) = (under.into(), level.into(), filter.into());
        v1::ListRegionsRequest { under, level, filter, ..Default::default() }
    }

    #[test]
    fn a_list_is_sorted_by_id() {
        assert_eq!(ids(&regions("", "", "")), ["CN", "CN-GD", "CN-SD", "CN-SD.3710"]);
        assert_eq!(ids(&v1::ListUnitsRequest::default()), ["CNY", "{station}"]);
    }

    #[test]
    fn under_a_region_are_itself_and_those_below_it() {
        assert_eq!(ids(&regions("CN-SD", "", "")), ["CN-SD", "CN-SD.3710"]);
        assert_eq!(ids(&regions("CN", "province", "")), ["CN-GD", "CN-SD"]);
    }

    #[test]
    fn under_an_unknown_region_is_an_error_that_names_it() {
        let catalog = samples::catalog();
        let Err(Error::Invalid(problems)) = list(catalog.at(1), &regions("CN-XX", "", ""), "", 9) else { panic!("taken") };
        assert_eq!((problems[0].field.as_str(), problems[0].reason), ("under", ErrorReason::UnknownRegion));
        assert!(problems[0].description.contains("CN-XX"));
    }

    #[test]
    fn a_filter_looks_at_what_its_kind_has() {
        assert_eq!(ids(&regions("", "", "ＳＨＡＮＤＯＮＧ prov")), ["CN-SD"]);
        assert_eq!(ids(&regions("", "", "37000")), ["CN-SD"]);
        let units = |filter: &str| ids(&v1::ListUnitsRequest { filter: filter.into(), ..Default::default() });
        assert_eq!(units("yuan"), ["CNY"]);
        assert_eq!(units("元"), [""; 0], "a symbol is no name");
        let indicators = |filter: &str| ids(&v1::ListIndicatorsRequest { filter: filter.into(), ..Default::default() });
        assert_eq!(indicators("基站"), ["5g-base-stations"]);
        assert_eq!(indicators("masts"), [""; 0], "a description is no name");
    }

    #[test]
    fn indicators_are_listed_by_topic() {
        let topic = |topic: &str| ids(&v1::ListIndicatorsRequest { topic: topic.into(), ..Default::default() });
        assert_eq!(topic("digital-economy"), ["5g-base-stations"]);
        assert_eq!(topic("digital"), [""; 0]);
    }

    #[test]
    fn pages_put_together_are_the_list() {
        let catalog = samples::catalog();
        let request = regions("", "", "cn");
        for size in 1..6 {
            let (mut all, mut after) = (Vec::new(), String::new());
            loop {
                let page = list(catalog.at(1), &request, &after, size).unwrap();
                assert!(page.entries.len() <= size);
                all.extend(page.entries.iter().map(|region| region.id.clone()));
                after = all.last().cloned().unwrap_or_default();
                if !page.more {
                    break;
                }
                assert_eq!(page.entries.len(), size);
            }
            assert_eq!(all, ids(&request), "in pages of {size}");
        }
    }

    #[test]
    fn an_empty_catalog_has_empty_lists() {
        let catalog = Catalog::default();
        let page = list(catalog.at(9), &v1::ListSourcesRequest::default(), "", 5).unwrap();
        assert_eq!(page, Page { entries: Vec::new(), more: false });
    }
}
