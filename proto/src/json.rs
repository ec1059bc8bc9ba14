//! The proto3 JSON mapping of the schema's messages: <https://protobuf.dev/programming-guides/json/>.

use std::sync::OnceLock;

use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};

use crate::FILE_DESCRIPTOR_SET;

/// A JSON value that is not the message asked for.
#[derive(Debug, thiserror::Error)]
#[error("this is not a {message}: {source}")]
pub struct JsonError {
    /// The message's name in the schema.
    pub message: &'static str,
    /// What is wrong, with the field's name.
    source: serde_json::Error,
}

/// The schema, for reflection.
pub fn pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the build compiled these descriptors"))
}

/// A message as JSON; fields that have their default value are left out.
pub fn to_json<M: Message + Name>(message: &M) -> serde_json::Value {
    let dynamic = DynamicMessage::decode(descriptor::<M>(), message.encode_to_vec().as_slice())
        .expect("a message is encoded as its descriptor says");
    dynamic
        .serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new())
        .expect("every field of the schema has a JSON form")
}

/// A message from JSON. Takes field names as `lowerCamel` and as `snake_case`; refuses unknown ones.
pub fn from_json<M: Message + Name + Default>(value: serde_json::Value) -> Result<M, JsonError> {
    let dynamic = DynamicMessage::deserialize_with_options(descriptor::<M>(), value, &DeserializeOptions::new())
        .map_err(|source| JsonError { message: M::NAME, source })?;
    Ok(M::decode(dynamic.encode_to_vec().as_slice()).expect("a message is encoded as its descriptor says"))
}

fn descriptor<M: Name>() -> MessageDescriptor {
    pool().get_message_by_name(&M::full_name()).expect("messages are generated from the same descriptors")
}
