//! What a page shows as files: the figures as CSV and JSON, the chart as SVG.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
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
                let name = format!("attachment; filename=\"{}_{}.{extension}\"", view.indicator, view.region);
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

/// One record a figure, with everything that is known of it.
fn csv(reader: &Reader, lines: &[(String, &Figures)], view: &Indicator) -> Result<String, Status> {
    const FIELDS: [&str; 18] = [
        "indicator",
        "region",
        "source",
        "dimensions",
        "period",
        "value",
        "bound",
        "lower",
        "upper",
        "missing",
        "statuses",
        "unit",
        "rounded_to",
        "original_text",
        "note",
        "document_uri",
        "published_at",
        "as_of",
    ];
    let failed = |error: csv::Error| Status::internal(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(FIELDS).map_err(failed)?;
    for (as_of, figures) in lines {
        for (_, it) in &figures.by_period {
            writer.write_record(record(reader, it, as_of, view)).map_err(failed)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| Status::internal(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Status::internal(error.to_string()))
}

fn record(reader: &Reader, it: &Observation, as_of: &str, view: &Indicator) -> [String; 18] {
    let series = it.series.clone().unwrap_or_default();
    let mut dimensions: Vec<String> = series.dimensions.iter().map(|(dimension, code)| format!("{dimension}={code}")).collect();
    dimensions.sort();
    let code = |name: &str, prefix: &str| {
        let name = name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase().replace('_', "-");
        if name == "unspecified" { String::new() } else { name }
    };
    let statuses: Vec<String> = it.statuses().map(|status| code(status.as_str_name(), "OBSERVATION_STATUS_")).collect();
    let (lower, upper) = it.interval.clone().map(|interval| (interval.lower, interval.upper)).unwrap_or_default();
    let unit = Reader::names(reader).unit_of(it, &view.indicator).map(|unit| unit.id.clone()).unwrap_or_default();
    let published = it.published_at.and_then(|stamp| indicator_proto::Time::try_from(&stamp).ok());
    [
        series.indicator,
        series.region,
        series.source,
        dimensions.join(";"),
        it.period.clone(),
        it.value.clone(),
        code(it.bound().as_str_name(), "BOUND_"),
        lower,
        upper,
        code(it.missing().as_str_name(), "MISSING_REASON_"),
        statuses.join(";"),
        unit,
        it.rounded_to.clone(),
        it.original_text.clone(),
        it.note.clone(),
        it.document_uri.clone(),
        published.map(|time| time.to_string()).unwrap_or_default(),
        as_of.to_owned(),
    ]
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
