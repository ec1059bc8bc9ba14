//! `indicator live`: figures on the terminal as they change.
//!
//! `feed` follows the server and `input` reads what the user does; `model` turns both into a state, and says what has to be followed for
//! it; `view` draws the state. `term` owns the terminal. This file ties them.

mod feed;
#[cfg(test)]
mod fixture;
mod input;
mod model;
mod term;
mod text;
mod view;

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    process,
    time::Duration,
};

use indicator_client::{Error, WatchState};
use ratatui::{buffer::Buffer, layout::Rect};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{Receiver, channel},
    time::{MissedTickBehavior, interval},
};

use self::{
    feed::Feeds,
    model::{Action, Event, Model},
    term::Screen,
    text::now,
    view::Areas,
};
pub(crate) use self::{model::Scope, view::Look};
use crate::{
    catalog::Labels,
    context::Context,
    stop::{SIGNALLED, Stop},
};

/// Ages are told in seconds, and a row that was lit up goes out in time.
const TICK: Duration = Duration::from_millis(500);

/// Events that wait to be shown.
const WAITING: usize = 1024;

/// How long a picture that is printed once is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shows a scope until the user leaves.
pub(crate) async fn run(cx: &Context, scope: Scope, catalog: Labels, look: Look) -> anyhow::Result<()> {
    let stop = Stop::on_signals()?;
    let model = Model::new(scope, catalog, cx.language, cx.client.server().to_owned(), now());
    let (send, mut events) = channel(WAITING);
    let feeds = Feeds::new(cx.client.clone(), send);
    let mut display = Display { screen: Screen::take()?, model, feeds, look, areas: Areas::default(), exit: None };
    let outcome = display.until_the_end(&mut events, &stop).await;
    let Display { screen, feeds, exit, .. } = display;
    // Before anything is printed.
    drop(screen);
    match (outcome, exit.or(stop.exit_code())) {
        (_, Some(code)) => process::exit(code),
        (Err(error), None) => Err(error),
        // Left after it had ended for good: that is how it went.
        (Ok(()), None) => feeds.error().map_or(Ok(()), |error| Err(error.into())),
    }
}

/// A display under way.
struct Display {
    screen: Screen,
    model: Model,
    feeds: Feeds,
    look: Look,
    areas: Areas,
    exit: Option<i32>,
}

impl Display {
    async fn until_the_end(&mut self, events: &mut Receiver<Event>, stop: &Stop) -> anyhow::Result<()> {
        let mut keys = term::events();
        // The terminal may be there all the same: somebody has sent it.
        let mut hangup = signal(SignalKind::hangup())?;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            self.feeds.follow(self.model.wants());
            self.draw()?;
            tokio::select! {
                () = stop.asked() => return Ok(()),
                _ = ticks.tick() => {}
                _ = hangup.recv() => {
                    self.exit = Some(SIGNALLED + SignalKind::hangup().as_raw_value());
                    return Ok(());
                }
                event = keys.recv() => {
                    let event = event.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
                    if self.take(&event)?.is_break() {
                        return Ok(());
                    }
                }
                Some(event) = events.recv() => {
                    self.model.heed(event);
                    // All that is at hand is drawn at once.
                    while let Ok(event) = events.try_recv() {
                        self.model.heed(event);
                    }
                }
            }
            self.model.heed(Event::Tick(now()));
        }
    }

    fn draw(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(!Screen::is_lost(), "a part of the display has panicked");
        let (model, look, areas) = (&self.model, self.look, &mut self.areas);
        let offset = areas.offset();
        self.screen.terminal().draw(|frame| {
            let area = frame.area();
            *areas = view::draw(model, look, offset, area, frame.buffer_mut());
        })?;
        Ok(())
    }

    fn take(&mut self, event: &ratatui::crossterm::event::Event) -> anyhow::Result<std::ops::ControlFlow<()>> {
        use std::ops::ControlFlow::{Break, Continue};
        let Some(action) = input::action(event, &self.model, &self.areas) else { return Ok(Continue(())) };
        match action {
            Action::Quit => return Ok(Break(())),
            Action::Interrupt => {
                self.exit = Some(SIGNALLED + SignalKind::interrupt().as_raw_value());
                return Ok(Break(()));
            }
            Action::Save => {
                let told = self.save()?;
                self.model.tell(told);
            }
            action => self.model.act(action),
        }
        Ok(Continue(()))
    }

    /// Writes the frame into a new file of the working directory, and says which.
    fn save(&mut self) -> anyhow::Result<String> {
        let size = self.screen.terminal().size()?;
        let text = picture(&self.model, self.look, Rect::new(0, 0, size.width, size.height));
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ");
        let name = format!("indicator-live-{time}.txt");
        let written =
            OpenOptions::new().write(true).create_new(true).open(&name).and_then(|mut file| file.write_all(text.as_bytes()));
        Ok(match written {
            Ok(()) => format!("{} {name}", self.model.language.word("saved", "已保存")),
            Err(error) => format!("{} {name}: {error}", self.model.language.word("cannot write", "无法写入")),
        })
    }
}

/// A frame as plain text.
fn picture(model: &Model, look: Look, area: Rect) -> String {
    let mut buffer = Buffer::empty(area);
    view::draw(model, look, 0, area, &mut buffer);
    view::plain(&buffer)
}

/// Prints the picture once.
pub(crate) async fn once(cx: &Context, scope: Scope, catalog: Labels, look: Look, width: u16) -> anyhow::Result<()> {
    let view = feed::view(&cx.client, &scope, |_| {});
    // The view itself would wait for a server that has gone for as long as it takes.
    let ready = tokio::time::timeout(PATIENCE, view.ready()).await;
    ready.unwrap_or(Err(Error::Deadline { after: PATIENCE }))?;
    let mut model = Model::new(scope.clone(), catalog, cx.language, cx.client.server().to_owned(), now());
    let figures = view.figures().unwrap_or_default();
    model.heed(Event::Picture(scope, feed::series(&figures), figures.revision()));
    model.heed(Event::Link(WatchState::Live, figures.revision()));
    let mut out = cx.stdout();
    write!(out, "{}", view::once(&model, look, width))?;
    Ok(out.flush()?)
}
