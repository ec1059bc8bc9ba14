//! The checks of requests, for `service::fuzzing`.

use indicator_proto::v1;

use super::{compare, milestones, selection};
use crate::engine::{Violation, catalog::View};

pub(in crate::service) fn rank(request: v1::RankRequest, catalog: View<'_>, violations: &mut Vec<Violation>) {
    selection::check(request.selection, catalog, violations);
}

pub(in crate::service) fn compare(request: v1::CompareRequest, catalog: View<'_>, violations: &mut Vec<Violation>) {
    let query = compare::check(request, violations);
    violations.extend(query.check(catalog));
}

pub(in crate::service) fn milestones(request: v1::ListMilestonesRequest, catalog: View<'_>, violations: &mut Vec<Violation>) {
    let query = milestones::check(request.filter, &request.thresholds, request.crossing, violations);
    violations.extend(query.filter.check(catalog));
}
