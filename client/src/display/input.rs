//! Keys and the mouse: what they ask for.

use ratatui::{
    crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind},
    layout::Position,
};

use super::{
    model::{Action, Column, Model, Pane},
    view::Areas,
};

/// What an event of the terminal asks for.
pub(crate) fn action(event: &Event, model: &Model, areas: &Areas) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => of_key(*key, model, areas),
        Event::Mouse(mouse) => of_mouse(*mouse, model, areas),
        _ => None,
    }
}

fn of_key(KeyEvent { code, modifiers, .. }: KeyEvent, model: &Model, areas: &Areas) -> Option<Action> {
    if modifiers.contains(KeyModifiers::CONTROL) {
        return match code {
            KeyCode::Char('c') => Some(Action::Interrupt),
            _ => None,
        };
    }
    if model.typing {
        return match code {
            KeyCode::Char(c) => Some(Action::Type(c)),
            KeyCode::Backspace => Some(Action::Erase),
            KeyCode::Enter => Some(Action::Accept),
            KeyCode::Esc => Some(Action::Up),
            KeyCode::Up => Some(Action::Move(-1)),
            KeyCode::Down => Some(Action::Move(1)),
            _ => None,
        };
    }
    if model.help && !matches!(code, KeyCode::Char('q')) {
        return Some(Action::Help);
    }
    let page = isize::try_from(areas.page(model.focus)).unwrap_or(1).max(1);
    Some(match code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Up | KeyCode::Char('k') => Action::Move(-1),
        KeyCode::Down | KeyCode::Char('j') => Action::Move(1),
        KeyCode::PageUp => Action::Move(-page),
        KeyCode::PageDown | KeyCode::Char(' ') => Action::Move(page),
        KeyCode::Home | KeyCode::Char('g') => Action::First,
        KeyCode::End | KeyCode::Char('G') => Action::Last,
        KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => Action::Focus(1),
        KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => Action::Focus(-1),
        KeyCode::Enter => Action::Open,
        KeyCode::Backspace | KeyCode::Esc => Action::Up,
        KeyCode::Char('/') => Action::Filter,
        KeyCode::Char('?') => Action::Help,
        KeyCode::Char('p') => Action::Pause,
        KeyCode::Char('s') => Action::Save,
        KeyCode::Char('o') => Action::SortNext,
        KeyCode::Char('O') => Action::Reverse,
        KeyCode::Char(digit @ '1'..='7') => {
            let place = usize::try_from(u32::from(digit) - u32::from('1')).ok()?;
            Action::Sort(*Column::ALL.get(place)?)
        }
        _ => return None,
    })
}

fn of_mouse(MouseEvent { kind, column, row, .. }: MouseEvent, model: &Model, areas: &Areas) -> Option<Action> {
    let at = Position { x: column, y: row };
    let pane = areas.pane_at(at);
    match kind {
        _ if model.help => matches!(kind, MouseEventKind::Down(_)).then_some(Action::Help),
        MouseEventKind::ScrollUp => Some(Action::Scroll(pane?, -1)),
        MouseEventKind::ScrollDown => Some(Action::Scroll(pane?, 1)),
        MouseEventKind::Down(MouseButton::Left) => {
            if let Some(tab) = areas.tab_at(at) {
                return Some(Action::FocusOn(tab));
            }
            if let Some(column) = areas.column_at(at) {
                return Some(Action::Sort(column));
            }
            match (areas.row_at(at), pane?) {
                // A second click goes in.
                (Some(row), Pane::Table) if row == model.selected && model.focus == Pane::Table => Some(Action::Open),
                (Some(row), Pane::Table) if row < model.rows.len() => Some(Action::Select(row)),
                (_, pane) => Some(Action::FocusOn(pane)),
            }
        }
        MouseEventKind::Down(MouseButton::Right) => Some(Action::Up),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
