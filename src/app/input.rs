//! Handles terminal input: dispatches keys to the overlay, the filter line or the table; pastes, resizes and focus.

use crate::app::keymap::{
    CheckCommand, Chord, CopyItem, FilterCommand, KeyCommand, KeyContext, TableCommand, command_of,
    key_of, scrolled,
};
use crate::app::overlay::check_dialog::CheckDialog;
use crate::app::overlay::menu::Menu;
use crate::app::panes::screen_layout::is_too_small;
use crate::app::{App, Effect, Overlay};
use crate::table::fields::FIELDS;
use crate::table::listing::Sort;
use crate::table::query;
use crate::wording::screen::notice;
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};

impl App {
    pub(super) fn on_input(&mut self, input: &TerminalEvent) {
        use TerminalEvent::{FocusGained, FocusLost, Key, Mouse, Paste, Resize};
        if input.is_key_release() {
            return;
        }
        if !matches!(input, Resize(..) | Mouse(_)) {
            self.sampling.set_terminal_focus(*input != FocusLost);
        }
        match input {
            Key(key) => self.on_key(key),
            Paste(text) => self.on_paste(text),
            Resize(width, height) => self.on_resize((*width, *height)),
            FocusGained | FocusLost | Mouse(_) => {}
        }
    }

    /// Splits a letter with Alt into Esc and the letter: terminals send the same bytes for both.
    fn on_key(&mut self, key: &KeyEvent) {
        if key.modifiers.contains(KeyModifiers::ALT) {
            self.on_chord(Chord::of(&KeyEvent::from(KeyCode::Esc)));
            self.apply_filter();
        }
        let rest = key.modifiers.difference(KeyModifiers::ALT);
        self.on_chord(Chord::of(&KeyEvent::new(key.code, rest)));
    }

    fn on_chord(&mut self, chord: Chord) {
        let connect = Some(CheckCommand::Connect.into());
        match &mut self.overlay {
            Overlay::Freeing(_) => self.on_dialog_key(chord),
            Overlay::Menu(_) => self.on_menu_key(chord),
            Overlay::Check(_) if command_of(KeyContext::CheckDialog, chord) == connect => {
                self.connect();
            }
            Overlay::Help(scroll) | Overlay::Check(CheckDialog { scroll, .. }) => {
                match scrolled(*scroll, chord) {
                    Some(line) => *scroll = line,
                    None => self.overlay = Overlay::None,
                }
            }
            Overlay::None if self.filter_box.is_typing() => self.on_filter_key(chord),
            Overlay::None => self.on_table_key(chord),
        }
    }

    fn on_table_key(&mut self, chord: Chord) {
        let command = command_of(KeyContext::Table, chord);
        if !matches!(command, Some(KeyCommand::Move(_))) {
            self.notice = None;
        }
        if matches!(command, Some(KeyCommand::Table(_) | KeyCommand::Move(_))) {
            self.finish_filtering();
        }
        match (command, chord.letter()) {
            (Some(KeyCommand::Table(command)), _) => self.run_command(command),
            (Some(KeyCommand::Move(to)), _) => self.go(to),
            (Some(KeyCommand::Toggle(chip)), _) => self.filter_box.chips.toggle(chip),
            (_, Some(digit)) if digit.is_ascii_digit() => self.filter_box.open(&digit.to_string()),
            _ => {
                let help = key_of(TableCommand::Help);
                self.notify(notice::unbound_key(&chord.to_string(), &help));
            }
        }
    }

    fn on_filter_key(&mut self, chord: Chord) {
        match (command_of(KeyContext::Filter, chord), chord.letter()) {
            (Some(KeyCommand::Filter(command)), _) => self.run_filter_command(command),
            (Some(KeyCommand::Edit(request)), _) => self.filter_box.edit([request]),
            (_, Some(letter)) => self.filter_box.insert(&letter.to_string()),
            (_, None) => {}
        }
    }

    fn run_filter_command(&mut self, command: FilterCommand) {
        use FilterCommand::{Down, Keep, PageDown, PageUp, Up};
        let asks_for_pids = command == Keep && self.named_pids().is_some();
        if asks_for_pids || matches!(command, Up | Down | PageUp | PageDown) {
            self.finish_filtering();
        }
        match command {
            FilterCommand::Keep => match self.pids_in_filter() {
                Some(found) => self.filter_box.accept(&found.filter),
                None => self.filter_box.commit(&self.listing),
            },
            FilterCommand::Restore => self.filter_box.cancel(),
            FilterCommand::Up => self.step(-1),
            FilterCommand::Down => self.step(1),
            FilterCommand::PageUp => self.step(-self.page()),
            FilterCommand::PageDown => self.step(self.page()),
            FilterCommand::Earlier => self.filter_box.recall(true),
            FilterCommand::Later => self.filter_box.recall(false),
            FilterCommand::Suspend => self.effects.push(Effect::Suspend),
        }
    }

    /// Chooses an item; any other key closes the menu.
    fn on_menu_key(&mut self, chord: Chord) {
        let Overlay::Menu(menu) = std::mem::take(&mut self.overlay) else {
            return;
        };
        match menu {
            Menu::Sort => {
                let letter = chord.letter();
                if let Some(field) = FIELDS.iter().find(|field| Some(field.letter) == letter) {
                    self.sort_by(Sort::ascending(field.column));
                }
            }
            Menu::Copy(items) => {
                let picked = command_of(KeyContext::CopyMenu, chord);
                let is_picked = |item| Some(KeyCommand::Copy(item)) == picked;
                match items.into_iter().find(|(item, _)| is_picked(*item)) {
                    Some((CopyItem::RestartCommand, _)) => self.ask_for_restart(),
                    Some((_, text)) => self.copy(text),
                    None => {}
                }
            }
        }
    }

    /// Treats a paste as text and never as keys: it goes to the filter, and cancels the free dialog.
    fn on_paste(&mut self, text: &str) {
        if self.overlay.free_dialog().is_some() {
            return self.close_dialog();
        }
        self.overlay = Overlay::None;
        let text = query::from_paste(text);
        if self.filter_box.is_typing() {
            self.filter_box.insert(&text);
        } else {
            self.filter_box.open(&text);
        }
    }

    fn on_resize(&mut self, size: (u16, u16)) {
        self.size = size;
        if let Some(dialog) = self.overlay.free_dialog_mut() {
            dialog.resized();
            if is_too_small(size) {
                self.close_dialog();
            }
        }
    }
}
