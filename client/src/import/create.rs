//! Making catalog entries for texts that the catalog does not know, as the mapping describes them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use indicator_proto::{
    IdError, check_code_id, check_region_id, check_slug, check_unit_id,
    v1::{CatalogEntry, Code, Dimension, EntryKind, Indicator, Region, Source, Unit, UnitKind, catalog_entry::Entry},
};

use super::error::Error;
use super::lookup::Row;
use super::mapping::{Alternatives, Template};
use super::problem::Problem;
use crate::names::Names;

/// What an entry is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blueprint<'a> {
    pub(super) template: &'a Template,
    pub(super) row: Row<'a>,
    pub(super) names: &'a Names,
}

/// An entry that was made, or why it cannot be; outside, what is wrong with the mapping.
type Made<T> = Result<Result<T, Problem>, Error>;

impl Blueprint<'_> {
    /// The id that an entry for the text has or would have.
    pub(super) fn id(&self) -> Result<String, Error> {
        Ok(self.row.first(&self.template.id)?.unwrap_or_else(|| self.row.text.to_owned()))
    }

    /// The id as a slug: what people call indicators and sources has capitals and blanks, their ids do not.
    fn slug(&self) -> Result<String, Error> {
        Ok(self.id()?.to_lowercase().split_whitespace().collect::<Vec<_>>().join("-"))
    }

    /// A region.
    pub(super) fn region(&self) -> Made<CatalogEntry> {
        let id = self.id()?;
        if let Err(source) = check_region_id(&id) {
            return Ok(Err(self.no_id("region", source)));
        }
        let Some(level) = self.row.first(&self.template.level)? else { return Ok(Err(self.not_described("region", "level"))) };
        let parent = self.row.first(&self.template.parent)?.unwrap_or_default();
        if !parent.is_empty()
            && let Err(error) = self.names.resolve(EntryKind::Region, &parent)
        {
            return Ok(Err(error.into()));
        }
        let codes = self.texts(&self.template.code)?;
        let region = Region { id, parent, level, names: self.names()?, codes, ..Region::default() };
        Ok(Ok(entry(Entry::Region(region))))
    }

    /// An indicator that may be broken down by these dimensions.
    pub(super) fn indicator(&self, dimensions: Vec<String>) -> Made<CatalogEntry> {
        let id = self.slug()?;
        if let Err(source) = check_slug(&id) {
            return Ok(Err(self.no_id("indicator", source)));
        }
        let Some(unit) = self.row.first(&self.template.unit)? else {
            return Ok(Err(self.not_described("indicator", "unit")));
        };
        let indicator = Indicator {
            id,
            names: self.names()?,
            descriptions: self.texts(&self.template.description)?,
            unit,
            topic: self.row.first(&self.template.topic)?.unwrap_or_default(),
            optional_dimensions: dimensions,
            ..Indicator::default()
        };
        Ok(Ok(entry(Entry::Indicator(indicator))))
    }

    /// A source.
    pub(super) fn source(&self) -> Made<CatalogEntry> {
        let id = self.slug()?;
        if let Err(source) = check_slug(&id) {
            return Ok(Err(self.no_id("source", source)));
        }
        let kind = self.row.first(&self.template.kind)?.unwrap_or_else(|| "organization".to_owned());
        Ok(Ok(entry(Entry::Source(Source { id, names: self.names()?, kind, ..Source::default() }))))
    }

    /// The dimension with one more code, and the code's id. A dimension that is not there is made.
    pub(super) fn code(&self, dimension: &str) -> Made<(CatalogEntry, String)> {
        let id = self.id()?;
        let field = || Cow::Owned(format!("dimension.{dimension}"));
        if let Err(source) = check_code_id(&id) {
            return Ok(Err(self.no_id(field(), source)));
        }
        let known = match self.names.entry(EntryKind::Dimension, dimension).and_then(|entry| entry.entry.as_ref()) {
            Some(Entry::Dimension(known)) => Some(known.clone()),
            _ => None,
        };
        let mut dimension = match (known, check_slug(dimension)) {
            (Some(known), _) => known,
            (None, Err(source)) => return Ok(Err(self.no_id(field(), source))),
            (None, Ok(())) => Dimension { id: dimension.to_owned(), names: named(dimension), ..Dimension::default() },
        };
        if !dimension.codes.iter().any(|code| code.id == id) {
            dimension.codes.push(Code { id: id.clone(), names: self.names()?, aliases: Vec::new() });
        }
        Ok(Ok((entry(Entry::Dimension(dimension)), id)))
    }

    fn names(&self) -> Result<BTreeMap<String, String>, Error> {
        let names = self.texts(&self.template.name)?;
        Ok(if names.is_empty() { named(self.row.text) } else { names })
    }

    fn texts(&self, alternatives: &BTreeMap<String, Alternatives>) -> Result<BTreeMap<String, String>, Error> {
        let mut texts = BTreeMap::new();
        for (key, alternatives) in alternatives {
            if let Some(text) = self.row.first(alternatives)? {
                texts.insert(key.clone(), text);
            }
        }
        Ok(texts)
    }

    fn no_id(&self, kind: impl Into<Cow<'static, str>>, cause: IdError) -> Problem {
        Problem::NoId { text: self.row.text.to_owned(), kind: kind.into(), cause: Box::new(cause) }
    }

    fn not_described(&self, kind: &'static str, what: &'static str) -> Problem {
        Problem::NotDescribed { text: self.row.text.to_owned(), kind: kind.into(), what }
    }
}

/// A unit for a code: an ISO 4217 code is a currency, a code in braces a count of what it says, "%" a share, "{rank}" a rank.
/// `None` if the code cannot be one.
pub(super) fn unit(id: &str) -> Option<CatalogEntry> {
    check_unit_id(id).ok()?;
    let kind = match id {
        "%" => UnitKind::Share,
        "{rank}" => UnitKind::Rank,
        "{index}" => UnitKind::Index,
        "1" => UnitKind::Count,
        _ if id.starts_with('{') => UnitKind::Count,
        _ if id.len() == 3 && id.bytes().all(|byte| byte.is_ascii_uppercase()) => UnitKind::Currency,
        _ => UnitKind::Physical,
    };
    let name = id.trim_matches(['{', '}']);
    Some(entry(Entry::Unit(Unit { id: id.to_owned(), names: named(name), kind: kind.into(), ..Unit::default() })))
}

/// A text as a name, in the language that its script suggests.
fn named(text: &str) -> BTreeMap<String, String> {
    let is_han = |character: char| ('\u{4e00}'..='\u{9fff}').contains(&character);
    let language = if text.chars().any(is_han) { "zh" } else { "en" };
    BTreeMap::from([(language.to_owned(), text.to_owned())])
}

fn entry(entry: Entry) -> CatalogEntry {
    CatalogEntry { entry: Some(entry) }
}
