#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_proto::words::Language;
use ratatui::{buffer::Buffer, layout::Rect};

use super::*;
use crate::display::{
    fixture::model,
    view::{Look, draw},
};

fn areas(model: &Model) -> Areas {
    let area = Rect::new(0, 0, 80, 24);
    draw(model, Look::default(), 0, area, &mut Buffer::empty(area))
}

fn key(model: &Model, code: KeyCode) -> Option<Action> {
    action(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)), model, &areas(model))
}

fn mouse(model: &Model, kind: MouseEventKind, column: u16, row: u16) -> Option<Action> {
    action(&Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }), model, &areas(model))
}

#[test]
fn keys_ask_for_actions() {
    let model = model(Language::En);
    for (code, asked) in [
        (KeyCode::Char('q'), Action::Quit),
        (KeyCode::Down, Action::Move(1)),
        (KeyCode::Char('k'), Action::Move(-1)),
        (KeyCode::Char('l'), Action::Focus(1)),
        (KeyCode::BackTab, Action::Focus(-1)),
        (KeyCode::Enter, Action::Open),
        (KeyCode::Esc, Action::Up),
        (KeyCode::Backspace, Action::Up),
        (KeyCode::Char('/'), Action::Filter),
        (KeyCode::Char('?'), Action::Help),
        (KeyCode::Char('p'), Action::Pause),
        (KeyCode::Char('s'), Action::Save),
        (KeyCode::Char('G'), Action::Last),
        (KeyCode::Char('2'), Action::Sort(Column::Figure)),
        (KeyCode::Char('7'), Action::Sort(Column::Age)),
    ] {
        assert_eq!(key(&model, code), Some(asked), "{code:?}");
    }
    assert_eq!(key(&model, KeyCode::Char('8')), None);
    assert!(matches!(key(&model, KeyCode::PageDown), Some(Action::Move(page)) if page > 1));
    let interrupt = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    assert_eq!(action(&interrupt, &model, &areas(&model)), Some(Action::Interrupt));
    let released = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
    assert_eq!(action(&Event::Key(released), &model, &areas(&model)), None);
}

#[test]
fn what_is_typed_into_the_filter_is_no_command() {
    let mut model = model(Language::En);
    model.act(Action::Filter);
    assert_eq!(key(&model, KeyCode::Char('q')), Some(Action::Type('q')));
    assert_eq!(key(&model, KeyCode::Char('山')), Some(Action::Type('山')));
    assert_eq!(key(&model, KeyCode::Backspace), Some(Action::Erase));
    assert_eq!(key(&model, KeyCode::Enter), Some(Action::Accept));
    let interrupt = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    assert_eq!(action(&interrupt, &model, &areas(&model)), Some(Action::Interrupt));
}

#[test]
fn any_key_closes_the_help_but_the_one_that_quits() {
    let mut model = model(Language::En);
    model.act(Action::Help);
    assert_eq!(key(&model, KeyCode::Char('x')), Some(Action::Help));
    assert_eq!(key(&model, KeyCode::Char('q')), Some(Action::Quit));
    assert_eq!(mouse(&model, MouseEventKind::Down(MouseButton::Left), 5, 5), Some(Action::Help));
}

#[test]
fn the_mouse_finds_rows_heads_names_and_panes() {
    let model = model(Language::En);
    let click = |column, row| mouse(&model, MouseEventKind::Down(MouseButton::Left), column, row);
    // The header, the frame, the heads; then the rows.
    assert_eq!(click(5, 4), Some(Action::Select(1)));
    assert_eq!(click(5, 3), Some(Action::Open), "a second click on the row under the cursor");
    assert_eq!(click(5, 2), Some(Action::Sort(Column::Name)));
    assert_eq!(mouse(&model, MouseEventKind::Down(MouseButton::Right), 5, 4), Some(Action::Up));
    assert_eq!(click(60, 15), Some(Action::FocusOn(Pane::Ranking)));
    let row = u16::try_from(model.rows.len()).unwrap() + 4;
    assert_eq!(click(10, row), Some(Action::FocusOn(Pane::Detail)), "its name beside that of the chart");
    assert_eq!(mouse(&model, MouseEventKind::ScrollDown, 5, 4), Some(Action::Scroll(Pane::Table, 1)));
    assert_eq!(mouse(&model, MouseEventKind::ScrollUp, 60, 15), Some(Action::Scroll(Pane::Ranking, -1)));
    assert_eq!(click(5, 0), None);
}
