//! BINDINGS: every key of the program in one list, from which key handling, header, footer, help and README follow.
//!
//! To add a key, add an entry here and, for something new, a variant to a command in `command`: the compiler then leads
//! to the place that carries it out.

mod chord;
mod command;

pub use chord::{Chord, Modifier};
pub(in crate::app) use command::key_commands;
pub use command::{
    CheckCommand, FilterCommand, FreeCommand, KeyCommand, KeyContext, Movement, TableCommand,
    TextCommand,
};

use crate::app::overlay::free_dialog::Button;
use crate::app::overlay::menu::CopyItem;
use crate::model::process::Signal;
use crate::table::listing::Chip;
use chord::{ctrl, key, named};
use crossterm::event::KeyCode;
use tui_input::InputRequest;

pub struct KeyBinding {
    pub keys: &'static [Chord],
    pub command: KeyCommand,
    /// What the help and the README say.
    pub about: &'static str,
    /// What the footer says, for the keys that people need first.
    pub hint: Option<&'static str>,
}

impl KeyBinding {
    const fn hint(self, hint: &'static str) -> Self {
        Self {
            hint: Some(hint),
            ..self
        }
    }

    /// `x F9 Delete`
    pub fn keys_label(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        keys.join(" ")
    }
}

/// The command of a key in one context.
macro_rules! bound {
    ($chord:expr, $context:ident) => {
        BINDINGS
            .iter()
            .filter(|binding| binding.keys.contains(&$chord))
            .find_map(|binding| {
                if let KeyCommand::$context(command) = binding.command {
                    Some(command)
                } else {
                    None
                }
            })
    };
}

pub fn table_command(chord: Chord) -> Option<TableCommand> {
    bound!(chord, Table)
}

pub fn filter_command(chord: Chord) -> Option<FilterCommand> {
    bound!(chord, Filter)
}

pub fn free_command(chord: Chord) -> Option<FreeCommand> {
    bound!(chord, Free)
}

pub fn signal(chord: Chord) -> Option<Signal> {
    bound!(chord, Signal)
}

pub fn check_command(chord: Chord) -> Option<CheckCommand> {
    bound!(chord, Check)
}

pub fn text_command(chord: Chord) -> Option<TextCommand> {
    bound!(chord, Text)
}

pub fn copy_item(chord: Chord) -> Option<CopyItem> {
    bound!(chord, Copy)
}

/// The bindings of a context, in the order of the help.
pub fn bindings_in(context: KeyContext) -> impl Iterator<Item = &'static KeyBinding> {
    BINDINGS
        .iter()
        .filter(move |binding| binding.command.context() == context)
}

pub fn binding_of(command: KeyCommand) -> Option<&'static KeyBinding> {
    BINDINGS.iter().find(|binding| binding.command == command)
}

/// The name of the first key that is bound to a command.
pub fn key_of(command: KeyCommand) -> String {
    let key = binding_of(command).and_then(|binding| binding.keys.first());
    key.map_or_else(String::new, ToString::to_string)
}

/// The key of a chip.
pub fn chip_key(chip: Chip) -> String {
    key_of(KeyCommand::Table(TableCommand::Toggle(chip)))
}

const fn bind(keys: &'static [Chord], command: KeyCommand, about: &'static str) -> KeyBinding {
    KeyBinding {
        keys,
        command,
        about,
        hint: None,
    }
}

const fn table(keys: &'static [Chord], command: TableCommand, about: &'static str) -> KeyBinding {
    bind(keys, KeyCommand::Table(command), about)
}

const fn movement(keys: &'static [Chord], to: Movement, about: &'static str) -> KeyBinding {
    table(keys, TableCommand::Move(to), about)
}

const fn chip(letter: &'static [Chord], chip: Chip, about: &'static str) -> KeyBinding {
    table(letter, TableCommand::Toggle(chip), about)
}

const fn filter(keys: &'static [Chord], command: FilterCommand, about: &'static str) -> KeyBinding {
    bind(keys, KeyCommand::Filter(command), about)
}

const fn edit(keys: &'static [Chord], request: InputRequest, about: &'static str) -> KeyBinding {
    filter(keys, FilterCommand::Edit(request), about)
}

const fn free(keys: &'static [Chord], command: FreeCommand, about: &'static str) -> KeyBinding {
    bind(keys, KeyCommand::Free(command), about)
}

const fn button(keys: &'static [Chord], button: Button, about: &'static str) -> KeyBinding {
    free(keys, FreeCommand::Button(button), about)
}

const fn send(keys: &'static [Chord], signal: Signal, about: &'static str) -> KeyBinding {
    bind(keys, KeyCommand::Signal(signal), about)
}

const fn text(keys: &'static [Chord], command: TextCommand, about: &'static str) -> KeyBinding {
    bind(keys, KeyCommand::Text(command), about)
}

const fn copy(keys: &'static [Chord], item: CopyItem, about: &'static str) -> KeyBinding {
    bind(keys, KeyCommand::Copy(item), about)
}

#[rustfmt::skip]
pub static BINDINGS: &[KeyBinding] = &[
    movement(&[named(KeyCode::Up), key('k')], Movement::Up, "up"),
    movement(&[named(KeyCode::Down), key('j')], Movement::Down, "down"),
    movement(&[named(KeyCode::PageUp), ctrl('b')], Movement::PageUp, "page up"),
    movement(&[named(KeyCode::PageDown), ctrl('f')], Movement::PageDown, "page down"),
    movement(&[ctrl('u')], Movement::HalfUp, "half a page up"),
    movement(&[ctrl('d')], Movement::HalfDown, "half a page down"),
    movement(&[named(KeyCode::Home), key('g')], Movement::Start, "first row"),
    movement(&[named(KeyCode::End), key('G')], Movement::End, "last row"),
    movement(&[key('n')], Movement::NextChange, "next changed row"),
    table(&[key('/'), named(KeyCode::F(4)), key('\\')], TableCommand::Filter, "edit the filter; a digit starts a new one with itself").hint("filter"),
    chip(&[key('l')], Chip::Listening, "only sockets that hold a port: listening, bound, UDP"),
    chip(&[key('c')], Chip::Connected, "only connections"),
    chip(&[key('d')], Chip::Dynamic, "only dynamic local ports: 49152–65535 and this machine's ephemeral range"),
    chip(&[key('e')], Chip::Exposed, "only sockets reachable from the network"),
    chip(&[key('m')], Chip::Mine, "only mine (with sudo: the invoking user's)"),
    chip(&[key('a')], Chip::All, "all sockets, including connections to other machines"),
    table(&[key('x'), named(KeyCode::F(9)), named(KeyCode::Delete)], TableCommand::Free, "free the port of this row, or of the marked rows in view (always asks)").hint("free port"),
    table(&[key(' ')], TableCommand::Mark, "mark or unmark this row"),
    table(&[key('U')], TableCommand::UnmarkAll, "unmark all"),
    table(&[key('w')], TableCommand::Check, "why: can this port be used, and if not, what holds it"),
    table(&[named(KeyCode::Enter), key('i')], TableCommand::Details, "details on or off").hint("details"),
    movement(&[key('[')], Movement::ScrollUp, "scroll the details up"),
    movement(&[key(']')], Movement::ScrollDown, "scroll the details down"),
    table(&[key('f')], TableCommand::GoToPeer, "go to the other end of this connection"),
    table(&[key('s')], TableCommand::SortMenu, "choose the column to sort by").hint("sort"),
    table(&[key('I')], TableCommand::ReverseSort, "reverse the order"),
    table(&[key('<')], TableCommand::SortByPrevious, "sort by the previous column"),
    table(&[key('>')], TableCommand::SortByNext, "sort by the next column"),
    table(&[key('y')], TableCommand::CopyMenu, "copy the address, URL, pid or a command").hint("copy"),
    table(&[key('Y')], TableCommand::CopyRestart, "copy the command that starts the process again (on an empty port: its last owner)"),
    table(&[named(KeyCode::Esc)], TableCommand::Back, "close what is on top, else clear the text, else the chips"),
    table(&[key('u')], TableCommand::RestoreFilter, "restore last filter"),
    table(&[key('p'), key('Z')], TableCommand::Pause, "pause or resume"),
    table(&[key('R'), ctrl('r')], TableCommand::Refresh, "refresh"),
    table(&[key('+')], TableCommand::Faster, "poll faster"),
    table(&[key('-')], TableCommand::Slower, "poll slower"),
    table(&[ctrl('l')], TableCommand::Redraw, "redraw"),
    table(&[key('?'), named(KeyCode::F(1))], TableCommand::Help, "help").hint("help"),
    table(&[key('q'), named(KeyCode::F(10))], TableCommand::Quit, "quit (closes what is on top first)").hint("quit"),
    table(&[ctrl('c')], TableCommand::Cancel, "cancel the filter or dialog, else quit"),
    table(&[ctrl('z')], TableCommand::Suspend, "suspend (fg resumes)"),

    filter(&[named(KeyCode::Enter)], FilterCommand::Keep, "keep the filter").hint("keep"),
    filter(&[named(KeyCode::Esc), ctrl('c')], FilterCommand::Restore, "restore the previous filter").hint("restore"),
    filter(&[named(KeyCode::Up)], FilterCommand::Up, "previous row"),
    filter(&[named(KeyCode::Down)], FilterCommand::Down, "next row").hint("next row"),
    filter(&[named(KeyCode::PageUp)], FilterCommand::PageUp, "page up"),
    filter(&[named(KeyCode::PageDown)], FilterCommand::PageDown, "page down"),
    filter(&[ctrl('p')], FilterCommand::Earlier, "earlier filter").hint("earlier filter"),
    filter(&[ctrl('n')], FilterCommand::Later, "later filter"),
    edit(&[named(KeyCode::Left)], InputRequest::GoToPrevChar, "previous character"),
    edit(&[named(KeyCode::Right)], InputRequest::GoToNextChar, "next character"),
    edit(&[ctrl('a'), named(KeyCode::Home)], InputRequest::GoToStart, "start of the text"),
    edit(&[ctrl('e'), named(KeyCode::End)], InputRequest::GoToEnd, "end of the text"),
    edit(&[named(KeyCode::Backspace), ctrl('h')], InputRequest::DeletePrevChar, "delete the previous character"),
    edit(&[named(KeyCode::Delete)], InputRequest::DeleteNextChar, "delete the next character"),
    edit(&[ctrl('w')], InputRequest::DeletePrevWord, "delete the previous word"),
    edit(&[ctrl('u')], InputRequest::DeleteFromStart, "delete to the start"),
    edit(&[ctrl('k')], InputRequest::DeleteTillEnd, "delete to the end"),
    filter(&[ctrl('z')], FilterCommand::Suspend, "suspend"),

    button(&[key('y')], Button::Confirm, "stop it (with SIGTERM or the chosen signal)"),
    button(&[key('a')], Button::All, "all owners instead of the topmost, and back"),
    button(&[key('g')], Button::Group, "the whole process group instead, and back"),
    button(&[key('p')], Button::Parent, "the parent instead; again for its parent, and back"),
    button(&[key('s')], Button::SignalMenu, "choose another signal"),
    button(&[key('c')], Button::Copy, "copy the offered command"),
    button(&[key('l')], Button::GoTo, "go to the listener"),
    button(&[key('K')], Button::Escalate(Signal::Kill), "send SIGKILL, after another signal failed"),
    button(&[key('I')], Button::Escalate(Signal::Interrupt), "send SIGINT to a postgres that is still serving its clients"),
    free(&[named(KeyCode::Tab), named(KeyCode::Right)], FreeCommand::NextButton, "next button").hint("next button"),
    free(&[named(KeyCode::BackTab), named(KeyCode::Left)], FreeCommand::PreviousButton, "previous button"),
    free(&[named(KeyCode::Enter)], FreeCommand::Press, "press the button in brackets; the first is Cancel").hint("press"),
    free(&[named(KeyCode::Esc), ctrl('c')], FreeCommand::Cancel, "cancel, as every key does that is not listed here").hint("cancel"),

    send(&[key('t')], Signal::Terminate, "SIGTERM"),
    send(&[key('i')], Signal::Interrupt, "SIGINT"),
    send(&[key('h')], Signal::HangUp, "SIGHUP"),
    // Not `q`, which cancels.
    send(&[key('u')], Signal::Quit, "SIGQUIT"),
    send(&[key('k')], Signal::Kill, "SIGKILL"),
    send(&[key('c')], Signal::Continue, "SIGCONT"),

    bind(&[key('c')], KeyCommand::Check(CheckCommand::Connect), "connect to the port and show what answers").hint("connect"),

    text(&[named(KeyCode::Up), key('k')], TextCommand::Up, "scroll up"),
    text(&[named(KeyCode::Down), key('j')], TextCommand::Down, "scroll down").hint("scroll"),
    text(&[named(KeyCode::PageUp)], TextCommand::PageUp, "page up"),
    text(&[named(KeyCode::PageDown), key(' ')], TextCommand::PageDown, "page down"),
    text(&[named(KeyCode::Home)], TextCommand::Start, "start"),
    text(&[named(KeyCode::Esc), key('q')], TextCommand::Close, "close, as every other key does").hint("close"),

    copy(&[key('a')], CopyItem::Address, "address"),
    copy(&[key('u')], CopyItem::Url, "URL"),
    copy(&[key('c')], CopyItem::FreeCommand, "command to free it"),
    copy(&[key('p')], CopyItem::Pid, "pid"),
    copy(&[key('s')], CopyItem::RestartCommand, "command to start it again"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::SIGNALS;
    use std::collections::HashSet;

    #[test]
    fn a_key_is_bound_once_in_a_context_and_a_command_once() {
        let (mut keys, mut commands) = (HashSet::new(), HashSet::new());
        for binding in BINDINGS {
            let context = binding.command.context();
            for chord in binding.keys {
                assert!(keys.insert((context, *chord)), "{chord} in {context:?}");
            }
            assert!(commands.insert(binding.command), "{:?}", binding.command);
        }
    }

    #[test]
    fn no_digit_is_bound_in_the_table() {
        let digits = ('0'..='9').filter(|digit| table_command(key(*digit)).is_some());
        assert_eq!(digits.collect::<String>(), "");
    }

    fn commands<T>(values: Vec<T>, command: fn(T) -> KeyCommand) -> Vec<KeyCommand> {
        values.into_iter().map(command).collect()
    }

    #[test]
    fn every_command_has_a_key() {
        use KeyCommand::{Check, Copy, Filter, Free, Signal, Table, Text};
        let buttons = Button::without_value().into_iter();
        // Cancel is a command of its own.
        let buttons = buttons.filter(|button| *button != Button::Cancel);
        let all = [
            commands(TableCommand::without_value(), Table),
            commands(Movement::without_value(), |to| {
                Table(TableCommand::Move(to))
            }),
            commands(Chip::ALL.to_vec(), |chip| Table(TableCommand::Toggle(chip))),
            commands(FilterCommand::without_value(), Filter),
            commands(FreeCommand::without_value(), Free),
            commands(buttons.collect(), |button| {
                Free(FreeCommand::Button(button))
            }),
            commands(SIGNALS.to_vec(), Signal),
            commands(CheckCommand::without_value(), Check),
            commands(TextCommand::without_value(), Text),
            commands(CopyItem::without_value(), Copy),
        ];
        for command in all.concat() {
            assert_ne!(key_of(command), "", "{command:?}");
        }
    }
}
