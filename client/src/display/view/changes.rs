//! What has changed: which figure, from what to what, who did it and why.

use indicator_proto::{
    v1::{EntryKind, Observation},
    words::{self, headline, period},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Look, lines, nothing};
use crate::display::{
    model::{Entry, Model, Pane, series_name},
    text::{age, clean, fit, width},
};

/// Draws the changes, newest first.
pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    if model.changes.entries().len() == 0 {
        let text = model.language.word("nothing has changed since this was opened", "打开以来没有变更");
        return nothing(text, look, area, buffer);
    }
    let columns = usize::from(area.width);
    let scrolled = model.scrolled.get(&Pane::Changes).copied().unwrap_or(0);
    // As many entries as can be seen, for they are many.
    let entries = model.changes.entries().take(scrolled + usize::from(area.height));
    lines(entries.flat_map(|entry| entry_lines(model, look, entry, columns)).collect(), scrolled, area, buffer);
}

fn entry_lines<'a>(model: &Model, look: Look, entry: &Entry, columns: usize) -> Vec<Line<'a>> {
    let language = model.language;
    let name = clean(&series_name(&entry.cell.series, model.scope(), &model.catalog, language));
    let at = entry.cell.period.parse().map_or_else(|_| clean(&entry.cell.period), |it| period(it, language));
    let when = age(entry.at, model.now, language);
    let kind = words::change(entry.kind(), language);
    // The period tells changes of one series apart: the name gives way.
    let name = fit(&name, columns.saturating_sub(width(&when) + width(&at) + 5));
    let head = format!("{name}, {at}");
    let figures = match (
        entry.old.as_ref().map(|it| said(model, it, entry.new.is_none())),
        entry.new.as_ref().map(|it| said(model, it, true)),
    ) {
        (Some(old), Some(new)) => format!("{old} → {new}"),
        (None, Some(only)) => only,
        (Some(old), None) => old,
        (None, None) => String::new(),
    };
    let mut all = vec![
        Line::from(vec![Span::styled(format!(" {when}  "), look.dim()), Span::styled(head, look.title(false))]),
        Line::from(vec![
            Span::styled(format!("   {kind}  "), look.dim()),
            Span::raw(fit(&figures, columns.saturating_sub(width(kind) + 5))),
        ]),
    ];
    let why = why(model, entry.revision);
    if !why.is_empty() {
        all.push(Line::styled(format!("   {}", fit(&why, columns.saturating_sub(3))), look.dim()));
    }
    all
}

/// A figure in few words, unless what they leave out may be all that changed.
fn said(model: &Model, figure: &Observation, with_unit: bool) -> String {
    let indicator = figure.series.as_ref().map(|it| it.indicator.as_str()).unwrap_or_default();
    let unit = model.catalog.unit_shown(figure).filter(|_| with_unit);
    let short = headline(figure, model.catalog.indicator(indicator), unit, model.language);
    if short.whole {
        return clean(&short.text);
    }
    clean(&words::figure_with_unit(figure, model.catalog.indicator(indicator), unit, model.language))
}

/// Who, and why.
fn why(model: &Model, revision: u64) -> String {
    let of_revision = model.language.word(format!("revision {revision}"), format!("修订号 {revision}"));
    let Some(commit) = model.changes.commit(revision) else { return of_revision };
    let context = commit.context.clone().unwrap_or_default();
    let parts = [clean(&context.actor), clean(&context.reason), of_revision];
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(" · ")
}

/// The source of a figure.
pub(super) fn source(model: &Model, figure: &Observation) -> String {
    let source = figure.series.as_ref().map(|it| it.source.as_str()).unwrap_or_default();
    clean(model.catalog.name(EntryKind::Source, source, model.language))
}
