use tonic_reflection::{
    pb,
    server::{
        Builder,
        v1::{ServerReflection as V1, ServerReflectionServer as V1Server},
        v1alpha::{ServerReflection as V1Alpha, ServerReflectionServer as V1AlphaServer},
    },
};

const SOUND: &str = "the descriptor sets are compiled in";

/// `grpc.reflection.v1`.
pub(super) fn v1() -> V1Server<impl V1> {
    schema().build_v1().expect(SOUND).max_decoding_message_size(usize::MAX)
}

/// `grpc.reflection.v1alpha`, which many released clients still ask for.
pub(super) fn v1alpha() -> V1AlphaServer<impl V1Alpha> {
    schema().build_v1alpha().expect(SOUND).max_decoding_message_size(usize::MAX)
}

/// All that a client meets here: without `google.rpc` it could not read the details of an error.
fn schema() -> Builder<'static> {
    [
        indicator_proto::FILE_DESCRIPTOR_SET,
        tonic_types::pb::FILE_DESCRIPTOR_SET,
        pb::v1::FILE_DESCRIPTOR_SET,
        pb::v1alpha::FILE_DESCRIPTOR_SET,
    ]
    .into_iter()
    .fold(Builder::configure(), Builder::register_encoded_file_descriptor_set)
}
