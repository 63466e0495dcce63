//! The dialog that frees a port: it asks, waits for a deliberate answer, and stays until it can tell the truth.
//!
//! Nothing is acted on before the dialog has been on the screen for [`ARMING_TIME`] and was then shown with live buttons,
//! so that keys typed ahead answer nothing, not even those that a busy machine reads late; only Esc and Ctrl-C cancel at
//! once. Whatever is not an answer cancels.

mod asking;
mod opening;

pub use asking::Asking;

use crate::app::keymap::{Chord, Modifier};
use crate::model::endpoint::EndpointId;
use crate::model::freeing::{Batch, Demand, Explanation, Happening, Signal, Step};
use crate::model::inspection::{Inspection, Subject};
use crossterm::event::KeyCode;
use std::time::{Duration, Instant};

pub const ARMING_TIME: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub struct FreeDialog {
    /// The row that is asked about.
    row: EndpointId,
    /// Since when its buttons have been on the screen; `None` until they are drawn.
    since: Option<Instant>,
    /// Whether the screen shows them as live.
    is_shown_live: bool,
    /// The button that Enter presses; the first is always the harmless one.
    pub focus: usize,
    pub phase: Phase,
    /// What was asked about the holders.
    subject: Option<Subject>,
    /// Where they come from and what hangs on them, once that is known.
    pub inspection: Option<Inspection>,
}

#[derive(Debug)]
pub enum Phase {
    Asking(Asking),
    /// Nothing is asked: why nothing would help, or may not be done.
    Explaining(Explanation),
    Working(Box<Batch>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    Cancel,
    End,
    /// All holders instead of the topmost, or the other way round.
    Targets,
    Copy,
    GoTo,
    /// The signal that is offered where another one did not help.
    Insist(Signal),
}

/// What the app has to do after a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Nothing,
    Do(Vec<Step>),
    Copy(String),
    GoTo(EndpointId),
    Close,
}

impl FreeDialog {
    /// The buttons are on the screen `now`, as they were at the time of `state`. A slow terminal makes nobody answer what
    /// was not seen.
    pub fn drawn(&mut self, state: Instant, now: Instant) {
        self.is_shown_live = self.is_armed(state);
        self.since.get_or_insert(now);
    }

    /// The buttons are others than a moment ago: whoever is about to press a key has not seen them.
    fn disarm(&mut self) {
        (self.since, self.is_shown_live, self.focus) = (None, false, 0);
    }

    pub fn is_armed(&self, now: Instant) -> bool {
        self.since
            .is_some_and(|since| now.saturating_duration_since(since) >= ARMING_TIME)
    }

    /// When the buttons come alive, or the progress is worth showing anew.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        match &self.phase {
            _ if !self.is_armed(now) => self.since.map(|since| since + ARMING_TIME),
            Phase::Working(batch) if !batch.has_verdicts() => {
                Some(now + Duration::from_millis(100))
            }
            Phase::Asking(_) | Phase::Explaining(_) | Phase::Working(_) => None,
        }
    }

    /// The buttons from left to right.
    pub fn buttons(&self) -> Vec<Button> {
        let mut buttons = vec![Button::Cancel];
        match &self.phase {
            Phase::Asking(asking) => {
                buttons.push(Button::End);
                if asking.proposal.has_more_than_topmost() {
                    buttons.push(Button::Targets);
                }
            }
            Phase::Explaining(explanation) => {
                buttons.extend(explanation.go_to.map(|_| Button::GoTo));
                buttons.extend(explanation.offer.as_ref().map(|_| Button::Copy));
            }
            Phase::Working(batch) => buttons.extend(batch.offer().map(Button::Insist)),
        }
        buttons
    }

    pub fn on_key(&mut self, chord: Chord, now: Instant) -> Reply {
        if chord.code == KeyCode::Esc || chord.is_ctrl('c') || chord.modifier == Modifier::Other {
            return Reply::Close;
        }
        if !self.is_shown_live {
            return Reply::Nothing;
        }
        match chord.code {
            KeyCode::Tab | KeyCode::Right => self.move_focus(1),
            KeyCode::BackTab | KeyCode::Left => self.move_focus(-1),
            KeyCode::Enter => {
                let button = self
                    .buttons()
                    .get(self.focus)
                    .copied()
                    .unwrap_or(Button::Cancel);
                return self.press(button, now);
            }
            _ if self.is_typed(chord) => {}
            _ if self.is_movement(chord) => {}
            _ => return self.press(self.button_of(chord), now),
        }
        Reply::Nothing
    }

    /// What answers nothing cancels: a paste, or a terminal too small to show what is asked.
    pub fn cancel(&mut self) -> Reply {
        Reply::Close
    }

    pub fn on_happening(&mut self, happening: Happening) -> Vec<Step> {
        let Phase::Working(batch) = &mut self.phase else {
            return Vec::new();
        };
        let before = (batch.has_verdicts(), batch.offer());
        let steps = batch.on(happening);
        if before != (batch.has_verdicts(), batch.offer()) {
            self.disarm();
        }
        steps
    }

    /// Takes in the answer to what this dialog asked, and no other.
    pub fn take_in(&mut self, inspection: &Inspection) {
        if self.subject.as_ref() == Some(&inspection.subject) {
            self.inspection = Some(inspection.clone());
        }
    }

    /// What is under way, if something is.
    pub fn batch(&self) -> Option<&Batch> {
        match &self.phase {
            Phase::Working(batch) => Some(batch),
            Phase::Asking(_) | Phase::Explaining(_) => None,
        }
    }

    /// What is under way, for whoever follows it after the dialog is closed.
    pub fn into_batch(self) -> Option<Box<Batch>> {
        match self.phase {
            Phase::Working(batch) => Some(batch),
            Phase::Asking(_) | Phase::Explaining(_) => None,
        }
    }

    fn move_focus(&mut self, by: isize) {
        let count = self.buttons().len();
        self.focus = (self.focus + count).saturating_add_signed(by) % count;
    }

    /// Takes a digit where the port must be typed; the right one puts the focus on the button that ends it.
    fn is_typed(&mut self, chord: Chord) -> bool {
        let Phase::Asking(asking) = &mut self.phase else {
            return false;
        };
        if asking.demand() == Demand::Key {
            return false;
        }
        match (chord.letter(), chord.code) {
            (Some(digit), _) if digit.is_ascii_digit() && asking.typed.len() < 5 => {
                asking.typed.push(digit);
            }
            (_, KeyCode::Backspace) => {
                asking.typed.pop();
            }
            _ => return false,
        }
        self.focus = usize::from(asking.is_confirmed());
        true
    }

    /// While the verdict stands, moving about does not take it away.
    fn is_movement(&self, chord: Chord) -> bool {
        let moves = crate::app::keymap::command(chord)
            .is_some_and(crate::app::keymap::Command::is_movement);
        matches!(self.phase, Phase::Working(_)) && moves
    }

    fn button_of(&self, chord: Chord) -> Button {
        let button = match chord.letter() {
            Some('y') => Button::End,
            Some('a') => Button::Targets,
            Some('c') => Button::Copy,
            Some('l') => Button::GoTo,
            Some('I') => Button::Insist(Signal::Interrupt),
            Some('K') => Button::Insist(Signal::Kill),
            Some(_) | None => Button::Cancel,
        };
        // `y` is no answer where the port must be typed.
        let must_type =
            matches!(&self.phase, Phase::Asking(asking) if asking.demand() != Demand::Key);
        let is_there = self.buttons().contains(&button) && !(must_type && button == Button::End);
        if is_there { button } else { Button::Cancel }
    }

    fn press(&mut self, button: Button, now: Instant) -> Reply {
        match (button, &mut self.phase) {
            (Button::End, Phase::Asking(asking)) => match asking.confirm(now) {
                Some((batch, steps)) => {
                    self.phase = Phase::Working(Box::new(batch));
                    self.disarm();
                    Reply::Do(steps)
                }
                None => Reply::Nothing,
            },
            (Button::Targets, Phase::Asking(asking)) => {
                asking.switch_targets();
                self.disarm();
                Reply::Nothing
            }
            (Button::Copy, Phase::Explaining(explanation)) => {
                explanation.offer.clone().map_or(Reply::Close, Reply::Copy)
            }
            (Button::GoTo, Phase::Explaining(explanation)) => {
                explanation.go_to.map_or(Reply::Close, Reply::GoTo)
            }
            (Button::Insist(_), Phase::Working(batch)) => {
                let steps = batch.insist(now);
                self.disarm();
                Reply::Do(steps)
            }
            (
                Button::Cancel
                | Button::End
                | Button::Targets
                | Button::Copy
                | Button::GoTo
                | Button::Insist(_),
                _,
            ) => Reply::Close,
        }
    }
}
