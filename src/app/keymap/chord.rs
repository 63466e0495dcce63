//! A key with its modifiers, and the name that help and footer show for it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt::{self, Display};

/// A key and its modifiers. Shift is part of the letter itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    pub code: KeyCode,
    modifiers: KeyModifiers,
}

impl Chord {
    pub fn of(key: &KeyEvent) -> Self {
        Self {
            code: key.code,
            modifiers: key.modifiers.difference(KeyModifiers::SHIFT),
        }
    }

    /// The letter of a key without a modifier.
    pub fn letter(self) -> Option<char> {
        self.code.as_char().filter(|_| self.modifiers.is_empty())
    }
}

impl Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.code {
            KeyCode::Char(letter) if self.modifiers == KeyModifiers::CONTROL => {
                format!("Ctrl-{}", letter.to_ascii_uppercase())
            }
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(letter) => letter.to_string(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            KeyCode::F(number) => format!("F{number}"),
            KeyCode::Esc => "Esc".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::BackTab => "⇧Tab".to_owned(),
            code => format!("{code:?}"),
        };
        f.pad(&name)
    }
}

pub(super) const fn key(letter: char) -> Chord {
    named(KeyCode::Char(letter))
}

pub(super) const fn ctrl(letter: char) -> Chord {
    Chord {
        code: KeyCode::Char(letter),
        modifiers: KeyModifiers::CONTROL,
    }
}

pub(super) const fn named(code: KeyCode) -> Chord {
    Chord {
        code,
        modifiers: KeyModifiers::NONE,
    }
}
