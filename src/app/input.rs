//! Keys, pastes, resizes and where the keys go: who gets them, and what they mean in the filter line.

use crate::app::filter_box::CommitResult;
use crate::app::free_dialog::DialogAction;
use crate::app::keymap::{self, Chord, FilterCommand, KeyCommand, TableCommand, key_of};
use crate::app::menu::Menu;
use crate::app::notice::Notice;
use crate::app::{App, Effect, Overlay};
use crate::free::{Batch, ExecEvent, FreeMachine, VerdictKind};
use crate::table::fields::FIELDS;
use crate::table::listing::Sort;
use crate::table::query;
use crate::table::row::Row;
use crate::wording;
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
                let command = keymap::text_command(chord);
                match command.and_then(|command| command.scroll(*scroll)) {
                    Some(scrolled) => *scroll = scrolled,
                    None => self.overlay = Overlay::None,
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
        let command = keymap::table_command(chord);
        if !matches!(command, Some(TableCommand::Move(_))) {
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
                let help = key_of(KeyCommand::Table(TableCommand::Help));
                self.notify(format!("\"{chord}\" is not bound · {help} help"));
                Vec::new()
            }
        }
    }

    fn on_filter_key(&mut self, chord: Chord) -> Vec<Effect> {
        let typed = || {
            Some(FilterCommand::Edit(InputRequest::InsertChar(
                chord.letter()?,
            )))
        };
        let Some(command) = keymap::filter_command(chord).or_else(typed) else {
            return Vec::new();
        };
        match command {
            FilterCommand::Keep => self.commit_filter(),
            FilterCommand::Restore => self.filter_box.cancel(),
            FilterCommand::Up => self.selection.step(&self.listing, -1),
            FilterCommand::Down => self.selection.step(&self.listing, 1),
            FilterCommand::PageUp => self.selection.step(&self.listing, -self.page()),
            FilterCommand::PageDown => self.selection.step(&self.listing, self.page()),
            FilterCommand::Earlier => self.filter_box.recall(true),
            FilterCommand::Later => self.filter_box.recall(false),
            FilterCommand::Edit(request) => self.filter_box.edit(request),
            FilterCommand::Suspend => return vec![Effect::Suspend],
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

    /// Picks an item; every other key closes the menu.
    fn on_menu_key(&mut self, chord: Chord) -> Vec<Effect> {
        match std::mem::replace(&mut self.overlay, Overlay::None) {
            Overlay::Menu(Menu::Sort) => {
                let letter = chord.letter();
                let field = FIELDS.iter().find(|field| Some(field.letter) == letter);
                if let Some(field) = field {
                    self.sort_by(Sort {
                        column: field.column,
                        is_reversed: false,
                    });
                }
                Vec::new()
            }
            Overlay::Menu(Menu::Copy(items)) => {
                let picked = keymap::copy_item(chord);
                match items.into_iter().find(|(item, _)| Some(*item) == picked) {
                    Some((_, text)) => self.copy(text),
                    None => Vec::new(),
                }
            }
            Overlay::None | Overlay::Help(_) | Overlay::Freeing(_) | Overlay::Check(_) => {
                Vec::new()
            }
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
        let freed = self.freed_requests();
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
        self.record_freeing_results(&freed);
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
        let words: Vec<String> = verdicts.map(wording::verdict).collect();
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
