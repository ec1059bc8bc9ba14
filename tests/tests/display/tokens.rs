//! Pages where tokens are asked for.

use indicator_tests::{
    client::merge,
    eventually,
    figures::{stations, value},
    http::{self, Events, Page},
    server::{Server, run},
};

fn token(server: &Server, arguments: &[&str]) -> String {
    let ended = run(&[&["token", "create", "--data", server.directory().to_str().unwrap()], arguments].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout.trim().to_owned()
}

async fn enter(server: &Server, form: &str, headers: &[(&str, &str)]) -> Page {
    let headers = [headers, &[("Content-Type", "application/x-www-form-urlencoded")]].concat();
    http::ask(server.address(), "POST", "/login", &headers, form).await.unwrap()
}

async fn with_cookie(server: &Server, path: &str, cookie: &str) -> Page {
    http::ask(server.address(), "GET", path, &[("Cookie", cookie)], "").await.unwrap()
}

/// A server that asks for tokens, with a figure, and a cookie of a reader.
async fn site() -> (Server, String) {
    let server = Server::start_with(&["--auth"]);
    let (admin, reader) = (token(&server, &["--role", "admin"]), token(&server, &["--role", "reader", "--name", "hall"]));
    eventually("the tokens are known", async || enter(&server, &format!("token={reader}"), &[]).await.status == 303).await;
    let client = indicator_tests::client::Client::with_token(server.address(), &admin);
    client.apply(indicator_tests::catalog::small()).await;
    client.write(merge(vec![value(&stations(), "2020", "1000")])).await;
    (server, reader)
}

#[tokio::test]
async fn a_page_asks_for_a_token_and_keeps_it_where_scripts_and_other_sites_cannot_reach() {
    let (server, reader) = site().await;
    let asked = http::get(server.address(), "/regions/CN-SD?lang=zh").await;
    assert_eq!(asked.status, 401);
    assert!(asked.text.contains("name=\"token\"") && asked.text.contains("value=\"/regions/CN-SD?lang=zh\""), "{}", asked.text);
    assert!(!asked.text.contains("1,000"), "nothing of the record is shown");

    let entered = enter(&server, &format!("token={reader}&next=%2Fregions%2FCN-SD%3Flang%3Dzh"), &[]).await;
    assert_eq!((entered.status, entered.header("location")), (303, Some("/regions/CN-SD?lang=zh")));
    let cookie = entered.header("set-cookie").unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    let page = with_cookie(&server, "/regions/CN-SD?lang=en", cookie).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Sign out"));

    let left = http::ask(server.address(), "POST", "/logout", &[("Cookie", cookie)], "").await.unwrap();
    assert!(left.header("set-cookie").unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn a_wrong_token_is_refused_in_words_and_a_form_of_another_site_is_not_taken() {
    let (server, reader) = site().await;
    for wrong in ["", "x", "indicator_aaaa_bbbb", "%00", &format!("{reader}x")] {
        let answer = enter(&server, &format!("token={wrong}"), &[]).await;
        assert_eq!(answer.status, 401, "{wrong}");
        assert_eq!(answer.header("set-cookie"), None);
        assert!(answer.text.contains("role=\"alert\""));
    }
    for headers in [[("Sec-Fetch-Site", "cross-site")], [("Origin", "https://elsewhere.example")]] {
        assert_eq!(enter(&server, &format!("token={reader}"), &headers).await.status, 403, "{headers:?}");
    }
    for next in ["//elsewhere.example/", "https://elsewhere.example/", "/\\elsewhere.example"] {
        let answer = enter(&server, &format!("token={reader}&next={next}"), &[]).await;
        assert_eq!(answer.header("location"), Some("/"), "{next}");
    }
    let long = "x".repeat(1 << 16);
    assert_eq!(enter(&server, &format!("token={long}"), &[]).await.status, 413);
}

/// A site that a reader visits could have the browser send a cookie; nothing that changes something takes one.
#[tokio::test]
async fn a_cookie_opens_pages_and_nothing_of_grpc() {
    let (server, _) = site().await;
    let admin = token(&server, &["--role", "admin"]);
    let cookie = format!("indicator-token={admin}");
    eventually("the token is known", async || with_cookie(&server, "/changes", &cookie).await.status == 200).await;
    for path in
        ["/indicator.v1.ObservationService/WriteObservations", "//indicator.v1.AdminService/Compact", "/indicator.v1.x/login"]
    {
        for content in ["application/grpc", "text/plain", "application/x-www-form-urlencoded"] {
            let headers = [("Cookie", cookie.as_str()), ("Content-Type", content)];
            let answer = http::ask(server.address(), "POST", path, &headers, "").await.unwrap();
            let refused = answer.status == 401 || answer.header("grpc-status") == Some("16");
            assert!(refused, "{path} {content}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_credential_is_taken_back() {
    let (server, reader) = site().await;
    let cookie = format!("indicator-token={reader}");
    assert_eq!(Events::open(server.address(), "/live/regions/CN-SD", &[]).await.err(), Some(401));
    let mut events = Events::open(server.address(), "/live/regions/CN-SD", &[("Cookie", &cookie)]).await.unwrap();
    assert_eq!(events.next().await.unwrap().name, "picture");
    let ended = run(&["token", "revoke", "--data", server.directory().to_str().unwrap(), "hall"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let end = tokio::time::timeout(indicator_tests::LONG, async { while events.next().await.is_some() {} });
    end.await.expect("the stream ends");
    assert_eq!(with_cookie(&server, "/regions/CN-SD", &cookie).await.status, 401);
}
