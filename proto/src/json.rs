//! The proto3 JSON mapping of the schema's messages: <https://protobuf.dev/programming-guides/json/>.

use std::sync::OnceLock;

use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, Kind, MessageDescriptor, SerializeOptions};
use serde_json::Value;

use crate::FILE_DESCRIPTOR_SET;

/// A JSON value that is not the message asked for.
#[derive(Debug, thiserror::Error)]
#[error("this is not the JSON of the message {message}: {reason}")]
pub struct JsonError {
    /// The message's name in the schema.
    pub message: &'static str,
    /// What is wrong, with the field's name.
    reason: serde_json::Error,
}

/// The schema, for reflection.
pub fn pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the build compiled these descriptors"))
}

/// A message as JSON; fields that have their default value are left out. Equal messages are written alike: maps by key.
pub fn to_json<M: Message + Name>(message: &M) -> Value {
    serialized(message, &SerializeOptions::new())
}

/// As [`to_json`], with the fields named as in the schema: `rounded_to`, not `roundedTo`.
pub fn to_json_as_in_schema<M: Message + Name>(message: &M) -> Value {
    serialized(message, &SerializeOptions::new().use_proto_field_name(true))
}

fn serialized<M: Message + Name>(message: &M, options: &SerializeOptions) -> Value {
    let descriptor = descriptor::<M>();
    let dynamic = DynamicMessage::decode(descriptor.clone(), message.encode_to_vec().as_slice())
        .expect("a message is encoded as its descriptor says");
    let mut json = dynamic
        .serialize_with_options(serde_json::value::Serializer, options)
        .expect("every field of the schema has a JSON form");
    sort_maps(&descriptor, &mut json);
    json
}

/// Maps come in the order of a hash table, which is another one each time.
fn sort_maps(descriptor: &MessageDescriptor, json: &mut Value) {
    let Value::Object(fields) = json else { return };
    for (name, value) in fields {
        let Some(field) = descriptor.get_field_by_json_name(name).or_else(|| descriptor.get_field_by_name(name)) else {
            continue;
        };
        let kind = match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                value.as_object_mut().into_iter().for_each(serde_json::Map::sort_keys);
                entry.map_entry_value_field().kind()
            }
            kind => kind,
        };
        let Kind::Message(inner) = kind else { continue };
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| sort_maps(&inner, item)),
            Value::Object(entries) if field.is_map() => entries.values_mut().for_each(|entry| sort_maps(&inner, entry)),
            value => sort_maps(&inner, value),
        }
    }
}

/// A message from JSON. Takes field names as `lowerCamel` and as `snake_case`; refuses unknown ones.
pub fn from_json<M: Message + Name + Default>(value: Value) -> Result<M, JsonError> {
    let dynamic = DynamicMessage::deserialize_with_options(descriptor::<M>(), value, &DeserializeOptions::new())
        .map_err(|reason| JsonError { message: M::NAME, reason })?;
    Ok(M::decode(dynamic.encode_to_vec().as_slice()).expect("a message is encoded as its descriptor says"))
}

fn descriptor<M: Name>() -> MessageDescriptor {
    pool().get_message_by_name(&M::full_name()).expect("messages are generated from the same descriptors")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost_types::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::{Time, v1};

    fn stores() -> v1::Observation {
        v1::Observation {
            series: Some(v1::SeriesKey {
                indicator: "online-retail-stores".into(),
                region: "CN-SD".into(),
                source: "local-media".into(),
                dimensions: [("level".to_owned(), "provincial".to_owned())].into(),
            }),
            period: "2021-12-06".into(),
            value: "1710000".into(),
            bound: v1::Bound::Exact.into(),
            statuses: vec![v1::ObservationStatus::Provisional.into()],
            rounded_to: "10000".into(),
            published_at: Some(Timestamp { seconds: 1_638_748_800, nanos: 500_000_000 }),
            revision: 9_007_199_254_740_993,
            ..Default::default()
        }
    }

    #[test]
    fn a_message_is_mapped_as_proto3_says() {
        assert_eq!(
            to_json(&stores()),
            json!({
                "series": {
                    "indicator": "online-retail-stores",
                    "region": "CN-SD",
                    "source": "local-media",
                    "dimensions": {"level": "provincial"},
                },
                "period": "2021-12-06",
                "value": "1710000",
                "bound": "BOUND_EXACT",
                "statuses": ["OBSERVATION_STATUS_PROVISIONAL"],
                "roundedTo": "10000",
                "publishedAt": "2021-12-06T00:00:00.500Z",
                "revision": "9007199254740993",
            })
        );
    }

    #[test]
    fn maps_are_written_by_key_at_any_depth() {
        let dimensions: std::collections::BTreeMap<_, _> = (10..40).map(|n| (format!("d{n}"), format!("c{n}"))).collect();
        let series = Some(v1::SeriesKey { dimensions: dimensions.clone(), ..Default::default() });
        let request =
            v1::WriteObservationsRequest { changes: vec![v1::Observation { series, ..stores() }], ..Default::default() };
        let json = to_json(&request);
        let written: Vec<&String> = json["changes"][0]["series"]["dimensions"].as_object().expect("a map").keys().collect();
        assert_eq!(written, dimensions.keys().collect::<Vec<_>>());
        assert_eq!(to_json_as_in_schema(&stores())["rounded_to"], json!("10000"));
    }

    #[test]
    fn both_spellings_of_a_field_are_taken() {
        let camel: v1::Observation = from_json(json!({"roundedTo": "10", "publishedAt": "2021-12-06T00:00:00Z"})).expect("camel");
        let snake: v1::Observation =
            from_json(json!({"rounded_to": "10", "published_at": "2021-12-06T00:00:00Z"})).expect("snake");
        assert_eq!(camel, snake);
        assert_eq!(camel.rounded_to, "10");
    }

    #[test]
    fn what_is_unknown_or_of_the_wrong_kind_is_refused_by_name() {
        let refusal = |value| from_json::<v1::Observation>(value).expect_err("refused").to_string();
        let message = refusal(json!({"valu": "1"}));
        assert!(message.starts_with("this is not the JSON of the message Observation") && message.contains("valu"), "{message}");
        let message = refusal(json!({"bound": "BOUND_ROUGHLY"}));
        assert!(message.contains("BOUND_ROUGHLY"), "{message}");
        let message = refusal(json!({"value": 5}));
        assert!(message.contains("string"), "{message}");
        refusal(json!([]));
    }

    #[test]
    fn every_message_of_the_schema_is_in_the_pool() {
        assert!(pool().get_message_by_name("indicator.v1.WatchResponse").is_some());
        assert!(pool().get_service_by_name("indicator.v1.ObservationService").is_some());
        assert_eq!(to_json(&v1::GetStatusRequest {}), json!({}));
    }

    proptest! {
        #[test]
        fn a_message_comes_back_from_json(
            value in ".{0,20}", note in ".{0,20}", revision in any::<u64>(), bound in 0..=6i32, missing in 0..=5i32,
            statuses in prop::collection::vec(1..=14i32, 0..4), micros in Time::MIN.micros()..=Time::MAX.micros(), deleted in any::<bool>()
        ) {
            let published_at = Time::from_micros(micros).map(Timestamp::from);
            let observation = v1::Observation { value, note, revision, bound, missing, statuses, published_at, deleted, ..stores() };
            prop_assert_eq!(from_json::<v1::Observation>(to_json(&observation)).expect("ours"), observation);
        }
    }
}
