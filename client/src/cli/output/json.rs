//! One JSON object with a list, written item by item.

use std::io::{self, Write};

use indicator_proto::to_json;
use prost::{Message, Name};
use serde_json::{Map, Value};

/// A message as the fields of its JSON object.
pub(crate) fn fields<M: Message + Name>(message: &M) -> Map<String, Value> {
    match to_json(message) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// An object whose first field is a list of any length. Call [`JsonList::finish`] at the end.
#[derive(Debug)]
pub(crate) struct JsonList<W: Write> {
    out: W,
    empty: bool,
}

impl<W: Write> JsonList<W> {
    /// Begins the object. `name` is the field of the list.
    pub(crate) fn new(name: &str, mut out: W) -> io::Result<Self> {
        write!(out, "{{\n  {}: [", Value::from(name))?;
        Ok(Self { out, empty: true })
    }

    /// Adds an item.
    pub(crate) fn push(&mut self, item: &Value) -> io::Result<()> {
        self.out.write_all(if self.empty { b"\n" } else { b",\n" })?;
        self.empty = false;
        // Texts in JSON hold no line breaks, so each one here separates two lines of the item.
        let text = format!("{item:#}").replace('\n', "\n    ");
        write!(self.out, "    {text}")
    }

    /// Ends the object with its other fields.
    pub(crate) fn finish(mut self, rest: &Map<String, Value>) -> io::Result<()> {
        self.out.write_all(if self.empty { b"]" } else { b"\n  ]" })?;
        for (name, value) in rest {
            let text = format!("{value:#}").replace('\n', "\n  ");
            write!(self.out, ",\n  {}: {text}", Value::from(name.as_str()))?;
        }
        self.out.write_all(b"\n}\n")?;
        self.out.flush()
    }

    /// Hands over what has been written so far.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
