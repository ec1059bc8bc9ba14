//! What the user does.

use super::{Column, Model, Pane, Row, RowKey, Scope};

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Ends the display.
    Quit,
    /// Ends it as a signal does.
    Interrupt,
    /// Moves the cursor, or scrolls the pane that has the keys.
    Move(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// To the next pane, or the one before.
    Focus(isize),
    /// To a pane.
    FocusOn(Pane),
    /// Puts the cursor on a row.
    Select(usize),
    /// Scrolls a pane, whichever has the keys.
    Scroll(Pane, isize),
    /// Into what the row is of.
    Open,
    /// Back, or up to the region above.
    Up,
    /// Sorts by a column; again, the other way round.
    Sort(Column),
    /// Sorts by the next column.
    SortNext,
    /// Turns the order round.
    Reverse,
    /// Begins to type a filter.
    Filter,
    /// A letter of it.
    Type(char),
    /// Takes the last letter away.
    Erase,
    /// Ends typing.
    Accept,
    /// Explains the keys, or stops it.
    Help,
    /// Pauses updates, or goes on.
    Pause,
    /// Saves the frame as text.
    Save,
}

/// A filter has at most so many letters.
const LONGEST_FILTER: usize = 100;

impl Model {
    /// Does what the user asks for. What is not about the state is left to the caller.
    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::Quit | Action::Interrupt | Action::Save => {}
            Action::Move(by) if self.focus == Pane::Table => self.select(self.selected.saturating_add_signed(by)),
            Action::Move(by) => self.scroll(self.focus, by),
            Action::First if self.focus == Pane::Table => self.select(0),
            Action::Last if self.focus == Pane::Table => self.select(usize::MAX),
            Action::First => self.scroll(self.focus, isize::MIN),
            Action::Last => self.scroll(self.focus, isize::MAX),
            Action::Scroll(Pane::Table, by) => self.select(self.selected.saturating_add_signed(by)),
            Action::Scroll(pane, by) => self.scroll(pane, by),
            Action::Focus(by) => self.focus = next(Pane::ALL, self.focus, by),
            Action::FocusOn(pane) => self.focus = pane,
            Action::Select(row) => {
                self.focus = Pane::Table;
                self.select(row);
            }
            Action::Open => self.open(),
            Action::Up => self.up(),
            Action::Sort(column) => {
                self.order = self.order.toggled(column);
                self.arrange();
            }
            Action::SortNext => self.act(Action::Sort(next(Column::ALL, self.order.column, 1))),
            Action::Reverse => self.act(Action::Sort(self.order.column)),
            Action::Filter => (self.typing, self.focus) = (true, Pane::Table),
            Action::Type(c) if self.filter.chars().count() < LONGEST_FILTER => self.refilter(|text| text.push(c)),
            Action::Type(_) => {}
            Action::Erase => self.refilter(|text| _ = text.pop()),
            Action::Accept => self.typing = false,
            Action::Help => self.help = !self.help,
            Action::Pause => self.toggle_pause(),
        }
    }

    fn refilter(&mut self, edit: impl FnOnce(&mut String)) {
        edit(&mut self.filter);
        self.arrange();
    }

    fn scroll(&mut self, pane: Pane, by: isize) {
        let scrolled = self.scrolled.entry(pane).or_default();
        *scrolled = scrolled.saturating_add_signed(by).min(usize::from(u16::MAX));
    }

    fn open(&mut self) {
        let Some(row) = self.row() else { return };
        let scope = match row {
            Row::Region { id, .. } => Scope::of_region(id),
            // From a region to its indicator among the regions below, and from there into one of them.
            Row::Series { series, .. } if self.scope().region.is_some() => {
                Scope::around(&series.key.indicator, &series.key.region, &self.catalog)
            }
            Row::Series { series, .. } => Scope::of_region(&series.key.region),
        };
        let (from, sought) = (row.key(), row.series().map(|series| series.key.clone()));
        if scope == *self.scope() {
            return;
        }
        self.trail.push(from);
        self.scopes.push(scope);
        self.enter(sought.map(RowKey::Series));
    }

    /// One step back: out of the help, the filter, the scope; at last up to the region above.
    fn up(&mut self) {
        if self.help {
            self.help = false;
        } else if self.typing || !self.filter.is_empty() {
            self.typing = false;
            self.refilter(String::clear);
        } else if self.scopes.len() > 1 {
            self.scopes.pop();
            let sought = self.trail.pop();
            self.enter(sought);
        } else if let Some((region, parent)) = self.region_above() {
            self.scopes = vec![Scope::of_region(&parent)];
            self.enter(Some(RowKey::Region(region)));
        } else {
            let nothing = self.language.word("there is nothing above", "已是最上级");
            self.tell(nothing.to_owned());
        }
    }

    fn region_above(&self) -> Option<(String, String)> {
        let region = self.catalog.region(self.scope().region.as_ref()?)?;
        let parent = Some(region.parent.clone()).filter(|parent| !parent.is_empty())?;
        self.catalog.region(&parent).is_some().then(|| (region.id.clone(), parent))
    }

    /// What was shown is of another scope: a picture of this one is on its way.
    fn enter(&mut self, sought: Option<RowKey>) {
        self.picture = None;
        self.sought = sought;
        self.filter.clear();
        self.scrolled.clear();
        self.flashes.clear();
        self.focus = Pane::Table;
        if let Some(held) = &mut self.paused {
            *held = super::Held::default();
        }
        self.selected = 0;
        self.arrange();
    }
}

fn next<T: Copy + PartialEq, const N: usize>(all: [T; N], current: T, by: isize) -> T {
    let place = all.iter().position(|it| *it == current).unwrap_or(0);
    all[(place.cast_signed() + by).rem_euclid(N.cast_signed()).cast_unsigned()]
}
