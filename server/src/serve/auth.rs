use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::{self, Either, Ready};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use tonic::Status;
use tower::{Layer, Service};

use super::{Peer, is_grpc, paths::Page};
use crate::{
    access::{Caller, Evidence, Keyring, Refusal, Right},
    seldom::Seldom,
    status,
};

/// The cookie in which a browser keeps a token. Only pages take it: what changes something is never asked for by a cookie alone.
pub(crate) const COOKIE: &str = "indicator-token";

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub enum Access {
    /// Everybody, to everything.
    #[default]
    Open,
    /// Those with a credential, to what its role is for.
    Known(Arc<Keyring>),
}

/// Gives each request its [`Caller`], and turns away who may not make it.
#[derive(Debug, Clone)]
pub(super) struct Authenticate {
    access: Access,
    /// Whoever guesses tokens should not fill the disk with the log of it.
    told: Arc<Seldom>,
}

impl Authenticate {
    pub(super) fn new(access: Access) -> Self {
        Self { access, told: Arc::default() }
    }

    /// Who opens a page. A token may be in a cookie; who has none is shown where to enter one.
    fn reader<B>(&self, request: &Request<B>, page: Page) -> Result<Caller, Status> {
        let peer = request.extensions().get::<Peer>();
        let address = peer.map(|peer| peer.address.ip().to_canonical());
        let Access::Known(keyring) = &self.access else { return Ok(Caller::anybody(address)) };
        if page == Page::Open {
            return Ok(Caller::anybody(address));
        }
        let token = cookie(request.headers()).map(Evidence::Token);
        let evidence = token.or_else(|| evidence(request.headers(), peer)).ok_or_else(status::no_credential)?;
        let caller = Caller::known(keyring.recognise(evidence).map_err(status::refused)?, address);
        caller.check(Right::Read).map_err(status::denied)?;
        Ok(caller)
    }

    fn caller<B>(&self, request: &Request<B>) -> Result<Caller, Status> {
        let peer = request.extensions().get::<Peer>();
        let address = peer.map(|peer| peer.address.ip().to_canonical());
        let Access::Known(keyring) = &self.access else { return Ok(Caller::anybody(address)) };
        let right = Right::of(request.uri().path());
        if right == Right::None {
            return Ok(Caller::anybody(address));
        }
        let evidence = evidence(request.headers(), peer).ok_or_else(status::no_credential)?;
        let identity = keyring.recognise(evidence).map_err(status::refused)?;
        let caller = Caller::known(identity, address);
        caller.check(right).map_err(status::denied)?;
        Ok(caller)
    }

    fn tell<B>(&self, request: &Request<B>, status: &Status) {
        if let Some(left_out) = self.told.is_due() {
            let peer = request.extensions().get::<Peer>().map(|peer| tracing::field::display(peer.address));
            tracing::warn!(peer, method = request.uri().path(), why = status.message(), left_out, "turned a caller away");
        }
    }
}

/// Tells whether a token is good. Requests to pages carry it as an extension, where callers are asked for one.
#[derive(Debug, Clone)]
pub(crate) struct Recognise(Arc<Keyring>);

impl Recognise {
    pub(crate) fn token(&self, token: &str) -> Result<(), Refusal> {
        self.0.recognise(Evidence::Token(token)).map(drop)
    }
}

/// The token in a cookie.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == COOKIE && !value.is_empty()).map(|(_, value)| value)
}

/// What the caller shows. A token goes before a certificate, which may be that of a proxy.
fn evidence<'a>(headers: &'a HeaderMap, peer: Option<&'a Peer>) -> Option<Evidence<'a>> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(Evidence::Token(token.trim()))
        }
        (None, _) => Some(Evidence::Certificate(peer?.certificate.as_deref()?)),
        (Some(_), Some(_)) => None,
    }
}

impl<S> Layer<S> for Authenticate {
    type Service = Authenticated<S>;

    fn layer(&self, inner: S) -> Authenticated<S> {
        Authenticated { inner, authenticate: self.clone() }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Authenticated<S> {
    inner: S,
    authenticate: Authenticate,
}

impl<S, B, R> Service<Request<B>> for Authenticated<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<R>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(page) = Page::of_request(request.uri().path(), request.headers()) {
            match self.authenticate.reader(&request, page) {
                Ok(caller) => drop(request.extensions_mut().insert(caller)),
                // Who has no token yet has done nothing wrong.
                Err(status) if cookie(request.headers()).is_some() => self.authenticate.tell(&request, &status),
                Err(_) => {}
            }
            if let Access::Known(keyring) = &self.authenticate.access {
                request.extensions_mut().insert(Recognise(Arc::clone(keyring)));
            }
            return Either::Left(self.inner.call(request));
        }
        match self.authenticate.caller(&request) {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
                Either::Left(self.inner.call(request))
            }
            Err(status) => {
                self.authenticate.tell(&request, &status);
                let response = if is_grpc(request.headers()) { status.into_http() } else { unauthorized() };
                Either::Right(future::ready(Ok(response)))
            }
        }
    }
}

/// For those who came without gRPC.
fn unauthorized<R: Default>() -> Response<R> {
    let mut response = Response::new(R::default());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}
