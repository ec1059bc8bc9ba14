//! The page in the browser.

pub mod chart;
