//! The four views of a history, page by page, and its vintage dates.

use std::{collections::BTreeMap, ops::ControlFlow};

use indicator_proto::{Period, Time};
use serde::{Deserialize, Serialize};

use super::{Axis, Effect, Event, History, Vintage, VintageView, timeline, timeline::on_axis};

/// Which versions are shown, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct VintageQuery {
    /// Only of this period. The vintage dates are those of the series all the same.
    pub period: Option<Period>,
    /// How.
    pub view: VintageView,
    /// Along which time.
    pub axis: Axis,
    /// Only vintage dates from this one on.
    pub from: Option<Time>,
    /// Only vintage dates up to this one.
    pub to: Option<Time>,
    /// Only what comes after this.
    pub after: Option<VintagePlace>,
    /// At most as many.
    pub limit: usize,
}

impl VintageQuery {
    fn takes(&self, date: Time) -> bool {
        self.from.is_none_or(|from| date >= from) && self.to.is_none_or(|to| date <= to)
    }
}

/// The place of a shown version in its view, in which they are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VintagePlace {
    /// Microseconds of the vintage date, in the views by date.
    date: Option<i64>,
    frequency: u8,
    ordinal: i32,
    published: i64,
    revision: u64,
}

/// A version as a view shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The version.
    pub vintage: Vintage,
    /// The vintage date under which it is shown.
    pub date: Option<Time>,
    /// What it did to its cell on that date, where the view tells changes.
    pub effect: Option<Effect>,
}

/// A part of a view.
#[derive(Debug, Default, PartialEq)]
pub struct VintagePage {
    /// In the order of the view.
    pub shown: Vec<Shown>,
    /// The place of the last one, if more follow.
    pub next: Option<VintagePlace>,
}

/// What came out on one date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VintageDate {
    /// The date.
    pub date: Time,
    /// Cells that had no figure before.
    pub inserted: u32,
    /// Cells whose figure it replaced.
    pub revised: u32,
    /// Figures that it withdrew.
    pub withdrawn: u32,
}

impl History {
    /// A page of a view.
    #[must_use]
    pub fn page(&self, query: &VintageQuery) -> VintagePage {
        let mut page = Page { query, page: VintagePage::default(), last: None };
        // A full page is all that ends it early.
        let _ = match query.view {
            VintageView::RealTimePeriods => self.real_time_periods(query, &mut page),
            VintageView::InitialRelease => self.initial_releases(query, &mut page),
            VintageView::AllByVintage => self.all_by_vintage(query, &mut page),
            VintageView::NewOrRevised => self.new_or_revised(query, &mut page),
        };
        page.page
    }

    /// The dates on which figures of the series came out, were revised or withdrawn, oldest first.
    #[must_use]
    pub fn dates(&self, axis: Axis) -> Vec<VintageDate> {
        let mut dates: BTreeMap<Time, VintageDate> = BTreeMap::new();
        for event in self.events(axis) {
            let Some(effect) = event.effect else { continue };
            let date = event.date;
            let counted = dates.entry(date).or_insert(VintageDate { date, inserted: 0, revised: 0, withdrawn: 0 });
            match effect {
                Effect::Inserted => counted.inserted += 1,
                Effect::Revised => counted.revised += 1,
                Effect::Withdrawn => counted.withdrawn += 1,
            }
        }
        dates.into_values().collect()
    }

    /// The timelines of all cells as one.
    fn events(&self, axis: Axis) -> Vec<Event<'_>> {
        let mut events: Vec<Event<'_>> = self.cells().flat_map(|cell| timeline(cell, axis)).collect();
        // Stable, and the cells come by period.
        events.sort_by_key(|event| event.date);
        events
    }

    fn asked(&self, query: &VintageQuery) -> impl Iterator<Item = &[Vintage]> {
        let one = query.period.map(|period| self.cell(period)).filter(|cell| !cell.is_empty());
        let all = query.period.is_none().then(|| self.cells());
        one.into_iter().chain(all.into_iter().flatten())
    }

    fn real_time_periods(&self, query: &VintageQuery, page: &mut Page<'_>) -> ControlFlow<()> {
        self.asked(query).flat_map(|cell| on_axis(cell, query.axis)).try_for_each(|vintage| page.offer(vintage, None, None))
    }

    fn initial_releases(&self, query: &VintageQuery, page: &mut Page<'_>) -> ControlFlow<()> {
        for cell in self.asked(query) {
            let first = timeline(cell, query.axis).into_iter().find(|event| event.effect == Some(Effect::Inserted));
            if let Some(first) = first {
                page.offer(first.vintage, Some(first.date), first.effect)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn new_or_revised(&self, query: &VintageQuery, page: &mut Page<'_>) -> ControlFlow<()> {
        let asked = |event: &&Event<'_>| query.period.is_none_or(|period| event.vintage.version.period == period);
        let events = self.events(query.axis);
        let changes = events.iter().filter(asked).filter(|event| event.effect.is_some() && query.takes(event.date));
        changes.into_iter().try_for_each(|event| page.offer(event.vintage, Some(event.date), event.effect))
    }

    fn all_by_vintage(&self, query: &VintageQuery, page: &mut Page<'_>) -> ControlFlow<()> {
        let events = self.events(query.axis);
        let mut state: BTreeMap<Period, &Vintage> = BTreeMap::new();
        for together in events.chunk_by(|a, b| a.date == b.date) {
            for event in together {
                let version = &event.vintage.version;
                if version.figure.is_withdrawn() {
                    state.remove(&version.period);
                } else {
                    state.insert(version.period, event.vintage);
                }
            }
            let date = together[0].date;
            if !query.takes(date) || together.iter().all(|event| event.effect.is_none()) || page.is_past(date) {
                continue;
            }
            match query.period {
                Some(period) => state.get(&period).into_iter().try_for_each(|vintage| page.offer(vintage, Some(date), None))?,
                None => state.values().try_for_each(|vintage| page.offer(vintage, Some(date), None))?,
            }
        }
        ControlFlow::Continue(())
    }
}

/// Takes what belongs on a page, and ends a view that has more.
struct Page<'a> {
    query: &'a VintageQuery,
    page: VintagePage,
    last: Option<VintagePlace>,
}

impl Page<'_> {
    fn offer(&mut self, vintage: &Vintage, date: Option<Time>, effect: Option<Effect>) -> ControlFlow<()> {
        let place = self.place(vintage, date);
        if self.query.after.is_some_and(|after| place <= after) {
            return ControlFlow::Continue(());
        }
        if self.page.shown.len() == self.query.limit {
            self.page.next = self.last;
            return ControlFlow::Break(());
        }
        self.last = Some(place);
        self.page.shown.push(Shown { vintage: vintage.clone(), date, effect });
        ControlFlow::Continue(())
    }

    /// Whether pages before this one showed all of a date.
    fn is_past(&self, date: Time) -> bool {
        self.query.after.and_then(|after| after.date).is_some_and(|after| date.micros() < after)
    }

    fn place(&self, vintage: &Vintage, date: Option<Time>) -> VintagePlace {
        let version = &vintage.version;
        VintagePlace {
            // Initial releases have a date too, and are sorted by period.
            date: date.filter(|_| self.query.view.is_by_date()).map(Time::micros),
            frequency: version.period.frequency() as u8,
            ordinal: version.period.ordinal(),
            published: version.published_at.micros(),
            revision: version.revision,
        }
    }
}
