//! Opaque tokens: page and resume positions that clients carry, and that nobody can alter or take elsewhere unnoticed.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

const VERSION: u8 = 1;
const EPOCH: usize = 16;
const HEAD: usize = 1 + EPOCH;
const MAC: usize = 16;

/// What a token is good for. A token of one purpose does not open for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The next page of a list.
    Page,
    /// Where a watch goes on.
    Resume,
}

impl Purpose {
    /// The byte in the checksum; never reused for another purpose.
    fn byte(self) -> u8 {
        match self {
            Self::Page => 1,
            Self::Resume => 2,
        }
    }
}

/// Why a token was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not a token of this service.
    #[error("this is not a token of this service; pass a token exactly as it was received")]
    Malformed,
    /// It is not as it was sealed, or was sealed for another purpose.
    #[error("the token was altered, or is meant for another kind of request; pass a token exactly as it was received")]
    Altered,
    /// It was sealed in another history.
    #[error("the token belongs to another history: the store was restored or replaced; start again without it")]
    OtherEpoch,
}

/// Seals and opens the tokens of one store.
///
/// A token is the URL-safe base64 of: a version byte, the 16 bytes of the epoch, the payload in postcard, and 16 bytes of a keyed
/// BLAKE3 over the purpose and all that. It is readable; it is protected against change, not against reading.
#[derive(Clone)]
pub struct Tokens {
    key: [u8; 32],
    epoch: [u8; EPOCH],
}

impl Tokens {
    /// Tokens of the history `epoch`, protected by `key`.
    pub fn new(key: [u8; 32], epoch: [u8; EPOCH]) -> Self {
        Self { key, epoch }
    }

    /// Makes a token of `payload`.
    pub fn seal<T: Serialize>(&self, purpose: Purpose, payload: &T) -> String {
        let mut bytes = Vec::with_capacity(HEAD + 32 + MAC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.epoch);
        let mut bytes = postcard::to_extend(payload, bytes).expect("payloads are plain structures, which postcard can hold");
        let mac = self.mac(purpose, &bytes);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Takes the payload out of a token.
    ///
    /// The epoch is looked at before the checksum: another store has another key, so its checksums say nothing here.
    pub fn open<T: DeserializeOwned>(&self, purpose: Purpose, token: &str) -> Result<T, TokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Malformed)?;
        let (sealed, mac) = bytes.split_last_chunk::<MAC>().ok_or(TokenError::Malformed)?;
        let (head, payload) = sealed.split_first_chunk::<HEAD>().ok_or(TokenError::Malformed)?;
        if head[0] != VERSION {
            return Err(TokenError::Malformed);
        }
        if head[1..] != self.epoch {
            return Err(TokenError::OtherEpoch);
        }
        if !equal(&self.mac(purpose, sealed), mac) {
            return Err(TokenError::Altered);
        }
        match postcard::take_from_bytes(payload) {
            Ok((payload, [])) => Ok(payload),
            Ok(_) | Err(_) => Err(TokenError::Malformed),
        }
    }

    fn mac(&self, purpose: Purpose, sealed: &[u8]) -> [u8; MAC] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&[purpose.byte()]).update(sealed);
        let mut mac = [0; MAC];
        hasher.finalize_xof().fill(&mut mac);
        mac
    }
}

/// A number for what a request or filter says, to bind a token to it. It is the same in every process and release: maps are
/// sorted, and a field that is absent does not count.
pub fn fingerprint(message: &impl prost::Message) -> u64 {
    let hash = blake3::hash(&message.encode_to_vec());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("8 of 32 bytes"))
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// Compares without stopping at the first difference, so that the time it takes does not say where that is.
fn equal(a: &[u8; MAC], b: &[u8; MAC]) -> bool {
    a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use indicator_proto::v1;
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Position {
        fingerprint: u64,
        revision: u64,
        last: String,
    }

    fn tokens() -> Tokens {
        Tokens::new([7; 32], [1; 16])
    }

    fn position() -> impl Strategy<Value = Position> {
        (any::<u64>(), any::<u64>(), ".{0,20}").prop_map(|(fingerprint, revision, last)| Position { fingerprint, revision, last })
    }

    #[test]
    fn a_token_of_another_store_says_so() {
        let token = Tokens::new([8; 32], [2; 16]).seal(Purpose::Page, &1_u64);
        assert_eq!(tokens().open::<u64>(Purpose::Page, &token), Err(TokenError::OtherEpoch));
    }

    #[test]
    fn a_token_under_another_key_of_the_same_epoch_is_altered() {
        let token = Tokens::new([8; 32], [1; 16]).seal(Purpose::Page, &1_u64);
        assert_eq!(tokens().open::<u64>(Purpose::Page, &token), Err(TokenError::Altered));
    }

    #[test]
    fn a_page_token_does_not_resume_a_watch() {
        let token = tokens().seal(Purpose::Page, &1_u64);
        assert_eq!(tokens().open::<u64>(Purpose::Resume, &token), Err(TokenError::Altered));
    }

    #[test]
    fn a_token_of_another_shape_is_malformed() {
        let token = tokens().seal(Purpose::Page, &(1_u64, 2_u64));
        assert_eq!(tokens().open::<u64>(Purpose::Page, &token), Err(TokenError::Malformed));
    }

    #[test]
    fn a_token_fits_an_address_as_it_is() {
        let token = tokens().seal(Purpose::Resume, &u64::MAX);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{token}");
    }

    #[test]
    fn the_key_is_not_printed() {
        assert!(!format!("{:?}", tokens()).contains('7'));
    }

    fn query(dimensions: impl IntoIterator<Item = (String, String)>) -> v1::QueryObservationsRequest {
        let filter = v1::ObservationFilter { dimensions: dimensions.into_iter().collect(), ..Default::default() };
        v1::QueryObservationsRequest { filter: Some(filter), latest_n: 3, ..Default::default() }
    }

    #[test]
    fn every_way_of_building_a_map_has_one_fingerprint_in_every_release() {
        let pairs = || (0..20).map(|i| (format!("dimension-{i}"), format!("code-{i}")));
        assert_eq!(fingerprint(&query(pairs())), 5_944_809_670_111_575_533);
        assert_eq!(fingerprint(&query(pairs().rev())), 5_944_809_670_111_575_533);
    }

    proptest! {
        #[test]
        fn another_filter_has_another_fingerprint(
            a in proptest::collection::btree_map("[a-z]{1,2}", "[A-Z]{0,1}", 0..3),
            b in proptest::collection::btree_map("[a-z]{1,2}", "[A-Z]{0,1}", 0..3),
        ) {
            prop_assert_eq!(fingerprint(&query(a.clone())) == fingerprint(&query(b.clone())), a == b);
        }

        #[test]
        fn what_was_sealed_opens(position in position()) {
            let token = tokens().seal(Purpose::Resume, &position);
            prop_assert_eq!(tokens().open::<Position>(Purpose::Resume, &token), Ok(position));
        }

        #[test]
        fn any_flipped_bit_is_refused(position in position(), at: prop::sample::Index, bit in 0..8_u8) {
            let mut bytes = URL_SAFE_NO_PAD.decode(tokens().seal(Purpose::Page, &position)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(tokens().open::<Position>(Purpose::Page, &URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }

        #[test]
        fn any_other_character_is_refused(position in position(), at: prop::sample::Index, other in "[A-Za-z0-9_-]") {
            let token = tokens().seal(Purpose::Page, &position);
            let at = at.index(token.len());
            prop_assume!(token[at..=at] != other);
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            prop_assert!(tokens().open::<Position>(Purpose::Page, &changed).is_err());
        }

        #[test]
        fn a_cut_token_is_refused(position in position(), at: prop::sample::Index) {
            let token = tokens().seal(Purpose::Page, &position);
            prop_assert!(tokens().open::<Position>(Purpose::Page, &token[..at.index(token.len())]).is_err());
        }

        #[test]
        fn garbage_never_panics(text in ".*", bytes: Vec<u8>) {
            prop_assert!(tokens().open::<Position>(Purpose::Page, &text).is_err());
            prop_assert!(tokens().open::<Position>(Purpose::Page, &URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }
    }
}
