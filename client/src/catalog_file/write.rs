//! Entries as a catalog file.

use std::fmt::Write as _;

use indicator_proto::{to_json_as_in_schema, v1::catalog_entry::Entry};
use prost::{Message, Name};
use prost_reflect::Kind;
use serde_json::{Map, Value};

use super::{TABLES, short_name};

/// Entries as a TOML file, which [`parse`](super::parse) reads as upserts of the same entries.
pub fn to_toml(entries: &[Entry]) -> String {
    let mut text = String::new();
    for (table, entries) in tables(entries) {
        for fields in entries {
            let _ = writeln!(text, "{}[[{table}]]", if text.is_empty() { "" } else { "\n" });
            for (name, value) in fields {
                let _ = writeln!(text, "{name} = {}", written(value));
            }
        }
    }
    text
}

/// Entries as a JSON file, which [`parse`](super::parse) reads as upserts of the same entries.
pub fn to_json(entries: &[Entry]) -> Value {
    let tables = tables(entries).into_iter();
    let array = |entries: Vec<Map<_, _>>| Value::Array(entries.into_iter().map(Value::Object).collect());
    Value::Object(tables.map(|(table, entries)| (table.to_owned(), array(entries))).collect())
}

/// The tables that have entries, in the order of files, with the fields of each entry.
fn tables(entries: &[Entry]) -> Vec<(&'static str, Vec<Map<String, Value>>)> {
    let mut tables: Vec<_> = TABLES.iter().map(|table| (*table, Vec::new())).collect();
    for entry in entries {
        let fields = match entry {
            Entry::Region(it) => fields(it),
            Entry::Source(it) => fields(it),
            Entry::Unit(it) => fields(it),
            Entry::Dimension(it) => fields(it),
            Entry::Indicator(it) => fields(it),
        };
        let table = tables.iter_mut().find(|(table, _)| *table == entry.kind().noun());
        table.expect("every kind of entry has its table").1.push(fields);
    }
    tables.retain(|(_, entries)| !entries.is_empty());
    tables
}

/// The fields of an entry in the order of the schema, as people write them: those that are set, enums by the end of their name.
fn fields<M: Message + Name>(entry: &M) -> Map<String, Value> {
    let descriptor = indicator_proto::pool().get_message_by_name(&M::full_name()).expect("the schema has its messages");
    let Value::Object(mut fields) = to_json_as_in_schema(entry) else { unreachable!("an entry is a JSON object") };
    for (name, value) in &mut fields {
        if let (Some(Kind::Enum(codes)), Value::String(text)) = (descriptor.get_field_by_name(name).map(|it| it.kind()), value) {
            *text = short_name(&codes, text);
        }
    }
    fields
}

/// A value as TOML: on one line, but for lists of tables, which have a line for each.
fn written(value: Value) -> String {
    match value {
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let lines = items.into_iter().map(|item| format!("    {},\n", toml(item)));
            format!("[\n{}]", lines.collect::<String>())
        }
        value => toml(value).to_string(),
    }
}

fn toml(value: Value) -> toml::Value {
    match value {
        Value::String(text) => text.into(),
        Value::Bool(truth) => truth.into(),
        Value::Number(number) => number.as_i64().map_or_else(|| number.as_f64().unwrap_or_default().into(), Into::into),
        Value::Array(items) => items.into_iter().map(toml).collect::<Vec<_>>().into(),
        Value::Object(fields) => toml::Value::Table(fields.into_iter().map(|(name, value)| (name, toml(value))).collect()),
        // The mapping leaves out what is not set.
        Value::Null => String::new().into(),
    }
}
