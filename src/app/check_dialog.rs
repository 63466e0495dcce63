//! The dialog that tells whether a port can be used, and why not.
//!
//! It ends nothing, so it needs no arming and works read-only. It is told the answer to its own question only.

use crate::app::keymap::Chord;
use crate::app::{App, Effect, Overlay};
use crate::check::{CheckReport, CheckRequest};
use crate::model::endpoint::Protocol;
use crossterm::event::KeyCode;

#[derive(Debug)]
pub struct CheckDialog {
    /// What was asked last.
    pub question: CheckRequest,
    /// The last answer; while another is awaited the one before it stands.
    pub report: Option<Box<CheckReport>>,
    pub is_pending: bool,
    /// Lines scrolled down; drawing goes no further than to the last one.
    pub scroll: u16,
}

impl CheckDialog {
    fn new(question: CheckRequest) -> Self {
        Self {
            question,
            report: None,
            is_pending: true,
            scroll: 0,
        }
    }

    /// Whether connecting is offered: not again, and not while something is tried.
    pub fn can_connect(&self) -> bool {
        let is_tcp = self.question.protocol == Protocol::Tcp;
        is_tcp && !self.is_pending && !self.question.connects
    }
}

impl App {
    pub(super) fn open_check_dialog(&mut self) -> Vec<Effect> {
        let Some(question) = self.question_about_port() else {
            self.notify("no row and no port in the filter to ask about");
            return Vec::new();
        };
        self.overlay = Overlay::Check(CheckDialog::new(question));
        vec![Effect::Check(question)]
    }

    /// The port of the row under the cursor, else the one that the filter names.
    fn question_about_port(&self) -> Option<CheckRequest> {
        let of_row = self.current_row().map(|row| {
            let socket = &row.endpoint.socket;
            (socket.protocol, socket.port())
        });
        let meant = || self.listing.filter().query.sole_local_port();
        let (protocol, port) = of_row.or_else(|| Some((Protocol::Tcp, meant()?)))?;
        Some(CheckRequest {
            protocol,
            port,
            address: None,
            connects: false,
        })
    }

    pub(super) fn on_check_key(&mut self, chord: Chord) -> Vec<Effect> {
        let Overlay::Check(dialog) = &mut self.overlay else {
            return Vec::new();
        };
        if let Some(scroll) = super::input::scroll_position(dialog.scroll, chord) {
            dialog.scroll = scroll;
        } else if chord.code == KeyCode::Char('c') && chord.letter().is_some() {
            return connect(dialog);
        } else {
            self.overlay = Overlay::None;
        }
        Vec::new()
    }

    pub(super) fn on_check_report(&mut self, answer: Box<CheckReport>) {
        if let Overlay::Check(dialog) = &mut self.overlay
            && dialog.question == answer.findings.request
        {
            dialog.is_pending = false;
            dialog.report = Some(answer);
        }
    }
}

/// Asks once more, this time with connecting. A key that offers nothing now does nothing either.
fn connect(dialog: &mut CheckDialog) -> Vec<Effect> {
    if !dialog.can_connect() {
        return Vec::new();
    }
    dialog.question.connects = true;
    dialog.is_pending = true;
    vec![Effect::Check(dialog.question)]
}

#[cfg(test)]
mod tests;
