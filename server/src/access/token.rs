use std::{fmt, io, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Marks a text as one of our tokens, for those who look for secrets in files.
const PREFIX: &str = "indicator";
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;

/// A bearer token: `indicator_ID_SECRET`. It is shown once; what is kept of it is the hash of its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    id: String,
    secret: String,
}

impl Token {
    /// A new one.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn new() -> io::Result<Self> {
        let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
        getrandom::fill(&mut id).map_err(io::Error::other)?;
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id, secret: URL_SAFE_NO_PAD.encode(secret) })
    }

    /// The id of its credential.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Hash of its secret. Comparing takes the same time wherever hashes differ.
    #[must_use]
    pub fn hash(&self) -> blake3::Hash {
        blake3::hash(self.secret.as_bytes())
    }

    /// The text that the caller shows.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}_{}_{}", self.id, self.secret)
    }
}

impl fmt::Debug for Token {
    /// A secret is in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.id)
    }
}

impl FromStr for Token {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let rest = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(())?;
        let (id, secret) = rest.split_once('_').ok_or(())?;
        let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let whole = id.len() == 2 * ID_BYTES && hexadecimal(id) && secret.len() == (SECRET_BYTES * 4).div_ceil(3);
        if whole { Ok(Self { id: id.to_owned(), secret: secret.to_owned() }) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_no_two_are_alike() {
        let (a, b) = (Token::new().unwrap(), Token::new().unwrap());
        assert_eq!(a.reveal().parse::<Token>().unwrap(), a);
        assert_ne!((a.id(), a.hash()), (b.id(), b.hash()));
    }

    #[test]
    fn what_is_no_token_is_refused_and_debugging_shows_no_secret() {
        let token = Token::new().unwrap();
        let text = token.reveal();
        for wrong in
            ["", "indicator", "indicator__", &text[1..], &text[..text.len() - 1], &format!("{text}x"), &text.replace('_', "-")]
        {
            assert!(wrong.parse::<Token>().is_err(), "{wrong}");
        }
        let secret = text.rsplit('_').next().unwrap();
        assert!(!format!("{token:?}").contains(secret));
    }
}
