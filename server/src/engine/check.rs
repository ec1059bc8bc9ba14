//! Checks of a write against the catalog.

use indicator_proto::{
    SeriesKey,
    v1::{ErrorReason, Indicator},
};

use super::{Place, SeriesIndex, Violation, WriteCommand, catalog::View, formula};

/// Everything in a write that refers to what the catalog does not have. A series that exists was checked when it was made,
/// and what it refers to cannot be removed while it does.
pub(super) fn references(catalog: View<'_>, index: &SeriesIndex, command: &WriteCommand) -> Vec<Violation> {
    let mut violations = Vec::new();
    for write in &command.series {
        if index.id(&write.key).is_none() {
            check_series(catalog, &write.key, write.place, &mut violations);
        }
        for cell in &write.cells {
            let Some(details) = cell.figure.details.as_deref() else { continue };
            for (number, equivalent) in details.equivalents.iter().enumerate() {
                if catalog.unit(&equivalent.unit).is_none() {
                    violations.push(write.place.violation(
                        cell.index,
                        &format!("equivalents[{number}].unit"),
                        ErrorReason::UnknownUnit,
                        format!("unit {:?} is not in the catalog; add it with ApplyCatalog first", equivalent.unit),
                    ));
                }
            }
        }
    }
    violations
}

fn check_series(catalog: View<'_>, key: &SeriesKey, place: Place, violations: &mut Vec<Violation>) {
    let mut unknown = |field: &str, reason, what: &str, id: &str| {
        let description = format!("{what} {id:?} is not in the catalog; check the spelling, or add it with ApplyCatalog first");
        violations.push(place.series_violation(field, reason, description));
    };
    if catalog.region(&key.region).is_none() {
        unknown("region", ErrorReason::UnknownRegion, "region", &key.region);
    }
    if catalog.source(&key.source).is_none() {
        unknown("source", ErrorReason::UnknownSource, "source", &key.source);
    }
    let Some(indicator) = catalog.indicator(&key.indicator) else {
        unknown("indicator", ErrorReason::UnknownIndicator, "indicator", &key.indicator);
        return;
    };
    if !indicator.formula.is_empty() {
        let operands = formula::mentions(&indicator.formula).into_iter().collect::<Vec<_>>().join(", ");
        violations.push(place.series_violation(
            "indicator",
            ErrorReason::DerivedIndicator,
            format!("{:?} is computed, as {}; write its operands: {operands}", indicator.id, indicator.formula),
        ));
        return;
    }
    let codes = key.dimensions.iter().map(|(dimension, code)| (&**dimension, &**code));
    breakdown(catalog, indicator, codes, |field, reason, description| {
        violations.push(place.series_violation(&field, reason, description));
    });
}

/// What is wrong with the codes that series of an indicator are to have, told with the field, the reason and a description.
pub(super) fn breakdown<'k>(
    catalog: View<'_>,
    indicator: &Indicator,
    codes: impl Iterator<Item = (&'k str, &'k str)> + Clone,
    mut refuse: impl FnMut(String, ErrorReason, String),
) {
    for (dimension, code) in codes.clone() {
        check_code(catalog, indicator, dimension, code, &mut refuse);
    }
    for required in indicator.dimensions.iter().filter(|required| !codes.clone().any(|(d, _)| d == required.as_str())) {
        let description = format!("indicator {:?} is broken down by {required:?}: every series needs a code of it", indicator.id);
        refuse(format!("dimensions[{required:?}]"), ErrorReason::Required, description);
    }
}

fn check_code(
    catalog: View<'_>,
    indicator: &Indicator,
    dimension: &str,
    code: &str,
    mut refuse: impl FnMut(String, ErrorReason, String),
) {
    let field = format!("dimensions[{dimension:?}]");
    let declared = indicator.dimensions.iter().chain(&indicator.optional_dimensions);
    let declared: Vec<&str> = declared.map(String::as_str).collect();
    if !declared.contains(&dimension) {
        let has = if declared.is_empty() { "it has none".to_owned() } else { format!("it has {}", declared.join(", ")) };
        let description = format!("indicator {:?} is not broken down by {dimension:?}; {has}", indicator.id);
        refuse(field, ErrorReason::UnknownDimension, description);
        return;
    }
    // The catalog keeps a dimension that an indicator declares.
    let codes = catalog.dimension(dimension).map_or(&[][..], |d| d.codes.as_slice());
    if !codes.iter().any(|c| c.id == code) {
        let known = codes.iter().take(12).map(|c| c.id.as_str()).collect::<Vec<_>>().join(", ");
        let description = format!("dimension {dimension:?} has no code {code:?}; its codes are {known}");
        refuse(field, ErrorReason::UnknownCode, description);
    }
}
