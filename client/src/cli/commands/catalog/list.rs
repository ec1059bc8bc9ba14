//! `indicator catalog list`: the entries of a kind.

use clap::ValueEnum;
use futures::TryStreamExt as _;
use indicator_proto::{
    v1::{Dimension, EntryKind, Unit, catalog_entry::Entry},
    words::Language,
};
use serde_json::{Map, Value};

use crate::{
    catalog::{self, Selection, best},
    context::Context,
    failure::Failure,
    moment::AsOfArgs,
    output::{Column, View},
};

/// Arguments of `indicator catalog list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator catalog list indicators --topic digital-economy
  indicator catalog list regions --under China --level province
  indicator catalog list units -o ndjson")]
pub(crate) struct Args {
    /// Which kind
    #[arg(value_enum)]
    kind: Plural,
    /// Only this region and those below it (regions)
    #[arg(long, value_name = "REGION")]
    under: Option<String>,
    /// Only this level, such as province (regions)
    #[arg(long, value_name = "LEVEL")]
    level: Option<String>,
    /// Only this topic (indicators)
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Only entries with this text in their id, a code, a name or an alias
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    #[command(flatten)]
    moment: AsOfArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Plural {
    #[value(alias = "region")]
    Regions,
    #[value(alias = "source")]
    Sources,
    #[value(alias = "unit")]
    Units,
    #[value(alias = "dimension")]
    Dimensions,
    #[value(alias = "indicator")]
    Indicators,
}

impl Plural {
    fn kind(self) -> EntryKind {
        match self {
            Self::Regions => EntryKind::Region,
            Self::Sources => EntryKind::Source,
            Self::Units => EntryKind::Unit,
            Self::Dimensions => EntryKind::Dimension,
            Self::Indicators => EntryKind::Indicator,
        }
    }
}

/// Lists the entries.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let selection = selection(cx, &args).await?;
    let kind = args.kind.kind();
    let mut entries = catalog::list(&cx.client, kind, selection);
    let mut listing = cx.listing(Entries { kind: args.kind, language: cx.language })?;
    while let Some(entry) = entries.try_next().await? {
        listing.push(&entry)?;
    }
    if listing.finish(Map::new())? == 0 {
        cx.remark("no entry of this kind matches");
    }
    Ok(())
}

async fn selection(cx: &Context, args: &Args) -> anyhow::Result<Selection> {
    let of_regions = args.under.is_some() || args.level.is_some();
    if of_regions && args.kind != Plural::Regions {
        return Err(Failure::usage("--under and --level select regions: indicator catalog list regions").into());
    }
    if args.topic.is_some() && args.kind != Plural::Indicators {
        return Err(Failure::usage("--topic selects indicators: indicator catalog list indicators").into());
    }
    let under = match &args.under {
        Some(text) => cx.id(EntryKind::Region, text).await?,
        None => String::new(),
    };
    Ok(Selection {
        under,
        level: args.level.clone().unwrap_or_default(),
        topic: args.topic.clone().unwrap_or_default(),
        filter: args.filter.clone().unwrap_or_default(),
        as_of: args.moment.moment(),
    })
}

struct Entries {
    kind: Plural,
    language: Language,
}

impl View for Entries {
    type Item = Entry;

    fn name(&self) -> &'static str {
        match self.kind {
            Plural::Regions => "regions",
            Plural::Sources => "sources",
            Plural::Units => "units",
            Plural::Dimensions => "dimensions",
            Plural::Indicators => "indicators",
        }
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        let rest = match self.kind {
            Plural::Regions => vec![word("LEVEL", "级别"), word("PART OF", "上级")],
            Plural::Sources => vec![word("KIND", "类别"), word("REGION", "地区")],
            Plural::Units => vec![word("KIND", "类别"), word("SYMBOL", "符号"), word("IS", "定义")],
            Plural::Dimensions => vec![word("CODES", "代码")],
            Plural::Indicators => vec![word("UNIT", "单位"), word("TOPIC", "主题"), word("COMPUTED AS", "计算公式")],
        };
        [word("ID", "标识"), word("NAME", "名称")].into_iter().chain(rest).map(Column::text).collect()
    }

    fn row(&self, entry: &Entry) -> Vec<String> {
        let mut row = self.named(entry);
        match entry {
            Entry::Region(it) => row.extend([it.level.clone(), it.parent.clone()]),
            Entry::Source(it) => row.extend([it.kind.clone(), it.region.clone()]),
            Entry::Unit(it) => row.extend([unit_kind(it), self.symbol(it), catalog::definition(it)]),
            Entry::Dimension(it) => row.push(codes(it)),
            Entry::Indicator(it) => row.extend([it.unit.clone(), it.topic.clone(), it.formula.clone()]),
        }
        row
    }

    fn fields(&self) -> Vec<String> {
        let rest = match self.kind {
            Plural::Regions => &["level", "parent"][..],
            Plural::Sources => &["kind", "region"],
            Plural::Units => &["kind", "symbol", "base_unit", "factor", "numerator", "denominator"],
            Plural::Dimensions => &["codes"],
            Plural::Indicators => &["unit", "topic", "formula"],
        };
        ["id", "name"].iter().chain(rest).map(ToString::to_string).collect()
    }

    fn record(&self, entry: &Entry) -> Vec<String> {
        let Entry::Unit(unit) = entry else { return self.row(entry) };
        let mut record = self.named(entry);
        record.extend([unit_kind(unit), self.symbol(unit)]);
        record.extend([&unit.base_unit, &unit.factor, &unit.numerator, &unit.denominator].map(Clone::clone));
        record
    }

    fn json(&self, entry: &Entry) -> Value {
        catalog::json(entry)
    }
}

impl Entries {
    fn named(&self, entry: &Entry) -> Vec<String> {
        vec![entry.id().to_owned(), catalog::name(entry, self.language).to_owned()]
    }

    fn symbol(&self, unit: &Unit) -> String {
        best(&unit.symbols, self.language).unwrap_or_default().to_owned()
    }
}

fn unit_kind(unit: &Unit) -> String {
    catalog::short(unit.kind().as_str_name(), "UNIT_KIND_")
}

fn codes(dimension: &Dimension) -> String {
    dimension.codes.iter().map(|code| &*code.id).collect::<Vec<_>>().join(", ")
}
