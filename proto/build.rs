//! Compiles the schema: messages and stubs for Rust, and a descriptor set for reflection.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 10] = [
    "grpc/health/v1/health.proto",
    "indicator/v1/admin.proto",
    "indicator/v1/analytics.proto",
    "indicator/v1/archive.proto",
    "indicator/v1/catalog.proto",
    "indicator/v1/error.proto",
    "indicator/v1/observation.proto",
    "indicator/v1/record.proto",
    "indicator/v1/transform.proto",
    "indicator/v1/watch.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("indicator.bin"), descriptors.encode_to_vec())?;
    // Maps sorted by key: equal messages have equal encodings, which request fingerprints and digests rest on.
    let mut config = tonic_prost_build::Config::new();
    // The JSON mapping finds a message's descriptor by its name.
    config.enable_type_names();
    tonic_prost_build::configure().btree_map(".").compile_fds_with_config(descriptors, config)?;
    Ok(())
}
