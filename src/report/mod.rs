//! Output of the commands: text by the same fields as the table of the monitor, JSON by a structure for each command.

pub mod check;
pub mod free;
pub mod json;
pub mod list;
pub mod watch;

use unicode_width::UnicodeWidthStr as _;

/// Fills a text with spaces to this width.
fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}
