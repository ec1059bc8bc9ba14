//! System calls of a server that go wrong while it runs: by a library that is put before the system's own.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt as _,
    path::Path,
    process::Command,
};

use tempfile::TempDir;

use crate::server::Environment;

/// What goes wrong, of files of more than a page: the store's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `write`, `pwrite`.
    Write = 0,
    /// `fsync`, `fdatasync`.
    Sync = 1,
    /// `sync_file_range`.
    RangeSync = 2,
}

/// How it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    None,
    /// EIO.
    InputOutput,
    /// ENOSPC.
    NoSpace,
    /// Half of it is done, which is what the call answers.
    Half,
    /// Nothing is done, and the call succeeds.
    Pretended,
}

/// The faults of one server, which is started in their [environment](Faults::environment).
#[derive(Debug)]
pub struct Faults {
    directory: TempDir,
    control: File,
}

impl Faults {
    /// None yet.
    ///
    /// # Panics
    ///
    /// If the library cannot be compiled; whoever links Rust has a C compiler.
    #[must_use]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let control = OpenOptions::new().write(true).create_new(true).open(directory.path().join("control")).unwrap();
        control.set_len(4096).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/faults.c");
        let library = directory.path().join("faults.so");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(library).arg(source).status().unwrap();
        assert!(compiled.success());
        Self { directory, control }
    }

    /// What a server must be started with.
    #[must_use]
    pub fn environment(&self) -> Environment {
        let path = |name| self.directory.path().join(name).into_os_string();
        vec![("LD_PRELOAD".into(), path("faults.so")), ("INDICATOR_FAULTS".into(), path("control"))]
    }

    /// From now on.
    pub fn set(&self, call: Call, fault: Fault) {
        self.set_times(call, fault, 0);
    }

    /// The next times.
    pub fn set_times(&self, call: Call, fault: Fault, times: u8) {
        let code = match fault {
            Fault::None => 0,
            Fault::InputOutput => 5,
            Fault::NoSpace => 28,
            Fault::Half => 254,
            Fault::Pretended => 255,
        };
        self.control.write_all_at(&[code, times], 2 * call as u64).unwrap();
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::new()
    }
}
