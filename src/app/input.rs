//! Keys, pastes, resizes and where the keys go: who gets them, and what they mean in the filter line.

use crate::app::filter_box::CommitResult;
use crate::app::free_dialog::DialogAction;
use crate::app::keymap::{self, Chord, KeyCommand, Modifier};
use crate::app::menu::Menu;
use crate::app::notice::Notice;
use crate::app::{App, Effect, Overlay};
use crate::free::{Batch, ExecEvent, FreeMachine, Verdict, VerdictKind};
use crate::table::listing::Sort;
use crate::table::query;
use crate::table::row::Row;
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::InputRequest;

impl App {
    pub(super) fn on_input(&mut self, input: &TerminalEvent) -> Vec<Effect> {
        match input {
            TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => {
                self.sampling.set_terminal_focus(true);
                self.on_key(key)
            }
            TerminalEvent::Paste(text) => {
                self.sampling.set_terminal_focus(true);
                self.on_paste(text)
            }
            TerminalEvent::Resize(width, height) => self.on_resize((*width, *height)),
            TerminalEvent::FocusGained | TerminalEvent::FocusLost => {
                self.sampling
                    .set_terminal_focus(*input == TerminalEvent::FocusGained);
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
                let action = dialog.on_key(chord, self.now);
                self.on_dialog_action(action)
            }
            Overlay::Help(scroll) => {
                let scrolled = scroll_position(*scroll, chord);
                *scroll = scrolled.unwrap_or(*scroll);
                if scrolled.is_none() {
                    self.overlay = Overlay::None;
                }
                Vec::new()
            }
            Overlay::Menu(_) => self.on_menu_key(chord),
            Overlay::Check(_) => self.on_check_key(chord),
            Overlay::None if self.filter_box.is_typing() => self.on_filter_key(chord),
            Overlay::None => self.on_table_key(chord),
        }
    }

    fn on_table_key(&mut self, chord: Chord) -> Vec<Effect> {
        let command = keymap::command(chord);
        let is_movement = command.is_some_and(KeyCommand::is_movement);
        if !is_movement {
            self.notice = None;
        }
        match (command, chord.letter()) {
            (Some(command), _) => self.run_command(command),
            (None, Some(digit)) if digit.is_ascii_digit() => {
                self.filter_box.open(&digit.to_string());
                self.apply_filter();
                Vec::new()
            }
            (None, _) => {
                self.notify("/ to filter");
                Vec::new()
            }
        }
    }

    fn on_filter_key(&mut self, chord: Chord) -> Vec<Effect> {
        match chord.code {
            KeyCode::Enter => self.commit_filter(),
            KeyCode::Esc => self.filter_box.cancel(),
            KeyCode::Up => self.selection.step(&self.listing, -1),
            KeyCode::Down => self.selection.step(&self.listing, 1),
            KeyCode::PageUp => self.selection.step(&self.listing, -self.page()),
            KeyCode::PageDown => self.selection.step(&self.listing, self.page()),
            _ if chord.is_ctrl('c') => self.filter_box.cancel(),
            _ if chord.is_ctrl('p') => self.filter_box.recall(true),
            _ if chord.is_ctrl('n') => self.filter_box.recall(false),
            _ if chord.is_ctrl('z') => return vec![Effect::Suspend],
            _ => {
                if let Some(request) = edit_request(chord) {
                    self.filter_box.edit(request);
                }
            }
        }
        self.apply_filter();
        Vec::new()
    }

    fn commit_filter(&mut self) {
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
            .commit(&|port| counts.has_port(port), &|prefix| {
                listing.shown_rows().any(|row| begins(prefix, row))
            });
        // Wrong words keep the line open, where they are underlined and explained.
        debug_assert_eq!(kept == CommitResult::Invalid, self.filter_box.is_typing());
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
                let action = dialog.cancel();
                self.on_dialog_action(action)
            }
            Overlay::Help(_) | Overlay::Menu(_) | Overlay::Check(_) | Overlay::None => {
                self.overlay = Overlay::None;
                let text = query::from_paste(text);
                if self.filter_box.is_typing() {
                    self.filter_box.insert(&text);
                } else {
                    self.filter_box.open(&text);
                }
                self.apply_filter();
                Vec::new()
            }
        }
    }

    fn on_resize(&mut self, size: (u16, u16)) -> Vec<Effect> {
        self.size = size;
        match &mut self.overlay {
            Overlay::Freeing(dialog)
                if crate::app::screen_layout::ScreenLayout::is_too_small(size) =>
            {
                let action = dialog.cancel();
                self.on_dialog_action(action)
            }
            Overlay::Freeing(dialog) => {
                dialog.resized();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn on_freeing(&mut self, happening: ExecEvent) -> Vec<Effect> {
        let had_verdict = self.has_verdict();
        let steps = match (&mut self.overlay, &mut self.background) {
            (Overlay::Freeing(dialog), None) => dialog.on_exec_event(happening),
            (_, Some(batch)) => batch.on(happening),
            (Overlay::None | Overlay::Help(_) | Overlay::Menu(_) | Overlay::Check(_), None) => {
                Vec::new()
            }
        };
        let mut effects: Vec<Effect> = steps.into_iter().map(Effect::Free).collect();
        if self.has_verdict() && !had_verdict {
            // The table beside the verdict must not lag behind it.
            self.sampling.poll_now();
        }
        self.record_freeing_results();
        effects.extend(self.report_background());
        effects
    }

    fn has_verdict(&self) -> bool {
        self.running_batch().is_some_and(Batch::has_verdicts)
    }

    /// Tells what became of ports whose dialog is closed, once for each change of the words.
    fn report_background(&mut self) -> Vec<Effect> {
        let Some(batch) = &self.background else {
            return Vec::new();
        };
        let verdicts = batch.machines().iter().filter_map(FreeMachine::verdict);
        let words: Vec<String> = verdicts.map(Verdict::without_offer).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let words = words.join("  ");
        if self.reported_background.as_ref() != Some(&words) {
            self.notice = Some(Notice::persistent(words.clone()));
            self.reported_background = Some(words);
        }
        if is_unfinished(batch) {
            return Vec::new();
        }
        (self.background, self.reported_background) = (None, None);
        vec![Effect::Release]
    }

    /// Does what the dialog answered to a key.
    fn on_dialog_action(&mut self, action: DialogAction) -> Vec<Effect> {
        match action {
            DialogAction::Nothing => Vec::new(),
            DialogAction::Execute(steps) => {
                // The question is answered and its target fixed: from here on the table tells what happens.
                let context = self
                    .settings
                    .display_context(&self.environment, self.moment());
                self.listing.thaw(self.now, &context);
                steps.into_iter().map(Effect::Free).collect()
            }
            DialogAction::Copy(text) => self.copy(text),
            DialogAction::Close => self.close_dialog(),
            DialogAction::GoTo(id) => {
                let effects = self.close_dialog();
                self.reveal(id);
                effects
            }
        }
    }
}

/// Whether more is to come: there is no verdict yet, or a port that is free is watched for a while.
pub(super) fn is_unfinished(batch: &Batch) -> bool {
    let is_free = |freeing: &FreeMachine| {
        let verdict = freeing.verdict();
        verdict.is_none_or(|verdict| verdict.kind() == VerdictKind::Free)
    };
    let mut freeings = batch.machines().iter();
    freeings.any(|freeing| is_free(freeing) && !freeing.is_settled())
}

/// Where the keys that scroll take a text; `None` for other keys.
pub(super) fn scroll_position(scroll: u16, chord: Chord) -> Option<u16> {
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
fn edit_request(chord: Chord) -> Option<InputRequest> {
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
