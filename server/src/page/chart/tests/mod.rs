mod samples;

use std::{fs, path::Path};

/// Writes the samples as files to look at: `cargo nextest run --run-ignored only -E 'test(for_eyes)'`.
#[test]
#[ignore = "writes files for eyes, and checks nothing"]
fn samples_for_eyes() {
    let into = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/charts");
    fs::create_dir_all(&into).unwrap();
    for (name, chart) in samples::all() {
        fs::write(into.join(format!("{name}.svg")), chart.standalone()).unwrap();
    }
}
