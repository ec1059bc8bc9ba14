//! A mapping and a header become a plan: for each field, where in a record its text stands.

use std::borrow::Cow;
use std::sync::Arc;

use csv::ByteRecord;

use super::error::Error;
use super::mapping::{Column, Field, Fields, Mapping, Origin};
use super::numbers;
use super::source::Text;
use super::table::{Table, text_of};

/// The column of a dimension in the canonical layout: `dim.sex`.
pub(crate) const DIMENSION_PREFIX: &str = "dim.";

/// Where everything stands in the records of one file.
#[derive(Debug)]
pub(super) struct Plan {
    /// Indicator, region, source, then the dimensions.
    pub(super) key: Vec<Part>,
    /// What an observation has beside its cell and its value.
    pub(super) details: Vec<Part>,
    pub(super) period: Option<Part>,
    /// Columns with figures. Empty in files that only name cells.
    pub(super) values: Vec<ValueColumn>,
    pub(super) numbers: numbers::Reader,
    /// `published_at` of the whole file.
    pub(super) published_at: Option<String>,
    /// Cells of the header.
    pub(super) columns: usize,
}

/// A column with figures.
#[derive(Debug)]
pub(super) struct ValueColumn {
    pub(super) at: usize,
    /// Its header, where the header says something about the figure.
    pub(super) header: Option<Arc<str>>,
}

/// One field and where its text stands.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) field: Cow<'static, str>,
    pub(super) place: Place,
    /// `None` where the text stays as it is.
    pub(super) transform: Option<Field>,
}

/// Where the text of a field stands.
#[derive(Debug)]
pub(super) enum Place {
    /// In this column.
    Column(usize),
    /// It is always this one.
    Constant(String),
    /// In the header of the figure's column.
    Header(super::mapping::Pattern),
}

impl Part {
    /// The field's text in a record, for a figure under this header.
    pub(super) fn text<'r>(&'r self, record: &'r ByteRecord, header: Option<&'r str>) -> Cow<'r, str> {
        let raw = match &self.place {
            // Free texts are kept to the letter; everything else is a word or a number.
            Place::Column(at) if is_free_text(&self.field) => text_of(record, *at),
            Place::Column(at) => text_of(record, *at).trim(),
            Place::Constant(text) => text,
            Place::Header(pattern) => header.and_then(|header| pattern.extract(header)).unwrap_or_default(),
        };
        match &self.transform {
            Some(field) => Cow::Owned(field.transform(raw)),
            None => Cow::Borrowed(raw),
        }
    }
}

fn is_free_text(field: &str) -> bool {
    matches!(field, "original_text" | "note" | "document_uri")
}

impl Plan {
    /// The plan for a table. `figures` says whether the file must have figures; to delete, it only needs to name cells.
    pub(super) fn new(text: &Text, table: &Table<'_>, mapping: &Mapping, figures: bool) -> Result<Self, Error> {
        let Fields { indicator, region, source, dimension, period, value, .. } = &mapping.fields;
        let binder = Binder { text, table };
        let mut key = Vec::new();
        for (field, given) in [("indicator", indicator), ("region", region), ("source", source)] {
            key.extend(binder.part(field, given.as_ref())?);
        }
        key.extend(binder.dimensions(dimension)?);
        let period = binder.part("period", period.as_ref())?;
        let mut details = binder.details(&mapping.fields)?;
        let published_at = take_constant(&mut details, "published_at");
        let under_headers = |part: &Part| matches!(part.place, Place::Header(_));
        let wide = key.iter().chain(&period).chain(&details).any(under_headers);
        let values = match (wide, value) {
            (true, Some(_)) => return Err(Error::ValueAndHeaders),
            (true, None) => binder.columns_under_headers(key.iter().chain(&period).chain(&details))?,
            (false, value) => binder.value_column(value.as_ref())?,
        };
        let plan = Self {
            key,
            details,
            period,
            values,
            numbers: numbers::Reader::new(&mapping.numbers)?,
            published_at,
            columns: table.header().len(),
        };
        plan.check(text, table, figures)?;
        Ok(plan)
    }

    fn check(&self, text: &Text, table: &Table<'_>, figures: bool) -> Result<(), Error> {
        let has = |field: &str| self.key.iter().chain(&self.details).any(|part| part.field == field);
        let mut fields: Vec<_> = ["indicator", "region", "source"].into_iter().filter(|field| !has(field)).collect();
        fields.extend(self.period.is_none().then_some("period"));
        let figure = !self.values.is_empty() || has("missing") || (has("lower") && has("upper"));
        fields.extend((figures && !figure).then_some("value"));
        if fields.is_empty() {
            return Ok(());
        }
        Err(Error::Unmapped { file: text.name.clone(), fields, columns: table.header().to_vec() })
    }
}

/// Takes a field out that is the same for the whole file.
fn take_constant(parts: &mut Vec<Part>, field: &str) -> Option<String> {
    let at = parts.iter().position(|part| part.field == field && matches!(part.place, Place::Constant(_)))?;
    let part = parts.remove(at);
    Some(part.text(&ByteRecord::new(), None).into_owned())
}

struct Binder<'a> {
    text: &'a Text,
    table: &'a Table<'a>,
}

impl Binder<'_> {
    /// The place of a field: where the mapping says, or else in the column of its name. `None` if it is nowhere.
    fn part(&self, name: &str, given: Option<&Field>) -> Result<Option<Part>, Error> {
        let canonical;
        let field = match given {
            Some(field) => field,
            None if self.table.header().iter().any(|header| header == name) => {
                canonical = Field::from_origin(Origin::Column(Column::Name(name.to_owned())));
                &canonical
            }
            None => return Ok(None),
        };
        let place = match &field.origin {
            Origin::Column(column) => Place::Column(self.table.position(column)?),
            Origin::Constant(text) => Place::Constant(text.clone()),
            Origin::Headers(pattern) => Place::Header(pattern.clone()),
            Origin::FileName(pattern) => Place::Constant(self.in_file_name(name, pattern)?),
        };
        let transform = field.transforms().then(|| field.clone());
        Ok(Some(Part { field: Cow::Owned(name.to_owned()), place, transform }))
    }

    fn in_file_name(&self, field: &str, pattern: &regex::Regex) -> Result<String, Error> {
        let absent = || Error::FileName { file: self.text.name.clone(), field: field.to_owned() };
        let captures = pattern.captures(&self.text.name).ok_or_else(absent)?;
        let found = captures.get(1).or_else(|| captures.get(0)).ok_or_else(absent)?;
        Ok(found.as_str().to_owned())
    }

    fn dimensions(&self, given: &std::collections::BTreeMap<String, Field>) -> Result<Vec<Part>, Error> {
        let mut parts = Vec::new();
        for (id, field) in given {
            parts.extend(self.part(&format!("{DIMENSION_PREFIX}{id}"), Some(field))?);
        }
        for header in self.table.header() {
            let canonical = header.strip_prefix(DIMENSION_PREFIX);
            if canonical.is_some_and(|id| !given.contains_key(id)) {
                parts.extend(self.part(header, None)?);
            }
        }
        parts.sort_by(|a, b| a.field.cmp(&b.field));
        Ok(parts)
    }

    fn details(&self, fields: &Fields) -> Result<Vec<Part>, Error> {
        let given = [
            ("bound", &fields.bound),
            ("lower", &fields.lower),
            ("upper", &fields.upper),
            ("missing", &fields.missing),
            ("statuses", &fields.statuses),
            ("rounded_to", &fields.rounded_to),
            ("equivalents", &fields.equivalents),
            ("original_text", &fields.original_text),
            ("note", &fields.note),
            ("document_uri", &fields.document_uri),
            ("published_at", &fields.published_at),
        ];
        let mut parts = Vec::new();
        for (name, field) in given {
            parts.extend(self.part(name, field.as_ref())?);
        }
        Ok(parts)
    }

    /// Columns that no field uses and whose header has what every field under headers looks for.
    fn columns_under_headers<'p>(&self, parts: impl Iterator<Item = &'p Part>) -> Result<Vec<ValueColumn>, Error> {
        let mut used = Vec::new();
        let mut patterns = Vec::new();
        for part in parts {
            match &part.place {
                Place::Column(at) => used.push(*at),
                Place::Header(pattern) => patterns.push(pattern),
                Place::Constant(_) => {}
            }
        }
        let headers = self.table.header().iter().enumerate();
        let free = headers.filter(|(at, header)| !header.is_empty() && !used.contains(at));
        let matching = free.filter(|(_, header)| patterns.iter().all(|pattern| pattern.matches(header)));
        let columns: Vec<_> = matching.map(|(at, header)| ValueColumn { at, header: Some(Arc::from(&**header)) }).collect();
        if columns.is_empty() {
            return Err(Error::NoHeaderMatches { file: self.text.name.clone(), columns: self.table.header().to_vec() });
        }
        Ok(columns)
    }

    fn value_column(&self, given: Option<&Field>) -> Result<Vec<ValueColumn>, Error> {
        match self.part("value", given)? {
            Some(Part { place: Place::Column(at), transform: None, .. }) => Ok(vec![ValueColumn { at, header: None }]),
            Some(_) => Err(Error::ValueOrigin),
            None => Ok(Vec::new()),
        }
    }
}
