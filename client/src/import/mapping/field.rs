//! One field of a mapping: where its text comes from and what is done to it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::pattern::{Pattern, braced};

/// What is where. Each field is absent, or has an origin.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// Indicator: id, code, name or alias.
    pub indicator: Option<Field>,
    /// Region: id, code, name or alias.
    pub region: Option<Field>,
    /// Source: id or name.
    pub source: Option<Field>,
    /// Code of a dimension by the dimension's id.
    pub dimension: BTreeMap<String, Field>,
    /// Period in any SDMX form.
    pub period: Option<Field>,
    /// The figure.
    pub value: Option<Field>,
    /// How the figure relates to the value.
    pub bound: Option<Field>,
    /// Lower end of an interval.
    pub lower: Option<Field>,
    /// Upper end of an interval.
    pub upper: Option<Field>,
    /// Why there is no figure.
    pub missing: Option<Field>,
    /// Statuses, separated by blanks.
    pub statuses: Option<Field>,
    /// Size of the last digit as published.
    pub rounded_to: Option<Field>,
    /// Equivalents as published: `"470400000000 USD; ..."`.
    pub equivalents: Option<Field>,
    /// The source's own words.
    pub original_text: Option<Field>,
    /// A remark.
    pub note: Option<Field>,
    /// Where it was published.
    pub document_uri: Option<Field>,
    /// When it was published: a day (its first moment in UTC) or a time.
    pub published_at: Option<Field>,
}

/// Where the text of a field comes from, and what becomes of it: first `map`, and if that has no entry the first of `rules` that
/// matches, and if none does the text stays as it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "RawField")]
pub struct Field {
    /// Where the text comes from.
    pub origin: Origin,
    /// Text to text.
    pub map: BTreeMap<String, String>,
    /// Pattern to template.
    pub rules: Vec<Rule>,
    /// Only codes of this scheme count, of regions: "gbt2260". Absent means ids, names, and codes of every scheme.
    pub scheme: Option<String>,
}

/// Where the text of a field comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A column.
    Column(Column),
    /// The same for every row.
    Constant(String),
    /// The header of the column that the figure stands in: every column that no other field uses and whose header matches.
    Headers(Pattern),
    /// The name of the file: the first group of the first match, or the match.
    FileName(regex::Regex),
}

/// A column by name, or by position from 1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// By position, from 1.
    Position(usize),
    /// By name.
    Name(String),
}

/// A pattern and what becomes of a text that it matches.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "RawRule")]
pub struct Rule {
    /// What the whole text must match.
    pub pattern: Pattern,
    /// The template, with groups in braces.
    pub replace: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    pattern: Pattern,
    replace: String,
}

impl From<RawRule> for Rule {
    fn from(raw: RawRule) -> Self {
        Self { pattern: raw.pattern, replace: braced(&raw.replace).into_owned() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawField {
    column: Option<Column>,
    constant: Option<Constant>,
    headers: Option<Pattern>,
    file_name: Option<String>,
    #[serde(default)]
    map: BTreeMap<String, String>,
    #[serde(default)]
    rules: Vec<Rule>,
    scheme: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Constant {
    Text(String),
    Number(i64),
}

/// Why a field of a mapping makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum InvalidField {
    /// None or several origins.
    #[error("a field has exactly one of `column`, `constant`, `headers` and `file_name`")]
    Origin,
    /// The pattern on the file name is none.
    #[error(transparent)]
    Pattern(#[from] regex::Error),
}

impl TryFrom<RawField> for Field {
    type Error = InvalidField;

    fn try_from(raw: RawField) -> Result<Self, InvalidField> {
        let origin = match (raw.column, raw.constant, raw.headers, raw.file_name) {
            (Some(column), None, None, None) => Origin::Column(column),
            (None, Some(Constant::Text(text)), None, None) => Origin::Constant(text),
            (None, Some(Constant::Number(number)), None, None) => Origin::Constant(number.to_string()),
            (None, None, Some(pattern), None) => Origin::Headers(pattern),
            (None, None, None, Some(pattern)) => Origin::FileName(regex::Regex::new(&pattern)?),
            _ => return Err(InvalidField::Origin),
        };
        Ok(Self { origin, map: raw.map, rules: raw.rules, scheme: raw.scheme })
    }
}

impl Field {
    /// A field with this origin and nothing done to its text.
    pub fn from_origin(origin: Origin) -> Self {
        Self { origin, map: BTreeMap::new(), rules: Vec::new(), scheme: None }
    }

    /// Whether a text may become another.
    pub fn transforms(&self) -> bool {
        !self.map.is_empty() || !self.rules.is_empty()
    }

    /// What becomes of a text.
    pub fn transform(&self, text: &str) -> String {
        let mapped = self.map.get(text).cloned();
        let rewritten = || self.rules.iter().find_map(|rule| rule.pattern.rewrite(text, &rule.replace));
        mapped.or_else(rewritten).unwrap_or_else(|| text.to_owned())
    }
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Position(position) => write!(f, "{position}"),
            Self::Name(name) => write!(f, "{name:?}"),
        }
    }
}
