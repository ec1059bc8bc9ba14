//! The terminal: taken over, and given back whatever happens.

use std::{
    io::{self, Stdout},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor::Show,
        event::{self, DisableMouseCapture, EnableMouseCapture, Event},
        execute,
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
};
use tokio::sync::mpsc::{Receiver, channel};

/// Keys that wait; a user types no faster.
const WAITING: usize = 64;

/// The terminal has been taken over and not been given back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Something has panicked: the terminal is given back already, and nothing may be drawn on it.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// A terminal in the hands of the display. Dropped, it is as it was before.
pub(crate) struct Screen(Terminal<CrosstermBackend<Stdout>>);

impl Screen {
    /// Takes the terminal over.
    pub(crate) fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                PANICKED.store(true, Ordering::Release);
                give_back();
                before(info);
            }));
        });
        TAKEN.store(true, Ordering::Release);
        // From here on, so that what fails half way is given back too.
        let screen = Terminal::new(CrosstermBackend::new(io::stdout())).map(Self);
        let mut screen = screen.inspect_err(|_| give_back())?;
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture)?;
        screen.0.clear()?;
        Ok(screen)
    }

    /// To draw on.
    pub(crate) fn terminal(&mut self) -> &mut Terminal<CrosstermBackend<Stdout>> {
        &mut self.0
    }

    /// Whether something has panicked.
    pub(crate) fn is_lost() -> bool {
        PANICKED.load(Ordering::Acquire)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    if !TAKEN.swap(false, Ordering::AcqRel) {
        return;
    }
    // A terminal that is gone has nothing to be given back.
    let _ = execute!(io::stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// Keys, the mouse and changes of size, read by a thread of its own. It ends with the process, or when nobody listens.
pub(crate) fn events() -> Receiver<io::Result<Event>> {
    let (send, receive) = channel(WAITING);
    thread::spawn(move || {
        loop {
            let event = event::read();
            let failed = event.is_err();
            if send.blocking_send(event).is_err() || failed {
                return;
            }
        }
    });
    receive
}
