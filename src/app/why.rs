//! The dialog that tells whether a port can be used, and why not.
//!
//! It ends nothing, so it needs no arming and works read-only. It is told the answer to its own question only.

use crate::app::keymap::Chord;
use crate::app::{App, Effect, Overlay};
use crate::model::checking::{Answer, Question};
use crate::model::endpoint::Protocol;
use crossterm::event::KeyCode;

#[derive(Debug)]
pub struct WhyDialog {
    /// What was asked last.
    pub question: Question,
    /// The last answer; while another is awaited the one before it stands.
    pub answer: Option<Box<Answer>>,
    pub is_awaiting: bool,
    /// Lines scrolled down; drawing goes no further than to the last one.
    pub scroll: u16,
}

impl WhyDialog {
    fn new(question: Question) -> Self {
        Self {
            question,
            answer: None,
            is_awaiting: true,
            scroll: 0,
        }
    }

    /// Whether connecting is offered: not again, and not while something is tried.
    pub fn can_connect(&self) -> bool {
        let is_tcp = self.question.protocol == Protocol::Tcp;
        is_tcp && !self.is_awaiting && !self.question.connects
    }
}

impl App {
    pub(super) fn ask_why(&mut self) -> Vec<Effect> {
        let Some(question) = self.question_of_port() else {
            self.say("no row and no port in the filter to ask about");
            return Vec::new();
        };
        self.overlay = Overlay::Why(WhyDialog::new(question));
        vec![Effect::Check(question)]
    }

    /// The port of the row under the cursor, else the one that the filter names.
    fn question_of_port(&self) -> Option<Question> {
        let of_row = self.current().map(|row| {
            let socket = &row.endpoint.socket;
            (socket.protocol, socket.port())
        });
        let meant = || self.listing.filter().query.meant_local_port();
        let (protocol, port) = of_row.or_else(|| Some((Protocol::Tcp, meant()?)))?;
        Some(Question {
            protocol,
            port,
            address: None,
            connects: false,
        })
    }

    pub(super) fn on_why_key(&mut self, chord: Chord) -> Vec<Effect> {
        let Overlay::Why(dialog) = &mut self.overlay else {
            return Vec::new();
        };
        if let Some(scroll) = super::input::scrolled(dialog.scroll, chord) {
            dialog.scroll = scroll;
        } else if chord.code == KeyCode::Char('c') && chord.letter().is_some() {
            return connect(dialog);
        } else {
            self.overlay = Overlay::None;
        }
        Vec::new()
    }

    pub(super) fn on_answer(&mut self, answer: Box<Answer>) {
        if let Overlay::Why(dialog) = &mut self.overlay
            && dialog.question == answer.evidence.question
        {
            dialog.is_awaiting = false;
            dialog.answer = Some(answer);
        }
    }
}

/// Asks once more, this time with connecting. A key that offers nothing now does nothing either.
fn connect(dialog: &mut WhyDialog) -> Vec<Effect> {
    if !dialog.can_connect() {
        return Vec::new();
    }
    dialog.question.connects = true;
    dialog.is_awaiting = true;
    vec![Effect::Check(dialog.question)]
}

#[cfg(test)]
mod tests;
