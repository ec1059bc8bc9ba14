use std::collections::BTreeMap;

use indicator_proto::v1::{Unit, UnitKind};
use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Formula {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    text.parse::<Formula>().expect_err(text).to_string()
}

fn indicator(id: &str) -> Expression {
    Expression::Indicator(id.to_owned())
}

fn binary(left: Expression, operator: Operator, right: Expression) -> Expression {
    Expression::Binary(Box::new(left), operator, Box::new(right))
}

#[test]
fn products_bind_tighter_than_sums_and_both_group_from_the_left() {
    use Operator::{Add, Divide, Multiply, Subtract};
    let [a, b, c, d] = ["a", "b", "c", "d"].map(indicator);
    assert_eq!(
        *read("a + b * c - d").expression(),
        binary(binary(a.clone(), Add, binary(b.clone(), Multiply, c.clone())), Subtract, d.clone())
    );
    assert_eq!(
        *read("a / b / c * d").expression(),
        binary(binary(binary(a.clone(), Divide, b.clone()), Divide, c.clone()), Multiply, d.clone())
    );
    assert_eq!(*read("a - (b - c)").expression(), binary(a.clone(), Subtract, binary(b.clone(), Subtract, c)));
    assert_eq!(*read("-a * b").expression(), binary(Expression::Negate(Box::new(a)), Multiply, b));
}

#[test]
fn an_id_reaches_as_far_as_its_characters_do() {
    assert_eq!(read("a-b").indicators(), BTreeSet::from(["a-b"]));
    assert_eq!(read("a - b").indicators(), BTreeSet::from(["a", "b"]));
    assert_eq!(read("a -b").expression(), read("a - b").expression(), "a minus that begins a run is a sign");
    assert_eq!(read("5g-base-stations*1.5_x").indicators(), BTreeSet::from(["5g-base-stations", "1.5_x"]));
    assert_eq!(mentions("(a-b + gdp_2.v1) / 100 - gdp"), BTreeSet::from(["a-b", "gdp_2.v1", "gdp"]));
    assert_eq!(mentions("a % b"), BTreeSet::new());
}

#[test]
fn numbers_are_read_in_plain_form_and_written_in_the_canonical_one() {
    assert_eq!(read("a*100.50+.5 -007/2.").to_string(), "a * 100.5 + 0.5 - 7 / 2");
    assert_eq!(read("a * 1e3").indicators(), BTreeSet::from(["1e3", "a"]), "an exponent makes it an id");
    assert_eq!(read("2020-12").indicators(), BTreeSet::from(["2020-12"]));
}

#[test]
fn the_canonical_form_has_only_the_parentheses_that_are_needed() {
    assert_eq!(read(" ( digital-economy-output/gdp )*(100)\n").to_string(), "digital-economy-output / gdp * 100");
    assert_eq!(read("((a+b)*(c*d))/-(e -f)").to_string(), "(a + b) * (c * d) / -(e - f)");
    assert_eq!(read("a -(b+c)-(-(-d))").to_string(), "a - (b + c) - --d");
}

#[test]
fn what_is_no_formula_says_where_and_what_to_write() {
    insta::assert_snapshot!([
        "", "  ", "1 + 2", "a +", "a b", "a- b", "a - * b", "(a + b", "a + b)", "(a b)", "a × b", "a − b", "Gdp / b", "数字 / b",
        "a % b", "a * 1,000", "a ^ 2", "()", "a * 12345678901234567890123456789", "a & b",
    ].map(|text| format!("{text:?}: {}", refusal(text))).join("\n"), @r#"
        "": the formula is empty; write such as "digital-economy-output / gdp * 100"
        "  ": the formula is empty; write such as "digital-economy-output / gdp * 100"
        "1 + 2": it names no indicator, so there is nothing to compute it from; name at least one by its id
        "a +": at byte 3, where the formula ends: a number, an indicator or "(" is expected here
        "a b": at byte 2, before "b": one of + - * / is expected here
        "a- b": at byte 3, before "b": one of + - * / is expected here; the minus before it belongs to the id: put spaces around it to subtract
        "a - * b": at byte 4, before "* b": a number, an indicator or "(" is expected here
        "(a + b": the "(" at byte 0 is never closed; write the ")" that ends it
        "a + b)": the ")" at byte 5 closes nothing; remove it, or open a "(" before it
        "(a b)": at byte 3, before "b)": one of + - * / is expected here
        "a × b": at byte 2 there is '×', which no formula has; write * for a product
        "a − b": at byte 2 there is '−', which no formula has; write - for a difference, with spaces around it
        "Gdp / b": at byte 0 there is 'G', which no formula has; ids are in lower case; write the indicator's id
        "数字 / b": at byte 0 there is '数', which no formula has; write the indicator's id, not its name
        "a % b": at byte 2 there is '%', which no formula has; write * 100 for a percentage of what is before it
        "a * 1,000": at byte 5 there is ',', which no formula has; write the digits of a number without separators, and . before the decimals
        "a ^ 2": at byte 2 there is '^', which no formula has; write a power as a product
        "()": at byte 1, before ")": a number, an indicator or "(" is expected here
        "a * 12345678901234567890123456789": at byte 4: "12345678901234567890123456789" has more than 28 significant digits; round it to 28, or use a larger unit
        "a & b": at byte 2 there is '&', which no formula has; it is made of numbers, ids of indicators, + - * / and parentheses
        "#);
}

#[test]
fn a_long_or_deep_formula_is_refused_before_it_can_do_harm() {
    assert_eq!(
        refusal(&"(".repeat(BYTES)),
        "at byte 64, parentheses and signs are nested deeper than 64; define a part of it as an indicator of its own"
    );
    assert!(refusal(&format!("{}a", "-".repeat(65))).starts_with("at byte 64"));
    assert!(refusal(&format!("{}a", "-(".repeat(33))).starts_with("at byte 64"));
    assert!(refusal(&"a".repeat(BYTES + 1)).starts_with("it has 1001 bytes, and 1000 are allowed"));
    let deepest = format!("{}a{}", "(".repeat(DEEPEST), ")".repeat(DEEPEST));
    assert_eq!(read(&deepest).to_string(), "a");
    assert_eq!(read(&format!("{deepest} + {deepest}")).to_string(), "a + a", "what is closed does not count any more");
    let longest = format!("a{}", "+a".repeat(499));
    assert_eq!(read(&longest).to_string().len(), 1_997);
    assert!(read(&longest).is_linear());
}

#[test]
fn only_sums_of_indicators_scaled_by_numbers_are_linear() {
    for linear in ["a", "-a + b", "a - (b + c) * 100 / 7", "2 * a", "a * (1 + 1)", "a / 2"] {
        assert!(read(linear).is_linear(), "{linear}");
    }
    for other in ["a * b", "a / b", "a + 1", "1 / a", "a * a", "(a + 1) * 2", "a - a / a"] {
        assert!(!read(other).is_linear(), "{other}");
    }
}

#[test]
fn a_subtraction_without_spaces_is_recognised() {
    let known = |id: &str| ["gdp", "net-exports"].contains(&id);
    assert_eq!(looks_like_subtraction("gdp-net-exports", known).as_deref(), Some("gdp - net-exports"));
    assert_eq!(looks_like_subtraction("gdp-100", known).as_deref(), Some("gdp - 100"));
    assert_eq!(looks_like_subtraction("gdp-imports", known), None);
}

/// Units by id, each with an indicator in it.
struct Samples(BTreeMap<String, Unit>);

fn unit(id: &str, kind: UnitKind) -> Unit {
    Unit { id: id.into(), kind: kind.into(), ..Unit::default() }
}

fn units() -> Samples {
    let based =
        |id: &str, kind, base: &str, factor: &str| Unit { base_unit: base.into(), factor: factor.into(), ..unit(id, kind) };
    let ratio = |id: &str, numerator: &str, denominator: &str| Unit {
        numerator: numerator.into(),
        denominator: denominator.into(),
        ..unit(id, UnitKind::Ratio)
    };
    let all = [
        unit("CNY", UnitKind::Currency),
        unit("USD", UnitKind::Currency),
        unit("{person}", UnitKind::Count),
        based("{thousand}", UnitKind::Count, "{person}", "1000"),
        unit("{station}", UnitKind::Count),
        unit("m2", UnitKind::Physical),
        based("km2", UnitKind::Physical, "m2", "1000000"),
        based("ha", UnitKind::Physical, "m2", "10000"),
        based("mu", UnitKind::Physical, "m2", "666.6666666666666666666666667"),
        unit("1", UnitKind::Count),
        unit("{share}", UnitKind::Share),
        based("%", UnitKind::Share, "{share}", "0.01"),
        unit("{index}", UnitKind::Index),
        unit("{rank}", UnitKind::Rank),
        ratio("CNY/{person}", "CNY", "{person}"),
        ratio("CNY/USD", "CNY", "USD"),
        ratio("{person}/km2", "{person}", "km2"),
        ratio("{person}/ha", "{person}", "ha"),
    ];
    Samples(all.into_iter().map(|unit| (unit.id.clone(), unit)).collect())
}

/// An indicator is called as its unit, in small letters and with what ids cannot have left out.
fn slug(unit: &str) -> String {
    unit.to_lowercase().replace('%', "percent").replace(['{', '}'], "").replace('/', "-per-")
}

impl<'a> Units<'a> for &'a Samples {
    fn unit(&self, id: &str) -> Option<&'a Unit> {
        self.0.get(id)
    }

    fn unit_of(&self, indicator: &str) -> Option<&'a Unit> {
        self.0.values().find(|unit| slug(&unit.id) == indicator)
    }
}

fn misfits(formula: &str, unit: &str) -> Vec<String> {
    let units = units();
    let found = fits(&read(formula), &units.0[unit], &&units);
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn like_is_added_to_like_and_products_and_quotients_combine() {
    for (formula, unit) in [
        ("cny + cny - -cny", "CNY"),
        ("cny / person", "CNY/{person}"),
        ("cny-per-person * person + cny", "CNY"),
        ("cny / cny-per-usd", "USD"),
        ("usd * cny-per-usd / person", "CNY/{person}"),
        ("cny / cny * 100", "%"),
        ("cny / cny", "{share}"),
        ("percent + percent", "%"),
        ("index - 100", "{index}"),
        ("cny / (index / 100)", "CNY"),
        ("cny * percent / 100", "CNY"),
        ("person / km2", "{person}/km2"),
        ("person-per-km2 * km2", "{person}"),
        ("m2 * m2 / m2", "m2"),
    ] {
        assert_eq!(misfits(formula, unit), [""; 0], "{formula} is in {unit}");
    }
}

#[test]
fn unlike_units_are_told_in_their_ids() {
    insta::assert_snapshot!([
        ("cny + cny-per-person", "CNY"), ("cny + usd", "CNY"), ("cny / person", "CNY"), ("cny + 1", "CNY"),
        ("station / person * 10000", "%"), ("rank + 1", "{index}"), ("cny / usd", "{rank}"), ("m2 * m2", "m2"),
        ("(cny + usd) * (person + station)", "CNY"), ("1 / cny * 2", "CNY"),
    ].map(|(formula, unit)| format!("{formula} [{unit}]: {}", misfits(formula, unit).join(" | "))).join("\n"), @r#"
        cny + cny-per-person [CNY]: "cny" is in "CNY", "cny-per-person" in "CNY/{person}"; only figures of one unit are added or subtracted
        cny + usd [CNY]: "cny" is in "CNY", "usd" in "USD"; only figures of one unit are added or subtracted
        cny / person [CNY]: the formula makes figures in "CNY/{person}", but the unit is "CNY"; name a unit of that kind, or correct the formula
        cny + 1 [CNY]: "cny" is in "CNY", "1" in "1"; only figures of one unit are added or subtracted
        station / person * 10000 [%]: the formula makes figures in "{station}/{person}", but the unit is "%"; name a unit of that kind, or correct the formula
        rank + 1 [{index}]: "rank" is in "{rank}", a rank, and ranks are not computed with; leave it out
        cny / usd [{rank}]: a rank is no result of arithmetic, and the unit "{rank}" is one; name another unit, and ask Rank for ranks
        m2 * m2 [m2]: the formula makes figures in "m2.m2", but the unit is "m2"; name a unit of that kind, or correct the formula
        (cny + usd) * (person + station) [CNY]: "cny" is in "CNY", "usd" in "USD"; only figures of one unit are added or subtracted | "person" is in "{person}", "station" in "{station}"; only figures of one unit are added or subtracted
        1 / cny * 2 [CNY]: the formula makes figures in "1/CNY", but the unit is "CNY"; name a unit of that kind, or correct the formula
        "#);
}

#[test]
fn sizes_are_told_apart_until_a_number_converts_them() {
    insta::assert_snapshot!([
        ("km2 + ha", "km2"), ("m2 + mu", "m2"), ("km2 + mu", "km2"), ("person-per-km2 - person-per-ha", "{person}/km2"), ("km2", "ha"), ("cny / cny", "%"),
        ("person + thousand", "{person}"),
    ].map(|(formula, unit)| format!("{formula} [{unit}]: {}", misfits(formula, unit).join(" | "))).join("\n"), @r#"
        km2 + ha [km2]: "km2" is in "km2", "ha" in "ha", which differ in size; multiply "ha" by 0.01
        m2 + mu [m2]: "m2" is in "m2", "mu" in "mu", which differ in size; multiply "mu" by 666.6666666666666666666666667
        km2 + mu [km2]: "km2" is in "km2", "mu" in "mu", which differ in size; multiply one of them by the number that converts it
        person-per-km2 - person-per-ha [{person}/km2]: "person-per-km2" is in "{person}/km2", "person-per-ha" in "{person}/ha", which differ in size; multiply "person-per-ha" by 100
        km2 [ha]: the formula makes figures in "km2", which differ in size from the unit "ha"; multiply by 100
        cny / cny [%]: the formula makes figures in "1", which differ in size from the unit "%"; multiply by 100
        person + thousand [{person}]: "person" is in "{person}", "thousand" in "{thousand}", which differ in size; multiply "thousand" by 1000
        "#);
    assert_eq!(misfits("ha * 0.01 + km2", "km2"), [""; 0]);
    assert_eq!(misfits("km2 + ha * 0.01", "km2"), [""; 0]);
    assert_eq!(misfits("(km2 + ha * 0.01) * 100", "ha"), [""; 0]);
    assert_eq!(misfits("ha * 0.01 + km2", "ha").len(), 1, "what is added to km2 was made km2");
    assert_eq!(misfits("thousand * 1000 + person", "{person}"), [""; 0]);
}

#[test]
fn what_rests_on_an_unknown_unit_is_left_to_others_to_tell() {
    assert_eq!(misfits("cny + unheard-of", "CNY"), [""; 0]);
    assert_eq!(misfits("unheard-of + (cny + usd)", "CNY").len(), 1);
}

fn expression() -> impl Strategy<Value = Expression> {
    let number = (0..1_000_000_i128, 0..8_u32).prop_map(|(mantissa, scale)| Decimal::from_parts(mantissa, scale).expect("small"));
    let leaf =
        prop_oneof![1 => number.prop_map(Expression::Number), 3 => "[a-z][a-z0-9._-]{0,6}".prop_map(Expression::Indicator)];
    leaf.prop_recursive(6, 24, 2, |inner| {
        let operator =
            prop_oneof![Just(Operator::Add), Just(Operator::Subtract), Just(Operator::Multiply), Just(Operator::Divide)];
        prop_oneof![
            1 => inner.clone().prop_map(|inner| Expression::Negate(Box::new(inner))),
            4 => (inner.clone(), operator, inner).prop_map(|(left, operator, right)| binary(left, operator, right)),
        ]
    })
}

proptest! {
    #[test]
    fn a_formula_reads_as_it_is_written(expression in expression()) {
        let formula = Formula(expression);
        prop_assume!(!formula.indicators().is_empty());
        let text = formula.to_string();
        prop_assert_eq!(text.parse::<Formula>(), Ok(formula), "{}", text);
    }

    #[test]
    fn the_indicators_of_a_formula_are_those_that_its_text_mentions(expression in expression()) {
        let formula = Formula(expression);
        let text = formula.to_string();
        prop_assert_eq!(mentions(&text), formula.indicators());
    }

    #[test]
    fn no_text_does_harm(text in "[a-c0-9.+*/() -]{0,80}|.{0,40}") {
        let units = units();
        match text.parse::<Formula>() {
            Ok(formula) => _ = fits(&formula, &units.0["CNY"], &&units),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn spaces_around_operators_and_parentheses_do_not_count(expression in expression()) {
        let text = Formula(expression).to_string();
        let spaced = text.replace('(', " ( ").replace(')', "\t)\n").replace(' ', "  ");
        prop_assert_eq!(spaced.parse::<Formula>(), text.parse::<Formula>());
    }
}
