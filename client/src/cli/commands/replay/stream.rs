//! The steps of a replay, written one after another at their pace, whatever happens to the connection.

use std::{future::Future, time::Duration};

use indicator_client::{
    Error,
    import::Steps,
    retry::{self, Policy},
};
use indicator_proto::v1::{WriteContext, WriteMode, WriteObservationsRequest, WriteObservationsResponse};
use tokio::{select, time::sleep};

use super::pace::{Pace, Speed};

/// How long a step that is on its way may still take when the replay is to stop.
const PATIENCE: Duration = Duration::from_secs(2);

/// How to write.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) speed: Speed,
    /// Who and why, for each commit.
    pub(super) context: WriteContext,
}

/// What a replay tells while it runs.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// The step at this index is on disk, or was there already.
    Written(usize, &'a WriteObservationsResponse),
    /// The server cannot be reached, or is not ready. The step is tried again until it is.
    Lost(&'a Error),
    /// It can be reached again.
    Found,
}

/// Why a replay has ended before its last step.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// It was asked to stop.
    #[error("the replay stopped after {done} of {steps} steps{}", if *unanswered { "; the next one may be written too" } else { "" })]
    Stopped {
        /// Steps that are written.
        done: usize,
        /// All steps.
        steps: usize,
        /// One more was on its way.
        unanswered: bool,
    },
    /// The service did not take a step.
    #[error("the replay stopped after {done} of {steps} steps")]
    Refused {
        /// Steps that are written. The index of the one that is not.
        done: usize,
        /// All steps.
        steps: usize,
        /// What was wrong with it.
        source: Error,
    },
    /// What was done could not be told.
    #[error(transparent)]
    Output(#[from] anyhow::Error),
}

/// Writes the steps, until `stop`. `write` is one attempt at one write.
pub(super) async fn run<W, L>(
    steps: &Steps,
    settings: &Settings,
    stop: impl Future<Output = ()> + Clone,
    mut write: W,
    mut listen: L,
) -> Result<(), Ended>
where
    W: AsyncFnMut(WriteObservationsRequest) -> Result<WriteObservationsResponse, Error>,
    L: FnMut(Event<'_>) -> anyhow::Result<()>,
{
    let all = steps.steps().len();
    let mut pace = Pace::new(settings.speed);
    let mut changed = true;
    for (done, step) in steps.steps().iter().enumerate() {
        // The parts of a step go together.
        if step.part == 0 {
            if !changed {
                pace.restart();
            }
            select! {
                biased;
                () = stop.clone() => return Err(Ended::Stopped { done, steps: all, unanswered: false }),
                () = pace.due() => {}
            }
            pace.advance();
            changed = false;
        }
        let request = WriteObservationsRequest {
            changes: steps.changes(step),
            mode: WriteMode::Merge.into(),
            request_id: uuid::Uuid::new_v4().to_string(),
            context: Some(settings.context.clone()),
            omit_changes: true,
            ..WriteObservationsRequest::default()
        };
        let mut lost = false;
        let answer = select! {
            biased;
            answer = until_answered(&request, &mut write, |error| { lost = true; listen(Event::Lost(error)) }) => answer?,
            () = async { stop.clone().await; sleep(PATIENCE).await } => {
                return Err(Ended::Stopped { done, steps: all, unanswered: true });
            }
        };
        let answer = answer.map_err(|source| Ended::Refused { done, steps: all, source })?;
        if lost {
            listen(Event::Found)?;
            pace.restart();
            pace.advance();
        }
        listen(Event::Written(done, &answer))?;
        changed |= answer.inserted + answer.revised + answer.deleted + answer.backfilled > 0;
    }
    Ok(())
}

/// Writes until the service has taken or refused it. The request id makes that safe. The client has its own patience; this goes
/// on when that is at its end, and tells so by `lost` the first time.
async fn until_answered<W>(
    request: &WriteObservationsRequest,
    write: &mut W,
    mut lost: impl FnMut(&Error) -> anyhow::Result<()>,
) -> anyhow::Result<Result<WriteObservationsResponse, Error>>
where
    W: AsyncFnMut(WriteObservationsRequest) -> Result<WriteObservationsResponse, Error>,
{
    let policy = Policy::default();
    let mut failures = 0;
    loop {
        let error = match write(request.clone()).await {
            Err(error) if retry::is_transient(&error) => error,
            answer => return Ok(answer),
        };
        failures += 1;
        if failures == 1 {
            lost(&error)?;
        }
        sleep(policy.wait(failures, error.retry_after(), fastrand::f64())).await;
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
