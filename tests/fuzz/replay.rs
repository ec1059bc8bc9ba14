//! The inputs of a fuzz target that are kept, for ordinary tests.

use std::{fs, path::PathBuf};

/// Gives a target its seeds, and what it once failed on.
///
/// # Panics
///
/// If they are not there.
pub(crate) fn replay(target: &str, run: fn(&[u8])) {
    let directory = |name: &str| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz")).join(name).join(target);
    for directory in [directory("seeds"), directory("regressions")] {
        let files = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "{} is empty", directory.display());
        for file in files {
            let bytes = fs::read(&file).unwrap();
            assert!(std::panic::catch_unwind(|| run(&bytes)).is_ok(), "{} fails", file.display());
        }
    }
}
