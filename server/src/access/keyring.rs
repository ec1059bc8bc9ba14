use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Credential, CredentialFile, FileError, Proof, State, Token};
use crate::stamp::Stamp;

/// A revoked or expired credential, and the calls it made, end within about this time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The credentials of a server, as its file has them now.
#[derive(Debug)]
pub struct Keyring {
    file: CredentialFile,
    keys: ArcSwap<Keys>,
    /// What the file was like when it was read.
    seen: Mutex<Option<Stamp>>,
}

#[derive(Debug, Default)]
struct Keys {
    by_id: HashMap<String, Identity>,
    /// Fingerprint to id.
    by_certificate: HashMap<String, String>,
}

/// A credential, and what tells of its end.
#[derive(Debug, Clone)]
pub struct Identity {
    credential: Arc<Credential>,
    ended: CancellationToken,
}

impl Identity {
    /// The credential.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Cancelled when it ends.
    #[must_use]
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Whether it is good though it had ended.
    fn is_back(&self, now: Timestamp) -> bool {
        self.ended.is_cancelled() && self.credential.state(now) == State::Active
    }
}

/// What a caller shows.
#[derive(Debug, Clone, Copy)]
pub enum Evidence<'a> {
    /// A bearer token.
    Token(&'a str),
    /// The SHA-256 fingerprint of a certificate that TLS has verified, in hexadecimal.
    Certificate(&'a str),
}

/// Why a caller is not recognised. Callers are told no more than that: which ids there are is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is not a token of this service, or its secret is wrong, or no such credential is there.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl Keyring {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    pub fn open(file: CredentialFile) -> Result<Self, FileError> {
        let keyring = Self { file, keys: ArcSwap::default(), seen: Mutex::new(None) };
        keyring.read()?;
        Ok(keyring)
    }

    /// How many credentials are good now.
    #[must_use]
    pub fn active(&self) -> usize {
        let now = Timestamp::now();
        self.keys.load().by_id.values().filter(|identity| identity.credential.state(now) == State::Active).count()
    }

    /// Who shows this.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn recognise(&self, evidence: Evidence<'_>) -> Result<Identity, Refusal> {
        let keys = self.keys.load();
        let identity = match evidence {
            Evidence::Token(text) => {
                let token: Token = text.parse().map_err(|()| Refusal::Unknown)?;
                keys.by_id.get(token.id()).filter(|identity| has_secret(&identity.credential, &token))
            }
            Evidence::Certificate(print) => keys.by_certificate.get(print).and_then(|id| keys.by_id.get(id)),
        };
        let identity = identity.ok_or(Refusal::Unknown)?;
        match identity.credential.state(Timestamp::now()) {
            State::Active => Ok(identity.clone()),
            State::Expired => Err(Refusal::Expired),
            State::Revoked => Err(Refusal::Revoked),
        }
    }

    /// Reads the file again whenever it changes, and ends the calls of credentials that have ended. Never returns.
    pub async fn keep(&self) {
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            self.refresh();
        }
    }

    /// Reads the file again if it has changed; ends what has ended. A file that cannot be read changes nothing.
    pub fn refresh(&self) {
        if Stamp::of(&self.file.path()) != *self.seen.lock().expect("nothing panics while it holds this lock") {
            match self.read() {
                Ok(()) => tracing::info!(active = self.active(), "read the credentials"),
                Err(error) => tracing::error!(%error, "the credentials stay as they were"),
            }
        }
        let (keys, now) = (self.keys.load_full(), Timestamp::now());
        // A clock that was set right again brings back what it had let expire.
        if keys.by_id.values().any(|identity| identity.is_back(now)) {
            self.install(keys.by_id.values().map(|identity| Credential::clone(&identity.credential)).collect());
        }
        for identity in keys.by_id.values().filter(|identity| identity.credential.state(now) != State::Active) {
            identity.ended.cancel();
        }
    }

    fn read(&self) -> Result<(), FileError> {
        // Before reading: what changes meanwhile is read the next time.
        *self.seen.lock().expect("nothing panics while it holds this lock") = Stamp::of(&self.file.path());
        self.install(self.file.read()?);
        Ok(())
    }

    /// The calls of a credential go on if it is what it was.
    fn install(&self, credentials: Vec<Credential>) {
        let (before, now) = (self.keys.load_full(), Timestamp::now());
        let mut keys = Keys::default();
        for credential in credentials {
            let id = credential.id.clone();
            if let Proof::Certificate(print) = &credential.proof {
                keys.by_certificate.insert(print.clone(), id.clone());
            }
            let same = before.by_id.get(&id).filter(|known| *known.credential == credential && !known.is_back(now));
            let new = || Identity { credential: Arc::new(credential), ended: CancellationToken::new() };
            keys.by_id.insert(id, same.cloned().unwrap_or_else(new));
        }
        let keys = Arc::new(keys);
        self.keys.store(Arc::clone(&keys));
        for (id, identity) in &before.by_id {
            if keys.by_id.get(id).is_none_or(|now| !Arc::ptr_eq(&now.credential, &identity.credential)) {
                identity.ended.cancel();
            }
        }
    }
}

fn has_secret(credential: &Credential, token: &Token) -> bool {
    let Proof::Token(hash) = &credential.proof else { return false };
    blake3::Hash::from_hex(hash).is_ok_and(|hash| hash == token.hash())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    struct Fixture {
        _directory: tempfile::TempDir,
        file: CredentialFile,
        token: Token,
    }

    fn fixture(expires_at: Option<Timestamp>) -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let file = CredentialFile::of(directory.path());
        let token = Token::new().unwrap();
        let credential = Credential {
            id: token.id().to_owned(),
            name: "bureau".to_owned(),
            role: Role::Reader,
            sources: Default::default(),
            proof: Proof::Token(token.hash().to_hex().to_string()),
            created_at: Timestamp::now(),
            expires_at,
            revoked_at: None,
        };
        file.change(|all| all.push(credential)).unwrap();
        Fixture { _directory: directory, file, token }
    }

    fn refusal(keyring: &Keyring, text: &str) -> Option<Refusal> {
        keyring.recognise(Evidence::Token(text)).err()
    }

    #[test]
    fn only_the_whole_secret_is_recognised() {
        let Fixture { file, token, _directory } = fixture(None);
        let keyring = Keyring::open(file).unwrap();
        assert_eq!(keyring.recognise(Evidence::Token(&token.reveal())).unwrap().credential().name, "bureau");
        let stranger = Token::new().unwrap().reveal();
        let secret = stranger.rsplit('_').next().unwrap();
        let forged = format!("indicator_{}_{secret}", token.id());
        for text in [stranger.as_str(), &forged, &token.reveal().to_lowercase(), ""] {
            assert_eq!(refusal(&keyring, text), Some(Refusal::Unknown), "{text}");
        }
        assert!(keyring.recognise(Evidence::Certificate(&token.hash().to_hex())).is_err(), "a hash is no certificate");
    }

    #[test]
    fn what_is_revoked_ends_and_what_stays_goes_on() {
        let Fixture { file, token, _directory } = fixture(None);
        let keyring = Keyring::open(file.clone()).unwrap();
        let identity = keyring.recognise(Evidence::Token(&token.reveal())).unwrap();
        let other = Credential { id: "other".to_owned(), ..identity.credential().clone() };
        file.change(|all| all.push(other)).unwrap();
        keyring.refresh();
        assert!(!identity.ended().is_cancelled(), "another credential is none of its business");
        file.change(|all| all[0].revoked_at = Some(Timestamp::now())).unwrap();
        keyring.refresh();
        assert!(identity.ended().is_cancelled());
        assert_eq!(refusal(&keyring, &token.reveal()), Some(Refusal::Revoked));
        file.change(|all| all.remove(0)).unwrap();
        keyring.refresh();
        assert_eq!(refusal(&keyring, &token.reveal()), Some(Refusal::Unknown));
    }

    #[test]
    fn a_file_that_cannot_be_read_changes_nothing() {
        let Fixture { file, token, _directory } = fixture(None);
        let keyring = Keyring::open(file.clone()).unwrap();
        std::fs::write(file.path(), "{").unwrap();
        keyring.refresh();
        assert_eq!(refusal(&keyring, &token.reveal()), None);
        assert!(Keyring::open(file).is_err(), "but nothing starts with it");
    }

    #[test]
    fn what_expires_ends_without_a_change_of_the_file() {
        let end = Timestamp::now() + jiff::SignedDuration::from_millis(200);
        let Fixture { file, token, _directory } = fixture(Some(end));
        let keyring = Keyring::open(file).unwrap();
        let identity = keyring.recognise(Evidence::Token(&token.reveal())).unwrap();
        while Timestamp::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(refusal(&keyring, &token.reveal()), Some(Refusal::Expired));
        keyring.refresh();
        assert!(identity.ended().is_cancelled());
    }
}
