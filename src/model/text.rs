//! Text that came from the system and is therefore not to be trusted.
//!
//! Process names, arguments, paths and user names may hold escape codes, bidirectional controls or broken UTF-8. A
//! terminal must never see them raw, so the type that carries them escapes itself whenever it is displayed.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Display, Write};
use std::sync::Arc;

/// A string of bytes from the system: kept as it was, escaped wherever it is shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemText(Arc<[u8]>);

impl SystemText {
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The text as it was, for JSON, matching and shell quoting; never for a terminal. Broken UTF-8 is replaced.
    pub fn raw(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The bytes as they were; never for a terminal.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for SystemText {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl From<&OsStr> for SystemText {
    fn from(text: &OsStr) -> Self {
        Self::new(text.as_encoded_bytes())
    }
}

/// Escapes control, bidirectional and invisible characters and bytes that are no UTF-8.
impl Display for SystemText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = String::with_capacity(self.0.len());
        for chunk in self.0.utf8_chunks() {
            for letter in chunk.valid().chars() {
                push_escaped(&mut shown, letter)?;
            }
            for byte in chunk.invalid() {
                write!(shown, "\\x{byte:02x}")?;
            }
        }
        f.pad(&shown)
    }
}

/// Debug shows what Display shows, so that a failing test or a log line is as safe as the screen.
impl fmt::Debug for SystemText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Makes text that did not come as a `SystemText` (a pasted filter, an error message) safe to show.
pub fn escaped(text: &str) -> String {
    SystemText::from(text).to_string()
}

/// True if a character is shown as itself and no terminal acts on it.
pub fn is_plain(letter: char) -> bool {
    !letter.is_control() && !is_deceptive(letter)
}

fn push_escaped(out: &mut String, letter: char) -> fmt::Result {
    match letter {
        '\n' | '\r' | '\t' => write!(out, "{}", letter.escape_default()),
        '\0'..='\x7f' if letter.is_control() => write!(out, "\\x{:02x}", letter as u32),
        _ if is_plain(letter) => out.write_char(letter),
        _ => write!(out, "{}", letter.escape_unicode()),
    }
}

/// Characters that change how their neighbors are read and are not seen themselves (Unicode's Bidi_Control, the
/// zero-width and invisible format characters, the line separators, tags and variation selectors).
fn is_deceptive(letter: char) -> bool {
    matches!(letter as u32,
        0xad | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
        | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_control_characters_are_shown_escaped() {
        let cases: [(&[u8], &str); 8] = [
            (b"node", "node"),
            (b"\x1b[31mEVIL\x07", "\\x1b[31mEVIL\\x07"),
            (b"a\nb\tc\rd", "a\\nb\\tc\\rd"),
            (b"\x7f", "\\x7f"),
            ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
            ("gpj.\u{202e}exe".as_bytes(), "gpj.\\u{202e}exe"),
            ("a\u{200b}b".as_bytes(), "a\\u{200b}b"),
            (b"\xff\xfeok", "\\xff\\xfeok"),
        ];
        for (bytes, shown) in cases {
            assert_eq!(SystemText::new(bytes).to_string(), shown);
        }
    }

    #[test]
    fn ordinary_text_stays_unchanged() {
        assert_eq!(
            SystemText::from("日本語 é ~/code/ünï").to_string(),
            "日本語 é ~/code/ünï"
        );
    }

    #[test]
    fn raw_keeps_the_bytes() {
        assert_eq!(SystemText::new(b"\x1b[2J").raw(), "\u{1b}[2J");
    }
}
