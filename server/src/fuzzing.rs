//! The targets of `tests/fuzz` in this crate: each takes any bytes, and panics where something does not hold that must.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned, ser::SerializeTuple as _};

use crate::{
    access::Token,
    engine::{Cursor, Purpose, TokenError, Tokens, VintagePlace, analysis::ComputedCursor},
};

/// Values of the store: blocks, the log, keys.
pub fn store(bytes: &[u8]) {
    crate::store::fuzzing::store(bytes);
}

/// Backups.
pub fn archive(bytes: &[u8]) {
    crate::store::archive::fuzzing::archive(bytes);
}

/// The conversion of requests.
pub fn requests(bytes: &[u8]) {
    crate::service::fuzzing::requests(bytes);
}

/// What is followed of a connection's HTTP/2 frames.
pub fn frames(bytes: &[u8]) {
    crate::serve::fuzzing::frames(bytes);
}

/// The one position that was ever sealed with the key of [`tokens`], as far as a fuzzer can know.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Position {
    request: u64,
    revision: u64,
    next: String,
}

impl Position {
    fn sealed() -> Self {
        Self { request: 7, revision: 1_000, next: "CN-SD".into() }
    }
}

/// Tokens of pages and watches, and those of callers. The first byte says what the others are taken for.
pub fn tokens(bytes: &[u8]) {
    let Some((&what, bytes)) = bytes.split_first() else { return };
    let tokens = Tokens::new([7; 32], [1; 16]);
    let text = String::from_utf8_lossy(bytes);
    match what % 4 {
        0 => forged(&tokens, &text),
        1 => forged(&tokens, &URL_SAFE_NO_PAD.encode(bytes)),
        2 => {
            payload::<u64>(&tokens, bytes);
            payload::<(u64, u64, String)>(&tokens, bytes);
            payload::<(u64, u64, Cursor)>(&tokens, bytes);
            payload::<(u64, u64, ComputedCursor)>(&tokens, bytes);
            payload::<(u64, u64, (String, VintagePlace))>(&tokens, bytes);
        }
        _ => {
            let Ok(token) = text.parse::<Token>() else { return };
            assert_eq!(token.reveal(), text);
            let secret = text.splitn(3, '_').last().unwrap_or_default();
            assert!(!format!("{token:?}").contains(secret));
        }
    }
}

/// Nothing opens but what was sealed, and that for its purpose alone.
fn forged(tokens: &Tokens, text: &str) {
    for purpose in [Purpose::Page, Purpose::Resume] {
        match tokens.open::<Position>(purpose, text) {
            Ok(position) => {
                assert_eq!((purpose, &position), (Purpose::Page, &Position::sealed()));
                assert_eq!(tokens.seal(purpose, &position), text);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// Bytes that this service would have sealed, of another release.
struct Payload<'a>(&'a [u8]);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Without a length before them.
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

fn payload<T: Serialize + DeserializeOwned>(tokens: &Tokens, bytes: &[u8]) {
    let token = tokens.seal(Purpose::Page, &Payload(bytes));
    match tokens.open::<T>(Purpose::Page, &token) {
        Ok(payload) => assert!(tokens.open::<T>(Purpose::Page, &tokens.seal(Purpose::Page, &payload)).is_ok()),
        Err(error) => assert_eq!(error, TokenError::Malformed),
    }
    assert_eq!(tokens.open::<T>(Purpose::Resume, &token).err(), Some(TokenError::Altered));
}

#[cfg(test)]
#[path = "../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use indicator_proto::v1;
    use prost::{Message, Name};
    use serde_json::json;

    use super::*;

    type Target = fn(&[u8]);

    #[test]
    fn the_regressions_of_fuzzing_stay_mended() {
        let targets: [(&str, Target); 5] =
            [("store", store), ("archive", archive), ("requests", requests), ("frames", frames), ("tokens", tokens)];
        for (target, run) in targets {
            replay::replay(target, run);
        }
    }

    fn seed(target: &str, name: &str, what: u8, bytes: &[u8]) {
        let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/seeds")).join(target);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join(name), [&[what], bytes].concat()).unwrap();
    }

    fn request<M: Message + Name + Default>(name: &str, what: u8, json: serde_json::Value) {
        seed("requests", name, what, &indicator_proto::from_json::<M>(json).unwrap().encode_to_vec());
    }

    /// Run by hand when a form changes.
    #[test]
    #[ignore = "writes the seeds of tests/fuzz"]
    fn the_seeds_of_fuzzing_are_made() {
        let tokens = Tokens::new([7; 32], [1; 16]);
        let token = tokens.seal(Purpose::Page, &Position::sealed());
        seed("tokens", "sealed", 0, token.as_bytes());
        seed("tokens", "sealed-bytes", 1, &URL_SAFE_NO_PAD.decode(&token).unwrap());
        seed("tokens", "of-another-store", 0, Tokens::new([8; 32], [2; 16]).seal(Purpose::Page, &Position::sealed()).as_bytes());
        seed("tokens", "payload", 2, b"\x07\xe8\x07\x05CN-SD");
        let access = format!("indicator_0123456789ab_{}", "x".repeat(43));
        seed("tokens", "access", 3, access.as_bytes());

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
}
