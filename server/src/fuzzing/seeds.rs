//! What the service writes today, as seeds of the fuzz targets.
//!
//! Each must pass its target. With `UPDATE_SEEDS` set they are written to `tests/fuzz/seeds`, for when a form changes.

use std::{env, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use indicator_proto::v1;
use prost::{Message, Name};
use serde_json::json;

use super::Position;
use crate::engine::{Purpose, Tokens};

/// A seed: its first byte says what the others are.
pub(crate) fn seed(target: &str, run: fn(&[u8]), name: &str, what: u8, bytes: &[u8]) {
    let input = [&[what], bytes].concat();
    run(&input);
    if env::var_os("UPDATE_SEEDS").is_some() {
        let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/seeds")).join(target);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(name), input).unwrap();
    }
}

fn request<M: Message + Name + Default>(name: &str, what: u8, json: serde_json::Value) {
    seed("requests", super::requests, name, what, &indicator_proto::from_json::<M>(json).unwrap().encode_to_vec());
}

#[test]
fn tokens_and_requests_of_today_pass_their_targets() {
    let token_seed = |name: &str, what: u8, bytes: &[u8]| seed("tokens", super::tokens, name, what, bytes);
    let tokens = Tokens::new([7; 32], [1; 16]);
    let token = tokens.seal(Purpose::Page, &Position::sealed());
    token_seed("sealed", 0, token.as_bytes());
    token_seed("sealed-bytes", 1, &URL_SAFE_NO_PAD.decode(&token).unwrap());
    token_seed("of-another-store", 0, Tokens::new([8; 32], [2; 16]).seal(Purpose::Page, &Position::sealed()).as_bytes());
    token_seed("payload", 2, b"\x07\xe8\x07\x05CN-SD");
    let access = format!("indicator_0123456789ab_{}", "x".repeat(43));
    token_seed("access", 3, access.as_bytes());

    let series = json!({"indicator": "people", "region": "CN-SD", "source": "office", "dimensions": {"sex": "F"}});
    let figures = json!([
        {"series": series, "period": "2020", "value": "12.5", "bound": "BOUND_AT_LEAST", "roundedTo": "0.1", "note": "a",
            "publishedAt": "2021-01-02T00:00:00Z", "statuses": ["OBSERVATION_STATUS_ESTIMATED"]},
        {"series": series, "period": "2020-Q4", "interval": {"lower": "1", "upper": "2"}, "originalText": "1–2",
            "equivalents": [{"value": "3", "unit": "CNY"}], "documentUri": "https://example.org/"},
        {"series": series, "period": "2021-W05", "missing": "MISSING_REASON_SUPPRESSED"},
    ]);
    let context = json!({"actor": "ann", "reason": "because", "documentUri": "https://example.org/"});
    request::<v1::WriteObservationsRequest>(
        "write",
        0,
        json!({
            "changes": figures, "mode": "WRITE_MODE_MERGE", "context": context, "requestId": "r", "publishedAt": "2022-01-01T00:00:00Z",
            "expectedRevisions": [{"series": series, "revision": "7"}]
        }),
    );
    let mut observations = figures;
    observations.as_array_mut().unwrap().iter_mut().for_each(|it| _ = it.as_object_mut().unwrap().remove("series"));
    request::<v1::ImportBatch>("batch", 1, json!({"series": [{"series": series, "observations": observations}]}));
    let filter = json!({
        "indicators": ["people"], "regions": ["CN"], "includeSubregions": true, "regionLevel": "province", "sources": ["office"],
        "dimensions": {"sex": "F"}, "startPeriod": "2000", "endPeriod": "2024-12", "frequency": "FREQUENCY_ANNUAL"
    });
    let transforms = json!([
        {"percentChange": {"span": "CHANGE_SPAN_YEAR"}}, {"indexTo": {"basePeriod": "2010"}},
        {"rolling": {"periods": 3, "method": "AGGREGATION_METHOD_AVERAGE"}}, {"perUnit": {"indicator": "gdp", "multiple": "100"}},
        {"aggregate": {"frequency": "FREQUENCY_ANNUAL", "method": "AGGREGATION_METHOD_SUM"}}, {"convert": {"unit": "CNY"}},
    ]);
    let as_of = json!({"revision": "3", "publishedAt": "2022-01-01T00:00:00Z"});
    request::<v1::QueryObservationsRequest>(
        "query",
        2,
        json!({
            "filter": filter, "transforms": transforms, "asOf": as_of, "latestN": 3, "pageSize": 10
        }),
    );
    request::<v1::WatchRequest>(
        "watch",
        3,
        json!({
            "filter": filter, "mode": "WATCH_MODE_LATEST", "minInterval": "1s", "progressInterval": "5s", "afterRevision": "3"
        }),
    );
    request::<v1::ListMilestonesRequest>(
        "milestones",
        4,
        json!({
            "filter": filter, "thresholds": ["1", "2.5"], "crossing": "CROSSING_REACHED"
        }),
    );
    request::<v1::RankRequest>(
        "rank",
        5,
        json!({"selection": {
            "indicator": "people", "level": "province", "under": "CN", "dimensions": {"sex": "F"}, "startPeriod": "2000",
            "endPeriod": "2010", "frequency": "FREQUENCY_ANNUAL", "transforms": transforms, "sources": ["office"]
        }}),
    );
    request::<v1::CompareRequest>(
        "compare",
        6,
        json!({
            "indicators": ["people", "gdp"], "level": "province", "under": "CN", "period": "2020", "dimensions": {"sex": "F"}
        }),
    );
    request::<v1::ApplyCatalogRequest>(
        "apply",
        7,
        json!({"actions": [
            {"upsert": {"indicator": {"id": "per-head", "names": {"en": "GDP per head"}, "unit": "CNY", "formula": "gdp / people * 100"}}},
            {"upsert": {"region": {"id": "CN-GD", "parent": "CN", "level": "province", "names": {"zh": "广东"}}}},
            {"upsert": {"dimension": {"id": "sex", "names": {"en": "Sex"}, "codes": [{"id": "F", "names": {"en": "f"}}]}}},
            {"delete": {"kind": "ENTRY_KIND_INDICATOR", "id": "gdp"}},
        ]}),
    );
    request::<v1::SearchCatalogRequest>(
        "search",
        8,
        json!({"query": "shandong 山东", "kinds": ["ENTRY_KIND_REGION"], "limit": 3}),
    );
    request::<v1::ListRegionsRequest>("regions", 9, json!({"filter": "sh", "under": "CN"}));
    request::<v1::ListIndicatorsRequest>("indicators", 10, json!({"filter": "people"}));
    request::<v1::GetRevisionStatisticsRequest>(
        "revisions",
        11,
        json!({
            "series": series, "startPeriod": "2000", "endPeriod": "2020", "axis": "VINTAGE_AXIS_RECORDED", "asOf": as_of
        }),
    );
}
