use std::collections::BTreeSet;

use clap::ValueEnum;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a credential is for. Every role may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads and watches
    #[value(alias = "read")]
    Reader,
    /// And writes observations of the named sources
    #[value(alias = "write")]
    Writer,
    /// And changes the catalog, but writes no observations
    #[value(alias = "curate")]
    Curator,
    /// May do everything
    Admin,
}

impl Role {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Curator => "curator",
            Self::Admin => "admin",
        }
    }
}

/// What a caller must show to be recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// A token whose secret has this BLAKE3 hash, in hexadecimal. The secret is random, so a plain hash is enough.
    Token(String),
    /// The TLS certificate with this SHA-256 fingerprint, in hexadecimal.
    Certificate(String),
}

/// A caller that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Names it in lists, and in its token. Never given twice.
    pub id: String,
    /// The actor of what it writes.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// The sources that a writer writes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sources: BTreeSet<String>,
    /// What must be shown.
    pub proof: Proof,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends. `None` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// Whether a credential is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is.
    Active,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl Credential {
    /// Whether it is good at a time.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        if self.revoked_at.is_some() {
            State::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            State::Expired
        } else {
            State::Active
        }
    }
}
