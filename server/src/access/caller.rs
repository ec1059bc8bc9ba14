use std::net::IpAddr;

use tokio_util::sync::CancellationToken;

use super::{Credential, Identity, Right, Role};

/// Who makes a request. Every request has one as an extension.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `None` where the service asks nobody for a credential.
    identity: Option<Identity>,
    /// Where it comes from; `None` if that cannot be told.
    address: Option<IpAddr>,
}

/// A role is not for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied {
    /// The role.
    pub role: Role,
    /// What it is not for.
    pub needed: Right,
}

impl Caller {
    /// Who has shown a credential.
    #[must_use]
    pub fn known(identity: Identity, address: Option<IpAddr>) -> Self {
        Self { identity: Some(identity), address }
    }

    /// Anybody, where nobody is asked.
    #[must_use]
    pub fn anybody(address: Option<IpAddr>) -> Self {
        Self { identity: None, address }
    }

    /// Its name; `None` where nobody is asked.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.credential().name.as_str())
    }

    /// Where it comes from.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Cancelled when its credential ends.
    #[must_use]
    pub fn ended(&self) -> Option<&CancellationToken> {
        self.identity.as_ref().map(Identity::ended)
    }

    /// Whether its role has a right.
    ///
    /// # Errors
    ///
    /// [`Denied`].
    pub fn check(&self, needed: Right) -> Result<(), Denied> {
        let Some(role) = self.identity.as_ref().map(|identity| identity.credential().role) else { return Ok(()) };
        let has = match needed {
            Right::None | Right::Read => true,
            Right::Write => matches!(role, Role::Writer | Role::Admin),
            Right::Curate => matches!(role, Role::Curator | Role::Admin),
            Right::Administer => role == Role::Admin,
        };
        if has { Ok(()) } else { Err(Denied { role, needed }) }
    }

    /// Whether it may write figures of a source.
    #[must_use]
    pub fn may_write(&self, source: &str) -> bool {
        let Some(credential) = self.identity.as_ref().map(Identity::credential) else { return true };
        match credential.role {
            Role::Admin => true,
            Role::Writer => credential.sources.contains(source),
            Role::Reader | Role::Curator => false,
        }
    }

    /// Which figures it may write, in words.
    #[must_use]
    pub fn writes(&self) -> String {
        match self.identity.as_ref().map(Identity::credential) {
            Some(Credential { role: Role::Writer, sources, .. }) => {
                let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
                format!("it may write those of {}", sources.join(", "))
            }
            _ => "it may write none".to_owned(),
        }
    }
}
