//! One thing, told in full: a title, a figure or name, and what is known of it line by line.

use std::io::{self, Write};

use clap::builder::styling::Style as Paint;
use unicode_width::UnicodeWidthStr as _;

use super::{Style, printable};

/// A heading and labelled lines.
#[derive(Debug, Default)]
pub(crate) struct Card {
    heading: String,
    lines: Vec<(&'static str, String)>,
}

impl Card {
    /// A card without lines.
    pub(crate) fn new(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), lines: Vec::new() }
    }

    /// Adds a line; nothing if its text is empty.
    pub(crate) fn line(&mut self, label: &'static str, text: impl Into<String>) -> &mut Self {
        let text = text.into();
        if !text.is_empty() {
            self.lines.push((label, text));
        }
        self
    }

    /// Writes the card, its texts aligned after the longest label.
    pub(crate) fn write(&self, style: Style, out: &mut impl Write) -> io::Result<()> {
        let (bold, dim) = if style.color { (Paint::new().bold(), Paint::new().dimmed()) } else { Default::default() };
        writeln!(out, "{bold}{}{bold:#}", printable(&self.heading))?;
        let width = self.lines.iter().map(|(label, _)| label.width()).max().unwrap_or(0);
        let mut before = "";
        for (label, text) in &self.lines {
            // A label that goes on is not repeated.
            let shown = if *label == before { "" } else { label };
            let padding = " ".repeat(width - shown.width());
            writeln!(out, "  {dim}{shown}{dim:#}{padding}  {}", printable(text))?;
            before = label;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_aligned_by_display_width_and_a_label_is_not_repeated() {
        let mut card = Card::new("> 100,000 个");
        card.line("地区", "山东").line("source", "local\nmedia").line("note", "").line("source", "another");
        let mut out = Vec::new();
        card.write(Style::default(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        > 100,000 个
          地区    山东
          source  local media
                  another
        ");
    }
}
