//! The generated stubs, behind calls that fit on a line.

use std::net::{IpAddr, SocketAddr};

use indicator_proto::health::health_client::HealthClient;
use indicator_proto::v1::{
    ApplyCatalogRequest, ApplyCatalogResponse, AsOf, Commit, GetObservationRequest, GetStatusRequest, GetStatusResponse,
    ListCommitsRequest, ListVintagesRequest, Observation, ObservationFilter, QueryObservationsRequest, SeriesKey, Vintage,
    WatchRequest, WatchResponse, WriteMode, WriteObservationsRequest, WriteObservationsResponse,
    admin_service_client::AdminServiceClient, analytics_service_client::AnalyticsServiceClient,
    catalog_service_client::CatalogServiceClient, observation_service_client::ObservationServiceClient,
    query_observations_response::Message, watch_service_client::WatchServiceClient,
};
use tonic::{
    Request, Status, Streaming,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::{LONG, refusal::Refusal};

/// A client over one connection. Every call has a deadline of [`LONG`], but a watch.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
}

/// A connection whose calls show a token, if there is one.
pub type Transport = InterceptedService<Channel, Bearer>;

/// The header of a token.
#[derive(Debug, Clone, Default)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.0 {
            request.metadata_mut().insert("authorization", header.clone());
        }
        Ok(request)
    }
}

/// The whole answer to a query.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The state that it shows.
    pub revision: u64,
    /// The observations, each with its series.
    pub observations: Vec<Observation>,
    /// For the next page.
    pub next_page_token: String,
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(LONG);
    request
}

impl Client {
    /// A client that connects when it is first used.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self::with(address, Bearer::default())
    }

    /// A client that shows a token.
    ///
    /// # Panics
    ///
    /// If it cannot stand in a header.
    #[must_use]
    pub fn with_token(address: SocketAddr, token: &str) -> Self {
        Self::with(address, Bearer(Some(format!("Bearer {token}").parse().unwrap())))
    }

    fn with(address: SocketAddr, bearer: Bearer) -> Self {
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().tcp_nodelay(true).connect_lazy();
        Self { transport: InterceptedService::new(channel, bearer) }
    }

    /// A client that connects from another address of this machine.
    #[must_use]
    pub fn from_address(address: SocketAddr, own: IpAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap().tcp_nodelay(true);
        Self { transport: InterceptedService::new(endpoint.local_address(Some(own)).connect_lazy(), Bearer::default()) }
    }

    /// A client that takes no more than a number of bytes before it reads.
    #[must_use]
    pub fn with_window(address: SocketAddr, bytes: u32) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap().tcp_nodelay(true);
        let endpoint = endpoint.initial_stream_window_size(bytes).initial_connection_window_size(bytes);
        Self { transport: InterceptedService::new(endpoint.connect_lazy(), Bearer::default()) }
    }

    /// Its connection, for calls that no stub makes.
    #[must_use]
    pub fn channel(&self) -> Transport {
        self.transport.clone()
    }

    /// The catalog's stub.
    #[must_use]
    pub fn catalog(&self) -> CatalogServiceClient<Transport> {
        CatalogServiceClient::new(self.transport.clone()).max_decoding_message_size(usize::MAX)
    }

    /// The observations' stub.
    #[must_use]
    pub fn observations(&self) -> ObservationServiceClient<Transport> {
        ObservationServiceClient::new(self.transport.clone()).max_decoding_message_size(usize::MAX)
    }

    /// The stub of what is computed.
    #[must_use]
    pub fn analytics(&self) -> AnalyticsServiceClient<Transport> {
        AnalyticsServiceClient::new(self.transport.clone()).max_decoding_message_size(usize::MAX)
    }

    /// The watches' stub.
    #[must_use]
    pub fn watches(&self) -> WatchServiceClient<Transport> {
        WatchServiceClient::new(self.transport.clone()).max_decoding_message_size(usize::MAX)
    }

    /// The administration's stub.
    #[must_use]
    pub fn admin(&self) -> AdminServiceClient<Transport> {
        AdminServiceClient::new(self.transport.clone())
    }

    /// The stub of gRPC's health checks.
    #[must_use]
    pub fn health(&self) -> HealthClient<Transport> {
        HealthClient::new(self.transport.clone())
    }

    /// Changes the catalog.
    pub async fn try_apply(&self, request: ApplyCatalogRequest) -> Result<ApplyCatalogResponse, Refusal> {
        Ok(self.catalog().apply_catalog(timed(request)).await?.into_inner())
    }

    /// Changes the catalog; must succeed.
    pub async fn apply(&self, request: ApplyCatalogRequest) -> ApplyCatalogResponse {
        self.try_apply(request).await.unwrap()
    }

    /// Writes.
    pub async fn try_write(&self, request: WriteObservationsRequest) -> Result<WriteObservationsResponse, Refusal> {
        Ok(self.observations().write_observations(timed(request)).await?.into_inner())
    }

    /// Writes; must succeed.
    pub async fn write(&self, request: WriteObservationsRequest) -> WriteObservationsResponse {
        self.try_write(request).await.unwrap()
    }

    /// Merges observations; must succeed.
    pub async fn put(&self, changes: Vec<Observation>) -> WriteObservationsResponse {
        self.write(merge(changes)).await
    }

    /// The current figure of a cell; an empty period is the latest.
    pub async fn get(&self, series: &SeriesKey, period: &str) -> Result<Observation, Refusal> {
        self.get_as_of(series, period, None).await
    }

    /// The figure of a cell at a moment.
    pub async fn get_as_of(&self, series: &SeriesKey, period: &str, as_of: Option<AsOf>) -> Result<Observation, Refusal> {
        let request = GetObservationRequest { series: Some(series.clone()), period: period.into(), as_of, ..Default::default() };
        Ok(self.observations().get_observation(timed(request)).await?.into_inner().observation.unwrap())
    }

    /// The value of a cell, and nothing else of it; must be there.
    pub async fn value(&self, series: &SeriesKey, period: &str) -> String {
        self.get(series, period).await.unwrap().value
    }

    /// The answer to a query, read to its end; checks its order.
    pub async fn query(&self, request: QueryObservationsRequest) -> Result<Answer, Refusal> {
        Ok(self.try_query(request).await?)
    }

    /// As [`Client::query`], where the server may be away.
    pub async fn try_query(&self, request: QueryObservationsRequest) -> Result<Answer, Status> {
        let mut stream = self.observations().query_observations(timed(request)).await?.into_inner();
        let Some(Message::Header(header)) = next(&mut stream).await? else { panic!("a header comes first") };
        let (mut observations, mut series) = (Vec::new(), 0);
        loop {
            match next(&mut stream).await?.expect("a summary comes last") {
                Message::Header(_) => panic!("a second header"),
                Message::Chunk(chunk) => {
                    assert!(chunk.series.is_some() && !chunk.observations.is_empty(), "{chunk:?}");
                    series += 1;
                    let key = chunk.series;
                    observations.extend(chunk.observations.into_iter().map(|o| Observation { series: key.clone(), ..o }));
                }
                Message::Summary(summary) => {
                    assert_eq!(summary.observations, observations.len() as u64, "observations in the summary");
                    assert!(summary.series <= series, "{} chunks in the summary, {series} came", summary.series);
                    assert!(next(&mut stream).await?.is_none(), "the summary is last");
                    let next_page_token = summary.next_page_token;
                    return Ok(Answer { revision: header.revision, observations, next_page_token });
                }
            }
        }
    }

    /// Every source's figures at a moment.
    pub async fn everything(&self, as_of: Option<AsOf>) -> Answer {
        let filter = Some(ObservationFilter { all_sources: true, ..Default::default() });
        self.query(QueryObservationsRequest { filter, as_of, ..Default::default() }).await.unwrap()
    }

    /// Every version of a series, or of one cell.
    pub async fn vintages(&self, series: &SeriesKey, period: &str) -> Vec<Vintage> {
        let mut vintages = Vec::new();
        let mut page_token = String::new();
        loop {
            let request =
                ListVintagesRequest { series: Some(series.clone()), period: period.into(), page_token, ..Default::default() };
            let page = self.observations().list_vintages(timed(request)).await.unwrap().into_inner();
            vintages.extend(page.vintages);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return vintages;
            }
        }
    }

    /// Every commit after a revision, oldest first, with its changes.
    pub async fn commits(&self, after_revision: u64) -> Vec<Commit> {
        let mut commits = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListCommitsRequest { after_revision, include_changes: true, page_token, ..Default::default() };
            let page = self.observations().list_commits(timed(request)).await.unwrap().into_inner();
            commits.extend(page.commits);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return commits;
            }
        }
    }

    /// The service's status.
    pub async fn status(&self) -> GetStatusResponse {
        self.admin().get_status(timed(GetStatusRequest {})).await.unwrap().into_inner()
    }

    /// The newest commit.
    pub async fn head(&self) -> u64 {
        self.status().await.head_revision
    }

    /// Opens a watch.
    pub async fn watch(&self, request: WatchRequest) -> Result<Streaming<WatchResponse>, Refusal> {
        Ok(self.watches().watch(request).await?.into_inner())
    }
}

async fn next(stream: &mut Streaming<indicator_proto::v1::QueryObservationsResponse>) -> Result<Option<Message>, Status> {
    Ok(stream.message().await?.map(|message| message.message.expect("a message carries something")))
}

/// A write in which everything but the changes is absent.
#[must_use]
pub fn merge(changes: Vec<Observation>) -> WriteObservationsRequest {
    WriteObservationsRequest { changes, ..Default::default() }
}

/// A replacement.
#[must_use]
pub fn replace(changes: Vec<Observation>) -> WriteObservationsRequest {
    WriteObservationsRequest { mode: WriteMode::Replace.into(), ..merge(changes) }
}

/// A withdrawal of cells; an empty period is every figure of the series.
#[must_use]
pub fn withdraw(series: &SeriesKey, periods: &[&str]) -> WriteObservationsRequest {
    let change = |&period: &&str| Observation { series: Some(series.clone()), period: period.into(), ..Default::default() };
    WriteObservationsRequest { mode: WriteMode::Delete.into(), ..merge(periods.iter().map(change).collect()) }
}

/// Versions up to a revision.
#[must_use]
pub fn at_revision(revision: u64) -> Option<AsOf> {
    Some(AsOf { revision, ..AsOf::default() })
}

/// Versions published by a day.
#[must_use]
pub fn published_by(day: &str) -> Option<AsOf> {
    Some(AsOf { published_at: Some(crate::figures::at(day)), ..AsOf::default() })
}
