//! What stands above and below the panes: title, names of panes, keys, and how the connection is.

use indicator_client::WatchState;
use indicator_proto::words::Language;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::{Block, BorderType, Clear, Paragraph, Widget as _, Wrap},
};

use super::{Areas, Look};
use crate::display::{
    model::{Model, Pane},
    text::{ago, clean, fit, width},
};

/// The name of a pane.
pub(super) fn name(pane: Pane, language: Language) -> &'static str {
    match pane {
        Pane::Table => language.word("Figures", "数据"),
        Pane::Chart => language.word("Chart", "走势"),
        Pane::Ranking => language.word("Ranking", "排名"),
        Pane::Changes => language.word("Changes", "变更"),
        Pane::Detail => language.word("Detail", "详情"),
    }
}

/// What is shown, and how one came there.
pub(super) fn header(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let titles: Vec<String> = model.scopes.iter().map(|scope| scope.title(&model.catalog, model.language)).collect();
    let mut path = titles.join(" › ");
    // Where one is counts more than where one came from.
    while width(&path) + 2 > usize::from(area.width) && path.contains(" › ") {
        path = path.split_once(" › ").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
    }
    let text = fit(&format!(" {path}"), area.width.into());
    buffer.set_stringn(area.x, area.y, text, area.width.into(), look.title(true));
}

/// The names of the panes, of which one is shown.
pub(super) fn tabs(model: &Model, look: Look, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let mut x = area.x + 1;
    for pane in Pane::ALL {
        let text = name(pane, model.language);
        let wide = u16::try_from(width(text)).unwrap_or(0);
        if x + wide > area.right() {
            break;
        }
        let style = if pane == model.focus { look.bar() } else { look.dim() };
        buffer.set_stringn(x, area.y, text, wide.into(), style);
        areas.tab(pane, Rect::new(x, area.y, wide, 1));
        x += wide + 1;
    }
}

/// The filter, a message, or the keys.
pub(super) fn hints(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let language = model.language;
    let line = if model.typing {
        Line::from(vec![Span::styled(" / ", look.soon()), Span::raw(clean(&model.filter)), Span::styled(" ", look.bar())])
    } else if let Some(message) = model.message() {
        Line::styled(format!(" {}", clean(message)), Style::new().add_modifier(Modifier::BOLD))
    } else if !model.filter.is_empty() {
        let end = language.word("Esc ends it", "Esc 取消");
        Line::from(vec![
            Span::styled(" / ", look.soon()),
            Span::raw(clean(&model.filter)),
            Span::styled(format!("  {end}"), look.dim()),
        ])
    } else {
        Line::styled(format!(" {}", keys(language, area.width)), look.dim())
    };
    buffer.set_line(area.x, area.y, &line, area.width);
}

/// As many of the keys as there is room for.
fn keys(language: Language, columns: u16) -> String {
    let all = match language {
        Language::En => ["? help", "q quit", "Enter open", "Esc up", "/ filter", "Tab pane", "o sort", "p pause", "s save"],
        Language::Zh => ["? 帮助", "q 退出", "Enter 进入", "Esc 返回", "/ 筛选", "Tab 切换", "o 排序", "p 暂停", "s 保存"],
    };
    let mut text = String::new();
    for key in all {
        if width(&text) + width(key) + 4 > columns.into() {
            break;
        }
        if !text.is_empty() {
            text.push_str("  ");
        }
        text.push_str(key);
    }
    text
}

/// How the connection is, when anything last changed, and which state is shown.
pub(super) fn status(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let (language, columns) = (model.language, usize::from(area.width));
    let (mark, style, text) = state(model, look);
    let mut parts = vec![text];
    if let Some(held) = &model.paused {
        let count = held.count;
        parts.push(language.word(format!("paused, {count} changes wait"), format!("已暂停，{count} 项更新待显示")));
    }
    if let Some(time) = model.last_change {
        let ago = ago(time, model.now, language);
        parts.push(language.word(format!("last change {ago}"), format!("最近更新 {ago}")));
    }
    if model.ready() {
        parts.push(language.word(format!("revision {}", model.revision), format!("修订号 {}", model.revision)));
    }
    parts.push(clean(model.server.trim_start_matches("http://")));
    // The first parts count most.
    let mut line = String::new();
    for (place, part) in parts.iter().enumerate() {
        let joined = if place == 0 { format!(" {part}") } else { format!("{line} · {part}") };
        if place > 0 && width(&joined) + 3 > columns {
            break;
        }
        line = joined;
    }
    let spans = vec![Span::styled(format!(" {mark}"), style), Span::raw(fit(&line, columns.saturating_sub(2)))];
    buffer.set_line(area.x, area.y, &Line::from(spans), area.width);
}

fn state(model: &Model, look: Look) -> (&'static str, Style, String) {
    let language = model.language;
    let lost = model.link.lost_since.map(|since| ago(since, model.now, language)).unwrap_or_default();
    match model.link.state {
        WatchState::Live => ("●", look.good(), language.word("live", "实时").to_owned()),
        WatchState::Snapshot { observations } => {
            let count = indicator_proto::words::grouped(&observations.to_string(), 0);
            ("◐", look.soon(), language.word(format!("reading, {count} figures"), format!("读取中，已读 {count} 项")))
        }
        WatchState::CatchingUp { behind } => {
            ("◐", look.soon(), language.word(format!("catching up, {behind} behind"), format!("追赶中，还差 {behind}")))
        }
        WatchState::Connecting { attempt } if model.ready() => (
            "✕",
            look.bad(),
            language.word(format!("lost {lost}, attempt {attempt}"), format!("连接于{lost}中断，第 {attempt} 次重连")),
        ),
        WatchState::Connecting { .. } => ("◐", look.soon(), language.word("connecting", "连接中").to_owned()),
        WatchState::Ended => ("✕", look.bad(), language.word(format!("ended {lost}"), format!("已于{lost}终止"))),
    }
}

/// Why nothing more will come, and how to mend it; the last picture stays around it.
pub(super) fn ended(model: &Model, look: Look, why: &str, area: Rect, buffer: &mut Buffer) {
    let lines: Vec<Line<'_>> = why.lines().map(|line| Line::raw(clean(line))).collect();
    let widest = lines.iter().map(Line::width).max().unwrap_or(0);
    let wide = u16::try_from(widest + 4).unwrap_or(u16::MAX).clamp(20, area.width);
    let rows: usize = lines.iter().map(|line| line.width().div_ceil(usize::from(wide.saturating_sub(4)).max(1)).max(1) + 1).sum();
    let title = model.language.word(" no more figures come ", " 不再有新数据 ");
    let block = Block::bordered().border_type(BorderType::Thick).border_style(look.soon()).title(title);
    let place = centred(area, wide, u16::try_from(rows + 2).unwrap_or(u16::MAX));
    Clear.render(place, buffer);
    Paragraph::new(lines).wrap(Wrap { trim: true }).block(block).render(place, buffer);
}

/// A part of an area, in its middle.
pub(super) fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height)
}
