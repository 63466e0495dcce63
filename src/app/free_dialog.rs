//! The dialog that frees a port: it asks, waits for a deliberate answer, and stays until there is a verdict.
//!
//! No key is acted on before the dialog has been on the screen for [`ARMING_TIME`] and was then drawn with live buttons, so
//! that keys typed ahead answer nothing, even if a busy machine reads them late. Only Esc and Ctrl-C cancel at once. Any
//! other key that is no answer cancels too.

mod buttons;
mod confirm_prompt;
mod opening;

pub use buttons::Button;
use buttons::{apply_button, available_buttons};
pub use confirm_prompt::ConfirmPrompt;
use opening::QuestionKey;

use crate::app::keymap::{self, Chord, FreeCommand, Modifier, TableCommand};
use crate::free::{Batch, ExecCommand, ExecEvent, Explanation};
use crate::model::endpoint::EndpointId;
use crate::model::inspection::{InspectRequest, Inspection};
use crossterm::event::KeyCode;
use std::time::{Duration, Instant};

pub const ARMING_TIME: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub struct FreeDialog {
    /// The rows whose ports are to be freed.
    rows: Vec<EndpointId>,
    /// When its buttons were first drawn.
    since: Option<Instant>,
    /// True if the screen shows them as live.
    is_shown_armed: bool,
    /// True if it ever did: from then on the question no longer changes.
    was_shown_armed: bool,
    question_key: QuestionKey,
    /// The button that Enter presses; the first one always cancels.
    pub focus: usize,
    pub phase: DialogPhase,
    /// What is inspected for it.
    subject: Option<InspectRequest>,
    /// The answer, once there is one.
    pub inspection: Option<Inspection>,
}

#[derive(Debug)]
pub enum DialogPhase {
    Confirming(ConfirmPrompt),
    /// Why there is nothing to confirm.
    Explaining(Explanation),
    Running(Box<Batch>),
}

/// What the app has to do after a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogAction {
    Nothing,
    Execute(Vec<ExecCommand>),
    Copy(String),
    GoTo(EndpointId),
    Close,
}

impl FreeDialog {
    /// Notes that the buttons are on the screen `now`, as they were at the time of `state`: on a slow terminal nobody can
    /// answer what was not shown. If the screen had no room to name every target, nothing can be confirmed.
    pub fn on_drawn(&mut self, state: Instant, now: Instant, shows_all_targets: bool) {
        if let DialogPhase::Confirming(prompt) = &mut self.phase {
            prompt.is_truncated |= !shows_all_targets;
        }
        self.is_shown_armed = self.is_armed(state);
        self.was_shown_armed |= self.is_shown_armed;
        self.since.get_or_insert(now);
    }

    /// Starts the arming time again, since the buttons have changed.
    fn disarm(&mut self) {
        (self.since, self.is_shown_armed, self.focus) = (None, false, 0);
    }

    pub fn is_armed(&self, now: Instant) -> bool {
        self.arms_at().is_some_and(|at| at <= now)
    }

    /// A question also waits for the inspection, which may show that nothing should be stopped.
    fn arms_at(&self) -> Option<Instant> {
        let is_learning =
            matches!(self.phase, DialogPhase::Confirming(_)) && self.inspection.is_none();
        let since = self.since.filter(|_| !is_learning);
        since.map(|since| since + ARMING_TIME)
    }

    /// Returns when the buttons become live, or when to update the progress.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        match &self.phase {
            _ if !self.is_armed(now) => self.arms_at(),
            DialogPhase::Running(batch) if !batch.has_verdicts() => {
                Some(now + Duration::from_millis(100))
            }
            DialogPhase::Confirming(_) | DialogPhase::Explaining(_) | DialogPhase::Running(_) => {
                None
            }
        }
    }

    /// Returns the buttons from left to right.
    pub fn buttons(&self) -> Vec<Button> {
        let mut buttons = vec![Button::Cancel];
        match &self.phase {
            DialogPhase::Confirming(prompt) => buttons.extend(available_buttons(prompt)),
            DialogPhase::Explaining(explanation) => {
                buttons.extend(explanation.go_to().map(|_| Button::GoTo));
                buttons.extend(explanation.command().map(|_| Button::Copy));
            }
            DialogPhase::Running(batch) => buttons.extend(batch.offer().map(Button::Escalate)),
        }
        buttons
    }

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
                let is_used = self.take_typed_key(chord)
                    || self.is_unavailable_key(chord)
                    || self.is_movement(chord);
                if !is_used {
                    return self.press(self.button_for(chord), now);
                }
            }
        }
        DialogAction::Nothing
    }

    /// On another screen size every target may fit.
    pub fn resized(&mut self) {
        if let DialogPhase::Confirming(prompt) = &mut self.phase {
            prompt.is_truncated = false;
        }
        self.disarm();
    }

    /// Cancels after a paste, or in a terminal that is too small.
    pub fn cancel(&mut self) -> DialogAction {
        DialogAction::Close
    }

    pub fn on_exec_event(&mut self, happening: ExecEvent) -> Vec<ExecCommand> {
        let DialogPhase::Running(batch) = &mut self.phase else {
            return Vec::new();
        };
        let before = (batch.has_verdicts(), batch.offer());
        let commands = batch.on(happening);
        if before != (batch.has_verdicts(), batch.offer()) {
            self.disarm();
        }
        commands
    }

    /// Applies the inspection that this dialog asked for, and no other.
    pub fn apply_inspection(&mut self, inspection: &Inspection) {
        if self.subject.as_ref() != Some(&inspection.request) {
            return;
        }
        self.inspection = Some(inspection.clone());
        match &mut self.phase {
            DialogPhase::Confirming(prompt) => {
                if let Some(explanation) = prompt.apply_inspection(inspection) {
                    self.phase = DialogPhase::Explaining(explanation);
                    self.disarm();
                }
            }
            DialogPhase::Explaining(explanation) => {
                let before = explanation.command();
                explanation.add_supervisors(&inspection.behind());
                if explanation.command() != before {
                    self.disarm();
                }
            }
            DialogPhase::Running(_) => {}
        }
    }

    /// Returns the freeing in progress.
    pub fn batch(&self) -> Option<&Batch> {
        match &self.phase {
            DialogPhase::Running(batch) => Some(batch),
            DialogPhase::Confirming(_) | DialogPhase::Explaining(_) => None,
        }
    }

    /// Returns the freeing in progress, to be continued without the dialog.
    pub fn into_batch(self) -> Option<Box<Batch>> {
        match self.phase {
            DialogPhase::Running(batch) => Some(batch),
            DialogPhase::Confirming(_) | DialogPhase::Explaining(_) => None,
        }
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
        let moves = matches!(keymap::table_command(chord), Some(TableCommand::Move(_)));
        matches!(self.phase, DialogPhase::Running(_)) && moves
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
        let button = button.filter(|button| self.buttons().contains(button));
        // `y` is no answer if the port must be typed.
        let must_type = prompt.is_some_and(|prompt| prompt.typed_port().is_some());
        let button = button.filter(|button| !(must_type && *button == Button::Confirm));
        button.unwrap_or(Button::Cancel)
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
                // Opening the menu changes nothing that could be sent; every other choice must be seen first.
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

#[cfg(test)]
mod tests;
