//! Texts of the record that would be markup: everywhere, they are texts.

use std::collections::BTreeMap;

use indicator_proto::v1::{
    CatalogEntry, Indicator, Observation, Region, Source, Unit, UnitKind, WriteContext, catalog_entry::Entry,
};
use indicator_tests::{
    catalog,
    client::merge,
    figures::{key, value},
    http::{self, Events},
    server::Server,
};

const MARKUP: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;</svg></title>";

/// Text that reads as markup, and ends like this.
fn hostile(end: &str) -> String {
    format!("{MARKUP}{end}")
}

fn named(end: &str) -> BTreeMap<String, String> {
    [("en".to_owned(), hostile(end)), ("zh".to_owned(), hostile(end))].into()
}

fn entry(entry: Entry) -> CatalogEntry {
    CatalogEntry { entry: Some(entry) }
}

async fn filled() -> Server {
    let server = Server::start();
    let client = server.client();
    let region =
        |id: &str| Region { id: id.into(), level: "province".into(), parent: "CN".into(), names: named(id), ..Region::default() };
    client
        .apply(catalog::upsert(vec![
            entry(Entry::Region(Region { parent: String::new(), level: "country".into(), ..region("CN") })),
            entry(Entry::Region(region("CN-A"))),
            entry(Entry::Region(region("CN-B"))),
            entry(Entry::Source(Source { id: "s".into(), names: named("source"), kind: "media".into(), ..Source::default() })),
            entry(Entry::Source(Source {
                id: "t".into(),
                names: named("other"),
                kind: "media".into(),
                precedence: 1,
                ..Source::default()
            })),
            entry(Entry::Unit(Unit {
                id: "{x}".into(),
                names: named("unit"),
                symbols: named("symbol"),
                kind: UnitKind::Count.into(),
                ..Unit::default()
            })),
            entry(Entry::Indicator(Indicator {
                id: "i".into(),
                names: named("indicator"),
                descriptions: named("description"),
                unit: "{x}".into(),
                ..Indicator::default()
            })),
        ]))
        .await;
    let figure = |region: &str, source: &str, period: &str, number: &str| Observation {
        original_text: hostile("words"),
        note: hostile("note"),
        document_uri: "javascript:alert(3)".into(),
        ..value(&key("i", region, source), period, number)
    };
    let mut write = merge(vec![
        figure("CN-A", "s", "2019", "1"),
        figure("CN-A", "s", "2020", "2"),
        figure("CN-A", "t", "2020", "5"),
        figure("CN-B", "s", "2020", "3"),
    ]);
    write.context =
        Some(WriteContext { actor: hostile("actor"), reason: hostile("reason"), document_uri: "JaVaScRiPt:alert(4)".into() });
    client.write(write).await;
    server
}

fn assert_tame(html: &str, what: &str) {
    for forbidden in
        ["<script>alert", "<img src=x", "</svg></title>&amp;", "onerror=alert(2)>", "href=\"javascript:", "href=\"JaVa"]
    {
        // Written as text, it has no angle bracket and no quote of its own.
        assert!(!html.contains(forbidden), "{what} has {forbidden}");
    }
}

#[tokio::test]
async fn names_words_and_reasons_with_markup_in_them_are_texts_on_every_page() {
    let server = filled().await;
    for path in [
        "/regions/CN-A?lang=en",
        "/regions/CN-A?lang=zh&wall",
        "/regions/CN-A/i?with=CN-B&vintages=2100",
        "/regions/CN-A/i/chart.svg?with=CN-B",
        "/rankings/i?level=province",
        "/changes",
        "/search?q=alert",
        "/search?q=%3Cscript%3Ealert(1)%3C/script%3E%22%27%3E%3Cimg%20src=x",
        "/regions/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/regions/CN-A/i?with=%3Cimg%20src=x%20onerror=alert(2)%3E",
        "/regions/CN-A/i?from=%3Cimg%20src=x%3E",
        "/regions/CN-A?topic=%22%3E%3Cimg%20src=x%3E",
    ] {
        let page = http::get(server.address(), path).await;
        assert!(page.status != 0 && page.status < 500, "{path}: {}", page.status);
        assert_tame(&page.text, path);
    }
    let page = http::get(server.address(), "/regions/CN-A/i?lang=en").await.text;
    for end in ["words", "note", "source", "indicator", "symbol"] {
        let shown = format!("&lt;/title&gt;{end}");
        assert!(page.contains(&shown), "{end} is shown as it is written");
    }
}

#[tokio::test]
async fn what_a_stream_tells_is_text_too() {
    let server = filled().await;
    let mut events = Events::open(server.address(), "/live/regions/CN-A?lang=en", &[]).await.unwrap();
    let first = events.next().await.unwrap();
    let told: serde_json::Value = serde_json::from_str(&first.data).unwrap();
    for (id, html) in told["html"].as_object().unwrap() {
        assert_tame(html.as_str().unwrap(), id);
    }
    assert!(!first.data.contains('\n'));
}
