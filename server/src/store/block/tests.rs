use proptest::prelude::*;

use super::*;

fn decimal() -> impl Strategy<Value = Decimal> {
    let mantissa = prop_oneof![any::<i32>().prop_map(i128::from), -(10_i128.pow(28) - 1)..10_i128.pow(28)];
    (mantissa, 0_u32..=28).prop_map(|(mantissa, scale)| Decimal::from_parts(mantissa, scale).unwrap())
}

fn datum() -> impl Strategy<Value = Datum> {
    prop_oneof![
        4 => (decimal(), 1_u8..=6).prop_map(|(value, bound)| Datum::Value(value, Bound::try_from(bound).unwrap())),
        1 => (decimal(), decimal()).prop_map(|(a, b)| Datum::Interval(Interval::new(a.min(b), a.max(b)).unwrap())),
        1 => (1_i32..=5).prop_map(|reason| Datum::Missing(MissingReason::try_from(reason).unwrap())),
        1 => Just(Datum::Withdrawn),
    ]
}

fn details() -> impl Strategy<Value = Option<Arc<Details>>> {
    let equivalents = prop::collection::vec((decimal(), "[A-Z]{3}"), 0..3);
    let details = (prop::option::of(decimal()), equivalents, ".{0,20}", "[a-c]{0,2}", "[a-c]{0,2}").prop_map(
        |(rounded_to, equivalents, original_text, note, document_uri)| {
            let equivalents = equivalents.into_iter().map(|(value, unit)| Equivalent { value, unit }).collect();
            Arc::new(Details { rounded_to, equivalents, original_text, note, document_uri })
        },
    );
    prop::option::weighted(0.2, details)
}

fn period() -> impl Strategy<Value = Period> {
    (1_u8..=7, 1000_i32..8000).prop_map(|(f, ordinal)| {
        let frequency = Frequency::try_from(f).unwrap();
        Period::from_ordinal(frequency, ordinal).unwrap()
    })
}

fn version() -> impl Strategy<Value = Version> {
    let times = prop_oneof![Just(0), 0_i64..1_000_000_000_000];
    (period(), 1_u8..=4, times.clone(), times, 0_u64..1000, datum(), 0_u32..0x4000, details()).prop_map(
        |(period, kind, published, recorded, revision, datum, statuses, details)| Version {
            period,
            kind: Kind::from_number(kind).unwrap(),
            published_at: Time::from_micros(published).unwrap(),
            recorded_at: Time::from_micros(recorded).unwrap(),
            revision,
            figure: Figure { datum, statuses: Statuses::from_bits(statuses << 1).unwrap(), details },
        },
    )
}

fn versions() -> impl Strategy<Value = Vec<Version>> {
    prop::collection::vec(version(), 1..60).prop_map(|mut versions| {
        versions.sort_by_key(|v| v.period);
        versions.dedup_by_key(|v| v.period);
        versions
    })
}

fn decode_all(parts: &[Vec<u8>]) -> Result<Vec<Version>, Error> {
    let mut versions = Vec::new();
    parts.iter().try_for_each(|part| decode(part, &mut versions))?;
    Ok(versions)
}

proptest! {
    #[test]
    fn a_block_is_read_back(versions in versions()) {
        prop_assert_eq!(decode_all(&encode(&versions)).unwrap(), versions);
    }

    #[test]
    fn bytes_that_are_no_block_are_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = FORMAT;
        }
        let _ = decode(&bytes, &mut Vec::new());
    }

    #[test]
    fn a_damaged_block_never_panics(versions in versions(), at: prop::sample::Index, value: u8) {
        let mut parts = encode(&versions);
        let place = at.index(parts[0].len());
        parts[0][place] = value;
        let _ = decode_all(&parts);
    }
}

#[test]
fn a_block_of_long_texts_is_split_into_parts_that_sled_keeps_in_its_log() {
    let text = "字".repeat(1300);
    let versions: Vec<Version> = (0..100)
        .map(|year| Version {
            period: Period::from_ordinal(Frequency::Annual, 1900 + year).unwrap(),
            kind: Kind::Inserted,
            published_at: Time::from_micros(0).unwrap(),
            recorded_at: Time::from_micros(0).unwrap(),
            revision: 1,
            figure: Figure {
                datum: Datum::Missing(MissingReason::Suppressed),
                statuses: Statuses::default(),
                details: Some(Arc::new(Details { note: format!("{year}{text}"), ..Details::default() })),
            },
        })
        .collect();
    let parts = encode(&versions);
    assert!(parts.len() > 10);
    assert!(parts.iter().all(|p| p.len() < 64 * 1024));
    assert_eq!(decode_all(&parts).unwrap(), versions);
}

#[test]
fn a_long_regular_series_takes_a_few_bytes_a_cell() {
    let versions: Vec<Version> = (0..500)
        .map(|month| Version {
            period: Period::from_ordinal(Frequency::Monthly, 2000 * 12 + month).unwrap(),
            kind: Kind::Inserted,
            published_at: Time::from_micros(1_700_000_000_000_000).unwrap(),
            recorded_at: Time::from_micros(1_700_000_000_000_000).unwrap(),
            revision: 7,
            figure: Figure {
                datum: Datum::Value(Decimal::from_parts(i128::from(month) * 7919, 2).unwrap(), Bound::Exact),
                statuses: Statuses::default(),
                details: None,
            },
        })
        .collect();
    let bytes: usize = encode(&versions).iter().map(Vec::len).sum();
    assert!(bytes < 500 * 8, "{bytes} bytes");
}

#[test]
fn a_block_of_one_part_is_never_taken_for_one_of_several_and_the_other_way_round() {
    let long = |text: &str| Some(Arc::new(Details { note: text.repeat(4_000), ..Details::default() }));
    let version = |ordinal: usize, details: Option<Arc<Details>>| Version {
        period: Period::from_ordinal(Frequency::Monthly, ordinal as i32).unwrap(),
        kind: Kind::Inserted,
        published_at: Time::from_micros(0).unwrap(),
        recorded_at: Time::from_micros(0).unwrap(),
        revision: 1,
        figure: Figure { datum: Datum::Withdrawn, statuses: Statuses::default(), details },
    };
    for count in (1..1_200).step_by(37) {
        // The last one is large: it may be what opens a second part.
        let last = [None, long("x")];
        for details in last {
            let mut versions: Vec<Version> = (0..count).map(|n| version(24_000 + n, None)).collect();
            versions.push(version(24_000 + count, details));
            let parts = encode(&versions);
            let mut first = Vec::new();
            decode(&parts[0], &mut first).unwrap();
            assert!(parts.len() == 1 || may_have_more_parts(&first), "{count}: {} parts", parts.len());
            assert!(count > 300 || !may_have_more_parts(&first[..first.len() - 1]), "{count}: small blocks cost one look");
        }
    }
}
