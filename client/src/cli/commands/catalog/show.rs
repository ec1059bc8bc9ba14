//! `indicator catalog show`: one entry, told in full.

use std::{collections::BTreeMap, io::Write as _};

use futures::future::join_all;
use indicator_client::names::{NameError, ResolveError};
use indicator_proto::{
    v1::{Dimension, EntryKind, Indicator, Region, RegionAggregation, Source, TimeAggregation, Unit, catalog_entry::Entry},
    words::{self, Language},
};
use serde_json::json;

use crate::{
    catalog::{self, Found, best},
    context::{Context, Format},
    failure::{Failure, quoted},
    moment::AsOfArgs,
    output::Card,
    typed::Typed as _,
};

/// Arguments of `indicator catalog show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator catalog show 5g-base-stations
  indicator catalog show region 山东
  indicator catalog show unit CNY -o json")]
pub(crate) struct Args {
    /// The kind, if need be, and the entry: its id, a code, a name or an alias
    #[arg(required = true, num_args = 1..=2, value_names = ["KIND", "ENTRY"])]
    entry: Vec<String>,
    #[command(flatten)]
    moment: AsOfArgs,
}

/// Prints the entry.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let (kind, id) = match &args.entry[..] {
        [kind, text] => {
            let kind = kind_of(kind)?;
            (kind, cx.id(kind, text).await?)
        }
        [text, ..] => find(cx, text).await?,
        [] => return Err(Failure::usage("name an entry").into()),
    };
    let found = catalog::get(&cx.client, kind, &id, args.moment.moment()).await?;
    let Some(found) = found else { return Err(Failure::not_found(format!("there is no {} {id}", kind.typed())).into()) };
    let response = || json!({ kind.typed(): catalog::json(&found.entry), "revision": found.revision.to_string() });
    let mut out = cx.stdout();
    match cx.format {
        Format::Table => card(&found, cx.language).write(cx.style, &mut out)?,
        Format::Json => writeln!(out, "{:#}", response())?,
        Format::Ndjson => writeln!(out, "{}", response())?,
        Format::Csv => return Err(Failure::usage("an entry is no row; use -o json, or indicator catalog list -o csv").into()),
    }
    out.flush()?;
    Ok(())
}

fn kind_of(text: &str) -> Result<EntryKind, Failure> {
    let singular = text.strip_suffix('s').unwrap_or(text);
    let found = EntryKind::ALL.iter().find(|(_, name)| *name == singular).map(|(kind, _)| *kind);
    found.ok_or_else(|| {
        let all: Vec<&str> = EntryKind::ALL.iter().map(|(_, name)| *name).collect();
        Failure::usage(format!("{} is no kind of entry; there are {}", quoted(text), all.join(", ")))
            .remedy("quote a name of several words")
    })
}

/// The entry of any kind that a text names.
async fn find(cx: &Context, text: &str) -> anyhow::Result<(EntryKind, String)> {
    let kinds = || EntryKind::ALL.iter().map(|(kind, _)| *kind);
    let answers = join_all(kinds().map(|kind| cx.client.resolve(kind, text))).await;
    let mut found = Vec::new();
    let mut ambiguous = Vec::new();
    for (kind, answer) in kinds().zip(answers) {
        match answer {
            Ok(id) => found.push((kind, id)),
            Err(ResolveError::Name(NameError::Unknown { .. })) => {}
            Err(ResolveError::Name(problem)) => ambiguous.push(problem),
            Err(ResolveError::Call(error)) => return Err(error.into()),
        }
    }
    match (found.len(), &ambiguous[..]) {
        (1, []) => Ok(found.remove(0)),
        (0, []) => {
            let failure = Failure::not_found(format!("nothing in the catalog is called {}", quoted(text)));
            Err(failure.remedy(format!("indicator search {}", quoted(text))).into())
        }
        (0, _) => Err(Failure::names(&ambiguous).into()),
        _ => {
            let commands: Vec<String> =
                found.iter().map(|(kind, id)| format!("\n  indicator catalog show {} {}", kind.typed(), quoted(id))).collect();
            Err(Failure::usage(format!("{} names several entries:{}", quoted(text), commands.concat())).into())
        }
    }
}

fn card(Found { entry, revision }: &Found, language: Language) -> Card {
    let word = |en, zh| language.word(en, zh);
    let mut card = Card::new(catalog::name(entry, language));
    card.line(words::entry_kind(entry.kind(), language), entry.id());
    match entry {
        Entry::Region(it) => region(&mut card, it, word),
        Entry::Source(it) => source(&mut card, it, word),
        Entry::Unit(it) => unit(&mut card, it, word),
        Entry::Dimension(it) => dimension(&mut card, it, language),
        Entry::Indicator(it) => indicator(&mut card, it, word),
    }
    card.line(word("revision", "修订号"), revision.to_string());
    card
}

fn region(card: &mut Card, it: &Region, word: impl Fn(&'static str, &'static str) -> &'static str) {
    card.line(word("level", "级别"), &*it.level).line(word("part of", "上级"), &*it.parent);
    texts(card, word("names", "名称"), &it.names);
    texts(card, word("codes", "代码"), &it.codes);
    card.line(word("aliases", "别名"), it.aliases.join(", "))
        .line(word("since", "始于"), &*it.valid_from)
        .line(word("until", "止于"), &*it.valid_to);
}

fn source(card: &mut Card, it: &Source, word: impl Fn(&'static str, &'static str) -> &'static str) {
    card.line(word("kind", "类别"), &*it.kind).line(word("region", "地区"), &*it.region);
    texts(card, word("names", "名称"), &it.names);
    card.line(word("precedence", "优先级"), it.precedence.to_string())
        .line(word("see", "网址"), &*it.uri)
        .line(word("licence", "许可"), &*it.licence);
}

fn unit(card: &mut Card, it: &Unit, word: impl Fn(&'static str, &'static str) -> &'static str) {
    card.line(word("kind", "类别"), catalog::short(it.kind().as_str_name(), "UNIT_KIND_"));
    texts(card, word("names", "名称"), &it.names);
    texts(card, word("symbols", "符号"), &it.symbols);
    card.line(word("is", "定义"), catalog::definition(it));
}

fn dimension(card: &mut Card, it: &Dimension, language: Language) {
    texts(card, language.word("names", "名称"), &it.names);
    for code in &it.codes {
        let name = best(&code.names, language).unwrap_or_default();
        card.line(language.word("codes", "代码"), format!("{}: {name}", code.id));
    }
}

fn indicator(card: &mut Card, it: &Indicator, word: impl Fn(&'static str, &'static str) -> &'static str) {
    card.line(word("unit", "单位"), &*it.unit)
        .line(word("computed as", "计算公式"), &*it.formula)
        .line(word("topic", "主题"), &*it.topic);
    texts(card, word("names", "名称"), &it.names);
    texts(card, word("what it is", "说明"), &it.descriptions);
    card.line(word("aliases", "别名"), it.aliases.join(", "))
        .line(word("decimals", "小数位"), it.decimals.map(|decimals| decimals.to_string()).unwrap_or_default())
        .line(word("broken down by", "必选维度"), it.dimensions.join(", "))
        .line(word("may be by", "可选维度"), it.optional_dimensions.join(", "));
    let over_time = match it.time_aggregation() {
        TimeAggregation::Unspecified | TimeAggregation::None => String::new(),
        other => catalog::short(other.as_str_name(), "TIME_AGGREGATION_"),
    };
    let over_regions = match it.region_aggregation() {
        RegionAggregation::Unspecified | RegionAggregation::None => String::new(),
        RegionAggregation::Weighted => format!("weighted by {}", it.region_weight),
        other => catalog::short(other.as_str_name(), "REGION_AGGREGATION_"),
    };
    card.line(word("over time", "时间汇总"), over_time)
        .line(word("over regions", "地区汇总"), over_regions)
        .line(word("sources", "来源次序"), it.source_order.join(", "));
}

fn texts(card: &mut Card, label: &'static str, texts: &BTreeMap<String, String>) {
    for (key, text) in texts {
        card.line(label, format!("{key}: {text}"));
    }
}
