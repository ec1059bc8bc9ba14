//! Colours, and what stands for them where there are none.

use indicator_proto::words::Direction;

use ratatui::style::{Color, Modifier, Style};

/// What the terminal can show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// No other characters than those of ASCII, but for names.
    pub(crate) ascii: bool,
    /// With colours. They are those of the terminal's own palette, so that they suit its background.
    pub(crate) color: bool,
    /// A picture on paper: moments instead of ages, nothing to go into.
    pub(crate) still: bool,
}

impl Look {
    fn colored(self, color: Color, otherwise: Modifier) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new().add_modifier(otherwise) }
    }

    /// What is less important.
    pub(super) fn dim(self) -> Style {
        // Not a grey: palettes have some that cannot be read on their background.
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The name of a pane.
    pub(super) fn title(self, focused: bool) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if focused && self.color { style.fg(Color::Cyan) } else { style }
    }

    /// The frame of a pane.
    pub(super) fn border(self, focused: bool) -> Style {
        if focused { self.colored(Color::Cyan, Modifier::BOLD) } else { self.dim() }
    }

    /// The bars at the top and the bottom.
    pub(super) fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The row under the cursor, over the styles of its columns.
    pub(super) fn cursor(self, focused: bool) -> Style {
        let plain = Style::new().fg(Color::Reset).remove_modifier(Modifier::DIM);
        plain.add_modifier(if focused { Modifier::REVERSED } else { Modifier::BOLD })
    }

    /// A row that has just changed.
    pub(super) fn lit(self) -> Style {
        if self.color {
            Style::new().fg(Color::Black).bg(Color::Yellow).remove_modifier(Modifier::DIM)
        } else {
            Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        }
    }

    /// A rise or a fall: told apart, and neither of them good or bad.
    pub(super) fn change(self, direction: Direction) -> Style {
        match direction {
            Direction::Up if self.color => Style::new().fg(Color::Cyan),
            Direction::Down if self.color => Style::new().fg(Color::Magenta),
            _ => Style::new(),
        }
    }

    /// A line and the points of exact figures.
    pub(super) fn exact(self) -> Style {
        self.colored(Color::Cyan, Modifier::empty())
    }

    /// A bound: a figure that is only known to be above or below.
    pub(super) fn bound(self) -> Style {
        self.colored(Color::Yellow, Modifier::BOLD)
    }

    /// All is well.
    pub(super) fn good(self) -> Style {
        self.colored(Color::Green, Modifier::BOLD)
    }

    /// Not yet.
    pub(super) fn soon(self) -> Style {
        self.colored(Color::Yellow, Modifier::BOLD)
    }

    /// Something is wrong.
    pub(super) fn bad(self) -> Style {
        self.colored(Color::Red, Modifier::BOLD | Modifier::REVERSED)
    }
}

/// The sign of a rise or a fall.
pub(super) fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "▲",
        Direction::Down => "▼",
        Direction::Level => "=",
        Direction::Open => "?",
    }
}
