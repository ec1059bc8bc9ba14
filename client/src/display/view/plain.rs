//! A frame as text, and with the characters of ASCII alone.

use ratatui::{buffer::Buffer, layout::Rect};
use unicode_width::UnicodeWidthStr as _;

use super::{Areas, Look, bars, table};
use crate::{display::model::Model, output::clock};

/// The text of a frame, without what ends its lines.
pub(crate) fn plain(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut text = String::new();
    for y in area.y..area.bottom() {
        let mut line = String::new();
        let mut x = area.x;
        while x < area.right() {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            // The cells after a wide character are under it.
            x += u16::try_from(symbol.width()).unwrap_or(1).max(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The whole table, and the moment that it shows, as text.
pub(crate) fn once(model: &Model, look: Look, width: u16) -> String {
    let figures = model.rows.iter().filter(|row| row.series().is_some()).count();
    // A row for the words where there is none; a buffer has no more rows than these.
    let rows = u16::try_from(figures).unwrap_or(u16::MAX).clamp(1, u16::MAX - 8);
    let table = Rect::new(0, 2, width, rows + 1);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, table.bottom() + 2));
    let look = Look { color: false, still: true, ..look };
    bars::header(model, look, Rect { height: 1, ..buffer.area }, &mut buffer);
    table::draw(model, look, 0, table, &mut buffer, &mut Areas::default());
    let language = model.language;
    let mut told = vec![language.word(format!("revision {}", model.revision), format!("修订号 {}", model.revision))];
    if let Some(time) = model.last_change {
        let time = clock(Some(&time.into()));
        told.push(language.word(format!("last change {time}"), format!("最近更新 {time}")));
    }
    buffer.set_stringn(1, table.bottom() + 1, told.join(" · "), usize::from(width) - 1, look.dim());
    if look.ascii {
        to_ascii(&mut buffer);
    }
    plain(&buffer)
}

/// What stands for a character of the display's own. Names stay as they are.
fn ascii(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "─" | "╌" | "┄" | "–" | "−" | "—" => "-",
        "━" => "=",
        "│" | "┃" | "┤" | "├" | "╎" => "|",
        "╭" | "╮" | "╰" | "╯" | "┏" | "┓" | "┗" | "┛" | "┌" | "┐" | "└" | "┘" | "┼" | "┴" | "┬" => {
            "+"
        }
        "▲" | "△" | "↑" => "^",
        "▼" | "▽" | "↓" => "v",
        "→" | "▸" | "›" | "≥" => ">",
        "≤" | "←" => "<",
        "≈" | "…" => "~",
        "●" | "•" => "*",
        "○" | "◇" => "o",
        "◐" => "~",
        "✕" | "×" => "x",
        "·" => ".",
        "“" | "”" => "\"",
        "‘" | "’" => "'",
        "▁" | "▂" => "_",
        "▃" | "▄" => ".",
        "▅" | "▆" => "-",
        "▇" => "=",
        "█" => "#",
        "▏" | "▎" | "▍" | "▌" | "▋" | "▊" | "▉" => "=",
        _ => return None,
    })
}

/// Leaves no character of the display's own that is not in ASCII.
pub(super) fn to_ascii(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width.max(1));
    for at in 0..buffer.content.len() {
        let symbol = buffer.content[at].symbol();
        // "≥ 3" has room for both characters.
        let equal = matches!(symbol, "≥" | "≤");
        let Some(plain) = ascii(symbol) else { continue };
        buffer.content[at].set_symbol(plain);
        if equal && (at + 1) % width != 0 && buffer.content[at + 1].symbol() == " " {
            buffer.content[at + 1].set_symbol("=");
        }
    }
}
