//! The vintage dates of a series.

use indicator_proto::{
    to_json,
    v1::{AsOf, ErrorReason, ListVintageDatesRequest, ListVintageDatesResponse, SeriesKey, VintageAxis, VintageDate},
    words::Language,
};
use serde_json::{Map, Value};

use super::{Subject, along, nothing};
use crate::{
    context::{Context, Format},
    output::{Column, View, clock, time},
};

/// Prints the dates.
pub(super) async fn run(cx: &Context, series: SeriesKey, axis: VintageAxis, as_of: Option<AsOf>) -> anyhow::Result<()> {
    let mut request = ListVintageDatesRequest { series: Some(series), axis: axis.into(), as_of, ..Default::default() };
    let mut page = match cx.client.list_vintage_dates(request.clone()).await {
        Err(error) if error.reason() == Some(ErrorReason::NotFound) => ListVintageDatesResponse::default(),
        answer => answer?,
    };
    if page.dates.is_empty() {
        return Err(nothing().into());
    }
    let (series, revision) = (page.series.clone().unwrap_or_default(), page.revision);
    if cx.format == Format::Table {
        Subject::new(cx, &series).await?.write_heading(cx, &[along(axis, cx.language)])?;
    }
    let mut listing = cx.listing(Dates { language: cx.language })?;
    loop {
        for date in &page.dates {
            listing.push(date)?;
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        page = cx.client.list_vintage_dates(request.clone()).await?;
    }
    let rest = [("series".to_owned(), to_json(&series)), ("revision".to_owned(), Value::String(revision.to_string()))];
    listing.finish(Map::from_iter(rest))?;
    Ok(())
}

struct Dates {
    language: Language,
}

impl View for Dates {
    type Item = VintageDate;

    fn name(&self) -> &'static str {
        "dates"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::text(word("VINTAGE", "版本日期")),
            Column::figure(word("INSERTED", "新增")),
            Column::figure(word("REVISED", "修订")),
            Column::figure(word("WITHDRAWN", "撤回")),
        ]
    }

    fn row(&self, date: &VintageDate) -> Vec<String> {
        let count = |count: u32| if count == 0 { String::new() } else { count.to_string() };
        vec![clock(date.date.as_ref()), count(date.inserted), count(date.revised), count(date.deleted)]
    }

    fn fields(&self) -> Vec<String> {
        ["date", "inserted", "revised", "deleted"].map(str::to_owned).into()
    }

    fn record(&self, date: &VintageDate) -> Vec<String> {
        vec![time(date.date.as_ref()), date.inserted.to_string(), date.revised.to_string(), date.deleted.to_string()]
    }

    fn json(&self, date: &VintageDate) -> Value {
        to_json(date)
    }
}
