//! What is done to a store that no server has open: restoring it, moving its history, comparing it with its log.

mod export;
mod restore;
mod verify;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

pub use export::{ExportArgs, export};
pub use restore::{ImportArgs, RestoreArgs, import, restore};
pub use verify::{Damaged, VerifyArgs, verify};

use crate::{
    engine::{self, Engine},
    store::Store,
    watch,
};

/// An archive that is to be read: a file, or standard input.
struct Source {
    name: PathBuf,
    reader: Box<dyn Read>,
}

/// Opens all archives before anything is done.
fn sources(files: &[PathBuf]) -> anyhow::Result<Vec<Source>> {
    let open = |name: &PathBuf| -> anyhow::Result<Source> {
        let reader: Box<dyn Read> = if name.as_os_str() == "-" {
            Box::new(io::stdin())
        } else {
            let file = File::open(name).with_context(|| name.display().to_string())?;
            anyhow::ensure!(!file.metadata()?.is_dir(), "{}: this is a directory; name an archive in it", name.display());
            Box::new(file)
        };
        Ok(Source { name: name.clone(), reader })
    };
    files.iter().map(open).collect()
}

/// The digest of all figures of a store, as a watch of everything tells it. It reads all that a server reads when it starts.
fn digest(store: Store) -> anyhow::Result<u64> {
    let options = engine::Options { write_queue: 1, clock: now, retention: engine::Retention::EVERYTHING };
    Ok(watch::digest(&Engine::over(store, options)?)?.0)
}

fn now() -> indicator_proto::Time {
    let micros = jiff::Timestamp::now().as_microsecond();
    indicator_proto::Time::from_micros(micros).expect("the clock shows a year before 10000")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// "1 commit", "3 commits".
fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A path in a message.
fn named(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}
