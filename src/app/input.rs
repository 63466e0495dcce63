//! Handles terminal input: dispatches keys to the overlay, the filter line or the table; pastes, resizes and focus.

use crate::app::keymap::{
    Chord, FilterCommand, KeyCommand, KeyContext, TableCommand, command_of, key_of, scrolled,
};
use crate::app::overlay::menu::Menu;
use crate::app::panes::screen_layout::ScreenLayout;
use crate::app::{App, Effect, Overlay};
use crate::table::fields::FIELDS;
use crate::table::listing::Sort;
use crate::table::query;
use crate::wording::screen::notice;
use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::InputRequest;

impl App {
    pub(super) fn on_input(&mut self, input: &TerminalEvent) -> Vec<Effect> {
        use TerminalEvent::{FocusGained, FocusLost, Key, Mouse, Paste, Resize};
        let is_release = |key: &KeyEvent| key.kind == KeyEventKind::Release;
        match input {
            Key(key) if is_release(key) => {}
            Resize(..) | Mouse(_) => {}
            Key(_) | Paste(_) | FocusGained | FocusLost => {
                self.sampling.set_terminal_focus(*input != FocusLost);
            }
        }
        match input {
            Key(key) if !is_release(key) => self.on_key(key),
            Paste(text) => self.on_paste(text),
            Resize(width, height) => self.on_resize((*width, *height)),
            Key(_) | FocusGained | FocusLost | Mouse(_) => Vec::new(),
        }
    }

    /// Splits a letter with Alt into Esc and the letter: terminals send the same bytes for both.
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
                match scrolled(*scroll, chord) {
                    Some(line) => *scroll = line,
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
        let command = command_of(KeyContext::Table, chord);
        if !matches!(command, Some(KeyCommand::Move(_))) {
            self.notice = None;
        }
        match (command, chord.letter()) {
            (Some(KeyCommand::Table(command)), _) => return self.run_command(command),
            (Some(KeyCommand::Move(to)), _) => self.go(to),
            (Some(KeyCommand::Toggle(chip)), _) => {
                self.filter_box.chips.toggle(chip);
                self.apply_filter();
            }
            (_, Some(digit)) if digit.is_ascii_digit() => {
                self.filter_box.open(&digit.to_string());
                self.apply_filter();
            }
            _ => {
                let help = key_of(TableCommand::Help);
                self.notify(notice::unbound_key(&chord.to_string(), &help));
            }
        }
        Vec::new()
    }

    fn on_filter_key(&mut self, chord: Chord) -> Vec<Effect> {
        match (command_of(KeyContext::Filter, chord), chord.letter()) {
            (Some(KeyCommand::Filter(command)), _) => return self.run_filter_command(command),
            (Some(KeyCommand::Edit(request)), _) => self.filter_box.edit(request),
            (_, Some(letter)) => self.filter_box.edit(InputRequest::InsertChar(letter)),
            (_, None) => return Vec::new(),
        }
        self.apply_filter();
        Vec::new()
    }

    fn run_filter_command(&mut self, command: FilterCommand) -> Vec<Effect> {
        match command {
            FilterCommand::Keep => self.filter_box.commit(&self.listing),
            FilterCommand::Restore => self.filter_box.cancel(),
            FilterCommand::Up => self.step(-1),
            FilterCommand::Down => self.step(1),
            FilterCommand::PageUp => self.step(-self.page()),
            FilterCommand::PageDown => self.step(self.page()),
            FilterCommand::Earlier => self.filter_box.recall(true),
            FilterCommand::Later => self.filter_box.recall(false),
            FilterCommand::Suspend => return vec![Effect::Suspend],
        }
        self.apply_filter();
        Vec::new()
    }

    /// Chooses an item; any other key closes the menu.
    fn on_menu_key(&mut self, chord: Chord) -> Vec<Effect> {
        let Overlay::Menu(menu) = std::mem::take(&mut self.overlay) else {
            return Vec::new();
        };
        match menu {
            Menu::Sort => {
                let letter = chord.letter();
                if let Some(field) = FIELDS.iter().find(|field| Some(field.letter) == letter) {
                    self.sort_by(Sort::ascending(field.column));
                }
                Vec::new()
            }
            Menu::Copy(items) => {
                let picked = command_of(KeyContext::CopyMenu, chord);
                let is_picked = |item| Some(KeyCommand::Copy(item)) == picked;
                let item = items.into_iter().find(|(item, _)| is_picked(*item));
                item.map_or_else(Vec::new, |(_, text)| self.copy(text))
            }
        }
    }

    /// Treats a paste as text and never as keys: it goes to the filter, and cancels the free dialog.
    fn on_paste(&mut self, text: &str) -> Vec<Effect> {
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
        self.apply_filter();
        Vec::new()
    }

    fn on_resize(&mut self, size: (u16, u16)) -> Vec<Effect> {
        self.size = size;
        if let Some(dialog) = self.overlay.free_dialog_mut() {
            if ScreenLayout::is_too_small(size) {
                return self.close_dialog();
            }
            dialog.resized();
        }
        Vec::new()
    }
}
