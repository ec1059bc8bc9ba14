//! What every command that writes has in common: who writes, and why.

use std::env;

use indicator_proto::v1::WriteContext;

/// Who writes, and why. It is kept with the commit for ever.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ReasonArgs {
    /// Why: kept with the commit for ever
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who: kept with the commit for ever [default: the user's name]
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
