//! The keys, explained.

use indicator_proto::words::Language;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{Block, BorderType, Clear, Widget as _},
};

use super::{Look, bars::centred, lines};
use crate::display::{
    model::Model,
    text::{fit, left, width},
};

const EN: [(&str, &str); 14] = [
    ("↑ ↓ j k", "move the cursor, or scroll the pane"),
    ("PgUp PgDn g G", "a page; to the first, to the last"),
    ("Tab ← → h l", "next pane, the one before"),
    ("Enter", "into the indicator or the region"),
    ("Esc Backspace", "back, and up to the region above"),
    ("/", "only rows with a text"),
    ("o O 1–7", "sort by the next column; turn round; by a column"),
    ("p", "pause updates, and go on"),
    ("s", "save this screen as a text file"),
    ("q", "quit"),
    ("mouse", "click selects, again opens; heads sort"),
    ("> ≥ < ≤ ≈", "more, at least, less, at most, about"),
    ("*", "of a figure: see its status in the detail"),
    ("△ ▽ ○ ● ×", "chart: lower bound, upper, about, exact, missing"),
];

const ZH: [(&str, &str); 14] = [
    ("↑ ↓ j k", "移动光标或滚动窗格"),
    ("PgUp PgDn g G", "翻页；到首行、末行"),
    ("Tab ← → h l", "下一个、上一个窗格"),
    ("Enter", "进入指标或地区"),
    ("Esc Backspace", "返回；到上级地区"),
    ("/", "只显示含有文字的行"),
    ("o O 1–7", "按下一列排序；反转；按某列"),
    ("p", "暂停更新，再按继续"),
    ("s", "将屏幕保存为文本文件"),
    ("q", "退出"),
    ("鼠标", "单击选中，再击进入；表头排序"),
    ("超 至少 不足 约", "数值的界限"),
    ("*", "数值有状态说明，见详情"),
    ("△ ▽ ○ ● ×", "走势：下限、上限、约数或区间、确数、缺失"),
];

/// Draws it over the panes.
pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let keys = match model.language {
        Language::En => EN,
        Language::Zh => ZH,
    };
    let columns = |short: bool| {
        let key = |text: &'static str| if short { text.split(' ').next().unwrap_or(text) } else { text };
        keys.map(|(keys, text)| (key(keys), text))
    };
    let widths = |keys: &[(&str, &str)]| {
        let widest = |of: fn(&(&str, &str)) -> usize| keys.iter().map(of).max().unwrap_or(0);
        (widest(|(key, _)| width(key)), widest(|(_, text)| width(text)))
    };
    // Where there is little room, one key of several is told.
    let (first, rest) = widths(&columns(false));
    let keys = columns(first + rest + 6 > area.width.into());
    let (first, rest) = widths(&keys);
    let (wide, rows) = (u16::try_from(first + rest + 6).unwrap_or(u16::MAX), u16::try_from(keys.len() + 2).unwrap_or(u16::MAX));
    let place = centred(area, wide, rows);
    let block = Block::bordered()
        .border_type(BorderType::Thick)
        .border_style(look.border(true))
        .title(model.language.word(" Keys ", " 按键 "));
    let inside = block.inner(place);
    Clear.render(place, buffer);
    block.render(place, buffer);
    let room = usize::from(inside.width).saturating_sub(first + 3);
    let line = |(key, text): (&'static str, &'static str)| {
        Line::from(vec![Span::styled(format!(" {}  ", left(key, first)), look.title(true)), Span::raw(fit(text, room))])
    };
    lines(keys.map(line).to_vec(), 0, inside, buffer);
}
