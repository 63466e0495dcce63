//! What a key does in the dialog.

use super::buttons::DialogAction;
use super::{DialogPhase, FreeDialog};
use crate::app::keymap::{Chord, FreeDialogCommand, KeyCommand, KeyContext, command_of};
use crate::free::ExecCommand;
use crossterm::event::KeyCode;
use std::time::Instant;

impl FreeDialog {
    /// Moves the focus or takes a typed key; returns what any other key does.
    pub fn on_key(&mut self, chord: Chord) -> Option<DialogAction> {
        match command_of(KeyContext::FreeDialog, chord) {
            Some(KeyCommand::FreeDialog(FreeDialogCommand::Cancel)) => Some(DialogAction::Close),
            _ if !self.is_shown_armed => None,
            Some(KeyCommand::FreeDialog(command)) => self.run(command),
            _ if self.take_typed_key(chord) => None,
            _ => self.action_of(chord),
        }
    }

    fn run(&mut self, command: FreeDialogCommand) -> Option<DialogAction> {
        match command {
            FreeDialogCommand::NextButton => self.move_focus(1),
            FreeDialogCommand::PreviousButton => self.move_focus(-1),
            FreeDialogCommand::Press if self.is_mistyped() => {}
            FreeDialogCommand::Press => {
                let button = self.phase.buttons().into_iter().nth(self.focus);
                return Some(button.map_or(DialogAction::Close, |button| button.action));
            }
            FreeDialogCommand::Cancel => return Some(DialogAction::Close),
        }
        None
    }

    fn move_focus(&mut self, by: isize) {
        let count = self.phase.buttons().len();
        self.focus = (self.focus + count).saturating_add_signed(by) % count;
    }

    /// Takes a digit where a port or pid must be typed; once it is complete, the focus moves to the button.
    fn take_typed_key(&mut self, chord: Chord) -> bool {
        let Some(prompt) = self.phase.prompt_mut() else {
            return false;
        };
        let confirmation = &prompt.preview.confirmation;
        if !confirmation.is_typed() || prompt.is_choosing_signal {
            return false;
        }
        match (chord.letter(), chord.code) {
            (Some(digit), _)
                if digit.is_ascii_digit() && prompt.typed.len() < confirmation.max_digits() =>
            {
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

    /// Returns what the button of a key does. A key of the question that is not offered now does nothing; any other key
    /// cancels.
    fn action_of(&self, chord: Chord) -> Option<DialogAction> {
        let prompt = self.phase.prompt();
        let is_menu = prompt.is_some_and(|prompt| prompt.is_choosing_signal);
        let context = if is_menu {
            KeyContext::SignalMenu
        } else {
            KeyContext::FreeDialog
        };
        let Some(command) = command_of(context, chord) else {
            return (!self.is_movement(chord)).then_some(DialogAction::Close);
        };
        let mut buttons = self.phase.buttons().into_iter();
        match buttons.find(|button| button.command == Some(command)) {
            Some(button) => Some(button.action),
            None if self.is_movement(chord) => None,
            None if prompt.is_some() && !is_menu => None,
            None => Some(DialogAction::Close),
        }
    }

    /// Changes the question, or returns what to send.
    pub fn act(&mut self, action: &DialogAction, now: Instant) -> Vec<ExecCommand> {
        use DialogAction::{Ask, AskNext, Check, Close, Copy, GoTo, Send, ShowSignals};
        let mut commands = Vec::new();
        match (action, &mut self.phase) {
            (Send, DialogPhase::Running(batch)) => commands = batch.escalate(now),
            (Send, DialogPhase::Confirming(prompt)) => {
                // Keep the question if it cannot be confirmed yet.
                let Some((batch, first)) = prompt.confirm(now) else {
                    return commands;
                };
                self.phase = DialogPhase::Running(Box::new(batch));
                commands = first;
            }
            // Another question must be seen first.
            (Ask(targets, signal), DialogPhase::Confirming(prompt)) => {
                prompt.ask(*targets, *signal);
            }
            (ShowSignals, DialogPhase::Confirming(prompt)) => {
                prompt.is_choosing_signal = true;
                self.focus = 0;
                return commands;
            }
            (
                Ask(..) | ShowSignals | Send | Close | Copy(_) | GoTo(_) | AskNext(_) | Check(_),
                _,
            ) => return commands,
        }
        self.disarm();
        commands
    }
}
