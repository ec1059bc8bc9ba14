use indicator_proto::{SeriesKey, v1};

use super::{
    super::{computed, gate, moment},
    reach,
};
use crate::{
    engine::{Engine, Error, Violation},
    serve::Deadline,
    service::wire,
};

pub(super) async fn get(
    engine: &Engine,
    deadline: Option<Deadline>,
    request: v1::GetObservationRequest,
) -> Result<v1::GetObservationResponse, Error> {
    let mut violations = Vec::new();
    let key = named_series(request.series, &mut violations);
    let period = gate::optional_period(&request.period, "period", &mut violations);
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    reach(engine, request.min_revision, deadline).await?;
    let moment = moment::resolve(engine, as_of)?;
    let revision = moment.revision;
    if let Some(point) = engine.derived_cell(&key, period, moment, request.explain)? {
        let observation = Some(computed::observation(&point, true, request.explain));
        return Ok(v1::GetObservationResponse { observation, revision });
    }
    let (key, row) = engine.cell(&key, period, moment)?;
    Ok(v1::GetObservationResponse { observation: Some(wire::row(&row, Some(v1::SeriesKey::from(&*key)))), revision })
}

/// A series key that names an indicator and a region; the source may be left open.
pub(in crate::service) fn named_series(key: Option<v1::SeriesKey>, violations: &mut Vec<Violation>) -> SeriesKey {
    let key = SeriesKey::from(key.unwrap_or_default());
    for (name, id) in [("indicator", &key.indicator), ("region", &key.region)] {
        if id.is_empty() {
            let reason = v1::ErrorReason::Required;
            violations.push(Violation::new(format!("series.{name}"), reason, format!("is empty; name the {name}")));
        }
    }
    key
}
