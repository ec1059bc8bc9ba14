//! The files that pages are made with. Their addresses have their content in them, so browsers keep them for good.

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};

/// A file of ours.
pub(super) struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

/// How pages look.
pub(super) const STYLE: &Asset = &Asset {
    name: "display.css",
    content_type: "text/css; charset=utf-8",
    text: concat!(include_str!("assets/display.css"), include_str!("chart/chart.css")),
};

/// What pages do. It imports the others.
pub(super) const SCRIPT: &Asset = &script("display.js", include_str!("assets/script/display.js"));

/// Their symbol.
pub(super) const SYMBOL: &Asset =
    &Asset { name: "symbol.svg", content_type: "image/svg+xml", text: include_str!("assets/symbol.svg") };

const ALL: [&Asset; 9] = [
    STYLE,
    SYMBOL,
    SCRIPT,
    &script("chart.js", include_str!("assets/script/chart.js")),
    &script("parts.js", include_str!("assets/script/parts.js")),
    &script("stream.js", include_str!("assets/script/stream.js")),
    &script("visit.js", include_str!("assets/script/visit.js")),
    &script("wall.js", include_str!("assets/script/wall.js")),
    &script("words.js", include_str!("assets/script/words.js")),
];

const fn script(name: &'static str, text: &'static str) -> Asset {
    Asset { name, content_type: "text/javascript; charset=utf-8", text }
}

/// Of all of them together, since scripts import their neighbours. Pages of another version load anew.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    for asset in ALL {
        hasher.update(asset.text.as_bytes());
    }
    hasher.finalize().to_hex()[..12].to_owned()
});

impl Asset {
    /// Where it is.
    pub(super) fn path(&self) -> String {
        format!("/assets/{}/{}", *VERSION, self.name)
    }
}

/// The version of all assets.
pub(super) fn version() -> &'static str {
    &VERSION
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
    fn every_script_that_is_imported_is_there() {
        for asset in ALL {
            for line in asset.text.lines().filter(|line| line.starts_with("import ")) {
                let (_, name) = line.rsplit_once("from \"./").unwrap();
                let path = format!("/assets/{}/{}", version(), name.trim_end_matches("\";"));
                assert_eq!(answer(&path).status(), StatusCode::OK, "{}: {line}", asset.name);
            }
        }
        assert_eq!(answer("/assets/000000000000/display.js").status(), StatusCode::NOT_FOUND);
    }
}
