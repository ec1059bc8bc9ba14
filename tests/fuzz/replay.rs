//! The inputs of a fuzz target that are kept, for ordinary tests.

use std::{fs, path::Path};

/// Gives a target its seeds, and what it once failed on.
///
/// # Panics
///
/// If they are not there, or it fails.
pub(crate) fn replay(target: &str, run: fn(&[u8])) {
    let kept = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz"));
    let (seeds, regressions) = (kept.join("seeds").join(target), kept.join("regressions"));
    assert!(regressions.is_dir(), "{} is missing", regressions.display());
    assert!(seeds.is_dir(), "{} is missing", seeds.display());
    // A target that never failed has no directory there.
    for directory in [seeds, regressions.join(target)].into_iter().filter(|directory| directory.is_dir()) {
        let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "{} is empty", directory.display());
        for file in files {
            let bytes = fs::read(&file).unwrap();
            assert!(std::panic::catch_unwind(|| run(&bytes)).is_ok(), "{} fails", file.display());
        }
    }
}
