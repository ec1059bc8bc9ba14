use indicator_proto::v1;

use super::super::{gate, wire};
use crate::{
    access::Caller,
    engine::{Command, Counts, Engine, Error},
};

pub(super) async fn write(
    engine: &Engine,
    caller: &Caller,
    request: v1::WriteObservationsRequest,
    max_changes: usize,
) -> Result<v1::WriteObservationsResponse, Error> {
    let (omit_changes, validate_only) = (request.omit_changes, request.validate_only);
    let (command, mut violations) = gate::write(request, caller, max_changes);
    gate::permitted(caller, &command.series)?;
    // The writer checks again, at the revision that counts; here, so that every problem is told at once.
    violations.extend(engine.check(&command));
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let receipt = engine.apply(Command::Write(command)).await?;
    let counts = receipt.commit.as_ref().map_or(Counts::default(), |c| c.counts);
    Ok(v1::WriteObservationsResponse {
        revision: receipt.revision,
        recorded_at: receipt.commit.as_ref().filter(|_| !validate_only).map(|c| c.time.into()),
        changes: match &receipt.commit {
            Some(commit) if !omit_changes => wire::changes(&commit.series, true),
            _ => Vec::new(),
        },
        unchanged: receipt.unchanged,
        inserted: counts.inserted,
        revised: counts.revised,
        deleted: counts.deleted,
        backfilled: counts.backfilled,
        repeated_request: receipt.repeated,
    })
}
