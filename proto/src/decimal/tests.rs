use std::hash::{BuildHasher as _, RandomState};

use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    match text.parse::<Decimal>() {
        Ok(decimal) => panic!("{text:?} was taken as {decimal}"),
        Err(error) => error.to_string(),
    }
}

/// Decimals of every length and scale; small ones, with many zeros, as often as large ones.
fn any_decimal() -> impl Strategy<Value = Decimal> {
    let mantissa = (0..=28u32, any::<i128>()).prop_map(|(digits, n)| n % 10i128.pow(digits));
    let round = (-99..=99i128, 0..=26u32).prop_map(|(n, zeros)| n * 10i128.pow(zeros));
    (prop_oneof![mantissa, round], 0..=28u32)
        .prop_map(|(mantissa, scale)| Decimal::from_parts(mantissa, scale).expect("at most 28 digits"))
}

#[test]
fn canonical_texts_are_read_and_printed_unchanged() {
    for text in [
        "0",
        "7",
        "-7",
        "100000",
        "3000000000000",
        "0.5",
        "-0.05",
        "12.5",
        "1000000000000000000",
        "999999999999999999",
        "0.000000000000000001",
        "1234567890123456789.25",
        "9999999999999999999999999999",
        "-9999999999999999999999999999",
        "0.0000000000000000000000000001",
        "0.9999999999999999999999999999",
        "1.000000000000000000000000001",
        "1000000000000000000000000000",
    ] {
        assert_eq!(decimal(text).to_string(), text);
    }
}

#[test]
fn another_form_of_a_number_is_refused_with_the_canonical_one() {
    for (text, canonical) in [
        ("+1", "1"),
        ("01", "1"),
        ("1.50", "1.5"),
        ("1.", "1"),
        (".5", "0.5"),
        ("1e3", "1000"),
        ("1.5E-5", "0.000015"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("00", "0"),
        (" 1", "1"),
        ("0.10", "0.1"),
    ] {
        assert_eq!(refusal(text), format!("{text:?} is not canonical; write \"{canonical}\""));
        assert_eq!(Decimal::parse_lenient(text), Ok(decimal(canonical)));
    }
}

#[test]
fn what_is_no_exact_number_is_refused_in_both_forms_with_a_remedy() {
    let digits29 = "12345678901234567890123456789";
    for (text, part) in [
        ("", "is empty"),
        ("  ", "is empty"),
        ("NaN", "is not a figure"),
        ("-inf", "is not a figure"),
        ("1,000", "has a separator"),
        ("1 000", "has a separator"),
        ("1'000.5", "has a separator"),
        ("1.234,5", "has a separator"),
        ("١٢", "digits 0 to 9"),
        ("１２", "digits 0 to 9"),
        (digits29, "more than 28 significant digits"),
        ("0.12345678901234567890123456789", "more than 28 significant digits"),
        ("1e999", "more than 28 significant digits"),
        ("1e99999999999999999999999", "more than 28 significant digits"),
        ("1e28", "more than 28 significant digits"),
        ("1e-29", "after the 28th decimal place"),
        ("1e-99999999999999999999999", "after the 28th decimal place"),
        ("0.00000000000000000000000000001", "after the 28th decimal place"),
        ("1e", "is not a decimal"),
        ("1e+", "is not a decimal"),
        ("e5", "is not a decimal"),
        ("--1", "is not a decimal"),
        ("+-1", "is not a decimal"),
        ("-", "is not a decimal"),
        (".", "is not a decimal"),
        ("1.2.3", "is not a decimal"),
        ("0x1F", "is not a decimal"),
        ("12abc", "is not a decimal"),
        ("1é", "is not a decimal"),
    ] {
        assert!(refusal(text).contains(part), "{}", refusal(text));
        let lenient = Decimal::parse_lenient(text).expect_err(text);
        assert_eq!(lenient.to_string(), refusal(text));
    }
}

#[test]
fn data_files_may_pad_a_number_with_zeros_and_space() {
    for (text, canonical) in [
        ("\u{a0}+001710000.000 ", "1710000"),
        ("1.5e3", "1500"),
        ("1E-5", "0.00001"),
        ("0e999999999999", "0"),
        ("0.00000000000000000000000000000000000", "0"),
        ("1000000000000000000000000000000e-5", "10000000000000000000000000"),
        ("0.1e1", "1"),
        ("-.5", "-0.5"),
    ] {
        assert_eq!(Decimal::parse_lenient(text), Ok(decimal(canonical)), "{text:?}");
    }
}

#[test]
fn too_many_digits_have_no_parts() {
    let limit = 10i128.pow(28);
    assert_eq!(Decimal::from_parts(limit, 0), None);
    assert_eq!(Decimal::from_parts(limit, 1).map(|d| d.to_string()).as_deref(), Some("1000000000000000000000000000"));
    assert_eq!(Decimal::from_parts(1, 29), None);
    assert_eq!(Decimal::from_parts(0, u32::MAX), Some(decimal("0")));
    assert_eq!(Decimal::from_parts(i128::MIN, 0), None);
    assert_eq!(Decimal::from_parts(-150, 2).map(|d| (d.mantissa(), d.scale())), Some((-15, 1)));
}

#[test]
fn a_product_is_exact_or_none() {
    let product = |a: &str, b: &str| decimal(a).checked_mul(&decimal(b)).map(|d| d.to_string());
    assert_eq!(product("79841.01", "100000000").as_deref(), Some("7984101000000"));
    assert_eq!(product("0.5", "-2").as_deref(), Some("-1"));
    assert_eq!(product("-0.5", "0").as_deref(), Some("0"));
    assert_eq!(product("1000000000000000000000000000", "0.0000000000000000000000000001").as_deref(), Some("0.1"));
    assert_eq!(product("9999999999999999999999999999", "9999999999999999999999999999"), None);
    assert_eq!(product("0.0000000000000000000000000001", "0.1"), None);
    assert_eq!(product("1000000000000000000000000000", "10"), None);
    // 2^92 times 5^39 overflows before the scale is taken into account.
    let (two92, five39) = (2i128.pow(92), 5i128.pow(39));
    let a = Decimal::from_parts(two92, 28).expect("28 digits");
    let b = Decimal::from_parts(five39, 11).expect("28 digits");
    assert_eq!(a.checked_mul(&b), Decimal::from_parts(2i128.pow(53), 0));
}

#[test]
fn it_is_aligned_as_asked() {
    assert_eq!(format!("[{:>6}]", decimal("-1.5")), "[  -1.5]");
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(number in any_decimal()) {
        let text = number.to_string();
        prop_assert_eq!(text.parse::<Decimal>(), Ok(number));
        prop_assert_eq!(&text, &number.inner().normalize().to_string());
        let mut appended = String::from("x");
        number.write_to(&mut appended);
        prop_assert_eq!(appended, format!("x{text}"));
        prop_assert_eq!(Decimal::from_parts(number.mantissa(), number.scale()), Some(number));
    }

    #[test]
    fn order_equality_and_hash_are_those_of_the_number(a in any_decimal(), b in any_decimal()) {
        let hasher = RandomState::new();
        prop_assert_eq!(a.cmp(&b), a.inner().cmp(&b.inner()));
        prop_assert_eq!(a == b, a.inner() == b.inner());
        let padded = Decimal::parse_lenient(&format!("+0{}e0", a.to_string().trim_start_matches('-'))).expect("a number");
        let magnitude = Decimal::from_parts(a.mantissa().abs(), a.scale()).expect("as many digits");
        prop_assert_eq!(padded, magnitude);
        prop_assert_eq!(hasher.hash_one(padded), hasher.hash_one(magnitude));
        prop_assert_eq!(a.is_negative(), a < Decimal::from(0));
        prop_assert_eq!(a.is_zero(), a == Decimal::from(0));
    }

    #[test]
    fn what_the_strict_form_takes_the_lenient_form_takes_alike(text in "[+-]?[0-9]{0,31}(\\.[0-9]{0,31})?(e-?[0-9]{1,2})?") {
        let (strict, lenient) = (text.parse::<Decimal>(), Decimal::parse_lenient(&text));
        match (strict, lenient) {
            (Ok(strict), lenient) => {
                prop_assert_eq!(lenient, Ok(strict));
                prop_assert_eq!(strict.to_string(), text);
            }
            (Err(ParseDecimalError::NotCanonical { canonical, .. }), lenient) => {
                prop_assert_eq!(lenient, Ok(canonical));
                prop_assert_ne!(canonical.to_string(), text);
            }
            (Err(strict), lenient) => prop_assert_eq!(lenient, Err(strict)),
        }
    }

    #[test]
    fn an_exponent_moves_the_point(mantissa in -999_999i128..=999_999, shift in 0u32..=20) {
        let text = format!("{mantissa}e-{shift}");
        prop_assert_eq!(Decimal::parse_lenient(&text).ok(), Decimal::from_parts(mantissa, shift));
        let text = format!("{mantissa}E+{shift}");
        prop_assert_eq!(Decimal::parse_lenient(&text).ok(), Decimal::from_parts(mantissa * 10i128.pow(shift), 0));
    }

    #[test]
    fn small_products_agree_with_integers(a in any::<i32>(), b in any::<i32>(), s in 0u32..=14, t in 0u32..=14) {
        let (x, y) = (Decimal::from_parts(a.into(), s).expect("short"), Decimal::from_parts(b.into(), t).expect("short"));
        prop_assert_eq!(x.checked_mul(&y), Decimal::from_parts(i128::from(a) * i128::from(b), s + t));
    }

    #[test]
    fn any_text_is_a_number_or_refused_without_a_panic(text in ".{0,40}", near in "[-+ ]?[0-9.,eE’_ ١-]{0,40}") {
        for text in [text, near] {
            if let Ok(number) = text.parse::<Decimal>() {
                prop_assert_eq!(number.to_string(), text.clone());
            }
            let _ = Decimal::parse_lenient(&text);
        }
    }

    #[test]
    fn any_product_is_symmetric_and_never_panics(a in any_decimal(), b in any_decimal()) {
        prop_assert_eq!(a.checked_mul(&b), b.checked_mul(&a));
    }
}
