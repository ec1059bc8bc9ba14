use indicator_proto::v1::{self, AsOf, EntryKind, ErrorReason, Indicator, Region};
use serde::{Deserialize, Serialize};

use super::{
    Catalog, EntryMessage, View, noun,
    texts::{Keys, Role, fold},
    unknown,
};
use crate::engine::{Error, Purpose, TokenError, Tokens, Violation, fingerprint};

/// Entries of a page where the request does not say how many.
const DEFAULT_PAGE: usize = 1_000;
/// Entries of a page at most.
const GREATEST_PAGE: usize = 10_000;

/// One entry, with the revision of the commit that made this version of it.
pub fn get<'a, T: EntryMessage>(view: View<'a>, id: &str) -> Result<(u64, &'a T), Error> {
    if id.is_empty() {
        let description = format!("pass the id of a {}", noun(T::KIND));
        return Err(Violation::new("id", ErrorReason::Required, description).into());
    }
    view.get(id).ok_or_else(|| Error::NotFound { reason: unknown(T::KIND), kind: noun(T::KIND), name: id.to_owned() })
}

/// What the requests for lists have in common.
pub trait ListRequest: prost::Message + Clone + Default {
    /// What is listed.
    type Entry: EntryMessage;

    /// Text to look for in the entries.
    fn filter(&self) -> &str;
    /// Entries wanted.
    fn page_size(&self) -> u32;
    /// Where to go on.
    fn page_token(&self) -> &str;
    /// At which moment.
    fn as_of(&self) -> Option<&AsOf>;
    /// The same request for its first page.
    fn without_page(&self) -> Self;

    /// What the request asks of an entry besides the filter.
    fn selection<'a>(&'a self, _view: View<'a>) -> Result<impl Fn(&Self::Entry) -> bool + 'a, Error> {
        Ok(|_: &Self::Entry| true)
    }
}

/// A page of a list.
#[derive(Debug, PartialEq)]
pub struct Page<T> {
    /// Sorted by id.
    pub entries: Vec<T>,
    /// For the next page; empty if this is the last.
    pub next_page_token: String,
    /// The revision that the whole list shows.
    pub revision: u64,
}

/// Where a list goes on.
#[derive(Serialize, Deserialize)]
struct Position {
    /// Requests for different kinds may be encoded alike.
    kind: i32,
    fingerprint: u64,
    revision: u64,
    last: String,
}

/// Answers a request for a list. `first` says which revision its first page shows.
pub fn list<R: ListRequest>(
    catalog: &Catalog,
    tokens: &Tokens,
    request: &R,
    first: impl FnOnce(Option<&AsOf>) -> Result<u64, Error>,
) -> Result<Page<R::Entry>, Error> {
    let kind = R::Entry::KIND;
    let fingerprint = fingerprint(&request.without_page());
    let (revision, last) = match request.page_token() {
        "" => (first(request.as_of())?, String::new()),
        token => {
            let position: Position = tokens.open(Purpose::Page, token).map_err(refuse)?;
            if position.kind != i32::from(kind) || position.fingerprint != fingerprint {
                let description = "the token is for another request; with it, every other field stays as it was";
                return Err(Violation::new("page_token", ErrorReason::InvalidPageToken, description).into());
            }
            (position.revision, position.last)
        }
    };
    let view = catalog.at(revision);
    let selected = request.selection(view)?;
    let filter = fold(request.filter());
    let mut found = view
        .stored_after(kind, &last)
        .filter(|stored| filter.is_empty() || passes(kind, stored.keys(), &filter))
        .filter_map(|stored| R::Entry::of(&stored.entry).map(|entry| (stored.entry.id(), entry)))
        .filter(|(_, entry)| selected(entry));

    let size = match request.page_size() as usize {
        0 => DEFAULT_PAGE,
        size => size.min(GREATEST_PAGE),
    };
    let page: Vec<_> = found.by_ref().take(size).collect();
    let next_page_token = match (page.last(), found.next()) {
        (Some((last, _)), Some(_)) => {
            let position = Position { kind: kind.into(), fingerprint, revision, last: (*last).to_owned() };
            tokens.seal(Purpose::Page, &position)
        }
        _ => String::new(),
    };
    Ok(Page { entries: page.into_iter().map(|(_, entry)| entry.clone()).collect(), next_page_token, revision })
}

fn refuse(error: TokenError) -> Error {
    match error {
        TokenError::OtherEpoch => Error::OtherEpoch,
        TokenError::Malformed | TokenError::Altered => {
            Violation::new("page_token", ErrorReason::InvalidPageToken, error.to_string()).into()
        }
    }
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

macro_rules! list_request {
    ($request:ident of $entry:ident $($selection:tt)*) => {
        impl ListRequest for v1::$request {
            type Entry = v1::$entry;

            fn filter(&self) -> &str {
                &self.filter
            }

            fn page_size(&self) -> u32 {
                self.page_size
            }

            fn page_token(&self) -> &str {
                &self.page_token
            }

            fn as_of(&self) -> Option<&AsOf> {
                self.as_of.as_ref()
            }

            fn without_page(&self) -> Self {
                Self { page_size: 0, page_token: String::new(), ..self.clone() }
            }

            $($selection)*
        }
    };
}

list_request!(ListSourcesRequest of Source);
list_request!(ListUnitsRequest of Unit);
list_request!(ListDimensionsRequest of Dimension);
list_request!(
    ListRegionsRequest of Region
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
);
list_request!(
    ListIndicatorsRequest of Indicator
    fn selection<'a>(&'a self, _view: View<'a>) -> Result<impl Fn(&Indicator) -> bool + 'a, Error> {
        Ok(|indicator: &Indicator| self.topic.is_empty() || indicator.topic == self.topic)
    }
);
