use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Address, Wrong> {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    Address::parse(path, query, Language::En)
}

#[test]
fn a_link_is_a_saved_view() {
    for text in [
        "/?lang=en",
        "/regions/CN-SD?lang=zh",
        "/regions/CN-SD?topic=digital-economy&page=2&theme=dark&lang=en",
        "/regions/CN-SD?wall&lang=en",
        "/regions/CN-SD/gdp?source=nbs&dim.sex=F&with=CN-JS%2CCN-ZJ&transform=year-on-year&scale=log&from=1990&to=2020-Q4&frequency=annual&vintages=2012%2C2018-12-31&as_of=2018&lang=en",
        "/rankings/gdp?level=province&under=CN&period=2020&order=least-first&lang=en",
        "/changes?before=17&revision=20&lang=en",
        "/search?q=%E5%B1%B1%E4%B8%9C&lang=en",
    ] {
        assert_eq!(parse(text).expect(text).to_string(), text);
    }
}

#[test]
fn everything_wrong_with_a_query_is_said_at_once() {
    let Err(Wrong::Query(wrong)) = parse("/regions/CN-SD/gdp?scale=cubic&from=2021-Q5&transform=x&lang=fr&revision=-1") else {
        panic!("it is wrong");
    };
    let fields: Vec<&str> = wrong.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["lang=fr", "revision=-1", "transform=x", "scale=cubic", "from=2021-Q5"]);
    assert_eq!(parse("/nowhere"), Err(Wrong::Nowhere));
    assert_eq!(parse("/regions/%FF"), Err(Wrong::Nowhere));
}

#[test]
fn empty_fields_of_a_form_say_nothing() {
    assert_eq!(parse("/regions/CN-SD/gdp?source=&from=&with=&scale="), parse("/regions/CN-SD/gdp"));
    let several = parse("/regions/CN-SD/gdp?with=CN-JS&with=CN-ZJ,CN-JS").unwrap();
    assert_eq!(several, parse("/regions/CN-SD/gdp?with=CN-JS,CN-ZJ").unwrap());
    let broadest = parse("/regions/CN-SD/gdp?dim.sex=").unwrap();
    assert!(matches!(broadest.view, View::Indicator(Indicator { dimensions: Some(none), .. }) if none.is_empty()));
}

#[test]
fn a_day_ends_with_its_last_microsecond() {
    let end = |text: &str| text.parse::<Day>().unwrap().end().unwrap().to_string();
    assert_eq!(end("2018"), "2018-12-31T23:59:59.999999Z");
    assert_eq!(end("2020-02-29"), "2020-02-29T23:59:59.999999Z");
}

proptest! {
    #[test]
    fn any_text_of_a_search_comes_back(text in "\\PC{1,40}") {
        let text = text.trim().to_owned();
        prop_assume!(!text.is_empty());
        let address = Address { view: View::Search { query: text }, manner: Manner::default() };
        prop_assert_eq!(parse(&address.to_string()), Ok(address));
    }

    #[test]
    fn no_address_makes_it_panic(path in "/\\PC{0,40}", query in "\\PC{0,80}") {
        let _ = Address::parse(&path, &query, Language::Zh);
    }
}
