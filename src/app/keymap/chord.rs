//! A key with its modifiers, and the name that help and footer show for it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt::{self, Display};

/// A key and its modifier. Shift is part of the letter itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    pub code: KeyCode,
    pub modifier: Modifier,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Modifier {
    None,
    Ctrl,
    /// Alt, Super and combinations, which no binding has.
    Other,
}

impl Chord {
    pub fn of(key: &KeyEvent) -> Self {
        let modifiers = key.modifiers.difference(KeyModifiers::SHIFT);
        let modifier = if modifiers.is_empty() {
            Modifier::None
        } else if modifiers == KeyModifiers::CONTROL {
            Modifier::Ctrl
        } else {
            Modifier::Other
        };
        Self {
            code: key.code,
            modifier,
        }
    }

    /// The letter of a key without a modifier.
    pub fn letter(self) -> Option<char> {
        match (self.code, self.modifier) {
            (KeyCode::Char(letter), Modifier::None) => Some(letter),
            _ => None,
        }
    }
}

impl Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.code {
            KeyCode::Char(letter) if self.modifier == Modifier::Ctrl => {
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
        modifier: Modifier::Ctrl,
    }
}

pub(super) const fn named(code: KeyCode) -> Chord {
    Chord {
        code,
        modifier: Modifier::None,
    }
}
