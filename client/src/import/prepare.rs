//! Files to an import that is ready to run: every row read, every name resolved, every figure in its batch. Nothing is sent.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use indicator_proto::{
    Time,
    v1::{CatalogEntry, WriteMode},
};

use super::batch::{Batches, Size};
use super::error::Error;
use super::mapping::{Layout, Mapping};
use super::problem::Reject;
use super::resolve::{self, Catalog};
use super::rows;
use super::source::Text;
use crate::names::Names;

/// One file to import.
#[derive(Debug, Clone)]
pub struct Input {
    /// What is in it.
    pub text: Text,
    /// What is where in it.
    pub mapping: Mapping,
    /// Where its mapping is saved: the files that it names are relative to it.
    pub directory: PathBuf,
}

/// What an import is to do.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What happens to the cells that are named, and to the others.
    pub mode: WriteMode,
    /// Names that the catalog does not know become entries.
    pub create_missing: bool,
    /// The changes are wanted, and not only their number.
    pub include_changes: bool,
}

/// An import that is ready to run.
#[derive(Debug)]
pub struct Import {
    pub(super) files: Vec<File>,
    pub(super) created: Vec<CatalogEntry>,
    pub(super) options: Options,
}

/// One file of an import.
#[derive(Debug)]
pub struct File {
    pub(super) text: Text,
    pub(super) layout: Layout,
    pub(super) batches: Arc<Batches>,
    pub(super) published_at: Option<Time>,
    pub(super) rejects: Vec<Reject>,
    pub(super) skipped: u64,
    pub(super) headers: HashMap<u32, Arc<str>>,
}

impl Import {
    /// Reads and checks files as a whole. They are in the order of their publication then, so that the newest edition becomes the
    /// current one last.
    ///
    /// # Errors
    ///
    /// When a file does not have what its mapping names. What is wrong with single rows is among the [rejects](Self::files).
    pub fn prepare(inputs: Vec<Input>, names: Names, options: Options) -> Result<Self, Error> {
        let mut catalog = Catalog::new(names, options.create_missing);
        let mut files = Vec::with_capacity(inputs.len());
        for Input { text, mapping, directory } in inputs {
            let mut rows = rows::read(&text, &mapping, options.mode != WriteMode::Delete)?;
            let header = std::mem::take(&mut rows.header);
            let keys = std::mem::take(&mut rows.keys);
            let file = resolve::File { name: &text.name, header: &header, mapping: &mapping, directory: &directory };
            let resolved = catalog.resolve(&file, &keys)?;
            let size = if options.include_changes { Size::ANSWERED_IN_FULL } else { Size::ORDINARY };
            let batches = Arc::new(Batches::new(&mut rows, resolved, options.mode, size));
            rows.rejects.sort_by_key(|reject| reject.line);
            let rows::Rows { published_at, skipped, rejects, headers, .. } = rows;
            files.push(File { text, layout: mapping.read, batches, published_at, rejects, skipped, headers });
        }
        files.sort_by_key(|file| (file.published_at.is_none(), file.published_at));
        Ok(Self { files, created: catalog.created().cloned().collect(), options })
    }

    /// The files, in the order in which they are imported.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Catalog entries that will be created.
    pub fn created(&self) -> &[CatalogEntry] {
        &self.created
    }

    /// Figures that are ready to be written.
    pub fn figures(&self) -> u64 {
        self.files.iter().map(|file| file.batches.figures.len() as u64).sum()
    }

    /// Rows and cells that are not taken.
    pub fn rejected(&self) -> usize {
        self.files.iter().map(|file| file.rejects.len()).sum()
    }

    /// What the import is to do.
    pub fn options(&self) -> Options {
        self.options
    }
}

impl File {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.text.name
    }

    /// What is not taken, by line.
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// Cells without a figure that were left out.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// When the whole file was published.
    pub fn published_at(&self) -> Option<Time> {
        self.published_at
    }
}

#[cfg(test)]
#[path = "prepare_tests.rs"]
mod tests;
