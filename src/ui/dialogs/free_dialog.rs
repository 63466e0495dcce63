//! The dialog that frees a port.
//!
//! ```text
//! ┌ Free port 5173 on build-07? ───────────────────────────────────────────┐
//! │ Stops        node 3977   vite · ~/code/shop-old   dev   up 3d          │
//! │ Also closes  nothing else                                              │
//! │ Started by   npm 3970 ← zsh 3801 (pts/4)                               │
//! │ [ Cancel ]   y stop it (SIGTERM)                                       │
//! └────────────────────────────────────────────────────────────────────────┘
//! ```

mod buttons;
mod preview;

use crate::app::App;
use crate::app::keymap::{Button, key_of};
use crate::app::overlay::free_dialog::{DialogPhase, FreeDialog};
use crate::free::{Batch, Explanation, FreeMachine, VerdictClass, VerdictKind};
use crate::model::port::Port;
use crate::model::process::{Inspection, Process, ProcessId, Signal};
use crate::model::socket::Socket;
use crate::ui::dialogs::frame::{self, FRAME, dialog_size};
use crate::ui::labeled_text::{self, LabelColumn, LabeledText};
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate::{self, cells};
use crate::wording::{self, screen};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout};
use ratatui::text::Line;
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr;

/// What a dialog says: on a short screen the body is truncated, the pinned lines are not.
#[derive(Default)]
struct DialogText {
    title: String,
    body: Vec<LabeledText>,
    /// Number of entries of the body up to the last that names a process to be signaled: nobody may confirm without
    /// having seen them.
    targets: usize,
    pinned: Vec<LabeledText>,
}

/// A dialog with its text broken into the lines that fit.
struct DialogView {
    title: String,
    width: u16,
    lines: Vec<Line<'static>>,
    buttons: Vec<Vec<(usize, String)>>,
    shows_all_targets: bool,
}

pub fn draw(app: &App, dialog: &FreeDialog, theme: &Theme, buffer: &mut Buffer) {
    let view = DialogView::of(app, dialog, theme);
    let height = cells(view.lines.len() + view.buttons.len()).saturating_add(FRAME.1);
    let area = frame::open(&view.title, view.width, height, theme, buffer);
    let button_lines = Constraint::Length(cells(view.buttons.len()));
    let [text, buttons] = Layout::vertical([Constraint::Fill(1), button_lines]).areas(area);
    labeled_text::draw(view.lines, 0, text, buffer);
    buttons::draw(app, dialog, &view.buttons, theme, buttons, buffer);
}

/// Returns true if the dialog names every target on the screen.
pub fn shows_all_targets(app: &App, dialog: &FreeDialog) -> bool {
    DialogView::of(app, dialog, Theme::of(app)).shows_all_targets
}

impl DialogView {
    /// If lines do not fit, the last line says so. There is a blank line above the buttons if there is room.
    fn of(app: &App, dialog: &FreeDialog, theme: &Theme) -> Self {
        let text = match &dialog.phase {
            DialogPhase::Confirming(prompt) => preview::preview(app, prompt),
            DialogPhase::Explaining(explanation) => {
                explained(explanation, dialog.inspection.as_ref())
            }
            DialogPhase::Running(batch) => progress(app, batch),
        };
        let (width, height) = dialog_size(app);
        let columns = usize::from(width.saturating_sub(FRAME.0));
        let buttons = buttons::layout_lines(dialog, columns);
        let room = usize::from(height.saturating_sub(FRAME.1)).saturating_sub(buttons.len());
        let labels = text
            .body
            .iter()
            .chain(&text.pinned)
            .map(|entry| entry.label.width());
        let labels = LabelColumn {
            width: labels
                .max()
                .filter(|width| *width > 0)
                .map_or(0, |width| width + 2),
            role: Role::Dim,
        };
        let laid_out = |entries: &[LabeledText]| labels.lines(entries, columns, theme);
        let (targets, _) = text.body.split_at(text.targets);
        let pinned = laid_out(&text.pinned);
        let mut lines = laid_out(&text.body);
        let mut for_body = room.saturating_sub(pinned.len());
        if lines.len() > for_body {
            for_body = for_body.saturating_sub(1);
            lines.truncate(for_body);
            let more = truncate::at_end(screen::MORE_LINES, columns.saturating_sub(labels.width));
            lines.extend(laid_out(&[LabeledText::new("", more).role(Role::Warning)]));
        }
        lines.extend(pinned);
        if lines.len() < room {
            lines.push(Line::default());
        }
        Self {
            title: text.title,
            width,
            lines,
            buttons,
            shows_all_targets: laid_out(targets).len() <= for_body,
        }
    }
}

/// Returns the progress or the verdict of each port.
fn progress(app: &App, batch: &Batch) -> DialogText {
    let freeings = batch.machines();
    let ports: Vec<Port> = freeings.iter().map(FreeMachine::port).collect();
    let entry = |freeing: &FreeMachine| {
        let (text, role) = freeing_text(app, freeing, freeings.len() == 1);
        LabeledText::new("", text).role(role)
    };
    DialogText {
        title: wording::freeing_title(&ports, &app.environment.host, batch.has_verdicts()),
        body: freeings.iter().map(entry).collect(),
        ..DialogText::default()
    }
}

/// Where there are several ports, what a key does is said once, by its button.
fn freeing_text(app: &App, freeing: &FreeMachine, is_only: bool) -> (String, Role) {
    let progress = || wording::progress(&freeing.progress(app.now));
    let Some(verdict) = freeing.verdict() else {
        return (progress(), Role::Plain);
    };
    let role = match verdict.kind.class() {
        VerdictClass::Free => Role::Good,
        VerdictClass::Held | VerdictClass::Taken | VerdictClass::NothingSent => Role::Error,
    };
    let text = wording::verdict(verdict);
    let more = match verdict.kind {
        VerdictKind::NothingSent(_) => held_now(app, freeing),
        VerdictKind::NotEnded {
            offer: Some(signal),
            ..
        } if is_only => {
            let button = match signal {
                Signal::Interrupt => Button::Interrupt,
                Signal::Terminate
                | Signal::HangUp
                | Signal::Quit
                | Signal::Kill
                | Signal::Continue => Button::Kill,
            };
            format!(". {}", wording::escalation(&key_of(button), signal))
        }
        _ if role == Role::Good && !freeing.is_settled() => format!(" {}", progress()),
        _ => String::new(),
    };
    (text + &more, role)
}

/// Returns the sentence on who holds the port according to the last poll; empty if only targets hold it. After "nothing
/// sent" the dialog must not read as if the port were free.
fn held_now(app: &App, freeing: &FreeMachine) -> String {
    let port = freeing.port();
    let endpoints = app.listing.endpoints();
    let sockets = endpoints.map(|endpoint| &endpoint.socket);
    let sockets = sockets.filter(|socket| socket.holds_port() && Port::of(socket) == port);
    let sockets: Vec<&Socket> = sockets.collect();
    let owners = sockets.iter().flat_map(|socket| socket.owners.known());
    let others = owners.filter(|owner| !freeing.request().has_target(owner.id));
    let others: BTreeMap<ProcessId, &Process> = others.map(|owner| (owner.id, &**owner)).collect();
    if others.is_empty() && !sockets.is_empty() {
        return String::new();
    }
    wording::held_now(port, &others.into_values().collect::<Vec<_>>())
}

fn explained(explanation: &Explanation, inspection: Option<&Inspection>) -> DialogText {
    let unused = inspection.and_then(|inspection| inspection.unused);
    let lines = wording::explanation_lines(explanation, unused).into_iter();
    DialogText {
        title: wording::explanation_title(explanation),
        body: lines.map(|line| LabeledText::new("", line)).collect(),
        ..DialogText::default()
    }
}
