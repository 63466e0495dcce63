//! BINDINGS: every key of the program, from which key handling, header, footer, help and README follow.
//!
//! A key is added in `command`, as a line of one of its lists.

mod chord;
mod command;

pub use chord::Chord;
pub use command::{
    Button, CheckCommand, CopyItem, FilterCommand, FreeDialogCommand, KeyBinding, KeyCommand,
    KeyContext, Movement, TableCommand, TextCommand,
};

use crate::table::listing::Chip;
use command::{CHIPS, EDITS, SIGNALS};

pub struct KeySection {
    pub context: KeyContext,
    /// The heading in the help.
    pub title: &'static str,
    lists: &'static [&'static [KeyBinding]],
}

/// Every key, in the order of the help.
#[rustfmt::skip]
pub static BINDINGS: [KeySection; 7] = {
    use KeyContext::{CheckDialog, CopyMenu, Filter, FreeDialog, SignalMenu, Table, Text};
    const fn section(context: KeyContext, title: &'static str, lists: &'static [&'static [KeyBinding]]) -> KeySection {
        KeySection { context, title, lists }
    }
    [
        section(Table, "Keys", &[Movement::BINDINGS, CHIPS, TableCommand::BINDINGS]),
        section(Filter, "While editing the filter", &[FilterCommand::BINDINGS, EDITS]),
        section(FreeDialog, "Free dialog", &[Button::BINDINGS, FreeDialogCommand::BINDINGS]),
        section(SignalMenu, "Signal menu", &[SIGNALS]),
        section(CheckDialog, "Check dialog", &[CheckCommand::BINDINGS]),
        section(Text, "Help and check dialog", &[TextCommand::BINDINGS]),
        section(CopyMenu, "Copy menu", &[CopyItem::BINDINGS]),
    ]
};

impl KeySection {
    pub fn bindings(&self) -> impl Iterator<Item = &'static KeyBinding> {
        self.lists.iter().copied().flatten()
    }
}

/// The bindings of a context, in the order of the help.
pub fn bindings_in(context: KeyContext) -> impl Iterator<Item = &'static KeyBinding> {
    let mut sections = BINDINGS.iter();
    let section = sections.find(move |section| section.context == context);
    section.into_iter().flat_map(KeySection::bindings)
}

/// The command of a key in a context.
pub fn command_of(context: KeyContext, chord: Chord) -> Option<KeyCommand> {
    bindings_in(context)
        .find(|binding| binding.keys.contains(&chord))
        .map(|binding| binding.command)
}

pub fn binding_of(command: KeyCommand) -> Option<&'static KeyBinding> {
    let mut bindings = BINDINGS.iter().flat_map(KeySection::bindings);
    bindings.find(|binding| binding.command == command)
}

/// The name of the first key that is bound to a command.
pub fn key_of(command: impl Into<KeyCommand>) -> String {
    let key = binding_of(command.into()).and_then(|binding| binding.keys.first());
    key.map_or_else(String::new, ToString::to_string)
}

/// Returns the line at the top of a text after a key; `None` if the key closes it.
pub fn scrolled(top: u16, chord: Chord) -> Option<u16> {
    let Some(KeyCommand::Text(command)) = command_of(KeyContext::Text, chord) else {
        return None;
    };
    match command {
        TextCommand::Up => Some(top.saturating_sub(1)),
        TextCommand::Down => Some(top.saturating_add(1)),
        TextCommand::PageUp => Some(top.saturating_sub(10)),
        TextCommand::PageDown => Some(top.saturating_add(10)),
        TextCommand::Start => Some(0),
        TextCommand::Close => None,
    }
}

pub fn chip_key(chip: Chip) -> String {
    key_of(KeyCommand::Toggle(chip))
}

#[cfg(test)]
mod tests {
    use super::chord::key;
    use super::*;
    use crate::model::process::SIGNALS;
    use std::collections::HashSet;

    #[test]
    fn a_key_is_bound_once_in_a_context_and_a_command_once() {
        let (mut keys, mut commands) = (HashSet::new(), HashSet::new());
        for section in &BINDINGS {
            for binding in section.bindings() {
                assert_ne!(binding.keys, [], "{binding:?}");
                for chord in binding.keys {
                    assert!(keys.insert((section.context, *chord)), "{binding:?}");
                }
                assert!(commands.insert(binding.command), "{binding:?}");
            }
        }
    }

    #[test]
    fn no_digit_is_bound_in_the_table() {
        let is_bound = |digit: &char| command_of(KeyContext::Table, key(*digit)).is_some();
        assert_eq!(('0'..='9').filter(is_bound).collect::<String>(), "");
    }

    #[test]
    fn every_chip_and_every_signal_has_a_key() {
        let chips = Chip::ALL.into_iter().map(KeyCommand::Toggle);
        let signals = SIGNALS.iter().copied().map(KeyCommand::Signal);
        for command in chips.chain(signals) {
            assert_ne!(key_of(command), "", "{command:?}");
        }
    }
}
