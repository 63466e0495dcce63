//! Keys, pastes and resizes: who gets them, and what they mean in the filter line.

use crate::app::filter_box::Kept;
use crate::app::free_dialog::Reply;
use crate::app::keymap::{self, Chord, Command};
use crate::app::menu::Menu;
use crate::app::notice::Notice;
use crate::app::{App, Effect, Overlay};
use crate::model::freeing::Happening;
use crate::table::listing::Sort;
use crate::table::query;
use crate::table::row::Row;
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind};
use tui_input::InputRequest;

impl App {
    pub(super) fn on_input(&mut self, input: &TerminalEvent) -> Vec<Effect> {
        match input {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => self.on_key(key),
            TerminalEvent::Paste(text) => self.on_paste(text),
            TerminalEvent::Resize(width, height) => self.on_resize((*width, *height)),
            TerminalEvent::Key(_)
            | TerminalEvent::Mouse(_)
            | TerminalEvent::FocusGained
            | TerminalEvent::FocusLost => Vec::new(),
        }
    }

    fn on_key(&mut self, key: &KeyEvent) -> Vec<Effect> {
        let chord = Chord::of(key);
        match &mut self.overlay {
            Overlay::Freeing(dialog) => {
                let reply = dialog.on_key(chord, self.now);
                self.on_reply(reply)
            }
            Overlay::Help(scroll) => {
                let scrolled = scrolled(*scroll, chord);
                *scroll = scrolled.unwrap_or(*scroll);
                if scrolled.is_none() {
                    self.overlay = Overlay::None;
                }
                Vec::new()
            }
            Overlay::Menu(_) => self.on_menu_key(chord),
            Overlay::None if self.filter_box.is_typing() => self.on_filter_key(chord),
            Overlay::None => self.on_table_key(chord),
        }
    }

    fn on_table_key(&mut self, chord: Chord) -> Vec<Effect> {
        let command = keymap::command(chord);
        let is_movement = command.is_some_and(Command::is_movement);
        if !is_movement {
            self.notice = None;
        }
        match (command, chord.code) {
            (Some(command), _) => self.carry_out(command),
            (None, KeyCode::Char(digit)) if digit.is_ascii_digit() && !chord.is_ctrl => {
                self.filter_box.open(&digit.to_string());
                self.refilter();
                Vec::new()
            }
            _ => {
                self.say("/ to filter");
                Vec::new()
            }
        }
    }

    fn on_filter_key(&mut self, chord: Chord) -> Vec<Effect> {
        match chord {
            Chord {
                code: KeyCode::Enter,
                ..
            } => self.keep_filter(),
            Chord {
                code: KeyCode::Esc, ..
            }
            | Chord {
                code: KeyCode::Char('c'),
                is_ctrl: true,
            } => {
                self.filter_box.restore();
            }
            Chord {
                code: KeyCode::Up, ..
            } => self.selection.step(&self.listing, -1),
            Chord {
                code: KeyCode::Down,
                ..
            } => self.selection.step(&self.listing, 1),
            Chord {
                code: KeyCode::PageUp,
                ..
            } => self.selection.step(&self.listing, -self.page()),
            Chord {
                code: KeyCode::PageDown,
                ..
            } => self.selection.step(&self.listing, self.page()),
            Chord {
                code: KeyCode::Char('p'),
                is_ctrl: true,
            } => self.filter_box.recall(true),
            Chord {
                code: KeyCode::Char('n'),
                is_ctrl: true,
            } => self.filter_box.recall(false),
            Chord {
                code: KeyCode::Char('z'),
                is_ctrl: true,
            } => return vec![Effect::Suspend],
            _ => {
                if let Some(request) = edit(chord) {
                    self.filter_box.edit(request);
                }
            }
        }
        self.refilter();
        Vec::new()
    }

    fn keep_filter(&mut self) {
        let begins = |prefix: &str, row: &Row| {
            let socket = &row.endpoint.socket;
            let ports = [
                Some(socket.port()),
                socket.remote.map(|remote| remote.port()),
            ];
            ports
                .into_iter()
                .flatten()
                .any(|port| port.to_string().starts_with(prefix))
        };
        let counts = self.listing.counts();
        let listing = &self.listing;
        let kept = self
            .filter_box
            .keep(&|port| counts.has_port(port), &|prefix| {
                listing.shown_rows().any(|row| begins(prefix, row))
            });
        // Wrong words keep the line open, where they are underlined and explained.
        debug_assert_eq!(kept == Kept::Wrong, self.filter_box.is_typing());
    }

    fn on_menu_key(&mut self, chord: Chord) -> Vec<Effect> {
        let overlay = std::mem::replace(&mut self.overlay, Overlay::None);
        let (Overlay::Menu(menu), KeyCode::Char(letter)) = (overlay, chord.code) else {
            return Vec::new();
        };
        match menu {
            Menu::Sort(items) => {
                if let Some(item) = items.into_iter().find(|item| item.letter == letter) {
                    self.sort_by(Sort {
                        column: item.choice,
                        is_reversed: false,
                    });
                }
                Vec::new()
            }
            Menu::Copy(items) => match items.into_iter().find(|item| item.letter == letter) {
                Some(item) => self.copy(item.choice),
                None => Vec::new(),
            },
        }
    }

    /// Text from the clipboard is only ever text: in the table it opens the filter, in a dialog it cancels.
    fn on_paste(&mut self, text: &str) -> Vec<Effect> {
        match &mut self.overlay {
            Overlay::Freeing(dialog) => {
                let reply = dialog.on_paste();
                self.on_reply(reply)
            }
            Overlay::Help(_) | Overlay::Menu(_) | Overlay::None => {
                self.overlay = Overlay::None;
                let text = query::pasted(text);
                if self.filter_box.is_typing() {
                    self.filter_box.insert(&text);
                } else {
                    self.filter_box.open(&text);
                }
                self.refilter();
                Vec::new()
            }
        }
    }

    fn on_resize(&mut self, size: (u16, u16)) -> Vec<Effect> {
        self.size = size;
        match &mut self.overlay {
            Overlay::Freeing(dialog) if crate::app::frame::Frame::is_too_small(size) => {
                let reply = dialog.on_paste();
                self.on_reply(reply)
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn on_freeing(&mut self, happening: Happening) -> Vec<Effect> {
        let steps = match (&mut self.overlay, &mut self.background) {
            (Overlay::Freeing(dialog), None) => dialog.on_happening(happening, self.now),
            (_, Some(freeing)) => {
                let steps = freeing.on(happening);
                self.notice = freeing
                    .verdict()
                    .map(|verdict| Notice::lasting(verdict.to_string()));
                if freeing.is_settled() {
                    self.background = None;
                }
                steps
            }
            (Overlay::None | Overlay::Help(_) | Overlay::Menu(_), None) => Vec::new(),
        };
        steps.into_iter().map(Effect::Free).collect()
    }

    /// Does what the dialog answered to a key.
    fn on_reply(&mut self, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Nothing => Vec::new(),
            Reply::Do(steps) => steps.into_iter().map(Effect::Free).collect(),
            Reply::Copy(text) => self.copy(text),
            Reply::Close => self.close_dialog(),
            Reply::GoTo(id) => {
                let effects = self.close_dialog();
                self.reveal(id);
                effects
            }
        }
    }
}

fn scrolled(scroll: u16, chord: Chord) -> Option<u16> {
    match chord.code {
        KeyCode::Up | KeyCode::Char('k') => Some(scroll.saturating_sub(1)),
        KeyCode::Down | KeyCode::Char('j') => Some(scroll.saturating_add(1)),
        KeyCode::PageUp => Some(scroll.saturating_sub(10)),
        KeyCode::PageDown | KeyCode::Char(' ') => Some(scroll.saturating_add(10)),
        KeyCode::Home => Some(0),
        _ => None,
    }
}

/// What a key does to the text of the filter line.
fn edit(chord: Chord) -> Option<InputRequest> {
    Some(match (chord.code, chord.is_ctrl) {
        (KeyCode::Char('a'), true) | (KeyCode::Home, _) => InputRequest::GoToStart,
        (KeyCode::Char('e'), true) | (KeyCode::End, _) => InputRequest::GoToEnd,
        (KeyCode::Char('u'), true) => InputRequest::DeleteFromStart,
        (KeyCode::Char('w'), true) => InputRequest::DeletePrevWord,
        (KeyCode::Char('k'), true) => InputRequest::DeleteTillEnd,
        (KeyCode::Char('h'), true) | (KeyCode::Backspace, _) => InputRequest::DeletePrevChar,
        (KeyCode::Delete, _) => InputRequest::DeleteNextChar,
        (KeyCode::Left, _) => InputRequest::GoToPrevChar,
        (KeyCode::Right, _) => InputRequest::GoToNextChar,
        (KeyCode::Char(letter), false) => InputRequest::InsertChar(letter),
        _ => return None,
    })
}
