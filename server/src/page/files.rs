//! What a page shows as files: the figures as CSV and JSON, the chart as SVG.

use std::collections::HashSet;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use indicator_client::export::Writer;
use indicator_proto::{
    to_json,
    v1::{Observation, SeriesObservations},
};
use serde_json::json;
use tonic::Status;

use super::{
    address::{Address, Indicator, View},
    beat::Shared,
    chart::Size,
    indicator::{self, Data},
    reader::{Figures, Reader},
};

/// A file of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Csv,
    Json,
    Svg,
}

/// The drawing in a file.
const DRAWING: Size = Size { width: 1200, height: 630 };

impl File {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Csv, "/figures.csv"), (Self::Json, "/figures.json"), (Self::Svg, "/chart.svg")];

    /// What a path asks for: the page, and the file of it.
    pub(super) fn of(path: &str) -> (&str, Option<Self>) {
        // A view has two parts at least: an indicator may be called like a file.
        let found = Self::ALL.into_iter().find_map(|(file, suffix)| Some((path.strip_suffix(suffix)?, file)));
        match found {
            Some((page, file)) if page.split('/').count() == 4 => (page, Some(file)),
            _ => (path, None),
        }
    }

    pub(super) async fn answer(self, shared: &Shared, address: &Address) -> Response {
        let View::Indicator(view) = &address.view else { return StatusCode::NOT_FOUND.into_response() };
        match self.make(shared, address, view).await {
            Ok(text) => {
                let (content_type, extension) = match self {
                    Self::Csv => ("text/csv; charset=utf-8", "csv"),
                    Self::Json => ("application/json", "json"),
                    Self::Svg => ("image/svg+xml", "svg"),
                };
                // Ids have no character that a header cannot have.
                let computed = view.transform.tag();
                let computed = if computed.is_empty() { String::new() } else { format!("_{computed}") };
                let name = format!("attachment; filename=\"{}_{}{computed}.{extension}\"", view.indicator, view.region);
                let name = HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static("attachment"));
                let headers =
                    [(header::CONTENT_TYPE, HeaderValue::from_static(content_type)), (header::CONTENT_DISPOSITION, name)];
                (headers, text).into_response()
            }
            Err(status) if super::views::is_of_the_request(&status) => {
                (StatusCode::NOT_FOUND, format!("{}\n", status.message())).into_response()
            }
            Err(status) => (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", status.message())).into_response(),
        }
    }

    async fn make(self, shared: &Shared, address: &Address, view: &Indicator) -> Result<String, Status> {
        let head = shared.desk.engine().head().revision;
        let reader = shared.desk.reader(&address.manner, head)?;
        let catalog = reader.names().catalog;
        if catalog.region(&view.region).is_none() || catalog.indicator(&view.indicator).is_none() {
            return Err(Status::not_found("there is no such region or indicator"));
        }
        let data = Data::read(&reader, view).await?;
        match self {
            Self::Csv => csv(&reader, &lines(&data), view),
            Self::Json => Ok(json(&reader, &lines(&data))),
            Self::Svg => Ok(indicator::chart(view, &data, &reader, DRAWING).standalone()),
        }
    }
}

/// The figures of each line, with the day as of which they are, if it is not now.
fn lines(data: &Data) -> Vec<(String, &Figures)> {
    let now = [(String::new(), &data.shown)].into_iter();
    let others = data.others.iter().map(|(_, figures)| (String::new(), figures));
    now.chain(others).chain(data.vintages.iter().map(|(day, figures)| (day.to_string(), figures))).collect()
}

/// The canonical tidy CSV, which imports take. A version that several lines have comes once.
fn csv(reader: &Reader, lines: &[(String, &Figures)], view: &Indicator) -> Result<String, Status> {
    let failed = |error: &dyn std::error::Error| Status::internal(error.to_string());
    let indicator = reader.names().catalog.indicator(&view.indicator);
    let dimensions = indicator.into_iter().flat_map(|it| it.dimensions.iter().chain(&it.optional_dimensions)).cloned().collect();
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, dimensions).map_err(|error| failed(&error))?;
    let mut written = HashSet::new();
    for (_, figures) in lines {
        let new = |it: &&Observation| {
            let series = it.series.as_ref().map(|series| (series.region.clone(), series.source.clone()));
            written.insert((series, it.period.clone(), it.revision))
        };
        let observations = figures.by_period.iter().map(|(_, it)| it).filter(new).cloned().collect();
        writer.write(&SeriesObservations { series: None, observations }).map_err(|error| failed(&error))?;
    }
    writer.finish().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

/// The proto3 JSON mapping of `SeriesObservations`, one a line, with the revision that they are of.
fn json(reader: &Reader, lines: &[(String, &Figures)]) -> String {
    let series: Vec<serde_json::Value> = lines
        .iter()
        .map(|(as_of, figures)| {
            let key = figures.by_period.first().and_then(|(_, it)| it.series.clone());
            let observations = figures.by_period.iter().map(|(_, it)| it.clone()).collect();
            let mut value = to_json(&SeriesObservations { series: key, observations });
            if let (false, Some(object)) = (as_of.is_empty(), value.as_object_mut()) {
                object.insert("asOf".to_owned(), json!(as_of));
            }
            value
        })
        .collect();
    let all = json!({ "revision": reader.revision().to_string(), "series": series });
    serde_json::to_string_pretty(&all).expect("a value is JSON")
}
