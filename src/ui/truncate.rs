//! Truncates and wraps text to a width in terminal cells, never within a character.

use unicode_truncate::UnicodeTruncateStr;
use unicode_width::UnicodeWidthStr;

/// A count of cells as ratatui takes it.
pub fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// The text if it fits, else its beginning and `…`.
pub fn at_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    match width.checked_sub(1) {
        Some(room) => format!("{}…", text.unicode_truncate(room).0),
        None => String::new(),
    }
}

/// The text in lines of at most this width, broken at blanks where there are any. A no-break space is drawn as a blank.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let lines = textwrap::wrap(text, width.max(1)).into_iter();
    lines.map(|line| line.replace('\u{a0}', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_truncated_by_cells_not_letters() {
        assert_eq!(at_end("gunicorn", 8), "gunicorn");
        assert_eq!(at_end("gunicorn", 5), "guni…");
        assert_eq!(at_end("日本語", 4), "日…");
        assert_eq!(at_end("x", 0), "");
    }

    #[test]
    fn long_words_are_broken_and_short_ones_kept_whole() {
        assert_eq!(wrap("ends node 4242", 9), ["ends node", "4242"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("node up\u{a0}1h", 8), ["node", "up 1h"]);
    }
}
