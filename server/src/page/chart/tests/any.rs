//! Charts of any kind.

use indicator_proto::{Frequency, Period, words::Language};
use proptest::{option, prelude::*, sample::select};

use crate::page::chart::{Chart, Kind, Line, Point, Role, Scale, Size, Value};

/// Names that somebody may have meant to do harm with, and others.
pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        any::<String>(),
        select(vec![
            "</text><script>alert(1)</script>",
            "\"/><image href=\"//x\"/>",
            "]]><!--",
            "&lt;&#0;&amp",
            "\u{0}\u{1b}[31m\u{9b}2J\r\n",
            "\u{202e}\u{2066}abc\u{2069}",
            "\u{fffe}\u{ffff}",
            "</style><style>*{}",
            "广东省统计局发布的地区生产总值年度数据",
        ])
        .prop_map(str::to_owned),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1e4..1e4,
        (-20..27_i32, -10..10_i32).prop_map(|(power, digit)| f64::from(digit) * 10_f64.powi(power)),
        Just(0.0),
        Just(3.0),
        (0..3_u8).prop_map(|n| 1e15 + f64::from(n)),
        select(vec![
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN_POSITIVE,
            -f64::MAX,
            5e-324,
            1e100,
            -1e100,
            -0.0
        ]),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => number().prop_map(Value::Exact),
        1 => number().prop_map(Value::Above),
        1 => number().prop_map(Value::Below),
        1 => number().prop_map(Value::Near),
        1 => (number(), number()).prop_map(|(one, other)| Value::Between(one, other)),
        1 => Just(Value::Missing),
    ]
}

/// Points in the order of time, some periods left out.
pub(super) fn points(most: usize) -> impl Strategy<Value = Vec<Point>> {
    let point = (1..4_i32, value(), any::<(bool, bool)>(), text());
    (select(Frequency::ALL.to_vec()), 1..9990_i16, prop::collection::vec(point, 0..most)).prop_map(|(frequency, year, points)| {
        let mut period = Period::containing(frequency, jiff::civil::date(year, 1, 7));
        let placed = points.into_iter().map_while(|(after, value, (provisional, rare), words)| {
            period = period.and_then(|it| Period::from_ordinal(frequency, it.ordinal() + after));
            let break_before = rare && provisional;
            Some(Point { period: period?, value, provisional: provisional && !rare, break_before, words })
        });
        placed.collect()
    })
}

fn line() -> impl Strategy<Value = Line> {
    let role = prop_oneof![Just(Role::Main), any::<u8>().prop_map(Role::Other), any::<u8>().prop_map(Role::Vintage)];
    (text(), role, points(16)).prop_map(|(label, role, points)| Line { label, role, points })
}

pub(super) fn chart() -> impl Strategy<Value = Chart> {
    let size = option::of((0..2000_u32, 0..1000_u32));
    let looks = (any::<(bool, bool)>(), select(vec![Kind::Auto, Kind::Line, Kind::Bars]), size);
    (text(), text(), prop::collection::vec(line(), 0..9), looks, text()).prop_map(
        |(title, unit, lines, ((chinese, log), kind, size), id)| {
            let (width, height) = size.unwrap_or((400, 300));
            Chart {
                language: if chinese { Language::Zh } else { Language::En },
                title,
                unit,
                lines,
                scale: if log { Scale::Log } else { Scale::Linear },
                kind,
                size: Size { width, height },
                id,
            }
        },
    )
}
