//! The dialog that frees a port: it asks, waits for a deliberate answer, and stays until it can tell the truth.
//!
//! Nothing is acted on before the dialog has been on the screen for [`ARMING_TIME`] and was then shown with live buttons,
//! so that keys typed ahead answer nothing, not even those that a busy machine reads late; only Esc and Ctrl-C cancel at
//! once. Whatever is not an answer cancels.

mod asking;
mod buttons;
mod matter;
mod opening;

use asking::signal_of;
pub use asking::{Asking, Typing, letter_of};
pub use buttons::Button;
use buttons::{answer, button_of_letter, buttons_of};
use matter::Matter;

use crate::app::keymap::{Chord, Modifier};
use crate::model::endpoint::EndpointId;
use crate::model::freeing::{Batch, Explanation, Happening, Step};
use crate::model::inspection::{Inspection, Subject};
use crossterm::event::KeyCode;
use std::time::{Duration, Instant};

pub const ARMING_TIME: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub struct FreeDialog {
    /// The rows that are asked about.
    rows: Vec<EndpointId>,
    /// Since when its buttons have been on the screen; `None` until they are drawn.
    since: Option<Instant>,
    /// Whether the screen shows them as live.
    is_shown_live: bool,
    /// Whether it ever did: from then on what is asked about stays as it is.
    was_shown_live: bool,
    /// What the question was about before anything was found out for it.
    subject_matter: Matter,
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
    /// Nor whom the screen had no room to name: then no ending is offered.
    pub fn drawn(&mut self, state: Instant, now: Instant, is_whole: bool) {
        if let Phase::Asking(asking) = &mut self.phase {
            asking.is_cut |= !is_whole;
        }
        self.is_shown_live = self.is_armed(state);
        self.was_shown_live |= self.is_shown_live;
        self.since.get_or_insert(now);
    }

    /// The buttons are others than a moment ago: whoever is about to press a key has not seen them.
    fn disarm(&mut self) {
        (self.since, self.is_shown_live, self.focus) = (None, false, 0);
    }

    pub fn is_armed(&self, now: Instant) -> bool {
        self.arms_at().is_some_and(|at| at <= now)
    }

    /// A question waits for what is found out about the holders too, for it may show that nothing should be ended.
    fn arms_at(&self) -> Option<Instant> {
        let is_learning = matches!(self.phase, Phase::Asking(_)) && self.inspection.is_none();
        let since = self.since.filter(|_| !is_learning);
        since.map(|since| since + ARMING_TIME)
    }

    /// When the buttons come alive, or the progress is worth showing anew.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        match &self.phase {
            _ if !self.is_armed(now) => self.arms_at(),
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
            Phase::Asking(asking) => buttons.extend(buttons_of(asking)),
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
            KeyCode::Enter if self.is_mistyped() => {}
            KeyCode::Enter => {
                let button = self
                    .buttons()
                    .get(self.focus)
                    .copied()
                    .unwrap_or(Button::Cancel);
                return self.press(button, now);
            }
            _ if self.is_typed(chord) || self.is_not_offered(chord) => {}
            _ if self.is_movement(chord) => {}
            _ => return self.press(self.button_of(chord), now),
        }
        Reply::Nothing
    }

    /// On another screen everyone may be named.
    pub fn resized(&mut self) {
        if let Phase::Asking(asking) = &mut self.phase {
            asking.is_cut = false;
        }
        self.disarm();
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
        if self.subject.as_ref() != Some(&inspection.subject) {
            return;
        }
        self.inspection = Some(inspection.clone());
        match &mut self.phase {
            Phase::Asking(asking) => {
                if let Some(explanation) = asking.learn(inspection) {
                    self.phase = Phase::Explaining(explanation);
                    self.disarm();
                }
            }
            Phase::Explaining(explanation) => {
                let before = explanation.offer.clone();
                explanation.learn(&inspection.behind());
                if explanation.offer != before {
                    self.disarm();
                }
            }
            Phase::Working(_) => {}
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
        if asking.typing().is_none() || asking.is_choosing {
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

    /// A key of the dialog that is no answer to this question: whoever presses it means the dialog, not the table below.
    fn is_not_offered(&self, chord: Chord) -> bool {
        let Phase::Asking(asking) = &self.phase else {
            return false;
        };
        let button = chord.letter().and_then(button_of_letter);
        let must_type = asking.typing().is_some();
        !asking.is_choosing
            && button.is_some_and(|button| {
                !self.buttons().contains(&button) || must_type && button == Button::End
            })
    }

    /// Something was typed where a port must be, and it is not that port.
    fn is_mistyped(&self) -> bool {
        match &self.phase {
            Phase::Asking(asking) => !asking.typed.is_empty() && !asking.is_confirmed(),
            Phase::Explaining(_) | Phase::Working(_) => false,
        }
    }

    /// While the verdict stands, moving about does not take it away.
    fn is_movement(&self, chord: Chord) -> bool {
        let moves = crate::app::keymap::command(chord)
            .is_some_and(crate::app::keymap::Command::is_movement);
        matches!(self.phase, Phase::Working(_)) && moves
    }

    fn button_of(&self, chord: Chord) -> Button {
        let asking = match &self.phase {
            Phase::Asking(asking) => Some(asking),
            Phase::Explaining(_) | Phase::Working(_) => None,
        };
        let is_choosing = asking.is_some_and(|asking| asking.is_choosing);
        let button = match chord.letter() {
            Some(letter) if is_choosing => signal_of(letter).map(Button::Choose),
            letter => letter.and_then(button_of_letter),
        };
        let button = button.filter(|button| self.buttons().contains(button));
        // `y` is no answer where a port must be typed.
        let must_type = asking.is_some_and(|asking| asking.typing().is_some());
        let button = button.filter(|button| !(must_type && *button == Button::End));
        button.unwrap_or(Button::Cancel)
    }

    fn press(&mut self, button: Button, now: Instant) -> Reply {
        match &mut self.phase {
            Phase::Asking(asking) => {
                if button == Button::End {
                    return self.end(now);
                }
                if button == Button::Copy {
                    return asking.offer().map_or(Reply::Close, Reply::Copy);
                }
                if !answer(asking, button) {
                    return Reply::Close;
                }
                // To open the menu or to choose in it sends nothing; what is chosen must be seen before it is.
                if button == Button::Signals {
                    self.focus = 0;
                } else {
                    self.disarm();
                }
                Reply::Nothing
            }
            Phase::Explaining(explanation) => match button {
                Button::Copy => explanation.offer.clone().map_or(Reply::Close, Reply::Copy),
                Button::GoTo => explanation.go_to.map_or(Reply::Close, Reply::GoTo),
                _ => Reply::Close,
            },
            Phase::Working(batch) => match button {
                Button::Insist(_) => {
                    let steps = batch.insist(now);
                    self.disarm();
                    Reply::Do(steps)
                }
                _ => Reply::Close,
            },
        }
    }

    /// Does what was confirmed; what was not stays asked.
    fn end(&mut self, now: Instant) -> Reply {
        let confirmed = match &self.phase {
            Phase::Asking(asking) => asking.confirm(now),
            Phase::Explaining(_) | Phase::Working(_) => None,
        };
        let Some((batch, steps)) = confirmed else {
            return Reply::Nothing;
        };
        self.phase = Phase::Working(Box::new(batch));
        self.disarm();
        Reply::Do(steps)
    }
}

#[cfg(test)]
mod tests;
