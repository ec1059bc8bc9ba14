//! What can go wrong with a call, in words for people and in codes for programs.

use std::{error::Error as _, fmt, time::Duration};

use indicator_proto::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The service answered with an error.
    #[error("{}", Answer { code: *code, reason: *reason, message, violations })]
    Rpc {
        /// The gRPC status code.
        code: Code,
        /// The service's stable reason. `None` if the answer came without one, or with one that this version does not know.
        reason: Option<ErrorReason>,
        /// The service's own words.
        message: String,
        /// Every problem of the request, in its order.
        violations: Vec<Violation>,
        /// How long the service asks to wait before trying again.
        retry_after: Option<Duration>,
    },
    /// There is no connection to the server.
    #[error("cannot reach the server {server}: {cause}; is indicatord running there?")]
    Connect {
        /// The server, as a URL.
        server: String,
        /// What the operating system said.
        cause: String,
    },
    /// The connection broke, or an answer ended before it was complete.
    #[error("{what} was cut off{}", Cause(cause))]
    Cut {
        /// What was cut off.
        what: &'static str,
        /// What the transport said, if it said anything.
        cause: Option<String>,
    },
    /// No answer came in time. A write may have been made.
    #[error("no answer within {} s", after.as_secs_f64())]
    Deadline {
        /// How long the client waited.
        after: Duration,
    },
    /// The server sent what the contract rules out.
    #[error("the server sent {what}, which this client does not understand: their versions may not fit together")]
    Protocol {
        /// What it sent.
        what: &'static str,
    },
    /// The client cannot be set up as asked.
    #[error("{setting} {value:?} cannot be used: {problem}")]
    Config {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it and what to write instead.
        problem: &'static str,
    },
}

/// One problem of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, for example `changes[3].period`.
    pub field: String,
    /// What is wrong and what to do about it.
    pub description: String,
    /// Its stable reason. `None` if there was none, or one that this version does not know.
    pub reason: Option<ErrorReason>,
}

impl Error {
    /// The error that a status means. `server` is where the call went, `what` the thing that a broken connection cuts off.
    pub(crate) fn from_status(status: &Status, server: &str, what: &'static str) -> Self {
        // A status from the wire has no source: with one, the transport made it up.
        match transport_failure(status) {
            Some(Transport::Connect(cause)) => Self::Connect { server: server.to_owned(), cause },
            Some(Transport::Broken(cause)) => Self::Cut { what, cause: Some(cause) },
            None => Self::from_answer(status),
        }
    }

    fn from_answer(status: &Status) -> Self {
        let details = status.get_error_details();
        let violations = details.bad_request().map(|request| &request.field_violations[..]).unwrap_or_default();
        Self::Rpc {
            code: status.code(),
            reason: details.error_info().and_then(|info| reason(&info.reason)),
            message: status.message().to_owned(),
            violations: violations
                .iter()
                .map(|violation| Violation {
                    field: violation.field.clone(),
                    description: violation.description.clone(),
                    reason: reason(&violation.reason),
                })
                .collect(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }

    /// The service's reason, if it gave one.
    pub fn reason(&self) -> Option<ErrorReason> {
        match self {
            Self::Rpc { reason, .. } => *reason,
            _ => None,
        }
    }

    /// The gRPC status code that the error amounts to.
    pub fn code(&self) -> Code {
        match self {
            Self::Rpc { code, .. } => *code,
            Self::Connect { .. } | Self::Cut { .. } => Code::Unavailable,
            Self::Deadline { .. } => Code::DeadlineExceeded,
            Self::Protocol { .. } => Code::Internal,
            Self::Config { .. } => Code::InvalidArgument,
        }
    }

    /// How long the service asks to wait before trying again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rpc { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the thing asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code() == Code::NotFound
    }
}

fn reason(name: &str) -> Option<ErrorReason> {
    ErrorReason::from_str_name(&format!("ERROR_REASON_{name}"))
}

/// Whether the status says that tonic's own timer, set by the request's timeout, has run out: it calls that CANCELLED.
pub(crate) fn is_timeout(status: &Status) -> bool {
    causes(status).any(|cause| cause.is::<tonic::TimeoutExpired>())
}

fn causes(status: &Status) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let mut next = status.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

enum Transport {
    Connect(String),
    Broken(String),
}

fn transport_failure(status: &Status) -> Option<Transport> {
    let text = causes(status).last()?.to_string();
    let connecting = causes(status).any(|cause| cause.is::<tonic::ConnectError>());
    Some(if connecting { Transport::Connect(text) } else { Transport::Broken(text) })
}

/// The name of a status code as gRPC spells it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The name of a reason as it stands in `ErrorInfo`.
pub fn reason_name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

struct Answer<'a> {
    code: Code,
    reason: Option<ErrorReason>,
    message: &'a str,
    violations: &'a [Violation],
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.reason.map_or(code_name(self.code), reason_name);
        // Some answers repeat their only violation as the message; it is printed once, with its field.
        let repeated = matches!(self.violations, [only] if self.message.contains(&only.description));
        match self.violations {
            [only] if repeated => return write!(f, "{only}"),
            _ if self.message.is_empty() => write!(f, "the service answered {name}")?,
            _ => write!(f, "{} ({name})", self.message)?,
        }
        for violation in self.violations {
            write!(f, "\n  {violation}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.description)?;
        match self.reason {
            Some(reason) => write!(f, " ({})", reason_name(reason)),
            None => Ok(()),
        }
    }
}

struct Cause<'a>(&'a Option<String>);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn refused() -> Status {
        let mut details = ErrorDetails::with_error_info("INVALID_REQUEST", "indicator.v1", []);
        details.set_bad_request(vec![
            violation("changes[0].period", "2021-02-30 is not a day", "INVALID_PERIOD"),
            violation("changes[3].value", "NaN is not a decimal", "A_REASON_OF_TOMORROW"),
        ]);
        details.set_retry_info(Some(Duration::from_millis(250)));
        Status::with_error_details(Code::InvalidArgument, "2 problems, nothing was written", details)
    }

    fn violation(field: &str, description: &str, reason: &str) -> tonic_types::FieldViolation {
        let mut violation = tonic_types::FieldViolation::new(field, description);
        violation.reason = reason.to_owned();
        violation
    }

    #[test]
    fn an_answer_keeps_its_reason_its_violations_and_its_delay() {
        let error = Error::from_status(&refused(), "http://h:1", "the call");
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.reason(), Some(ErrorReason::InvalidRequest));
        assert_eq!(error.retry_after(), Some(Duration::from_millis(250)));
        let Error::Rpc { violations, .. } = error else { panic!("an answer of the service: {error:?}") };
        assert_eq!(violations[0].reason, Some(ErrorReason::InvalidPeriod));
        assert_eq!(violations[1].field, "changes[3].value");
        assert_eq!(violations[1].reason, None, "an unknown reason is not made into a known one");
    }

    #[test]
    fn an_answer_is_printed_with_all_its_problems() {
        let text = Error::from_status(&refused(), "http://h:1", "the call").to_string();
        insta::assert_snapshot!(text, @r"
        2 problems, nothing was written (INVALID_REQUEST)
          changes[0].period: 2021-02-30 is not a day (INVALID_PERIOD)
          changes[3].value: NaN is not a decimal
        ");
    }

    #[test]
    fn an_answer_that_repeats_its_only_problem_prints_it_once() {
        let mut details = ErrorDetails::with_error_info("INVALID_PERIOD", "indicator.v1", []);
        details.set_bad_request(vec![violation("period", "2021-Q5 is not a period", "INVALID_PERIOD")]);
        let status = Status::with_error_details(Code::InvalidArgument, "period: 2021-Q5 is not a period", details);
        let text = Error::from_status(&status, "http://h:1", "the call").to_string();
        assert_eq!(text, "period: 2021-Q5 is not a period (INVALID_PERIOD)");
    }

    #[test]
    fn an_answer_without_details_is_printed_with_its_code() {
        let error = Error::from_status(&Status::not_found("no region CN-XX"), "http://h:1", "the call");
        assert_eq!(error.to_string(), "no region CN-XX (NOT_FOUND)");
        assert!(error.is_not_found());
    }
}
