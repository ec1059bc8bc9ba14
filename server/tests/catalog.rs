//! The catalog service over a real store.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use indicator_proto::{
    Time,
    v1::{
        self, AsOf, CatalogAction, CatalogEntry, ChangeKind, EntryKind, EntryReference, catalog_action::Action,
        catalog_entry::Entry, catalog_service_server::CatalogService as _,
    },
};
use indicator_server::{
    access::Caller,
    engine::{Engine, Options, Retention},
    service::catalog::CatalogApi,
};
use tempfile::TempDir;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

/// As it comes through the door where nobody is asked who he is.
fn announced<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Caller::anybody(None));
    request
}

struct Served {
    api: CatalogApi,
    _directory: TempDir,
}

fn serve() -> Served {
    let directory = tempfile::tempdir().unwrap();
    let clock = || "2021-12-06T00:00:00Z".parse::<Time>().unwrap();
    let engine = Engine::open(directory.path(), Options { write_queue: 16, clock, retention: Retention::EVERYTHING }).unwrap();
    Served { api: CatalogApi::new(Arc::new(engine)), _directory: directory }
}

impl Served {
    async fn apply(&self, actions: Vec<CatalogAction>) -> Result<v1::ApplyCatalogResponse, Status> {
        let request = v1::ApplyCatalogRequest { actions, ..Default::default() };
        Ok(self.api.apply_catalog(announced(request)).await?.into_inner())
    }

    async fn regions(&self, request: v1::ListRegionsRequest) -> Result<v1::ListRegionsResponse, Status> {
        Ok(self.api.list_regions(Request::new(request)).await?.into_inner())
    }
}

fn region(id: &str, name: &str) -> CatalogAction {
    let names = [("en".to_owned(), name.to_owned())].into();
    let region = v1::Region { id: id.into(), level: "country".into(), names, ..Default::default() };
    CatalogAction { action: Some(Action::Upsert(CatalogEntry { entry: Some(Entry::Region(region)) })) }
}

fn delete(id: &str) -> CatalogAction {
    CatalogAction { action: Some(Action::Delete(EntryReference { kind: EntryKind::Region.into(), id: id.into() })) }
}

fn ids(page: &v1::ListRegionsResponse) -> Vec<&str> {
    page.regions.iter().map(|region| region.id.as_str()).collect()
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

#[tokio::test]
async fn the_pages_of_a_list_show_the_state_of_the_first() {
    let served = serve();
    served.apply(["AR", "BR", "CN", "DE"].map(|id| region(id, id)).into()).await.unwrap();
    let request = v1::ListRegionsRequest { page_size: 2, ..Default::default() };
    let first = served.regions(request.clone()).await.unwrap();
    assert_eq!((ids(&first), first.revision), (vec!["AR", "BR"], 1));

    served.apply(vec![region("BZ", "Belize"), delete("DE")]).await.unwrap();
    let second = served.regions(v1::ListRegionsRequest { page_token: first.next_page_token, ..request.clone() }).await.unwrap();
    assert_eq!((ids(&second), second.revision), (vec!["CN", "DE"], 1));
    assert_eq!(second.next_page_token, "");
    let now = served.regions(v1::ListRegionsRequest::default()).await.unwrap();
    assert_eq!((ids(&now), now.revision), (vec!["AR", "BR", "BZ", "CN"], 2));
}

#[tokio::test]
async fn a_page_token_is_good_for_its_own_list_only() {
    let served = serve();
    served.apply(vec![region("AR", "x"), region("BR", "x")]).await.unwrap();
    let request = v1::ListRegionsRequest { page_size: 1, ..Default::default() };
    let token = served.regions(request.clone()).await.unwrap().next_page_token;
    let with = |page_token: String| v1::ListRegionsRequest { page_token, ..request.clone() };

    let other_filter = v1::ListRegionsRequest { filter: "x".into(), ..with(token.clone()) };
    let mut altered = token.clone();
    altered.replace_range(30..31, if &token[30..31] == "A" { "B" } else { "A" });
    for refused in [other_filter, with(altered), with("no token".into())] {
        let error = served.regions(refused).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, "INVALID_PAGE_TOKEN"));
    }
    // Without their page, both requests are empty on the wire.
    let sources = v1::ListSourcesRequest { page_size: 1, page_token: token.clone(), ..Default::default() };
    let error = served.api.list_sources(Request::new(sources)).await.unwrap_err();
    assert_eq!(reason(&error), "INVALID_PAGE_TOKEN");

    let error = serve().regions(with(token)).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::FailedPrecondition, "OTHER_EPOCH"));
}

#[tokio::test]
async fn an_entry_is_read_as_of_a_revision() {
    let served = serve();
    served.apply(vec![region("CN", "China")]).await.unwrap();
    served.apply(vec![region("CN", "People's Republic of China")]).await.unwrap();
    served.apply(vec![delete("CN")]).await.unwrap();
    let get = async |revision: u64| {
        let as_of = Some(AsOf { revision, ..Default::default() });
        let got = served.api.get_region(Request::new(v1::GetRegionRequest { id: "CN".into(), as_of })).await?.into_inner();
        Ok::<_, Status>((got.region.unwrap().names["en"].clone(), got.revision))
    };
    assert_eq!(get(1).await.unwrap(), ("China".to_owned(), 1));
    assert_eq!(get(2).await.unwrap(), ("People's Republic of China".to_owned(), 2));
    let gone = get(3).await.unwrap_err();
    assert_eq!((gone.code(), reason(&gone).as_str()), (Code::NotFound, "UNKNOWN_REGION"));
    let future = get(4).await.unwrap_err();
    assert_eq!((future.code(), reason(&future).as_str()), (Code::OutOfRange, "FUTURE_REVISION"));
}

#[tokio::test]
async fn a_get_without_an_id_is_invalid() {
    let error = serve().api.get_unit(Request::new(v1::GetUnitRequest::default())).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, "REQUIRED"));
}

#[tokio::test]
async fn a_request_that_changes_nothing_makes_no_commit() {
    let served = serve();
    let first = served.apply(vec![region("CN", "China")]).await.unwrap();
    assert_eq!((first.revision, first.changes[0].kind(), first.unchanged), (1, ChangeKind::Inserted, 0));
    let again = served.apply(vec![region("CN", "China")]).await.unwrap();
    assert_eq!((again.revision, again.changes.len(), again.unchanged), (1, 0, 1));
}

#[tokio::test]
async fn validate_only_says_what_would_change_and_changes_nothing() {
    let served = serve();
    let request = v1::ApplyCatalogRequest { actions: vec![region("CN", "China")], validate_only: true, ..Default::default() };
    let answer = served.api.apply_catalog(announced(request)).await.unwrap().into_inner();
    assert_eq!((answer.revision, answer.changes.len()), (0, 1));
    assert!(served.regions(v1::ListRegionsRequest::default()).await.unwrap().regions.is_empty());
}

#[tokio::test]
async fn a_repeated_request_id_returns_the_first_answer() {
    let served = serve();
    let request = |name| {
        let actions = vec![region("CN", name)];
        announced(v1::ApplyCatalogRequest { actions, request_id: "one".into(), ..Default::default() })
    };
    let first = served.api.apply_catalog(request("China")).await.unwrap().into_inner();
    served.apply(vec![region("CN", "Zhongguo")]).await.unwrap();
    assert_eq!(served.api.apply_catalog(request("China")).await.unwrap().into_inner(), first);
    let reused = served.api.apply_catalog(request("Other")).await.unwrap_err();
    assert_eq!((reused.code(), reason(&reused).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
}

#[tokio::test]
async fn a_search_finds_what_was_applied() {
    let served = serve();
    served.apply(vec![region("CI", "Côte d’Ivoire")]).await.unwrap();
    let request = v1::SearchCatalogRequest { query: "COTE D".into(), ..Default::default() };
    let answer = served.api.search_catalog(Request::new(request)).await.unwrap().into_inner();
    assert_eq!((answer.revision, answer.hits[0].display_name.as_str()), (1, "Côte d’Ivoire"));
}

#[tokio::test]
async fn a_write_that_did_not_come_through_the_door_is_refused() {
    let error = serve().api.apply_catalog(Request::new(v1::ApplyCatalogRequest::default())).await.unwrap_err();
    assert_eq!(reason(&error), "UNAUTHENTICATED");
}
