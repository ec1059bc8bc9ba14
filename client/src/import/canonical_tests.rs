//! What is exported is imported again, to the letter.

use indicator_proto::{
    Decimal, Frequency, Interval, Period, SeriesKey, Statuses, Time,
    v1::{self, Bound, Equivalent, MissingReason, Observation, ObservationStatus, SeriesObservations, WriteMode},
};
use proptest::{collection, option, prelude::*, sample::select};

use super::{
    batch::{Batches, Size},
    mapping::Mapping,
    resolve::{Resolved, Series},
    rows, source,
};
use crate::export::Writer;

fn decimal() -> impl Strategy<Value = Decimal> {
    (-(10i128.pow(28) - 1)..10i128.pow(28), 0u32..=28)
        .prop_filter_map("in range", |(mantissa, scale)| Decimal::from_parts(mantissa, scale))
}

fn period() -> impl Strategy<Value = Period> {
    (select(Frequency::ALL.to_vec()), 1i32..20_000)
        .prop_filter_map("in range", |(frequency, ordinal)| Period::from_ordinal(frequency, ordinal))
}

/// Texts with everything that could break a line of CSV.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ a\",;\r\n\t'=中é\u{feff}-]{1,12}"]
}

fn figure() -> impl Strategy<Value = Observation> {
    let value = (decimal(), 1i32..=6, option::of(1i64..1000)).prop_map(|(value, bound, rounded_to)| Observation {
        value: value.to_string(),
        bound,
        rounded_to: rounded_to.map(|size| size.to_string()).unwrap_or_default(),
        ..Observation::default()
    });
    let interval = (decimal(), decimal()).prop_map(|(a, b)| {
        let interval = Interval::new(a.min(b), a.max(b)).unwrap();
        Observation { interval: Some(interval.into()), ..Observation::default() }
    });
    let missing = select(MissingReason::all().collect::<Vec<_>>())
        .prop_map(|reason| Observation { missing: reason.into(), ..Observation::default() });
    prop_oneof![6 => value, 1 => interval, 1 => missing]
}

fn observation() -> impl Strategy<Value = Observation> {
    let statuses = collection::vec(select(ObservationStatus::all().collect::<Vec<_>>()), 0..3);
    let equivalents = collection::vec((decimal(), "[A-Z]{3}|[{][a-z]{1,5}[}]|%"), 0..3);
    let published_at = option::of(prop_oneof![-100_000i64..100_000, Just(0)]);
    (figure(), period(), statuses, equivalents, text(), text(), "[!-~]{0,8}", published_at, 0i64..1_000_000).prop_map(
        |(figure, period, statuses, equivalents, original_text, note, document_uri, day, micros)| {
            let statuses: Statuses = statuses.into_iter().collect();
            let micros = if day.is_some_and(|day| day % 2 == 0) { 0 } else { micros };
            let time = day.and_then(|day| Time::from_micros(day * 86_400_000_000 + micros));
            Observation {
                period: period.to_string(),
                statuses: statuses.iter().map(Into::into).collect(),
                equivalents: equivalents.into_iter().map(|(value, unit)| Equivalent { value: value.to_string(), unit }).collect(),
                original_text,
                note,
                document_uri,
                published_at: time.map(Into::into),
                ..figure
            }
        },
    )
}

fn series() -> impl Strategy<Value = Vec<SeriesObservations>> {
    let one = (collection::vec(observation(), 1..6), option::of("[A-Z]{1,2}"));
    collection::vec(one, 1..4).prop_map(|series| {
        let numbered = series.into_iter().enumerate();
        numbered
            .map(|(number, (mut observations, sex))| {
                let place = |observation: &Observation| observation.period.parse::<Period>().unwrap();
                observations.sort_by_key(place);
                observations.dedup_by_key(|observation| place(observation));
                let dimensions = sex.into_iter().map(|sex| ("sex".to_owned(), sex)).collect();
                let (indicator, region) = (format!("indicator-{number}"), "CN".to_owned());
                let series = v1::SeriesKey { indicator, region, source: "office".to_owned(), dimensions };
                SeriesObservations { series: Some(series), observations }
            })
            .collect()
    })
}

fn exported(series: &[SeriesObservations]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, ["sex".to_owned(), "age".to_owned()].into()).unwrap();
    series.iter().for_each(|chunk| writer.write(chunk).unwrap());
    writer.finish().unwrap();
    out
}

/// Reads a canonical file whose names are ids.
fn imported(bytes: Vec<u8>) -> Vec<SeriesObservations> {
    let text = source::from_bytes("export.csv".to_owned(), bytes, None, None).unwrap();
    let mut rows = rows::read(&text, &Mapping::default(), true).unwrap();
    let series = rows.keys.iter().map(|key| SeriesKey {
        indicator: key.indicator.clone(),
        region: key.region.clone(),
        source: key.source.clone(),
        dimensions: key.dimensions.iter().cloned().collect(),
    });
    let series: Vec<_> = series.map(|key| Series { key, is_new: false }).collect();
    let slots = (0..series.len()).map(|at| Ok(at as u32)).collect();
    let batches = Batches::new(&mut rows, Resolved { series, slots }, WriteMode::Merge, Size::ORDINARY);
    assert!(rows.rejects.is_empty(), "{:?}", rows.rejects);
    (0..batches.len()).flat_map(|batch| batches.message(batch).series).collect()
}

/// An exact figure may be told by its bound, or by none; a set has no order.
fn normal(mut series: Vec<SeriesObservations>) -> Vec<SeriesObservations> {
    for observation in series.iter_mut().flat_map(|series| &mut series.observations) {
        if observation.bound() == Bound::Exact {
            observation.bound = Bound::Unspecified.into();
        }
    }
    series
}

proptest! {
    #[test]
    fn what_is_exported_is_imported_to_the_letter(series in series()) {
        let bytes = exported(&series);
        let again = imported(bytes.clone());
        prop_assert_eq!(exported(&again), bytes);
        prop_assert_eq!(normal(again), normal(series));
    }
}
