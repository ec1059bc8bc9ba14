//! The one place where an error becomes a gRPC status.
//!
//! A status travels in HTTP trailers, and clients refuse more than 8 KiB of those, so everything in it has a budget: what does
//! not fit is counted, never silently dropped.

use std::{collections::HashMap, time::Duration};

use indicator_proto::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt as _};

use crate::{
    access::{Denied, Refusal, Right},
    engine::{Error, SeriesChanged, Violation},
    store,
};

/// The `domain` of every `google.rpc.ErrorInfo` of the service.
pub const DOMAIN: &str = "indicator.v1";

/// Most problems that one status lists.
const MAX_LISTED: usize = 20;
/// Bytes that the message may take in its header, where a byte outside ASCII takes three.
const MESSAGE_BYTES: usize = 1024;
/// Bytes that the listed problems may take in the details, before base64 makes four of three.
const LISTED_BYTES: usize = 2560;
/// Bytes of one text that came from outside.
const TEXT_BYTES: usize = 256;

/// How long to wait before a full queue has room again.
const QUEUE_DELAY: Duration = Duration::from_millis(100);
/// How long to wait for a server that is stopping, or behind.
const RESTART_DELAY: Duration = Duration::from_secs(1);

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let none = ErrorDetails::new;
        let revisions = |asked: u64, head: u64| [("revision", asked.to_string()), ("head_revision", head.to_string())];
        let plain = |code, reason, details| status(code, reason, &error.to_string(), [], details);
        match &error {
            Error::Invalid(violations) => invalid(violations),
            Error::Forbidden(violations) => forbidden(violations),
            Error::Denied(violations) => with_violations(Code::PermissionDenied, violations),
            Error::NotFound { reason, kind, name } => not_found(*reason, kind, name),
            Error::RequestIdReused(id) => {
                let metadata = [("request_id", shorten(id, TEXT_BYTES))];
                status(Code::AlreadyExists, ErrorReason::RequestIdReused, &error.to_string(), metadata, none())
            }
            Error::SeriesChanged(series) => series_changed(&error.to_string(), series),
            Error::OtherEpoch => plain(Code::FailedPrecondition, ErrorReason::OtherEpoch, none()),
            Error::FutureRevision { asked, head } => {
                let metadata = revisions(*asked, *head);
                status(Code::OutOfRange, ErrorReason::FutureRevision, &error.to_string(), metadata, none())
            }
            Error::NotOfThisHistory { asked, before, after } => {
                let numbers = [("revision", asked), ("restored_revision", before), ("next_revision", after)];
                let metadata = numbers.map(|(key, number)| (key, number.to_string()));
                let reason = ErrorReason::RevisionNotOfThisHistory;
                status(Code::FailedPrecondition, reason, &error.to_string(), metadata, none())
            }
            Error::OtherBackup => plain(Code::FailedPrecondition, ErrorReason::RevisionNotOfThisHistory, none()),
            Error::RevisionNotReached { asked, head } => {
                let (metadata, details) = (revisions(*asked, *head), retry_after(RESTART_DELAY));
                status(Code::Unavailable, ErrorReason::RevisionNotReached, &error.to_string(), metadata, details)
            }
            Error::QueueFull => plain(Code::ResourceExhausted, ErrorReason::WriteQueueFull, retry_after(QUEUE_DELAY)),
            // Whoever could read it has gone.
            Error::Unwanted => plain(Code::Cancelled, ErrorReason::Deadline, none()),
            Error::ShuttingDown => plain(Code::Unavailable, ErrorReason::ShuttingDown, retry_after(RESTART_DELAY)),
            Error::Store(error) => store_failed(error),
        }
    }
}

/// The deadline of the call has passed.
pub(crate) fn deadline_exceeded() -> Status {
    let message = "the deadline passed; a write may have been made: repeat it with the same request id";
    status(Code::DeadlineExceeded, ErrorReason::Deadline, message, [], ErrorDetails::new())
}

/// The caller shows nothing, or more than one thing, where a credential is asked for.
pub(crate) fn no_credential() -> Status {
    unauthenticated("show who you are: one header `authorization: Bearer TOKEN`, or a certificate that is known here")
}

/// A request came to its service by another way than the door, where callers are asked who they are.
pub(crate) fn unannounced() -> Status {
    unauthenticated("nobody has asked who makes this call")
}

/// The caller is not recognised.
pub(crate) fn refused(refusal: Refusal) -> Status {
    unauthenticated(match refusal {
        Refusal::Unknown => "this credential is not known here; ask whoever runs the service for one",
        Refusal::Expired => "this credential has expired; ask whoever runs the service for a new one",
        Refusal::Revoked => "this credential was revoked; ask whoever runs the service for a new one",
    })
}

/// The credential with which the call was begun is no longer good.
pub(crate) fn credential_ended() -> Status {
    unauthenticated("the credential of this call has expired, was revoked or was changed; call again with a good one")
}

fn unauthenticated(message: &str) -> Status {
    status(Code::Unauthenticated, ErrorReason::Unauthenticated, message, [], ErrorDetails::new())
}

/// The caller's role is not for that.
pub(crate) fn denied(Denied { role, needed }: Denied) -> Status {
    let (what, who) = match needed {
        Right::None | Right::Read => ("read", "any credential"),
        Right::Write => ("write observations", "a credential of a writer or an admin"),
        Right::Curate => ("change the catalog", "a credential of a curator or an admin"),
        Right::Administer => ("run the service", "a credential of an admin"),
    };
    let message = format!("the role {} may not {what}; it takes {who}", role.name());
    let metadata = [("role", role.name().to_owned())];
    status(Code::PermissionDenied, ErrorReason::PermissionDenied, &message, metadata, ErrorDetails::new())
}

/// The call took as long as the server allows.
pub(crate) fn call_too_long(most: Duration) -> Status {
    let seconds = most.as_secs();
    let message = format!(
        "the call took longer than the {seconds} s that the server allows; ask for less, or page by page with page_size; \
         a write may have been made: repeat it with the same request id"
    );
    let metadata = [("limit_seconds", seconds.to_string())];
    status(Code::DeadlineExceeded, ErrorReason::CallTooLong, &message, metadata, ErrorDetails::new())
}

/// As many calls are under way as may be.
pub(crate) fn too_many_requests(whose: &str, limit: usize) -> Status {
    too_many(ErrorReason::TooManyRequests, &format!("{whose} has {limit} calls under way, and no more are allowed"), limit)
}

/// As many watches are open as may be.
pub(crate) fn too_many_watches(whose: &str, limit: usize) -> Status {
    too_many(ErrorReason::TooManyWatches, &format!("{whose} has {limit} watches open, and no more are allowed"), limit)
}

fn too_many(reason: ErrorReason, message: &str, limit: usize) -> Status {
    let message = format!("{message}; retry with backoff");
    status(Code::ResourceExhausted, reason, &message, [("limit", limit.to_string())], retry_after(RESTART_DELAY))
}

/// There is no service behind the path of the call.
pub(crate) fn unknown_service(path: &str) -> Status {
    Status::unimplemented(format!("nothing here answers {}; list the services by reflection", shorten(path, TEXT_BYTES)))
}

/// The server is stopping.
pub(crate) fn shutting_down() -> Status {
    Error::ShuttingDown.into()
}

/// One message of a request is larger than `limit` bytes.
pub(crate) fn message_too_large(size: usize, limit: usize) -> Status {
    let message = format!("the message has {size} bytes, and {limit} are allowed; send it in parts");
    let metadata = [("message_bytes", size.to_string()), ("limit_bytes", limit.to_string())];
    status(Code::ResourceExhausted, ErrorReason::RequestTooLarge, &message, metadata, ErrorDetails::new())
}

/// What came is no message of its type, as the library says.
pub(crate) fn malformed_message(what: &str) -> Status {
    status(Code::InvalidArgument, ErrorReason::MalformedMessage, what, [], ErrorDetails::new())
}

/// Of a request whose message could not be read: the library says so with an error of the server's own, and no details.
pub(crate) fn of_message(error: Status) -> Status {
    /// How the library begins to say that bytes are no message.
    const UNDECODABLE: &str = "failed to decode Protobuf message";
    let undecodable = error.code() == Code::Internal && error.message().starts_with(UNDECODABLE);
    if undecodable { malformed_message(error.message()) } else { error }
}

fn invalid(violations: &[Violation]) -> Status {
    with_violations(Code::InvalidArgument, violations)
}

fn with_violations(code: Code, violations: &[Violation]) -> Status {
    let listed = list(violations.iter().map(|v| Problem::new(v.reason, &v.field, &v.description)));
    let omitted = omitted(violations.len(), listed.len());
    let mut details = ErrorDetails::new();
    details.set_bad_request(
        listed
            .into_iter()
            .map(|p| FieldViolation { reason: p.reason.into(), ..FieldViolation::new(p.subject, p.description) })
            .collect::<Vec<_>>(),
    );
    status(code, common_reason(violations), &summary(violations), omitted, details)
}

fn forbidden(violations: &[Violation]) -> Status {
    let listed = list(violations.iter().map(|v| Problem::new(v.reason, &v.field, &v.description)));
    let omitted = omitted(violations.len(), listed.len());
    status(Code::FailedPrecondition, common_reason(violations), &summary(violations), omitted, precondition_failure(listed))
}

fn not_found(reason: ErrorReason, kind: &str, name: &str) -> Status {
    let name = shorten(name, TEXT_BYTES);
    let message = format!("{kind} {name} not found");
    let details = ErrorDetails::with_resource_info(kind, name, "", message.as_str());
    status(Code::NotFound, reason, &message, [], details)
}

fn series_changed(message: &str, series: &[SeriesChanged]) -> Status {
    let reason = ErrorReason::SeriesChanged;
    let listed = list(series.iter().map(|s| {
        let description = format!("expected revision {}, found {}", s.expected, s.actual);
        Problem::new(reason, &s.series, &description)
    }));
    let omitted = omitted(series.len(), listed.len());
    status(Code::Aborted, reason, message, omitted, precondition_failure(listed))
}

/// The client learns that the store failed, the log how: paths and offsets help whoever runs the server, and nobody else.
fn store_failed(error: &store::Error) -> Status {
    let failed = || (Code::Internal, ErrorReason::StorageFailed, "the store failed; the server's log says how".to_owned());
    let (code, reason, message) = match error {
        // These are logged once, when writes stop.
        store::Error::Refused(_) | store::Error::Failed(_) => failed(),
        store::Error::Full { .. } => (Code::ResourceExhausted, ErrorReason::StorageFull, error.to_string()),
        store::Error::OverQuota { .. } => (Code::ResourceExhausted, ErrorReason::QuotaExceeded, error.to_string()),
        store::Error::Directory { .. }
        | store::Error::Io(_)
        | store::Error::Corrupt(_)
        | store::Error::Archive(_)
        | store::Error::InUse(_)
        | store::Error::Foreign { .. } => {
            tracing::error!(error = error as &dyn std::error::Error, "the store failed");
            failed()
        }
    };
    status(code, reason, &message, [], ErrorDetails::new())
}

/// Every status of the service is made here, so that each has its `ErrorInfo`.
fn status(
    code: Code,
    reason: ErrorReason,
    message: &str,
    metadata: impl IntoIterator<Item = (&'static str, String)>,
    mut details: ErrorDetails,
) -> Status {
    let metadata: HashMap<String, String> = metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    details.set_error_info(name(reason), DOMAIN, metadata);
    Status::with_error_details(code, shorten_to(message, MESSAGE_BYTES, header_bytes), details)
}

/// The reason as it stands in `ErrorInfo`.
fn name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

/// The reason all violations share, or that there are several.
fn common_reason(violations: &[Violation]) -> ErrorReason {
    match violations {
        [first, rest @ ..] if rest.iter().all(|v| v.reason == first.reason) => first.reason,
        _ => ErrorReason::InvalidRequest,
    }
}

/// The problems in a line, and how many more there are.
fn summary(violations: &[Violation]) -> String {
    const MORE: usize = " and 18446744073709551615 more".len();
    let mut text = String::new();
    for (index, violation) in violations.iter().enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        let problem = format!(
            "{separator}{}: {}",
            shorten(&violation.field, TEXT_BYTES),
            shorten_to(&violation.description, TEXT_BYTES, header_bytes)
        );
        if index == MAX_LISTED || header_text(&text) + header_text(&problem) + MORE > MESSAGE_BYTES {
            text.push_str(&format!(" and {} more", violations.len() - index));
            break;
        }
        text.push_str(&problem);
    }
    text
}

/// A problem as the details list it.
struct Problem {
    reason: &'static str,
    subject: String,
    description: String,
}

impl Problem {
    fn new(reason: ErrorReason, subject: &str, description: &str) -> Self {
        Self { reason: name(reason), subject: shorten(subject, TEXT_BYTES), description: shorten(description, TEXT_BYTES) }
    }

    fn bytes(&self) -> usize {
        // Tags and lengths of the message and its three texts.
        const FRAMING: usize = 12;
        self.reason.len() + self.subject.len() + self.description.len() + FRAMING
    }
}

/// The problems that fit into the details.
fn list(problems: impl Iterator<Item = Problem>) -> Vec<Problem> {
    let mut room = LISTED_BYTES;
    let fits = |problem: &Problem| room.checked_sub(problem.bytes()).map(|left| room = left).is_some();
    problems.take(MAX_LISTED).take_while(fits).collect()
}

fn precondition_failure(problems: Vec<Problem>) -> ErrorDetails {
    let violation = |p: Problem| PreconditionViolation::new(p.reason, p.subject, p.description);
    ErrorDetails::with_precondition_failure(problems.into_iter().map(violation).collect::<Vec<_>>())
}

/// Says in the metadata how many problems there are when not all of them are listed.
fn omitted(all: usize, shown: usize) -> Option<(&'static str, String)> {
    (shown < all).then(|| ("violations", all.to_string()))
}

fn retry_after(delay: Duration) -> ErrorDetails {
    ErrorDetails::with_retry_info(Some(delay))
}

/// At most `limit` bytes of a text, cut between characters.
fn shorten(text: &str, limit: usize) -> String {
    shorten_to(text, limit, char::len_utf8)
}

fn shorten_to(text: &str, limit: usize, bytes: impl Fn(char) -> usize) -> String {
    const ELLIPSIS: &str = "...";
    if text.chars().map(&bytes).sum::<usize>() <= limit {
        return text.to_owned();
    }
    let mut room = limit - ELLIPSIS.len();
    let kept: String = text.chars().take_while(|c| room.checked_sub(bytes(*c)).map(|left| room = left).is_some()).collect();
    kept + ELLIPSIS
}

fn header_text(text: &str) -> usize {
    text.chars().map(header_bytes).sum()
}

/// Bytes of a character in `grpc-message`, which is percent-encoded.
fn header_bytes(character: char) -> usize {
    match character {
        '"' | '#' | '%' | '<' | '>' | '`' | '?' | '{' | '}' => 3,
        '!'..='~' => 1,
        _ => 3 * character.len_utf8(),
    }
}

#[cfg(test)]
mod tests;
