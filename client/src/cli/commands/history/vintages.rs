//! The versions of a series, in one of the views.

use std::collections::BTreeSet;

use indicator_proto::{
    to_json,
    v1::{ChangeKind, ErrorReason, ListVintagesRequest, ListVintagesResponse, SeriesKey, Vintage, VintageView},
    words::{self, Language, figure, remarks},
};
use serde_json::{Map, Value};

use super::{Subject, along, grid, nothing};
use crate::{
    catalog::Labels,
    context::{Context, Format},
    output::{Column, Observations, View, clock, time},
    typed::Typed as _,
};

/// Prints the versions that a request selects.
pub(super) async fn run(cx: &Context, request: ListVintagesRequest) -> anyhow::Result<()> {
    let first = match cx.client.list_vintages(request.clone()).await {
        Err(error) if error.reason() == Some(ErrorReason::NotFound) => ListVintagesResponse::default(),
        answer => answer?,
    };
    // Where no source was asked for, the answer names the preferred one.
    let series = first.vintages.first().and_then(|it| it.observation.as_ref()?.series.clone());
    let series = series.ok_or_else(nothing)?;
    match cx.format {
        Format::Table => table(cx, request, first, &series).await,
        Format::Json | Format::Ndjson | Format::Csv => {
            let mut listing = cx.listing(Versions::new(&series, None, cx.language))?;
            let revision = first.revision;
            pages(cx, request, first, |vintage| listing.push(&vintage)).await?;
            listing.finish(Map::from_iter([("revision".to_owned(), Value::String(revision.to_string()))]))?;
            Ok(())
        }
    }
}

async fn table(
    cx: &Context,
    request: ListVintagesRequest,
    first: ListVintagesResponse,
    series: &SeriesKey,
) -> anyhow::Result<()> {
    let subject = Subject::new(cx, series).await?;
    let (view, axis) = (request.view(), request.axis());
    let mut vintages = Vec::new();
    pages(cx, request, first, |vintage| {
        vintages.push(vintage);
        Ok(())
    })
    .await?;
    if view == VintageView::AllByVintage {
        let grid = grid::grid(&vintages, subject.decimals, subject.language);
        if grid.fits(cx.style) {
            subject.write_heading(cx, &[&subject.unit, along(axis, subject.language)])?;
            return Ok(grid.write(cx.style, &mut cx.stdout())?);
        }
    }
    // By real-time period both times are told of every version.
    let beside = if view == VintageView::RealTimePeriods { "" } else { along(axis, subject.language) };
    subject.write_heading(cx, &[beside])?;
    let mut listing = cx.listing(Versions::new(series, Some(subject), cx.language))?;
    for vintage in &vintages {
        listing.push(vintage)?;
    }
    listing.finish(Map::new())?;
    Ok(())
}

async fn pages(
    cx: &Context,
    mut request: ListVintagesRequest,
    mut page: ListVintagesResponse,
    mut take: impl FnMut(Vintage) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    loop {
        page.vintages.into_iter().try_for_each(&mut take)?;
        if page.next_page_token.is_empty() {
            return Ok(());
        }
        request.page_token = page.next_page_token;
        page = cx.client.list_vintages(request.clone()).await?;
    }
}

struct Versions {
    records: Observations,
    language: Language,
    /// Only a table shows names.
    subject: Option<Subject>,
}

impl Versions {
    fn new(series: &SeriesKey, subject: Option<Subject>, language: Language) -> Self {
        let dimensions: BTreeSet<String> = series.dimensions.keys().cloned().collect();
        Self { records: Observations::new(Labels::default(), dimensions, language), language, subject }
    }
}

/// What a version did: on its vintage date where it is shown under one, else when it was recorded.
fn change(vintage: &Vintage) -> ChangeKind {
    match vintage.vintage_kind() {
        ChangeKind::Unspecified => vintage.kind(),
        kind => kind,
    }
}

impl View for Versions {
    type Item = Vintage;

    fn name(&self) -> &'static str {
        "vintages"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::text(word("VINTAGE", "版本日期")),
            Column::text(word("PERIOD", "时期")),
            Column::figure(word("FIGURE", "数值")),
            Column::text(word("UNIT", "单位")),
            Column::text(word("PUBLISHED", "发布时间")),
            Column::text(word("RECORDED", "记录时间")),
            Column::figure(word("REVISION", "修订号")),
            Column::text(word("CHANGE", "变更")),
            Column::text(word("NOW", "现行")),
            Column::text(word("REMARKS", "备注")),
        ]
    }

    fn row(&self, vintage: &Vintage) -> Vec<String> {
        let observation = vintage.observation.clone().unwrap_or_default();
        let current = if vintage.current { self.language.word("current", "现行") } else { "" };
        let note = (!observation.note.is_empty()).then(|| observation.note.clone());
        let subject = self.subject.as_ref();
        vec![
            clock(vintage.vintage_date.as_ref()),
            observation.period.clone(),
            figure(&observation, subject.and_then(|it| it.decimals), self.language),
            subject.map(|it| it.unit.clone()).unwrap_or_default(),
            clock(observation.published_at.as_ref()),
            clock(observation.recorded_at.as_ref()),
            observation.revision.to_string(),
            words::change(change(vintage), self.language).to_owned(),
            current.to_owned(),
            remarks(&observation, self.language).into_iter().chain(note).collect::<Vec<_>>().join(", "),
        ]
    }

    fn fields(&self) -> Vec<String> {
        let own =
            ["change", "published_until", "superseded_revision", "current", "recorded_until", "vintage_date", "vintage_change"];
        self.records.fields().into_iter().chain(own.map(str::to_owned)).collect()
    }

    fn record(&self, vintage: &Vintage) -> Vec<String> {
        let mut record = self.records.record(&vintage.observation.clone().unwrap_or_default());
        let superseded = if vintage.superseded_revision == 0 { String::new() } else { vintage.superseded_revision.to_string() };
        record.extend([
            vintage.kind().typed().to_owned(),
            time(vintage.published_until.as_ref()),
            superseded,
            vintage.current.to_string(),
            time(vintage.recorded_until.as_ref()),
            time(vintage.vintage_date.as_ref()),
            vintage.vintage_kind().typed().to_owned(),
        ]);
        record
    }

    fn json(&self, vintage: &Vintage) -> Value {
        to_json(vintage)
    }
}
