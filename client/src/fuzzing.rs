//! The targets of `tests/fuzz` in this crate: each takes any bytes, and panics where something does not hold that must.

/// Data files, with the mappings that they are read by.
pub fn import(bytes: &[u8]) {
    crate::import::fuzzing::import(bytes);
}

/// Files of catalogs.
pub fn catalog(bytes: &[u8]) {
    match crate::catalog_file::parse("catalog.toml", &String::from_utf8_lossy(bytes)) {
        Ok(actions) => assert!(actions.iter().all(|action| !crate::catalog_file::title(action).is_empty())),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Workbooks.
pub fn workbook(bytes: &[u8]) {
    crate::import::fuzzing::workbook(bytes);
}

#[cfg(test)]
#[path = "../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    type Target = fn(&[u8]);

    #[test]
    fn the_regressions_of_fuzzing_stay_mended() {
        let targets: [(&str, Target); 3] = [("import", import), ("catalog", catalog), ("workbook", workbook)];
        for (target, run) in targets {
            replay::replay(target, run);
        }
    }
}
