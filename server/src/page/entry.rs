//! Where a token is asked for, and kept: in a cookie that scripts cannot read and other sites cannot send.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse as _, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use indicator_proto::words::Language;
use maud::{Markup, html};

use super::{Pages, frame, respond};
use crate::{
    access::{Caller, Refusal},
    serve::{COOKIE, Peer, Recognise},
};

/// Most bytes of the form.
const FORM: usize = 4 << 10;
/// A display on a wall stays signed in over its restarts: 400 days, the longest that browsers keep a cookie. The credential may end before.
const KEPT: u32 = 400 * 24 * 60 * 60;

/// Asks for a token. `next` is where its owner wanted to go.
pub(super) fn ask(next: &str, wrong: Option<Refusal>, language: Language) -> Response {
    let content = form(next, wrong, language);
    let title = language.word("Sign in", "登录");
    let mut response = respond::html(frame::plain(title, &content, language));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    // Browsers that see a challenge of another kind would ask in a window of their own.
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn form(next: &str, wrong: Option<Refusal>, language: Language) -> Markup {
    let word = |en, zh| language.word(en, zh);
    html! {
        form.sign-in action="/login" method="post" {
            h1 { (word("Sign in", "登录")) }
            p { (word("This service asks for a token. Whoever runs it makes one with:", "本服务需要令牌。请向管理员索取，其创建命令为：")) }
            pre { code { "indicatord token create --role reader" } }
            @if let Some(wrong) = wrong { p.wrong id="wrong" role="alert" { (refused(wrong, language)) } }
            label for="token" { (word("Token", "令牌")) }
            input #token type="password" name="token" autocomplete="current-password" required autofocus spellcheck="false"
                aria-describedby=[wrong.map(|_| "wrong")] placeholder="indicator_…";
            input type="hidden" name="next" value=(next);
            input type="hidden" name="lang" value=(language.tag());
            button type="submit" { (word("Sign in", "登录")) }
        }
    }
}

/// Why a token is not taken.
fn refused(refusal: Refusal, language: Language) -> &'static str {
    match refusal {
        Refusal::Unknown => {
            language.word("This token is not known here. Ask whoever runs the service for one.", "令牌无效，请向管理员索取。")
        }
        Refusal::Expired => language
            .word("This token has expired. Ask whoever runs the service for a new one.", "令牌已过期，请向管理员索取新令牌。"),
        Refusal::Revoked => language
            .word("This token was revoked. Ask whoever runs the service for a new one.", "令牌已被撤销，请向管理员索取新令牌。"),
    }
}

/// Takes a token, if it is good.
pub(super) async fn enter(State(_): State<Pages>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if !is_own(&head.headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Ok(form) = to_bytes(body, FORM).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let (mut token, mut next, mut language) = (String::new(), String::new(), Language::En);
    for (name, value) in form_urlencoded::parse(&form) {
        match &*name {
            "token" => token = value.trim().to_owned(),
            "next" => next = value.into_owned(),
            "lang" => language = Language::of_locale(&value),
            _ => {}
        }
    }
    // To a page of ours, and nowhere else.
    if !next.starts_with('/') || next.starts_with("//") || next.contains(['\\', '\r', '\n']) {
        next = "/".to_owned();
    }
    let recognise = head.extensions.get::<Recognise>();
    match recognise.map(|recognise| recognise.token(&token)) {
        // Nobody is asked for a token here.
        None => Redirect::to(&next).into_response(),
        Some(Err(why)) => ask(&next, Some(why), language),
        Some(Ok(())) => {
            let secure = head.extensions.get::<Peer>().is_some_and(|peer| peer.encrypted);
            let mut response = Redirect::to(&next).into_response();
            set_cookie(&mut response, &token, KEPT, secure);
            response
        }
    }
}

/// Gives the token up.
pub(super) async fn leave(request: Request<Body>) -> Response {
    if !is_own(request.headers()) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let secure = request.extensions().get::<Peer>().is_some_and(|peer| peer.encrypted);
    let mut response = Redirect::to("/").into_response();
    set_cookie(&mut response, "", 0, secure);
    response
}

fn set_cookie(response: &mut Response, token: &str, age: u32, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}");
    // A token that was recognised has no character that a header cannot have.
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

/// Whether a form was sent from a page of ours.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, of)| of == host),
        (Some(_), None) => false,
    }
}

/// Whether somebody has shown a credential.
pub(super) fn is_known(caller: &Caller) -> bool {
    caller.name().is_some()
}
