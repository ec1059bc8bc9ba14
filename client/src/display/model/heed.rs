//! What the server tells.

use indicator_client::{WatchState, view::ViewChange};
use indicator_proto::{
    Time,
    v1::{Commit, RegionSelection, watch_rank_response::Message},
};

use super::{Detail, DetailKey, FLASH, Held, MESSAGE, Model, Scope, Series};
use crate::catalog::Labels;

/// Something that the model has to know. What belongs to something that is not shown any more is passed over.
#[derive(Debug)]
pub(crate) enum Event {
    /// The time.
    Tick(Time),
    /// Names and units.
    Catalog(Labels),
    /// The figures of a scope, as of a revision.
    Picture(Scope, Vec<Series>, u64),
    /// A figure of a scope is another one.
    Changed(Scope, ViewChange),
    /// So many figures have changed too fast to be told one by one.
    Unlisted(u64),
    /// How the view of a scope is, and the revision that it shows.
    Link(WatchState, u64),
    /// The view has ended for good: what is wrong, and what to do about it.
    Ended(String),
    /// A ranking goes on.
    Ranking(RegionSelection, Message),
    /// The figures of a ranking's regions.
    Peers(RegionSelection, Vec<Series>),
    /// What is known of a figure.
    Detail(DetailKey, Detail),
    /// Who made commits, and why.
    Commits(Vec<Commit>),
}

impl Model {
    /// Takes an event.
    pub(crate) fn heed(&mut self, event: Event) {
        match event {
            Event::Tick(now) => self.tick(now),
            Event::Catalog(catalog) => {
                self.catalog = catalog;
                self.arrange();
            }
            Event::Picture(scope, series, revision) if scope == *self.scope() => match &mut self.paused {
                Some(held) if self.picture.is_some() => held.picture = Some((series, revision)),
                _ => self.show(series, revision),
            },
            Event::Changed(scope, change) if scope == *self.scope() => match &mut self.paused {
                Some(held) => {
                    held.count += 1;
                    // More than that are not listed either.
                    if held.changes.len() < 500 {
                        held.changes.push(change);
                    }
                }
                None => self.changed(change),
            },
            Event::Unlisted(count) => self.changes.unlisted += count,
            Event::Link(state, revision) => self.link(state, revision),
            Event::Ended(why) => {
                self.link.state = WatchState::Ended;
                self.link.lost_since.get_or_insert(self.now);
                self.link.ended = Some(why);
            }
            Event::Ranking(of, message) => {
                if let Some(standing) = self.standing.as_mut().filter(|standing| standing.selection == of) {
                    standing.follow(message);
                }
            }
            Event::Peers(of, series) => {
                if let Some(standing) = self.standing.as_mut().filter(|standing| standing.selection == of) {
                    standing.show(&series);
                }
            }
            Event::Detail(key, detail) => self.detail = Some((key, detail)),
            Event::Commits(commits) => self.changes.learn(commits),
            // Of a scope that has been left.
            Event::Picture(..) | Event::Changed(..) => {}
        }
    }

    fn tick(&mut self, now: Time) {
        self.now = now;
        let past = |since: &Time, span: i64| now.micros() - since.micros() >= span;
        self.flashes.retain(|_, since| !past(since, FLASH));
        if self.message.as_ref().is_some_and(|(_, since)| past(since, MESSAGE)) {
            self.message = None;
        }
    }

    fn show(&mut self, series: Vec<Series>, revision: u64) {
        let newest = series.iter().filter_map(Series::recorded_at).max();
        self.last_change = self.last_change.max(newest);
        self.revision = self.revision.max(revision);
        self.picture = Some(series);
        self.arrange();
    }

    fn changed(&mut self, change: ViewChange) {
        self.flashes.insert(change.cell.series.clone(), self.now);
        self.changes.add(change, self.now);
        let newest = self.changes.entries().next().map(|entry| entry.at);
        self.last_change = self.last_change.max(newest);
    }

    fn link(&mut self, state: WatchState, revision: u64) {
        let connecting = matches!(state, WatchState::Connecting { .. });
        match (connecting, self.link.lost_since) {
            (true, None) => self.link.lost_since = Some(self.now),
            (false, Some(_)) => {
                self.link.lost_since = None;
                self.link.comebacks += 1;
            }
            _ => {}
        }
        self.link.state = state;
        // Another scope has been let in.
        if state == WatchState::Live {
            self.link.ended = None;
        }
        if self.paused.is_none() && self.picture.is_some() {
            self.revision = revision;
        }
    }

    /// Stops updates, or shows what has come meanwhile.
    pub(super) fn toggle_pause(&mut self) {
        match self.paused.take() {
            None => self.paused = Some(Held::default()),
            Some(Held { picture, changes, count }) => {
                self.changes.unlisted += count - changes.len() as u64;
                if let Some((series, revision)) = picture {
                    self.show(series, revision);
                }
                changes.into_iter().for_each(|change| self.changed(change));
            }
        }
    }
}
