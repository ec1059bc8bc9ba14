//! The one gate for untrusted input: messages become checked commands, and every problem is collected on the way.

use std::collections::HashMap;

use indicator_proto::{
    Bound, Decimal, Interval, Period, SeriesKey, Statuses, Time,
    v1::{self, ErrorReason, MissingReason, ObservationStatus},
};
use prost_types::Timestamp;

use crate::{
    access::Caller,
    engine::{CellWrite, Context, Error, Mode, Place, RequestId, SeriesWrite, Violation, WriteCommand},
    store::{Datum, Details, Equivalent, Figure},
};

const TEXT_BYTES: usize = 4_000;
const URI_BYTES: usize = 2_000;
const ACTOR_BYTES: usize = 200;
const REQUEST_ID_BYTES: usize = 100;
const MOST_EQUIVALENTS: usize = 50;

/// The mode of a write.
pub(super) fn mode(number: i32, field: &str, violations: &mut Vec<Violation>) -> Mode {
    match v1::WriteMode::try_from(number) {
        Ok(v1::WriteMode::Unspecified | v1::WriteMode::Merge) => Mode::Merge,
        Ok(v1::WriteMode::Replace) => Mode::Replace,
        Ok(v1::WriteMode::Delete) => Mode::Delete,
        Err(_) => {
            let description =
                format!("{number} is not a WriteMode; use WRITE_MODE_MERGE, WRITE_MODE_REPLACE or WRITE_MODE_DELETE");
            violations.push(Violation::new(field, ErrorReason::InvalidEnum, description));
            Mode::Merge
        }
    }
}

/// Who, why, and from where. Who has shown a credential is who it names, whatever the request says.
pub(super) fn context(
    context: Option<v1::WriteContext>,
    caller: &Caller,
    path: &str,
    violations: &mut Vec<Violation>,
) -> Context {
    let v1::WriteContext { mut actor, reason, document_uri } = context.unwrap_or_default();
    if let Some(name) = caller.name() {
        name.clone_into(&mut actor);
    }
    for (name, text, most) in
        [("actor", &actor, ACTOR_BYTES), ("reason", &reason, URI_BYTES), ("document_uri", &document_uri, URI_BYTES)]
    {
        if text.len() > most {
            violations.push(Violation::new(format!("{path}.{name}"), ErrorReason::TextTooLong, too_long(text, most)));
        }
    }
    let client = caller.address().map_or_else(String::new, |address| address.to_string());
    Context { actor, reason, document_uri, client }
}

/// Whether the caller may write to each series: before anything is said of what is in it.
pub(super) fn permitted(caller: &Caller, series: &[SeriesWrite]) -> Result<(), Error> {
    let denied = series.iter().filter(|write| !caller.may_write(&write.key.source));
    let violations: Vec<Violation> = denied
        .map(|write| {
            let (name, source) = (caller.name().unwrap_or_default(), &write.key.source);
            let description = format!("the credential {name:?} may not write figures of source {source:?}; {}", caller.writes());
            write.place.series_violation("source", ErrorReason::PermissionDenied, description)
        })
        .collect();
    if violations.is_empty() { Ok(()) } else { Err(Error::Denied(violations)) }
}

/// What makes a request recognisable; `content` is the request without its id.
pub(super) fn request_id(id: String, content: &impl prost::Message, violations: &mut Vec<Violation>) -> Option<RequestId> {
    if id.len() > REQUEST_ID_BYTES {
        violations.push(Violation::new("request_id", ErrorReason::TextTooLong, too_long(&id, REQUEST_ID_BYTES)));
    }
    // Maps are sorted in memory, so equal requests have equal bytes.
    (!id.is_empty()).then(|| RequestId { id, fingerprint: *blake3::hash(&content.encode_to_vec()).as_bytes() })
}

/// A time; absent stays absent.
pub(super) fn time(time: Option<&Timestamp>, field: impl FnOnce() -> String, violations: &mut Vec<Violation>) -> Option<Time> {
    match Time::try_from(time?) {
        Ok(time) => Some(time),
        Err(error) => {
            violations.push(Violation::new(field(), ErrorReason::InvalidTime, error.to_string()));
            None
        }
    }
}

/// A period that may be absent.
pub(super) fn optional_period(text: &str, field: &str, violations: &mut Vec<Violation>) -> Option<Period> {
    if text.is_empty() {
        return None;
    }
    text.parse()
        .inspect_err(|error: &indicator_proto::ParsePeriodError| {
            violations.push(Violation::new(field, ErrorReason::InvalidPeriod, error.to_string()));
        })
        .ok()
}

fn too_long(text: &str, most: usize) -> String {
    format!("has {} bytes, {most} are allowed; shorten it, or put it into a document and name that", text.len())
}

/// The command of a write of at most so many changes, without what is wrong with it, which is in the list.
pub(super) fn write(mut request: v1::WriteObservationsRequest, caller: &Caller, most: usize) -> (WriteCommand, Vec<Violation>) {
    let mut violations = Vec::new();
    let id = std::mem::take(&mut request.request_id);
    let request_id = request_id(id, &request, &mut violations);
    let mode = mode(request.mode, "mode", &mut violations);
    let context = context(request.context, caller, "context", &mut violations);
    let published_at = time(request.published_at.as_ref(), || "published_at".into(), &mut violations);
    if request.changes.is_empty() {
        violations.push(Violation::new("changes", ErrorReason::Required, "is empty; a write needs at least one change"));
    }
    if request.changes.len() > most {
        let description = format!("has {} changes, {most} are allowed; use ImportObservations", request.changes.len());
        violations.push(Violation::new("changes", ErrorReason::RequestTooLarge, description));
    }
    let mut series = Grouped::default();
    for (index, observation) in request.changes.into_iter().enumerate() {
        series.add(index as u32, observation, mode, &mut violations);
    }
    let mut series = series.list;
    for write in &mut series {
        finish(write, mode, &mut violations);
    }
    let expected = request.expected_revisions.into_iter().enumerate().filter_map(|(index, expectation)| {
        if expectation.series.is_none() {
            let field = format!("expected_revisions[{index}].series");
            violations.push(Violation::new(field, ErrorReason::Required, "is absent; name the series"));
        }
        Some((expectation.series?.into(), expectation.revision))
    });
    let expected = expected.collect();
    let validate_only = request.validate_only;
    (WriteCommand { series, expected, published_at, context, request: request_id, validate_only }, violations)
}

/// Changes by series, in the order in which the series first appear.
#[derive(Default)]
struct Grouped {
    list: Vec<SeriesWrite>,
    by_key: HashMap<SeriesKey, usize>,
}

impl Grouped {
    fn add(&mut self, index: u32, mut observation: v1::Observation, mode: Mode, violations: &mut Vec<Violation>) {
        let place = Place::Change(index);
        let Some(key) = series_key(observation.series.take(), place, violations) else {
            // Looked at all the same: every problem is told at once.
            cell(&mut observation, place, index, mode, violations);
            return;
        };
        let position = *self.by_key.entry(key).or_insert_with_key(|key| {
            let cells = Vec::new();
            self.list.push(SeriesWrite {
                key: key.clone(),
                place,
                cells,
                withdraw_rest: mode == Mode::Replace,
                withdrawn_at: None,
            });
            self.list.len() - 1
        });
        let write = &mut self.list[position];
        if mode == Mode::Delete && observation.period.is_empty() {
            write.withdraw_rest = true;
            let field = || format!("changes[{index}].published_at");
            write.withdrawn_at = time(observation.published_at.as_ref(), field, violations);
            return;
        }
        write.cells.extend(cell(&mut observation, place, index, mode, violations));
    }
}

/// The series of an import batch, without what is wrong with them.
pub(super) fn batch(batch: v1::ImportBatch, mode: Mode) -> (Vec<SeriesWrite>, Vec<Violation>) {
    let mut violations = Vec::new();
    let mut list: Vec<SeriesWrite> = Vec::with_capacity(batch.series.len());
    let mut seen: HashMap<SeriesKey, u32> = HashMap::with_capacity(batch.series.len());
    for (number, mut series) in batch.series.into_iter().enumerate() {
        let place = Place::Series(number as u32);
        let Some(key) = series_key(series.series.take(), place, &mut violations) else { continue };
        if let Some(first) = seen.insert(key.clone(), number as u32) {
            let description = format!("is in series[{first}] of the batch already; put all its observations there");
            violations.push(place.series_violation("indicator", ErrorReason::DuplicateCell, description));
            continue;
        }
        let whole = mode == Mode::Delete && series.observations.is_empty();
        let mut write =
            SeriesWrite { key, place, cells: Vec::new(), withdraw_rest: whole || mode == Mode::Replace, withdrawn_at: None };
        write.cells.reserve(series.observations.len());
        // Borrowed: an observation is large, and most of it is empty.
        for (index, observation) in series.observations.iter_mut().enumerate() {
            write.cells.extend(cell(observation, place, index as u32, mode, &mut violations));
        }
        finish(&mut write, mode, &mut violations);
        list.push(write);
    }
    (list, violations)
}

/// The key of a series, if it has all it needs.
fn series_key(key: Option<v1::SeriesKey>, place: Place, violations: &mut Vec<Violation>) -> Option<SeriesKey> {
    let key = SeriesKey::from(key.unwrap_or_default());
    let mut complete = true;
    for (name, id) in [("indicator", &key.indicator), ("region", &key.region), ("source", &key.source)] {
        if id.is_empty() {
            complete = false;
            violations.push(place.series_violation(name, ErrorReason::Required, format!("is empty; a write names the {name}")));
        }
    }
    complete.then_some(key)
}

/// Sorts the cells and refuses those that are there twice.
fn finish(write: &mut SeriesWrite, mode: Mode, violations: &mut Vec<Violation>) {
    if !write.cells.is_sorted_by(|a, b| a.period < b.period) {
        write.cells.sort_by_key(|c| c.period);
        write.cells.dedup_by(|later, first| {
            let same = later.period == first.period;
            if same {
                let description =
                    format!("{} of {} is at index {} already; write each cell once", later.period, write.key, first.index);
                violations.push(write.place.violation(later.index, "period", ErrorReason::DuplicateCell, description));
            }
            same
        });
    }
    if mode == Mode::Delete && write.withdraw_rest {
        // The whole series is withdrawn; cells that are named beside it are part of it.
        write.cells.clear();
    }
}

/// A new version of a cell; `None` if something is wrong with it.
fn cell(
    observation: &mut v1::Observation,
    place: Place,
    index: u32,
    mode: Mode,
    violations: &mut Vec<Violation>,
) -> Option<CellWrite> {
    let before = violations.len();
    let mut problems = Problems { place, index, violations };
    let period: Option<Period> = match observation.period.as_str() {
        "" => problems.add("period", ErrorReason::Required, "is empty; name the period, for example \"2020\" or \"2020-Q4\""),
        text => text.parse().map_or_else(
            |e: indicator_proto::ParsePeriodError| problems.add("period", ErrorReason::InvalidPeriod, e.to_string()),
            Some,
        ),
    };
    let published_at = match observation.published_at.as_ref().map(Time::try_from) {
        None => None,
        Some(Ok(time)) => Some(time),
        Some(Err(e)) => problems.add("published_at", ErrorReason::InvalidTime, e.to_string()),
    };
    let figure = if mode == Mode::Delete { Some(Figure::withdrawn()) } else { figure(observation, &mut problems) };
    let good = problems.violations.len() == before;
    Some(CellWrite { period: period?, figure: figure?, published_at, index }).filter(|_| good)
}

/// Collects what is wrong with one observation.
struct Problems<'a> {
    place: Place,
    index: u32,
    violations: &'a mut Vec<Violation>,
}

impl Problems<'_> {
    fn add<T>(&mut self, field: &str, reason: ErrorReason, description: impl Into<String>) -> Option<T> {
        self.violations.push(self.place.violation(self.index, field, reason, description));
        None
    }

    fn decimal(&mut self, text: &str, field: &str) -> Option<Decimal> {
        text.parse().map_or_else(
            |e: indicator_proto::ParseDecimalError| self.add(field, ErrorReason::InvalidDecimal, e.to_string()),
            Some,
        )
    }
}

fn figure(observation: &mut v1::Observation, problems: &mut Problems<'_>) -> Option<Figure> {
    let datum = datum(observation, problems);
    let mut statuses = Statuses::default();
    for (number, status) in observation.statuses.iter().enumerate() {
        match ObservationStatus::try_from(*status) {
            Ok(ObservationStatus::Unspecified) | Err(_) => {
                let description = format!("{status} is not an ObservationStatus; a normal figure has none");
                problems.add::<()>(&format!("statuses[{number}]"), ErrorReason::InvalidEnum, description);
            }
            Ok(status) => statuses.insert(status),
        }
    }
    let details = details(observation, problems);
    Some(Figure { datum: datum?, statuses, details: details.map(Into::into) })
}

fn datum(observation: &v1::Observation, problems: &mut Problems<'_>) -> Option<Datum> {
    let has = (!observation.value.is_empty(), observation.interval.is_some(), observation.missing != 0);
    let bound = bound(observation.bound, problems);
    if observation.bound != 0 && !has.0 {
        problems.add::<()>("bound", ErrorReason::InvalidFigure, "a bound says how the figure relates to `value`, which is empty");
    }
    match has {
        (true, false, false) => Some(Datum::Value(problems.decimal(&observation.value, "value")?, bound?)),
        (false, true, false) => interval(observation.interval.as_ref()?, problems).map(Datum::Interval),
        (false, false, true) => match MissingReason::try_from(observation.missing) {
            Ok(MissingReason::Undetermined) => problems.add(
                "missing",
                ErrorReason::InvalidEnum,
                "UNDETERMINED is for computed figures; write why there is none, for example NOT_AVAILABLE",
            ),
            Ok(reason) => Some(Datum::Missing(reason)),
            Err(_) => {
                let description = format!("{} is not a MissingReason", observation.missing);
                problems.add("missing", ErrorReason::InvalidEnum, description)
            }
        },
        (false, false, false) => problems.add(
            "value",
            ErrorReason::InvalidFigure,
            "value, interval and missing are all absent; set one (or use WRITE_MODE_DELETE to withdraw the figure)",
        ),
        _ => problems.add(
            "value",
            ErrorReason::InvalidFigure,
            "more than one of value, interval and missing is set; a figure is a value, or an interval, or missing",
        ),
    }
}

fn bound(number: i32, problems: &mut Problems<'_>) -> Option<Bound> {
    match v1::Bound::try_from(number) {
        Ok(bound) => Some(bound.into()),
        Err(_) => problems.add("bound", ErrorReason::InvalidEnum, format!("{number} is not a Bound")),
    }
}

fn interval(interval: &v1::Interval, problems: &mut Problems<'_>) -> Option<Interval> {
    let lower = problems.decimal(&interval.lower, "interval.lower");
    let upper = problems.decimal(&interval.upper, "interval.upper");
    match Interval::new(lower?, upper?) {
        Ok(interval) => Some(interval),
        Err(error) => problems.add("interval", ErrorReason::InvalidInterval, error.to_string()),
    }
}

/// What few figures have; `None` if this one has nothing of it.
fn details(observation: &mut v1::Observation, problems: &mut Problems<'_>) -> Option<Details> {
    let v1::Observation { rounded_to, equivalents, original_text, note, document_uri, .. } = observation;
    if rounded_to.is_empty() && equivalents.is_empty() && original_text.is_empty() && note.is_empty() && document_uri.is_empty() {
        return None;
    }
    for (field, text, most) in [
        ("original_text", &*original_text, TEXT_BYTES),
        ("note", &*note, TEXT_BYTES),
        ("document_uri", &*document_uri, URI_BYTES),
    ] {
        if text.len() > most {
            problems.add::<()>(field, ErrorReason::TextTooLong, too_long(text, most));
        }
    }
    let [original_text, note, document_uri] = [original_text, note, document_uri].map(std::mem::take);
    let equivalents = std::mem::take(equivalents);
    if equivalents.len() > MOST_EQUIVALENTS {
        let description = format!("has {} entries, {MOST_EQUIVALENTS} are allowed", equivalents.len());
        problems.add::<()>("equivalents", ErrorReason::RequestTooLarge, description);
    }
    let equivalents = equivalents.into_iter().enumerate().filter_map(|(number, equivalent)| {
        if equivalent.unit.is_empty() {
            problems.add::<()>(&format!("equivalents[{number}].unit"), ErrorReason::Required, "is empty; name the unit");
        }
        let value = problems.decimal(&equivalent.value, &format!("equivalents[{number}].value"))?;
        Some(Equivalent { value, unit: equivalent.unit })
    });
    let equivalents = equivalents.collect();
    let rounded_to = if rounded_to.is_empty() { None } else { positive(rounded_to, problems) };
    Some(Details { rounded_to, equivalents, original_text, note, document_uri })
}

fn positive(text: &str, problems: &mut Problems<'_>) -> Option<Decimal> {
    let value = problems.decimal(text, "rounded_to")?;
    if value.is_negative() || value.is_zero() {
        return problems.add("rounded_to", ErrorReason::InvalidDecimal, "is the size of the last digit, so it is above zero");
    }
    Some(value)
}
