//! `indicator discrepancies`: where sources disagree.

use std::{collections::BTreeSet, str::FromStr};

use indicator_proto::{
    Decimal, ParseDecimalError, to_json,
    v1::{Discrepancy, EntryKind, ListDiscrepanciesRequest, Observation},
    words::{Language, figure, grouped, readable, remarks, symbol},
};
use serde_json::{Map, Value};

use super::query::FilterArgs;
use crate::{
    catalog::Labels,
    context::{Context, Format},
    failure::Failure,
    moment::AsOfArgs,
    output::{Column, JsonList, Observations, View, clock},
};

/// Disagreements that are asked for at once.
const PAGE: u32 = 1_000;

/// Arguments of `indicator discrepancies`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  indicator discrepancies
  indicator discrepancies -i gdp -r 中国 --subregions --tolerance 1%
  indicator discrepancies -s nbs -s local-media --tolerance 0.5 -o csv

Figures agree where some true figure is allowed by both: 1,710,000 rounded to 10,000 agrees with 1,714,882, and \"more than
100,000\" with 142,000, not with 98,000. The gap is the least difference between the two that are furthest apart.
With sources, disagreements among these; they are listed by preference.")]
pub(crate) struct Args {
    /// Figures no further apart than this agree: 5 in the indicator's unit, 1% of the greater; may be given once each
    #[arg(long, value_name = "N|N%")]
    tolerance: Vec<Tolerance>,
    #[command(flatten)]
    moment: AsOfArgs,
    #[command(flatten)]
    filter: FilterArgs,
}

/// How far apart figures may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tolerance {
    Absolute(Decimal),
    Percent(Decimal),
}

impl FromStr for Tolerance {
    type Err = ParseDecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().strip_suffix(['%', '％']) {
            Some(percent) => Ok(Self::Percent(Decimal::parse_lenient(percent.trim_end())?)),
            None => Ok(Self::Absolute(Decimal::parse_lenient(text)?)),
        }
    }
}

/// Prints the disagreements.
pub(crate) async fn run(cx: &Context, args: Args) -> anyhow::Result<()> {
    let (tolerance, tolerance_percent) = tolerances(&args.tolerance)?;
    let mut request = ListDiscrepanciesRequest {
        filter: Some(args.filter.filter(cx).await?),
        tolerance,
        tolerance_percent,
        as_of: args.moment.moment(),
        page_size: PAGE,
        ..ListDiscrepanciesRequest::default()
    };
    let mut all = Vec::new();
    let mut list = if cx.format == Format::Json { Some(JsonList::new("discrepancies", cx.stdout())?) } else { None };
    let revision = loop {
        let page = cx.client.list_discrepancies(request.clone()).await?;
        match (cx.format, &mut list) {
            (_, Some(list)) => page.discrepancies.iter().try_for_each(|it| list.push(&to_json(it)))?,
            (Format::Ndjson, None) => cx.ndjson(&page.discrepancies)?,
            (Format::Table | Format::Csv | Format::Json, None) => all.extend(page.discrepancies),
        }
        if page.next_page_token.is_empty() {
            break page.revision;
        }
        request.page_token = page.next_page_token;
    };
    if let Some(list) = list {
        return Ok(list.finish(&Map::from_iter([("revision".to_owned(), Value::String(revision.to_string()))]))?);
    }
    if cx.format == Format::Ndjson {
        return Ok(());
    }
    let mut listing = cx.listing(Sides::new(cx, &all).await?)?;
    for discrepancy in all {
        for side in 0..discrepancy.sides.len() {
            listing.push(&(discrepancy.clone(), side))?;
        }
    }
    if listing.finish(Map::new())? == 0 {
        cx.remark("no sources disagree");
    }
    Ok(())
}

/// In the unit of the indicator, and in percent.
fn tolerances(given: &[Tolerance]) -> Result<(String, String), Failure> {
    let (mut absolute, mut percent) = (String::new(), String::new());
    for tolerance in given {
        let (place, number) = match tolerance {
            Tolerance::Absolute(number) => (&mut absolute, number),
            Tolerance::Percent(number) => (&mut percent, number),
        };
        if !place.is_empty() {
            return Err(Failure::usage(
                "--tolerance is given twice in the same way; give one number, one percentage, or one of each",
            ));
        }
        *place = number.to_string();
    }
    Ok((absolute, percent))
}

/// Shows what each source says, a row a source; what all sides have in common is told once.
struct Sides {
    labels: Labels,
    records: Observations,
    language: Language,
}

impl Sides {
    async fn new(cx: &Context, discrepancies: &[Discrepancy]) -> anyhow::Result<Self> {
        let sides = || discrepancies.iter().flat_map(|it| &it.sides);
        // Only a table shows names.
        let labels = if cx.format == Format::Table { Labels::of_observations(cx, sides()).await? } else { Labels::default() };
        let dimensions: BTreeSet<String> =
            sides().filter_map(|side| side.series.as_ref()).flat_map(|series| series.dimensions.keys().cloned()).collect();
        Ok(Self { labels, records: Observations::new(Labels::default(), dimensions, cx.language), language: cx.language })
    }

    fn name(&self, kind: EntryKind, id: &str) -> String {
        self.labels.name(kind, id, self.language).to_owned()
    }
}

impl View for Sides {
    type Item = (Discrepancy, usize);

    fn name(&self) -> &'static str {
        "sides"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::text(word("INDICATOR", "指标")),
            Column::text(word("REGION", "地区")),
            Column::text(word("BREAKDOWN", "分类")),
            Column::text(word("PERIOD", "时期")),
            Column::text(word("SOURCE", "来源")),
            Column::figure(word("FIGURE", "数值")),
            Column::text(word("UNIT", "单位")),
            Column::figure(word("GAP", "差距")),
            Column::figure("%"),
            Column::text(word("PUBLISHED", "发布时间")),
            Column::figure(word("REVISION", "修订号")),
            Column::text(word("REMARKS", "备注")),
        ]
    }

    fn row(&self, (discrepancy, index): &Self::Item) -> Vec<String> {
        let none = Observation::default();
        let side = discrepancy.sides.get(*index).unwrap_or(&none);
        let series = side.series.clone().unwrap_or_default();
        let indicator = self.labels.indicator(&series.indicator);
        let once = |text: String| if *index == 0 { text } else { String::new() };
        vec![
            once(self.name(EntryKind::Indicator, &series.indicator)),
            once(self.name(EntryKind::Region, &series.region)),
            once(self.labels.dimensions(&series, self.language)),
            once(discrepancy.period.clone()),
            self.name(EntryKind::Source, &series.source),
            figure(side, indicator.and_then(|it| it.decimals), self.language),
            self.labels.unit_of(&series.indicator).map(|it| symbol(it, self.language).to_owned()).unwrap_or_default(),
            once(grouped(&discrepancy.gap, 0)),
            once(grouped(&readable(&discrepancy.gap_percent), 0)),
            clock(side.published_at.as_ref()),
            side.revision.to_string(),
            remarks(side, self.language).join(", "),
        ]
    }

    fn fields(&self) -> Vec<String> {
        self.records.fields().into_iter().chain(["gap", "gap_percent"].map(str::to_owned)).collect()
    }

    fn record(&self, (discrepancy, index): &Self::Item) -> Vec<String> {
        let side = discrepancy.sides.get(*index).cloned().unwrap_or_default();
        let mut record = self.records.record(&side);
        record.extend([discrepancy.gap.clone(), discrepancy.gap_percent.clone()]);
        record
    }

    fn json(&self, (discrepancy, index): &Self::Item) -> Value {
        discrepancy.sides.get(*index).map_or(Value::Null, to_json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_is_a_number_or_a_percentage() {
        let tolerance = |text: &str| text.parse::<Tolerance>().expect(text);
        assert_eq!(tolerance("5"), Tolerance::Absolute(Decimal::from(5)));
        assert_eq!(tolerance("1%"), Tolerance::Percent(Decimal::from(1)));
        assert_eq!(tolerance("0.5 %"), Tolerance::Percent("0.5".parse().expect("a decimal")));
        for text in ["", "%", "five", "1%%"] {
            assert!(text.parse::<Tolerance>().is_err(), "{text}");
        }
    }

    #[test]
    fn one_tolerance_of_each_kind_can_be_given() {
        let given = |texts: &[&str]| tolerances(&texts.iter().map(|text| text.parse().expect(text)).collect::<Vec<_>>());
        assert_eq!(given(&["5", "1%"]).ok(), Some(("5".to_owned(), "1".to_owned())));
        assert_eq!(given(&[]).ok(), Some((String::new(), String::new())));
        assert!(given(&["5", "6"]).is_err());
    }
}
