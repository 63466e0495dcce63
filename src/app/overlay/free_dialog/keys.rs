//! What a key does in the dialog.

use super::buttons::{DialogAction, Press};
use super::{DialogPhase, FreeDialog};
use crate::app::keymap::{Chord, FreeDialogCommand, KeyCommand, KeyContext, command_of};
use crossterm::event::KeyCode;
use std::time::Instant;

impl FreeDialog {
    pub fn on_key(&mut self, chord: Chord, now: Instant) -> DialogAction {
        let command = command_of(KeyContext::FreeDialog, chord);
        if command == Some(KeyCommand::FreeDialog(FreeDialogCommand::Cancel)) {
            DialogAction::Close
        } else if !self.is_shown_armed {
            DialogAction::Nothing
        } else if let Some(KeyCommand::FreeDialog(command)) = command {
            self.run(command, now)
        } else if self.take_typed_key(chord) || self.is_movement(chord) {
            DialogAction::Nothing
        } else {
            self.press_key(chord, now)
        }
    }

    fn run(&mut self, command: FreeDialogCommand, now: Instant) -> DialogAction {
        match command {
            FreeDialogCommand::NextButton => self.move_focus(1),
            FreeDialogCommand::PreviousButton => self.move_focus(-1),
            FreeDialogCommand::Press if self.is_mistyped() => {}
            FreeDialogCommand::Press => {
                let button = self.phase.buttons().into_iter().nth(self.focus);
                return button.map_or(DialogAction::Close, |button| self.press(button.press, now));
            }
            FreeDialogCommand::Cancel => return DialogAction::Close,
        }
        DialogAction::Nothing
    }

    fn move_focus(&mut self, by: isize) {
        let count = self.phase.buttons().len();
        self.focus = (self.focus + count).saturating_add_signed(by) % count;
    }

    /// Takes a digit where the port must be typed; once the port is complete, the focus moves to the button.
    fn take_typed_key(&mut self, chord: Chord) -> bool {
        let Some(prompt) = self.phase.prompt_mut() else {
            return false;
        };
        if prompt.typed_port().is_none() || prompt.is_choosing_signal {
            return false;
        }
        match (chord.letter(), chord.code) {
            (Some(digit), _) if digit.is_ascii_digit() && prompt.typed.len() < 5 => {
                prompt.typed.push(digit);
            }
            (_, KeyCode::Backspace) => {
                prompt.typed.pop();
            }
            _ => return false,
        }
        self.focus = usize::from(prompt.is_confirmed());
        true
    }

    /// Returns true if something else than the port was typed.
    fn is_mistyped(&self) -> bool {
        let prompt = self.phase.prompt();
        prompt.is_some_and(|prompt| !prompt.typed.is_empty() && !prompt.is_confirmed())
    }

    /// Returns true for keys that move: they do not close a verdict.
    fn is_movement(&self, chord: Chord) -> bool {
        let command = command_of(KeyContext::Table, chord);
        self.phase.batch().is_some() && matches!(command, Some(KeyCommand::Move(_)))
    }

    /// Presses the button of a key. A key of the question that is not offered now does nothing; any other key cancels.
    fn press_key(&mut self, chord: Chord, now: Instant) -> DialogAction {
        let prompt = self.phase.prompt();
        let is_menu = prompt.is_some_and(|prompt| prompt.is_choosing_signal);
        let context = if is_menu {
            KeyContext::SignalMenu
        } else {
            KeyContext::FreeDialog
        };
        let Some(command) = command_of(context, chord) else {
            return DialogAction::Close;
        };
        let mut buttons = self.phase.buttons().into_iter();
        match buttons.find(|button| button.command == Some(command)) {
            Some(button) => self.press(button.press, now),
            None if prompt.is_some() && !is_menu => DialogAction::Nothing,
            None => DialogAction::Close,
        }
    }

    fn press(&mut self, press: Press, now: Instant) -> DialogAction {
        match (press, &mut self.phase) {
            (Press::Act(action), _) => return action,
            (Press::Send, DialogPhase::Running(batch)) => {
                let commands = batch.escalate(now);
                self.disarm();
                return DialogAction::Execute(commands);
            }
            (Press::Send, DialogPhase::Confirming(prompt)) => {
                // If something required was not done, the question stays.
                let Some((batch, commands)) = prompt.confirm(now) else {
                    return DialogAction::Nothing;
                };
                self.phase = DialogPhase::Running(Box::new(batch));
                self.disarm();
                return DialogAction::Execute(commands);
            }
            (Press::Ask(targets, signal), DialogPhase::Confirming(prompt)) => {
                prompt.ask(targets, signal);
                // Another question must be seen first.
                self.disarm();
            }
            (Press::ShowSignals, DialogPhase::Confirming(prompt)) => {
                prompt.is_choosing_signal = true;
                self.focus = 0;
            }
            (Press::Send | Press::Ask(..) | Press::ShowSignals, _) => {}
        }
        DialogAction::Nothing
    }
}
