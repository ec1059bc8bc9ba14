#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_client::WatchState;
use indicator_proto::{
    Time,
    v1::{Bound, catalog_entry::Entry},
    words::Language,
};
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::Buffer,
    style::{Color, Modifier},
};

use super::*;
use crate::display::{
    fixture::{self, bounded, change, commit, full_model, key, model, now, value},
    model::{Action, Event, Scope},
};

const PLAIN: Look = Look { ascii: false, color: false, still: false };
const COLORED: Look = Look { ascii: false, color: true, still: false };
const ASCII: Look = Look { ascii: true, color: false, still: false };

/// What a terminal of this size shows.
fn shown(model: &Model, look: Look, columns: u16, rows: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| _ = draw(model, look, 0, frame.area(), frame.buffer_mut())).unwrap();
    terminal.backend().buffer().clone()
}

fn text(model: &Model, look: Look, columns: u16, rows: u16) -> String {
    plain(&shown(model, look, columns, rows))
}

fn later(seconds: i64) -> Time {
    Time::from_micros(now().micros() + seconds * 1_000_000).unwrap()
}

#[test]
fn a_wide_terminal_shows_every_pane() {
    insta::assert_snapshot!("wide_en", text(&full_model(Language::En), PLAIN, 150, 40));
    insta::assert_snapshot!("wide_zh", text(&full_model(Language::Zh), PLAIN, 150, 40));
}

#[test]
fn a_usual_terminal_shows_the_table_and_two_panes() {
    for language in Language::ALL {
        let mut model = full_model(language);
        insta::assert_snapshot!(format!("usual_{}", language.tag()), text(&model, PLAIN, 80, 24));
        for (pane, name) in [(Pane::Detail, "detail"), (Pane::Changes, "changes")] {
            model.act(Action::FocusOn(pane));
            insta::assert_snapshot!(format!("usual_{name}_{}", language.tag()), text(&model, PLAIN, 80, 24));
        }
    }
}

#[test]
fn a_narrow_terminal_shows_one_pane_at_a_time() {
    for language in Language::ALL {
        let mut model = full_model(language);
        let mut all = String::new();
        for pane in Pane::ALL {
            model.act(Action::FocusOn(pane));
            all += &text(&model, PLAIN, 40, 20);
            all += "========\n";
        }
        insta::assert_snapshot!(format!("narrow_{}", language.tag()), all);
    }
}

#[test]
fn ascii_mode_has_no_other_character_of_its_own() {
    let mut model = full_model(Language::En);
    for pane in Pane::ALL {
        model.act(Action::FocusOn(pane));
        for (columns, rows) in [(40, 20), (80, 24), (150, 40)] {
            for help in [false, true] {
                model.help = help;
                let text = text(&model, ASCII, columns, rows);
                let other: String = text.chars().filter(|c| !c.is_ascii()).collect();
                assert_eq!(other, "", "{text}");
            }
        }
    }
    model.help = false;
    insta::assert_snapshot!("ascii", self::text(&model, ASCII, 150, 40));
    let chinese = self::text(&full_model(Language::Zh), ASCII, 80, 24);
    assert!(chinese.contains("数字经济总量") && !chinese.contains('│') && !chinese.contains('▲'), "{chinese}");
}

#[test]
fn wide_characters_are_counted_as_such() {
    for (columns, rows) in [(40, 20), (80, 24), (150, 40)] {
        let text = text(&full_model(Language::Zh), PLAIN, columns, rows);
        let edges = text.lines().filter(|line| line.ends_with(['│', '┃', '╮', '┓', '╯', '┛']));
        assert!(edges.clone().all(|line| width(line) == usize::from(columns)), "{text}");
        assert!(columns == 40 || edges.count() > 10);
    }
}

#[test]
fn a_row_lights_up_when_its_figure_changes_and_goes_out_again() {
    let scope = Scope::of_region("CN-SD");
    let mut model = model(Language::En);
    let place = model.rows.iter().position(|row| row.name() == "Digital economy output").unwrap();
    let new = bounded(Bound::GreaterThan, value("output", "CN-SD", "2020", "3100000000000"));
    model.heed(Event::Changed(scope, change(None, Some(new), 3)));
    let row = u16::try_from(place).unwrap() + 3;
    let of_name = |model: &Model, look| shown(model, look, 80, 24)[(4, row)].style();
    assert_eq!(of_name(&model, COLORED).bg, Some(Color::Yellow));
    assert!(of_name(&model, PLAIN).add_modifier.contains(Modifier::BOLD | Modifier::UNDERLINED));
    assert_eq!(shown(&model, PLAIN, 80, 24)[(1, row)].symbol(), "●");
    model.heed(Event::Tick(later(1)));
    assert_eq!(of_name(&model, COLORED).bg, Some(Color::Yellow), "still lit");
    model.heed(Event::Tick(later(2)));
    assert_eq!(of_name(&model, COLORED).bg, Some(Color::Reset));
    assert_eq!(shown(&model, PLAIN, 80, 24)[(1, row)].symbol(), " ");
}

#[test]
fn without_colour_there_is_none() {
    let mut model = full_model(Language::En);
    model.heed(Event::Link(WatchState::Connecting { attempt: 2 }, 2));
    for pane in Pane::ALL {
        model.act(Action::FocusOn(pane));
        for (columns, rows) in [(40, 20), (80, 24), (150, 40)] {
            let buffer = shown(&model, PLAIN, columns, rows);
            assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset), "{pane:?}");
        }
    }
    assert!(shown(&model, COLORED, 150, 40).content.iter().any(|cell| cell.fg != Color::Reset));
}

#[test]
fn a_lost_connection_is_told_and_the_picture_stays() {
    for language in Language::ALL {
        let mut model = full_model(language);
        model.heed(Event::Link(WatchState::Connecting { attempt: 1 }, 2));
        model.heed(Event::Tick(later(75)));
        model.heed(Event::Link(WatchState::Connecting { attempt: 4 }, 2));
        let lost = text(&model, PLAIN, 80, 24);
        assert!(lost.contains(language.word("✕ lost 1 min ago, attempt 4", "✕ 连接于1分钟前中断，第 4 次重连")), "{lost}");
        assert!(lost.contains(language.word("> 3 trillion yuan", "超 3 万亿元")), "{lost}");
        model.heed(Event::Link(WatchState::CatchingUp { behind: 3 }, 2));
        let behind = text(&model, PLAIN, 80, 24);
        assert!(behind.contains(language.word("◐ catching up, 3 behind", "◐ 追赶中，还差 3")), "{behind}");
        model.heed(Event::Link(WatchState::Live, 5));
        let live = text(&model, PLAIN, 80, 24);
        assert!(
            live.contains(language.word("● live", "● 实时")) && live.contains(language.word("revision 5", "修订号 5")),
            "{live}"
        );
    }
}

#[test]
fn an_end_for_good_says_why_and_what_to_do() {
    let mut model = full_model(Language::En);
    model.heed(Event::Ended("error: the server wants to know who you are\ntry: --token-file FILE".into()));
    insta::assert_snapshot!("ended", text(&model, PLAIN, 80, 24));
}

#[test]
fn the_keys_are_explained() {
    for language in Language::ALL {
        let mut model = model(language);
        model.act(Action::Help);
        let both = text(&model, PLAIN, 80, 24) + &text(&model, PLAIN, 40, 20);
        insta::assert_snapshot!(format!("help_{}", language.tag()), both);
    }
}

/// Texts that steer a terminal, wherever somebody else's text can stand.
fn hostile() -> Model {
    const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}abc\r\n\u{0}\u{1b}Pq";
    let mut model = full_model(Language::En);
    let mut catalog = fixture::catalog();
    let evil = || [("en".to_owned(), format!("evil{EVIL}"))].into();
    catalog.add([
        Entry::Region(indicator_proto::v1::Region {
            id: "CN-SD".into(),
            parent: "CN".into(),
            level: EVIL.into(),
            names: evil(),
            ..Default::default()
        }),
        Entry::Region(indicator_proto::v1::Region {
            id: "CN-SD.3702".into(),
            parent: "CN-SD".into(),
            names: evil(),
            ..Default::default()
        }),
        Entry::Indicator(indicator_proto::v1::Indicator {
            id: "output".into(),
            unit: "CNY".into(),
            names: evil(),
            ..Default::default()
        }),
        Entry::Unit(indicator_proto::v1::Unit { id: "CNY".into(), names: evil(), symbols: evil(), ..Default::default() }),
        Entry::Source(indicator_proto::v1::Source { id: "media".into(), names: evil(), ..Default::default() }),
    ]);
    model.heed(Event::Catalog(catalog));
    let of = |text: &str| indicator_proto::v1::Observation {
        note: EVIL.into(),
        original_text: EVIL.into(),
        document_uri: EVIL.into(),
        ..value("output", "CN-SD", "2020", text)
    };
    let scope = Scope::of_region("CN-SD");
    model.heed(Event::Picture(scope.clone(), fixture::series(vec![of("1"), value("output", "CN-SD", "2019", "2")]), 9));
    model.heed(Event::Changed(scope, change(Some(of("2")), Some(of("1")), 9)));
    model.heed(Event::Commits(vec![commit(2, EVIL, EVIL)]));
    model.server = format!("http://{EVIL}");
    model
}

#[test]
fn texts_of_others_cannot_steer_the_terminal() {
    let mut model = hostile();
    let ended = |mut model: Model| {
        model.heed(Event::Ended("error: \u{1b}[2J".into()));
        model
    };
    let mut message = hostile();
    message.tell("\u{1b}[2J".into());
    message.filter = "\u{9b}".into();
    for pane in Pane::ALL {
        model.act(Action::FocusOn(pane));
        for (columns, rows) in [(40, 20), (80, 24), (150, 60)] {
            for model in [&model, &ended(hostile()), &message] {
                let buffer = shown(model, PLAIN, columns, rows);
                for cell in &buffer.content {
                    let steers = |c: char| c.is_control() || c == '\u{202e}';
                    assert!(!cell.symbol().contains(steers), "{:?}", cell.symbol());
                }
            }
        }
    }
    insta::assert_snapshot!("hostile", text(&model, PLAIN, 150, 40));
    assert!(!once(&model, PLAIN, 100).contains(|c: char| c.is_control() && c != '\n'));
}

#[test]
fn every_size_can_be_drawn() {
    // To either side of where the layout changes.
    const COLUMNS: [u16; 13] = [1, 7, 31, 32, 33, 40, 71, 72, 73, 129, 130, 131, 200];
    const ROWS: [u16; 10] = [1, 8, 9, 10, 13, 19, 20, 33, 34, 50];
    for mut model in [full_model(Language::Zh), hostile()] {
        for pane in Pane::ALL {
            model.act(Action::FocusOn(pane));
            model.act(Action::Move(7));
            for (columns, rows) in COLUMNS.into_iter().flat_map(|columns| ROWS.map(|rows| (columns, rows))) {
                assert_eq!(shown(&model, COLORED, columns, rows).area.width, columns);
            }
        }
    }
    assert!(text(&model(Language::En), PLAIN, 20, 5).contains("needs 32×9"));
}

#[test]
fn a_picture_that_is_printed_once_has_every_row() {
    insta::assert_snapshot!("once_en", once(&full_model(Language::En), PLAIN, 100));
    insta::assert_snapshot!("once_zh", once(&full_model(Language::Zh), PLAIN, 60));
    insta::assert_snapshot!("once_ascii", once(&full_model(Language::En), ASCII, 80));
}

#[test]
fn many_rows_scroll_with_the_cursor() {
    let figures = (1..=200).map(|n| value("output", &format!("R{n:03}"), "2020", &n.to_string())).collect();
    let scope = Scope::of_indicator("output");
    let mut model = Model::new(scope.clone(), fixture::catalog(), Language::En, "http://s".into(), now());
    model.heed(Event::Picture(scope, fixture::series(figures), 1));
    model.act(Action::Last);
    let last = text(&model, PLAIN, 80, 24);
    assert!(last.contains("R200") && last.contains("Figures 200/200") && !last.contains("R150"), "{last}");
    model.act(Action::Move(-1));
    assert!(text(&model, PLAIN, 80, 24).contains("R199"));
    model.act(Action::First);
    assert!(text(&model, PLAIN, 80, 24).contains("R001"));
    assert!(!model.is_lit(&key("output", "R001")));
}

#[test]
fn a_long_series_is_thinned_and_keeps_its_extremes() {
    let first = jiff::civil::date(1950, 1, 1);
    let days = (0..20_000).map(|n| first.checked_add(jiff::Span::new().days(n)).unwrap());
    let text = |n: usize| if n == 7_777 { "1000" } else { "10" };
    let figures = days.enumerate().map(|(n, day)| value("output", "CN-SD", &day.to_string(), text(n))).collect();
    let scope = Scope::of_region("CN-SD");
    let mut model = Model::new(scope.clone(), fixture::catalog(), Language::En, "http://s".into(), now());
    model.heed(Event::Picture(scope, fixture::series(figures), 1));
    model.act(Action::FocusOn(Pane::Chart));
    let chart = self::text(&model, PLAIN, 80, 18);
    let drawn =
        |line: &str| line.split_once('┤').is_some_and(|(_, plot)| plot.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)));
    let labelled: Vec<&str> = chart.lines().filter(|line| line.contains('┤')).collect();
    assert!(labelled.len() == 2 && labelled.iter().all(|line| drawn(line)), "{chart}");
    assert!(labelled[0].starts_with("1,000") && labelled[1].trim_start().starts_with("10"), "{chart}");
}
