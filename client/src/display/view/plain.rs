//! A frame as text, and with the characters of ASCII alone.

use ratatui::{buffer::Buffer, layout::Rect};
use unicode_width::UnicodeWidthStr as _;

use super::{Look, bars, table};
use crate::display::model::Model;

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

/// The whole table and how the record is, as text.
pub(crate) fn once(model: &Model, look: Look, width: u16) -> String {
    let rows = u16::try_from(model.rows.len()).unwrap_or(u16::MAX - 8).min(u16::MAX - 8);
    // A row for the words where there is none.
    let table = Rect::new(0, 2, width, rows.max(1) + 1);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, table.bottom() + 2));
    let look = Look { color: false, ..look };
    bars::header(model, look, Rect { height: 1, ..buffer.area }, &mut buffer);
    table::draw(model, look, 0, table, &mut buffer, &mut super::Areas::default());
    bars::status(model, look, Rect::new(0, table.bottom() + 1, width, 1), &mut buffer);
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
