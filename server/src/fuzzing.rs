//! The targets of `tests/fuzz` in this crate: each takes any bytes, and panics where something does not hold that must.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned, ser::SerializeTuple as _};

use crate::{
    access::Token,
    engine::{Cursor, Purpose, TokenError, Tokens, VintagePlace, analysis::ComputedCursor},
};

/// Values of the store: blocks, the log, keys.
pub fn store(bytes: &[u8]) {
    crate::store::fuzzing::store(bytes);
}

/// Backups.
pub fn archive(bytes: &[u8]) {
    crate::store::archive::fuzzing::archive(bytes);
}

/// The conversion of requests.
pub fn requests(bytes: &[u8]) {
    crate::service::fuzzing::requests(bytes);
}

/// What is followed of a connection's HTTP/2 frames.
pub fn frames(bytes: &[u8]) {
    crate::serve::fuzzing::frames(bytes);
}

/// The one position that was ever sealed with the key of [`tokens`], as far as a fuzzer can know.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Position {
    request: u64,
    revision: u64,
    next: String,
}

impl Position {
    fn sealed() -> Self {
        Self { request: 7, revision: 1_000, next: "CN-SD".into() }
    }
}

/// Tokens of pages and watches, and those of callers. The first byte says what the others are taken for.
pub fn tokens(bytes: &[u8]) {
    let Some((&what, bytes)) = bytes.split_first() else { return };
    let tokens = Tokens::new([7; 32], [1; 16]);
    let text = String::from_utf8_lossy(bytes);
    match what % 4 {
        0 => forged(&tokens, &text),
        1 => forged(&tokens, &URL_SAFE_NO_PAD.encode(bytes)),
        2 => {
            payload::<u64>(&tokens, bytes);
            payload::<(u64, u64, String)>(&tokens, bytes);
            payload::<(u64, u64, Cursor)>(&tokens, bytes);
            payload::<(u64, u64, ComputedCursor)>(&tokens, bytes);
            payload::<(u64, u64, (String, VintagePlace))>(&tokens, bytes);
        }
        _ => {
            let Ok(token) = text.parse::<Token>() else { return };
            assert_eq!(token.reveal(), text);
            let secret = text.splitn(3, '_').last().unwrap_or_default();
            assert!(!format!("{token:?}").contains(secret));
        }
    }
}

/// Nothing opens but what was sealed, and that for its purpose alone.
fn forged(tokens: &Tokens, text: &str) {
    for purpose in [Purpose::Page, Purpose::Resume] {
        match tokens.open::<Position>(purpose, text) {
            Ok(position) => {
                assert_eq!((purpose, &position), (Purpose::Page, &Position::sealed()));
                assert_eq!(tokens.seal(purpose, &position), text);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// Bytes that this service would have sealed, of another release.
struct Payload<'a>(&'a [u8]);

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Without a length before them.
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

fn payload<T: Serialize + DeserializeOwned>(tokens: &Tokens, bytes: &[u8]) {
    let token = tokens.seal(Purpose::Page, &Payload(bytes));
    match tokens.open::<T>(Purpose::Page, &token) {
        Ok(payload) => assert!(tokens.open::<T>(Purpose::Page, &tokens.seal(Purpose::Page, &payload)).is_ok()),
        Err(error) => assert_eq!(error, TokenError::Malformed),
    }
    assert_eq!(tokens.open::<T>(Purpose::Resume, &token).err(), Some(TokenError::Altered));
}

#[cfg(test)]
#[path = "../../tests/fuzz/replay.rs"]
mod replay;
#[cfg(test)]
pub(crate) mod seeds;

#[cfg(test)]
mod tests {
    use super::*;

    type Target = fn(&[u8]);

    #[test]
    fn the_regressions_of_fuzzing_stay_mended() {
        let targets: [(&str, Target); 5] =
            [("store", store), ("archive", archive), ("requests", requests), ("frames", frames), ("tokens", tokens)];
        for (target, run) in targets {
            replay::replay(target, run);
        }
    }
}
