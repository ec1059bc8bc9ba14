//! The display: pages that people look at, served beside gRPC on the public port.
//!
//! Data flow one way. An address says what is to be shown; a reader reads one state of the record, through the services that every
//! client uses; one file a view draws a picture in parts; a frame puts it into a document, and a stream tells what is different at later
//! revisions. [`chart`] draws figures; what all pages share is drawn once for all.
//!
//! Nothing can be changed from here, and nothing is loaded from elsewhere.

mod address;
mod assets;
mod beat;
mod changes;
pub mod chart;
mod entry;
mod files;
mod frame;
mod indicator;
mod live;
mod names;
mod overview;
mod pager;
mod parts;
mod picture;
mod points;
mod ranking;
mod reader;
mod respond;
mod said;
mod search;
mod tile;
mod views;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse as _, Redirect, Response},
    routing::{any, get, post},
};
use http::{HeaderMap, Method, StatusCode, header};
use indicator_proto::words::Language;
use maud::html;
use tonic::service::Routes;

use self::{
    address::{Address, Overview, View, Wrong},
    beat::Shared,
    frame::Place,
    live::Position,
    reader::Desk,
};
use crate::{
    access::Caller,
    serve::paths::{Page, STREAMS},
    watch::Hub,
};

/// What the pages have in common.
#[derive(Clone)]
pub(crate) struct Pages {
    shared: Arc<Shared>,
}

/// Adds the pages over a hub to what is served. Within a tokio runtime only.
#[must_use]
pub fn beside(routes: Routes, hub: &Arc<Hub>) -> Routes {
    Routes::from(routes.into_axum_router().merge(router(hub)))
}

fn router(hub: &Arc<Hub>) -> Router {
    let pages = Pages { shared: Shared::new(Desk::new(hub)) };
    Router::new()
        .route("/", any(show))
        .route("/regions/{*rest}", any(show))
        .route("/rankings/{*rest}", any(show))
        .route("/changes", any(show))
        .route("/search", any(show))
        .route("/live/{*rest}", any(show))
        .route("/assets/{*path}", get(async |request: Request| respond::guarded(assets::answer(request.uri().path()))))
        .route("/login", post(entry::enter).get(async || Redirect::to("/")))
        .route("/logout", post(entry::leave))
        .with_state(pages)
        .layer(axum::middleware::map_response(async |response: Response| respond::guarded(response)))
}

/// Answers everything that has an address of its own.
async fn show(State(pages): State<Pages>, request: Request) -> Response {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    let asked = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang").map(|(_, language)| language);
    let language = match asked.as_deref() {
        Some("en") => Language::En,
        Some("zh") => Language::Zh,
        _ => language(request.headers()),
    };
    let Some(caller) = request.extensions().get::<Caller>() else {
        if Page::of(path) == Some(Page::Stream) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        return entry::ask(request.uri().path_and_query().map_or("/", |it| it.as_str()), None, language);
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    if let Some(view) = path.strip_prefix(STREAMS.trim_end_matches('/')).filter(|_| Page::of(path) == Some(Page::Stream)) {
        let after =
            form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after").map(|(_, after)| after.into_owned());
        return match Address::parse(view, query, language) {
            Ok(address) => live::answer(&pages, address, after.as_deref(), request.headers()),
            Err(_) => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let (path, file) = files::File::of(path);
    match Address::parse(path, query, language) {
        Ok(address) => match file {
            Some(file) => file.answer(&pages.shared, &address).await,
            None => document(&pages, &address, entry::is_known(caller)).await,
        },
        Err(wrong) => mistaken(&wrong, language),
    }
}

async fn document(pages: &Pages, address: &Address, signed_in: bool) -> Response {
    let shared = &pages.shared;
    let head = shared.desk.engine().head().revision;
    if address.view == View::Home
        && let Ok(reader) = shared.desk.reader(&address.manner, head)
        && let Some(region) = views::busiest(&reader)
    {
        let to = address.to(View::Overview(Overview { region, ..Overview::default() }));
        return Redirect::to(&to.to_string()).into_response();
    }
    match shared.picture(address, head).await {
        Ok(picture) => {
            let position = Position::of(shared, head).to_string();
            let mut response = respond::html(frame::document(&picture, address, &Place { position: &position, signed_in }));
            if !picture.found {
                *response.status_mut() = StatusCode::NOT_FOUND;
            }
            response
        }
        Err(status) => failed(&status, address.manner.language),
    }
}

/// What was asked for is of no use, or the store or the server cannot answer now.
fn failed(status: &tonic::Status, language: Language) -> Response {
    let asked_wrongly = views::is_of_the_request(status);
    let (code, title) = if asked_wrongly {
        (StatusCode::NOT_FOUND, language.word("This cannot be shown", "无法显示"))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, language.word("The service cannot answer now", "服务暂时无法响应"))
    };
    let content = html! {
        h1 { (title) }
        p lang="en" { (status.message()) }
    };
    let mut response = respond::html(frame::plain(title, &content, language));
    *response.status_mut() = code;
    response
}

/// An address that is none: all that is wrong with it.
fn mistaken(wrong: &Wrong, language: Language) -> Response {
    let (code, title) = match wrong {
        Wrong::Nowhere => (StatusCode::NOT_FOUND, language.word("There is no such page", "没有此页面")),
        Wrong::Query(_) => (StatusCode::BAD_REQUEST, language.word("This address cannot be understood", "无法识别此地址")),
    };
    let content = html! {
        h1 { (title) }
        @if let Wrong::Query(wrong) = wrong {
            ul lang="en" { @for (what, takes) in wrong { li { code { (what) } " – expected " (takes) } } }
        }
        p { a href="/" { (language.word("To the figures", "查看数据")) } }
    };
    let mut response = respond::html(frame::plain(title, &content, language));
    *response.status_mut() = code;
    response
}

/// The language that a browser asks for first, of those that there are.
fn language(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut ranked: Vec<(f32, &str)> = accepted
        .split(',')
        .take(20)
        .filter_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let tag = parts.next().filter(|tag| !tag.is_empty())?;
            let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok())?;
            Some((quality, tag))
        })
        .collect();
    ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let known = ranked.iter().map(|(_, tag)| tag.to_ascii_lowercase()).find(|tag| tag.starts_with("en") || tag.starts_with("zh"));
    known.map_or(Language::En, |tag| Language::of_locale(&tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_answered_in_its_language() {
        let of = |accepted: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, http::HeaderValue::from_static(accepted))]);
            language(&headers)
        };
        for (accepted, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("en-GB,en;q=0.9,zh;q=0.8", Language::En),
            ("de, zh;q=0.5, en;q=0.4", Language::Zh),
            ("en;q=0.1, zh;q=0.9", Language::Zh),
            ("fr", Language::En),
            ("", Language::En),
            (";;,q=,zh;q=x", Language::En),
        ] {
            assert_eq!(of(accepted), expected, "{accepted}");
        }
    }
}
