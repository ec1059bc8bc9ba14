//! Where each setting comes from.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use clap::{ArgMatches, Args, FromArgMatches, parser::ValueSource};
use toml::{Table, Value};

use super::{Error, Problem, Settings, given::Given};

/// Where the value of a setting was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(String),
    /// A variable of the environment.
    Variable(String),
    /// The settings file.
    File(PathBuf),
    /// Nowhere.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The settings that a command line, the environment and a file make together.
#[derive(Debug, Clone)]
pub struct ServeArgs {
    /// What the command line and the environment give.
    given: Table,
    origins: BTreeMap<String, Origin>,
    /// The settings file.
    file: Option<PathBuf>,
    /// Only check the settings.
    pub check_config: bool,
}

/// Settings, and where each is from.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The settings.
    pub settings: Settings,
    origins: BTreeMap<String, Origin>,
}

/// What is on the command line beside the settings.
#[derive(Debug, Args)]
struct Flags {
    #[command(flatten)]
    given: Given,
    /// Read settings from this TOML file; its keys are the names of the flags
    #[arg(long, env = "INDICATORD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check the settings and the files they name, and exit
    #[arg(long)]
    check_config: bool,
}

impl FromArgMatches for ServeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let Flags { given, config, check_config } = Flags::from_arg_matches(matches)?;
        let given = Table::try_from(given).map_err(|error| clap::Error::raw(clap::error::ErrorKind::ValueValidation, error))?;
        let origins = given.keys().map(|key| (key.clone(), origin(key, matches))).collect();
        Ok(Self { given, origins, file: config, check_config })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for ServeArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Flags::augment_args_for_update(command)
    }
}

fn read(path: &Path) -> Result<Table, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    let malformed = |source| Error::Malformed { path: path.to_owned(), source: Box::new(source) };
    // For what is wrong with a key or a value, with its line.
    toml::from_str::<Given>(&text).map_err(malformed)?;
    toml::from_str(&text).map_err(malformed)
}

/// The data directory that a command is about: the given one, or that of a settings file.
///
/// # Errors
///
/// [`Error`] if there is none.
pub fn data_directory(data: Option<PathBuf>, file: Option<&Path>) -> Result<PathBuf, Error> {
    let of_file = || Ok(file.map(read).transpose()?.and_then(|table| Some(PathBuf::from(table.get("data")?.as_str()?))));
    data.map_or_else(of_file, |data| Ok(Some(data)))?.ok_or_else(|| Error::Invalid(vec![Problem::NoData]))
}

fn origin(key: &str, matches: &ArgMatches) -> Origin {
    match matches.value_source(&key.replace('-', "_")) {
        Some(ValueSource::EnvVariable) => Origin::Variable(variable(key)),
        _ => Origin::Flag(key.to_owned()),
    }
}

fn variable(key: &str) -> String {
    format!("INDICATORD_{}", key.replace('-', "_").to_uppercase())
}

impl ServeArgs {
    /// Reads the file, if there is one, and puts the settings together: what the command line says goes before the environment, that
    /// before the file, and that before the defaults.
    ///
    /// # Errors
    ///
    /// All that is wrong with them.
    pub fn settings(&self) -> Result<Effective, Error> {
        let mut table = Table::try_from(Settings::new(PathBuf::new())).expect("settings are a table");
        let mut origins: BTreeMap<String, Origin> = table.keys().map(|key| (key.clone(), Origin::Default)).collect();
        if let Some(path) = &self.file {
            for (key, value) in read(path)? {
                origins.insert(key.clone(), Origin::File(path.clone()));
                table.insert(key, value);
            }
        }
        for (key, value) in &self.given {
            table.insert(key.clone(), value.clone());
            origins.insert(key.clone(), self.origins[key].clone());
        }
        let settings: Settings = Value::Table(table).try_into().expect("each value was read as its own type before");
        settings.check()?;
        Ok(Effective { settings, origins })
    }
}

impl fmt::Display for Effective {
    /// A settings file that gives the same settings, with the origin of each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = Table::try_from(&self.settings).map_err(|_| fmt::Error)?;
        for (key, value) in &table {
            let origin = self.origins.get(key).unwrap_or(&Origin::Default);
            let line = format!("{key} = {value}");
            writeln!(f, "{line:<40}  # {origin}")?;
        }
        Ok(())
    }
}
