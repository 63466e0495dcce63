//! Keys, pastes, resizes and where the keys go: who gets them, and what they mean in the filter line.

use crate::app::filter_box::Kept;
use crate::app::free_dialog::Reply;
use crate::app::keymap::{self, Chord, Command, Modifier};
use crate::app::menu::Menu;
use crate::app::notice::Notice;
use crate::app::{App, Effect, Overlay};
use crate::model::freeing::{Batch, Freeing, Happening, Kind, Verdict};
use crate::table::listing::Sort;
use crate::table::query;
use crate::table::row::Row;
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::InputRequest;

impl App {
    pub(super) fn on_input(&mut self, input: &TerminalEvent) -> Vec<Effect> {
        match input {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => {
                self.sampling.attend(true);
                self.on_key(key)
            }
            TerminalEvent::Paste(text) => {
                self.sampling.attend(true);
                self.on_paste(text)
            }
            TerminalEvent::Resize(width, height) => self.on_resize((*width, *height)),
            TerminalEvent::FocusGained | TerminalEvent::FocusLost => {
                self.sampling.attend(*input == TerminalEvent::FocusGained);
                Vec::new()
            }
            TerminalEvent::Key(_) | TerminalEvent::Mouse(_) => Vec::new(),
        }
    }

    /// Esc and a letter that are read in one go come as that letter with Alt, and are taken for what was typed.
    fn on_key(&mut self, key: &KeyEvent) -> Vec<Effect> {
        if key.modifiers.contains(KeyModifiers::ALT) {
            let mut effects = self.on_chord(Chord::of(&KeyEvent::from(KeyCode::Esc)));
            let rest = key.modifiers.difference(KeyModifiers::ALT);
            effects.extend(self.on_chord(Chord::of(&KeyEvent::new(key.code, rest))));
            return effects;
        }
        self.on_chord(Chord::of(key))
    }

    fn on_chord(&mut self, chord: Chord) -> Vec<Effect> {
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
            Overlay::Why(_) => self.on_why_key(chord),
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
        match (command, chord.letter()) {
            (Some(command), _) => self.carry_out(command),
            (None, Some(digit)) if digit.is_ascii_digit() => {
                self.filter_box.open(&digit.to_string());
                self.refilter();
                Vec::new()
            }
            (None, _) => {
                self.say("/ to filter");
                Vec::new()
            }
        }
    }

    fn on_filter_key(&mut self, chord: Chord) -> Vec<Effect> {
        match chord.code {
            KeyCode::Enter => self.keep_filter(),
            KeyCode::Esc => self.filter_box.restore(),
            KeyCode::Up => self.selection.step(&self.listing, -1),
            KeyCode::Down => self.selection.step(&self.listing, 1),
            KeyCode::PageUp => self.selection.step(&self.listing, -self.page()),
            KeyCode::PageDown => self.selection.step(&self.listing, self.page()),
            _ if chord.is_ctrl('c') => self.filter_box.restore(),
            _ if chord.is_ctrl('p') => self.filter_box.recall(true),
            _ if chord.is_ctrl('n') => self.filter_box.recall(false),
            _ if chord.is_ctrl('z') => return vec![Effect::Suspend],
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
        let (Overlay::Menu(menu), Some(letter)) = (overlay, chord.letter()) else {
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
                let reply = dialog.cancel();
                self.on_reply(reply)
            }
            Overlay::Help(_) | Overlay::Menu(_) | Overlay::Why(_) | Overlay::None => {
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
                let reply = dialog.cancel();
                self.on_reply(reply)
            }
            Overlay::Freeing(dialog) => {
                dialog.resized();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn on_freeing(&mut self, happening: Happening) -> Vec<Effect> {
        let had_verdict = self.has_verdict();
        let steps = match (&mut self.overlay, &mut self.background) {
            (Overlay::Freeing(dialog), None) => dialog.on_happening(happening),
            (_, Some(batch)) => batch.on(happening),
            (Overlay::None | Overlay::Help(_) | Overlay::Menu(_) | Overlay::Why(_), None) => {
                Vec::new()
            }
        };
        let mut effects: Vec<Effect> = steps.into_iter().map(Effect::Free).collect();
        if self.has_verdict() && !had_verdict {
            // The table beside the verdict must not lag behind it.
            self.sampling.look_now();
        }
        self.learn_from_freeing();
        effects.extend(self.follow_background());
        effects
    }

    fn has_verdict(&self) -> bool {
        self.batch_under_way().is_some_and(Batch::has_verdicts)
    }

    /// Tells what became of ports whose dialog is closed, once for each change of the words.
    fn follow_background(&mut self) -> Vec<Effect> {
        let Some(batch) = &self.background else {
            return Vec::new();
        };
        let verdicts = batch.freeings().iter().filter_map(Freeing::verdict);
        let words: Vec<String> = verdicts.map(Verdict::without_offer).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let words = words.join("  ");
        if self.told.as_ref() != Some(&words) {
            self.notice = Some(Notice::lasting(words.clone()));
            self.told = Some(words);
        }
        if is_still_open(batch) {
            return Vec::new();
        }
        (self.background, self.told) = (None, None);
        vec![Effect::LetGo]
    }

    /// Does what the dialog answered to a key.
    fn on_reply(&mut self, reply: Reply) -> Vec<Effect> {
        match reply {
            Reply::Nothing => Vec::new(),
            Reply::Do(steps) => {
                // The question is answered and its target fixed: from here on the table tells what happens.
                let around = self.setup.surroundings(self.moment());
                self.listing.thaw(self.now, &around);
                steps.into_iter().map(Effect::Free).collect()
            }
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

/// Whether more is to come: there is no verdict yet, or a port that is free is watched for a while.
pub(super) fn is_still_open(batch: &Batch) -> bool {
    let is_free = |freeing: &Freeing| {
        let verdict = freeing.verdict();
        verdict.is_none_or(|verdict| verdict.kind() == Kind::Free)
    };
    let mut freeings = batch.freeings().iter();
    freeings.any(|freeing| is_free(freeing) && !freeing.is_settled())
}

/// Where the keys that scroll take a text; `None` for other keys.
pub(super) fn scrolled(scroll: u16, chord: Chord) -> Option<u16> {
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
    Some(match (chord.code, chord.modifier) {
        (_, Modifier::Other) => return None,
        (KeyCode::Char('a'), Modifier::Ctrl) | (KeyCode::Home, _) => InputRequest::GoToStart,
        (KeyCode::Char('e'), Modifier::Ctrl) | (KeyCode::End, _) => InputRequest::GoToEnd,
        (KeyCode::Char('u'), Modifier::Ctrl) => InputRequest::DeleteFromStart,
        (KeyCode::Char('w'), Modifier::Ctrl) => InputRequest::DeletePrevWord,
        (KeyCode::Char('k'), Modifier::Ctrl) => InputRequest::DeleteTillEnd,
        (KeyCode::Char('h'), Modifier::Ctrl) | (KeyCode::Backspace, _) => {
            InputRequest::DeletePrevChar
        }
        (KeyCode::Delete, _) => InputRequest::DeleteNextChar,
        (KeyCode::Left, _) => InputRequest::GoToPrevChar,
        (KeyCode::Right, _) => InputRequest::GoToNextChar,
        (KeyCode::Char(letter), Modifier::None) => InputRequest::InsertChar(letter),
        _ => return None,
    })
}
