use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures::{Stream, StreamExt as _, stream};
use indicator_proto::{
    Time,
    v1::{self, ErrorReason, import_observations_request::Message},
};
use tonic::{Status, Streaming};

use super::{
    super::{gate, wire},
    Answers,
};
use crate::{
    access::Caller,
    engine::{Command, Context, Counts, Engine, Error, Mode, Violation, WriteCommand},
    status,
};

/// Batches that are read and checked while the writer is still busy with those before.
const AHEAD: usize = 4;

/// The options of an import, checked.
#[derive(Clone)]
struct Options {
    caller: Caller,
    mode: Mode,
    context: Context,
    published_at: Option<Time>,
    validate_only: bool,
    skip_rejected: bool,
    include_changes: bool,
    /// Most observations in one batch.
    max_changes: usize,
}

pub(super) fn import(
    engine: Arc<Engine>,
    caller: Caller,
    max_changes: usize,
    messages: Streaming<v1::ImportObservationsRequest>,
) -> Answers<v1::ImportObservationsResponse> {
    let answers = stream::once(async move {
        let mut messages = messages;
        let first = messages.next().await.transpose().map_err(status::of_message)?.and_then(|m| m.message);
        let options = match first {
            Some(Message::Options(options)) => check(options, caller, max_changes)?,
            Some(Message::Batch(_)) | None => return Err(misplaced("options", "the first message carries the options").into()),
        };
        Ok(batches(engine, options, messages))
    });
    Box::pin(answers.flat_map(|begun: Result<_, Status>| match begun {
        Ok(answers) => answers.left_stream(),
        Err(status) => stream::iter([Err(status)]).right_stream(),
    }))
}

fn misplaced(field: &str, description: &str) -> Error {
    Violation::new(field, ErrorReason::Required, description).into()
}

fn check(options: v1::ImportOptions, caller: Caller, max_changes: usize) -> Result<Options, Error> {
    let mut violations = Vec::new();
    let checked = Options {
        mode: gate::mode(options.mode, "options.mode", &mut violations),
        context: gate::context(options.context, &caller, "options.context", &mut violations),
        published_at: gate::time(options.published_at.as_ref(), || "options.published_at".into(), &mut violations),
        validate_only: options.validate_only,
        skip_rejected: options.skip_rejected,
        include_changes: options.include_changes,
        caller,
        max_changes,
    };
    if violations.is_empty() { Ok(checked) } else { Err(Error::Invalid(violations)) }
}

/// Answers the batches in order, and ends at the first that fails.
fn batches(
    engine: Arc<Engine>,
    options: Options,
    messages: Streaming<v1::ImportObservationsRequest>,
) -> impl Stream<Item = Result<v1::ImportObservationsResponse, Status>> + Send {
    let options = Arc::new(options);
    // What is wrong with a batch is found before the next one is looked at; that must not be written any more.
    let failed = Arc::new(AtomicBool::new(false));
    let numbered = messages.enumerate().map(move |(number, message)| {
        let (engine, options, failed) = (Arc::clone(&engine), Arc::clone(&options), Arc::clone(&failed));
        async move {
            if failed.load(Ordering::Relaxed) {
                return Err(Status::aborted("a batch before this one was not written"));
            }
            let answer = async { batch(&engine, &options, number as u64, message.map_err(status::of_message)?).await }.await;
            answer.inspect_err(|_| failed.store(true, Ordering::Relaxed))
        }
    });
    // Queued in order by `buffered`, which polls them in order too, so the writer gets them in order.
    numbered.buffered(AHEAD).scan(false, |failed, answer| {
        let go_on = !*failed;
        *failed = answer.is_err();
        futures::future::ready(go_on.then_some(answer))
    })
}

async fn batch(
    engine: &Engine,
    options: &Options,
    number: u64,
    message: v1::ImportObservationsRequest,
) -> Result<v1::ImportObservationsResponse, Status> {
    let Some(Message::Batch(batch)) = message.message else {
        return Err(misplaced("batch", "every message after the first carries a batch").into());
    };
    let observations: usize = batch.series.iter().map(|s| s.observations.len()).sum();
    if observations > options.max_changes {
        let description = format!("has {observations} observations, {} are allowed; send smaller batches", options.max_changes);
        return Err(Error::from(Violation::new("batch", ErrorReason::RequestTooLarge, description)).into());
    }
    let (series, mut violations) = gate::batch(batch, options.mode);
    gate::permitted(&options.caller, &series)?;
    let mut command = WriteCommand {
        series,
        expected: Vec::new(),
        published_at: options.published_at,
        context: options.context.clone(),
        request: None,
        validate_only: options.validate_only,
    };
    violations.extend(engine.check(&command));
    if !violations.is_empty() {
        if !options.skip_rejected {
            return Err(Error::Invalid(violations).into());
        }
        leave_out(&mut command, &violations);
    }
    let receipt = engine.apply(Command::Write(command)).await?;
    let counts = receipt.commit.as_ref().map_or(Counts::default(), |c| c.counts);
    Ok(v1::ImportObservationsResponse {
        batch: number,
        revision: receipt.revision,
        inserted: counts.inserted,
        revised: counts.revised,
        deleted: counts.deleted,
        backfilled: counts.backfilled,
        unchanged: receipt.unchanged,
        rejects: violations.into_iter().map(reject).collect(),
        changes: match &receipt.commit {
            Some(commit) if options.include_changes => wire::changes(&commit.series, true),
            _ => Vec::new(),
        },
    })
}

/// Takes out what the violations name. A series at fault goes as a whole, and one of a replacement too: without its bad cells it
/// would withdraw them.
fn leave_out(command: &mut WriteCommand, violations: &[Violation]) {
    command.series.retain_mut(|write| {
        let crate::engine::Place::Series(number) = write.place else { return true };
        let mine = violations.iter().filter_map(|v| v.place).filter(|(series, _)| *series == number);
        let (mut whole, mut cells) = (false, Vec::new());
        for (_, observation) in mine {
            match observation {
                Some(index) => cells.push(index),
                None => whole = true,
            }
        }
        write.cells.retain(|c| !cells.contains(&c.index));
        !(whole || (write.withdraw_rest && !cells.is_empty()))
    });
}

fn reject(violation: Violation) -> v1::Reject {
    let (series_index, observation_index) = violation.place.unwrap_or_default();
    v1::Reject {
        series_index,
        observation_index,
        field: violation.field,
        reason: reason_name(violation.reason),
        description: violation.description,
    }
}

fn reason_name(reason: ErrorReason) -> String {
    reason.as_str_name().trim_start_matches("ERROR_REASON_").to_owned()
}
