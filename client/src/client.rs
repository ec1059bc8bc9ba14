//! One method an RPC.

use std::{future::Future, sync::Arc, time::Duration};

use futures::{
    Stream, StreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use indicator_proto::v1::{
    self, admin_service_client::AdminServiceClient, analytics_service_client::AnalyticsServiceClient,
    catalog_service_client::CatalogServiceClient, observation_service_client::ObservationServiceClient,
    watch_service_client::WatchServiceClient,
};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    Error,
    connect::{Builder, Connection, MAX_MESSAGE, Transport},
    error::is_timeout,
    query::Query,
    retry::{self, Policy},
    view::ViewBuilder,
    watch::{Messages, Watch, WatchPosition},
};

/// A client of the service. Clones share one connection.
///
/// Reads are repeated when the service is unavailable. Writes are too: one that comes without a request id gets a new one, which makes
/// the repetition safe.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Connection>,
}

impl Client {
    pub(crate) fn new(server: String, transport: Transport, policy: Policy) -> Self {
        Self { shared: Arc::new(Connection { server, transport, policy }) }
    }

    /// A client with the default settings for a server such as `http://127.0.0.1:7430` or `127.0.0.1:7430`. It connects at
    /// its first call; within a tokio runtime only.
    pub fn connect_lazy(server: &str) -> Result<Self, Error> {
        Self::builder().server(server).connect_lazy()
    }

    /// Sets up a client.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The server's URL.
    pub fn server(&self) -> &str {
        &self.shared.server
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.shared.policy
    }

    pub(crate) fn error(&self, status: &Status, what: &'static str) -> Error {
        Error::from_status(status, &self.shared.server, what)
    }

    fn catalog(&self) -> CatalogServiceClient<Transport> {
        CatalogServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    fn observations(&self) -> ObservationServiceClient<Transport> {
        ObservationServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    pub(crate) fn analytics(&self) -> AnalyticsServiceClient<Transport> {
        AnalyticsServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    fn watches(&self) -> WatchServiceClient<Transport> {
        WatchServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    fn admin(&self) -> AdminServiceClient<Transport> {
        AdminServiceClient::new(self.shared.transport.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    async fn unary<Q, S, F, A>(&self, request: Q, call: A) -> Result<S, Error>
    where
        Q: Clone,
        A: Fn(Request<Q>) -> F,
        F: Future<Output = Result<Response<S>, Status>>,
    {
        retry::run(self.policy(), |time| {
            let mut attempt = Request::new(request.clone());
            attempt.set_timeout(time);
            self.in_time(time, call(attempt))
        })
        .await
    }

    /// The deadline that the server gets is kept on this side too: a server that hangs does not answer that it is late.
    async fn in_time<S>(&self, time: Duration, call: impl Future<Output = Result<Response<S>, Status>>) -> Result<S, Error> {
        match tokio::time::timeout(time, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) if !is_timeout(&status) => Err(self.error(&status, "the answer")),
            Ok(Err(_)) | Err(_) => Err(Error::Deadline { after: time }),
        }
    }
}

macro_rules! reads {
    ($($(#[$doc:meta])* $service:ident.$method:ident($request:ident) -> $response:ident;)*) => {
        impl Client {$(
            $(#[$doc])*
            pub async fn $method(&self, request: v1::$request) -> Result<v1::$response, Error> {
                self.unary(request, |request| {
                    let mut service = self.$service();
                    async move { service.$method(request).await }
                })
                .await
            }
        )*}
    };
}

reads! {
    /// One region.
    catalog.get_region(GetRegionRequest) -> GetRegionResponse;
    /// One source.
    catalog.get_source(GetSourceRequest) -> GetSourceResponse;
    /// One unit.
    catalog.get_unit(GetUnitRequest) -> GetUnitResponse;
    /// One dimension.
    catalog.get_dimension(GetDimensionRequest) -> GetDimensionResponse;
    /// One indicator.
    catalog.get_indicator(GetIndicatorRequest) -> GetIndicatorResponse;
    /// A page of regions.
    catalog.list_regions(ListRegionsRequest) -> ListRegionsResponse;
    /// A page of sources.
    catalog.list_sources(ListSourcesRequest) -> ListSourcesResponse;
    /// A page of units.
    catalog.list_units(ListUnitsRequest) -> ListUnitsResponse;
    /// A page of dimensions.
    catalog.list_dimensions(ListDimensionsRequest) -> ListDimensionsResponse;
    /// A page of indicators.
    catalog.list_indicators(ListIndicatorsRequest) -> ListIndicatorsResponse;
    /// Entries by id, code, name or a part of one, in any language.
    catalog.search_catalog(SearchCatalogRequest) -> SearchCatalogResponse;
    /// The figure of one cell.
    observations.get_observation(GetObservationRequest) -> GetObservationResponse;
    /// A page of the versions of a cell or of a series.
    observations.list_vintages(ListVintagesRequest) -> ListVintagesResponse;
    /// A page of the dates on which versions of a series came out.
    observations.list_vintage_dates(ListVintageDatesRequest) -> ListVintageDatesResponse;
    /// A page of commits.
    observations.list_commits(ListCommitsRequest) -> ListCommitsResponse;
    /// Regions of a level in order of an indicator.
    analytics.rank(RankRequest) -> RankResponse;
    /// Figures of regions as those of the region above them.
    analytics.rollup(RollupRequest) -> RollupResponse;
    /// Regions by indicators as one table.
    analytics.compare(CompareRequest) -> CompareResponse;
    /// A page of the cells of which sources say what cannot all be true.
    analytics.list_discrepancies(ListDiscrepanciesRequest) -> ListDiscrepanciesResponse;
    /// When figures crossed a threshold.
    analytics.list_milestones(ListMilestonesRequest) -> ListMilestonesResponse;
    /// How much first releases of a series were revised.
    analytics.get_revision_statistics(GetRevisionStatisticsRequest) -> GetRevisionStatisticsResponse;
    /// Versions, sizes and the state of the record.
    admin.get_status(GetStatusRequest) -> GetStatusResponse;
    /// Moves the horizon of replays; it never moves back, so that the repetition is safe.
    admin.compact(CompactRequest) -> CompactResponse;
}

impl Client {
    /// Upserts and deletes catalog entries in one commit. An empty request id is filled in.
    pub async fn apply_catalog(&self, mut request: v1::ApplyCatalogRequest) -> Result<v1::ApplyCatalogResponse, Error> {
        identify(&mut request.request_id);
        self.unary(request, |request| {
            let mut service = self.catalog();
            async move { service.apply_catalog(request).await }
        })
        .await
    }

    /// Writes observations in one commit. An empty request id is filled in.
    pub async fn write_observations(
        &self,
        mut request: v1::WriteObservationsRequest,
    ) -> Result<v1::WriteObservationsResponse, Error> {
        identify(&mut request.request_id);
        self.unary(request, |request| {
            let mut service = self.observations();
            async move { service.write_observations(request).await }
        })
        .await
    }

    /// Writes many observations: options first, then batches. The answers acknowledge the batches in order.
    ///
    /// Nothing is repeated: after an error, send again what was not acknowledged.
    pub async fn import_observations<S>(
        &self,
        requests: S,
    ) -> Result<BoxStream<'static, Result<v1::ImportObservationsResponse, Error>>, Error>
    where
        S: Stream<Item = v1::ImportObservationsRequest> + Send + 'static,
    {
        let opened = self.observations().import_observations(requests).await;
        let acknowledgements = opened.map_err(|status| self.error(&status, "the import"))?.into_inner();
        let client = self.clone();
        Ok(acknowledgements.map(move |next| next.map_err(|status| client.error(&status, "the import"))).boxed())
    }

    /// The figures that a filter selects, as one state. Repeated until it is open; not once its chunks are on the way.
    pub async fn query_observations(&self, request: v1::QueryObservationsRequest) -> Result<Query, Error> {
        retry::run(self.policy(), |time| self.open_query(request.clone(), time)).await
    }

    async fn open_query(&self, request: v1::QueryObservationsRequest, time: Duration) -> Result<Query, Error> {
        let open = async {
            let mut service = self.observations();
            // No deadline goes with it: it would hold for the whole stream, however much there is to read.
            let opened = service.query_observations(request).await.map_err(|status| self.error(&status, "the query"))?;
            Query::open(self.clone(), opened.into_inner()).await
        };
        tokio::time::timeout(time, open).await.unwrap_or(Err(Error::Deadline { after: time }))
    }

    /// The bytes of a backup, which are one archive; the feature `archive` checks them and keeps them as a file. Repeated until it begins; not
    /// once its bytes are on the way.
    pub async fn backup(&self, request: v1::BackupRequest) -> Result<BoxStream<'static, Result<Vec<u8>, Error>>, Error> {
        let opened = retry::run(self.policy(), |time| {
            let (mut service, request) = (self.admin(), request.clone());
            // No deadline goes with it: it would hold for the whole stream, however much there is.
            async move { self.in_time(time, service.backup(request)).await }
        });
        let (chunks, client) = (opened.await?, self.clone());
        Ok(chunks
            .map(move |next| next.map(|response| response.chunk).map_err(|status| client.error(&status, "the backup")))
            .boxed())
    }

    /// Compares the store with its log. There is no deadline: it takes as long as reading everything does.
    pub async fn verify(&self) -> Result<v1::VerifyResponse, Error> {
        let verified = self.admin().verify(v1::VerifyRequest {}).await;
        verified.map(Response::into_inner).map_err(|status| self.error(&status, "the verification"))
    }

    /// Watches what a filter selects, for as long as the returned stream is read, across disconnects and restarts.
    pub fn watch(&self, request: v1::WatchRequest) -> Watch {
        Watch::from_start(*self.policy(), request, self.watch_opener())
    }

    /// Watches on from where an earlier watch of the same filter, mode and options was, whatever start the request says.
    ///
    /// Where that is not possible, because the store has another history or replays begin later, the watch says so by
    /// [`WatchEvent::Reset`](crate::WatchEvent::Reset) and a snapshot, or by the outcome DELTA.
    pub fn watch_from(&self, request: v1::WatchRequest, position: WatchPosition) -> Watch {
        Watch::from_position(*self.policy(), request, position, self.watch_opener())
    }

    /// Keeps the current figures of what a filter selects at hand: [`ViewBuilder::open`] starts it.
    pub fn view(&self, filter: v1::ObservationFilter) -> ViewBuilder {
        ViewBuilder::new(self.clone(), filter)
    }

    fn watch_opener(&self) -> impl Fn(v1::WatchRequest) -> BoxFuture<'static, Result<Messages, Error>> + Send + Sync + use<> {
        let client = self.clone();
        move |request| {
            let client = client.clone();
            Box::pin(async move { client.open_watch(request).await })
        }
    }

    async fn open_watch(&self, request: v1::WatchRequest) -> Result<Messages, Error> {
        let time = self.policy().deadline;
        let opened: Streaming<_> = match tokio::time::timeout(time, self.watches().watch(request)).await {
            Ok(opened) => opened.map_err(|status| self.error(&status, "the watch"))?.into_inner(),
            Err(_) => return Err(Error::Deadline { after: time }),
        };
        let client = self.clone();
        Ok(opened.map(move |next| next.map_err(|status| client.error(&status, "the watch"))).boxed())
    }
}

fn identify(request_id: &mut String) {
    if request_id.is_empty() {
        *request_id = uuid::Uuid::new_v4().to_string();
    }
}

macro_rules! all {
    ($($(#[$doc:meta])* $all:ident: $list:ident($request:ident).$field:ident -> $item:ident;)*) => {
        impl Client {$(
            $(#[$doc])*
            pub fn $all(&self, request: v1::$request) -> impl Stream<Item = Result<v1::$item, Error>> + Send + use<> {
                let client = self.clone();
                let pages = stream::try_unfold(Some(request), move |request| {
                    let client = client.clone();
                    async move {
                        let Some(mut request) = request else { return Ok::<_, Error>(None) };
                        let page = client.$list(request.clone()).await?;
                        request.page_token = page.next_page_token;
                        let next = (!request.page_token.is_empty()).then_some(request);
                        Ok(Some((stream::iter(page.$field.into_iter().map(Ok)), next)))
                    }
                });
                futures::TryStreamExt::try_flatten(pages)
            }
        )*}
    };
}

all! {
    /// Every region that a request selects, page by page.
    all_regions: list_regions(ListRegionsRequest).regions -> Region;
    /// Every source that a request selects, page by page.
    all_sources: list_sources(ListSourcesRequest).sources -> Source;
    /// Every unit that a request selects, page by page.
    all_units: list_units(ListUnitsRequest).units -> Unit;
    /// Every dimension that a request selects, page by page.
    all_dimensions: list_dimensions(ListDimensionsRequest).dimensions -> Dimension;
    /// Every indicator that a request selects, page by page.
    all_indicators: list_indicators(ListIndicatorsRequest).indicators -> Indicator;
    /// Every version that a request selects, page by page.
    all_vintages: list_vintages(ListVintagesRequest).vintages -> Vintage;
    /// Every disagreement that a request selects, page by page.
    all_discrepancies: list_discrepancies(ListDiscrepanciesRequest).discrepancies -> Discrepancy;
    /// Every commit that a request selects, page by page.
    all_commits: list_commits(ListCommitsRequest).commits -> Commit;
}
