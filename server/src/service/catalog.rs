//! The catalog: thin over [`crate::engine::catalog`], where the lists and searches are.

use std::sync::Arc;

use indicator_proto::v1::{self, AsOf, ErrorReason, catalog_service_server::CatalogService};
use tonic::{Request, Response, Status};

use super::{caller, gate, moment, page, wire};
use crate::{
    access::Caller,
    engine::{
        CatalogCommand, Command, Engine, Error, Violation,
        catalog::{self, EntryMessage, ListRequest},
        fingerprint,
    },
};

/// Entries in a page where the request does not say how many.
const USUAL_PAGE: u32 = 1_000;
/// Entries in a page at most.
const LARGEST_PAGE: u32 = 10_000;

/// Serves `indicator.v1.CatalogService`.
#[derive(Clone)]
pub struct CatalogApi {
    engine: Arc<Engine>,
}

impl CatalogApi {
    /// Over an engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    async fn apply(&self, caller: &Caller, mut request: v1::ApplyCatalogRequest) -> Result<v1::ApplyCatalogResponse, Error> {
        let mut violations = Vec::new();
        let id = std::mem::take(&mut request.request_id);
        let request_id = gate::request_id(id, &request, &mut violations);
        let v1::ApplyCatalogRequest { actions, validate_only, context, .. } = request;
        let context = gate::context(context, caller, "context", &mut violations);
        if !violations.is_empty() {
            return Err(Error::Invalid(violations));
        }
        let command = CatalogCommand { actions, context, request: request_id, validate_only };
        let receipt = self.engine.apply(Command::Catalog(command)).await?;
        Ok(v1::ApplyCatalogResponse {
            revision: receipt.revision,
            changes: receipt.commit.iter().flat_map(|commit| &commit.entries).map(wire::entry_change).collect(),
            unchanged: receipt.unchanged,
        })
    }

    /// An entry, and the commit that made this version of it.
    fn get<T: EntryMessage>(&self, id: &str, as_of: Option<&AsOf>) -> Result<(T, u64), Error> {
        let mut violations = Vec::new();
        if id.is_empty() {
            let description = format!("is empty; name the {}", T::KIND.noun());
            violations.push(Violation::new("id", ErrorReason::Required, description));
        }
        let revision = self.revision(as_of, violations)?;
        let catalog = self.engine.catalog();
        let (revision, entry) = catalog.at(revision).find::<T>(id)?;
        Ok((entry.clone(), revision))
    }

    fn list<R: PagedRequest>(&self, request: &R) -> Result<R::Response, Error> {
        // Requests for lists of different kinds may be encoded alike.
        let fingerprint = fingerprint(&request.first_page()) ^ R::Entry::KIND as u64;
        let (revision, after) = match page::open(&self.engine, request.page_token(), fingerprint)? {
            Some(next) => next,
            None => (self.revision(request.as_of(), Vec::new())?, String::new()),
        };
        let catalog = self.engine.catalog();
        let size = page::size(request.page_size(), USUAL_PAGE, LARGEST_PAGE);
        let found = catalog::list(catalog.at(revision), request, &after, size)?;
        let last = found.entries.last().filter(|_| found.more);
        let next = last.map_or_else(String::new, |last| page::seal(&self.engine, fingerprint, revision, last.id()));
        Ok(R::response(found.entries.into_iter().cloned().collect(), next, revision))
    }

    fn search(&self, request: &v1::SearchCatalogRequest) -> Result<v1::SearchCatalogResponse, Error> {
        let mut violations = Vec::new();
        let search = catalog::Search::read(request, &mut violations);
        let revision = self.revision(request.as_of.as_ref(), violations)?;
        let hits = search.hits(self.engine.catalog().at(revision));
        Ok(v1::SearchCatalogResponse { hits, revision })
    }

    /// The revision that a moment shows, if nothing is wrong with it or was before.
    fn revision(&self, as_of: Option<&AsOf>, mut violations: Vec<Violation>) -> Result<u64, Error> {
        let as_of = moment::check(as_of, &mut violations);
        if violations.is_empty() { Ok(moment::resolve(&self.engine, as_of)?.revision) } else { Err(Error::Invalid(violations)) }
    }
}

/// A request for a page of a list.
trait PagedRequest: ListRequest + prost::Message + Clone {
    /// Its answer.
    type Response;

    fn page_size(&self) -> u32;
    fn page_token(&self) -> &str;
    fn as_of(&self) -> Option<&AsOf>;
    /// The same request for the first page.
    fn first_page(&self) -> Self;
    fn response(entries: Vec<Self::Entry>, next_page_token: String, revision: u64) -> Self::Response;
}

macro_rules! paged {
    ($($request:ident => $response:ident { $entries:ident }),* $(,)?) => {$(
        impl PagedRequest for v1::$request {
            type Response = v1::$response;

            fn page_size(&self) -> u32 {
                self.page_size
            }

            fn page_token(&self) -> &str {
                &self.page_token
            }

            fn as_of(&self) -> Option<&AsOf> {
                self.as_of.as_ref()
            }

            fn first_page(&self) -> Self {
                Self { page_size: 0, page_token: String::new(), ..self.clone() }
            }

            fn response($entries: Vec<Self::Entry>, next_page_token: String, revision: u64) -> Self::Response {
                v1::$response { $entries, next_page_token, revision }
            }
        }
    )*};
}
paged! {
    ListRegionsRequest => ListRegionsResponse { regions },
    ListSourcesRequest => ListSourcesResponse { sources },
    ListUnitsRequest => ListUnitsResponse { units },
    ListDimensionsRequest => ListDimensionsResponse { dimensions },
    ListIndicatorsRequest => ListIndicatorsResponse { indicators },
}

#[tonic::async_trait]
impl CatalogService for CatalogApi {
    async fn apply_catalog(
        &self,
        request: Request<v1::ApplyCatalogRequest>,
    ) -> Result<Response<v1::ApplyCatalogResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.apply(&caller, request.into_inner()).await?))
    }

    async fn get_region(&self, request: Request<v1::GetRegionRequest>) -> Result<Response<v1::GetRegionResponse>, Status> {
        let v1::GetRegionRequest { id, as_of } = request.into_inner();
        let (region, revision) = self.get(&id, as_of.as_ref())?;
        Ok(Response::new(v1::GetRegionResponse { region: Some(region), revision }))
    }

    async fn get_source(&self, request: Request<v1::GetSourceRequest>) -> Result<Response<v1::GetSourceResponse>, Status> {
        let v1::GetSourceRequest { id, as_of } = request.into_inner();
        let (source, revision) = self.get(&id, as_of.as_ref())?;
        Ok(Response::new(v1::GetSourceResponse { source: Some(source), revision }))
    }

    async fn get_unit(&self, request: Request<v1::GetUnitRequest>) -> Result<Response<v1::GetUnitResponse>, Status> {
        let v1::GetUnitRequest { id, as_of } = request.into_inner();
        let (unit, revision) = self.get(&id, as_of.as_ref())?;
        Ok(Response::new(v1::GetUnitResponse { unit: Some(unit), revision }))
    }

    async fn get_dimension(
        &self,
        request: Request<v1::GetDimensionRequest>,
    ) -> Result<Response<v1::GetDimensionResponse>, Status> {
        let v1::GetDimensionRequest { id, as_of } = request.into_inner();
        let (dimension, revision) = self.get(&id, as_of.as_ref())?;
        Ok(Response::new(v1::GetDimensionResponse { dimension: Some(dimension), revision }))
    }

    async fn get_indicator(
        &self,
        request: Request<v1::GetIndicatorRequest>,
    ) -> Result<Response<v1::GetIndicatorResponse>, Status> {
        let v1::GetIndicatorRequest { id, as_of } = request.into_inner();
        let (indicator, revision) = self.get(&id, as_of.as_ref())?;
        Ok(Response::new(v1::GetIndicatorResponse { indicator: Some(indicator), revision }))
    }

    async fn list_regions(&self, request: Request<v1::ListRegionsRequest>) -> Result<Response<v1::ListRegionsResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref())?))
    }

    async fn list_sources(&self, request: Request<v1::ListSourcesRequest>) -> Result<Response<v1::ListSourcesResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref())?))
    }

    async fn list_units(&self, request: Request<v1::ListUnitsRequest>) -> Result<Response<v1::ListUnitsResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref())?))
    }

    async fn list_dimensions(
        &self,
        request: Request<v1::ListDimensionsRequest>,
    ) -> Result<Response<v1::ListDimensionsResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref())?))
    }

    async fn list_indicators(
        &self,
        request: Request<v1::ListIndicatorsRequest>,
    ) -> Result<Response<v1::ListIndicatorsResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref())?))
    }

    async fn search_catalog(
        &self,
        request: Request<v1::SearchCatalogRequest>,
    ) -> Result<Response<v1::SearchCatalogResponse>, Status> {
        Ok(Response::new(self.search(request.get_ref())?))
    }
}
