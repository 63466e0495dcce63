//! Words as a POSIX shell takes them.

use crate::model::text::SystemText;

/// The word so that a shell takes it for itself; `None` where it holds what a terminal would not show as it is, so that
/// nobody runs another command than the one that is read.
pub fn quoted(word: &SystemText) -> Option<String> {
    let raw = word.raw();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+@:,%".contains(letter);
    let is_word = !raw.is_empty() && !raw.starts_with('-') && word.to_string() == raw;
    is_word.then(|| {
        if raw.chars().all(is_plain) {
            raw.into_owned()
        } else {
            format!("'{}'", raw.replace('\'', r"'\''"))
        }
    })
}
