//! BINDINGS: every key, in one list from which the key handling, the footer, the help and the README are made.
//!
//! To add a key, add an entry here and, for something new, a variant of [`Command`] that `commands` carries out.

use crate::table::listing::Chip;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt::{self, Display};

/// What a key does in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyCommand {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Start,
    End,
    Filter,
    Toggle(Chip),
    Back,
    UndoClear,
    SortMenu,
    ReverseSort,
    SortByPrevious,
    SortByNext,
    Details,
    ScrollUp,
    ScrollDown,
    Free,
    Mark,
    UnmarkAll,
    Check,
    GoToPeer,
    NextChange,
    CopyMenu,
    CopyRestart,
    Pause,
    Refresh,
    Faster,
    Slower,
    Redraw,
    Help,
    Quit,
    Cancel,
    Suspend,
}

/// A key with its modifiers. Shift is part of a letter itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    pub code: KeyCode,
    pub modifier: Modifier,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Modifier {
    None,
    Ctrl,
    /// Never bound.
    Other,
}

pub struct KeyBinding {
    pub keys: &'static [Chord],
    pub command: KeyCommand,
    pub about: &'static str,
    /// What the footer says, for the keys that people need first.
    pub hint: Option<&'static str>,
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

    /// The letter, if it is typed without a modifier.
    pub fn letter(self) -> Option<char> {
        match (self.code, self.modifier) {
            (KeyCode::Char(letter), Modifier::None) => Some(letter),
            _ => None,
        }
    }

    pub fn is_ctrl(self, letter: char) -> bool {
        self == ctrl(letter)
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
            KeyCode::Delete => "Delete".to_owned(),
            code => format!("{code:?}"),
        };
        f.pad(&name)
    }
}

impl KeyBinding {
    /// `x F9 Delete`
    pub fn keys_label(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        keys.join(" ")
    }
}

/// The command of a key in the table, if it has one.
pub fn command(chord: Chord) -> Option<KeyCommand> {
    BINDINGS
        .iter()
        .find(|binding| binding.keys.contains(&chord))
        .map(|binding| binding.command)
}

/// The keys of the filter line, for help and README; a text field knows them itself.
pub static FILTER_KEYS: [(&str, &str); 6] = [
    ("Enter", "keep the filter"),
    ("Esc Ctrl-C", "restore the one before"),
    ("↑ ↓", "move the cursor"),
    ("Ctrl-P Ctrl-N", "earlier filters"),
    ("Ctrl-A Ctrl-E ← →", "to the start, to the end, by a letter"),
    (
        "Ctrl-U Ctrl-W Ctrl-K",
        "delete all before the cursor, a word, all after it",
    ),
];

/// The keys of the dialog that asks before it ends anything.
pub static DIALOG_KEYS: [(&str, &str); 10] = [
    ("y", "end it (SIGTERM, or the signal that was chosen)"),
    ("a", "all holders instead of the topmost, and back"),
    ("g", "the whole process group instead, and back"),
    (
        "p",
        "what started the holder instead; again for what started that, and back",
    ),
    (
        "s",
        "another signal: t TERM, i INT, h HUP, u QUIT, k KILL, c CONT",
    ),
    ("c", "copy the command that is offered"),
    ("l", "go to the listener"),
    (
        "Tab ← → Enter",
        "move between the buttons, press one; the first is Cancel",
    ),
    ("K", "send SIGKILL, after another signal failed"),
    (
        "I",
        "send SIGINT to a postgres that goes on serving its clients",
    ),
];

const fn key(letter: char) -> Chord {
    Chord {
        code: KeyCode::Char(letter),
        modifier: Modifier::None,
    }
}

const fn ctrl(letter: char) -> Chord {
    Chord {
        code: KeyCode::Char(letter),
        modifier: Modifier::Ctrl,
    }
}

const fn named(code: KeyCode) -> Chord {
    Chord {
        code,
        modifier: Modifier::None,
    }
}

const fn bind(keys: &'static [Chord], command: KeyCommand, about: &'static str) -> KeyBinding {
    KeyBinding {
        keys,
        command,
        about,
        hint: None,
    }
}

impl KeyBinding {
    const fn hint(self, hint: &'static str) -> Self {
        Self {
            hint: Some(hint),
            ..self
        }
    }
}

pub static BINDINGS: [KeyBinding; 41] = [
    bind(&[named(KeyCode::Up), key('k')], KeyCommand::Up, "up"),
    bind(&[named(KeyCode::Down), key('j')], KeyCommand::Down, "down"),
    bind(
        &[named(KeyCode::PageUp), ctrl('b')],
        KeyCommand::PageUp,
        "a page up",
    ),
    bind(
        &[named(KeyCode::PageDown), ctrl('f')],
        KeyCommand::PageDown,
        "a page down",
    ),
    bind(&[ctrl('u')], KeyCommand::HalfUp, "half a page up"),
    bind(&[ctrl('d')], KeyCommand::HalfDown, "half a page down"),
    bind(
        &[named(KeyCode::Home), key('g')],
        KeyCommand::Start,
        "to the first row",
    ),
    bind(
        &[named(KeyCode::End), key('G')],
        KeyCommand::End,
        "to the last row",
    ),
    bind(
        &[key('/'), named(KeyCode::F(4)), key('\\')],
        KeyCommand::Filter,
        "type a filter; any digit starts one with itself",
    )
    .hint("filter"),
    bind(
        &[key('l')],
        KeyCommand::Toggle(Chip::Listening),
        "only what holds a port: listening, bound, UDP",
    ),
    bind(
        &[key('c')],
        KeyCommand::Toggle(Chip::Connected),
        "only connections",
    ),
    bind(
        &[key('d')],
        KeyCommand::Toggle(Chip::Dynamic),
        "only dynamic local ports: 49152–65535 and what this machine hands out itself",
    ),
    bind(
        &[key('e')],
        KeyCommand::Toggle(Chip::Exposed),
        "only what others than this machine can reach",
    ),
    bind(
        &[key('m')],
        KeyCommand::Toggle(Chip::Mine),
        "only mine; under sudo the one's who called it",
    ),
    bind(
        &[key('a')],
        KeyCommand::Toggle(Chip::All),
        "all sockets, connections to other machines too",
    ),
    bind(
        &[key('x'), named(KeyCode::F(9)), named(KeyCode::Delete)],
        KeyCommand::Free,
        "free the port of this row, or of the marked rows in view; always asks",
    )
    .hint("free port"),
    bind(
        &[key(' ')],
        KeyCommand::Mark,
        "mark this row, or take its mark away",
    ),
    bind(&[key('U')], KeyCommand::UnmarkAll, "take all marks away"),
    bind(
        &[key('w')],
        KeyCommand::Check,
        "why: can this port be used, and if not, what holds it",
    ),
    bind(
        &[named(KeyCode::Enter), key('i')],
        KeyCommand::Details,
        "details on or off",
    )
    .hint("details"),
    bind(&[key('[')], KeyCommand::ScrollUp, "scroll the details up"),
    bind(
        &[key(']')],
        KeyCommand::ScrollDown,
        "scroll the details down",
    ),
    bind(
        &[key('f')],
        KeyCommand::GoToPeer,
        "the row at the other end of this connection",
    ),
    bind(
        &[key('n')],
        KeyCommand::NextChange,
        "the next row that changed",
    ),
    bind(
        &[key('s')],
        KeyCommand::SortMenu,
        "choose the column to sort by",
    )
    .hint("sort"),
    bind(&[key('I')], KeyCommand::ReverseSort, "reverse the order"),
    bind(
        &[key('<')],
        KeyCommand::SortByPrevious,
        "sort by the column to the left",
    ),
    bind(
        &[key('>')],
        KeyCommand::SortByNext,
        "sort by the column to the right",
    ),
    bind(
        &[key('y')],
        KeyCommand::CopyMenu,
        "copy the address, URL, pid or a command",
    )
    .hint("copy"),
    bind(
        &[key('Y')],
        KeyCommand::CopyRestart,
        "copy the command that starts it again, on an empty port the last one",
    ),
    bind(
        &[named(KeyCode::Esc)],
        KeyCommand::Back,
        "close what is on top; else clear the text, else the chips",
    ),
    bind(
        &[key('u')],
        KeyCommand::UndoClear,
        "bring back the filter that was cleared",
    ),
    bind(
        &[key('p'), key('Z')],
        KeyCommand::Pause,
        "pause what is shown, and go on",
    ),
    bind(&[key('R'), ctrl('r')], KeyCommand::Refresh, "look now"),
    bind(&[key('+')], KeyCommand::Faster, "look more often"),
    bind(&[key('-')], KeyCommand::Slower, "look less often"),
    bind(&[ctrl('l')], KeyCommand::Redraw, "paint the screen anew"),
    bind(&[key('?'), named(KeyCode::F(1))], KeyCommand::Help, "help").hint("help"),
    bind(
        &[key('q'), named(KeyCode::F(10))],
        KeyCommand::Quit,
        "quit; closes what is on top first",
    )
    .hint("quit"),
    bind(
        &[ctrl('c')],
        KeyCommand::Cancel,
        "cancel the filter or dialog, else quit",
    ),
    bind(
        &[ctrl('z')],
        KeyCommand::Suspend,
        "suspend; fg brings it back",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_key_and_every_command_is_bound_once() {
        let keys: Vec<Chord> = BINDINGS
            .iter()
            .flat_map(|binding| binding.keys)
            .copied()
            .collect();
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        let commands: HashSet<KeyCommand> =
            BINDINGS.iter().map(|binding| binding.command).collect();
        assert_eq!(commands.len(), BINDINGS.len());
    }

    #[test]
    fn no_digit_is_bound_because_digits_start_a_filter() {
        let digits = ('0'..='9').map(|digit| command(key(digit)));
        assert!(digits.into_iter().all(|command| command.is_none()));
    }
}
