//! Everything about the figure under the cursor, and its history.

use indicator_proto::{
    Time,
    v1::{EntryKind, Observation, Vintage},
    words::{self, figure_with_unit, headline, period},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};
use unicode_width::UnicodeWidthChar as _;

use super::{Look, changes::source, lines, look::arrow, nothing};
use crate::display::{
    model::{Detail, Model, Pane, Series, extent},
    text::{clean, left, width},
};

/// The most important of it, for a few lines.
pub(super) fn brief(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    if let Some(series) = model.series() {
        let mut page = Page { look, columns: area.width.into(), lines: Vec::new() };
        page.figure(model, series, false);
        lines(page.lines, 0, area, buffer);
    }
}

/// Draws it.
pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let Some(series) = model.series() else {
        let text = model.language.word("Enter goes into the region", "按 Enter 进入该地区");
        return nothing(if model.row().is_some() { text } else { "" }, look, area, buffer);
    };
    let scrolled = model.scrolled.get(&Pane::Detail).copied().unwrap_or(0);
    let mut page = Page { look, columns: area.width.into(), lines: Vec::new() };
    page.figure(model, series, true);
    if let Some(detail) = model.detail() {
        page.sources(model, series, detail);
        page.history(model, detail);
    }
    lines(page.lines, scrolled, area, buffer);
}

/// Lines of names and texts.
struct Page {
    look: Look,
    columns: usize,
    lines: Vec<Line<'static>>,
}

impl Page {
    /// A name and a text, which goes on below itself.
    fn entry(&mut self, name: &str, text: &str) {
        let indent = if self.columns < 60 { 10 } else { 14 };
        if text.trim().is_empty() {
            return;
        }
        for (place, part) in wrapped(&clean(text), self.columns.saturating_sub(indent + 1)).into_iter().enumerate() {
            let name = left(if place == 0 { name } else { "" }, indent - 1);
            self.lines.push(Line::from(vec![Span::styled(format!(" {name} "), self.look.dim()), Span::raw(part)]));
        }
    }

    fn heading(&mut self, text: &str) {
        self.lines.push(Line::default());
        self.lines.push(Line::styled(format!(" {text}"), self.look.title(false)));
    }

    /// `whole` is with what it is of, which the table says too.
    fn figure(&mut self, model: &Model, series: &Series, whole: bool) {
        let language = model.language;
        let word = |en, zh| language.word(en, zh);
        let (at, figure) = series.latest();
        let indicator = model.catalog.indicator(&series.key.indicator);
        let unit = model.catalog.unit_shown(figure).or_else(|| model.unit_of(&series.key));
        let full = clean(&figure_with_unit(figure, indicator, unit, language));
        for part in wrapped(&full, self.columns.saturating_sub(1)) {
            self.lines.push(Line::styled(format!(" {part}"), self.look.title(true)));
        }
        if whole {
            self.entry(word("indicator", "指标"), model.catalog.name(EntryKind::Indicator, &series.key.indicator, language));
            self.entry(word("region", "地区"), model.catalog.name(EntryKind::Region, &series.key.region, language));
            self.entry(word("breakdown", "分类"), &model.catalog.dimensions(&(&series.key).into(), language));
        }
        self.entry(word("period", "时期"), &period(*at, language));
        self.entry(word("source", "来源"), &source(model, figure));
        self.entry(word("status", "状态"), &words::statuses(figure, language).join(", "));
        if !figure.rounded_to.is_empty() {
            self.entry(word("precision", "精度"), &words::rounding(&figure.rounded_to, language));
        }
        if let (Some((before, old)), Some(change)) = (series.before(), series.change(unit, language)) {
            let old = headline(old, indicator, unit, language).text;
            let by = format!("{} {} ", arrow(change.direction), change.words);
            let before = period(*before, language);
            self.entry(
                word("change", "变化"),
                &language.word(format!("{by}on {before} ({old})"), format!("{by}较{before}（{old}）")),
            );
        }
        for same in &figure.equivalents {
            let text = words::with_unit(&words::grouped(&same.value, 0), model.catalog.unit(&same.unit), language);
            self.entry(word("also", "亦作"), &text);
        }
        if !figure.original_text.is_empty() {
            self.entry(word("words", "原文"), &format!("“{}”", figure.original_text));
        }
        self.entry(word("note", "备注"), &figure.note);
        self.entry(word("document", "文件"), &figure.document_uri);
        let time = |time: &Option<prost_types::Timestamp>| {
            time.as_ref().and_then(|time| Time::try_from(time).ok()).map(|time| words::time(time, language)).unwrap_or_default()
        };
        self.entry(word("published", "发布"), &time(&figure.published_at));
        let recorded = time(&figure.recorded_at);
        let revision = language.word(format!(", revision {}", figure.revision), format!("，修订号 {}", figure.revision));
        self.entry(word("recorded", "入库"), &format!("{recorded}{revision}"));
    }

    fn sources(&mut self, model: &Model, series: &Series, detail: &Detail) {
        let (_, figure) = series.latest();
        let own = figure.series.as_ref().map(|it| it.source.clone()).unwrap_or_default();
        let others: Vec<&Observation> =
            detail.sources.iter().filter(|it| it.series.as_ref().is_some_and(|key| key.source != own)).collect();
        if others.is_empty() {
            return;
        }
        self.heading(model.language.word("Other sources", "其他来源"));
        for other in others {
            let unit = model.catalog.unit_shown(other);
            let text = figure_with_unit(other, model.catalog.indicator(&series.key.indicator), unit, model.language);
            let differs = !agree(figure, other);
            let differs = if differs { model.language.word(" · disagrees", " · 不一致") } else { "" };
            self.entry("", &format!("{text} · {}{differs}", source(model, other)));
        }
    }

    fn history(&mut self, model: &Model, detail: &Detail) {
        if detail.vintages.is_empty() {
            return;
        }
        self.heading(model.language.word("History", "历史版本"));
        for vintage in &detail.vintages {
            let Vintage { observation: Some(figure), .. } = vintage else { continue };
            let indicator = figure.series.as_ref().map(|it| it.indicator.as_str()).unwrap_or_default();
            let unit = model.catalog.unit_shown(figure);
            let text = figure_with_unit(figure, model.catalog.indicator(indicator), unit, model.language);
            let published = figure.published_at.as_ref().and_then(|time| Time::try_from(time).ok());
            let published = published.map(|time| words::day(time, model.language)).unwrap_or_default();
            let kind = words::change(vintage.kind(), model.language);
            let now = if vintage.current { model.language.word(" · current", " · 现行") } else { "" };
            let revision = figure.revision;
            let revision = model.language.word(format!("revision {revision}"), format!("修订号 {revision}"));
            self.entry(&published, &format!("{text} · {kind} · {revision}{now}"));
        }
    }
}

/// Whether two figures can be the same.
fn agree(one: &Observation, other: &Observation) -> bool {
    extent(one).zip(extent(other)).is_none_or(|(one, other)| one.can_equal(&other))
}

/// A text in lines, broken at spaces, or anywhere where there are none: in Chinese.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(4);
    let mut all = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if taken + wide > columns {
            let rest = match line.rfind(' ').filter(|at| *at > 0) {
                Some(space) => line.split_off(space).trim_start().to_owned(),
                None => String::new(),
            };
            all.push(std::mem::replace(&mut line, rest));
            taken = width(&line);
        }
        if line.is_empty() && c == ' ' {
            continue;
        }
        line.push(c);
        taken += wide;
    }
    if !line.is_empty() {
        all.push(line);
    }
    all
}
