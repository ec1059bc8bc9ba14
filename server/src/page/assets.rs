//! The files that pages are made with. Their addresses have their content in them, so browsers keep them for good.

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};

/// A file of ours.
pub(super) struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
    version: LazyLock<String>,
}

macro_rules! asset {
    ($name:literal, $content_type:literal, $text:expr) => {
        Asset {
            name: $name,
            content_type: $content_type,
            text: $text,
            version: LazyLock::new(|| blake3::hash($text.as_bytes()).to_hex()[..12].to_owned()),
        }
    };
}

/// How pages look.
pub(super) static STYLE: Asset = asset!(
    "display.css",
    "text/css; charset=utf-8",
    concat!(include_str!("assets/display.css"), include_str!("chart/chart.css"))
);
/// What pages do.
pub(super) static SCRIPT: Asset = asset!("display.js", "text/javascript; charset=utf-8", include_str!("assets/display.js"));
/// Their symbol.
pub(super) static SYMBOL: Asset = asset!("symbol.svg", "image/svg+xml", include_str!("assets/symbol.svg"));

static ALL: [&Asset; 3] = [&STYLE, &SCRIPT, &SYMBOL];

impl Asset {
    /// Where it is.
    pub(super) fn path(&self) -> String {
        format!("/assets/{}/{}", *self.version, self.name)
    }
}

/// Of all of them together: pages of another version load anew.
pub(super) fn version() -> String {
    ALL.iter().map(|asset| &asset.version[..4]).collect()
}

/// Answers what is asked for below `/assets/`.
pub(super) fn answer(path: &str) -> Response {
    let Some(asset) = ALL.iter().find(|asset| path == asset.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, asset.text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::chart::{DARK, LIGHT};

    #[test]
    fn pages_give_charts_their_colours() {
        // The dark ones where the reader chose them, and where the device did.
        for (theme, times) in [(LIGHT, 1), (DARK, 2)] {
            for (name, value) in theme {
                assert!(STYLE.text.matches(&format!("{name}: {value};")).count() >= times, "{name}: {value}");
            }
        }
    }

    #[test]
    fn an_asset_has_its_content_in_its_address() {
        let addresses: std::collections::HashSet<String> = ALL.iter().map(|asset| asset.path()).collect();
        assert_eq!(addresses.len(), ALL.len());
        assert_eq!(answer(&SCRIPT.path()).status(), StatusCode::OK);
        assert_eq!(answer("/assets/000000000000/display.js").status(), StatusCode::NOT_FOUND);
    }
}
