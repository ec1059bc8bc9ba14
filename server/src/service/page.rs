//! Page tokens: where a listing goes on, bound to its request and to the state it began with.

use indicator_proto::v1::ErrorReason;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::engine::{Engine, Error, Purpose, TokenError, Violation};

/// What a page token holds.
#[derive(Serialize, Deserialize)]
struct Page<T> {
    request: u64,
    revision: u64,
    next: T,
}

/// A token for the page that begins after `next`. `request` is the fingerprint of everything else that was asked.
pub(super) fn seal<T: Serialize>(engine: &Engine, request: u64, revision: u64, next: T) -> String {
    engine.tokens().seal(Purpose::Page, &Page { request, revision, next })
}

/// Where to go on and at which revision; `None` for the first page.
pub(super) fn open<T: DeserializeOwned>(engine: &Engine, token: &str, request: u64) -> Result<Option<(u64, T)>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let invalid = |why: &str| Error::from(Violation::new("page_token", ErrorReason::InvalidPageToken, why));
    let page: Page<T> = engine.tokens().open(Purpose::Page, token).map_err(|error| match error {
        TokenError::OtherEpoch => Error::OtherEpoch,
        TokenError::Malformed | TokenError::Altered => {
            invalid("is not a token of this service; use next_page_token as it came, or start again without a token")
        }
    })?;
    if page.request != request {
        return Err(invalid("belongs to another request; keep every other field as it was, or start again without a token"));
    }
    Ok(Some((page.revision, page.next)))
}

/// The page size that is meant: a default for 0, and never above `most`.
pub(super) fn size(asked: u32, default: u32, most: u32) -> usize {
    (if asked == 0 { default } else { asked.min(most) }) as usize
}
