//! What every command has at hand.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

use clap::ValueEnum;
use indicator_client::Client;
use indicator_proto::{to_json, words::Language};
use prost::{Message, Name};

use crate::output::{Listing, Style, View};

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people
    Table,
    /// One JSON object: the response in the proto3 JSON mapping
    Json,
    /// One JSON object a line for each item, as they arrive
    Ndjson,
    /// One CSV record for each item, as they arrive
    Csv,
}

/// Where data go: standard output, buffered. Flush it where somebody waits for a line.
pub(crate) type Output = BufWriter<Stdout>;

/// What every command has at hand.
#[derive(Debug)]
pub(crate) struct Context {
    /// Talks to the server; connects at its first call.
    pub(crate) client: Client,
    /// How to write the answer.
    pub(crate) format: Format,
    /// In which language to write names and words.
    pub(crate) language: Language,
    /// Whether and how the terminal is used.
    pub(crate) style: Style,
}

impl Context {
    /// Standard output.
    pub(crate) fn stdout(&self) -> Output {
        BufWriter::with_capacity(64 * 1024, io::stdout())
    }

    /// Writes items to standard output in the format asked for.
    pub(crate) fn listing<V: View>(&self, view: V) -> anyhow::Result<Listing<V, Output>> {
        Listing::new(view, self.format, self.style, self.stdout())
    }

    /// Writes an answer that is there as a whole as one JSON object: the response in the proto3 JSON mapping.
    pub(crate) fn json<M: Message + Name>(&self, response: &M) -> anyhow::Result<()> {
        let mut out = self.stdout();
        serde_json::to_writer_pretty(&mut out, &to_json(response))?;
        writeln!(out)?;
        Ok(out.flush()?)
    }

    /// Writes items as lines of JSON.
    pub(crate) fn ndjson<'a, M: Message + Name + 'a>(&self, items: impl IntoIterator<Item = &'a M>) -> anyhow::Result<()> {
        let mut out = self.stdout();
        for item in items {
            serde_json::to_writer(&mut out, &to_json(item))?;
            writeln!(out)?;
        }
        Ok(out.flush()?)
    }

    /// Tells people something on standard error that is not data. Programs, which ask for another format, are not told.
    pub(crate) fn remark(&self, text: &str) {
        if self.format == Format::Table {
            // Standard error may be closed; there is no other place to say so.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Whether somebody watches standard error: progress is drawn only then.
    pub(crate) fn watched() -> bool {
        io::stderr().is_terminal()
    }
}
