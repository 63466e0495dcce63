//! What a key does in the dialog.

use super::buttons::apply_button;
use super::{Button, DialogAction, DialogPhase, FreeDialog};
use crate::app::keymap::{self, Chord, FreeCommand, Modifier, TableCommand};
use crossterm::event::KeyCode;
use std::time::Instant;

impl FreeDialog {
    pub fn on_key(&mut self, chord: Chord, now: Instant) -> DialogAction {
        let command = keymap::free_command(chord);
        if command == Some(FreeCommand::Cancel) || chord.modifier == Modifier::Other {
            return DialogAction::Close;
        }
        if !self.is_shown_armed {
            return DialogAction::Nothing;
        }
        match command {
            Some(FreeCommand::NextButton) => self.move_focus(1),
            Some(FreeCommand::PreviousButton) => self.move_focus(-1),
            Some(FreeCommand::Press) if self.is_mistyped() => {}
            Some(FreeCommand::Press) => {
                let button = self.buttons().get(self.focus).copied();
                return self.press(button.unwrap_or(Button::Cancel), now);
            }
            Some(FreeCommand::Cancel | FreeCommand::Button(_)) | None => {
                if !self.take_typed_key(chord)
                    && !self.is_unavailable_key(chord)
                    && !self.is_movement(chord)
                {
                    return self.press(self.button_for(chord), now);
                }
            }
        }
        DialogAction::Nothing
    }

    fn move_focus(&mut self, by: isize) {
        let count = self.buttons().len();
        self.focus = (self.focus + count).saturating_add_signed(by) % count;
    }

    /// Takes a digit where the port must be typed; once the port is complete, the focus moves to the button.
    fn take_typed_key(&mut self, chord: Chord) -> bool {
        let DialogPhase::Confirming(prompt) = &mut self.phase else {
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

    /// Returns true for a key of the dialog that is not offered now: it does nothing, rather than cancel.
    fn is_unavailable_key(&self, chord: Chord) -> bool {
        let DialogPhase::Confirming(prompt) = &self.phase else {
            return false;
        };
        let button = button_of(chord);
        let must_type = prompt.typed_port().is_some();
        !prompt.is_choosing_signal
            && button.is_some_and(|button| {
                !self.buttons().contains(&button) || must_type && button == Button::Confirm
            })
    }

    /// Returns true if something else than the port was typed.
    fn is_mistyped(&self) -> bool {
        match &self.phase {
            DialogPhase::Confirming(prompt) => !prompt.typed.is_empty() && !prompt.is_confirmed(),
            DialogPhase::Explaining(_) | DialogPhase::Running(_) => false,
        }
    }

    /// Returns true for keys that move: they do not close a verdict.
    fn is_movement(&self, chord: Chord) -> bool {
        matches!(self.phase, DialogPhase::Running(_))
            && matches!(keymap::table_command(chord), Some(TableCommand::Move(_)))
    }

    fn button_for(&self, chord: Chord) -> Button {
        let prompt = match &self.phase {
            DialogPhase::Confirming(prompt) => Some(prompt),
            DialogPhase::Explaining(_) | DialogPhase::Running(_) => None,
        };
        let is_choosing_signal = prompt.is_some_and(|prompt| prompt.is_choosing_signal);
        let button = if is_choosing_signal {
            keymap::signal(chord).map(Button::ChooseSignal)
        } else {
            button_of(chord)
        };
        // `y` does not confirm if the port must be typed.
        let must_type = prompt.is_some_and(|prompt| prompt.typed_port().is_some());
        button
            .filter(|button| self.buttons().contains(button))
            .filter(|button| !(must_type && *button == Button::Confirm))
            .unwrap_or(Button::Cancel)
    }

    fn press(&mut self, button: Button, now: Instant) -> DialogAction {
        match &mut self.phase {
            DialogPhase::Confirming(prompt) => {
                if button == Button::Confirm {
                    return self.send(now);
                }
                if button == Button::Copy {
                    return prompt
                        .preview()
                        .stop_command
                        .map_or(DialogAction::Close, DialogAction::Copy);
                }
                if !apply_button(prompt, button) {
                    return DialogAction::Close;
                }
                // The menu changes nothing that is sent; any other choice must be seen first.
                if button == Button::SignalMenu {
                    self.focus = 0;
                } else {
                    self.disarm();
                }
                DialogAction::Nothing
            }
            DialogPhase::Explaining(explanation) => match button {
                Button::Copy => explanation
                    .command()
                    .map_or(DialogAction::Close, DialogAction::Copy),
                Button::GoTo => explanation
                    .go_to()
                    .map_or(DialogAction::Close, DialogAction::GoTo),
                _ => DialogAction::Close,
            },
            DialogPhase::Running(batch) => match button {
                Button::Escalate(_) => {
                    let commands = batch.escalate(now);
                    self.disarm();
                    DialogAction::Execute(commands)
                }
                _ => DialogAction::Close,
            },
        }
    }

    /// Sends if everything required was done; otherwise the question stays.
    fn send(&mut self, now: Instant) -> DialogAction {
        let confirmed = match &self.phase {
            DialogPhase::Confirming(prompt) => prompt.confirm(now),
            DialogPhase::Explaining(_) | DialogPhase::Running(_) => None,
        };
        let Some((batch, commands)) = confirmed else {
            return DialogAction::Nothing;
        };
        self.phase = DialogPhase::Running(Box::new(batch));
        self.disarm();
        DialogAction::Execute(commands)
    }
}

fn button_of(chord: Chord) -> Option<Button> {
    match keymap::free_command(chord)? {
        FreeCommand::Button(button) => Some(button),
        FreeCommand::Cancel
        | FreeCommand::NextButton
        | FreeCommand::PreviousButton
        | FreeCommand::Press => None,
    }
}
