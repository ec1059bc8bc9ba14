//! What the commands that write have in common: who writes and why, and what became of it.

use std::env;

use indicator_client::Error;
use indicator_proto::v1::{WriteContext, WriteMode, WriteObservationsRequest, WriteObservationsResponse};

use crate::{
    catalog::Labels,
    change::{Change, Changes, What},
    context::Context,
    output::fields,
};

/// Who writes, and why. It is kept with the commit for ever.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ReasonArgs {
    /// Why; kept with the commit for ever
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who; kept with the commit for ever [default: the user's name]
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

impl ReasonArgs {
    /// The context for a request.
    pub(crate) fn context(&self) -> WriteContext {
        WriteContext {
            actor: self.actor.clone().or_else(user).unwrap_or_default(),
            reason: self.reason.clone().unwrap_or_default(),
            document_uri: String::new(),
        }
    }
}

fn user() -> Option<String> {
    ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| env::var(name).ok().filter(|name| !name.is_empty()))
}

/// Writes one change and prints what became of it.
pub(crate) async fn write(cx: &Context, request: WriteObservationsRequest) -> anyhow::Result<()> {
    let (dry_run, mode) = (request.validate_only, request.mode());
    let response = cx.client.write_observations(request).await.map_err(of_only_change)?;
    let changes: Vec<Change> = response
        .changes
        .iter()
        .map(|change| Change {
            revision: 0,
            recorded_at: None,
            context: WriteContext::default(),
            what: What::Cell(Box::new(change.clone())),
        })
        .collect();
    let labels = Labels::of_series(cx, changes.iter().filter_map(Change::series)).await?;
    let mut listing = cx.listing(Changes::new(labels, cx.language))?;
    for change in &changes {
        listing.push(change)?;
    }
    let counts = WriteObservationsResponse { changes: Vec::new(), ..response.clone() };
    listing.finish(fields(&counts))?;
    cx.remark(&outcome(&response, mode, dry_run));
    Ok(())
}

fn outcome(response: &WriteObservationsResponse, mode: WriteMode, dry_run: bool) -> String {
    let WriteObservationsResponse { inserted, revised, deleted, backfilled, unchanged, .. } = *response;
    let stays = if mode == WriteMode::Delete { "without a figure already" } else { "already so" };
    let counts = counted(&[
        (inserted, "inserted"),
        (revised, "revised"),
        (deleted, "withdrawn"),
        (backfilled, "added to the history"),
        (unchanged, stays),
    ]);
    let counts = if counts.is_empty() { "there is no such figure".to_owned() } else { counts };
    conclusion(&counts, inserted + revised + deleted + backfilled > 0, response.revision, dry_run)
}

/// The counts that are not zero, as people say them.
pub(crate) fn counted(counts: &[(u32, &str)]) -> String {
    let said: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    said.join(", ")
}

/// What a write came to.
pub(crate) fn conclusion(counts: &str, changes: bool, revision: u64, dry_run: bool) -> String {
    match (dry_run, changes) {
        (true, true) => format!("would be: {counts}; nothing was written"),
        (_, false) => format!("{counts}; nothing was written"),
        (false, true) => format!("{counts}; revision {revision}"),
    }
}

/// There is only one change, which people know as the command; the index of its field says nothing to them.
fn of_only_change(mut error: Error) -> Error {
    if let Error::Rpc { message, violations, .. } = &mut error {
        *message = message.replace("changes[0].", "");
        for violation in violations {
            violation.field = violation.field.replace("changes[0].", "");
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_counts_what_happened_and_says_whether_it_was_written() {
        let none = WriteObservationsResponse { revision: 7, ..WriteObservationsResponse::default() };
        let revised = WriteObservationsResponse { revised: 1, ..none.clone() };
        let unchanged = WriteObservationsResponse { unchanged: 1, ..none.clone() };
        let merge = |response, dry_run| outcome(response, WriteMode::Merge, dry_run);
        assert_eq!(merge(&revised, false), "1 revised; revision 7");
        assert_eq!(merge(&revised, true), "would be: 1 revised; nothing was written");
        assert_eq!(merge(&unchanged, false), "1 already so; nothing was written");
        assert_eq!(outcome(&none, WriteMode::Delete, false), "there is no such figure; nothing was written");
        assert_eq!(outcome(&unchanged, WriteMode::Delete, true), "1 without a figure already; nothing was written");
    }
}
