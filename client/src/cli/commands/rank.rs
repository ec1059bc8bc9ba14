//! `indicator rank`: regions in order of a figure.

use std::{collections::BTreeSet, io::Write as _};

use futures::StreamExt as _;
use indicator_proto::{
    to_json,
    v1::{
        EntryKind, Observation, RankMove, RankMoveKind, RankMoves, RankRequest, RankRow, Ranking, RegionSelection,
        WatchRankRequest, watch_rank_response::Message,
    },
    words::{Language, figure, remarks, symbol},
};
use serde_json::{Map, Value};

use crate::{
    catalog::Labels,
    context::{Context, Format},
    failure::Failure,
    moment::AsOfArgs,
    output::{Column, Observations, View, clock, explanation, printable},
    periods::PeriodArgs,
    series::dimension,
    transform::{ComputeArgs, STEPS},
    unreported,
};

const EXAMPLES: &str = "\
Examples:
  indicator rank gdp --level province --period 2020
  indicator rank gdp --under 中国 --region 山东 --from 2010 --to 2020
  indicator rank gdp --level province --period 2020 -T per:population
  indicator rank unemployment-rate --level country --least-first
  indicator rank 5g-base-stations --level province --watch

Without a period or limits, the latest figure of each region counts. Where bounds or roundings leave open which of two figures is
the greater, a rank is an interval, such as 3–4; = marks regions that certainly have the same figure. The percentile rank is the share of
regions that have less, plus half of those that have as much.";

/// Arguments of `indicator rank`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{STEPS}"))]
#[command(group(clap::ArgGroup::new("regions").args(["level", "under"]).required(true).multiple(true)))]
pub(crate) struct Args {
    /// Indicator: an id, a name or another spelling
    indicator: String,
    /// Regions of this level, such as province [default: those directly below --under]
    #[arg(long, value_name = "LEVEL")]
    level: Option<String>,
    /// Only regions below this one, at any depth
    #[arg(long, value_name = "REGION")]
    under: Option<String>,
    /// Print only this region; all are ranked; may be repeated
    #[arg(short, long, value_name = "REGION")]
    region: Vec<String>,
    #[command(flatten)]
    periods: PeriodArgs,
    /// The least figure is first
    #[arg(long)]
    least_first: bool,
    /// The series broken down so
    #[arg(long = "dim", value_name = "DIMENSION=CODE", value_parser = dimension)]
    dims: Vec<(String, String)>,
    /// Only figures of this source; may be repeated
    #[arg(short, long, value_name = "SOURCE")]
    source: Vec<String>,
    /// Print the ranking, and then every move in it
    #[arg(long, conflicts_with_all = ["region", "from", "to", "frequency", "as_of", "published_at", "explain"])]
    watch: bool,
    #[command(flatten)]
    moment: AsOfArgs,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// Prints the rankings.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let selection = args.periods.of(RegionSelection {
        indicator: cx.id(EntryKind::Indicator, &args.indicator).await?,
        level: args.level.clone().unwrap_or_default(),
        under: match &args.under {
            Some(under) => cx.id(EntryKind::Region, under).await?,
            None => String::new(),
        },
        dimensions: cx.dimensions(&args.dims).await?,
        sources: cx.ids(EntryKind::Source, &args.source).await?,
        transforms: args.compute.transforms(cx).await?,
        ..RegionSelection::default()
    });
    if args.watch {
        return watch(cx, selection, args.least_first).await;
    }
    let request = RankRequest {
        selection: Some(selection),
        least_first: args.least_first,
        regions: cx.ids(EntryKind::Region, &args.region).await?,
        as_of: args.moment.moment(),
        min_revision: 0,
        explain: args.compute.explain,
    };
    let response = cx.client.rank(request).await?;
    match cx.format {
        Format::Json => cx.json(&response),
        Format::Ndjson => cx.ndjson(&response.rankings),
        Format::Csv => list(cx, Labels::default(), &response.rankings),
        Format::Table => table(cx, &response.rankings).await,
    }
}

/// A row, with what it needs of its ranking.
#[derive(Debug, Clone)]
struct Place {
    period: String,
    ranked: u32,
    row: RankRow,
}

fn places(rankings: &[Ranking]) -> impl Iterator<Item = Place> + '_ {
    let of = |ranking: &Ranking, row: &RankRow| {
        let observed = || row.observation.as_ref().map(|observation| observation.period.clone());
        let period = Some(ranking.period.clone()).filter(|period| !period.is_empty()).or_else(observed);
        Place { period: period.unwrap_or_default(), ranked: ranking.ranked, row: row.clone() }
    };
    rankings.iter().flat_map(move |ranking| ranking.rows.iter().map(move |row| of(ranking, row)))
}

fn list(cx: &Context, labels: Labels, rankings: &[Ranking]) -> anyhow::Result<()> {
    let series = rankings.iter().flat_map(|it| &it.rows).filter_map(|row| row.observation.as_ref()?.series.as_ref());
    let dimensions: BTreeSet<String> = series.flat_map(|series| series.dimensions.keys().cloned()).collect();
    let records = Observations::new(Labels::default(), dimensions, cx.language);
    let mut listing = cx.listing(Places { labels, records, language: cx.language })?;
    places(rankings).try_for_each(|place| listing.push(&place))?;
    if listing.finish(Map::new())? == 0 {
        cx.remark("no region has a figure");
    }
    Ok(())
}

async fn labels(cx: &Context, rankings: &[Ranking]) -> anyhow::Result<Labels> {
    let rows = || rankings.iter().flat_map(|it| &it.rows);
    let mut labels = Labels::of_observations(cx, rows().filter_map(|row| row.observation.as_ref())).await?;
    let unranked = rankings.iter().flat_map(|it| &it.unranked_regions).map(String::as_str);
    labels.load_names(cx, EntryKind::Region, unranked).await?;
    Ok(labels)
}

async fn table(cx: &Context, rankings: &[Ranking]) -> anyhow::Result<()> {
    let labels = labels(cx, rankings).await?;
    list(cx, labels.clone(), rankings)?;
    let mut out = cx.stdout();
    let unranked = rankings.iter().map(|it| (it.period.as_str(), it.unranked_regions.as_slice()));
    for (regions, periods) in unreported::grouped(unranked) {
        let names = regions.iter().map(|id| labels.name(EntryKind::Region, id, cx.language));
        let names = few(&names.collect::<Vec<_>>(), cx.language);
        let line = match (unreported::listed(&periods, cx.language), cx.language) {
            // The latest of each region is of no one period.
            (periods, Language::En) if periods.is_empty() => format!("no figure: {names}"),
            (periods, Language::En) => format!("no figure in {periods}: {names}"),
            (periods, Language::Zh) => format!("{periods}无数据：{names}"),
        };
        writeln!(out, "{}", printable(&line))?;
    }
    let explained = |it: &&Observation| it.derivation.as_ref().is_some_and(|derivation| !derivation.operands.is_empty());
    for observation in rankings.iter().flat_map(|it| &it.rows).filter_map(|row| row.observation.as_ref()).filter(explained) {
        writeln!(out)?;
        explanation::write(observation, &labels, cx.language, cx.style, &mut out)?;
    }
    Ok(out.flush()?)
}

/// A few names, and how many more there are; other formats have them all.
fn few(names: &[&str], language: Language) -> String {
    const FEW: usize = 10;
    let shown = names[..names.len().min(FEW)].join(language.word(", ", "、"));
    match (names.len().saturating_sub(FEW), language) {
        (0, _) => shown,
        (more, Language::En) => format!("{shown} and {more} more"),
        (_, Language::Zh) => format!("{shown}等，共 {} 个", names.len()),
    }
}

/// "3", "3–4", and "2=" where another region certainly has the same figure.
fn rank(from: u32, to: u32, tied: bool) -> String {
    match (from == to, tied) {
        (true, true) => format!("{from}="),
        (true, false) => from.to_string(),
        (false, _) => format!("{from}–{to}"),
    }
}

struct Places {
    labels: Labels,
    records: Observations,
    language: Language,
}

impl View for Places {
    type Item = Place;

    fn name(&self) -> &'static str {
        "places"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::text(word("PERIOD", "时期")),
            Column::figure(word("RANK", "位次")),
            Column::figure(word("OF", "共")),
            Column::text(word("REGION", "地区")),
            Column::figure(word("FIGURE", "数值")),
            Column::text(word("UNIT", "单位")),
            Column::figure(word("PERCENTILE", "百分位")),
            Column::text(word("SOURCE", "来源")),
            Column::text(word("REMARKS", "备注")),
        ]
    }

    fn row(&self, Place { period, ranked, row }: &Place) -> Vec<String> {
        let observation = row.observation.clone().unwrap_or_default();
        let series = observation.series.clone().unwrap_or_default();
        let indicator = self.labels.indicator(&series.indicator);
        let source = match series.source.as_str() {
            "" => self.language.word("(computed)", "（计算）"),
            source => self.labels.name(EntryKind::Source, source, self.language),
        };
        let percentile = match row.percentile_from == row.percentile_to {
            true => row.percentile_from.clone(),
            false => format!("{}–{}", row.percentile_from, row.percentile_to),
        };
        vec![
            period.clone(),
            rank(row.rank_from, row.rank_to, row.tied),
            ranked.to_string(),
            self.labels.name(EntryKind::Region, &row.region, self.language).to_owned(),
            figure(&observation, indicator.and_then(|it| it.decimals), self.language),
            self.labels.unit_shown(&observation).map(|it| symbol(it, self.language)).unwrap_or_default(),
            percentile,
            source.to_owned(),
            remarks(&observation, self.language).join(", "),
        ]
    }

    fn fields(&self) -> Vec<String> {
        let own = ["rank_from", "rank_to", "tied", "ranked", "percentile_from", "percentile_to"].map(str::to_owned);
        own.into_iter().chain(self.records.fields()).collect()
    }

    fn record(&self, Place { ranked, row, .. }: &Place) -> Vec<String> {
        let mut record = vec![
            row.rank_from.to_string(),
            row.rank_to.to_string(),
            if row.tied { "true".to_owned() } else { String::new() },
            ranked.to_string(),
            row.percentile_from.clone(),
            row.percentile_to.clone(),
        ];
        record.extend(self.records.record(&row.observation.clone().unwrap_or_default()));
        record
    }

    fn json(&self, place: &Place) -> Value {
        to_json(&place.row)
    }
}

/// Prints the ranking and its moves, until the reader goes away.
async fn watch(cx: &Context, selection: RegionSelection, least_first: bool) -> anyhow::Result<()> {
    if !matches!(cx.format, Format::Table | Format::Ndjson) {
        return Err(Failure::usage("moves come one by one, without an end").remedy("-o ndjson, or no -o").into());
    }
    let request = WatchRankRequest { selection: Some(selection), least_first, ..WatchRankRequest::default() };
    let mut messages = cx.client.watch_rank(request);
    let (mut names, mut out) = (Labels::default(), cx.stdout());
    while let Some(message) = messages.next().await {
        let message = message?;
        if cx.format == Format::Ndjson {
            serde_json::to_writer(&mut out, &to_json(&message))?;
            writeln!(out)?;
        } else {
            match message.message {
                Some(Message::Ranking(ranking)) => {
                    let ranking = std::slice::from_ref(&ranking);
                    names = labels(cx, ranking).await?;
                    table(cx, ranking).await?;
                }
                Some(Message::Moves(moves)) => {
                    let moved = moves.moves.iter().filter_map(|it| it.row.as_ref());
                    names.load_names(cx, EntryKind::Region, moved.map(|row| row.region.as_str())).await?;
                    moves
                        .moves
                        .iter()
                        .try_for_each(|it| writeln!(out, "{}", printable(&told(&moves, it, &names, cx.language))))?;
                }
                _ => {}
            }
        }
        out.flush()?;
    }
    Ok(())
}

/// A move as a line.
fn told(moves: &RankMoves, moved: &RankMove, labels: &Labels, language: Language) -> String {
    let row = moved.row.clone().unwrap_or_default();
    let before = rank(moved.previous_from, moved.previous_to, false);
    let after = rank(row.rank_from, row.rank_to, row.tied);
    let what = match moved.kind() {
        RankMoveKind::Entered => format!("{} {after}", language.word("entered at", "进入")),
        RankMoveKind::Left => format!("{before} {}", language.word("left", "退出")),
        RankMoveKind::Moved | RankMoveKind::Unspecified => format!("{before} → {after}"),
    };
    let number = row.observation.as_ref().map(|observation| {
        let indicator = observation.series.as_ref().and_then(|series| labels.indicator(&series.indicator));
        figure(observation, indicator.and_then(|it| it.decimals), language)
    });
    let region = labels.name(EntryKind::Region, &row.region, language);
    let parts = [moves.revision.to_string(), clock(moves.recorded_at.as_ref()), region.to_owned(), what];
    parts.into_iter().chain(number).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_told_as_people_write_them() {
        assert_eq!((rank(3, 3, false), rank(2, 2, true), rank(3, 4, false)), ("3".into(), "2=".into(), "3–4".into()));
    }

    #[test]
    fn a_record_has_a_field_for_each_of_the_header() {
        let records = Observations::new(Labels::default(), BTreeSet::from(["sex".to_owned()]), Language::En);
        let view = Places { labels: Labels::default(), records, language: Language::En };
        let row = RankRow { rank_from: 3, rank_to: 4, region: "CN".into(), ..RankRow::default() };
        let place = Place { period: "2020".into(), ranked: 31, row };
        assert_eq!(view.fields().len(), view.record(&place).len());
        assert_eq!(view.record(&place)[..4], ["3", "4", "", "31"]);
        assert_eq!(view.columns().len(), view.row(&place).len());
    }

    #[test]
    fn a_move_says_where_from_and_where_to() {
        let moves = RankMoves { revision: 7, ..RankMoves::default() };
        let row = RankRow { region: "CN-SD".into(), rank_from: 2, rank_to: 2, ..RankRow::default() };
        let moved = |kind: RankMoveKind, before| RankMove {
            kind: kind.into(),
            row: Some(row.clone()),
            previous_from: before,
            previous_to: before,
        };
        let told = |moved: RankMove, language| told(&moves, &moved, &Labels::default(), language);
        assert_eq!(told(moved(RankMoveKind::Moved, 3), Language::En), "7    CN-SD  3 → 2");
        assert_eq!(told(moved(RankMoveKind::Entered, 0), Language::En), "7    CN-SD  entered at 2");
        assert_eq!(told(moved(RankMoveKind::Left, 3), Language::Zh), "7    CN-SD  3 退出");
    }
}
