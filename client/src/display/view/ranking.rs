//! Regions in order, with the moves that were seen.

use indicator_proto::{
    v1::{Bound, EntryKind, RankRow, UnitKind},
    words::{Direction, Language, headline},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{Look, lines, look::arrow, nothing};
use crate::display::{
    model::{Model, Moved, Pane, Standing, height},
    text::{ago, clean, left, right, width},
};

/// Of which regions, and of how many.
pub(super) fn about(model: &Model) -> String {
    let Some(standing) = &model.standing else { return String::new() };
    let Some(rows) = &standing.rows else { return String::new() };
    let under = match standing.selection.under.as_str() {
        "" => String::new(),
        under => format!(", {}", clean(model.catalog.name(EntryKind::Region, under, model.language))),
    };
    let (ranked, all) = (rows.len(), rows.len() + standing.unranked);
    let level = level(&standing.selection.level, model.language);
    model
        .language
        .word(format!("{ranked} of {all}{under}, {level}"), format!("{all} 中有 {ranked}{under}, {level}").replace(", ", "，"))
}

/// A level in words. Levels of a catalog's own are shown as they stand there.
fn level(level: &str, language: Language) -> String {
    let word = match level {
        "country" => "国家",
        "province" => "省级",
        "prefecture" => "地级",
        "county" => "县级",
        _ => return clean(level),
    };
    language.word(level, word).to_owned()
}

/// Draws the ranking of the row under the cursor.
pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let word = |en, zh| model.language.word(en, zh);
    let Some(standing) = &model.standing else {
        return nothing(word("nothing to rank", "无可排名"), look, area, buffer);
    };
    let Some(rows) = &standing.rows else {
        return nothing(word("the ranking is on its way …", "正在读取排名 …"), look, area, buffer);
    };
    if rows.is_empty() {
        return nothing(word("no region has a figure to rank", "没有可排名的地区"), look, area, buffer);
    }
    let own = model.series().map(|series| series.key.region.as_str()).unwrap_or_default();
    let place = rows.iter().position(|row| row.region == own).unwrap_or(0);
    // The region under the cursor is in sight, until somebody scrolls.
    let scrolled = model.scrolled.get(&Pane::Ranking).copied();
    let scrolled = scrolled.unwrap_or_else(|| (place + 1).saturating_sub(area.height.into()));
    let texts: Vec<[String; 4]> = rows.iter().map(|row| texts(model, standing, row, area.width >= 50)).collect();
    let widest = |at: usize| texts.iter().map(|it| width(&it[at])).max().unwrap_or(0);
    let columns = usize::from(area.width);
    let (rank, moved) = (widest(0), widest(3));
    let figure = widest(2).min(columns / 2);
    let fixed = 1 + rank + 1 + 2 + figure + if moved > 0 { moved + 1 } else { 0 };
    let name = widest(1).min(columns.saturating_sub(fixed));
    let bar = columns.saturating_sub(fixed + name + 2).min(24);
    let most = rows.iter().filter_map(|row| value(standing, row)).fold(0.0, f64::max);
    let drawn = rows.iter().zip(&texts).map(|(row, texts)| {
        let style = if row.region == own { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        let mut spans = vec![
            Span::styled(format!(" {} ", right(&texts[0], rank)), look.dim()),
            Span::styled(left(&texts[1], name), style),
            Span::styled(format!("  {}", right(&texts[2], figure)), style),
        ];
        if bar >= 4 {
            let exact = standing.figure(row).is_some_and(|it| matches!(it.bound(), Bound::Unspecified | Bound::Exact));
            let style = if exact { look.exact() } else { look.bound() };
            spans.push(Span::styled(format!("  {}", left(&bar_of(value(standing, row), most, bar), bar)), style));
        }
        if moved > 0 {
            let direction = standing.moves.get(&row.region).map_or(Direction::Open, direction);
            spans.push(Span::styled(format!(" {}", left(&texts[3], moved)), look.change(direction)));
        }
        Line::from(spans)
    });
    lines(drawn.collect(), scrolled, area, buffer);
}

fn value(standing: &Standing, row: &RankRow) -> Option<f64> {
    standing.figure(row).and_then(height)
}

/// A figure as a part of the greatest. Without one that is above nothing, there is no bar.
fn bar_of(value: Option<f64>, most: f64, columns: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let Some(value) = value.filter(|it| *it > 0.0 && most > 0.0) else { return String::new() };
    let eighths = (value / most * (columns * 8) as f64).round() as usize;
    "█".repeat((eighths / 8).min(columns)) + PARTS[eighths % 8]
}

fn texts(model: &Model, standing: &Standing, row: &RankRow, roomy: bool) -> [String; 4] {
    let language = model.language;
    let rank = match (row.rank_from == row.rank_to, row.tied) {
        (true, true) => format!("{}=", row.rank_from),
        (true, false) => row.rank_from.to_string(),
        (false, _) => format!("{}–{}", row.rank_from, row.rank_to),
    };
    let indicator = model.catalog.indicator(&standing.selection.indicator);
    // All are of one unit, which the table says; a rank is said by its place.
    let unit = model.catalog.unit_of(&standing.selection.indicator).filter(|unit| unit.kind() == UnitKind::Rank);
    let figure = standing.figure(row).map(|it| headline(it, indicator, unit, language).text).unwrap_or_default();
    let moved = standing.moves.get(&row.region).map(|it| told(model, it, roomy)).unwrap_or_default();
    [rank, clean(model.catalog.name(EntryKind::Region, &row.region, language)), clean(&figure), moved]
}

/// Towards the first is up.
fn direction(moved: &Moved) -> Direction {
    if moved.to < moved.from { Direction::Up } else { Direction::Down }
}

/// A move, and when it was where there is room to say it.
fn told(model: &Model, moved: &Moved, roomy: bool) -> String {
    let step = match moved.from {
        0 => model.language.word("new", "新").to_owned(),
        from => format!("{} {from}→{}", arrow(direction(moved)), moved.to),
    };
    if roomy { format!("{step} {}", ago(moved.at, model.now, model.language)) } else { step }
}
