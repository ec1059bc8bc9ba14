//! Catalogs as files: TOML or JSON with the tables `region`, `source`, `unit`, `dimension`, `indicator` and `delete`.
//!
//! ```toml
//! [[region]]
//! id = "CN-SD"
//! parent = "CN"
//! level = "province"
//! names = { en = "Shandong", zh = "山东" }
//!
//! [[delete]]
//! kind = "source"
//! id = "a-source-of-yesterday"
//! ```
//!
//! [`parse`] reads them; [`to_toml`] and [`to_json`] write entries so that they are read back as they are.
//!
//! The entries of a table have the fields of the message of that name, in their proto3 JSON mapping. Enums may also be written by
//! the end of their name: `kind = "count"` is `UNIT_KIND_COUNT`. What the schema does not know is an error, not ignored: a misspelt
//! field would otherwise delete what it was meant to set.

mod write;

use std::fmt;

use indicator_proto::v1::{CatalogAction, CatalogEntry, EntryKind, EntryReference, catalog_action::Action, catalog_entry::Entry};
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

pub use self::write::{to_json, to_toml};

/// The tables in the order in which their entries are applied, which is that of the answer too.
const TABLES: [&str; 6] = [UNIT, REGION, SOURCE, DIMENSION, INDICATOR, DELETE];

const UNIT: &str = EntryKind::Unit.noun();
const REGION: &str = EntryKind::Region.noun();
const SOURCE: &str = EntryKind::Source.noun();
const DIMENSION: &str = EntryKind::Dimension.noun();
const INDICATOR: &str = EntryKind::Indicator.noun();
/// The table of what is deleted.
const DELETE: &str = "delete";

/// A file that is no catalog, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Listed(problems))]
pub struct InvalidCatalog {
    /// At least one, in the order of the file's tables.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is neither TOML nor JSON.
    #[error("{file}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// What the parser says, with the place.
        message: String,
    },
    /// A table that does not exist.
    #[error("{file}: {table:?} is no table of a catalog; there are {}", TABLES.join(", "))]
    UnknownTable {
        /// The file.
        file: String,
        /// Its name.
        table: String,
    },
    /// A table that is not a list of entries.
    #[error("{file}: {table} is not a list of entries; write [[{table}]] before each of them")]
    NotEntries {
        /// The file.
        file: String,
        /// Its name.
        table: &'static str,
    },
    /// A field that this kind of entry does not have.
    #[error("{file}: {entry}: there is no field {field:?}; there are {known}")]
    UnknownField {
        /// The file.
        file: String,
        /// The entry, such as `region CN-SD`.
        entry: String,
        /// The field's path.
        field: String,
        /// Those that it has.
        known: String,
    },
    /// A value that the field does not take.
    #[error("{file}: {entry}: {field}: {message}")]
    InvalidValue {
        /// The file.
        file: String,
        /// The entry, such as `region CN-SD`.
        entry: String,
        /// The field's path.
        field: String,
        /// What is wrong with it.
        message: String,
    },
}

/// Reads a catalog. `file` is its name in problems.
pub fn parse(file: &str, text: &str) -> Result<Vec<CatalogAction>, InvalidCatalog> {
    let syntax = |message: String| InvalidCatalog { problems: vec![Problem::Syntax { file: file.to_owned(), message }] };
    let text = text.trim_start_matches('\u{feff}');
    // A TOML document cannot begin with a brace, and a JSON object must.
    let mut tables = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| syntax(error.to_string()))?
    } else {
        let table: toml::Table = toml::from_str(text).map_err(|error| syntax(error.to_string().trim_end().to_owned()))?;
        table.into_iter().map(|(name, value)| (name, json(value))).collect()
    };
    let mut reader = Reader { file, problems: Vec::new() };
    let actions = reader.actions(&mut tables);
    if reader.problems.is_empty() { Ok(actions) } else { Err(InvalidCatalog { problems: reader.problems }) }
}

/// What people call an entry: its kind and its id.
pub fn title(action: &CatalogAction) -> String {
    match &action.action {
        None => "an empty action".to_owned(),
        Some(Action::Delete(reference)) => {
            format!("delete {} {}", reference.kind().noun(), reference.id)
        }
        Some(Action::Upsert(CatalogEntry { entry: None })) => "an empty entry".to_owned(),
        Some(Action::Upsert(CatalogEntry { entry: Some(entry) })) => format!("{} {}", entry.kind().noun(), entry.id()),
    }
}

struct Reader<'a> {
    file: &'a str,
    problems: Vec<Problem>,
}

/// Where a value stands: the entry, and the path of the field in it.
#[derive(Clone, Copy)]
struct Place<'a> {
    entry: &'a str,
    path: &'a str,
}

impl Reader<'_> {
    fn actions(&mut self, tables: &mut Map<String, Value>) -> Vec<CatalogAction> {
        let mut actions = Vec::new();
        for table in TABLES {
            let entries = match tables.remove(table) {
                None => continue,
                Some(Value::Array(entries)) => entries,
                Some(_) => {
                    self.problems.push(Problem::NotEntries { file: self.file.to_owned(), table });
                    continue;
                }
            };
            for (position, entry) in entries.into_iter().enumerate() {
                match entry {
                    Value::Object(fields) => actions.extend(self.action(table, position, fields)),
                    _ => self.problems.push(Problem::NotEntries { file: self.file.to_owned(), table }),
                }
            }
        }
        for table in tables.keys() {
            self.problems.push(Problem::UnknownTable { file: self.file.to_owned(), table: table.clone() });
        }
        actions
    }

    fn action(&mut self, table: &'static str, position: usize, fields: Map<String, Value>) -> Option<CatalogAction> {
        let entry = match fields.get("id") {
            Some(Value::String(id)) => format!("{table} {id}"),
            _ => format!("{table} number {}", position + 1),
        };
        let action = match table {
            DELETE => Action::Delete(self.message::<EntryReference>(&entry, fields)?),
            UNIT => upsert(Entry::Unit(self.message(&entry, fields)?)),
            REGION => upsert(Entry::Region(self.message(&entry, fields)?)),
            SOURCE => upsert(Entry::Source(self.message(&entry, fields)?)),
            DIMENSION => upsert(Entry::Dimension(self.message(&entry, fields)?)),
            _ => upsert(Entry::Indicator(self.message(&entry, fields)?)),
        };
        Some(CatalogAction { action: Some(action) })
    }

    /// The message, if every field is right. Fields are read one by one, so that every wrong one is found and named.
    fn message<M: Message + Name + Default>(&mut self, entry: &str, fields: Map<String, Value>) -> Option<M> {
        let descriptor = indicator_proto::pool().get_message_by_name(&M::full_name()).expect("the schema has its messages");
        let before = self.problems.len();
        let mut message = DynamicMessage::new(descriptor.clone());
        for (name, mut value) in fields {
            let Some(field) = self.field(&descriptor, Place { entry, path: "" }, &name) else { continue };
            let faultless = self.problems.len();
            self.check(&field, Place { entry, path: &name }, &mut value);
            if self.problems.len() > faultless {
                continue;
            }
            let alone = Value::Object(Map::from_iter([(name.clone(), value)]));
            match DynamicMessage::deserialize(descriptor.clone(), alone) {
                Ok(read) if read.has_field(&field) => message.set_field(&field, read.get_field(&field).into_owned()),
                Ok(_) => {}
                Err(error) => self.invalid(Place { entry, path: &name }, error.to_string()),
            }
        }
        (self.problems.len() == before).then(|| message.transcode_to().expect("a message is encoded as its descriptor says"))
    }

    fn field(&mut self, descriptor: &MessageDescriptor, place: Place<'_>, name: &str) -> Option<FieldDescriptor> {
        let field = descriptor.get_field_by_name(name).or_else(|| descriptor.get_field_by_json_name(name));
        if field.is_none() {
            let known: Vec<String> = descriptor.fields().map(|field| field.name().to_owned()).collect();
            let field = if place.path.is_empty() { name.to_owned() } else { format!("{}.{name}", place.path) };
            let (file, entry) = (self.file.to_owned(), place.entry.to_owned());
            self.problems.push(Problem::UnknownField { file, entry, field, known: known.join(", ") });
        }
        field
    }

    /// Finds what the JSON mapping would refuse inside a value, and writes its enums out.
    fn check(&mut self, field: &FieldDescriptor, place: Place<'_>, value: &mut Value) {
        match (field.kind(), value) {
            (Kind::Enum(codes), Value::String(text)) => match written_out(&codes, text) {
                Some(name) => *text = name,
                None => self.invalid(place, format!("{text:?} is none of {}", short_names(&codes).join(", "))),
            },
            (Kind::Message(inner), Value::Array(items)) if !field.is_map() => {
                for (position, item) in items.iter_mut().enumerate() {
                    let path = format!("{}[{position}]", place.path);
                    self.check_fields(&inner, Place { path: &path, ..place }, item);
                }
            }
            (Kind::Message(inner), value) if !field.is_map() => self.check_fields(&inner, place, value),
            _ => {}
        }
    }

    fn check_fields(&mut self, descriptor: &MessageDescriptor, place: Place<'_>, value: &mut Value) {
        let Value::Object(fields) = value else { return };
        for (name, value) in fields {
            if let Some(field) = self.field(descriptor, place, name) {
                let path = format!("{}.{name}", place.path);
                self.check(&field, Place { path: &path, ..place }, value);
            }
        }
    }

    fn invalid(&mut self, place: Place<'_>, message: String) {
        let (file, entry, field) = (self.file.to_owned(), place.entry.to_owned(), place.path.to_owned());
        self.problems.push(Problem::InvalidValue { file, entry, field, message });
    }
}

fn upsert(entry: Entry) -> Action {
    Action::Upsert(CatalogEntry { entry: Some(entry) })
}

/// What the names of an enum's values begin with: that of its value 0, without its "UNSPECIFIED".
fn prefix(codes: &EnumDescriptor) -> String {
    codes.default_value().name().trim_end_matches("UNSPECIFIED").to_owned()
}

fn short_names(codes: &EnumDescriptor) -> Vec<String> {
    codes.values().filter(|value| value.number() != 0).map(|value| short_name(codes, value.name())).collect()
}

fn short_name(codes: &EnumDescriptor, name: &str) -> String {
    name.trim_start_matches(&prefix(codes)).to_ascii_lowercase().replace('_', "-")
}

fn written_out(codes: &EnumDescriptor, text: &str) -> Option<String> {
    let name = text.to_ascii_uppercase().replace('-', "_");
    [name.clone(), prefix(codes) + &name].into_iter().find(|name| codes.get_value_by_name(name).is_some())
}

/// TOML as JSON. A date written without quotes, as `valid_from = 2019-01-09`, is its text.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(fields) => fields.into_iter().map(|(name, value)| (name, json(value))).collect(),
    }
}

struct Listed<'a>(&'a [Problem]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
