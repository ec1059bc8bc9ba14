//! The names of a file to the ids of the catalog, each different text once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use indicator_proto::SeriesKey;
use indicator_proto::v1::{CatalogEntry, EntryKind, catalog_action::Action, catalog_entry::Entry};

use super::create::{self, Blueprint};
use super::details::Faults;
use super::error::Error;
use super::lookup::{self, Row};
use super::mapping::{Mapping, Template};
use super::plan::DIMENSION_PREFIX;
use super::problem::Problem;
use super::rows::Key;
use crate::catalog_file;
use crate::names::{NameError, Names};

/// The catalog as an import sees it: what is there, and what it would create.
#[derive(Debug)]
pub(super) struct Catalog {
    names: Names,
    may_create: bool,
    /// By kind and id, in the order of ids.
    created: BTreeMap<(i32, String), CatalogEntry>,
    /// Codes among them, each with its dimension before it.
    new_codes: HashSet<(String, String)>,
}

/// A series of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) key: SeriesKey,
    /// Some part of its key is to be created, so there can be no figures of it yet.
    pub(super) is_new: bool,
}

/// The series of a file, and for each of its keys the index of its series or what is wrong.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) series: Vec<Series>,
    pub(super) slots: Vec<Result<u32, Faults>>,
}

impl Catalog {
    /// A catalog with these names. `may_create` says whether texts that it does not know become entries.
    pub(super) fn new(names: Names, may_create: bool) -> Self {
        Self { names, may_create, created: BTreeMap::new(), new_codes: HashSet::new() }
    }

    /// The entries to be created, as far as files were resolved.
    pub(super) fn created(&self) -> impl Iterator<Item = &CatalogEntry> {
        self.created.values()
    }

    /// Resolves the keys of one file. Lookups are relative to `directory`.
    pub(super) fn resolve(&mut self, file: &File<'_>, keys: &[Key]) -> Result<Resolved, Error> {
        if self.may_create {
            self.take_described(file)?;
        }
        let mut resolver = Resolver::new(self, file, keys)?;
        let mut resolved = Resolved::default();
        let mut known: HashMap<SeriesKey, u32> = HashMap::new();
        for key in keys {
            let slot = resolver.series(key)?.map(|series| {
                *known.entry(series.key.clone()).or_insert_with(|| {
                    resolved.series.push(series);
                    (resolved.series.len() - 1) as u32
                })
            });
            resolved.slots.push(slot);
        }
        Ok(resolved)
    }

    /// Takes over the entries that the mapping describes and the catalog does not have.
    fn take_described(&mut self, file: &File<'_>) -> Result<(), Error> {
        if file.mapping.catalog.is_empty() {
            return Ok(());
        }
        let text = toml::to_string(&file.mapping.catalog).expect("a table that was TOML is TOML");
        let actions = catalog_file::parse("the catalog of the mapping", &text).map_err(Error::Catalog)?;
        for action in actions {
            if let Some(Action::Upsert(entry)) = action.action {
                let (kind, id) = name_of(&entry);
                if self.names.entry(kind, &id).is_none() {
                    self.add(entry);
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, entry: CatalogEntry) {
        let (kind, id) = name_of(&entry);
        self.names.add(vec![entry.clone()]);
        self.created.insert((kind.into(), id), entry);
    }

    fn is_created(&self, kind: EntryKind, id: &str) -> bool {
        self.created.contains_key(&(kind.into(), id.to_owned()))
    }
}

/// What is known of the file whose names are resolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) header: &'a [String],
    pub(super) mapping: &'a Mapping,
    /// Where its mapping is saved.
    pub(super) directory: &'a Path,
}

/// An id, or why a text has none.
type Id = Result<String, Problem>;

struct Resolver<'a> {
    catalog: &'a mut Catalog,
    file: &'a File<'a>,
    /// By field.
    lookups: HashMap<String, lookup::Rows>,
    /// By field and text.
    known: HashMap<(String, String), Id>,
    no_template: Template,
    /// Dimensions that an indicator is broken down by in the file, by its name there.
    breakdowns: HashMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Resolver<'a> {
    fn new(catalog: &'a mut Catalog, file: &'a File<'a>, keys: &'a [Key]) -> Result<Self, Error> {
        let create = &file.mapping.create;
        let mut lookups = HashMap::new();
        let plain = [("region", &create.region), ("indicator", &create.indicator), ("source", &create.source)];
        let plain = plain.into_iter().filter_map(|(field, template)| Some((field.to_owned(), template.as_ref()?)));
        let dimensions = create.dimension.iter().map(|(id, template)| (format!("{DIMENSION_PREFIX}{id}"), template));
        for (field, template) in plain.chain(dimensions) {
            if let Some(lookup) = &template.lookup {
                lookups.insert(field, lookup::Rows::load(lookup, file.directory)?);
            }
        }
        let mut breakdowns: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        for key in keys {
            breakdowns.entry(&key.indicator).or_default().extend(key.dimensions.iter().map(|(id, _)| id.as_str()));
        }
        Ok(Self { catalog, file, lookups, known: HashMap::new(), no_template: Template::default(), breakdowns })
    }

    /// The series of a key, or everything that is wrong with it.
    fn series(&mut self, key: &Key) -> Result<Result<Series, Faults>, Error> {
        let mut faults = Faults::new();
        let mut take = |field: &str, id: Id| id.map_err(|problem| faults.push((field.to_owned().into(), problem))).ok();
        let region = take("region", self.id("region", &key.region, key)?);
        let source = take("source", self.id("source", &key.source, key)?);
        let indicator = take("indicator", self.id("indicator", &key.indicator, key)?);
        let mut dimensions = BTreeMap::new();
        for (dimension, text) in &key.dimensions {
            let field = format!("{DIMENSION_PREFIX}{dimension}");
            if let Some(code) = take(&field, self.id(&field, text, key)?) {
                dimensions.insert(dimension.clone(), code);
            }
        }
        if let Some(indicator) = &indicator {
            faults.extend(self.breakdown_faults(indicator, key));
        }
        Ok(match (indicator, region, source) {
            (Some(indicator), Some(region), Some(source)) if faults.is_empty() => {
                let is_new = self.catalog.is_created(EntryKind::Indicator, &indicator)
                    || self.catalog.is_created(EntryKind::Region, &region)
                    || self.catalog.is_created(EntryKind::Source, &source)
                    || dimensions.iter().any(|code| self.catalog.new_codes.contains(&(code.0.clone(), code.1.clone())));
                Ok(Series { key: SeriesKey { indicator, region, source, dimensions }, is_new })
            }
            _ => Err(faults),
        })
    }

    /// Whether the indicator is broken down as the key says.
    fn breakdown_faults(&self, indicator: &str, key: &Key) -> Faults {
        let entry = self.catalog.names.entry(EntryKind::Indicator, indicator).and_then(|entry| entry.entry.as_ref());
        let Some(Entry::Indicator(entry)) = entry else { return Faults::new() };
        let given = |id: &String| key.dimensions.iter().any(|(given, _)| given == id);
        let absent = entry.dimensions.iter().filter(|id| !given(id));
        let absent = absent.map(|id| (id, Problem::DimensionRequired { indicator: indicator.to_owned() }));
        let declared = |id: &String| entry.dimensions.contains(id) || entry.optional_dimensions.contains(id);
        let undeclared = key.dimensions.iter().map(|(id, _)| id).filter(|id| !declared(id));
        let undeclared = undeclared.map(|id| (id, Problem::Undeclared { indicator: indicator.to_owned() }));
        absent.chain(undeclared).map(|(id, problem)| (format!("{DIMENSION_PREFIX}{id}").into(), problem)).collect()
    }

    /// The id that a text of a field stands for; created if need be and allowed.
    fn id(&mut self, field: &str, text: &str, key: &Key) -> Result<Id, Error> {
        let known = (field.to_owned(), text.to_owned());
        if let Some(id) = self.known.get(&known) {
            return Ok(id.clone());
        }
        let id = self.look_up(field, text, key)?;
        self.known.insert(known, id.clone());
        Ok(id)
    }

    fn look_up(&mut self, field: &str, text: &str, key: &Key) -> Result<Id, Error> {
        let create = &self.file.mapping.create;
        let dimension = field.strip_prefix(DIMENSION_PREFIX);
        let template = match field {
            "region" => create.region.as_ref(),
            "indicator" => create.indicator.as_ref(),
            "source" => create.source.as_ref(),
            _ => dimension.and_then(|dimension| create.dimension.get(dimension)),
        };
        let template = template.unwrap_or(&self.no_template);
        let lookup = self.lookups.get(field);
        let row = Row { text, file: self.file.name, header: self.file.header, cells: &key.record, lookup };
        let blueprint = Blueprint { template, row, names: &self.catalog.names };
        // A row of the lookup says which entry is meant, more surely than any name.
        if lookup.is_some_and(|lookup| lookup.has(text)) {
            let id = blueprint.id()?;
            if self.resolve(field, &id).is_ok_and(|known| known == id) {
                return Ok(Ok(id));
            }
        } else {
            match self.resolve(field, &self.in_scheme(field, text)) {
                Ok(id) => return Ok(Ok(id)),
                Err(error @ NameError::Ambiguous { .. }) => return Ok(Err(error.into())),
                Err(error) if !self.catalog.may_create => return Ok(Err(error.into())),
                Err(NameError::Unknown { .. }) => {}
            }
        }
        if !self.catalog.may_create {
            return Ok(self.resolve(field, text).map_err(Problem::from));
        }
        let made = match field {
            "region" => blueprint.region()?,
            "source" => blueprint.source()?,
            "indicator" => {
                let dimensions = self.breakdowns.get(text).into_iter().flatten().map(|id| (*id).to_owned());
                blueprint.indicator(dimensions.collect())?
            }
            _ => {
                let dimension = dimension.unwrap_or(field).to_owned();
                return Ok(blueprint.code(&dimension)?.map(|(entry, id)| {
                    self.catalog.add(entry);
                    self.catalog.new_codes.insert((dimension, id.clone()));
                    id
                }));
            }
        };
        Ok(made.map(|entry| {
            self.create_unit_of(&entry);
            let (_, id) = name_of(&entry);
            self.catalog.add(entry);
            id
        }))
    }

    fn resolve(&self, field: &str, text: &str) -> Result<String, NameError> {
        let names = &self.catalog.names;
        match field {
            "region" => names.resolve(EntryKind::Region, text),
            "indicator" => names.resolve(EntryKind::Indicator, text),
            "source" => names.resolve(EntryKind::Source, text),
            dimension => names.resolve_code(dimension.trim_start_matches(DIMENSION_PREFIX), text),
        }
    }

    /// The text with its scheme before it, where the mapping restricts the field to one.
    fn in_scheme(&self, field: &str, text: &str) -> String {
        let scheme = match field {
            "region" => self.file.mapping.fields.region.as_ref().and_then(|region| region.scheme.as_ref()),
            _ => None,
        };
        scheme.map_or_else(|| text.to_owned(), |scheme| format!("{scheme}:{text}"))
    }

    fn create_unit_of(&mut self, entry: &CatalogEntry) {
        let Some(Entry::Indicator(indicator)) = &entry.entry else { return };
        if self.catalog.names.entry(EntryKind::Unit, &indicator.unit).is_none()
            && let Some(unit) = create::unit(&indicator.unit)
        {
            self.catalog.add(unit);
        }
    }
}

fn name_of(entry: &CatalogEntry) -> (EntryKind, String) {
    match &entry.entry {
        Some(Entry::Region(region)) => (EntryKind::Region, region.id.clone()),
        Some(Entry::Source(source)) => (EntryKind::Source, source.id.clone()),
        Some(Entry::Unit(unit)) => (EntryKind::Unit, unit.id.clone()),
        Some(Entry::Dimension(dimension)) => (EntryKind::Dimension, dimension.id.clone()),
        Some(Entry::Indicator(indicator)) => (EntryKind::Indicator, indicator.id.clone()),
        None => (EntryKind::Unspecified, String::new()),
    }
}
