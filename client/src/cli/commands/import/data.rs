//! Data files on the command line. The arguments that describe a file have the names that they have in mappings.

use std::path::{Path, PathBuf};

use indicator_client::{
    import::{
        Import, Input, Options,
        mapping::{self, Alternatives, Column, Field, InvalidPattern, Mapping, Origin, Pattern, Template},
        source,
    },
    names::Names,
};
use indicator_proto::{Decimal, Time, v1::WriteMode};

use crate::context::Context;

/// Which files, and what is what in them.
#[derive(Debug, clap::Args)]
pub(crate) struct DataArgs {
    /// Data files, CSV or Excel; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What is what in the files, as TOML [default: FILE.import.toml, else import.toml beside the file]
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Create the indicators, regions, sources, units and codes that the catalog does not have
    #[arg(long)]
    create_missing: bool,
    #[command(flatten)]
    layout: LayoutArgs,
    #[command(flatten)]
    fields: FieldArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "The file")]
struct LayoutArgs {
    /// Encoding, such as utf-8 or gb18030 [default: found out]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Sheet of a workbook [default: the first]
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// What separates cells [default: found out]
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<char>,
    /// Lines to skip before the header
    #[arg(long, value_name = "N")]
    skip_lines: Option<u64>,
    /// What figures are multiplied by to be in the indicator's unit: 100000000 for 亿
    #[arg(long, value_name = "DECIMAL", value_parser = Decimal::parse_lenient)]
    factor: Option<Decimal>,
    /// What separates thousands [default: nothing may]
    #[arg(long, value_name = "CHARACTER")]
    thousands: Option<char>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is what (columns by name, or by position from 1)")]
struct FieldArgs {
    /// The indicator of every row
    #[arg(long, value_name = "INDICATOR", conflicts_with = "indicator_column")]
    indicator: Option<String>,
    /// Column with the indicator
    #[arg(long, value_name = "COLUMN", value_parser = column)]
    indicator_column: Option<Column>,
    /// The region of every row
    #[arg(long, value_name = "REGION", conflicts_with = "region_column")]
    region: Option<String>,
    /// Column with the region: id, code or name
    #[arg(long, value_name = "COLUMN", value_parser = column)]
    region_column: Option<Column>,
    /// Only codes of this scheme are regions, such as gbt2260 or iso3166-1-alpha-3
    #[arg(long, value_name = "SCHEME")]
    region_scheme: Option<String>,
    /// The source of every row
    #[arg(long, value_name = "SOURCE", conflicts_with = "source_column")]
    source: Option<String>,
    /// Column with the source
    #[arg(long, value_name = "COLUMN", value_parser = column)]
    source_column: Option<Column>,
    /// The period of every row
    #[arg(long, value_name = "PERIOD", conflicts_with_all = ["period_column", "period_headers"])]
    period: Option<String>,
    /// Column with the period
    #[arg(long, value_name = "COLUMN", value_parser = column, conflicts_with = "period_headers")]
    period_column: Option<Column>,
    /// A column for each period: the columns whose header matches, its first group is the period
    #[arg(long, value_name = "REGEX", value_parser = pattern)]
    period_headers: Option<Pattern>,
    /// Column with the figure
    #[arg(long, value_name = "COLUMN", value_parser = column, conflicts_with = "period_headers")]
    value_column: Option<Column>,
    /// When the source published the figures: a day or a time [default: now]
    #[arg(long, value_name = "TIME")]
    published_at: Option<Time>,
    /// Unit of indicators that are created
    #[arg(long, value_name = "UNIT", requires = "create_missing")]
    unit: Option<String>,
    /// Level of regions that are created, such as province
    #[arg(long, value_name = "LEVEL", requires = "create_missing")]
    level: Option<String>,
}

/// Numbers of up to three digits are positions; longer ones are years, which are names of columns.
fn column(text: &str) -> Result<Column, std::convert::Infallible> {
    let position = text.parse().ok().filter(|_| text.len() <= 3);
    Ok(position.map_or_else(|| Column::Name(text.to_owned()), Column::Position))
}

fn pattern(text: &str) -> Result<Pattern, InvalidPattern> {
    Pattern::try_from(text.to_owned())
}

impl DataArgs {
    /// Reads and checks the files. What is wrong with single rows is among the rejects.
    pub(crate) async fn prepare(&self, cx: &Context, mode: WriteMode, include_changes: bool) -> anyhow::Result<Import> {
        let inputs = self.files.iter().map(|file| self.input(file)).collect::<anyhow::Result<Vec<_>>>()?;
        let options = Options { mode, create_missing: self.create_missing, include_changes };
        Ok(Import::prepare(inputs, Names::load(&cx.client).await?, options)?)
    }

    fn input(&self, file: &Path) -> anyhow::Result<Input> {
        let (mapping, directory) = self.mapping(file)?;
        let text = source::read(file, mapping.read.encoding.as_deref(), mapping.read.sheet.as_deref())?;
        Ok(Input { text, mapping, directory })
    }

    /// The mapping of a file, and the directory that it is relative to: that of its mapping file, changed by flags.
    fn mapping(&self, file: &Path) -> anyhow::Result<(Mapping, PathBuf)> {
        let saved = self.mapping.clone().or_else(|| mapping::saved_beside(file));
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut mapping = match &saved {
            Some(path) => mapping::load(path, &name)?,
            None => Mapping::default(),
        };
        self.layout.lay_on(&mut mapping);
        self.fields.lay_on(&mut mapping);
        let beside = saved.as_deref().unwrap_or(file);
        Ok((mapping, beside.parent().map(PathBuf::from).unwrap_or_default()))
    }
}

impl LayoutArgs {
    fn lay_on(&self, mapping: &mut Mapping) {
        let Self { encoding, sheet, delimiter, skip_lines, factor, thousands } = self;
        let read = &mut mapping.read;
        set(&mut read.encoding, encoding);
        set(&mut read.sheet, sheet);
        set(&mut read.delimiter, delimiter);
        read.skip_lines = skip_lines.unwrap_or(read.skip_lines);
        if let Some(factor) = factor {
            mapping.numbers.factor = factor.to_string();
        }
        set(&mut mapping.numbers.thousands, thousands);
    }
}

impl FieldArgs {
    fn lay_on(&self, mapping: &mut Mapping) {
        let fields = &mut mapping.fields;
        let constant = |text: &String| Field::from_origin(Origin::Constant(text.clone()));
        let column = |column: &Column| Field::from_origin(Origin::Column(column.clone()));
        let headers = |pattern: &Pattern| Field::from_origin(Origin::Headers(pattern.clone()));
        set(&mut fields.indicator, &self.indicator.as_ref().map(constant));
        set(&mut fields.indicator, &self.indicator_column.as_ref().map(column));
        set(&mut fields.region, &self.region.as_ref().map(constant));
        set(&mut fields.region, &self.region_column.as_ref().map(column));
        set(&mut fields.source, &self.source.as_ref().map(constant));
        set(&mut fields.source, &self.source_column.as_ref().map(column));
        set(&mut fields.period, &self.period.as_ref().map(constant));
        set(&mut fields.period, &self.period_column.as_ref().map(column));
        set(&mut fields.period, &self.period_headers.as_ref().map(headers));
        set(&mut fields.value, &self.value_column.as_ref().map(column));
        set(&mut fields.published_at, &self.published_at.map(|time| constant(&time.to_string())));
        if let Some(scheme) = &self.region_scheme {
            let region = fields.region.get_or_insert_with(|| column(&Column::Name("region".to_owned())));
            region.scheme = Some(scheme.clone());
        }
        let constant = |text: &String| Alternatives(vec![Field::from_origin(Origin::Constant(text.clone()))]);
        if let Some(unit) = &self.unit {
            mapping.create.indicator.get_or_insert_with(Template::default).unit = constant(unit);
        }
        if let Some(level) = &self.level {
            mapping.create.region.get_or_insert_with(Template::default).level = constant(level);
        }
    }
}

fn set<T: Clone>(slot: &mut Option<T>, given: &Option<T>) {
    if given.is_some() {
        slot.clone_from(given);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        data: DataArgs,
    }

    fn args(line: &[&str]) -> DataArgs {
        Line::try_parse_from([&["import"], line].concat()).expect("a right command line").data
    }

    /// Figures that a text has under flags.
    fn figures(content: &str, line: &[&str]) -> u64 {
        let (mapping, directory) = args(line).mapping(Path::new("data.csv")).expect("there is no mapping file");
        let text = source::from_bytes("data.csv".to_owned(), content.as_bytes().to_vec(), None, None).expect("a text");
        let options = Options { mode: WriteMode::Merge, create_missing: true, include_changes: false };
        Import::prepare(vec![Input { text, mapping, directory }], Names::default(), options).expect("the flags fit").figures()
    }

    #[test]
    fn flags_describe_a_tidy_file() {
        let line = ["data.csv", "--create-missing", "--unit", "CNY", "--level", "country"];
        let fields =
            ["--indicator", "gdp", "--source", "nbs", "--region-column", "geo", "--period-column", "2", "--value-column", "x"];
        assert_eq!(figures("geo;year;x\nCN;2020;\"1,000\"\n", &[&line[..], &fields, &["--thousands", ","]].concat()), 1);
    }

    #[test]
    fn flags_describe_a_wide_file() {
        let line = ["data.csv", "--create-missing", "--unit", "CNY", "--level", "country", "--factor", "100000000"];
        let fields = ["--indicator", "gdp", "--source", "nbs", "--region-column", "geo", "--period-headers", "(\\d{4})年"];
        let content = "title\n\ngeo,2020年,2021年,remark\nCN,1,2,x\n";
        assert_eq!(figures(content, &[&line[..], &fields, &["--skip-lines", "2"]].concat()), 2);
    }

    #[test]
    fn flags_come_before_the_mapping() {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data.csv");
        let saved = "[numbers]\nfactor = \"10\"\n[fields]\nsource.constant = \"a\"\nregion.constant = \"CN\"\n";
        std::fs::write(directory.path().join("import.toml"), saved).expect("a file");
        let (mapping, beside) = args(&["data.csv", "--source", "b"]).mapping(&data).expect("a mapping");
        let constant = |field: Option<Field>| match field.map(|field| field.origin) {
            Some(Origin::Constant(text)) => text,
            other => panic!("a constant, not {other:?}"),
        };
        assert_eq!((constant(mapping.fields.source), constant(mapping.fields.region)), ("b".to_owned(), "CN".to_owned()));
        assert_eq!(mapping.numbers.factor, "10");
        assert_eq!(beside, directory.path());
    }

    #[test]
    fn a_year_names_a_column_and_a_small_number_counts_columns() {
        assert_eq!(column("3"), Ok(Column::Position(3)));
        assert_eq!(column("2020"), Ok(Column::Name("2020".to_owned())));
    }
}
