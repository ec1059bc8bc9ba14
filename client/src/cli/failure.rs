//! How a command ends when it fails: an exit code for programs, a message and a remedy for people.

use std::{fmt::Write as _, io, process::ExitCode, slice};

use clap::builder::styling::{AnsiColor, Style as Paint};
use indicator_client::{
    Error,
    names::{NameError, ResolveError},
};
use indicator_proto::v1::ErrorReason;

use crate::output::Style;

/// Exit codes. They are part of the interface: `--help` lists them, scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The server answered with an error, or something else failed.
    Failed = 1,
    /// The command line is not right.
    Usage = 2,
    /// There is no such figure, series or entry.
    NotFound = 3,
    /// The server cannot be reached, or does not answer.
    Unavailable = 4,
    /// The input was rejected; what was rejected has not been written.
    Rejected = 5,
    /// A series has changed since the revision that was expected.
    Changed = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failure that the command itself found.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    remedy: Option<String>,
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), remedy: None }
    }

    /// Something else failed than a call.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The command line is not right.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, message)
    }

    /// The input was rejected. The message lists every problem, each on its line.
    pub(crate) fn rejected(message: impl Into<String>) -> Self {
        Self::new(Exit::Rejected, message)
    }

    /// It was stopped before its end.
    pub(crate) fn stopped(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Names that cannot be resolved.
    pub(crate) fn names(problems: &[NameError]) -> Self {
        // An ambiguous name asks for another command line; an unknown one is what scripts test for.
        let ambiguous = problems.iter().any(|problem| matches!(problem, NameError::Ambiguous { .. }));
        let message = match problems {
            [only] => only.to_string(),
            _ => {
                problems.iter().fold("these names cannot be resolved:".to_owned(), |text, problem| format!("{text}\n  {problem}"))
            }
        };
        let remedy = problems.iter().find_map(|problem| match problem {
            NameError::Unknown { suggestions, text, .. } if suggestions.is_empty() => {
                Some(format!("indicator search {}", quoted(text)))
            }
            _ => None,
        });
        Self { remedy, ..Self::new(if ambiguous { Exit::Usage } else { Exit::NotFound }, message) }
    }

    /// Adds what to try: a command, or a few words.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// What to tell the caller about an error. `None` if nothing is wrong: the reader of standard output has just left.
pub(crate) fn explain(error: &anyhow::Error, style: Style) -> Option<(Exit, String)> {
    if error.chain().any(is_broken_pipe) {
        return None;
    }
    let (exit, remedy) = verdict(error);
    let mut text = String::new();
    let red = paint(style, AnsiColor::Red);
    let cyan = paint(style, AnsiColor::Cyan);
    // Writing to a String does not fail.
    let _ = write!(text, "{red}error:{red:#} {error:#}");
    if let Some(remedy) = remedy {
        let _ = write!(text, "\n{cyan}try:{cyan:#} {remedy}");
    }
    Some((exit, text))
}

/// A text as a shell takes it.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.,:/@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn paint(style: Style, color: AnsiColor) -> Paint {
    if style.color { color.on_default().bold() } else { Paint::new() }
}

fn verdict(error: &anyhow::Error) -> (Exit, Option<String>) {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return (failure.exit, failure.remedy.clone());
        }
        // Both forward to what they hold, which the chain then does not show.
        if let Some(ResolveError::Name(problem)) = cause.downcast_ref::<ResolveError>() {
            return (Failure::names(slice::from_ref(problem)).exit, None);
        }
        let call = match cause.downcast_ref::<ResolveError>() {
            Some(ResolveError::Call(error)) => Some(error),
            _ => cause.downcast_ref::<Error>(),
        };
        if let Some(error) = call {
            return (exit_of(error), error.reason().and_then(remedy_for).map(str::to_owned));
        }
    }
    (Exit::Failed, None)
}

fn exit_of(error: &Error) -> Exit {
    use tonic::Code;
    match error {
        Error::Config { .. } => return Exit::Usage,
        Error::Connect { .. } | Error::Cut { .. } | Error::Deadline { .. } => return Exit::Unavailable,
        Error::Rpc { .. } | Error::Protocol { .. } => {}
    }
    if error.reason() == Some(ErrorReason::SeriesChanged) {
        return Exit::Changed;
    }
    match error.code() {
        Code::NotFound => Exit::NotFound,
        Code::Unavailable | Code::DeadlineExceeded => Exit::Unavailable,
        Code::InvalidArgument => Exit::Rejected,
        _ => Exit::Failed,
    }
}

fn remedy_for(reason: ErrorReason) -> Option<&'static str> {
    Some(match reason {
        ErrorReason::UnknownIndicator => "indicator search TEXT --kind indicator",
        ErrorReason::UnknownRegion => "indicator search TEXT --kind region",
        ErrorReason::UnknownSource => "indicator catalog list sources",
        ErrorReason::UnknownUnit => "indicator catalog list units",
        ErrorReason::UnknownDimension | ErrorReason::UnknownCode => "indicator catalog list dimensions",
        ErrorReason::SeriesChanged => "read the series again, then decide on its new revision",
        ErrorReason::FutureRevision => "indicator log",
        ErrorReason::EntryInUse => "delete first what uses it",
        ErrorReason::Unauthenticated => "--token-file FILE, or INDICATOR_TOKEN, with a token that `indicatord token create` made",
        ErrorReason::WriteQueueFull => "again in a moment: the server is busy",
        _ => return None,
    })
}

fn is_broken_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    let io = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return io(error);
    }
    if let Some(error) = cause.downcast_ref::<csv::Error>() {
        return matches!(error.kind(), csv::ErrorKind::Io(error) if io(error));
    }
    if let Some(error) = cause.downcast_ref::<serde_json::Error>() {
        return error.io_error_kind() == Some(io::ErrorKind::BrokenPipe);
    }
    false
}

#[cfg(test)]
mod tests {
    use indicator_client::names::Candidate;

    use super::*;

    fn plain(error: impl Into<anyhow::Error>) -> Option<(Exit, String)> {
        explain(&error.into(), Style::default())
    }

    #[test]
    fn a_reader_who_leaves_early_is_no_error() {
        let left = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(plain(left()), None);
        assert_eq!(plain(csv::Error::from(left())), None);
        assert_eq!(plain(serde_json::Error::io(left())), None);
        assert_eq!(plain(anyhow::Error::from(left()).context("cannot write")), None);
        assert!(plain(io::Error::from(io::ErrorKind::StorageFull)).is_some());
    }

    #[test]
    fn a_failure_says_what_is_wrong_and_what_to_try() {
        let failure = Failure::not_found("no region is called 山西东").remedy("indicator search 山 --kind region");
        let (exit, text) = plain(failure).expect("an error");
        assert_eq!(exit, Exit::NotFound);
        assert_eq!(text, "error: no region is called 山西东\ntry: indicator search 山 --kind region");
    }

    #[test]
    fn the_first_known_cause_decides_on_the_exit_code() {
        let error = anyhow::Error::from(Failure::rejected("line 3: no year")).context("data.csv");
        let (exit, text) = plain(error).expect("an error");
        assert_eq!((exit, &*text), (Exit::Rejected, "error: data.csv: line 3: no year"));
        let deadline = Error::Deadline { after: std::time::Duration::from_secs(1) };
        assert_eq!(plain(deadline).expect("an error").0, Exit::Unavailable);
        assert_eq!(plain(anyhow::anyhow!("the disk is gone")).expect("an error").0, Exit::Failed);
    }

    #[test]
    fn what_the_server_answers_decides_on_the_exit_code() {
        use tonic::Code;
        let answer = |code, reason| {
            let (message, violations) = ("no".to_owned(), Vec::new());
            let error = Error::Rpc { code, reason, message, violations, retry_after: None };
            plain(error).expect("an error").0
        };
        for (code, reason, exit) in [
            (Code::NotFound, Some(ErrorReason::NotFound), Exit::NotFound),
            (Code::InvalidArgument, Some(ErrorReason::InvalidPeriod), Exit::Rejected),
            (Code::Aborted, Some(ErrorReason::SeriesChanged), Exit::Changed),
            (Code::Unavailable, Some(ErrorReason::ShuttingDown), Exit::Unavailable),
            (Code::DeadlineExceeded, Some(ErrorReason::Deadline), Exit::Unavailable),
            (Code::ResourceExhausted, Some(ErrorReason::StorageFull), Exit::Failed),
            (Code::Internal, None, Exit::Failed),
        ] {
            assert_eq!(answer(code, reason), exit, "{code:?} {reason:?}");
        }
    }

    #[test]
    fn a_name_is_not_found_or_ambiguous() {
        let candidate = |id: &str| Candidate { id: id.to_owned(), name: "Suzhou".to_owned() };
        let (kind, text) = ("region".to_owned(), "Suzhou".to_owned());
        let candidates = vec![candidate("CN-AH.3413"), candidate("CN-JS.3205")];
        let ambiguous = NameError::Ambiguous { kind: kind.clone(), text: text.clone(), candidates };
        let (exit, told) = plain(ResolveError::from(ambiguous.clone())).expect("an error");
        assert_eq!(exit, Exit::Usage);
        assert!(told.contains("CN-AH.3413") && told.contains("CN-JS.3205"), "{told}");
        let unknown = NameError::Unknown { kind, text, suggestions: Vec::new() };
        let (exit, told) = plain(Failure::names(slice::from_ref(&unknown))).expect("an error");
        assert_eq!(exit, Exit::NotFound);
        assert!(told.ends_with("try: indicator search Suzhou"), "{told}");
        assert_eq!(plain(Failure::names(&[unknown, ambiguous])).expect("an error").0, Exit::Usage);
    }

    #[test]
    fn a_text_is_quoted_as_a_shell_needs_it() {
        assert_eq!(quoted("山东"), "山东");
        assert_eq!(quoted("base stations"), "'base stations'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
