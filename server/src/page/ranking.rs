//! Regions by an indicator, with the moves against the period before.

use std::collections::{BTreeMap, HashMap};

use indicator_proto::{
    Frequency, Period,
    v1::{self, ObservationFilter, RankRow, RegionSelection, UnitKind},
    words::{self, Language},
};
use maud::{Markup, html};
use tonic::Status;

use super::{
    address::{Address, Indicator, Order, Ranking, View},
    names::Names,
    parts,
    picture::{Part, Picture, Section, element_id},
    reader::{Reader, breadth},
};

/// Rows of a page.
const ROWS: usize = 400;
/// Periods to choose from.
const PERIODS: u32 = 60;

/// Draws it.
pub(super) async fn draw(reader: &Reader, address: &Address, view: &Ranking) -> Result<Picture, Status> {
    let names = reader.names();
    if names.catalog.indicator(&view.indicator).is_none() {
        return Ok(parts::not_found(address, parts::NoSuch::Indicator(&view.indicator)));
    }
    let levels = levels(reader, &view.indicator);
    let busiest = levels.iter().max_by_key(|(_, count)| **count).map(|(level, _)| level.clone());
    let level = view.level.clone().or(busiest);
    let dimensions = match &view.dimensions {
        Some(dimensions) => dimensions.clone(),
        None => broadest(reader, &view.indicator),
    };
    let Some(level) = level else {
        let word = |en: &'static str, zh: &'static str| reader.language.word(en, zh);
        let html = html! {
            header.head id="head" {
                h1 { (names.indicator(&view.indicator)) }
                p.lead { (word("No region has a figure yet. They appear here when they have.", "尚无地区数据。记录后将自动显示在此处。")) }
            }
        };
        return Ok(Picture::new(
            names.indicator(&view.indicator),
            vec![Section::new("heading", "", vec![Part::new("head", html)])],
        ));
    };
    let selection = RegionSelection {
        indicator: view.indicator.clone(),
        level: level.clone(),
        under: view.under.clone().unwrap_or_default(),
        dimensions: dimensions.clone().into_iter().collect(),
        period: view.period.map(|period| period.to_string()).unwrap_or_default(),
        ..RegionSelection::default()
    };
    let order = view.order.unwrap_or_else(|| usual_order(names, &view.indicator));
    let found = ranked(reader, selection, order).await?;
    let periods = match found.ranking.rows.first() {
        Some(row) => periods(reader, view, &dimensions, &row.region).await?,
        None => Vec::new(),
    };
    let head =
        head(reader, address, view, &Controls { levels: &levels, level: &level, periods: &periods, order }, &found, &dimensions);
    let place = Place { address, indicator: &view.indicator, dimensions: &dimensions, here: None };
    let rows = rows(&found, &place, names, ROWS);
    let label = reader.language.word("Ranking", "排名");
    let title = format!("{} – {label}", names.subject(&view.indicator, &dimensions));
    let mut sections = vec![Section::new("heading", "", vec![Part::new("head", head)])];
    sections.push(Section::list("ranking", label, rows));
    if found.ranking.rows.len() > ROWS {
        let rest = match reader.language {
            Language::En => format!("The first {ROWS} of {}; `indicator rank` has all.", found.ranking.rows.len()),
            Language::Zh => format!("仅显示前 {ROWS} 位（共 {} 个）；全部排名见 indicator rank。", found.ranking.rows.len()),
        };
        sections.push(Section::new(
            "rest",
            "",
            vec![Part::new("rest-of-ranking", html! { p.rest id="rest-of-ranking" { (rest) } })],
        ));
    }
    Ok(Picture::new(title, sections))
}

/// A ranking, and the one of the period before.
pub(super) struct Ranked {
    pub(super) ranking: v1::Ranking,
    /// The period of all rows; `None` where they differ.
    pub(super) period: Option<Period>,
    before: Option<Period>,
    ranks_before: HashMap<String, (u32, u32)>,
}

/// Ranks regions now, and in the period before where there is one.
pub(super) async fn ranked(reader: &Reader, selection: RegionSelection, order: Order) -> Result<Ranked, Status> {
    let least_first = order == Order::LeastFirst;
    let ranking = reader.rank(selection.clone(), least_first).await?.rankings.into_iter().next().unwrap_or_default();
    let of_rows = ranking.rows.first().and_then(|row| row.observation.as_ref()?.period.parse::<Period>().ok());
    let period = of_rows.filter(|_| !ranking.mixed_periods);
    let before = period.and_then(Period::pred).filter(|_| period.is_some_and(|period| period.frequency() != Frequency::Daily));
    let mut ranks_before = HashMap::new();
    if let Some(before) = before {
        let selection = RegionSelection { period: before.to_string(), ..selection };
        let rows = reader.rank(selection, least_first).await?.rankings.into_iter().flat_map(|ranking| ranking.rows);
        ranks_before = rows.map(|row| (row.region, (row.rank_from, row.rank_to))).collect();
    }
    Ok(Ranked { ranking, period, before, ranks_before })
}

/// The order that people expect: the third place comes before the tenth.
pub(super) fn usual_order(names: Names<'_>, indicator: &str) -> Order {
    let unit = names.indicator_unit(indicator).and_then(|unit| names.catalog.unit(unit));
    if unit.is_some_and(|unit| unit.kind() == UnitKind::Rank) { Order::LeastFirst } else { Order::GreatestFirst }
}

/// The levels of regions that have series of an indicator, with how many have.
pub(super) fn levels(reader: &Reader, indicator: &str) -> BTreeMap<String, usize> {
    let names = reader.names();
    let mut levels = BTreeMap::new();
    let operands = names.catalog.indicator(indicator).filter(|it| !it.formula.is_empty());
    let count = |level: &str, levels: &mut BTreeMap<String, usize>| *levels.entry(level.to_owned()).or_default() += 1;
    if operands.is_some() {
        // Whatever has figures may have it.
        for region in names.catalog.all::<v1::Region>() {
            if reader.engine().with_index(|index| index.has_series_of(&region.id)) {
                count(&region.level, &mut levels);
            }
        }
        return levels;
    }
    let of_regions = reader.engine().with_index(|index| {
        index
            .regions_of(indicator)
            .into_iter()
            .filter_map(|id| names.catalog.region(id))
            .map(|it| it.level.clone())
            .collect::<Vec<_>>()
    });
    for level in of_regions {
        count(&level, &mut levels);
    }
    levels
}

/// The dimensions of the broadest series of an indicator: of the fewest, and of the most series.
fn broadest(reader: &Reader, indicator: &str) -> BTreeMap<String, String> {
    reader.engine().with_index(|index| {
        let mut counts: BTreeMap<Vec<(String, String)>, usize> = BTreeMap::new();
        for id in index.of_indicators([indicator]) {
            let dimensions = index.key(id).dimensions.iter().map(|(dimension, code)| (dimension.clone(), code.clone())).collect();
            *counts.entry(dimensions).or_default() += 1;
        }
        let counts = counts.into_iter().map(|(dimensions, count)| (BTreeMap::from_iter(dimensions), count));
        let broadest = counts.min_by_key(|(dimensions, count)| (breadth(dimensions), std::cmp::Reverse(*count)));
        broadest.map(|(dimensions, _)| dimensions).unwrap_or_default()
    })
}

/// The last periods that a region has figures for, newest first.
async fn periods(
    reader: &Reader,
    view: &Ranking,
    dimensions: &BTreeMap<String, String>,
    region: &str,
) -> Result<Vec<Period>, Status> {
    let filter = ObservationFilter {
        indicators: vec![view.indicator.clone()],
        regions: vec![region.to_owned()],
        dimensions: dimensions.clone().into_iter().collect(),
        ..ObservationFilter::default()
    };
    let subjects = reader.figures(filter, PERIODS, Vec::new(), reader.as_of()).await?;
    let figures = subjects.into_iter().find(|((.., of), _)| of == dimensions);
    Ok(figures.into_iter().flat_map(|(_, figures)| figures.by_period).map(|(period, _)| period).rev().collect())
}

/// What one can choose.
struct Controls<'a> {
    levels: &'a BTreeMap<String, usize>,
    level: &'a str,
    periods: &'a [Period],
    order: Order,
}

fn head(
    reader: &Reader,
    address: &Address,
    view: &Ranking,
    controls: &Controls<'_>,
    found: &Ranked,
    dimensions: &BTreeMap<String, String>,
) -> Markup {
    let names = reader.names();
    let word = |en: &'static str, zh: &'static str| reader.language.word(en, zh);
    let description = names.description(&view.indicator);
    let ranking = &found.ranking;
    let lacking = ranking.unranked_regions.len();
    let count = match reader.language {
        Language::En if ranking.ranked == 1 => "1 region ranked".to_owned(),
        Language::En => format!("{} regions ranked", ranking.ranked),
        Language::Zh => format!("{} 个地区参与排名", ranking.ranked),
    };
    let lacking = match (lacking, reader.language) {
        (0, _) => String::new(),
        (lacking, Language::En) => format!(", {lacking} without a figure"),
        (lacking, Language::Zh) => format!("，{lacking} 个暂无数据"),
    };
    html! {
        header.head id="head" {
            h1 { (names.subject(&view.indicator, dimensions)) }
            @if !description.is_empty() { p.description { (description) } }
            p.lead {
                @if let Some(period) = found.period { (words::period(period, reader.language)) " · " }
                @else if ranking.mixed_periods { (word("the latest figure of each region, of different periods", "各地区最新数据，时期不同")) " · " }
                (count) (lacking)
                @if ranking.mixed_sources { " · " (word("figures of different sources", "数据来源不同")) }
                @if let Some(before) = found.before.filter(|_| !found.ranks_before.is_empty()) {
                    " · " (word("moves against ", "名次变化对比")) (words::period(before, reader.language))
                }
            }
            (parts::past(address))
            form.controls action=(address.path()) method="get" {
                label {
                    span { (word("Level", "级别")) }
                    select name="level" {
                        @for (level, count) in controls.levels {
                            option value=(level) selected[level == controls.level] { (parts::level(level, reader.language)) " (" (count) ")" }
                        }
                    }
                }
                label {
                    span { (word("Period", "时期")) }
                    select name="period" {
                        option value="" { (word("Latest of each", "各地区最新")) }
                        @if let Some(period) = view.period.filter(|period| !controls.periods.contains(period)) {
                            option value=(period) selected { (words::period(period, reader.language)) }
                        }
                        @for period in controls.periods {
                            option value=(period) selected[view.period == Some(*period)] { (words::period(*period, reader.language)) }
                        }
                    }
                }
                label {
                    span { (word("Order", "顺序")) }
                    select name="order" {
                        option value=(Order::GreatestFirst.tag()) selected[controls.order == Order::GreatestFirst] { (word("Greatest first", "从大到小")) }
                        option value=(Order::LeastFirst.tag()) selected[controls.order == Order::LeastFirst] { (word("Least first", "从小到大")) }
                    }
                }
                @if let Some(under) = &view.under { input type="hidden" name="under" value=(under); }
                @for (dimension, code) in dimensions { input type="hidden" name={ "dim." (dimension) } value=(code); }
                (parts::manner_fields(address))
                button type="submit" { (word("Show", "显示")) }
            }
        }
    }
}

/// Where a ranking stands.
pub(super) struct Place<'a> {
    pub(super) address: &'a Address,
    pub(super) indicator: &'a str,
    pub(super) dimensions: &'a BTreeMap<String, String>,
    /// The region that the page is of.
    pub(super) here: Option<&'a str>,
}

/// The regions in order, each a part: the first ones, and those around the region that the page is of.
pub(super) fn rows(found: &Ranked, place: &Place<'_>, names: Names<'_>, most: usize) -> Vec<Part> {
    let rows = &found.ranking.rows;
    let size = |row: &RankRow| row.observation.as_ref().and_then(reach).unwrap_or(0.0).abs();
    let greatest = rows.iter().map(size).fold(0.0, f64::max);
    let here = rows.iter().position(|row| Some(row.region.as_str()) == place.here);
    let mut before = None;
    let mut parts = Vec::new();
    for at in shown(rows.len(), here, most) {
        let row = &rows[at];
        let id = element_id("rank", &[&row.region]);
        let width = if greatest > 0.0 { size(row) / greatest * 100.0 } else { 0.0 };
        let leap = before.is_some_and(|before| before + 1 < at);
        parts.push(Part::new(&*id, row_of(row, &id, (width, leap), found, place, names)));
        before = Some(at);
    }
    parts
}

/// Which of a number of rows are shown, where there is not room for all.
fn shown(rows: usize, here: Option<usize>, most: usize) -> impl Iterator<Item = usize> {
    const AROUND: usize = 5;
    let around = here.filter(|here| here + AROUND >= most && rows > most);
    let first = around.map_or(most, |_| most.saturating_sub(2 * AROUND + 1)).min(rows);
    let around = around.map_or(0..0, |here| first.max(here.saturating_sub(AROUND))..rows.min(here + AROUND + 1));
    (0..first).chain(around)
}

/// How far a bar reaches.
fn reach(observation: &v1::Observation) -> Option<f64> {
    let text = observation.interval.as_ref().map_or(&observation.value, |interval| &interval.upper);
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn row_of(row: &RankRow, id: &str, (width, leap): (f64, bool), found: &Ranked, place: &Place<'_>, names: Names<'_>) -> Markup {
    let observation = row.observation.clone().unwrap_or_default();
    let headline = names.headline(&observation, place.indicator);
    let full = names.figure(&observation, place.indicator);
    let to = place.address.to(View::Indicator(Indicator {
        region: row.region.clone(),
        indicator: place.indicator.to_owned(),
        dimensions: Some(place.dimensions.clone()).filter(|it| !it.is_empty()),
        ..Indicator::default()
    }));
    let bound = observation.bound() != v1::Bound::Unspecified && observation.bound() != v1::Bound::Exact;
    let here = place.here == Some(row.region.as_str());
    html! {
        li.row.here[here].leap[leap] id=(id) data-rank=(row.rank_from) data-figure=(full) data-name=(names.region(&row.region)) aria-current=[here.then_some("true")] {
            span.rank { (rank(row)) (moved(row, found, names.language)) }
            span.who {
                a.name href=(to) { (names.region(&row.region)) }
                (parts::doubts(&observation, names.language))
            }
            span.bar.open[bound] aria-hidden="true" {
                svg preserveAspectRatio="none" viewBox="0 0 100 10" { rect x="0" y="0" height="10" width=(format!("{width:.2}")) {} }
            }
            span.figure title=(full) { (parts::large(&headline.text)) }
            @if found.period.is_none() { span.period { (names.period(&observation.period)) } }
        }
    }
}

/// A place in words: `3`, `=3`, `3–5`.
fn rank(row: &RankRow) -> String {
    match (row.rank_from == row.rank_to, row.tied) {
        (true, true) => format!("={}", row.rank_from),
        (true, false) => row.rank_from.to_string(),
        (false, _) => format!("{}–{}", row.rank_from, row.rank_to),
    }
}

/// How many places it moved since the period before, where both are certain.
fn moved(row: &RankRow, found: &Ranked, language: Language) -> Markup {
    let certain = |from: u32, to: u32| (from == to).then_some(from);
    let now = certain(row.rank_from, row.rank_to);
    let before = found.ranks_before.get(&row.region).and_then(|(from, to)| certain(*from, *to));
    let (class, sign, words) = match (now, before) {
        (Some(now), Some(before)) if now < before => {
            let places = before - now;
            ("up", format!("▲{places}"), language.word(format!("up {places}"), format!("上升 {places} 位")))
        }
        (Some(now), Some(before)) if now > before => {
            let places = now - before;
            ("down", format!("▼{places}"), language.word(format!("down {places}"), format!("下降 {places} 位")))
        }
        _ => return html! {},
    };
    html! { " " span class={ "moved " (class) } title=(words) { span aria-hidden="true" { (sign) } span.unseen { (words) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_rows_the_first_are_shown_and_those_around_the_page_s_own() {
        let shown = |rows, here, most| shown(rows, here, most).collect::<Vec<_>>();
        assert_eq!(shown(3, Some(1), 20), [0, 1, 2]);
        assert_eq!(shown(30, None, 20), (0..20).collect::<Vec<_>>());
        assert_eq!(shown(30, Some(3), 20), (0..20).collect::<Vec<_>>());
        assert_eq!(shown(100, Some(50), 20), (0..9).chain(45..56).collect::<Vec<_>>());
        assert_eq!(shown(100, Some(99), 20), (0..9).chain(94..100).collect::<Vec<_>>());
        assert_eq!(shown(100, Some(17), 20), (0..9).chain(12..23).collect::<Vec<_>>());
        assert_eq!(shown(20, Some(19), 20), (0..20).collect::<Vec<_>>());
    }
}
