//! What can be said of an entry without looking at any other: form, sizes, required fields.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{Arguments, Display},
};

use indicator_proto::{
    Decimal, Frequency, IdError, Period, check_code_id, check_region_id, check_slug, check_unit_id,
    v1::{self, EntryKind, ErrorReason, RegionAggregation, TimeAggregation, UnitKind},
};

use super::Entry;
use crate::engine::{
    Violation,
    formula::{Formula, ParseFormulaError},
};

/// Bytes of a name, alias, symbol or code of another scheme at most.
pub(super) const NAME_BYTES: usize = 500;
/// Bytes of a description or licence at most.
const TEXT_BYTES: usize = 4_000;
/// Bytes of a URI at most.
const URI_BYTES: usize = 2_000;
/// Digits after a decimal point at most.
const GREATEST_DECIMALS: u32 = 28;

/// Bytes of an encoded entry at most: it is one value of the store, and those stay below 64 KiB.
const ENTRY_BYTES: usize = 60_000;

/// Checks the form of an id of this kind.
pub(super) fn check_id(kind: EntryKind, id: &str) -> Result<(), IdError> {
    match kind {
        EntryKind::Region => check_region_id(id),
        EntryKind::Unit => check_unit_id(id),
        EntryKind::Unspecified | EntryKind::Source | EntryKind::Dimension | EntryKind::Indicator => check_slug(id),
    }
}

/// Checks the form of the entry whose fields begin with `path`.
pub(super) fn check(path: &str, entry: &Entry, problems: &mut Vec<Violation>) {
    let mut form = Form { path, problems };
    form.id("id", entry.id(), |id| check_id(entry.kind(), id));
    match entry {
        Entry::Region(region) => form.region(region),
        Entry::Source(source) => form.source(source),
        Entry::Unit(unit) => form.unit(unit),
        Entry::Dimension(dimension) => form.dimension(dimension),
        Entry::Indicator(indicator) => form.indicator(indicator),
    }
    let bytes = super::encode(entry).len();
    if bytes > ENTRY_BYTES {
        let description = format!("takes {bytes} bytes, {ENTRY_BYTES} are allowed; shorten its texts, or split its code list");
        problems.push(Violation::new(path, ErrorReason::TextTooLong, description));
    }
}

/// Removes white space around names and aliases, and aliases that say nothing or the same again.
pub(super) fn normalise(entry: &mut Entry) {
    match entry {
        Entry::Region(region) => {
            trim(&mut region.names);
            trim(&mut region.codes);
            distinct(&mut region.aliases);
        }
        Entry::Source(source) => trim(&mut source.names),
        Entry::Unit(unit) => {
            trim(&mut unit.names);
            trim(&mut unit.symbols);
        }
        Entry::Dimension(dimension) => {
            trim(&mut dimension.names);
            for code in &mut dimension.codes {
                trim(&mut code.names);
                distinct(&mut code.aliases);
            }
        }
        Entry::Indicator(indicator) => {
            trim(&mut indicator.names);
            trim(&mut indicator.descriptions);
            distinct(&mut indicator.aliases);
            trim_text(&mut indicator.formula);
        }
    }
}

fn trim(texts: &mut BTreeMap<String, String>) {
    for text in texts.values_mut() {
        trim_text(text);
    }
}

fn trim_text(text: &mut String) {
    if text.trim().len() < text.len() {
        *text = text.trim().to_owned();
    }
}

fn distinct(aliases: &mut Vec<String>) {
    aliases.iter_mut().for_each(trim_text);
    let mut seen = BTreeSet::new();
    aliases.retain(|alias| !alias.is_empty() && seen.insert(alias.clone()));
}

struct Form<'a> {
    path: &'a str,
    problems: &'a mut Vec<Violation>,
}

impl Form<'_> {
    fn region(&mut self, region: &v1::Region) {
        if !region.parent.is_empty() {
            self.id("parent", &region.parent, check_region_id);
        }
        self.id("level", &region.level, check_slug);
        self.names("names", &region.names);
        for (scheme, code) in &region.codes {
            let field = format!("codes[{scheme:?}]");
            self.id(&field, scheme, check_slug);
            if code.trim().is_empty() {
                self.fail(&field, ErrorReason::Required, format_args!("the code is empty; write it, or leave the scheme out"));
            }
            self.size(&field, code, NAME_BYTES);
        }
        self.sizes("aliases", &region.aliases);
        let from = self.day("valid_from", &region.valid_from);
        let to = self.day("valid_to", &region.valid_to);
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            let problem = format_args!("its last day {to} is before its first day {from}; exchange them or correct one");
            self.fail("valid_to", ErrorReason::InvalidInterval, problem);
        }
    }

    fn source(&mut self, source: &v1::Source) {
        self.names("names", &source.names);
        self.id("kind", &source.kind, check_slug);
        if !source.region.is_empty() {
            self.id("region", &source.region, check_region_id);
        }
        self.size("uri", &source.uri, URI_BYTES);
        self.size("licence", &source.licence, TEXT_BYTES);
    }

    fn unit(&mut self, unit: &v1::Unit) {
        self.names("names", &unit.names);
        match UnitKind::try_from(unit.kind) {
            Ok(UnitKind::Unspecified) => {
                let problem = format_args!("the kind is missing; say what the unit measures: a count, a currency, a share, ...");
                self.fail("kind", ErrorReason::InvalidEnum, problem);
            }
            Ok(UnitKind::Currency) if !is_currency(&unit.id) => {
                let problem =
                    format_args!("{:?} is no ISO 4217 code; a currency's id is three capitals, for example \"CNY\"", unit.id);
                self.fail("id", ErrorReason::InvalidId, problem);
            }
            Ok(_) => {}
            Err(_) => self.unknown_number("kind", unit.kind),
        }
        self.texts("symbols", &unit.symbols, NAME_BYTES);
        self.base_unit(unit);
        self.ratio(unit);
    }

    fn base_unit(&mut self, unit: &v1::Unit) {
        match (unit.base_unit.is_empty(), unit.factor.is_empty()) {
            (true, true) => return,
            (true, false) => {
                let problem = format_args!("a factor is that to a base unit; name the base unit, or leave the factor out");
                self.fail("factor", ErrorReason::ConflictingFields, problem);
                return;
            }
            (false, true) => {
                let problem = format_args!("say how many {:?} make one {:?}, as a decimal", unit.base_unit, unit.id);
                self.fail("factor", ErrorReason::Required, problem);
            }
            (false, false) => match unit.factor.parse::<Decimal>() {
                Ok(factor) if factor.is_zero() || factor.is_negative() => {
                    let problem = format_args!("{factor} of a unit make none; write how many base units make one, above zero");
                    self.fail("factor", ErrorReason::InvalidDecimal, problem);
                }
                Ok(_) => {}
                Err(error) => self.fail("factor", ErrorReason::InvalidDecimal, format_args!("{error}")),
            },
        }
        self.id("base_unit", &unit.base_unit, check_unit_id);
        match unit.kind() {
            UnitKind::Ratio => {
                let problem = format_args!("a ratio is defined by its numerator and denominator; leave base_unit and factor out");
                self.fail("base_unit", ErrorReason::ConflictingFields, problem);
            }
            UnitKind::Rank => {
                let problem = format_args!("a rank is not so many of another; leave base_unit and factor out");
                self.fail("base_unit", ErrorReason::ConflictingFields, problem);
            }
            _ => {}
        }
    }

    fn ratio(&mut self, unit: &v1::Unit) {
        for (field, part) in [("numerator", &unit.numerator), ("denominator", &unit.denominator)] {
            match (unit.kind(), part.is_empty()) {
                (UnitKind::Ratio, true) => {
                    let problem = format_args!("a ratio is so much of one unit for each of another; name both by their ids");
                    self.fail(field, ErrorReason::Required, problem);
                }
                (UnitKind::Ratio, false) => self.id(field, part, check_unit_id),
                // Without a kind, nothing is known of what belongs to it.
                (_, true) | (UnitKind::Unspecified, false) => {}
                (_, false) => {
                    let problem = format_args!("only a ratio has one; leave it out, or set the kind to RATIO");
                    self.fail(field, ErrorReason::ConflictingFields, problem);
                }
            }
        }
        if unit.kind() == UnitKind::Ratio && !unit.numerator.is_empty() && unit.numerator == unit.denominator {
            let problem = format_args!("both are {:?}; a part of a whole is a SHARE", unit.numerator);
            self.fail("denominator", ErrorReason::ConflictingFields, problem);
        }
    }

    fn dimension(&mut self, dimension: &v1::Dimension) {
        self.names("names", &dimension.names);
        if dimension.codes.is_empty() {
            self.fail("codes", ErrorReason::Required, format_args!("a dimension has at least one code; list its codes"));
        }
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (i, code) in dimension.codes.iter().enumerate() {
            let field = format!("codes[{i}].id");
            self.id(&field, &code.id, check_code_id);
            if let Some(first) = first.get(code.id.as_str()) {
                let problem = format_args!("the code {:?} stands at codes[{first}] already; remove one of them", code.id);
                self.fail(&field, ErrorReason::ConflictingFields, problem);
            }
            first.entry(&code.id).or_insert(i);
            self.names(&format!("codes[{i}].names"), &code.names);
            self.sizes(&format!("codes[{i}].aliases"), &code.aliases);
        }
    }

    fn indicator(&mut self, indicator: &v1::Indicator) {
        self.names("names", &indicator.names);
        self.texts("descriptions", &indicator.descriptions, TEXT_BYTES);
        self.id("unit", &indicator.unit, check_unit_id);
        if !indicator.topic.is_empty() {
            self.id("topic", &indicator.topic, check_slug);
        }
        if let Some(decimals) = indicator.decimals.filter(|decimals| *decimals > GREATEST_DECIMALS) {
            let problem = format_args!("figures have at most {GREATEST_DECIMALS} digits, and this shows {decimals} decimals");
            self.fail("decimals", ErrorReason::InvalidDecimal, problem);
        }
        self.slugs("dimensions", &indicator.dimensions);
        self.slugs("optional_dimensions", &indicator.optional_dimensions);
        for (i, dimension) in indicator.optional_dimensions.iter().enumerate() {
            if indicator.dimensions.contains(dimension) {
                let problem = format_args!("{dimension:?} is required by `dimensions` already; remove it from one of the two");
                self.fail(format!("optional_dimensions[{i}]"), ErrorReason::ConflictingFields, problem);
            }
        }
        if TimeAggregation::try_from(indicator.time_aggregation).is_err() {
            self.unknown_number("time_aggregation", indicator.time_aggregation);
        }
        self.weight(indicator);
        self.slugs("source_order", &indicator.source_order);
        self.sizes("aliases", &indicator.aliases);
        self.formula(indicator);
    }

    fn formula(&mut self, indicator: &v1::Indicator) {
        let formula = indicator.formula.trim();
        if formula.is_empty() {
            return;
        }
        match formula.parse::<Formula>() {
            Ok(_) => {}
            Err(error @ ParseFormulaError::TooLong(_)) => self.fail("formula", ErrorReason::TextTooLong, format_args!("{error}")),
            Err(error) => self.fail("formula", ErrorReason::InvalidFormula, format_args!("{error}")),
        }
        if !indicator.source_order.is_empty() {
            let problem = format_args!("an indicator with a formula has no sources, its operands have; leave the order out");
            self.fail("source_order", ErrorReason::ConflictingFields, problem);
        }
    }

    fn weight(&mut self, indicator: &v1::Indicator) {
        let weight = &indicator.region_weight;
        match RegionAggregation::try_from(indicator.region_aggregation) {
            Ok(RegionAggregation::Weighted) if weight.is_empty() => {
                let problem = format_args!("a weighted mean needs weights; name the indicator that weights the regions");
                self.fail("region_weight", ErrorReason::Required, problem);
            }
            Ok(RegionAggregation::Weighted) if *weight == indicator.id => {
                let problem = format_args!("an indicator cannot be its own weight; name another one");
                self.fail("region_weight", ErrorReason::InvalidEntry, problem);
            }
            Ok(RegionAggregation::Weighted) => self.id("region_weight", weight, check_slug),
            Ok(_) if !weight.is_empty() => {
                let problem =
                    format_args!("only a weighted mean has weights; leave it out, or set region_aggregation to WEIGHTED");
                self.fail("region_weight", ErrorReason::ConflictingFields, problem);
            }
            Ok(_) => {}
            Err(_) => self.unknown_number("region_aggregation", indicator.region_aggregation),
        }
    }

    /// A list of slugs, each at most once.
    fn slugs(&mut self, field: &str, ids: &[String]) {
        for (i, id) in ids.iter().enumerate() {
            let item = format!("{field}[{i}]");
            self.id(&item, id, check_slug);
            if ids[..i].contains(id) {
                self.fail(&item, ErrorReason::ConflictingFields, format_args!("{id:?} is listed twice; remove one of them"));
            }
        }
    }

    fn id(&mut self, field: &str, id: &str, check: impl FnOnce(&str) -> Result<(), IdError>) {
        match check(id) {
            Ok(()) => {}
            Err(error @ IdError::Empty { .. }) => self.fail(field, ErrorReason::Required, format_args!("{error}")),
            Err(error) => self.fail(field, ErrorReason::InvalidId, format_args!("{error}")),
        }
    }

    /// Texts by language, at least one.
    fn names(&mut self, field: &str, names: &BTreeMap<String, String>) {
        if names.is_empty() {
            let problem = format_args!("there is no name; give at least one, by language: {{\"en\": \"...\"}}");
            self.fail(field, ErrorReason::Required, problem);
        }
        self.texts(field, names, NAME_BYTES);
    }

    /// Texts by language.
    fn texts(&mut self, field: &str, texts: &BTreeMap<String, String>, bytes: usize) {
        for (language, text) in texts {
            let item = format!("{field}[{language:?}]");
            if !is_language(language) {
                let problem = format_args!("{language:?} is no BCP 47 language tag; write for example \"en\" or \"zh-Hant\"");
                self.fail(&item, ErrorReason::InvalidId, problem);
            }
            if text.trim().is_empty() {
                self.fail(&item, ErrorReason::Required, format_args!("the text is empty; write it, or leave the language out"));
            }
            self.size(&item, text, bytes);
        }
    }

    fn sizes(&mut self, field: &str, texts: &[String]) {
        for (i, text) in texts.iter().enumerate() {
            self.size(&format!("{field}[{i}]"), text, NAME_BYTES);
        }
    }

    fn size(&mut self, field: &str, text: &str, bytes: usize) {
        if text.len() > bytes {
            let problem = format_args!("it has {} bytes; shorten it to {bytes}", text.len());
            self.fail(field, ErrorReason::TextTooLong, problem);
        }
    }

    /// A day, if it is stated and is one.
    fn day(&mut self, field: &str, text: &str) -> Option<Period> {
        if text.is_empty() {
            return None;
        }
        match text.parse::<Period>() {
            // "2020-D341" is a day too, but not as the field writes it.
            Ok(day) if day.frequency() == Frequency::Daily && day.to_string() == text => return Some(day),
            Ok(period) => {
                let problem = format_args!("{text:?} is no day; write \"YYYY-MM-DD\", for example \"{}\"", period.start());
                self.fail(field, ErrorReason::InvalidPeriod, problem);
            }
            Err(error) => self.fail(field, ErrorReason::InvalidPeriod, format_args!("{error}; write a day, \"YYYY-MM-DD\"")),
        }
        None
    }

    fn unknown_number(&mut self, field: &str, number: i32) {
        let problem = format_args!("this version of the service knows no value {number} here");
        self.fail(field, ErrorReason::InvalidEnum, problem);
    }

    fn fail(&mut self, field: impl Display, reason: ErrorReason, description: Arguments<'_>) {
        self.problems.push(Violation::new(format!("{}.{field}", self.path), reason, description.to_string()));
    }
}

fn is_currency(id: &str) -> bool {
    id.len() == 3 && id.bytes().all(|b| b.is_ascii_uppercase())
}

/// Whether a text has the form of a BCP 47 tag: a language of 2 to 8 letters, then subtags of 1 to 8 letters and digits.
fn is_language(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let language = subtags.next().unwrap_or_default();
    (2..=8).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags.all(|subtag| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric()))
}
