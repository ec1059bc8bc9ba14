//! How far a long job is, on standard error, and only where somebody watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::context::Context;

/// A bar over so many figures, with rate and remaining time.
pub(crate) fn bar(figures: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len}  {per_sec}  {eta} left");
    let bar = ProgressBar::with_draw_target(Some(figures), target());
    bar.with_style(style.expect("the template is right"))
}

/// A counter of figures, where nobody knows how many there will be.
pub(crate) fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {human_pos} figures  {per_sec}");
    let spinner = ProgressBar::with_draw_target(None, target());
    spinner.with_style(style.expect("the template is right"))
}

/// A counter of bytes.
pub(crate) fn bytes() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {bytes}  {bytes_per_sec}");
    let spinner = ProgressBar::with_draw_target(None, target());
    spinner.with_style(style.expect("the template is right"))
}

fn target() -> ProgressDrawTarget {
    if Context::watched() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}
