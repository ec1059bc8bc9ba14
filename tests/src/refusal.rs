//! What an error of the service says.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// An error, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The gRPC code.
    pub code: Code,
    /// The stable reason in `google.rpc.ErrorInfo`.
    pub reason: String,
    /// For people.
    pub message: String,
    /// Field and reason of each violation in `google.rpc.BadRequest`, or subject and type of each in `PreconditionFailure`.
    pub violations: Vec<(String, String)>,
    /// To wait before a retry.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Code and reason.
    #[must_use]
    pub fn what(&self) -> (Code, &str) {
        (self.code, &self.reason)
    }

    /// The violations as texts that compare.
    #[must_use]
    pub fn listed(&self) -> Vec<(&str, &str)> {
        self.violations.iter().map(|(field, reason)| (field.as_str(), reason.as_str())).collect()
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"));
        assert_eq!(info.domain, "indicator.v1", "{status:?}");
        let fields = details.bad_request().map(|b| b.field_violations.clone()).unwrap_or_default();
        let obstacles = details.precondition_failure().map(|p| p.violations.clone()).unwrap_or_default();
        for violation in &fields {
            assert!(!violation.description.is_empty(), "a violation says what is wrong: {violation:?}");
        }
        let fields = fields.into_iter().map(|v| (v.field, v.reason));
        Self {
            code: status.code(),
            reason: info.reason.clone(),
            message: status.message().to_owned(),
            violations: fields.chain(obstacles.into_iter().map(|v| (v.subject, v.r#type))).collect(),
            retry_after: details.retry_info().and_then(|r| r.retry_delay),
        }
    }
}
